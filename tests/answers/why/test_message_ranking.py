"""Which of the causes of a message comes first, and which of two messages counts."""

import json

from irsa_doctor.answers.why import symptoms_in
from tests.answers.why.world import TARGET, why, world


def in_china(documents):
    documents.pop("pod.json")
    text = json.dumps(documents).replace("arn:aws:", "arn:aws-cn:")
    documents.update(json.loads(text.replace("eu-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn")))


def test_keys_that_aws_does_not_know_are_of_another_partition_only_where_the_cluster_is():
    symptoms = symptoms_in("InvalidClientTokenId: The security token included in the request is invalid")
    here, there = (why(documents, TARGET, symptoms=symptoms, failing=True).causes for documents in (world(), world(in_china)))
    assert here[0].id == "static-keys-shadow"
    assert there[0].id == "region-missing"


def test_a_broken_line_does_not_hide_the_message_that_says_more():
    text = "Unable to load AWS credentials from any: [X: You must specify a value for\n| roleArn and roleSessionName]"
    assert symptoms_in(text)[0].id == symptoms_in(text.replace("\n| ", " "))[0].id == "no-variables-of-java"


DENIED = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
GITHUB = "token.actions.githubusercontent.com"


def role_of(condition, name="deploy"):
    principal = {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{GITHUB}"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Role": {"RoleName": name, "Arn": f"arn:aws:iam::111122223333:role/{name}", "AssumeRolePolicyDocument": policy}}


def test_a_message_without_a_service_account_is_about_the_only_role_of_the_input_and_what_is_wrong_with_it():
    literal = {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": "repo:acme/*"}}
    exact = {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": "repo:acme/shop:ref:refs/heads/main"}}
    symptoms = symptoms_in(DENIED)
    wrong = why({"role.json": role_of(literal)}, "", symptoms=symptoms, failing=True)
    assert (wrong.causes[0].id, wrong.causes[0].certainty) == ("trust-stringequals-wildcard", "likely")
    assert why({"role.json": role_of(exact)}, "", symptoms=symptoms, failing=True).causes[0].id == "issuer-subject-context"
    several = {"role.json": role_of(literal), "other.json": role_of(exact, "other")}
    assert why(several, "", symptoms=symptoms, failing=True).causes[0].id == "trust-sub-mismatch"


def test_an_audience_that_is_not_the_usual_one_of_its_issuer_comes_first_where_no_token_shows_it():
    sub = {f"{GITHUB}:sub": "repo:acme/shop:ref:refs/heads/main"}
    symptoms = symptoms_in(DENIED)
    for aud, first in [("sts.amazonaws.com.cn", "trust-aud-mismatch"), ("sts.amazonaws.com", "issuer-subject-context")]:
        role = role_of({"StringEquals": {f"{GITHUB}:aud": aud, **sub}})
        found = why({"role.json": role}, "", symptoms=symptoms, failing=True)
        assert (found.causes[0].id, found.causes[0].certainty) == (first, "likely")
        bare = role["Role"]["AssumeRolePolicyDocument"]
        assert why({"trust.json": bare}, "", symptoms=symptoms, failing=True).causes[0].id == first


def test_an_agent_that_waits_for_eks_auth_is_not_missing():
    agent = 'Get "http://169.254.170.23/v1/credentials": context deadline exceeded'
    own = "operation error EKS Auth: AssumeRoleForPodIdentity, https response error StatusCode: 0, RequestID: , canceled"
    assert symptoms_in(agent)[0].causes[0] == "podid-agent-missing"
    assert [symptom.causes[0] for symptom in symptoms_in(f"{agent}\n{own}")] == ["podid-eks-auth-unreachable"]


def test_what_is_wrong_on_a_link_that_cannot_be_examined_comes_before_what_a_message_fits_in_general():
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "scaler",
            "namespace": "ci",
            "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/deploy"},
        },
    }
    issuer = "oidc.eks.eu-west-1.amazonaws.com/id/5D2A7C1E9B8F4036A1C4E7D20B93F865"
    role = json.dumps(role_of({"StringEquals": {f"{GITHUB}:sub": "system:serviceaccount:*:scaler"}})).replace(GITHUB, issuer)
    documents = {"role.json": json.loads(role), "account.json": account}
    found = why(documents, "ci/scaler", symptoms=symptoms_in(DENIED), failing=True)
    assert found.causes[0].id == "trust-stringequals-wildcard"
