# Long: whole reports, as people see them
import os
import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsa_doctor.model.findings import (
    AccountList,
    Counts,
    DocumentRow,
    Finding,
    Fix,
    Location,
    Missing,
    Offer,
    Report,
    RoleAccounts,
    Subject,
    Waived,
)
from irsa_doctor.reports import Style
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns
from irsa_doctor.reports.fixes import pasted as pasted_of
from irsa_doctor.reports.presentation import PLAIN, Presentation
from irsa_doctor.reports.text import render_text
from tests.cli.running import run
from tests.reports.saying import HOSTILE, REPORTS, WORLDS, hostile, world

SNAPSHOTS = Path(__file__).parent / "snapshots"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;[^\x1b]*\x1b\\")
CONTROLS = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
ROLE = "arn:aws:iam::111122223333:role/team/app"
READ = DocumentRow("roles.json", "iam-get-role", "read", None, "sha256:0")


def finding(rule="some-rule", severity="high", group=ROLE, kind="role", **more):
    given = {"confidence": "high", "title": "A title", "message": "Something is wrong.", "remedy": "Put it right."} | more
    locations = given.pop("locations", (Location("roles.json", 3, 4, "/a", "this", True, 3, 7, "a: bcd", 3),))
    return Finding(
        rule,
        severity,
        given["confidence"],
        given["title"],
        given["message"],
        Subject(kind, given.get("subject", group)),
        locations,
        given["remedy"],
        {},
        "https://example.com/rule",
        "0" * 32,
        group,
        Offer(lambda: given.get("fix")),
    )


def report(*findings, unknown=(), waived=(), documents=(READ,), **more):
    return Report("0", "sha256:0", Counts(1, 2, 0, 1, 0, 0, 0), findings, tuple(unknown), (), tuple(waived), documents, **more)


def text(*findings, width=80, colour=False, presentation=PLAIN, **more):
    return render_text(report(*findings, **more), Style(colour, width), presentation)


WHOLE = Presentation(fixes=True, unknown=True)


@pytest.mark.parametrize("width", ["80", "120"])
@pytest.mark.parametrize("name", ["shop", "healthy"])
def test_a_world_reads_as_it_did(name, width):
    """UPDATE_SNAPSHOTS=1 writes them again: look at the difference."""
    call = ("check", name, "--no-config", "--complete", "serviceaccounts", "--exit-zero")
    said = run(*call, cwd=WORLDS, COLUMNS=width, PYTHONIOENCODING="utf-8").stdout
    snapshot = SNAPSHOTS / f"{name}-{width}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(said, encoding="utf-8")
    assert said == snapshot.read_text(encoding="utf-8")


# the width


@pytest.mark.parametrize("width", [40, 61, 80, 140])
@pytest.mark.parametrize("presentation", [PLAIN, WHOLE, Presentation(statistics=True), Presentation(quiet=True)])
@pytest.mark.parametrize("name", REPORTS)
def test_no_line_is_wider_than_the_terminal_but_what_can_be_pasted(name, presentation, width):
    made = REPORTS[name]()
    pasted = {for_terminal(line) for f in made.findings for s in pasted_of(f.fix) for line in s.text.splitlines()}
    pasted |= {for_terminal(text) for missing in made.unknown for text in (missing.how, missing.addition)}
    for line in render_text(made, Style(width=width), presentation).splitlines():
        if columns(line) > width:
            assert line.startswith("    ")
            assert line.removeprefix("    ") in pasted


names = st.text(max_size=60) | st.sampled_from(HOSTILE) | st.text("ab/:-. \u4e2d\x1b", min_size=100, max_size=300)
spots = st.builds(
    lambda file, line, column, says, length, source, offset: Location(
        file, line, column, "/a", says, True, line, column + length, source, offset
    ),
    names,
    st.integers(0, 99_999),
    st.integers(1, 9_999),
    names,
    st.integers(0, 300),
    names,
    st.integers(0, 300),
)
found = st.builds(
    lambda rule, severity, kind, said, remedy, places: finding(
        rule, severity, said, kind, message=said, remedy=remedy, locations=tuple(places)
    ),
    names,
    st.sampled_from(["critical", "high", "medium", "low"]),
    st.sampled_from(["role", "policy", "binding", "document", "waiver"]),
    names,
    names,
    st.lists(spots, max_size=3),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(found, max_size=3),
    st.lists(names, max_size=3),
    st.integers(40, 140),
    st.booleans(),
    st.sampled_from([PLAIN, WHOLE, Presentation(statistics=True), Presentation(quiet=True)]),
)
def test_a_report_stays_within_the_width_and_has_no_control_characters(findings, missing, width, drawn, presentation):
    made = report(
        *findings,
        unknown=[Missing(name, "", (name,), 2) for name in missing],
        waived=[Waived(finding(subject=name), name, name, name) for name in missing],
        documents=tuple(DocumentRow(name, "", "unreadable", name, None) for name in missing),
    )
    said = render_text(made, Style(width=width, drawn=drawn), presentation)
    assert not CONTROLS.search(said)
    assert [line for line in said.splitlines() if columns(line) > width] == []


def test_what_can_be_pasted_is_never_broken_and_has_nothing_but_spaces_before_it():
    command = "kubectl annotate serviceaccount " + "-n long " * 40
    lines = text(finding(fix=Fix({"a": 1}))).splitlines()
    assert lines[lines.index("  the corrected trust policy:") + 1 :][:3] == ["    {", '      "a": 1', "    }"]
    assert f"    {command}" in text(finding(fix=Fix(None, (command,)))).splitlines()


# findings


def test_findings_keep_their_order_under_headers_of_what_they_are_about():
    app, web = ROLE, ROLE.replace("app", "web")
    said = text(
        finding("r-one", "critical"), finding("r-two", "critical"), finding("r-three", "high", web), finding("r-four", "low")
    )
    order = ["role team/app in account", "r-one", "r-two", "role team/web in account", "r-three"]
    assert sorted(order, key=said.index) == order
    assert said.index("r-three") < said.rindex("role team/app") < said.index("r-four")
    assert said.count("role team/app") == 2
    assert app not in said


@pytest.mark.parametrize(
    ("group", "kind", "title"),
    [
        (ROLE, "grant", "role team/app in account 111122223333"),
        ("arn:aws:iam::1:oidc-provider/issuer.example/id/A", "provider", "OIDC provider issuer.example/id/A in account 1"),
        ("arn:aws:eks:eu-west-1:1:cluster/prod", "cluster", "cluster prod in account 1"),
        ("prod", "cluster", "cluster prod"),
        ("prod/shop/web", "binding", "service account shop/web in cluster prod"),
        ("prod/shop/web", "workload", "service account shop/web in cluster prod"),
        ("unknown-cluster/shop/web", "service-account", "service account shop/web in an unknown cluster"),
        ("policies/app.json", "policy", "policy policies/app.json"),
        ("k8s/app.yaml", "document", "document k8s/app.yaml"),
        ("irsa-doctor.toml", "waiver", "waivers in irsa-doctor.toml"),
    ],
)
def test_a_header_names_things_as_people_do(group, kind, title):
    assert f"── {title} ──" in text(finding(group=group, kind=kind), width=100)


def test_the_header_has_named_the_file_so_messages_need_not():
    path = "policies/application.json"
    assert "This policy checks x." in text(finding(group=path, kind="policy", message=f"{path} checks x."))
    assert "This policy checks x." in text(finding(group=path, kind="policy", message=f"The trust policy of {path} checks x."))
    assert "  Not valid JSON" in text(finding(group=path, kind="document", message=f"{path}: not valid JSON"))


def test_a_rule_that_is_not_sure_says_so():
    assert "some-rule  (medium confidence)" in text(finding(confidence="medium"))
    assert "confidence" not in text(finding(confidence="high"))


CHANGED = Fix(
    {"a": [1, 2]},
    ("aws iam update-assume-role-policy '{\n  \"a\": [\n  ]\n}'",),
    2,
    ("system:serviceaccount:a:b",),
    ' {\n-  "a": 1\n+  "a": 2\n }',
)


def test_of_a_corrected_policy_the_change_is_shown_and_where_the_whole_is():
    lines = text(finding(fix=CHANGED), width=120).splitlines()
    title = "  the change of the trust policy (2 service accounts keep the role; newly admitted: system:serviceaccount:a:b):"
    start = lines.index(title)
    assert lines[start + 1 : start + 5] == ["      {", '    -   "a": 1', '    +   "a": 2', "      }"]
    assert "Corrected trust policies whole, as commands to paste: --show-fixes" in lines
    assert "update-assume-role-policy" not in "\n".join(lines)


def test_the_whole_command_is_shown_on_request_and_can_be_pasted():
    lines = text(finding(fix=CHANGED), width=120, presentation=WHOLE).splitlines()
    start = lines.index("    aws iam update-assume-role-policy '{")
    assert [line.removeprefix("    ") for line in lines[start : start + 4]] == CHANGED.commands[0].splitlines()
    assert "--show-fixes" not in "\n".join(lines)
    assert '    -   "a": 1' not in lines


def test_a_command_of_one_line_is_always_shown_after_a_change():
    also = Fix({"a": 2}, ("aws iam x '{\n}'", "kubectl rollout restart deploy/a"), diff='+  "a": 2')
    said = text(finding(fix=also))
    assert "    kubectl rollout restart deploy/a\n" in said
    assert "aws iam x" not in said


def test_where_to_read_on_is_the_last_line_of_the_first_finding_of_a_rule():
    said = text(finding("r-a"), finding("r-a", group=ROLE + "2"), finding("r-b", group=ROLE + "3"))
    assert said.count("irsa-doctor explain r-a\n") == said.count("irsa-doctor explain r-b\n") == 1
    lines = said.splitlines()
    assert lines[lines.index("  more: irsa-doctor explain r-a") - 1] == "  fix: Put it right."


def test_a_remedy_and_a_fix_are_written_once_in_a_group_and_again_in_the_next():
    fix = Fix({"whole": "policy"})
    twice = [finding("r-a", fix=fix), finding("r-b", fix=fix)]
    said = text(*twice, finding("r-a", group=ROLE + "2", fix=fix))
    assert said.count("fix: Put it right.") == 2
    assert said.count("fix: as above") == 1
    assert said.count('      "whole": "policy"') == 2
    assert said.count("the corrected trust policy: as above") == 1


def test_the_first_place_is_quoted_the_others_are_one_line_and_none_is_named_twice():
    first = Location("a.yaml", 3, 4, "/a", "this one", True, 3, 7, "a: bcd", 3)
    other = Location("b.yaml", 9, 1, "/b", "that one", False, 9, 3, "xyz", 0)
    lines = text(finding(locations=(first, other, first))).splitlines()
    start = lines.index("  --> a.yaml:3:4")
    assert lines[start : start + 4] == [
        "  --> a.yaml:3:4",
        "  3 │ a: bcd",
        "    │    ^^^ this one",
        "  --> b.yaml:9:1: that one",
    ]
    assert not any("xyz" in line for line in lines)


def test_a_place_does_not_repeat_what_the_message_says():
    made = finding(message="a.json: a comma is missing", locations=(Location("a.json", 3, 4, "", "a comma is missing", True),))
    assert text(made).count("a comma is missing") == 1


def test_every_finding_is_there_and_they_are_counted_by_rule_where_there_are_many():
    many = [finding(f"rule-{n % 3}", "high", f"{ROLE}{n}") for n in range(300)]
    said = text(*many)
    assert said.count("fix: Put it right.") == 300
    assert re.search(r"  100  high      rule-0  A title\n", said)
    assert "By rule" not in text(*many[:20])


# what is not known


def test_nothing_wrong_but_something_unknown_is_as_loud_as_a_finding():
    missing = Missing("client ids of arn:x", "aws iam get-open-id-connect-provider", ("some-rule",), 12)
    said = render_text(report(unknown=[missing]), Style(True, 80), WHOLE)
    plain = ESCAPES.sub("", said)
    assert plain.splitlines()[-1] == "No findings, but incomplete: 1 input missing."
    assert "\x1b[32m" not in said.splitlines()[-1]
    lines = plain.splitlines()
    start = lines.index("missing  client ids of arn:x")
    assert lines[start + 1 : start + 4] == [
        "  needed by some-rule for 12 subjects",
        "  to get it:",
        "    aws iam get-open-id-connect-provider",
    ]


def test_what_is_missing_in_the_same_way_is_told_once_with_every_command():
    missing = [Missing(f"roles of account {n}", f"aws iam --profile {n}", ("some-rule",), 2) for n in (1, 2, 3)]
    said = text(unknown=missing, presentation=WHOLE)
    assert "missing  roles of account 1, 2, 3\n  needed by some-rule for 6 subjects\n" in said
    assert "    aws iam --profile 1\n    aws iam --profile 2\n    aws iam --profile 3\n" in said
    assert "3 inputs missing" in said


def test_a_flag_that_belongs_to_a_command_is_no_part_of_what_is_pasted():
    said = text(unknown=[Missing("pods of prod", "kubectl get pods -A -o yaml", ("some-rule",), 1, "--complete pods")])
    assert "    kubectl get pods -A -o yaml\n  then run check with --complete pods\n" in said


def test_the_file_that_a_command_writes_is_what_the_next_call_reads():
    missing = Missing("pods of prod", "kubectl get pods > pods.yaml", ("some-rule",), 1, "--complete pods", "pods.yaml")
    lines = ["    kubectl get pods > pods.yaml", "  then run check with pods.yaml --complete pods"]
    for presentation in (PLAIN, WHOLE):
        assert "\n".join(lines) in text(unknown=[missing], presentation=presentation)


def test_a_missing_input_that_takes_too_much_of_its_line_keeps_its_name_and_no_end_of_its_reason():
    why = "no answer within the 120 s that --timeout gives"
    names = [f"clusters of account 1111222233{n:02} in eu-west-1: {why}" for n in range(30)]
    line = text(unknown=[Missing(name, "", ("a-rule",), 1) for name in names], width=100).splitlines()[1]
    assert line.startswith("  clusters of account 111122223300 in eu-west-1 (1 rule, 1 subject), ")
    assert "gives" not in line


def test_many_missing_inputs_take_three_lines_the_most_important_first():
    missing = [Missing(f"input {n}", "aws iam x", tuple(f"rule-{rule}" for rule in range(n)), n) for n in range(1, 30)]
    lines = text(unknown=missing, width=100).splitlines()
    assert lines[0].startswith("── Not checked: 29 inputs missing ──")
    assert lines[1].startswith("  input 29 (29 rules, 29 subjects), input 28 (28 rules, 28 subjects)")
    assert re.search(r", and \d+ more$", lines[1])
    assert lines[2] == "  --show-unknown lists them, with the commands that fetch them"
    assert lines[3] == ""
    shown = len(re.findall(r"input \d", lines[1]))
    assert lines[1].endswith(f"and {29 - shown} more")


def test_a_long_name_leaves_room_for_the_next_input():
    missing = [Missing("x" * 300, "", ("a", "b"), 1), Missing("pods of prod", "", ("a",), 1), Missing("more", "", (), 0)]
    line = text(unknown=missing, width=100).splitlines()[1]
    assert "pods of prod (1 rule, 1 subject)" in line
    assert columns(line) <= 100


def test_what_is_no_command_is_not_shown_as_one():
    said = text(unknown=[Missing("pods of prod: forbidden", "allow it", ("some-rule",), 1)])
    assert "  to get it: allow it\n" in said


def test_what_could_not_be_read_is_told_once():
    bad = DocumentRow("broken.json", "", "unreadable", "no JSON", None)
    said = text(documents=(READ, bad))
    assert "Not readable: 1 document" in said
    assert "  broken.json: no JSON" in said
    of_it = finding(group="broken.json", kind="document", locations=(Location("broken.json", 1, 1, "", "no JSON", True),))
    assert "Not readable" not in text(of_it, documents=(READ, bad))
    assert said.splitlines()[-1] == "No findings, but incomplete: 1 document unreadable."
    last = text(of_it, documents=(READ, bad)).splitlines()[-1]
    assert last == "Found 1 high. Incomplete: 1 document unreadable."


def test_a_run_that_read_nothing_finds_nothing_right():
    assert text(documents=()).splitlines()[-1] == "Nothing was checked: no document could be read."


def test_documents_that_hold_nothing_to_judge_are_counted():
    other = DocumentRow("README.md", "", "ignored", None, None)
    assert "Checked 2 roles, 1 provider in 1 document.\n" in text()
    assert "in 1 document; 1 document ignored.\n" in text(documents=(READ, other))


# what was set aside, and the verdict


def test_waived_findings_are_listed_with_owner_and_expiry():
    waived = [Waived(finding(subject=f"role-{n}"), "team@example.com", "known", "2999-01-01") for n in range(9)]
    said = text(waived=waived)
    assert "Waived: 9 findings" in said
    assert "some-rule: role-0, role-1, role-2, role-3, role-4, role-5 and 3 more" in said
    assert "  team@example.com until 2999-01-01: known" in said


def test_the_last_line_counts_everything_that_was_set_aside():
    last = text(finding(), waived=[Waived(finding(), "o", "r", "")], baselined=2, hidden=3, width=140).splitlines()[-1]
    assert last == "Found 1 high. 1 waived, 2 in the baseline, 3 hidden by --min-severity or --min-confidence."


def test_a_report_longer_than_a_screen_begins_with_its_verdict():
    many = text(*[finding(f"rule-{n}") for n in range(9)])
    assert many.splitlines()[0] == many.splitlines()[-1] == "Found 9 high."
    assert text(finding()).splitlines()[0].startswith("── role")


@pytest.mark.parametrize("name", ["shop", "healthy"])
def test_the_verdict_counts_what_is_there(name):
    made = world(name)
    last = " ".join(render_text(made, Style(width=140)).splitlines()[-1:])
    for severity, number in Counter(f.severity for f in made.findings).items():
        assert f"{number} {severity}" in last
    assert f"{len(made.unknown)} input" in last


def test_the_summary_counts_findings_and_roles_of_each_severity_and_what_is_unknown():
    binding = finding("r", "high", "prod/ns/a", "binding", subject=f"prod/ns/a -> {ROLE}")
    missing = [Missing("x", "", ("some-rule",), 1)]
    lines = text(
        finding("a", "critical"), finding("b", "high"), binding, finding("c", "high", ROLE + "2"), unknown=missing
    ).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("── Summary"))
    assert [line.split() for line in lines[start + 1 : start + 5]] == [
        ["findings", "roles"],
        ["critical", "1", "1"],
        ["high", "3", "2"],
        ["unknown", "1", "input", "missing"],
    ]
    assert "Summary" not in text()


def test_statistics_are_the_number_of_findings_of_each_rule_in_place_of_the_findings():
    said = text(finding("a"), finding("a", group=ROLE + "2"), finding("b", "low"), presentation=Presentation(statistics=True))
    assert re.search(r"  2  high      a  A title\n  1  low       b  A title\n", said)
    assert "Something is wrong" not in said
    assert said.splitlines()[-1] == "Found 2 high, 1 low."


def test_a_quiet_report_is_the_findings_and_nothing_else():
    quiet = Presentation(quiet=True)
    missing = [Missing("x", "", ("some-rule",), 1)]
    said = text(finding("a"), unknown=missing, presentation=quiet)
    assert said.splitlines()[-1] == "  more: irsa-doctor explain a"
    assert "Not checked" not in said
    assert text(unknown=missing, presentation=quiet) == ""


# terminals


@pytest.mark.parametrize("presentation", [PLAIN, WHOLE])
@pytest.mark.parametrize("style", [Style(), Style(colour=True), Style(True, 80, links=True)])
def test_no_control_character_of_a_document_reaches_the_terminal(style, presentation):
    said = render_text(hostile(), style, presentation)
    assert not CONTROLS.search(ESCAPES.sub("", said))


def test_colour_changes_nothing_but_colour():
    made = world("shop")
    coloured = render_text(made, Style(colour=True))
    assert ESCAPES.sub("", coloured) == render_text(made, Style())
    assert set(re.findall(r"\x1b\[([0-9;]*)m", coloured)) <= {"0", "1", "2", "31", "32", "33", "35", "36", "1;31", "1;35"}


def test_a_rule_leads_to_its_page_where_a_terminal_can_do_that():
    assert "\x1b]8;;https://example.com/rule\x1b\\" in render_text(report(finding()), Style(True, 80, links=True))
    assert "example.com" not in render_text(report(finding()), Style(True, 80))


def test_an_ascii_terminal_gets_what_it_can_show(tmp_path):
    (tmp_path / "näme.json").write_text('{"Roles": ["ä", {"RoleName": "\\ud800"}]}', encoding="utf-8")
    done = run("check", ".", str(WORLDS / "shop"), cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert done.stdout.isascii()
    assert "-- role shop-cart in account 111122223333 ---" in done.stdout


def test_a_path_that_is_no_utf8_is_shown_by_its_numbers(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff\x1b[31m.json"
    with open(path, "wb") as stream:
        stream.write(b'{"Statement": [{"Principal": oops}]}')
    done = run("check", ".", cwd=tmp_path, PYTHONIOENCODING="utf-8")
    assert done.returncode == 2
    assert r"\u{dcff}\x1b[31m.json" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_a_role_of_a_template_is_called_by_its_address():
    from irsa_doctor.reports.text import _title

    assert _title("infra/main.tf: aws_iam_role.app", "grant") == "role aws_iam_role.app in infra/main.tf"
    assert _title("infra/trust.json", "policy") == "policy infra/trust.json"


def concerning(number, count, kept_out):
    accounts = AccountList(tuple(f"prod/shop/app-{n}" for n in range(number)), count, kept_out)
    return msgspec.structs.replace(finding(), role_accounts=RoleAccounts(lambda: accounts))


def test_a_finding_about_a_role_names_the_first_service_accounts_and_counts_the_others():
    said = text(concerning(20, 45, kept_out=True), width=200)
    listed = ", ".join(f"prod/shop/app-{n}" for n in range(6))
    assert f"  service accounts that cannot assume the role: {listed} and 39 more\n" in said


def test_a_finding_about_an_open_role_names_those_that_name_the_role():
    assert "  service accounts that name the role: prod/shop/app-0\n" in text(concerning(1, 1, kept_out=False))


def test_a_finding_that_concerns_no_service_account_has_no_line_for_it():
    assert "service accounts that" not in text(concerning(0, 0, kept_out=True))
