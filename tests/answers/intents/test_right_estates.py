"""`infer`, then `generate`, then `who-can`: of an estate in which everything is right, the same roles admit the same."""

import json

from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor import api
from irsa_doctor.answers.intents.dialects import INTENT_FORMATS, Choices
from irsa_doctor.answers.who_can import find_role, who_can
from irsa_doctor.facts import View
from irsa_doctor.sources import load
from tests.trust.drawing import examples

ACCOUNTS = ("111122223333", "222233334444")
READ = [name for name, row in INTENT_FORMATS.items() if row.is_read]
CLUSTERS = {
    "blue": "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64",
    "green": "oidc.eks.eu-west-1.amazonaws.com/id/4D0E3A5B9C1F4E7788A2B6D5C3F19E02",
    "metal": "oidc.example.net/metal",
}
AUDIENCES = ("sts.amazonaws.com", "vault.example.net")
PREFIX = "system:serviceaccount:"


def equals(issuer, subjects, audience):
    return {"StringEquals": {f"{issuer}:aud": audience, f"{issuer}:sub": subjects[0] if len(subjects) == 1 else subjects}}


def like(issuer, subjects, audience):
    return {"StringLike": {f"{issuer}:sub": subjects}, "StringEquals": {f"{issuer}:aud": [audience]}}


def both(issuer, subjects, audience):
    """A pattern, and beside it the list of those who are meant."""
    return {"StringLike": {f"{issuer}:sub": f"{PREFIX}*"}, **equals(issuer, subjects, audience)}


def for_any(issuer, subjects, audience):
    return {"ForAnyValue:StringEquals": {f"{issuer}:aud": [audience]}, "StringEquals": {f"{issuer.upper()}:SUB": subjects}}


CONDITIONS = st.sampled_from([equals, like, both, for_any])


def statement(account, issuer, condition, effect="Allow"):
    provider = f"arn:aws:iam::{account}:oidc-provider/{issuer}"
    return {
        "Effect": effect,
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }


@st.composite
def right_estates(draw):
    """Documents of accounts and clusters: each service account that names a role is admitted, and nobody else is.

    Policies are written in several forms, some with statements for nobody, and some roles are not of pods at all.
    """
    users = {}
    for place in draw(st.lists(st.tuples(*map(st.sampled_from, (sorted(CLUSTERS), ("shop", "kube-system"), ("a", "b.c")))))):
        users[place] = (draw(st.integers(0, 3)), draw(st.sampled_from(AUDIENCES)))
    roles = []
    for number in range(draw(st.integers(1, 4))):
        account, path = draw(st.sampled_from(ACCOUNTS)), draw(st.sampled_from(("", "team/", "a/b/")))
        arn = f"arn:aws:iam::{account}:role/{path}Role_{number}"
        statements = [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
            for _ in range(not any(role == number for role, _ in users.values()))
        ]
        groups = {}
        for (cluster, namespace, name), (role, audience) in users.items():
            if role == number:
                split = draw(st.booleans()) and name
                groups.setdefault((CLUSTERS[cluster], audience, split), []).append(f"{PREFIX}{namespace}:{name}")
        for (issuer, audience, _), subjects in groups.items():
            statements.append(statement(account, issuer, draw(CONDITIONS)(issuer, subjects, audience)))
            if draw(st.booleans()):
                nobody = draw(CONDITIONS)(issuer, [f"{PREFIX}gone:gone"], audience)
                statements += [statement(account, issuer, nobody), statement(account, issuer, nobody, "Deny")]
        roles.append({"RoleName": f"Role_{number}", "Arn": arn, "AssumeRolePolicyDocument": {"Statement": statements}})
        roles[-1]["AssumeRolePolicyDocument"]["Version"] = "2012-10-17"
    arns = [role["Arn"] for role in roles]
    documents = {"roles.json": {"RoleDetailList": roles, "IsTruncated": False}}
    for cluster, issuer in CLUSTERS.items():
        arn = f"arn:aws:eks:eu-west-1:{ACCOUNTS[0]}:cluster/{cluster}"
        described = {"name": cluster, "arn": arn, "identity": {"oidc": {"issuer": f"https://{issuer}"}}}
        documents[f"{cluster}/cluster.json"] = {"cluster": described}
        items = [
            account_of(namespace, name, arns[role], audience)
            for (place, namespace, name), (role, audience) in users.items()
            if place == cluster and role < len(arns)
        ]
        documents[f"{cluster}/accounts.json"] = {"apiVersion": "v1", "kind": "List", "items": items}
    return {path: json.dumps(document).encode() for path, document in documents.items()}


def account_of(namespace, name, role, audience):
    annotations = {"eks.amazonaws.com/role-arn": role}
    if audience != AUDIENCES[0]:
        annotations["eks.amazonaws.com/audience"] = audience
    metadata = {"name": name, "namespace": namespace, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def admitted_by(view, name):
    """(provider, subject, audience) of all whom a role admits."""
    return {
        (grant.provider, pattern, audience)
        for grant in who_can(view, find_role(view, name)).grants
        for pattern in grant.subjects.patterns
        for audience in grant.audiences.values
    }


def read(documents):
    return View(load((), memory=documents, complete=("serviceaccounts",)).inventory)


@examples(40)
@given(right_estates())
def test_what_is_inferred_of_a_right_estate_is_generated_as_it_was(tmp_path_factory, documents):
    folder = tmp_path_factory.mktemp("estate")
    for path, content in documents.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    view = read(documents)
    before = {role.role.arn: pairs for role in view.roles if (pairs := admitted_by(view, role.role.arn))}
    inference = api.infer([str(folder)], settings=api.Settings(complete=("serviceaccounts",)))
    assert inference.questions == ()
    intent = folder / "intent.yaml"
    intent.write_text(inference.text)
    assert inference.intent["roles"].keys() == before.keys()
    for dialect in READ if before else ():
        made = api.generate(str(intent), formats=[dialect])
        again = read({file.path: file.text.encode() for file in made.files})
        writing = INTENT_FORMATS[dialect].write(made.plan, Choices())
        assert {arn: admitted_by(again, writing.addresses.get(arn, arn)) for arn in before} == before
