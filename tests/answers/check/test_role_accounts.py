import pytest

from irsa_doctor.answers.check.engine import evaluate
from irsa_doctor.answers.check.role_accounts import AccountsOfRoles
from irsa_doctor.facts import derive
from irsa_doctor.rulebook.rules import shipped_rules
from tests.facts.situations import association
from tests.remedies.offering import PREFIX, conditions, given, statement, whole


def accounts_by_rule(inventory):
    """The service accounts that each finding about a role concerns, by rule."""
    return {finding.rule: finding.role_accounts.accounts for finding in evaluated(inventory).findings}


def evaluated(inventory):
    """All rules about all subjects, with the service accounts of roles."""
    return evaluate(shipped_rules(), derive(inventory), lambda *_: (0, 0, 0, 0, "", 0), accounts_of=AccountsOfRoles(inventory))


def document(**changes):
    return whole(statement(**conditions(**changes)))


def test_a_role_that_lets_in_too_many_names_all_who_use_it():
    accounts = accounts_by_rule(given(document(sub=None), users=("app", "other")))["open-aud-only"]
    assert accounts.ids == ("prod/prod/app", "prod/prod/other")
    assert not accounts.kept_out


def test_a_role_with_a_broken_condition_names_those_whom_it_keeps_out():
    accounts = accounts_by_rule(given(document(sub=f"{PREFIX}prod:ap*"), users=("app", "other")))["trust-stringequals-wildcard"]
    assert accounts.ids == ("prod/prod/app", "prod/prod/other")
    assert accounts.kept_out


def test_whom_another_statement_admits_is_not_kept_out():
    two = whole(statement(**conditions(sub=f"{PREFIX}prod:o*")), statement(**conditions()))
    accounts = accounts_by_rule(given(two, users=("app", "other")))["trust-stringequals-wildcard"]
    assert accounts.ids == ("prod/prod/other",)


@pytest.mark.parametrize("number", [20, 21, 45])
def test_twenty_are_named_and_all_are_counted(number):
    users = [f"app-{n:02}" for n in range(number)]
    accounts = accounts_by_rule(given(document(sub=None), users=users))["open-aud-only"]
    assert accounts.ids == tuple(f"prod/prod/{user}" for user in users[:20])
    assert accounts.count == number


def test_whoever_has_a_pod_identity_association_is_not_kept_out():
    associated = ("associations.json", {"associations": [association()["association"]]})
    inventory = given(document(sub=f"{PREFIX}prod:ap*"), associated, users=("app", "other"))
    assert accounts_by_rule(inventory)["trust-stringequals-wildcard"].ids == ("prod/prod/other",)


def test_nobody_is_named_where_findings_are_not_about_roles():
    outcome = evaluated(given(document(), users=("app", "other")))
    others = [finding for finding in outcome.findings if finding.subject.kind not in ("role", "grant")]
    assert others
    assert not any(finding.service_accounts for finding in others)


def test_nothing_is_worked_out_before_it_is_read():
    inventory = given(document(sub=None))
    findings = evaluated(inventory).findings
    assert "role_users" not in vars(inventory)
    assert any(finding.service_accounts for finding in findings)
    assert "role_users" in vars(inventory)
