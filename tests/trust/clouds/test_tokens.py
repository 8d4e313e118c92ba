"""The tokens that conditions of other clouds admit: their ring is that of the same condition in a role."""

import itertools

import pytest

from irsa_doctor.issuers import OTHER, profile_of
from irsa_doctor.trust.claim_sets import Box
from irsa_doctor.trust.clouds.cel import read_condition
from irsa_doctor.trust.clouds.flexible import read_expression
from irsa_doctor.trust.clouds.tokens import PoolReading, TokenBoxes, admitted_by_expression, with_all_claims
from irsa_doctor.trust.languages import EVERYTHING, contains, union
from irsa_doctor.trust.ring import Circumstances, ring_of
from irsa_doctor.trust.ring_witness import witness_of

GITHUB, GITLAB, TERRAFORM = "token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io"
MAPPING = {"google.subject": "sub", "attribute.repository": "repository", "attribute.owner": "repository_owner"}


def admitted(issuer: str, condition: str, *member: str):
    profile = with_all_claims(profile_of(issuer) or OTHER)
    reading = PoolReading(profile=profile, issuer=f"https://{issuer}", claims=MAPPING)
    tokens = TokenBoxes((Box(EVERYTHING, EVERYTHING),))
    if condition:
        tokens = reading.admitted(tokens, read_condition(condition))
    return profile, reading.with_value(tokens, *member) if member else tokens


@pytest.mark.parametrize(
    ("issuer", "condition", "member", "ring"),
    [
        (GITHUB, "", (), "platform"),
        (GITHUB, "assertion.repository_owner != 'evil'", (), "platform"),
        (GITHUB, "assertion.repository_owner == 'acme'", (), "organisation"),
        (GITHUB, "assertion.repository_owner == 'acme' || assertion.actor == 'ann'", (), "platform"),
        (GITHUB, "assertion.repository.startsWith('acme/')", (), "organisation"),
        (GITHUB, "assertion.repository.startsWith('acme')", (), "platform"),
        (GITHUB, "attribute.owner == 'acme'", ("attribute.repository", "acme/shop"), "repository"),
        (GITHUB, "assertion.ref == 'refs/heads/main'", ("attribute.repository", "acme/shop"), "ref"),
        (GITHUB, "", ("google.subject", "repo:acme/shop:ref:refs/heads/main"), "ref"),
        (GITHUB, "", ("google.subject", "repo:acme/shop:pull_request"), "repository"),
        (GITHUB, "assertion.repository_owner_id == 4410001", (), "nobody"),
        (GITHUB, "assertion.repository_owner_id != 4410001", (), "platform"),
        (GITHUB, "assertion.iss == 'https://elsewhere.example'", (), "nobody"),
        (GITLAB, "assertion.namespace_path.startsWith('acme/')", (), "organisation"),
        (GITLAB, "assertion.namespace_path.startsWith('acme')", (), "platform"),
        (GITLAB, "assertion.project_path == 'acme/shop'", (), "repository"),
        (TERRAFORM, "assertion.terraform_organization_name == 'acme'", (), "organisation"),
        (TERRAFORM, "assertion.sub.startsWith('organization:acme:project:core:workspace:net')", (), "group"),
    ],
)
def test_the_ring_of_a_condition(issuer, condition, member, ring):
    profile, tokens = admitted(issuer, condition, *member)
    assert tokens.exact
    assert ring_of(tokens.boxes, profile, Circumstances()).ring == ring


@pytest.mark.parametrize(
    "condition",
    [
        "assertion.repository.matches('acme/.*')",
        "attribute.unmapped == 'x'",
        "assertion.nobody_knows == 'x'",
        "assertion.repository_owner.extract('{x}') == 'acme'",
    ],
)
def test_what_is_not_worked_out_narrows_nothing_and_is_not_exact(condition):
    profile, tokens = admitted(GITHUB, condition)
    assert (tokens.exact, ring_of(tokens.boxes, profile, Circumstances()).ring) == (False, "platform")


def test_an_unknown_part_leaves_what_the_rest_limits():
    profile, tokens = admitted(GITHUB, "assertion.repository_owner == 'acme' && assertion.repository.matches('x')")
    assert (tokens.exact, ring_of(tokens.boxes, profile, Circumstances()).ring) == (False, "organisation")


@pytest.mark.parametrize(
    ("condition", "subject"),
    [
        ("assertion.repository_owner == 'acme'", "repo:acme/x:ref:refs/heads/main"),
        ("assertion.repository_owner_id == '7'", "repo:x@7/x@88120001:ref:refs/heads/main"),
        ("assertion.repository.startsWith('acme')", "repo:acmex/x:ref:refs/heads/main"),
    ],
)
def test_a_witness_has_the_claims_that_are_required(condition, subject):
    profile, tokens = admitted(GITHUB, condition)
    reading = ring_of(tokens.boxes, profile, Circumstances())
    subjects = union(box.subjects for box in tokens.boxes)
    assert witness_of(subjects, reading.widest, profile, tokens.boxes[0]) == subject


ATOMS = (
    "assertion.sub == 'a'",
    "assertion.sub != 'b'",
    "assertion.sub.startsWith('a')",
    "assertion.sub in ['a', 'ab']",
    "assertion.sub == 7",
)
VALUES = (
    lambda sub: sub == "a",
    lambda sub: sub != "b",
    lambda sub: sub.startswith("a"),
    lambda sub: sub in ("a", "ab"),
    lambda sub: False,
)
SUBJECTS = ("a", "b", "ab", "")


def value_of(atom: str, sub: str) -> bool:
    return VALUES[ATOMS.index(atom)](sub)


@pytest.mark.parametrize(("first", "second"), list(itertools.product(ATOMS, repeat=2)))
def test_boxes_have_the_subjects_that_meet_a_condition(first, second):
    forms = (f"{first} && !({second})", f"!({first} || {second})", f"{first} || !({second})", f"!({first} && !({second}))")
    for form in forms:
        _, tokens = admitted(GITHUB, form)
        a, b = ({sub: value_of(atom, sub) for sub in SUBJECTS} for atom in (first, second))
        for sub in SUBJECTS:
            expected = {
                forms[0]: a[sub] and not b[sub],
                forms[1]: not (a[sub] or b[sub]),
                forms[2]: a[sub] or not b[sub],
                forms[3]: not (a[sub] and not b[sub]),
            }[form]
            assert any(contains(box.subjects, sub) for box in tokens.boxes) is expected, (form, sub)


@pytest.mark.parametrize(
    ("expression", "ring"),
    [
        ("claims['sub'] matches 'repo:acme/*'", "organisation"),
        ("claims['sub'] matches 'repo:acme*'", "platform"),
        ("claims['sub'] eq 'repo:acme/shop:ref:refs/heads/main'", "ref"),
        ("claims['sub'] matches 'repo:acme/shop:*' and claims['ref'] eq 'refs/heads/main'", "ref"),
        ("claims['job_workflow_ref'] matches 'acme/ci/*'", "platform"),
    ],
)
def test_the_ring_of_an_expression_of_azure(expression, ring):
    profile = with_all_claims(profile_of(GITHUB) or OTHER)
    tokens = admitted_by_expression(read_expression(expression) or (), EVERYTHING, profile)
    assert ring_of(tokens.boxes, profile, Circumstances()).ring == ring
