import json

import pytest

from irsa_doctor import api
from irsa_doctor.answers.missing import MissingInput
from irsa_doctor.answers.who_can import NoSuchRole, OtherPrincipal
from irsa_doctor.governance.settings import Settings
from tests.cli.running import ACCOUNT, ISSUER, PROVIDER, ROLE, put, role, run, trust

ONE = "system:serviceaccount:payments:checkout"


def ask(path, name=None, **settings):
    return api.who_can(name or str(path), [str(path)], settings=Settings(**settings))


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def statement(principal=PROVIDER, condition=None, **more):
    made = {"Effect": "Allow", "Principal": {"Federated": principal}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return made | ({"Condition": condition} if condition else {}) | more


@pytest.fixture
def cluster(tmp_path):
    """One cluster with four service accounts."""
    put(tmp_path / "cluster.json", {"cluster": {"name": "prod", "identity": {"oidc": {"issuer": f"https://{ISSUER}"}}}})
    names = [("payments", "checkout"), ("payments", "default"), ("web", "shop"), ("web-2", "shop")]
    items = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"namespace": namespace, "name": name}}
        for namespace, name in names
    ]
    put(tmp_path / "accounts.json", {"apiVersion": "v1", "kind": "List", "items": items})
    return tmp_path


@pytest.mark.parametrize(
    ("patterns", "scope", "admitted"),
    [
        ((ONE,), "one", ["prod/payments/checkout"]),
        ((ONE, "system:serviceaccount:web:nobody"), "several", ["prod/payments/checkout"]),
        (("system:serviceaccount:payments:*",), "namespace", ["prod/payments/checkout", "prod/payments/default"]),
        (("system:serviceaccount:web*:shop",), "namespaces", ["prod/web-2/shop", "prod/web/shop"]),
        (
            ("*",),
            "cluster",
            ["prod/payments/checkout", "prod/payments/default", "prod/web-2/shop", "prod/web/shop"],
        ),
    ],
)
def test_who_gets_in_of_the_service_accounts_that_were_given(cluster, patterns, scope, admitted):
    condition = {"StringLike": {f"{ISSUER}:sub": list(patterns)}}
    put(cluster / "role.json", role(policy(statement(condition=condition))))
    (grant,) = ask(cluster, ROLE).grants
    assert (grant.subjects.scope, list(grant.service_accounts), grant.known) == (scope, admitted, 4)
    assert (grant.clusters, grant.issuer_kind, grant.why) == (("prod",), "eks", "")


@pytest.mark.parametrize("operator", ["StringNotLike", "StringNotEquals"])
def test_texts_that_are_no_subject_are_nobody(cluster, operator):
    pattern = "system:serviceaccount:*"
    denied = {"Effect": "Deny"} | {
        k: v for k, v in statement(condition={"StringLike": {f"{ISSUER}:sub": pattern}}).items() if k != "Effect"
    }
    open_but = [statement(condition={"StringNotLike": {f"{ISSUER}:sub": pattern}})]
    put(cluster / "role.json", role(policy(*(open_but if operator == "StringNotLike" else [statement(condition={}), denied]))))
    (grant,) = ask(cluster, ROLE).grants
    assert (grant.subjects.scope, grant.subjects.patterns, grant.subjects.without, grant.ring) == ("nobody", (), (), "nobody")


def test_each_provider_has_a_grant_of_its_own(tmp_path):
    other = PROVIDER.replace("0123", "9999", 1)
    file = put(tmp_path / "role.json", role(policy(statement(), statement([other, PROVIDER]))))
    assert [grant.provider for grant in ask(file, "checkout").grants] == sorted([PROVIDER, other])


@pytest.mark.parametrize(
    ("principal", "condition", "scope"),
    [
        (PROVIDER.replace(ACCOUNT, "<account-id>"), {"StringEquals": {f"{ISSUER}:sub": ONE}}, "one"),
        ("arn:aws:iam::111122223333:oidc-provider/${Issuer}", {"StringEquals": {"${Issuer}:sub": ONE}}, "one"),
        ("${Provider}", None, "cluster"),
        ("${Provider}", {"StringEquals": {"${Issuer}:sub": "${Subject}"}}, "unknown"),
        (PROVIDER, {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:${Namespace}:checkout"}}, "unknown"),
    ],
)
def test_what_a_template_leaves_open_is_never_nobody_nor_certain(tmp_path, principal, condition, scope):
    file = put(tmp_path / "policy.json", policy(statement(principal, condition)))
    (grant,) = ask(file).grants
    assert grant.subjects.scope == scope
    assert "only a template knows" in grant.why


def test_what_is_too_complex_is_unknown(tmp_path):
    likes = [f"system:serviceaccount:*a{n}*:*b{n}*x*" for n in range(40)]
    denied = [statement(Effect="Deny", condition={"StringLike": {f"{ISSUER}:sub": f"*{n}*q*z{n}*"}}) for n in range(30)]
    file = put(tmp_path / "policy.json", policy(statement(condition={"StringLike": {f"{ISSUER}:sub": likes}}), *denied))
    (grant,) = ask(file).grants
    assert (grant.subjects.scope, grant.why) == ("unknown", "the policy is too complex to be worked out")


def test_a_trust_policy_that_was_not_given_is_unknown(tmp_path):
    file = put(tmp_path / "roles.json", {"Roles": [{"Arn": ROLE, "RoleName": "checkout"}]})
    answer = ask(file, "checkout")
    assert answer.grants == ()
    how, answered = "aws iam get-role --role-name checkout --output json > role-checkout.json", "role-checkout.json"
    assert answer.unknown == (MissingInput(f"trust policy of {ROLE}", how, "", answered),)


def test_a_contested_point_is_named_only_where_the_answer_hangs_on_it(tmp_path):
    nobody = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRoleWithWebIdentity"}
    narrow = statement(condition={"StringEquals": {f"{ISSUER}:sub": ONE}})
    file = put(tmp_path / "policy.json", policy(narrow, nobody))
    assert [grant.contested for grant in ask(file).grants] == [("P5",)]
    elsewhere = {**nobody, "Condition": {"StringEquals": {f"{ISSUER}:sub": ONE + "x"}}}
    file = put(tmp_path / "policy.json", policy(narrow, elsewhere))
    assert [grant.contested for grant in ask(file).grants] == [()]


def test_principals_that_no_token_of_ours_comes_in_by_are_others(tmp_path):
    elsewhere = PROVIDER.replace(ACCOUNT, "999988887777")
    principals = {
        "AWS": "arn:aws:iam::1:root",
        "Service": ["ec2.amazonaws.com"],
        "Federated": [elsewhere, "accounts.google.com"],
    }
    actions = ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"]
    file = put(tmp_path / "role.json", role(policy(statement(Principal=principals, Action=actions))))
    answer = ask(file, "checkout")
    assert [grant.provider for grant in answer.grants] == ["accounts.google.com"]
    assert answer.others == (
        OtherPrincipal("AWS", "arn:aws:iam::1:root"),
        OtherPrincipal("Federated", elsewhere),
        OtherPrincipal("Service", "ec2.amazonaws.com"),
    )


def test_a_policy_that_iam_refuses_has_its_reason(tmp_path):
    file = put(tmp_path / "policy.json", policy(statement(), statement(Effect="Alow")))
    assert "Effect" in (ask(file).problem or "")


# which role is meant


@pytest.fixture
def roles(tmp_path):
    arns = [
        f"arn:aws:iam::{account}:role/{name}" for account, name in [("1" * 12, "app"), ("2" * 12, "app"), ("1" * 12, "t/Web")]
    ]
    listed = [role(trust(ONE), arn)["Role"] for arn in arns]
    put(tmp_path / "roles.json", {"Roles": listed, "IsTruncated": False})
    put(tmp_path / "policies" / "bare.json", trust(ONE))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (f"arn:aws:iam::{'2' * 12}:role/app", f"arn:aws:iam::{'2' * 12}:role/app"),
        ("t/Web", f"arn:aws:iam::{'1' * 12}:role/t/Web"),
        ("Web", f"arn:aws:iam::{'1' * 12}:role/t/Web"),
        ("web", f"arn:aws:iam::{'1' * 12}:role/t/Web"),
        ("policies/bare.json", "policies/bare.json"),
        ("./policies/bare.json", "policies/bare.json"),
        ("bare.json", "policies/bare.json"),
    ],
)
def test_a_role_is_found_by_arn_name_or_path(roles, monkeypatch, name, found):
    monkeypatch.chdir(roles)
    assert api.who_can(name, ["roles.json", "policies"]).role == found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "app",
            "app: 2 roles have this name; give one of arn:aws:iam::111111111111:role/app, arn:aws:iam::222222222222:role/app",
        ),
        ("t/Wbe", "t/Wbe: no such role in the input. Did you mean arn:aws:iam::111111111111:role/t/Web?"),
        ("entirely else", "arn:aws:iam::111111111111:role/app, arn:aws:iam::111111111111:role/t/Web, "),
    ],
)
def test_a_name_that_is_not_there_or_not_enough_is_met_with_those_that_are(roles, name, said):
    with pytest.raises(NoSuchRole) as error:
        api.who_can(name, [str(roles)])
    assert said in str(error.value)


def test_the_command_exits_2_where_there_is_no_answer(roles):
    for call in (
        ("who-can", "app", "."),
        ("who-can", "no-such", "."),
        ("who-can", "app", "not-there.json"),
        ("who-can", "app"),
    ):
        done = run(*call, cwd=roles)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("irsa-doctor: ")
        assert len(done.stderr.splitlines()) == 1


def test_the_command_takes_a_bare_policy_on_standard_input(tmp_path):
    done = run("who-can", "-", "-", "-f", "json", cwd=tmp_path, stdin=json.dumps(trust(ONE)).encode())
    assert json.loads(done.stdout)["grants"][0]["subjects"]["witness"] == ONE


def test_the_command_takes_what_the_user_says_of_documents(tmp_path):
    file = put(tmp_path / "policy.json", trust(ONE))
    done = run("who-can", "checkout", str(file), "--role", f"{ROLE}={file}", "-f", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["role"] == ROLE


TWO_HOLES = """resource "aws_iam_role" "app" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = var.oidc_provider_arn }
      Condition = { StringEquals = {
        "${var.oidc_provider_url}:sub" = "system:serviceaccount:shop:api"
        "${var.oidc_provider_url}:aud" = "sts.amazonaws.com"
      } }
    }]
  })
}
"""


def test_keys_of_another_hole_than_the_provider_are_presumed_to_be_of_its_issuer(tmp_path):
    (tmp_path / "main.tf").write_text(TWO_HOLES)
    (grant,) = ask(str(tmp_path / "main.tf"), "aws_iam_role.app").grants
    assert (grant.subjects.scope, grant.subjects.patterns) == ("one", ("system:serviceaccount:shop:api",))
    assert "presumed to be of the issuer of ${var.oidc_provider_arn}" in grant.why


def test_keys_of_visibly_another_module_are_not(tmp_path):
    text = TWO_HOLES.replace("var.oidc_provider_arn", "module.blue.arn").replace("var.oidc_provider_url", "module.green.url")
    (tmp_path / "main.tf").write_text(text)
    (grant,) = ask(str(tmp_path / "main.tf"), "aws_iam_role.app").grants
    assert "presumed" not in grant.why


GITHUB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"


def of_github(tmp_path, sub, **settings):
    condition = {
        "StringLike": {"token.actions.githubusercontent.com:sub": sub},
        "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
    }
    file = put(tmp_path / "policy.json", policy(statement(Principal={"Federated": GITHUB}, Condition=condition)))
    return api.who_can(str(file), [str(file)], settings=Settings(**settings))


def test_the_ring_of_an_issuer_has_a_witness_that_shows_it(tmp_path):
    answer = of_github(tmp_path, "repo:acme*")
    (grant,) = answer.grants
    assert (answer.ring, grant.ring, grant.issuer_id, grant.tenants) == ("platform", "platform", "github", ())
    assert grant.subjects.witness.startswith("repo:acme")
    assert not grant.subjects.witness.startswith(("repo:acme/", "repo:acme@"))


@pytest.mark.parametrize(
    ("sub", "whose"),
    [
        ("repo:acme@4410001/shop@1:*", "yours"),
        ("repo:acme@777/shop@1:*", "outsider"),
        (["repo:acme@4410001/shop@1:*", "repo:initech/docs:*"], "mixed"),
        ("repo:*", "unknown"),
    ],
)
def test_settings_say_whose_the_admitted_are(tmp_path, sub, whose):
    (grant,) = of_github(tmp_path, sub, owner={"github": ("acme@4410001",)}).grants
    assert grant.whose == whose


def test_the_keys_of_a_claim_are_listed_with_their_values(tmp_path):
    condition = {"StringEquals": {"token.actions.githubusercontent.com:repository_owner_id": "4410001"}}
    file = put(tmp_path / "policy.json", policy(statement(Principal={"Federated": GITHUB}, Condition=condition)))
    (grant,) = ask(file).grants
    assert (grant.ring, [(claim.key, claim.values) for claim in grant.claims]) == (
        "organisation",
        [("repository_owner_id", ("4410001",))],
    )


@pytest.mark.parametrize("subject", [f"{ROLE}#0", f"prod/payments/checkout -> {ROLE}"])
def test_the_subject_of_a_finding_is_its_role(tmp_path, subject):
    put(tmp_path / "role.json", role(trust(ONE)))
    assert ask(tmp_path, subject).role == ROLE
    with pytest.raises(NoSuchRole):
        ask(tmp_path, f"{ROLE}#x")


def assume(principal, effect="Allow", action="sts:AssumeRole", **condition):
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": action, "Condition": condition}


@pytest.mark.parametrize(
    "statements",
    [
        [assume("444455556666"), assume("arn:aws:iam::444455556666:root", "Deny")],
        [assume("444455556666"), assume("*", "Deny")],
        [assume("444455556666", action="sts:TagSession")],
    ],
    ids=["denied", "all denied", "another action"],
)
def test_a_principal_that_cannot_assume_the_role_is_not_among_the_others(tmp_path, statements):
    put(tmp_path / "role.json", role(policy(*statements)))
    assert ask(tmp_path, ROLE).others == ()


def test_a_principal_that_is_denied_in_some_requests_is(tmp_path):
    at_night = {"DateLessThan": {"aws:CurrentTime": "2030-01-01"}}
    put(tmp_path / "role.json", role(policy(assume("444455556666"), assume("444455556666", "Deny", **at_night))))
    assert ask(tmp_path, ROLE).others == (OtherPrincipal("AWS", "444455556666"),)
