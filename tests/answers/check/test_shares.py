"""A large inventory that is judged in several processes gets the same report as in one."""

import json
import pickle
import subprocess
import sys

import msgspec
import pytest

from irsa_doctor import api
from irsa_doctor.answers.check.engine import answers
from irsa_doctor.answers.check.role_accounts import AccountsOfRoles
from irsa_doctor.answers.check.shares import Division, in_shares
from irsa_doctor.api.load import load_files
from irsa_doctor.facts import UNDIVIDED, Share, View, derive
from irsa_doctor.model.processes import shares_of
from irsa_doctor.remedies import Offers
from irsa_doctor.rulebook.rules import shipped_rules
from tests.estate import generate


@pytest.fixture(scope="module")
def estate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("estate")
    generate(folder, 1_500)
    return folder


def judged(folder, *, shares):
    """What the rules say of an estate, one share after the other."""

    view = View(load_files([str(folder)]).inventory)
    offers, accounts = Offers(view), AccountsOfRoles(view)
    rules = shipped_rules()
    said = [
        answers(rules, derive(view, share), lambda *_: (0, 0, 0, 0, "", 0), offers, accounts, view.work) for share in shares
    ]
    first, *others = (pickle.loads(pickle.dumps(each)) for each in said)  # noqa: S301 - our own bytes
    for each in others:
        first.add(each)
    return first.evaluation(rules)


@pytest.mark.parametrize("number", [2, 3, 7])
def test_the_shares_of_an_inventory_are_the_whole_of_it(estate, number):
    whole, divided = judged(estate, shares=[UNDIVIDED]), judged(estate, shares=[Share(each, number) for each in range(number)])
    assert len(whole.findings) > 300
    assert msgspec.structs.asdict(divided) == msgspec.structs.asdict(whole)


def test_the_command_line_reports_what_the_library_does_in_one_process(estate):
    command = [sys.executable, "-P", "-m", "irsa_doctor", "check", "-f", "json", str(estate)]
    printed = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    alone = json.loads(api.render_report(api.check([str(estate)]), "json"))
    assert printed == alone


def test_the_command_line_diagnoses_everything_as_the_library_does_in_one_process(estate):
    command = [sys.executable, "-P", "-m", "irsa_doctor", "why", "--all", "-f", "json", str(estate)]
    printed = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    assert printed == json.loads(api.render_why_all(api.why_all([str(estate)]), "json"))


@pytest.mark.parametrize(("most", "worth", "number"), [(4, 100, 2), (2, 100, 2), (1, 100, 1), (4, 400, 1)])
def test_items_are_shared_where_that_is_worth_it(monkeypatch, most, worth, number):
    monkeypatch.setattr("irsa_doctor.model.processes.processors", lambda: 2)
    items = list(range(501))
    shares = shares_of(items, most, worth)
    assert len(shares) == number
    assert [item for share in shares for item in share] == items
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("processes", [1, 2])
def test_a_lean_report_has_the_same_findings_without_lines_and_cannot_become_a_baseline(estate, processes):
    whole, lean = api.check([str(estate)]), api.check([str(estate)], processes=processes, lean=True)
    assert api.render_report(lean, "json") == api.render_report(whole, "json")
    assert any(place.source for finding in whole.findings for place in finding.locations)
    assert not any(place.source for finding in lean.findings for place in finding.locations)
    with pytest.raises(api.BaselineError, match="lean"):
        api.baseline_of(lean)


def test_what_a_baseline_accepts_is_compared_in_a_lean_report_too(estate, tmp_path):
    baseline = tmp_path / "baseline.json"
    baseline.write_text(api.baseline_of(api.check([str(estate)])))
    settings = msgspec.structs.replace(api.Settings(), baseline=str(baseline))
    lean = api.check([str(estate)], settings=settings, processes=2, lean=True)
    assert not lean.findings
    assert lean.baselined > 300


@pytest.mark.parametrize("told", ["", "caf\u00e9", "a\udc80b", 'password = "Hunter2-Hunter2"'])
def test_findings_rendered_in_several_processes_are_those_of_one(estate, told):
    report = api.check([str(estate)])
    changed = [
        msgspec.structs.replace(finding, message=finding.message + told * (n % 100 == 0))
        for n, finding in enumerate(report.findings * 3)
    ]
    report = msgspec.structs.replace(report, findings=tuple(changed))
    alone = api.render_report(report, "json")
    assert len(changed) > 900
    assert api.render_report(report, "json", processes=2) == alone
    assert "Hunter2" not in alone


def test_a_small_inventory_is_judged_in_one_process(tmp_path):

    generate(tmp_path, 20)
    asked = []

    def evaluated(share):
        asked.append(share)
        return answers([], [], str)

    in_shares(View(load_files([str(tmp_path)]).inventory), evaluated, Division(4))
    assert asked == [UNDIVIDED]


def test_policies_that_cost_more_than_each_may_are_judged_undivided(estate):
    view = View(load_files([str(estate)]).inventory)
    asked = []

    def evaluated(share):
        asked.append(share)
        with view.work.on("dear") as allowance:
            allowance.left -= 100_000
        return answers([], [], str)

    assert in_shares(view, evaluated, Division(2)) is None or asked == [UNDIVIDED]


def test_each_subject_is_in_one_share(estate):
    view = View(load_files([str(estate)]).inventory)
    shares = [Share(each, 3) for each in range(3)]
    named = [account.subject + account.cluster for share in shares for account in share.accounts(view)]
    assert sorted(named) == sorted(account.subject + account.cluster for account in view.inventory.service_accounts)
    assert [role.role.id for share in shares for role in share.roles(view)] == [role.role.id for role in view.roles]
