import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.reports.escape import for_markdown, for_terminal, for_workflow_data, for_workflow_property
from tests.reports.saying import HOSTILE


@given(st.text())
def test_one_line_stays_one_line_without_control_characters(text):
    shown = for_terminal(text)
    assert shown.isprintable() or all(char == " " or char.isprintable() or ord(char) > 0x7F for char in shown)
    assert len(shown.splitlines()) <= 1


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
