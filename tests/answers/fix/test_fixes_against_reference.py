"""Edits that `fix` makes, compared with what the plain evaluator of the tests says of the policy before and after."""

import json
import os
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor import api
from tests.remedies.test_against_reference import KNOWN, NAMED, RECORDED, ROLE, STRANGERS, decided, slipped, written
from tests.trust import drawing
from tests.trust.drawing import ACCOUNT, AUDIENCES, ISSUER, PREFIX, SUBJECTS, examples

CLUSTER = {
    "cluster": {
        "name": "c",
        "arn": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/c",
        "identity": {"oidc": {"issuer": f"https://{ISSUER}"}},
    }
}


def account(subject: str) -> dict[str, Any]:
    namespace, name = subject.removeprefix(PREFIX).split(":")
    annotations = {"eks.amazonaws.com/role-arn": ROLE}
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
    }


def fixed_twice(document: Any, users: list[str], complete: bool) -> tuple[Any, Any, Any]:
    """The policy with the safe edits, the fixes, and what a second run still changes."""
    declared = {ROLE: "trust.json"}
    settings = api.Settings(roles=declared, complete=("serviceaccounts",) if complete else ())
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            Path("trust.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
            Path("cluster.json").write_text(json.dumps(CLUSTER), encoding="utf-8")
            items = [account(user) for user in users]
            listed = {"apiVersion": "v1", "kind": "List", "items": items}
            Path("accounts.json").write_text(json.dumps(listed), encoding="utf-8")
            fixing = api.fix(["."], settings=settings).fixing
            assert api.write_fixes(fixing).failed == {}
            after = json.loads(Path("trust.json").read_text(encoding="utf-8"))
            return after, fixing.fixes, api.fix(["."], settings=settings).fixing.after
        finally:
            os.chdir(before)


def is_safe(document: Any, users: list[str], surroundings: Any, complete: bool) -> None:
    """Only who is named by the inventory or the text gains, and nobody who is in the inventory loses."""
    after, fixes, again = fixed_twice(document, users, complete)
    assert again == {}
    if after == document:
        return
    assert all(fix.safety == "safe" for fix in fixes if fix.applied)
    request = {**surroundings, **KNOWN, **RECORDED}
    named = {*users, *(value.strip() for value in written(document))}
    for subject, audience in product({*SUBJECTS[::3], *users, *STRANGERS}, AUDIENCES[::2]):
        was, now = (decided(each, subject, audience, request) for each in (document, after))
        assert was or not now or subject in named, (subject, audience)
        assert now or not was or subject not in users or audience != "sts.amazonaws.com", (subject, audience)


@examples(150)
@given(slipped, NAMED, drawing.surroundings, st.booleans())
def test_what_is_written_does_no_harm_and_is_written_once(document, users, surroundings, complete):
    is_safe(document, users, surroundings, complete)


@examples(100)
@given(drawing.policies(drawing.ANYTHING), NAMED, drawing.surroundings, st.booleans())
def test_any_policy_at_all_is_edited_without_harm_and_once(document, users, surroundings, complete):
    is_safe(document, users, surroundings, complete)
