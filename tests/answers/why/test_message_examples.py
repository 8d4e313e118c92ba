import textwrap

import msgspec
import pytest

from irsa_doctor.answers.why.message_examples import count_examples, message_failures
from irsa_doctor.answers.why.symptoms import symptoms_in
from irsa_doctor.rulebook.cause_files import causes_folder
from irsa_doctor.rulebook.message_files import any_space, read_messages
from irsa_doctor.rulebook.messages import shipped_messages
from irsa_doctor.rulebook.rules import RuleError

FILE = read_messages(causes_folder())


def failures(text: str, tmp_path) -> list[tuple[str, str]]:
    (tmp_path / "symptoms.yaml").write_text(text, encoding="utf-8")
    return [(failure.message, failure.says) for failure in message_failures(read_messages(tmp_path), shipped_messages())]


def test_every_example_leads_to_its_causes_whatever_prints_it():
    assert list(message_failures(FILE)) == []
    assert count_examples(FILE) > sum(map(len, FILE.examples.values()))


MINE = """\
wrappers: {log: 'level=error err="{code}: {text}"'}
messages:
  - id: my-message
    patterns: ['widget (?P<name>[a-z]{1,9}) is broken']
    links: [sdk]
    causes: [sdk-too-old, {id: clock-skew, first: {details: {name: '^x$'}}}]
    examples:
      - {text: widget a is broken, code: E1, causes: [sdk-too-old, clock-skew]}
      - {text: widget x is broken, causes: [clock-skew, sdk-too-old]}
"""


def test_messages_of_ones_own_are_read_beside_the_built_in_ones(tmp_path):
    assert failures(MINE, tmp_path) == []


def test_conditions_have_the_names_that_patterns_have(tmp_path):
    named = "names: {KNOWN: '^x$'}\n" + MINE.replace("{name: '^x$'}", "{name: '{KNOWN}'}")
    assert failures(named, tmp_path) == []
    with pytest.raises(RuleError, match="names has no OTHER"):
        failures(named.replace("'{KNOWN}'", "'{OTHER}'"), tmp_path)


def test_words_of_a_person_are_a_group_where_they_are_those_of_others_too(tmp_path):
    told = MINE.replace("widget (?P<name>[a-z]{1,9}) is broken", "(?P<said>widget (?P<name>[a-z]{1,9}) is broken)")
    assert failures(told, tmp_path) == []
    assert ("my-message", "is not recognised") in failures(told.replace("text: widget a is", "text: if widget a is"), tmp_path)
    others = told.replace("    links:", "    others: 'the'\n    links:")
    assert failures(others, tmp_path) == []
    with pytest.raises(RuleError, match="no group of the patterns is called said"):
        failures(MINE.replace("    links:", "    others: 'the'\n    links:"), tmp_path)
    with pytest.raises(RuleError, match="a repeat without a limit"):
        failures("moods: {program: ['a.*']}\n" + MINE, tmp_path)


def test_what_must_be_near_a_message_is_near_it(tmp_path):
    near = MINE.replace("    links:", "    beside: ['gadget (?P<size>big|small)', 'gadget']\n    links:").replace(
        "{name:", "{size:"
    )
    near = (
        near.replace("'^x$'", "big")
        .replace("widget a is", "gadget; widget a is")
        .replace("widget x is broken", "widget a is broken of gadget big")
    )
    assert failures(near, tmp_path) == []
    for far in ("gadget " + "a " * 300, ""):
        wrong = near.replace("gadget; ", far)
        assert ("my-message", "is not recognised") in failures(wrong, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("widget a is broken", "widget is fine", "is not recognised"),
        ("widget a is broken", "Request ARN is invalid", "is read as request-arn"),
        ("causes: [sdk-too-old, clock-skew]}", "causes: [clock-skew]}", "leads to sdk-too-old; expected clock-skew"),
        ("widget x", "widget y", "leads to sdk-too-old, clock-skew; expected clock-skew, sdk-too-old"),
        (
            "{text: widget x is broken, causes: [clock-skew, sdk-too-old]}",
            "{text: widget b is broken, causes: [sdk-too-old]}",
            "no example in which clock-skew is first",
        ),
    ],
)
def test_an_example_that_is_not_what_it_should_be_is_reported(old, new, says, tmp_path):
    assert MINE.count(old) == 1
    assert ("my-message", says) in failures(MINE.replace(old, new), tmp_path)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize("indent", ["", "    "])
def test_a_message_that_a_terminal_has_broken_is_the_same_message(width, indent):
    for message in FILE.messages:
        for example in FILE.examples[message.id]:
            text = f"{example.code}: {example.text}" if example.code else example.text
            whole = [symptom.id for symptom in symptoms_in(text)][:1]
            lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False, subsequent_indent=indent)
            assert [symptom.id for symptom in symptoms_in("\n".join(lines))][:1] == whole, lines


@pytest.mark.parametrize(
    ("pattern", "spaced"),
    [
        ("a b", r"a\s{1,9}+b"),
        (r"a\ b[ c]", r"a\ b[ c]"),
        ("a ?b", r"a\s?b"),
        (r"[^\] ]{1,9} x", r"[^\] ]{1,9}\s{1,9}+x"),
        ("(?:a b|c)", r"(?:a\s{1,9}+b|c)"),
    ],
)
def test_a_space_of_a_pattern_matches_a_line_break(pattern, spaced):
    assert any_space(pattern) == spaced


def test_a_message_needs_no_letter_case():
    text = FILE.examples["request-arn"][0].text
    assert [s.id for s in symptoms_in(text.upper())] == [s.id for s in symptoms_in(text)] == ["request-arn"]


def test_the_shipped_index_is_that_of_the_file():
    index = causes_folder().parent / "irsa_doctor" / "rulebook" / "symptoms_index.json"
    made = msgspec.json.encode({"moods": FILE.moods, "contexts": FILE.contexts, "messages": FILE.messages})
    assert msgspec.json.decode(index.read_bytes()) == msgspec.json.decode(made)


@pytest.mark.parametrize("columns", [80, 100, 132])
def test_an_example_that_a_terminal_broke_between_lines_of_a_log_is_recognised(columns):
    texts = [example.text for examples in FILE.examples.values() for example in examples if "\n" not in example.text]
    for text in texts:
        lines = [text[at : at + columns] for at in range(0, len(text), columns)]
        log = "\n".join(["2026-03-01T07:12:33Z level=info starting", *lines, "2026-03-01T07:12:34Z level=info stopping"])
        assert [found.id for found in symptoms_in(log)][:1] == [found.id for found in symptoms_in(text)][:1], text
    assert len(texts) > 100
