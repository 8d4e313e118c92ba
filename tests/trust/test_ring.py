"""The ring of policies of every issuer: its witness is admitted, and no level that it calls fixed is crossed."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.issuers import built_in_issuers, profiles
from irsa_doctor.issuers.forms import charset_of, form_parts
from irsa_doctor.issuers.recognition import profile_of
from irsa_doctor.model import Place, TrustPolicy
from irsa_doctor.trust import decide, grant_of, read_policy
from irsa_doctor.trust.admitted import share_of
from irsa_doctor.trust.claim_sets import box_of, boxes_of
from irsa_doctor.trust.decide import Request
from irsa_doctor.trust.openings import RINGS
from irsa_doctor.trust.patterns import pieces_of, widest
from irsa_doctor.trust.ring import Circumstances, ring_of, ring_of_scope
from irsa_doctor.trust.ring_witness import witness_of
from irsa_doctor.trust.segments import laid_beside, tokens_of
from irsa_doctor.trust.subjects import reach_of
from irsa_doctor.trust.work import Work
from tests.trust.drawing import SCALE, examples

ACCOUNT = "111122223333"
GITHUB = "token.actions.githubusercontent.com"
ISSUERS = {
    entry.id: re.sub("<[a-z]+>", "acme", match.issuer)
    for entry in profiles().values()
    if entry.subject and not entry.is_cluster
    for match in entry.match[:1]
}


def drawn_subject(draw, template):
    """A subject of a form."""
    texts = []
    for part in form_parts(template):
        if part.segment is None:
            texts.append(part.text)
        elif part.segment.values:
            texts.append(draw(part.segment.values))
        else:
            chars = charset_of(part.segment.charset).chars[:8]
            texts.append("".join(draw(chars) for _ in range(draw((1, 2, 4)))))
    return "".join(texts)


def ring_reading(issuer, values, *denied):
    """(policy, profile, ring) of a policy with values for sub under StringLike, and denied ones."""
    principal = issuer if issuer in built_in_issuers() else f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"
    member = {"Principal": {"Federated": principal}, "Action": "sts:AssumeRoleWithWebIdentity"}
    statements = [{"Effect": "Allow", **member, "Condition": {"StringLike": {f"{issuer}:sub": list(values)}}}]
    statements += [{"Effect": "Deny", **member, "Condition": {"StringLike": {f"{issuer}:sub": text}}} for text in denied]
    policy = read_policy(TrustPolicy({"Version": "2012-10-17", "Statement": statements}, Place("trust.json")))
    profile = profile_of(issuer)
    grant = grant_of(policy, policy.statements[0], issuer, profile=profile, provider=principal)
    share = share_of(policy, 0, principal, issuer, profile=profile)
    box = box_of(policy, grant, share.subjects, share.audiences, issuer, profile)
    boxes = tuple(boxes_of(policy, box, principal, issuer, profile))
    return policy, principal, profile, boxes, ring_of(boxes, profile, Circumstances())


@st.composite
def policies(draw):
    """An issuer, and values for sub: subjects of it, some with a wildcard in place of a part."""
    ident = draw(st.sampled_from(sorted(ISSUERS)))
    seed = draw(st.integers(0, 1 << 30))
    rng = random.Random(seed)  # noqa: S311 - what is drawn has to be the same again
    templates = profiles()[ident].subject
    values = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        text = drawn_subject(rng.choice, rng.choice(templates))
        for _ in range(rng.choice((0, 1, 1, 2))):
            start = rng.randrange(len(text))
            text = text[:start] + rng.choice(("*", "*", "?")) + text[start + rng.choice((0, 1, 4, 40)) :]
        values.append(text)
    denied = [drawn_subject(rng.choice, rng.choice(templates))[: rng.randrange(1, 30)] + "*"] if rng.random() < 0.3 else []
    return ISSUERS[ident], values, denied, seed


def admits(policy, principal, issuer, subject):
    return decide(policy, Request(ACCOUNT, principal, {f"{issuer}:sub": (subject,)})).outcome == "allow"


@examples(150)
@given(policies())
def test_the_witness_of_every_ring_is_admitted(drawn):
    issuer, values, denied, _ = drawn
    policy, principal, profile, boxes, reading = ring_reading(issuer, values, *denied)
    if reading.ring == "nobody":
        return
    witness = witness_of(boxes[0].subjects, reading.widest, profile)
    assert witness
    assert admits(policy, principal, issuer, witness)


@examples(40)
@given(policies())
def test_no_subject_of_the_issuer_is_of_a_tenant_that_the_ring_does_not_name(drawn):
    issuer, values, denied, seed = drawn
    policy, principal, profile, _, reading = ring_reading(issuer, values, *denied)
    if not reading.tenants or RINGS.index(reading.ring) > RINGS.index("organisation"):
        return
    names = {tenant.name for tenant in reading.tenants} | {tenant.id for tenant in reading.tenants}
    rng = random.Random(seed)  # noqa: S311 - as above
    for _ in range(1000):
        template = rng.choice(profile.subject)
        subject = near(rng, drawn_subject(rng.choice, template), values)
        segments = laid_beside(tuple(subject), template)
        if segments and admits(policy, principal, issuer, subject):
            tenants = [value.value for value in segments if value.level == "tenant"]
            assert not tenants or names & set(tenants)


def near(rng, subject, values):
    """A subject that begins like one of the values up to some place, so that it is admitted more often."""
    value = rng.choice(values).replace("?", "x")
    return value.replace("*", rng.choice(("x", "-fan", "x/y", subject, ""))) if rng.random() < 0.7 else subject


LEVELS = ("tenant", "group", "repository", "ref")
PINNED = {"workload": 4, "ref": 3, "repository": 3, "group": 1, "organisation": 1}
"""how many of the levels a ring leaves no room in, whatever is open below"""
EVERY = [(entry.id, match) for entry in profiles().values() for match in entry.match if entry.subject and not match.declared]


def issuer_named(match):
    """An issuer of a pattern."""
    name = re.sub("<[a-z]+>", "acme", match.issuer)
    return f"{name}/" if match.slash == "required" else name


def written_values(issuer, ident, rng):
    """Values for sub: subjects of an issuer, some with a wildcard in place of a part."""
    values = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        text = drawn_subject(rng.choice, rng.choice(profiles()[ident].subject))
        for _ in range(rng.choice((0, 1, 1, 2))):
            start = rng.randrange(len(text))
            text = text[:start] + rng.choice(("*", "*", "?")) + text[start + rng.choice((0, 1, 4, 40)) :]
        values.append(text)
    return values


def fixed_by_level(values, profile):
    """Level -> what the values write out of it, in whatever form."""
    written = {}
    for value in values:
        tokens = tokens_of(widest(pieces_of(value, wildcards=True, variables=True)), ())
        for template in profile.subject:
            for part in laid_beside(tokens, template) or ():
                written.setdefault(part.level, set()).add(part.value)
    return written


@pytest.mark.parametrize(("ident", "match"), EVERY, ids=[f"{ident}-{match.issuer}" for ident, match in EVERY])
@pytest.mark.parametrize("seed", range(max(2, int(2 * SCALE))))
def test_of_every_issuer_the_witness_is_admitted_and_no_pinned_level_is_crossed(ident, match, seed):
    issuer = issuer_named(match)
    rng = random.Random(f"{seed}{issuer}")  # noqa: S311 - what is drawn has to be the same again
    values = written_values(issuer, ident, rng)
    policy, principal, profile, boxes, reading = ring_reading(issuer, values)
    assert profile.id == ident
    ring = ring_of_scope(reach_of(boxes[0].subjects, profile.grammar).scope) if profile.is_cluster else reading.ring
    if ring == "nobody":
        return
    witness = (
        reach_of(boxes[0].subjects, profile.grammar).witness
        if profile.is_cluster
        else witness_of(boxes[0].subjects, reading.widest, profile)
    )
    assert witness
    assert admits(policy, principal, issuer, witness)
    written = fixed_by_level(values, profile)
    # an issuer of one tenant pins it, whatever the subjects are
    pinned = LEVELS[1 if profile.own else 0 : PINNED.get(ring, 0)]
    for _ in range(1000):
        template = rng.choice(profile.subject)
        subject = near(rng, drawn_subject(rng.choice, template), values)
        if admits(policy, principal, issuer, subject):
            crossed = {
                (value.level, value.value)
                for value in laid_beside(tuple(subject), template) or ()
                if value.level in pinned and value.value not in written.get(value.level, ()) and not value.is_id
            }
            assert not crossed, (values, subject)


def test_every_data_file_with_subjects_is_drawn_from():
    without = {entry.id for entry in profiles().values()} - {ident for ident, _ in EVERY}
    assert without == {entry.id for entry in profiles().values() if not entry.subject}


@pytest.mark.parametrize("entry", [entry for entry in profiles().values() if entry.subject], ids=lambda entry: entry.id)
def test_each_example_of_a_subject_is_read_in_its_form(entry):
    for template in entry.subject:
        segments = laid_beside(tuple(template.example), template)
        assert segments is not None
        assert all(segment.fixed for segment in segments)


@pytest.mark.parametrize(
    ("issuer", "value", "ring"),
    [
        ("token.actions.githubusercontent.com", "repo:acme?/shop:ref:refs/heads/main", "platform"),
        ("token.actions.githubusercontent.com", "repo:*@4410001/*@88120001:ref:refs/heads/main", "platform"),
        ("token.actions.githubusercontent.com", "repository_owner_id:4410001:*", "organisation"),
        ("token.actions.githubusercontent.com", "repo:acme/shop:ref:refs/heads/release/*", "ref"),
        ("token.actions.githubusercontent.com", "repo:acme/shop:environment:*", "repository"),
        ("token.actions.githubusercontent.com", "repo:acme/shop", "nobody"),
        ("token.actions.githubusercontent.com/acme", "*", "organisation"),
        ("gitlab.com", "project_path:acme/a/b/*", "group"),
        ("app.terraform.io", "organization:acme:project:core:workspace:network:run_phase:apply", "workload"),
        ("oidc.circleci.com/org/a", "org/a/project/b/user/*", "repository"),
        ("agent.buildkite.com", "0190a1b2-0000-4000-8000-000000000002", "repository"),
    ],
)
def test_the_ring_is_the_first_level_that_is_open(issuer, value, ring):
    assert ring_reading(issuer, [value])[-1].ring == ring


@pytest.mark.parametrize(
    ("value", "ring"),
    [
        ("repo*:acme/shop:ref:refs/heads/main", "platform"),
        ("r*po:acme/shop:ref:refs/heads/main", "platform"),
        ("repo:acme/shop:ref*:refs/heads/main", "repository"),
        ("repo:acme/shop:ref:refs/*/main", "ref"),
    ],
)
def test_a_star_in_a_literal_part_leaves_open_what_stands_behind_it(value, ring):
    assert ring_reading("token.actions.githubusercontent.com", [value])[-1].ring == ring


WORKFLOW = "job_workflow_ref:acme/wf/.github/workflows/d.yml@refs/heads/main"


@pytest.mark.parametrize(
    ("issuer", "value", "ring", "witness"),
    [
        (GITHUB, "*nt:prod", "platform", "repo:x/x:environment:prod"),
        (GITHUB, "repo:*ironment:prod", "platform", "repo:x/x:environment:prod"),
        (GITHUB, "repo:acme/shop*ironment:prod", "group", "repo:acme/shopx:environment:prod"),
        (GITHUB, "repo:acme?shop?ref:refs/heads/main", "ref", "repo:acme/shop:ref:refs/heads/main"),
        (GITHUB, "????????????????????:acme*", "platform", "repo:x/x:environment:acme"),
        ("gitlab.com", "*:tag:ref:v1", "platform", "project_path:x/x:ref_type:tag:ref:v1"),
        (
            "app.terraform.io",
            "organizati*oject:p:workspace:w:run_phase:apply",
            "platform",
            "organization:x:project:p:workspace:w:run_phase:apply",
        ),
    ],
)
def test_a_wildcard_that_ends_in_a_literal_part_fits_subjects(issuer, value, ring, witness):
    boxes, reading = ring_reading(issuer, [value])[-2:]
    assert (reading.ring, reading.impossible) == (ring, ())
    assert witness_of(boxes[0].subjects, reading.widest, profile_of(issuer)) == witness


@pytest.mark.parametrize(
    ("value", "ring", "witness"),
    [
        (f"repo:*:{WORKFLOW}", "platform", f"repo:octo-org/octo-repo:{WORKFLOW}"),
        (f"*{WORKFLOW}", "platform", f"repo:octo-org/octo-repo:{WORKFLOW}"),
        (f"repo:acme/*:{WORKFLOW}", "organisation", f"repo:acme/x:{WORKFLOW}"),
        ("repo:acme/shop:*:actor:bob", "repository", "repo:acme/shop:workflow:x:actor:bob"),
        ("*:workflow:*:ref:refs/heads/main", "platform", "repo:octo-org/octo-repo:workflow:x:ref:refs/heads/main"),
        ("*:repository_owner_id:4410001", "organisation", "repo:octo-org/octo-repo:repository_owner_id:4410001"),
        ("*:repository_owner_id:4410001*", "platform", "repo:octo-org/octo-repo:repository_owner_id:4410001x"),
        ("repository_owner:acme:*", "organisation", "repository_owner:acme:workflow:x"),
    ],
)
def test_claims_behind_a_wildcard_are_those_of_a_customised_subject(value, ring, witness):
    boxes, reading = ring_reading(GITHUB, [value])[-2:]
    assert (reading.ring, reading.impossible) == (ring, ())
    assert witness_of(boxes[0].subjects, reading.widest, profile_of(GITHUB)) == witness


@pytest.mark.parametrize(
    ("value", "ring"),
    [
        ("repo:acme/shop:check_run_id:4410001", "repository"),
        ("repo:acme/shop:environment:prod:sha:0a1b2c", "ref"),
        ("repo:acme/shop:ref:refs/heads/main:workflow_sha:0a1b2c", "ref"),
        ("repo:acme/shop:repo_property_team:payments", "repository"),
        ("repository_owner:acme:repo_property_team:payments", "group"),
        ("repo_property_team:payments", "platform"),
        ("repo_property_team:payments:repository_owner:acme", "group"),
        ("repo:*:repo_property_team:payments", "platform"),
        ("repository_owner:acme:repo_property_*", "organisation"),
    ],
)
def test_every_claim_of_a_token_may_stand_in_a_customised_subject(value, ring):
    reading = ring_reading(GITHUB, [value])[-1]
    assert (reading.ring, reading.impossible) == (ring, ())


@pytest.mark.parametrize(
    ("value", "witness"),
    [
        ("*:acme/shop:*", "repo:octo-org/octo-repo:workflow:acme/shop:ref:refs/heads/main"),
        ("repo*:acme/shop:*", "repo:octo-org/octo-repo:workflow:acme/shop:ref:refs/heads/main"),
        ("re*po:acme/shop:*", "repo:octo-org/octo-repo:repo_property_po:acme/shop:ref:refs/heads/main"),
        ("re*po:acme/shop:ref:refs/heads/main", "repo:octo-org/octo-repo:repo_property_po:acme/shop:ref:refs/heads/main"),
        ("*repo:acme/shop:*", "repo:octo-org/octo-repo:repo_property_repo:acme/shop:ref:refs/heads/main"),
        ("*:acme/*", "repo:octo-org/octo-repo:workflow:acme/x"),
        ("repo:acme*/shop:*", "repo:acmex/shop:ref:refs/heads/main"),
        ("repo:ac*me/shop:*", "repo:acxme/shop:ref:refs/heads/main"),
        ("repo:*acme/*", "repo:xacme/x:ref:refs/heads/main"),
    ],
)
def test_what_reaches_other_tenants_is_shown_by_the_subject_of_another_one(value, witness):
    boxes, reading = ring_reading(GITHUB, [value])[-2:]
    assert (reading.ring, reading.widest.by) == ("platform", "crossing")
    assert witness_of(boxes[0].subjects, reading.widest, profile_of(GITHUB)) == witness


def test_the_ref_of_one_pull_request_is_code_that_nobody_reviewed():
    for value in ("repo:acme/shop:ref:refs/pull/7/merge", "repo:acme@1/shop@2:ref:refs/pull/7/merge"):
        reading = ring_reading(GITHUB, [value])[-1]
        assert (reading.ring, reading.widest.by) == ("repository", "unreviewed")


@pytest.mark.parametrize("value", ["*:unheard_of:x", "repo:acme/shop:ref:*:workflow", "repo:acme/shop:*:actor:bob:x"])
def test_what_no_customised_subject_has_behind_a_wildcard_is_impossible(value):
    assert ring_reading(GITHUB, [value])[-1].impossible == (value,)


@pytest.mark.parametrize("value", ["repo:acme" + "?" * 1500 + "op:ref:refs/heads/main", "*x" + "*a?" * 500 + "op:re"])
def test_a_hostile_pattern_has_a_ring_though_it_costs_too_much_to_show_it(value):
    with Work().on("role"):
        boxes, reading = ring_reading(GITHUB, [value])[-2:]
        assert reading.ring == "platform"
        assert witness_of(boxes[0].subjects, reading.widest, profile_of(GITHUB)) != ""
