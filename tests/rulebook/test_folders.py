from pathlib import Path

import pytest

from irsa_doctor.answers.why.vocabulary import chain_vocabulary
from irsa_doctor.rulebook.folders import Vocabulary, check_files, other_causes, read_folder, read_shipped
from irsa_doctor.rulebook.rules import RuleError

CAUSE = """\
id: my-cause
title: The widget is broken
link: sdk
why: Widgets break.
remedy: Repair the widget.
settle: widgetctl check {pod}
after: [sdk-too-old]
only: [issuer-eks]
signs: {widget-broken: likely}
error: {code: WidgetError, http_status: 400, message: 'widget of {role_arn} at {now}'}
references:
  - {title: Widgets, url: 'https://example.com/widgets'}
"""
MESSAGES = """\
messages:
  - id: my-message
    patterns: ['widget (?P<issuer>[a-z]{1,9}) is broken']
    links: [sdk]
    causes:
      - {id: my-cause, first: {differs: issuer}, unless: {circumstance: role-known}}
      - {id: sdk-too-old, first: {holds: request}}
    examples: [{text: widget a is broken, causes: [my-cause]}]
"""


def words() -> Vocabulary:
    known = chain_vocabulary()
    return Vocabulary(
        links=known.links, signs=frozenset({"widget-broken"}), circumstances=known.circumstances, details=known.details
    )


def folder(tmp_path: Path, cause: str = CAUSE, messages: str = "") -> Path:
    own = tmp_path / "causes"
    own.mkdir()
    if cause:
        (own / "my-cause.yaml").write_text(cause, encoding="utf-8")
    if messages:
        (own / "symptoms.yaml").write_text(messages, encoding="utf-8")
    return tmp_path


def checked(path: Path) -> None:
    files = read_folder(path)
    check_files(files, words(), other_causes(files))


def refusal(path: Path) -> str:
    with pytest.raises(RuleError) as caught:
        checked(path)
    return str(caught.value).removeprefix(str(path / "causes") + "/")


def test_a_cause_is_one_file(tmp_path):
    files = read_folder(folder(tmp_path))
    check_files(files, words(), other_causes(files))
    assert [file.cause.id for file in files.causes] == ["my-cause"]


def test_a_message_is_one_entry(tmp_path):
    files = read_folder(folder(tmp_path, CAUSE, MESSAGES))
    check_files(files, words(), other_causes(files))
    assert [message.id for message in files.messages.messages] == ["my-message"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("link: sdk", "link: sdkk", "3: no link sdkk: issuer, "),
        ("link: sdk\n", "", "1: a cause breaks a link, and a fact none"),
        ("widget-broken:", "widget-brokn:", "9: no sign widget-brokn"),
        ("[issuer-eks]", "[issuer-eksx]", "8: no circumstance issuer-eksx: "),
        ("[sdk-too-old]", "[sdk-too-young]", "7: no cause sdk-too-young"),
        ("[sdk-too-old]", "[my-cause]", "7: comes after itself: my-cause after my-cause"),
        ("{pod}", "{podd}", "6: nothing of a case is called podd"),
        ("{now}", "{noww}", "10: nothing of a case is called noww"),
        ("signs: {widget-broken: likely}\n", "", "1: neither a sign nor a message leads to my-cause"),
        (
            "settle: widgetctl check {pod}\n",
            "",
            "1: settle is missing: the command, or what to compare, that settles whether it is my-cause",
        ),
        ("likely}", "perhaps}", "9: "),
        ("id: my-cause", "id: other-cause", "1: id is other-cause, the file name is my-cause"),
        ("title: The widget is broken", "title: ''", "2: title is empty"),
        ("why: Widgets break.\n", "", "1: why is empty"),
        ("https://", "http://", "12: a reference begins with https://, not http://example.com/widgets"),
        ("remedy:", "remdy:", '5: unknown key remdy. Did you mean "remedy"?'),
        ("link: sdk", "rule: true\nlink: sdk", "3: unknown key rule"),
        (CAUSE, "[]", "1: a cause is a mapping"),
        (CAUSE, "id: [", "2: not valid YAML"),
    ],
)
def test_a_cause_that_could_not_work_is_refused_with_file_line_and_reason(old, new, says, tmp_path):
    assert CAUSE.count(old) == 1
    assert refusal(folder(tmp_path, CAUSE.replace(old, new))).startswith(f"my-cause.yaml:{says}")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("links: [sdk]", "links: [sdkk]", "no link sdkk: issuer, "),
        ("{id: my-cause,", "{id: my-caus,", "no cause my-caus"),
        ("{id: my-cause,", "{id: credentials-cached-15h,", "no cause credentials-cached-15h"),
        ("holds: request", "holds: requests", "no link requests"),
        ("differs: issuer", "differs: nothing", "no group of the patterns is called nothing"),
        ("links: [sdk]", "instead_of: [nothing]\n    links: [sdk]", "no message is called nothing"),
        ("role-known", "role-unknown", "no circumstance role-unknown: "),
        ("[a-z]{1,9}", "[a-z]+", "a repeat without a limit"),
        ("links: [sdk]", "stage: sent\n    links: [sdk]", "no stage sent"),
        ("widget (", "{WIDGET} (", "names has no WIDGET"),
        ("links: [sdk]", "proves: my-caus\n    links: [sdk]", "no cause my-caus"),
        ("links: [sdk]", "proves_where: {same: name}\n    links: [sdk]", "no group of the patterns is called name"),
        ("links: [sdk]", "proves_where: {circumstance: x}\n    links: [sdk]", "no circumstance x"),
        (
            "(?P<issuer>[a-z]{1,9}) is broken']",
            "(?P<issuer>[a-z]{1,9}) (?P<x>is) broken']\n    proves_where: {same: x}",
            "a case has no x",
        ),
    ],
)
def test_a_message_that_could_not_work_is_refused_with_file_line_and_reason(old, new, says, tmp_path):
    assert MESSAGES.count(old) == 1
    said = refusal(folder(tmp_path, CAUSE, MESSAGES.replace(old, new)))
    assert said.startswith("symptoms.yaml:")
    assert says in said


def test_one_id_is_not_both_a_rule_and_a_cause(tmp_path):
    files = read_shipped()
    taken = files.rules[0].rule.id
    text = CAUSE.replace("id: my-cause", f"id: {taken}")
    own = folder(tmp_path, "")
    (own / "causes" / f"{taken}.yaml").write_text(text, encoding="utf-8")
    mine = read_folder(own)
    both = type(files)(files.rules, mine.causes, mine.messages)
    with pytest.raises(RuleError, match=f"the id {taken} is that of"):
        check_files(both, words(), other_causes(both))


def test_causes_in_a_circle_are_refused(tmp_path):
    own = folder(tmp_path, CAUSE.replace("[sdk-too-old]", "[your-cause]"))
    other = CAUSE.replace("id: my-cause", "id: your-cause").replace("[sdk-too-old]", "[my-cause]")
    (own / "causes" / "your-cause.yaml").write_text(other, encoding="utf-8")
    assert "comes after itself: " in refusal(own)


def test_a_link_without_a_cause_is_refused():
    known = chain_vocabulary()
    more = Vocabulary(
        links=(*known.links, "moon-phase"), signs=known.signs, circumstances=known.circumstances, details=known.details
    )
    with pytest.raises(RuleError, match="no cause breaks the link moon-phase"):
        check_files(read_shipped(), more)


def test_what_is_shipped_fits_together():
    check_files(read_shipped(), chain_vocabulary())
