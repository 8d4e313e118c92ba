"""What is offered for a finding, put in its place: held against the plain evaluator of the tests, `who-can` and `check`."""

import json
from itertools import product
from pathlib import Path

import pytest

from irsa_doctor import api
from tests.answers.fix.slipped_estates import (
    ACCOUNT,
    ISSUERS,
    NAMES,
    NAMESPACES,
    PREFIX,
    STS,
    SlippedRole,
    estate,
    policy,
    provider,
    statement,
    written_to,
)
from tests.trust import reference

SUBJECTS = [f"{PREFIX}{place}:{name}" for place, name in product((*NAMESPACES, "ghost", "zz"), (*NAMES, "zz", "cart-old"))]
AUDIENCES = (STS, "zz.example")


def admitted(document, cluster, audience=STS):
    """The subjects of a cluster that a policy admits."""
    issuer = ISSUERS[cluster].lower()
    known = {"aws:securetransport": ["true"], "aws:resourceaccount": [ACCOUNT], "aws:principaltype": ["User"]}
    calls = {
        subject: reference.Call(provider(cluster), {**known, f"{issuer}:sub": [subject], f"{issuer}:aud": [audience]})
        for subject in SUBJECTS
    }
    return {subject for subject, call in calls.items() if reference.decide(document, call) == "allow"}


def offers(folder, settings):
    """(rule, subject, fix) of the findings for which a policy is offered."""
    findings = api.check([str(folder)], settings=settings).findings
    return [(finding.rule, finding.subject, finding.fix) for finding in findings if finding.fix and finding.fix.policy]


def concerns(role, subject):
    return subject.id.partition(" -> ")[2].startswith(role.arn) or subject.id.partition("#")[0] == role.arn


def is_true(role, fix):
    """What is offered admits nobody but those that name the role or stand in its text, of whom each exists, and says so."""
    is_refused = reference_refuses(role.document)
    gained = set()
    for cluster, audience in product(ISSUERS, AUDIENCES):
        before = set() if is_refused else admitted(role.document, cluster, audience)
        after = admitted(fix.policy, cluster, audience)
        users = {subject for where, subject in role.subjects if where == cluster}
        gained |= after - before
        assert after - before <= users, (cluster, audience, after - before)
        assert audience != STS or before & users <= after
    assert set(fix.admits) == gained


def reference_refuses(document):
    statements = document["Statement"]
    return any(s["Effect"] not in ("Allow", "Deny") or any(not _is_saved(o, s) for o in s["Condition"]) for s in statements)


def _is_saved(operator, written):
    """Whether IAM saves a condition: not with an operator in another case, nor a text that is no ARN."""
    return operator.rpartition(":")[2][0].isupper() and not operator.startswith("Arn")


def who_can(folder, settings, role):
    answer = api.who_can(role.arn, [str(folder)], settings=settings)
    grants = {grant.provider: grant for grant in answer.grants}
    return {cluster: grants[provider(cluster)] for cluster in ISSUERS if provider(cluster) in grants}


@pytest.mark.parametrize("seed", range(16))
def test_what_is_offered_is_true_and_removes_its_finding(seed, tmp_path):
    roles = estate(seed)
    settings = written_to(tmp_path, roles)
    found = offers(tmp_path, settings)
    offered = [(role, rule, subject, fix) for rule, subject, fix in found for role in roles if concerns(role, subject)]
    for role, _, _, fix in offered:
        is_true(role, fix)
    for number in range(max([sum(r is role for r, *_ in offered) for role in roles], default=0)):
        chosen = {role.name: [each for each in offered if each[0] is role][number:][:1] for role in roles}
        put = [SlippedRole(r.name, chosen[r.name][0][3].policy if chosen[r.name] else r.document, r.users) for r in roles]
        written_to(tmp_path, put)
        left = {(finding.rule, finding.subject) for finding in api.check([str(tmp_path)], settings=settings).findings}
        for role, rule, subject, fix in (each for listed in chosen.values() for each in listed):
            assert (rule, subject) not in left
            for cluster, grant in who_can(tmp_path, settings, role).items():
                if not grant.depends_on and not any("*" in pattern for pattern in grant.subjects.patterns):
                    is_carried = grant.audiences.any or STS in grant.audiences.values
                    assert admitted(fix.policy, cluster) == (
                        set(grant.subjects.patterns) & set(SUBJECTS) if is_carried else set()
                    )


@pytest.mark.parametrize("seed", range(16))
def test_what_is_written_stays_so(seed, tmp_path):
    roles = estate(100 + seed)
    settings = written_to(tmp_path, roles)
    answer = api.fix([str(tmp_path)], settings=settings)
    assert api.write_fixes(answer.fixing).failed == {}
    assert not api.fix([str(tmp_path)], settings=settings).fixing.after
    found = {(finding.rule, finding.subject) for finding in api.check([str(tmp_path)], settings=settings).findings}
    assert not found & {(fix.rule, fix.subject) for fix in answer.fixing.fixes if fix.applied}


# ---- kinds that went wrong


def first_offers(folder: Path, document, users, *, more=()):
    role = SlippedRole("app", document, users)
    settings = written_to(folder, [role], more)
    return {rule: fix for rule, _, fix in offers(folder, settings)}, settings


def test_nothing_is_offered_that_changes_another_statement_only(tmp_path):
    wrong = statement("green", "shop:cart") | {"Principal": {"AWS": provider("green")}}
    pattern = statement("blue", "pay:web")
    pattern["Condition"] = {"StringLike": pattern["Condition"]["StringEquals"]}
    found, _ = first_offers(tmp_path, policy(pattern, wrong), [("blue", "pay:web"), ("green", "shop:cart")])
    offered = found["trust-principal-type-aws"].policy["Statement"]
    assert offered == [pattern, statement("green", "shop:cart")]


def test_a_principal_that_no_key_belongs_to_is_not_mended_by_another_spelling_of_the_condition(tmp_path):
    document = policy(statement("green", "shop:cart") | {"Principal": {"Federated": [provider("blue"), provider("green")]}})
    document["Statement"][0]["Condition"] = {"StringLike": document["Statement"][0]["Condition"]["StringEquals"]}
    found, _ = first_offers(tmp_path, document, [("green", "shop:cart")])
    assert all(fix.policy["Statement"][0]["Principal"] == {"Federated": [provider("green")]} for fix in found.values())


@pytest.mark.parametrize("change", [{"Action": "sts:AssumeRole"}, {"Principal": {"Federated": provider("blue") + "/"}}])
@pytest.mark.parametrize("subject", ["ghost:cart", "shop:cart-old"])
def test_a_subject_that_no_cluster_has_is_not_let_in(change, subject, tmp_path):
    found, settings = first_offers(tmp_path, policy(statement("blue", subject) | change), [], more=(("blue", "shop:cart"),))
    assert not found
    fixing = api.fix([str(tmp_path)], settings=settings).fixing
    assert not fixing.after
    assert [(fix.safety, "which no cluster has" in fix.because) for fix in fixing.fixes] == [("unsafe", True)]


def test_a_service_account_is_not_let_in_with_the_tokens_of_another_cluster_than_its_keys_name(tmp_path):
    written = statement("blue", "shop:cart")
    written["Principal"] = {"Federated": provider("green").replace("oidc.eks", "eks.oidc")}
    found, settings = first_offers(tmp_path, policy(written), [("blue", "shop:cart")], more=(("green", "shop:cart"),))
    assert not any(admitted(fix.policy, "green") for fix in found.values())
    after = api.fix([str(tmp_path)], settings=settings).fixing.after
    assert not any(b"green" in content for content in after.values())


def test_whom_a_provider_of_another_account_would_admit_is_not_said_to_be_admitted(tmp_path):
    written = statement("blue", "shop:cart")
    written["Principal"] = {"Federated": provider("blue", "444455556666")}
    written["Condition"] = {"stringEquals": written["Condition"]["StringEquals"]}
    found, _ = first_offers(tmp_path, policy(written), [("blue", "shop:cart")])
    assert found["policy-refused"].admits == ()


def test_a_refused_effect_is_not_taken_for_a_deny(tmp_path):
    excluding = statement("blue", "shop:cart") | {"Effect": "Permit"}
    excluding["Condition"] = {"StringNotEquals": excluding["Condition"]["StringEquals"]}
    document = policy(statement("blue", "pay:web"), excluding)
    _, settings = first_offers(tmp_path, document, [("blue", "pay:web")])
    rules = {finding.rule for finding in api.check([str(tmp_path)], settings=settings).findings}
    assert "policy-refused" in rules
    assert "trust-deny-statement" not in rules
    unsafe = api.fix([str(tmp_path)], settings=settings, unsafe=True).fixing
    assert not any(f"{PREFIX}zz:zz" in admitted(c.document, "blue") for c in unsafe.commands if c.document)


def test_edits_that_cause_nothing_are_made_beside_one_that_does(tmp_path):
    """An annotation would lead to a role that another slip closes: it alone waits, until that one is put right."""
    closed = policy(statement("green", "pay:web", "shop-eu:cart"))
    closed["Statement"][0]["Condition"]["StringEquals"][f"{ISSUERS['green']}:aud"] = "https://sts.amazonaws.com"
    other = policy(statement("blue", "shop:cart") | {"Action": "sts:AssumeRole"})
    roles = [SlippedRole("a", closed, [("green", "pay:web")]), SlippedRole("b", other, [("blue", "shop:cart")])]
    settings = written_to(tmp_path, roles, (("green", "shop-eu:cart"),))
    fixing = api.fix([str(tmp_path)], settings=settings, unsafe=True).fixing
    assert api.write_fixes(fixing).failed == {}
    assert not fixing.unfixed
    assert not api.fix([str(tmp_path)], settings=settings, unsafe=True).fixing.after
    assert not api.check([str(tmp_path)], settings=settings).findings


def test_a_bare_policy_is_offered_what_its_role_would_be(tmp_path):
    keys = {f"https://{key}": value for key, value in statement("blue", "shop:cart")["Condition"]["StringEquals"].items()}
    document = policy(statement("blue", "shop:cart") | {"Condition": {"StringEquals": keys}})
    (tmp_path / "trust.json").write_text(json.dumps(document), encoding="utf-8")
    offered = [fix for _, _, fix in offers(tmp_path, api.Settings())]
    assert [fix.policy for fix in offered] == [policy(statement("blue", "shop:cart"))]
