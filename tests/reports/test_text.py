import os
import re
from pathlib import Path

import pytest

from irsa_doctor.reports import Style
from irsa_doctor.reports.text import render_text
from tests.cli.running import run
from tests.reports.saying import REPORTS, WORLDS, hostile, world

SNAPSHOTS = Path(__file__).parent / "snapshots"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", ["80", "120"])
@pytest.mark.parametrize("name", ["shop", "healthy"])
def test_a_world_reads_as_it_did(name, width):
    """UPDATE_SNAPSHOTS=1 writes them again: look at the difference."""
    call = ("check", name, "--no-config", "--complete", "serviceaccounts", "--exit-zero")
    text = run(*call, cwd=WORLDS, COLUMNS=width).stdout
    snapshot = SNAPSHOTS / f"{name}-{width}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(text, encoding="utf-8")
    assert text == snapshot.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 61, 80, 140])
@pytest.mark.parametrize("name", REPORTS)
def test_no_line_is_wider_than_the_terminal_but_what_can_be_pasted_and_names_that_are(name, width):
    report = REPORTS[name]()
    for line in render_text(report, Style(width=width)).splitlines():
        if len(line) > width:
            is_pasted = line.startswith((" " * 8, "    get it"))
            is_name = line.startswith(("role ", "policy ", "    -->")) or max(map(len, line.split())) > width - 30
            assert is_pasted or is_name, line


@pytest.mark.parametrize("colour", [False, True])
def test_no_control_character_of_a_document_reaches_the_terminal(colour):
    text = render_text(hostile(), Style(colour=colour))
    plain = ESCAPES.sub("", text) if colour else text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b\ufeff\ud800-\udfff]", plain)


def test_colour_changes_nothing_but_colour():
    report = world("shop")
    assert ESCAPES.sub("", render_text(report, Style(colour=True))) == render_text(report, Style())
    assert ESCAPES.search(render_text(report, Style(colour=True)))


def test_a_remedy_is_told_once_and_every_finding_is_there():
    report = world("shop")
    text = render_text(report, Style(width=140))
    for finding in report.findings:
        assert finding.rule in text
    assert text.count("fix ") >= len({finding.rule for finding in report.findings})


def test_the_last_line_counts_everything_that_was_set_aside():
    last = render_text(hostile(), Style()).splitlines()[-1]
    for part in ("critical", "not given", "waived", "2 known before", "3 hidden"):
        assert part in last


def test_what_could_not_be_read_or_judged_is_said_though_nothing_is_wrong():
    report = world("healthy")
    text = render_text(report, Style())
    assert "nothing wrong" in text
    for missing in report.unknown:
        assert missing.missing.split()[0] in text


def test_an_ascii_terminal_gets_what_it_can_show(tmp_path):
    (tmp_path / "näme.json").write_text('{"Roles": ["ä", {"RoleName": "\\ud800"}]}', encoding="utf-8")
    done = run("check", ".", cwd=tmp_path, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr
