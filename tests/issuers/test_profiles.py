"""The data files of issuers: each is complete, and the shipped index is what they say."""

import json
from pathlib import Path

import msgspec
import pytest

from irsa_doctor import issuers
from irsa_doctor.issuers.profiles import read_profiles

FOLDER = Path(issuers.__file__).parent


def test_the_shipped_index_holds_what_the_files_say():
    assert json.loads((FOLDER / "index.json").read_bytes()) == read_profiles(FOLDER)


def test_the_name_of_a_file_is_the_id_of_its_issuer():
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == sorted(issuers.profiles())


@pytest.mark.parametrize("ident", ["eks", "kubernetes"])
def test_clusters_mint_subjects_of_service_accounts_and_no_claim_but_sub_and_aud_becomes_a_key(ident):
    profile = issuers.profile(ident)
    assert profile.grammar == "service-account"
    assert profile.has_key("sub")
    assert not profile.has_key("amr")


def test_subjects_and_keys_of_an_issuer_that_is_not_known_may_be_anything():
    assert issuers.OTHER.grammar == "text"
    assert issuers.OTHER.has_key("amr")


def test_a_file_with_a_key_that_is_not_part_of_the_format_is_refused(tmp_path):
    text = (FOLDER / "eks.yaml").read_text() + "colour: blue\n"
    (tmp_path / "eks.yaml").write_text(text)
    with pytest.raises(msgspec.ValidationError, match="colour"):
        read_profiles(tmp_path)
