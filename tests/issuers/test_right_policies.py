"""The policy that each vendor recommends is right: nothing is said of it at medium and above, and IAM would save it."""

import json
import re

import pytest

from irsa_doctor.api import check
from irsa_doctor.issuers import Profile, profiles
from irsa_doctor.issuers.profiles import Match
from irsa_doctor.trust.minted import has_form

HOLE = re.compile(r"<([a-z_]+)>")
VALUES = {"phase": "apply", "directory": "11111111-aaaa-4bbb-8ccc-000000000001", "region": "eu-west-1"}
NAMED = [entry for entry in profiles().values() if entry.right and any(not match.declared for match in entry.match)]


def sample(entry: Profile, name: str) -> str:
    """A value for a hole: as the forms of subjects have it; the tenant of an issuer is that of its subjects."""
    named = [key for form in entry.subject for key, segment in form.segments.items() if segment.of_issuer]
    name = named[0] if named and name == "tenant" else name
    segments = [form.segments[name] for form in entry.subject if name in form.segments]
    if segments and segments[0].sample:
        return segments[0].sample
    if segments and segments[0].charset and "a" not in segments[0].charset and "A" not in segments[0].charset:
        return "4410001"
    return VALUES.get(name, "4410001" if name.endswith("_id") else "acme")


def filled(entry: Profile, text: str) -> str:
    return HOLE.sub(lambda hole: sample(entry, hole[1]), text)


def issuer_of(entry: Profile, match: Match) -> str:
    name = filled(entry, match.issuer)
    return f"{name}/" if match.slash == "required" else name


def policy_of(entry: Profile) -> dict[str, object]:
    match = next(match for match in entry.match if not match.declared)
    issuer = issuer_of(entry, match)
    principal = issuer if match.built_in else f"arn:aws:iam::111122223333:oidc-provider/{issuer}"
    condition = {
        operator: {f"{issuer}:{claim}": filled(entry, value) for claim, value in values.items()}
        for operator, values in entry.right.items()
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": principal},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize("entry", NAMED, ids=lambda entry: entry.id)
def test_the_right_policy_of_a_vendor_is_silent(entry, tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(policy_of(entry)), encoding="utf-8")
    findings = check([str(path)]).findings
    assert [f"{finding.rule}: {finding.message}" for finding in findings if finding.severity not in ("info", "low")] == []


def test_a_vendor_without_a_right_policy_has_subjects_that_authors_compose_or_none():
    without = {entry.id for entry in profiles().values() if not entry.right} - {"other"}
    assert without == {
        "cursor",
        "depot",
        "devin",
        "dvc-studio",
        "harness",
        "namespace",
        "sandboxes",
        "shisho",
        "warp",
    }
    assert {profiles()[ident].subject_custom for ident in without} == {"author"}


FORMS = [(entry, form) for entry in profiles().values() for form in entry.subject]


@pytest.mark.parametrize(("entry", "form"), FORMS, ids=[f"{entry.id}-{form.form}" for entry, form in FORMS])
def test_the_example_of_a_form_has_it(entry, form):
    assert form.example == "" or has_form(form.example, form), form.form
