"""What was not seen is no pass: whatever fails with all documents is told, or unknown, without one of them."""

from datetime import date
from pathlib import Path

import pytest

from irsa_doctor.answers.check.engine import JudgedSubjects
from irsa_doctor.answers.check.judge import judge
from irsa_doctor.api import Settings
from irsa_doctor.api.governed import governing_of, input_of
from irsa_doctor.api.load import load_files
from irsa_doctor.model.findings import JudgedSubject
from tests.estate import generate
from tests.shards.organisations import put
from tests.store.denied import WholeOrganisation, without

SHOP = Path(__file__).parents[3] / "fixtures" / "worlds" / "shop"


def judged(paths: list[str], *kinds: str) -> dict[tuple[str, str], JudgedSubject]:
    record = JudgedSubjects()
    judge(input_of(load_files(paths)), governing_of(Settings()), date(2026, 1, 1), record=record)
    return {(subject.kind, subject.id): subject for subject in record.listed() if subject.kind in (kinds or (subject.kind,))}


def _thing(subject_id: str) -> str:
    """The role of a grant or a binding; what else a subject is, itself."""
    return subject_id.rpartition(" -> ")[2].partition("#")[0]


def silent(whole: dict[tuple[str, str], JudgedSubject], part: dict[tuple[str, str], JudgedSubject]) -> set[tuple[str, str]]:
    """Subjects with a rule that fails in `whole` and passes in `part`, where nothing else fails of their role in its place."""
    told = {_thing(subject.id) for subject in part.values() if "fail" in dict(subject.verdicts).values()}
    return {
        (key[1], rule)
        for key, subject in part.items()
        for rule, verdict in (whole[key].verdicts if key in whole else ())
        if verdict == "fail" and (rule, "pass") in subject.verdicts and _thing(subject.id) not in told
    }


def flips(whole: dict[tuple[str, str], JudgedSubject], part: dict[tuple[str, str], JudgedSubject]) -> set[tuple[str, str]]:
    """What passes though it fails when all is seen, and what fails though it passes then."""
    return silent(whole, part) | silent(part, whole)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    estate = tmp_path_factory.mktemp("estate")
    return {"shop": sorted(path for path in SHOP.rglob("*") if path.is_file()), "estate": generate(estate, 40)}


@pytest.mark.parametrize("world", ["shop", "estate"])
def test_no_rule_about_a_role_passes_for_want_of_a_document(worlds, world):
    paths = [str(path) for path in worlds[world]]
    whole = judged(paths)
    assert any("fail" in dict(subject.verdicts).values() for subject in whole.values())
    for left_out in paths:
        part = judged([path for path in paths if path != left_out])
        assert flips(whole, part) == set(), left_out


def test_a_provider_of_an_account_that_was_not_listed_may_be_missing(worlds):
    roles = [str(path) for path in worlds["shop"] if path.name == "account-authorization-details.json"]
    verdicts = {dict(subject.verdicts)["trust-principal-provider-deleted"] for subject in judged(roles, "grant").values()}
    assert verdicts <= {"unknown", "pass"}
    assert "unknown" in verdicts


@pytest.mark.parametrize("seed", range(8))
def test_no_rule_passes_for_want_of_a_list_that_was_refused(tmp_path, seed):
    organisation = WholeOrganisation(seed, rbac=seed % 2 == 0)
    shards = dict(organisation.shards())
    for file, shard in shards.items():
        put(tmp_path / "whole" / file, shard)
    whole = judged([str(tmp_path / "whole")])
    paths = [answer["path"] for shard in shards.values() for answer in shard["documents"]]
    for number in range(3):
        lost = organisation.rng.sample(paths, organisation.rng.choice((1, 2, len(paths) // 5)))
        for file, shard in without(shards, lost).items():
            put(tmp_path / str(number) / file, shard)
        part = judged([str(tmp_path / str(number))])
        assert flips(whole, part) == set(), lost
