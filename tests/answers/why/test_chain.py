"""Breaking one thing in the healthy world turns exactly that link red."""

import pytest

from irsa_doctor.answers.why import diagnose
from irsa_doctor.answers.why.links import LINKS
from irsa_doctor.rulebook.causes import shipped_causes
from irsa_doctor.rulebook.files import read_rule_files, rules_folder
from tests.answers.why.worlds import case_of, objects, role

# examples that break something of somebody else than the service account that is asked about, or that only warn
ELSEWHERE = {
    "annotation-drift",
    "aud-annotation-custom",
    "aud-kops-amazonaws",
    "jwks-thumbprint",
    "late-injected-sidecar",
    "oidc-limit-100",
    "oidc-provider-missing",
    "oidc-provider-other-account",
    "oidc-url-dualstack",
    "oidc-url-mismatch",
    "pod-identity-assoc-race",
    "pod-wrong-sa",
    "podid-aud-token-to-sts",
    "podid-agent-blocked",
    "podid-agent-degraded",
    "podid-agent-proxied",
    "podid-association-exists",
    "podid-role-other-account",
    "issuer-subject-format",
    "issuer-subject-impossible",
    "issuer-subject-placeholder",
    "issuer-url-form",
    "podid-association-other-name",
    "podid-hybrid-node",
    "podid-source-no-assume",
    "podid-policy-needs-no-tags",
    "podid-chain-order",
    "podid-tags-condition-never",
    "podid-tagsession",
    "podid-target-external-id",
    "podid-target-trust",
    "podid-token-audience",
    "podid-token-not-mounted",
    "podid-trust-condition",
    "podid-unsupported-node",
    "podid-wins",
    "policy-contested",
    "policy-duplicate-member",
    "sa-helm-generated-name",
    "sa-namespace-mismatch",
    "shared-config-shadow",
    "sub-too-long",
    "token-wrong-file",
    "trust-condition-never-holds",
    "trust-guard-refused",
    "trust-irsa-only-for-pod-identity",
}
# what may be meant so, or may be right all the same: the link is open, and the mode among what it may be
OPEN = {
    "issuer-discovery-incomplete",
    "region-missing",
    "sts-wrong-custom-endpoint",
    "trust-requestedregion",
    "trust-session-name-required",
    "trust-sourceip-vpc",
    "windows-nodeaffinity",
}
# audiences that the trust policy asks for are about that link
IN_THE_POLICY = {
    "a no-break space in the trust policy",
    "the suffix of China in the trust policy",
    "an endpoint in the trust policy",
}
# what `why` calls by a narrower name than `check`
NARROWER = {"no web identity is trusted": "trust-principal-type-aws"}
EXAMPLES = [
    (file.rule, example.name, example.patch)
    for file in read_rule_files(rules_folder())
    if shipped_causes().link_of(file.rule.id)
    and file.rule.id not in ELSEWHERE
    and file.rule.severity != "low"
    and file.rule.family != "clouds"  # see tests/answers/why/test_clouds.py
    for example in file.examples.bad
]
RED = [row for row in EXAMPLES if row[0].id not in OPEN]


def test_there_are_many_ways_to_break_it():
    assert len(EXAMPLES) >= 60


@pytest.mark.parametrize(("rule", "name", "patch"), RED, ids=[f"{rule.id}: {name}" for rule, name, _ in RED])
def test_a_rule_that_fires_turns_its_link_red_and_no_other(rule, name, patch):
    found = diagnose(case_of(patch))
    wanted = "trust-policy" if name in IN_THE_POLICY else shipped_causes().link_of(rule.id)
    assert [link.id for link in found.links if link.verdict == "fail"] == [wanted]
    assert found.verdict == "broken"
    causes = {cause.id: cause.certainty for cause in found.causes}
    assert causes[NARROWER.get(name, rule.id)] in (("certain",) if rule.confidence == "high" else ("certain", "likely"))


@pytest.mark.parametrize(
    ("rule", "patch"),
    [(rule, patch) for rule, _, patch in EXAMPLES if rule.id in OPEN],
    ids=lambda value: getattr(value, "id", ""),
)
def test_a_rule_that_only_doubts_leaves_its_link_open(rule, patch):
    found = diagnose(case_of(patch))
    link = next(link for link in found.links if link.id == shipped_causes().link_of(rule.id))
    assert link.verdict == "unknown"
    assert rule.id in {cause.id for cause in found.causes if cause.certainty != "certain"}


@pytest.mark.parametrize(
    ("patch", "red", "cause", "error"),
    [
        (objects(account=None, pod=None), "service-account", "service-account-missing", None),
        ({"providers": {"prod": None}}, "provider", "oidc-provider-missing", "InvalidIdentityToken"),
        ({"providers": {"prod": {"ClientIDList": ["vault"]}}}, "audience", "aud-not-in-clientids", "InvalidIdentityToken"),
        ({"roles": {"checkout": None}}, "role", "role-missing", "AccessDenied"),
        (role(Condition={"StringEquals": {"$ISSUER:aud": "vault"}}), "trust-policy", "trust-aud-mismatch", "AccessDenied"),
        (role(Effect="Deny"), "trust-policy", "trust-deny-statement", "AccessDenied"),
    ],
)
def test_what_no_example_breaks_is_broken_here(patch, red, cause, error):
    found = diagnose(case_of(patch))
    failed = [link.id for link in found.links if link.verdict == "fail"]
    assert failed[0] == red
    assert found.causes[0].id == cause
    assert (found.predicted_error.code if found.predicted_error else None) == error


def test_a_link_is_judged_after_the_one_on_which_it_depends():
    order = [link.id for link in LINKS]
    assert len(set(order)) == len(order)
    dependent = [link for link in LINKS if link.after]
    assert dependent
    assert all(order.index(link.after) < order.index(link.id) for link in dependent)


def test_a_link_that_holds_lacks_no_input():
    needs = [(link.verdict, need) for link in diagnose(case_of({})).links for need in link.needs]
    assert len(needs) >= 8
    assert not [need for verdict, need in needs if verdict == "pass" and need.missing]
    assert all(need.name and need.command and "{" not in need.command for _, need in needs)


def test_the_healthy_world_works():
    found = diagnose(case_of({}))
    assert (found.verdict, found.causes, found.predicted_error) == ("works", (), None)
    assert [link.id for link in found.links] == [link.id for link in LINKS]


@pytest.mark.parametrize(
    ("patch", "unknown"),
    [
        ({"closed": ["providers", "clusters"], "roles": None}, "role"),
        ({"closed": ["roles"], "providers": None}, "provider"),
        ({"providers": {"prod": {"ClientIDList": None}}}, "audience"),
        (objects(account=None, pod=None) | {"complete": None}, "service-account"),
    ],
)
def test_what_was_not_given_is_unknown_with_the_command_that_tells(patch, unknown):
    found = diagnose(case_of(patch))
    link = next(link for link in found.links if link.id == unknown)
    assert (found.verdict, link.verdict) == ("unknown", "unknown")
    assert link.settle
    assert any(need.missing and need.command == link.settle for need in link.needs)


def test_a_condition_that_may_hold_leaves_it_open():
    patch = role(Condition={"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}})
    found = diagnose(case_of(patch))
    assert found.verdict == "unknown"
    assert any(link.id == "trust-policy" and "aws:SourceIp" in link.because for link in found.links)


def test_a_role_for_users_is_told_as_what_it_is():
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"}
    patch = {"roles": {"checkout": {"AssumeRolePolicyDocument": {"Statement": [statement]}}}}
    assert diagnose(case_of(patch)).causes[0].id == "trust-principal-type-aws"


def test_new_pods_are_part_of_the_fix():
    found = diagnose(case_of(objects(account={"metadata": {"annotations": {"eks.amazonaws.com/role-arn": "checkout"}}})))
    assert any("kubectl delete pod -n payments checkout-0" in command for command in found.causes[0].commands)


def test_wrong_remedies_are_named():
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    patch = {"roles": {"checkout": {"AssumeRolePolicyDocument": {"Statement": [statement]}}}}
    assert any("EC2" in wrong.says for wrong in diagnose(case_of(patch)).wrong_fixes)
