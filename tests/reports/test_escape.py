import html
import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.reports.escape import for_markdown, for_terminal, for_workflow_data, for_workflow_property, without_commands
from tests.reports.saying import HOSTILE


@given(st.text())
def test_one_line_stays_one_line_of_characters_that_are_seen(text):
    shown = for_terminal(text)
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    assert not {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} & {unicodedata.category(char) for char in shown}


@given(st.text(st.characters(categories=["L", "N", "P", "S"], max_codepoint=0x24FF)))
def test_plain_words_of_any_language_are_shown_as_they_are(text):
    kept = "".join(char for char in text if char not in "\u115f\u1160")
    assert for_terminal(kept) == kept


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31mred", r"\x9b31mred"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x90q\x9c", r"\x90q\x9c"),
        ("over\rwritten", r"over\x0dwritten"),
        ("back\x08space", r"back\x08space"),
        ("two\nlines", r"two\x0alines"),
        ("next\x85line", r"next\x85line"),
        ("txt.\u202egnp", r"txt.\u{202e}gnp"),
        ("\u2066isolated\u2069", r"\u{2066}isolated\u{2069}"),
        ("\u061carabic mark", r"\u{61c}arabic mark"),
        ("zero\u200bwidth", r"zero\u{200b}width"),
        ("soft\xadhyphen", r"soft\xadhyphen"),
        ("word\u2060joiner", r"word\u{2060}joiner"),
        ("no\xa0break", r"no\xa0break"),
        ("tag\U000e0041", r"tag\u{e0041}"),
        ("selector\ufe0f", r"selector\u{fe0f}"),
        ("filler\u3164", r"filler\u{3164}"),
        ("private\ue000", r"private\u{e000}"),
        ("raw\udcff", r"raw\u{dcff}"),
        ("name-äöü-名前", "name-äöü-名前"),
    ],
)
def test_what_is_not_seen_or_moves_other_text_is_shown_by_its_number(text, shown):
    assert for_terminal(text) == shown


@given(st.text())
def test_markdown_shows_the_text_itself(text):
    assert html.unescape(for_markdown(text)) == for_terminal(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_has_no_markup_left(text):
    assert not set("<>[]()*_`|#@!\\") & set(for_markdown(text).replace("&#", ""))


@given(st.text())
def test_workflow_commands_are_not_broken_out_of(text):
    assert "\n" not in for_workflow_data(text)
    assert "\r" not in for_workflow_data(text)
    assert not set(":,\r\n") & set(for_workflow_property(text))


COMMANDS = ["##[error]x", "a##vso[task.complete]b", "##teamcity[x]", "##VSO[task.x]y", "section_start:17:x", "section_end:9:"]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_ci_system_finds_a_command_in_a_text(command):
    shown = without_commands(f"x {command} y")
    assert not re.search(r"##(\[|vso\[|teamcity\[)|section_(start|end):\d", shown, re.IGNORECASE)
    assert "\\x" in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_in_json_the_value_of_a_command_stays(command):
    shown = without_commands(json.dumps({"name": command}), is_json=True)
    assert json.loads(shown) == {"name": command}
    assert command not in shown


def test_a_line_that_begins_like_a_workflow_command_is_none():
    assert without_commands("a\n  ::error::x\n::y\nb::c") == "a\n  \\x3a:error::x\n\\x3a:y\nb::c"
    assert without_commands("::error file=a::x", keeps_own=True) == "::error file=a::x"
