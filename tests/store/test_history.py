"""What an audit says of a run and of those before it."""

import json

import pytest

from irsa_doctor import api
from tests.cli.running import put, run
from tests.store.runs import ACCOUNT, OPEN, RIGHT, audited, details, named

RULE = "open-aud-only"
WAIVER = """
[[waivers]]
rule = "open-aud-only"
subject = "*app#0"
owner = "platform"
reason = "until the move"
accepted-by = "head of platform"
expires = 2026-01-31
severity = "critical"
"""


def changes(run: api.AuditRun) -> dict[str, int]:
    """The changes of a run that are there."""
    return {change: count for change, count in run.answer["changes"].items() if count}


def of_rule(run: api.AuditRun) -> list[dict]:
    return [finding for finding in run.answer["findings"] if finding["rule"] == RULE]


def test_a_finding_is_new_then_stays_then_is_fixed_then_comes_back(tmp_path):
    first = audited(tmp_path, named("app", OPEN))
    assert "new" in changes(first)
    assert [f["first_seen"] for f in of_rule(first)] == [1]
    assert changes(audited(tmp_path, named("app", OPEN), day=1)) == {}
    mended = audited(tmp_path, named("app", RIGHT), day=2)
    assert changes(mended)["fixed"] >= 1
    assert of_rule(mended) == []
    again = audited(tmp_path, named("app", OPEN), day=3)
    assert changes(again)["reopened"] >= 1
    assert [(f["first_seen"], f["last_seen"]) for f in of_rule(again)] == [(1, 4)]


def test_a_role_that_is_not_there_any_more_is_gone(tmp_path):
    audited(tmp_path, named("app", OPEN), named("other", RIGHT))
    after = audited(tmp_path, named("other", RIGHT), day=1)
    assert set(changes(after)) == {"gone"}


def test_what_could_not_be_read_is_not_mended(tmp_path):
    audited(tmp_path, named("app", OPEN), named("other", RIGHT))
    unseen = audited(tmp_path, named("other", RIGHT), day=1, truncated=True)
    assert set(changes(unseen)) == {"unseen"}
    assert changes(audited(tmp_path, named("other", RIGHT), day=2, truncated=True)) == {}
    back = audited(tmp_path, named("app", OPEN), named("other", RIGHT), day=3)
    assert set(changes(back)) == {"seen-again"}
    assert {f["first_seen"] for f in of_rule(back)} == {1}


def test_a_waiver_sets_a_finding_aside_until_it_ends(tmp_path):
    audited(tmp_path, named("app", OPEN))
    waived = audited(tmp_path, named("app", OPEN), day=1, settings=WAIVER)
    assert changes(waived)["waived"] == 1
    (entry,) = [w for w in waived.answer["waived"] if w["rule"] == RULE]
    assert (entry["owner"], entry["accepted_by"], entry["expires"]) == ("platform", "head of platform", "2026-01-31")
    ended = audited(tmp_path, named("app", OPEN), day=60, settings=WAIVER)
    assert changes(ended)["expired"] == 1
    assert changes(audited(tmp_path, named("app", OPEN), day=1, settings=WAIVER))["waived"] == 1
    assert changes(audited(tmp_path, named("app", OPEN), day=2))["unwaived"] == 1


def test_a_rule_that_is_not_asked_any_more_mends_nothing(tmp_path):
    audited(tmp_path, named("app", OPEN))
    after = audited(tmp_path, named("app", OPEN), day=1, settings=f'ignore = ["{RULE}"]\n')
    assert changes(after)["rule-gone"] == 1
    assert "fixed" not in changes(after)


def test_a_run_is_shown_as_it_was_told(tmp_path):
    told = audited(tmp_path, named("app", OPEN)).answer
    audited(tmp_path, named("app", RIGHT), day=1)
    assert api.audit_show(1, store=str(tmp_path / "audit.db")).answer == told


def test_a_run_that_is_not_kept_leaves_nothing(tmp_path):
    from irsa_doctor.api import audit
    from tests.cli.running import put
    from tests.store.runs import details

    put(tmp_path / "input" / "roles.json", details(named("app", OPEN)))
    run = audit([str(tmp_path / "input")], store=None)
    assert run.answer["findings"]
    assert not (tmp_path / "audit.db").exists()


def test_history_lists_the_runs_and_the_chain_of_their_hashes(tmp_path):
    for day in range(3):
        audited(tmp_path, named("app", OPEN), day=day)
    runs = [header for header, _ in api.audit_history(store=str(tmp_path / "audit.db"))]
    assert [run.id for run in runs] == [1, 2, 3]
    assert [run.previous for run in runs] == [None, runs[0].hash, runs[1].hash]
    assert len(api.audit_history(store=str(tmp_path / "audit.db"), limit=2)) == 2


@pytest.mark.parametrize("run", [0, 9])
def test_a_run_that_is_not_there_is_named_with_those_that_are(tmp_path, run):
    audited(tmp_path, named("app", OPEN))
    with pytest.raises(api.StoreError, match=f"no run {run}; the last ones are 1"):
        api.audit_show(run, store=str(tmp_path / "audit.db"))


def of_command(*arguments, folder):
    """What a command says about the store of a folder."""
    return run("audit", *arguments, "--store", "audit.db", cwd=folder)


def test_findings_are_told_with_their_account(tmp_path):
    audited(tmp_path, named("app", OPEN))
    assert f"critical {RULE} in {ACCOUNT}: " in of_command("show", "1", folder=tmp_path).stdout


def test_the_first_run_has_no_run_before(tmp_path):
    for day in range(2):
        audited(tmp_path, named("app", OPEN), day=day)
    texts = [of_command("show", number, folder=tmp_path).stdout for number in "12"]
    assert "In the first run: 1 new." in texts[0]
    assert "Since the run before: nothing has changed." in texts[1]


def test_history_has_the_findings_of_each_run(tmp_path):
    audited(tmp_path, named("app", OPEN))
    audited(tmp_path, named("app", RIGHT), day=1)
    text = of_command("history", folder=tmp_path).stdout
    assert "open findings: 1 critical" in text
    assert "open findings: none" in text
    runs = json.loads(of_command("history", "-f", "json", folder=tmp_path).stdout)["runs"]
    assert [each["summary"]["findings"]["critical"] for each in runs] == [1, 0]


def test_changes_since_a_run_are_told_when_its_details_were_pruned(tmp_path):
    for day, policy in enumerate((OPEN, RIGHT, OPEN)):
        audited(tmp_path, named("app", policy), day=day)
    done = of_command("changes", "--since", "1", folder=tmp_path)
    assert of_command("prune", "--keep", "1h", folder=tmp_path).stdout == "Removed the details of 2 runs.\n"
    after = of_command("changes", "--since", "1", folder=tmp_path)
    assert (after.stdout, after.returncode) == (done.stdout, 1)
    refused = of_command("show", "1", folder=tmp_path)
    assert (refused.returncode, refused.stderr) == (
        2,
        "irsa-doctor: the details of run 1 were pruned: its findings are not in the store\n",
    )


def test_the_head_that_is_printed_is_taken_as_it_is(tmp_path):
    put(tmp_path / "input" / "roles.json", details(named("app", OPEN)))
    for _ in range(2):
        of_command("run", "input", "--head-file", "heads.txt", folder=tmp_path)
    lines = (tmp_path / "heads.txt").read_text().splitlines()
    printed = of_command("verify", folder=tmp_path).stdout.splitlines()[-1].removeprefix("Head: ")
    for head in (*lines, printed, f" {printed}\n"):
        assert of_command("verify", "--head", head, folder=tmp_path).returncode == 0
    assert lines[-1].endswith(printed)
    other = of_command("verify", "--head", f"{printed[:-1]}", folder=tmp_path)
    assert other.returncode == 1
    assert other.stdout.startswith("store no run has the hash")
