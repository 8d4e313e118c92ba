"""The role of an association needs the permissions for its target role, which account details and single policies show."""

import copy

import pytest

from tests.answers.why import world as w
from tests.answers.why.test_pod_identity import EXTERNAL, ROLE, TARGET_ROLE, pod_identity_world, trust

BOTH = ("sts:AssumeRole", "sts:TagSession")
MANAGED = f"arn:aws:iam::{w.ACCOUNT}:policy/chain"


def policy(*actions, effect="Allow", resource=TARGET_ROLE, **members):
    statement = {"Effect": effect, "Action": list(actions or BOTH), "Resource": resource, **members}
    return {"Version": "2012-10-17", "Statement": [statement]}


DENIES_OTHERS = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}}


def permitted(*inline, attached=(), boundary="", target_trust=None, **association):
    """A right chain of a role and its target whose first role has these policies, and no others."""
    documents = pod_identity_world(
        target_trust=target_trust or trust({"AWS": ROLE}, StringEquals={"sts:ExternalId": EXTERNAL}),
        targetRoleArn=TARGET_ROLE,
        externalId=EXTERNAL,
        **association,
    )
    role = w.role(documents)
    role["RolePolicyList"] = [{"PolicyName": f"p{n}", "PolicyDocument": document} for n, document in enumerate(inline)]
    role["AttachedManagedPolicies"] = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in attached]
    if boundary:
        role["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    return documents


def managed(documents, document):
    versions = [
        {"VersionId": "v1", "IsDefaultVersion": False, "Document": policy(effect="Deny", resource="*")},
        {"VersionId": "v2", "IsDefaultVersion": True, "Document": document},
    ]
    documents["roles.json"]["Policies"] = [{"PolicyName": "chain", "Arn": MANAGED, "PolicyVersionList": versions}]
    return documents


@pytest.mark.parametrize(
    "inline",
    [
        [policy()],
        [policy("sts:AssumeRole"), policy("sts:TagSession")],
        [policy("sts:*", resource="arn:aws:iam::*:role/sh*")],
        [policy(Condition={"StringEquals": {"sts:ExternalId": EXTERNAL}})],
        [policy(Condition={"StringLike": {"aws:RequestTag/kubernetes-namespace": "pay*"}})],
        [policy(), policy(effect="Deny", resource="arn:aws:iam::*:role/admin")],
    ],
)
def test_a_role_with_the_permissions_on_its_target_works(inline):
    found = w.why(permitted(*inline), w.POD)
    assert (found.verdict, w.failed(found), found.causes) == ("works", [], ())


@pytest.mark.parametrize(
    ("inline", "action"),
    [
        ([], "sts:AssumeRole"),
        ([policy("sts:AssumeRole")], "sts:TagSession"),
        ([policy("sts:TagSession")], "sts:AssumeRole"),
        ([policy(resource=TARGET_ROLE + "2")], "sts:AssumeRole"),
        ([policy(resource=TARGET_ROLE.replace(w.OTHER, w.ACCOUNT))], "sts:AssumeRole"),
        ([policy(Condition={"StringEquals": {"sts:ExternalId": "another"}})], "sts:AssumeRole"),
        ([policy(), policy("sts:TagSession", effect="Deny", resource="*")], "sts:TagSession"),
        (
            [policy(), {**policy("s3:*"), "Statement": [{"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}]}],
            "sts:AssumeRole",
        ),
    ],
)
def test_a_role_without_a_permission_on_its_target_breaks_exactly_that_link(inline, action):
    found = w.why(permitted(*inline), w.POD)
    assert (found.verdict, w.failed(found)) == ("broken", ["target-role"])
    assert w.causes(found) == [("podid-source-no-assume", "certain")]
    assert f"{action} on {TARGET_ROLE}" in found.causes[0].because


def test_without_session_tags_only_one_action_is_needed():
    found = w.why(permitted(policy("sts:AssumeRole"), disableSessionTags=True), w.POD)
    assert found.verdict == "works"


def test_the_default_version_of_a_managed_policy_counts():
    assert w.why(managed(permitted(attached=[MANAGED]), policy()), w.POD).verdict == "works"
    assert w.why(managed(permitted(attached=[MANAGED]), policy("s3:*")), w.POD).verdict == "broken"


@pytest.mark.parametrize(
    "documents",
    [
        permitted(policy(), attached=["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
        permitted(policy(), boundary=f"arn:aws:iam::{w.ACCOUNT}:policy/limit"),
        permitted(policy(Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})),
        permitted(policy(), policy(effect="Deny", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
    ],
    ids=["unread policy", "boundary", "condition", "deny under a condition"],
)
def test_what_is_not_known_of_the_permissions_leaves_it_open_with_the_command_for_it(documents):
    found = w.why(documents, w.POD)
    assert (found.verdict, w.failed(found)) == ("unknown", [])
    assert w.causes(found) == [("podid-source-no-assume", "possible")]
    link = next(link for link in found.links if link.id == "target-role")
    assert link.settle.startswith(f"aws iam simulate-principal-policy --policy-source-arn {ROLE}")


def test_a_deny_decides_whatever_else_is_not_known():
    documents = permitted(policy(effect="Deny", resource="*"), attached=["arn:aws:iam::aws:policy/AdministratorAccess"])
    assert w.causes(w.why(documents, w.POD)) == [("podid-source-no-assume", "certain")]


@pytest.mark.parametrize(
    ("principal", "verdict"),
    [(ROLE, "works"), (f"arn:aws:iam::{w.ACCOUNT}:root", "broken"), (w.ACCOUNT, "broken"), ("*", "unknown")],
)
def test_in_one_account_a_trust_that_names_the_role_itself_is_enough(principal, verdict):
    near = TARGET_ROLE.replace(w.OTHER, w.ACCOUNT)
    documents = permitted(target_trust=trust({"AWS": principal}))
    documents["target.json"]["Role"]["Arn"] = near
    documents["association.json"]["association"]["targetRoleArn"] = near
    assert w.why(documents, w.POD).verdict == verdict


def answered(document, role="checkout"):
    documents = permitted()
    for name in ("RolePolicyList", "AttachedManagedPolicies"):
        del w.role(documents)[name]
    documents["policy.json"] = {"RoleName": role, "PolicyName": "chain", "PolicyDocument": document}
    return documents


def test_one_policy_of_a_role_can_only_show_a_denial():
    assert w.why(answered(policy(effect="Deny", resource="*")), w.POD).verdict == "broken"
    allowed = w.why(answered(policy()), w.POD)
    assert allowed.verdict == "unknown"
    assert "its other policies" in next(link.because for link in allowed.links if link.id == "target-role")


def test_a_policy_of_a_name_that_two_roles_have_belongs_to_neither():
    documents = answered(policy(effect="Deny", resource="*"))
    twin = copy.deepcopy(w.role(documents))
    documents["twin.json"] = {"Role": {**twin, "Arn": ROLE.replace(w.ACCOUNT, w.OTHER)}}
    assert w.why(documents, w.POD).verdict == "unknown"
