"""The grades of the corpus subvectors (CC0-1.0), where it is installed, beside the rings of the same policies: a policy that is
called dangerous reaches at least a group, one that is called safe at most a ref.

https://pypi.org/project/subvectors/
"""

import json
from pathlib import Path

import pytest

from irsa_doctor import api
from irsa_doctor.trust.openings import RINGS

ACCOUNT = "111122223333"
HOSTS = {
    "github": "token.actions.githubusercontent.com",
    "gitlab": "gitlab.com",
    "terraform-cloud": "app.terraform.io",
    "bitbucket": "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
    "circleci": "oidc.circleci.com/org/2a3b4c5d-1111-2222-3333-444455556666",
}
OPERATORS = {
    "aws-stringequals": "StringEquals",
    "aws-stringlike": "StringLike",
    "aws-stringnotequals": "StringNotEquals",
    "aws-stringnotlike": "StringNotLike",
    "aws-stringequalsignorecase": "StringEqualsIgnoreCase",
}
EXCEPTIONS = {
    "circleci-aws-exact-sub-immutable-safe": "the subject has no ref: every branch of the project is admitted",
    "circleci-aws-ssh-rerun-debug-token-admitted": "of one project; the grade is about sessions for debugging",
    "gh-aws-pull-request-subject": "of one repository; the grade is about code that nobody reviewed",
    "gh-aws-aud-pinned-official-action": "the grade is about the audience alone",
    "gh-aws-aud-default-owner-url-rejected": "the grade is about the audience alone",
    "gh-aws-environment-key-absent-claim-rejected": "the grade is about the environment alone",
    "gh-aws-jwr-condition-key-sha-pin": "the grade is about the code of the workflow, which anybody can call",
    "gh-aws-all-aws-branch-wildcard-example": "of one repository; the grade is about code that nobody reviewed",
    "gh-aws-repo-only-customized-sub-admits-everything": "only where an organisation replaced the form of its subjects",
    "gh-aws-immutable-custom-sub-keeps-the-ids": "only where an organisation replaced the form of its subjects",
    "gh-aws-environment-colon-wildcard-fix-widens": "of one repository; the grade is about a prefix of environments",
    "gh-aws-environment-colon-twin-collides": "of one repository; the grade is about two environments of one spelling",
    "gitlab-aws-ref-type-confusion-wildcard": "of one project; the grade is about a tag with the name of a branch",
    "gitlab-aws-any-branch-no-refprotected": "of one project; the grade is about its branches",
    "gitlab-aws-merge-request-source-branch-admitted": "of one project; the grade is about its branches",
    "gitlab-aws-path-reuse-no-projectid": "of one ref; the grade is about names that are used again",
    "gitlab-aws-all-pipeline-source-gates-mr": "of one project; the grade is about its branches",
    "tfc-aws-run-phase-wildcard-collapses-plan-apply": "of one workspace; the grade is about its phases",
}
"""vectors whose grade is about something else than who gets in"""


def policy_of(vector):
    """The trust policy of a vector, None where it has a condition of another form."""
    condition, host = vector["condition"], HOSTS[vector["issuer"]]
    block = {}
    for part in condition.get("of", [condition]) if condition["consumer"] == "aws-all" else [condition]:
        operator = OPERATORS.get(part["consumer"])
        if operator is None:
            return None
        named = f"{part['qualifier']}:{operator}" if part.get("qualifier") else operator
        block.setdefault(named, {})[f"{host}:{part.get('claim', 'sub')}"] = part["pattern"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": block,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def ring_of(tmp_path, policy):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(policy), encoding="utf-8")
    return api.who_can(str(path), [str(path)]).ring


def test_the_grades_of_the_corpus_agree_with_the_rings_but_for_what_is_listed(tmp_path):
    corpus = pytest.importorskip("subvectors")
    paths = sorted((Path(corpus.__file__).parent / "vectors").glob("*-aws.json"))
    differing = {}
    for vector in (vector for path in paths for vector in json.loads(path.read_text("utf-8"))["vectors"]):
        grade, policy = vector.get("judgment", {}).get("grade"), policy_of(vector)
        if policy is None:
            continue
        at = RINGS.index(ring_of(tmp_path, policy))
        is_safe = grade == "safe" and at <= RINGS.index("ref")
        is_dangerous = grade == "dangerous" and at >= RINGS.index("group")
        if grade in ("safe", "dangerous") and not (is_safe or is_dangerous):
            differing[vector["id"]] = f"{grade}, {RINGS[at]}"
    assert differing.keys() == EXCEPTIONS.keys(), differing
