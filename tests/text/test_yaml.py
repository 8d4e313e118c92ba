import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.text.errors import TextError
from irsa_doctor.text.yaml import compose, read_yaml
from irsa_doctor.text.yaml_errors import REASONS, yaml_error_reason

# without digits: YAML 1.2 has more numbers than PyYAML, which writes this, puts in quotes
keys = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126, exclude_categories=["Nd"]), max_size=6)
# below these, everything is text
keys = keys.filter(lambda key: key not in ("annotations", "labels"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | keys,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=15,
)


def value_of(text: str) -> object:
    documents = read_yaml(text.encode())
    assert isinstance(documents, list), documents
    return documents[0].value


def text_error_of(text: bytes) -> TextError:
    result = read_yaml(text)
    assert isinstance(result, TextError)
    return result


@given(st.dictionaries(keys, values, max_size=4))
def test_json_is_yaml_and_means_the_same(value):
    import yaml

    assert value_of(yaml.safe_dump(value)) == value
    assert value_of(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2012-10-17", "2012-10-17"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("~", None),
        ("", None),
        ("''", ""),
        ("012345678901", "012345678901"),
        ("12", 12),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("1.5", 1.5),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("0x1F", "0x1F"),
        ("12:30:45", "12:30:45"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_are_text_unless_they_are_null_truth_or_number(written, meant):
    assert value_of(f"a: {written}") == {"a": meant}


@pytest.mark.parametrize("written", ["null", "~", ""])
def test_null_is_no_text_below_annotations_unless_it_is_quoted(written):
    text = f"metadata: {{annotations: {{a: {written}, b: '{written}'}}, x: &x y}}"
    assert value_of(text) == value_of(text.replace("&x ", ""))
    assert value_of(text)["metadata"]["annotations"] == {"a": None, "b": written}


@pytest.mark.parametrize("anchor", ["", "&a "])
def test_a_function_as_the_name_of_a_member_is_refused_as_cloudformation_does(anchor):
    error = text_error_of(f"a: {anchor}1\nb:\n  !Sub '${{Issuer}}:sub': x\n".encode())
    assert (error.line, error.why) == (3, "CloudFormation refuses Fn::Sub in the name of a member, which has to be text")


def test_annotations_and_labels_are_text_as_written():
    read = value_of("metadata: {annotations: {a: 86400, b: yes, c: 0600, d: true, e: 1.50}, labels: {f: 1}}")
    assert read == {
        "metadata": {"annotations": {"a": "86400", "b": "yes", "c": "0600", "d": "true", "e": "1.50"}, "labels": {"f": "1"}}
    }


def test_merge_keys_give_what_the_object_does_not_say_itself():
    assert value_of("a: &a {x: 1, y: 1}\nb: {<<: *a, y: 2}")["b"] == {"x": 1, "y": 2}
    assert value_of("a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc: {<<: [*a, *b]}")["c"] == {"x": 1, "z": 3}


def test_members_given_twice_are_reported_with_both_places():
    documents = read_yaml(b"a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert isinstance(documents, list)
    assert [(item.pointer, item.first, item.second) for item in documents[0].duplicates] == [
        ("/b/c", (3, 3), (4, 3)),
        ("/a", (1, 1), (5, 1)),
    ]


def test_every_document_of_a_stream_keeps_its_number():
    documents = read_yaml(b"---\n---\na: 1\n---\n# nothing\n---\nb: 2\n")
    assert isinstance(documents, list)
    assert [document.value for document in documents] == [None, {"a": 1}, None, {"b": 2}]


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b"a: " + b"{a: " * 100_000,
        b"- " * 100_000,
        b"? " * 100_000,
        b"\n".join(b" " * level + b"a:" for level in range(2000)),
    ],
)
def test_documents_of_endless_depth_are_refused_at_once(text):
    started = time.process_time()
    assert "levels deep" in text_error_of(text).why
    assert time.process_time() - started < 5


def test_deep_looking_documents_that_are_not_are_read():
    assert value_of("a: '" + "[" * 500 + "'") == {"a": "[" * 500}
    assert value_of("# " + "-" * 500 + "\na: 1") == {"a": 1}


def test_aliases_that_multiply_are_refused():
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    assert "aliases" in text_error_of("\n".join(lines).encode()).why


def test_an_anchor_that_is_defined_twice_counts_from_there_on():
    assert value_of("a: &x 1\nb: *x\nc: &x [2]\nd: *x") == {"a": 1, "b": 1, "c": [2], "d": [2]}
    assert value_of("a: &x\n  k: &y 1\nb: &x {<<: {m: 2}}\nc: *x") == {"a": {"k": 1}, "b": {"m": 2}, "c": {"m": 2}}
    assert (
        text_error_of(b"a: &x 1\nb: &x 2\nc: *y").why == "not valid YAML: an undefined alias: no anchor before it has its name"
    )


@pytest.mark.parametrize("anchor", ["&a ", "&a\n  ", "&a-b_1  "])
def test_an_anchor_makes_no_text_of_a_scalar(anchor):
    for text, value in (("1", 1), ("true", True), ("null", None), ("0.5", 0.5), ("012", "012"), ("'1'", "1"), ("a b", "a b")):
        assert value_of(f"\ufeffé: {anchor}{text}\nb: 1") == {"é": value, "b": 1}
    assert value_of(f"x: {anchor}!!str 1\ny: !!str 1") == {"x": "1", "y": "1"}


def test_a_few_aliases_are_fine():
    assert value_of("a: &a [1]\nb: [*a, *a]") == {"a": [1], "b": [[1], [1]]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"a: &a [*a]", "an alias inside the value"),
        (b"a: *b", "undefined alias"),
        (b"? [a]\n: b", "name is a list"),
        (b"a: '", "not valid YAML"),
        (b"a:\n\t- b", "not valid YAML"),
        (b"a: {{ .Values.x }}", "template"),
        (b"{{- if .x }}\na: 1\n{{- end }}", "template"),
        (b"a: {<<: 5}", "merges an object"),
        (b"a: \x07", "control characters"),
        (b"%YAML 3.0\n---\n", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, words):
    text_error = text_error_of(text)
    assert words in text_error.why
    assert text_error.line > 0
    assert text_error.column > 0


BROKEN = ["a: [1, 2", "a: {b: 1", "a: 'x", "a: b: c", "a:\n\tb: 1", "a: @b", "a:\n  b: 1\n c: 2", "- a\nb", '"\\q"', "a: *b"]


@pytest.mark.parametrize("text", [*BROKEN, "a: !e!x 1", "%YAML 3.0\n---\n", "[" * 2000, "a: b\n...\nc: d\n... e"])
def test_the_reason_is_in_words_of_our_own(text):
    why = text_error_of(text.encode()).why
    assert why == "more than 100 levels deep" or why.removeprefix("not valid YAML: ") in REASONS


def test_an_error_that_the_table_does_not_know_has_a_general_reason():
    assert yaml_error_reason(ValueError("never heard of this")) == "the text breaks off or is malformed"


def test_levels_are_counted_before_an_error_of_the_parser_is_reported():
    text_error = text_error_of(b"a: " + b"[" * 150 + b"}")
    assert (text_error.why, text_error.line, text_error.column) == ("more than 100 levels deep", 1, 103)


@pytest.mark.parametrize(
    "text",
    [
        b"a: [1, {b: c}]\n---\nd: |\n  e\n",
        b"a: &x {b: 1}\nc: *x\n<<: *x\n",
        b"a: !Sub 'b'\na: 2\n",
        b"a: {b: 1\n",
        b"a: [b: 1\n",
        b"a: 1\n  b: 2\n",
        b"a:\n   b: 1\n  c: 2\n",
        b"- a\nb: 1\n",
        b"a: b: c\n",
        b"a: 'b\n",
        b'a: "\\q"\n',
        b"a: *x\n",
        b"a: @b\n",
        b"{a: 1} b\n",
        b"a: {{ .Values.b }}\n",
        b"a: " + b"[" * 300 + b"\n",
    ],
)
def test_without_libyaml_the_parser_in_python_reads_the_same_and_refuses_the_same(text, monkeypatch):
    import yaml

    def summary() -> object:
        read = read_yaml(text)
        return read.why if isinstance(read, TextError) else read

    assert yaml.__with_libyaml__
    expected = summary()
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert summary() == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"a: 1\t# c\nb:\t2\n", {"a": 1, "b": 2}),
        (b"a: b\tc\n", {"a": "b\tc"}),
        (b"a: [1,\t2\t]\n", {"a": [1, 2]}),
        (b"a: >-\t# c\n  b\n", {"a": "b"}),
        (b"a: |2#c\n   b\n", {"a": " b\n"}),
        (b"a: !Sub\tb\n", {"a": {"Fn::Sub": "b"}}),
        (b"a: b\n  c\t\n\n  d\n", {"a": "b c\nd"}),
        (b"\xef\xbb\xbfa: 1\n\xef\xbb\xbf# c\nb: 2\n", {"a": 1, "b": 2}),
        (b"a:\n\tb: 1\n", None),
        (b"a: |\n  \tb\n", None),
        (b"%a\n---\nb: 1\n", None),
        (b'a: "\\ud800"\n', None),
        (b"!a%20b!c 1\n", None),
        (b"!, 1\n", None),
        (b"!.5!!str a: 1\n", None),
    ],
)
@pytest.mark.parametrize("with_libyaml", [True, False])
def test_tabs_marks_and_tags_mean_the_same_whichever_parser_is_there(text, value, with_libyaml, monkeypatch):
    import yaml

    monkeypatch.setattr(yaml, "__with_libyaml__", with_libyaml)
    read = read_yaml(text)
    assert (None if isinstance(read, TextError) else read[0].value) == value


def test_without_libyaml_bytes_that_are_no_text_are_refused(monkeypatch):
    import yaml

    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert text_error_of(b"a: &x 1\nb: \xff\n").why == "not valid YAML: bytes that are no text in UTF-8 or UTF-16"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"name: {TENANT_ID}-sa\n", {"name": "<TENANT_ID>-sa"}),
        (b"- {A1}/b\n- c\n", ["<A1>/b", "c"]),
        (b"a: {X}\nb: {TENANT}-{X}\n", {"a": {"X": None}, "b": "<TENANT>-{X}"}),
        (b"a: {x}-b\n", None),
        (b"a: {TENANT}-b\nc: [\n", None),
    ],
)
def test_a_placeholder_at_the_start_of_a_text_is_no_mapping(text, value):
    read, nodes = read_yaml(text), compose(text)
    assert (None if isinstance(read, TextError) else read[0].value) == value
    assert isinstance(nodes, TextError) == (value is None)


def test_documents_before_one_with_a_placeholder_are_read_once():
    read = read_yaml(b"a: 1\n---\nb: {TENANT}-x\n---\nc: 2\n")
    assert [document.value for document in read] == [{"a": 1}, {"b": "<TENANT>-x"}, {"c": 2}]
