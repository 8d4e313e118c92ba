"""Two defects of one statement: what one hides is fixed after it, and the role admits whom it names and nobody else."""

import json
from itertools import product

import pytest

from irsa_doctor import api
from tests.answers.fix.test_fixes_against_reference import CLUSTER, account, fixed_twice
from tests.cli.running import put
from tests.remedies.test_against_reference import ROLE
from tests.trust.drawing import ACCOUNT, ISSUER, PREFIX

SUBJECT = f"{PREFIX}shop:cart"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
VALUES = {"without its prefix": "shop:cart", "in another case": f"{PREFIX}shop:Cart", "with a wildcard": f"{PREFIX}shop:ca*"}
OPENED = {
    "ForAllValues": ("ForAllValues:StringEquals", True),
    "IfExists": ("StringEqualsIfExists", True),
    "without an audience": ("StringEquals", False),
}


def trust(operator: str, subject: str, *, audience: bool = True) -> dict:
    keys = {f"{ISSUER}:sub": subject} | ({f"{ISSUER}:aud": "sts.amazonaws.com"} if audience else {})
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {operator: keys},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def right() -> dict:
    return trust("StringEquals", SUBJECT)


def changed(**members) -> dict:
    document = right()
    del document["Statement"][0]["Condition"]["StringEquals"][f"{ISSUER}:sub"]
    document["Statement"][0] |= members
    return document


def with_scheme() -> dict:
    document = changed()
    document["Statement"][0]["Condition"] = {"StringEquals": {f"https://{ISSUER}:aud": "sts.amazonaws.com"}}
    return document


SHUT = {
    "the action": changed(Action="sts:AssumeRole"),
    "the principal": changed(Principal={"Federated": f"https://{ISSUER}"}),
    "a key": with_scheme(),
    "the action, and no audience": changed(Action="sts:AssumeRole", Condition={}),
}


@pytest.mark.parametrize("defect", SHUT)
def test_what_keeps_all_tokens_out_is_put_right_in_a_statement_without_a_subject(defect):
    """With the subject of the service account that uses the role: without it the role would be open."""
    after, fixes, again = fixed_twice(SHUT[defect], [SUBJECT], True)
    assert after == right()
    assert all(fix.applied for fix in fixes)
    assert not again


@pytest.mark.parametrize("defect", SHUT)
def test_nothing_is_put_right_in_a_statement_without_a_subject_where_nobody_uses_the_role(defect):
    after, *_ = fixed_twice(SHUT[defect], [], True)
    assert after == SHUT[defect]


@pytest.mark.parametrize(("value", "opened"), [*product(VALUES, OPENED)])
def test_a_wrong_subject_is_put_right_where_the_statement_is_open_otherwise(value, opened, tmp_path, monkeypatch):
    operator, audience = OPENED[opened]
    after, fixes, again = fixed_twice(trust(operator, VALUES[value], audience=audience), [SUBJECT], True)
    assert after == trust("StringEquals", SUBJECT)
    assert all(fix.applied for fix in fixes)
    assert not again
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trust.json").write_text(json.dumps(after), encoding="utf-8")
    (grant,) = api.who_can("trust.json", ["trust.json"]).grants
    assert (grant.subjects.patterns, grant.audiences.values) == ((SUBJECT,), ("sts.amazonaws.com",))


def test_of_two_conditions_that_exclude_each_other_none_goes_where_nobody_uses_the_role(tmp_path, monkeypatch):
    """A key that is never there hides that they do, and the edit for it must not decide which of them was meant."""
    document = trust("StringEquals", SUBJECT)
    condition = document["Statement"][0]["Condition"]
    condition["StringEquals"] |= {"aws:PrincipalOrgID": "o-exampleorgid"}
    condition["StringLike"] = {f"{ISSUER}:sub": f"{PREFIX}billing:*"}
    other = account(SUBJECT)
    other["metadata"]["annotations"] = {key: f"{role}-of-its-own" for key, role in other["metadata"]["annotations"].items()}
    monkeypatch.chdir(tmp_path)
    for name, content in {"trust.json": document, "cluster.json": CLUSTER, "account.json": other}.items():
        (tmp_path / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    settings = api.Settings(roles={ROLE: "trust.json"}, complete=("serviceaccounts",))
    assert not api.fix(["."], settings=settings).fixing.after
    mended, *_ = fixed_twice(document, [SUBJECT], True)
    assert mended == right()


@pytest.mark.parametrize(("users", "complete", "keeps"), [(1, False, True), (2, False, True), (1, True, False)])
def test_whom_the_text_names_keeps_the_role_where_not_all_accounts_are_in_the_input(users, complete, keeps):
    """A value with a wildcard beside names is mended; the account of one of the names may be in another folder."""
    front = f"{PREFIX}web:front"
    document = trust("StringEquals", [SUBJECT, front, f"{PREFIX}web:*"])
    after, *_ = fixed_twice(document, [front, SUBJECT][:users], complete)
    values = after["Statement"][0]["Condition"]["StringEquals"][f"{ISSUER}:sub"]
    assert (SUBJECT in values) is keeps
    assert front in values


@pytest.mark.parametrize("complete", [True, False])
def test_whom_a_deny_excludes_is_not_named_by_the_text(complete):
    """An open role is made one for the accounts of the input only where these are all."""
    document = trust("StringLike", f"{PREFIX}*")
    condition = {"StringEquals": {f"{ISSUER}:sub": SUBJECT, f"{ISSUER}:aud": "example.com"}}
    document["Statement"].append({**document["Statement"][0], "Effect": "Deny", "Condition": condition})
    _, fixes, _ = fixed_twice(document, [SUBJECT], complete)
    assert any(fix.applied for fix in fixes) is complete


@pytest.mark.parametrize("front", ["https://", f"arn:aws:iam::{ACCOUNT}:oidc-provider/", "oidc-provider/", ""])
@pytest.mark.parametrize("value", [SUBJECT, "shop/cart"])
def test_whom_a_misspelt_key_of_another_cluster_names_is_not_named_for_this_one(front, value, tmp_path):
    """The two clusters may have accounts of the same name that are not the same."""
    other = ISSUER.replace(ISSUER[-4:], "0000")
    document = changed(Condition={"StringEquals": {f"{front}{other}:sub": value, f"{ISSUER}:aud": "sts.amazonaws.com"}})
    after, *_ = fixed_twice(document, [], False)
    assert after == document
    put(tmp_path / "trust.json", document)
    findings = api.check([str(tmp_path)]).findings
    assert findings
    assert [finding.rule for finding in findings if finding.fix and finding.fix.admits] == []
