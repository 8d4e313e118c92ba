"""The data files of issuers: each is complete, and the shipped index is what they say."""

import json
from pathlib import Path

import msgspec
import pytest

from irsa_doctor import issuers
from irsa_doctor.issuers.profiles import read_profiles
from irsa_doctor.model import Issuer

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


@pytest.mark.parametrize(
    ("issuer", "profile"),
    [
        ("oidc.eks.eu-west-1.amazonaws.com/id/5D2A7C1E9B8F4036A1C4E7D20B93F865", issuers.EKS),
        ("oidc.eks.cn-north-1.amazonaws.com.cn/id/5D2A7C1E9B8F4036A1C4E7D20B93F865", issuers.EKS),
        ("oidc-eks.eu-west-1.api.aws/id/5D2A7C1E9B8F4036A1C4E7D20B93F865", issuers.EKS),
        ("oidc-eks.cn-north-1.api.amazonwebservices.com.cn/id/5D2A7C1E9B8F4036A1C4E7D20B93F865", issuers.EKS),
        ("oidc-eks.eu-west-1.api.example/id/5D2A", None),
        ("oidc.eks.eu-west-1.amazonaws.com/id/A/B", None),
        ("oidc.eks.eu-west-1.amazonaws.com", None),
        ("https://oidc.eks.eu-west-1.amazonaws.com/id/A", None),
        ("token.actions.githubusercontent.com", None),
        ("", None),
    ],
)
def test_an_issuer_is_recognised_by_its_name_alone(issuer, profile):
    assert (Issuer.of(issuer).form != "other") is (profile is issuers.EKS) or issuer.startswith("https://")
    assert issuers.profile_of(issuer) is profile
    assert issuers.cluster_profile(issuer) is (profile or issuers.KUBERNETES)


def test_a_file_with_a_key_that_is_not_part_of_the_format_is_refused(tmp_path):
    text = (FOLDER / "eks.yaml").read_text() + "colour: blue\n"
    (tmp_path / "eks.yaml").write_text(text)
    with pytest.raises(msgspec.ValidationError, match="colour"):
        read_profiles(tmp_path)
