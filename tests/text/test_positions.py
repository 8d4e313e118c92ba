import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.model import Place
from irsa_doctor.sources import Documents, Span
from irsa_doctor.text.positions import Source
from tests.sources.worlds import loaded, policy, role, service_account

texts = st.text(alphabet='ab/~"\\\n{}[],: \u00e9\U0001f600', max_size=6)
names = texts | st.sampled_from(["Statement", "Condition", "metadata"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


def places(value, place):
    yield place, value
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from places(item, place.at(number))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, place.at(name))


def between(text, span):
    """What stands in a span, counted as people count."""
    lines = text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


@given(values, st.sampled_from([None, 0, 2]), st.booleans(), st.sampled_from([10, 1 << 30]))
def test_every_place_of_json_is_found_exactly(value, indent, ascii_only, big):
    from irsa_doctor.text import json_places

    text = "\n " + json.dumps(value, indent=indent, ensure_ascii=ascii_only) + "\n"
    before, json_places._BIG = json_places._BIG, big
    try:
        for repeats in (False, True):
            documents = Documents({"x": Source(text.encode(), "json", [(0, len(text.encode()))], repeats)})
            for place, item in places(value, Place("x")):
                assert json.loads(between(text, documents.locate(place))) == item
                name = place.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
                written = between(text, documents.locate(place, key=True))
                assert json.loads(written) in (name, item)
    finally:
        json_places._BIG = before


def test_names_of_members_are_found_where_asked_for():
    text = '{"a": {"b": [10, {"c": 1}]}}'
    documents = Documents({"x": Source(text.encode(), "json", [(0, len(text))])})
    place = Place("x", "/a/b/1/c")
    assert documents.locate(place) == Span(1, 24, 1, 25, text, 23)
    assert documents.locate(place, key=True) == Span(1, 19, 1, 22, text, 18)
    assert documents.locate(Place("x", "/a/b/0"), key=True) == Span(1, 14, 1, 16, text, 13)


@pytest.mark.parametrize("step", ["2", "00", "01", "-1", "-", "", "\u00b2", "\u0661", "9" * 5000])
def test_what_is_no_item_of_a_list_is_found_at_the_list(step):
    documents = Documents({"x": Source(b'{"a": [1, [2]]}', "json", [(0, 15)])})
    assert documents.locate(Place("x", f"/a/{step}")) == documents.locate(Place("x", "/a"))


def test_of_members_given_twice_the_last_is_found():
    text = '{"a": 1, "a": 2}'
    read = loaded({"x.json": '{"Version": "2012-10-17", "Statement": [{"Principal": "*", "Sid": "1", "Sid": "2"}]}'})
    assert read.documents.locate(read.inventory.roles[0].place.at("Statement", 0, "Sid")).column == 79
    documents = Documents({"x": Source(text.encode(), "json", [(0, len(text))], True)})
    assert documents.locate(Place("x", "/a")).column == 15


def test_a_place_inside_a_text_is_found_at_the_text():
    read = loaded({"x.json": json.dumps({"Role": role(AssumeRolePolicyDocument=json.dumps(policy()))}, indent=1)})
    (found,) = read.inventory.roles
    inside = found.policy.place.at("Statement", 0, "Condition")
    assert read.documents.locate(inside) == read.documents.locate(found.policy.place)
    assert "AssumeRolePolicyDocument" in read.documents.locate(inside).source


@pytest.mark.parametrize("place", [Place("y"), Place("x", "", 3), Place("x", "", -1)])
def test_what_is_not_known_is_zeros(place):
    documents = Documents({"x": Source(b"{}", "json", [(0, 2)])})
    assert documents.locate(place) == Span()
    assert Documents().locate(place) == Span()


def test_parts_of_json_lines_have_the_lines_of_the_document():
    read = loaded({"x.jsonl": "\n".join(json.dumps(service_account(name)) for name in "abc")})
    assert [read.documents.locate(one.place).line for one in read.inventory.service_accounts] == [1, 2, 3]


def test_utf16_is_located_in_characters():
    text = '{\n"Version": "2012-10-17", "\u00e9\U0001f600": 1, "Statement": [{"Principal": "*"}]}'
    read = loaded({"x.json": text.encode("utf-16")})
    span = read.documents.locate(read.inventory.roles[0].place.at("Statement"), key=True)
    assert (span.line, span.column) == (2, 35)


def test_places_of_yaml_are_found_and_block_values_end_with_their_text():
    text = (
        "# c\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: app\n  annotations:\n    aws: \u00e9x\n\n---\nkind: x\n"
    )
    read = loaded({"x.yaml": text})
    place = read.inventory.service_accounts[0].place
    assert read.documents.locate(place.at("metadata")) == Span(5, 3, 7, 12, "  name: app", 2)
    assert read.documents.locate(place.at("metadata", "annotations", "aws")) == Span(7, 10, 7, 12, "    aws: \u00e9x", 9)
    assert read.documents.locate(place.at("metadata", "annotations", "aws"), key=True).column == 5
    assert read.documents.locate(Place("x.yaml", "/kind", 1)).line == 10
    assert read.documents.locate(Place("x.yaml", "/metadata/nothing/there")).line == 5


def test_places_that_yaml_merges_are_found_at_their_source():
    text = "a: &a\n  x: 1\nb:\n  <<: *a\n  y: 2\n"
    documents = Documents({"x": Source(text.encode(), "yaml")})
    assert documents.locate(Place("x", "/b/x")).line == 2
    assert documents.locate(Place("x", "/b/y")).line == 5


def test_of_a_long_line_the_surroundings_are_shown():
    text = json.dumps({"a": "x" * 5000, "here": 1, "b": "y" * 5000})
    span = Documents({"x": Source(text.encode(), "json", [(0, len(text))])}).locate(Place("x", "/here"), key=True)
    assert '"here": 1' in span.source
    assert len(span.source) <= 400


def test_secrets_are_never_shown():
    text = json.dumps({"a": "AKIAIOSFODNN7EXAMPLE", "b": "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"})
    source = Documents({"x": Source(text.encode(), "json", [(0, len(text))])}).locate(Place("x", "/a")).source
    assert "AKIAIOSFODNN7EXAMPLE" not in source
    assert "c2lnbmF0dXJl" not in source


KEY_ID = "AKIAIOSFODNN7EXAMPLE"
LONG_TOKEN = "eyJhbGciOiJSUzI1NiJ9." + "QmFzZTY0" * 60 + ".c2lnbmF0dXJl"
HUGE_TOKEN = "eyJhbGciOiJSUzI1NiJ9." + "QmFzZTY0" * 600 + ".c2lnbmF0dXJl"


@pytest.mark.parametrize("secret", [KEY_ID, LONG_TOKEN, HUGE_TOKEN], ids=["key id", "long token", "huge token"])
@pytest.mark.parametrize("gap", [0, 180, 190, 195, 199, 201, 390, 399, 1580, 1590, 1599])
def test_a_secret_is_masked_before_its_line_is_cut(secret, gap):
    for members in ({"a": secret, "b": " " * gap, "here": 1}, {"here": 1, "b": " " * gap, "a": secret}):
        text = json.dumps(members)
        span = Documents({"x": Source(text.encode(), "json", [(0, len(text))])}).locate(Place("x", "/here"))
        assert span.source[span.offset] == "1"
        assert len(span.source) <= 400
        for size in (10, 16):
            assert not any(secret[at : at + size] in span.source for at in range(len(secret) - size + 1))


def test_places_in_megabytes_are_found_without_reading_them_again():
    import time

    items = [role(f"role-{number}") for number in range(3000)]
    for text in (json.dumps({"RoleDetailList": items}), json.dumps({"RoleDetailList": items}, indent=1)):
        read = loaded({"x.json": text})
        started = time.process_time()
        for number, one in enumerate(read.inventory.roles):
            span = read.documents.locate(one.place.at("RoleName"))
            assert between(text, span) == f'"role-{number}"' if number % 500 == 0 else span.line
        assert time.process_time() - started < 3
