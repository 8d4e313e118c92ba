"""An estate with every kind of slip, whose policies are files: `fix --write` leaves none that it can mend, nobody loses a role
and nobody new gets one."""

import json
from pathlib import Path
from typing import Any

import pytest

from irsa_doctor import api
from tests import estate
from tests.trust import reference

ROLES = 90
LEFT = {"trust-sub-mismatch", "open-ns-creatable"}
"""what only a person can decide: whether the subject or the name of the service account is right, and whether all of a
namespace is meant"""


def settings(folder: Path) -> api.Settings:
    declared = {case.arn: str(folder / "policies" / f"{case.number}.json") for case, _, _ in estate.cases(ROLES, 7)}
    return api.Settings(roles=declared, complete=("serviceaccounts",))


def admitted(document: Any, case: estate.Case, subject: str) -> bool:
    provider = estate.provider_of(case.issuer)
    context = {f"{case.issuer.lower()}:sub": [subject], f"{case.issuer.lower()}:aud": [estate.AUDIENCE]}
    return reference.decide(document, reference.Call(provider, context), reference.Reading()) == "allow"


def subjects(case: estate.Case) -> list[str]:
    names = (f"{case.namespace}:other", "zz-none:nobody", f"zz-none:{case.name}", f"{case.namespace}:{case.name}-old")
    return [case.sub, *(f"system:serviceaccount:{name}" for name in names)]


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, Any], api.FixAnswer]:
    folder = tmp_path_factory.mktemp("estate")
    estate.generate(folder, ROLES)
    for path in folder.glob("account-*.json"):
        path.unlink()
    (folder / "policies").mkdir()
    before = {}
    for case, _, trust in estate.cases(ROLES, 7):
        before[case.number] = {"Version": "2012-10-17", "Statement": [trust]}
        (folder / "policies" / f"{case.number}.json").write_text(json.dumps(before[case.number], indent=2), encoding="utf-8")
    answer = api.fix([str(folder)], settings=settings(folder))
    assert api.write_fixes(answer.fixing).failed == {}
    return folder, before, answer


def test_all_that_can_be_mended_is(mended):
    folder, _, answer = mended
    report = api.check([str(folder)], settings=settings(folder))
    assert {finding.rule for finding in report.findings} <= LEFT
    assert len({fix.rule for fix in answer.fixing.fixes if fix.applied}) >= 9


def test_nobody_loses_a_role_and_nobody_new_gets_one(mended):
    folder, before, _ = mended
    for case, right, _ in estate.cases(ROLES, 7):
        after = json.loads((folder / "policies" / f"{case.number}.json").read_text(encoding="utf-8"))
        assert after == before[case.number] or not right
        gained = {s for s in subjects(case) if admitted(after, case, s) and not admitted(before[case.number], case, s)}
        lost = {s for s in subjects(case) if admitted(before[case.number], case, s) and not admitted(after, case, s)}
        assert gained <= {case.sub}
        assert case.sub not in lost


def test_fixing_again_changes_nothing(mended):
    folder, _, _ = mended
    assert not api.fix([str(folder)], settings=settings(folder)).fixing.after
