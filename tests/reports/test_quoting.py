import json

import pytest

from irsa_doctor.model import Place
from irsa_doctor.model.findings import Location
from irsa_doctor.reports import Style
from irsa_doctor.reports.masking import masked_answer
from irsa_doctor.reports.quoting import quoted
from irsa_doctor.sources import load


def spot(source, column, length, offset=None, line=7, more=0):
    start = column - 1 if offset is None else offset
    return Location("a.json", line, column, "/a", "here", True, line + more, column + length, source, start)


def shown(location, width=60, drawn=True, says="here"):
    return list(quoted(masked_answer(location), Style(width=width, drawn=drawn), "", says))


def marked(lines):
    """What stands above the carets."""
    start, end = lines[2].index("^"), lines[2].rindex("^") + 1
    return lines[1][start:end]


def test_the_part_that_is_meant_is_underlined():
    assert shown(spot('    "sub": "x",', 12, 3)) == ["--> a.json:7:12", '7 │ "sub": "x",', "  │        ^^^ here"]
    assert shown(spot('"sub": "x",', 8, 3), drawn=False)[1:] == ['7 | "sub": "x",', "  |        ^^^ here"]


def test_of_a_long_line_the_part_that_is_meant_and_its_name_are_kept():
    before, value, after = '{"' + "a" * 300 + '": 1, "sub": ', '"system:serviceaccount:a:b"', ', "z": ' + "9" * 300
    lines = shown(spot(before + value + after, len(before) + 1, len(value)))
    assert marked(lines) == value
    assert "…" in lines[1][:6]
    assert '"sub": ' in lines[1]
    assert lines[1].endswith("…")


def test_of_a_value_that_is_too_long_both_ends_are_kept():
    value = '"' + "b" * 150 + "the-end" + '"'
    lines = shown(spot('"key": ' + value, 8, len(value)))
    assert marked(lines).startswith('"bbb')
    assert marked(lines).endswith('the-end"')
    assert "…" in marked(lines)


def test_wide_characters_before_the_mark_do_not_move_it():
    lines = shown(spot('"中文": "x"', 7, 3))
    assert lines[2].index("^") == lines[1].index('"x"') + 2


def test_a_tab_is_one_space_and_control_characters_are_numbers():
    lines = shown(spot('"a\x1b":\t"x"', 7, 3))
    assert lines[1] == r'7 │ "a\x1b": "x"'
    assert marked(lines) == '"x"'


def test_of_what_goes_on_for_lines_the_line_where_it_begins_is_marked():
    assert marked(shown(spot('  "Principal": {', 16, 1, more=3))) == '"Principal": {'


@pytest.mark.parametrize(
    "location",
    [
        spot("    {", 5, 1, more=3),
        spot("[", 1, 1),
        spot("", 1, 0),
        spot("a: b", 1, 1, line=0),
        spot('"Doc": "%7B%22Version' + "x" * 200 + '"', 8, 200),
        spot('"Doc": "{\\"Version' + "x" * 200 + '"', 8, 200),
    ],
)
def test_a_line_that_tells_nothing_is_not_quoted(location):
    lines = shown(location)
    assert len(lines) == 1
    assert lines[0].endswith("here")


def test_a_sentence_goes_below_where_there_is_no_room_beside():
    lines = shown(spot('"key": "' + "v" * 40 + '"', 8, 42), says="a sentence for the reader")
    assert len(lines) == 4
    assert lines[3].endswith("a sentence for the reader")
    assert all(len(line) <= 60 for line in lines)


PAD = "x" * 3000


@pytest.mark.parametrize(
    ("name", "content", "pointer", "value"),
    [
        ("minified.json", json.dumps({"Statement": [{"a": PAD, "Principal": "wanted-1", "z": PAD}]}), None, "wanted-1"),
        ("long.yaml", f"Statement: [{{a: {PAD}, Principal: wanted-2, z: {PAD}}}]\n", None, "wanted-2"),
        ("short.json", '{"Statement": [{"Principal": "wanted-3"}]}', None, "wanted-3"),
        (
            "with-secret.yaml",
            "kind: Secret\ndata: {a: b}\n---\nkind: ServiceAccount\nmetadata:\n  name: wanted-4\n",
            "/metadata/name",
            "wanted-4",
        ),
    ],
)
def test_the_mark_is_under_the_value_however_little_of_the_line_was_kept(tmp_path, name, content, pointer, value):
    (tmp_path / name).write_text(content)
    documents = load([str(tmp_path / name)]).documents
    part = 1 if pointer else 0
    span = documents.locate(Place(str(tmp_path / name), pointer or "/Statement/0/Principal", part))
    location = Location(name, span.line, span.column, "", "", True, span.end_line, span.end_column, span.source, span.offset)
    assert marked(shown(location)).strip('"') == value


# what stands beside the mark


@pytest.mark.parametrize("width", [40, 60, 100, 140])
@pytest.mark.parametrize(
    "neighbour",
    [
        '"password": "hunter2", ',
        '"Tags": [{"Key": "password", "Value": "hunter2"}], ',
        "name: DB_PASSWORD, value: hunter2, ",
        '"SecretAccessKey": "hunter2", ',
    ],
)
def test_a_secret_beside_the_mark_is_not_quoted(neighbour, width):
    for before, after in ((neighbour, ""), ("", ", " + neighbour), (neighbour, ", " + neighbour)):
        start = before + '"sub": '
        assert "hunter2" not in "".join(shown(spot(f'{start}"x"{after}', len(start) + 1, 3), width))


def test_of_a_document_in_one_line_only_the_member_with_the_mark_is_quoted():
    before = json.dumps({"Description": "private words", "Condition": {"StringEquals": {}}})[:-3] + '"a:sub": '
    after = ', "a:aud": "other"}}, "Notes": "more private words"}'
    line = shown(spot(before + '"value"' + after, len(before) + 1, 7), 90)[1]
    assert line == '7 │ …"a:sub": "value"…'


@pytest.mark.parametrize(
    ("line", "mark", "quote"),
    [
        ("actions = [first, second]", "second", "actions = [first, second]"),
        ('"arn": "arn:aws:iam::1:role/x"', '"arn:aws:iam::1:role/x"', '"arn": "arn:aws:iam::1:role/x"'),
        ('{"note": "private", "sub": "a,b:c"}', '"a,b:c"', '…"sub": "a,b:c"}'),
        ('{"sub": "a", "note": "private"}', '"a"', '…"sub": "a"…'),
        ('{"note": "x", "sub": ["a", "b"], "z": 1}', '"b"', '…"sub": […"b"…'),
        ('{"note": "x", "sub": ["a", "b"]}', '"a"', '…"sub": ["a"…'),
        ('{"x": {"note": "private"}, "y{": [{"z": 0}], "sub": "a"}', '"a"', '…"sub": "a"}'),
        ('condition { test = "private", variable = "sub" }', '"sub"', '…variable = "sub" }'),
        ("{note: private words, sub: a}", "a}", "…sub: a}"),
        (r'{"note": "{\"password\": \"private\", \"sub\": \"a\"}", "z": 1}', r'"a\"', r"…\"sub\": \"a\"…"),
        (r'private", "x": "private", "sub": ["a"]', '"a"', '…"a"]'),
    ],
)
def test_on_a_line_of_several_members_only_the_enclosing_one_is_quoted(line, mark, quote):
    assert shown(spot(line, line.rindex(mark) + 1, len(mark)), 100)[1] == f"7 │ {quote}"
