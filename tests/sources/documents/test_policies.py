import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.model import Hole, Place, Text
from irsa_doctor.sources import read_policy_text
from irsa_doctor.sources.documents.policies import unquoted
from tests.sources.worlds import policy

PLACE = Place("policy.json")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text,
        lambda text: text.encode(),
        lambda text: "\ufeff" + text,
        lambda text: "\n  " + text + "\n",
        quote,
        lambda text: quote(text, safe=""),
        lambda text: quote(text).lower().replace("%7b", "%7b"),
        json.dumps,
        lambda text: json.dumps(quote(text)),
        lambda text: json.dumps(json.dumps(text)),
    ],
)
def test_a_policy_is_read_in_every_wrapping_in_which_aws_hands_it_out(wrap):
    written = {"Version": "2012-10-17", "Statement": [{"effect": "allow", "sid": "\u00e9 50% =+~"}]}
    read = read_policy_text(wrap(json.dumps(written, ensure_ascii=False).lower()), PLACE)
    assert read.document == json.loads(json.dumps(written).lower())
    assert read.flaws == ()


@given(st.text())
def test_percent_decoding_reverses_percent_encoding(text):
    for safe in ("", "/", "=", "%"):
        encoded = quote(text, safe=safe) if "%" not in text or safe != "%" else quote(text)
        assert unquoted(encoded.encode()) == text.encode()


@pytest.mark.parametrize("raw", [b"%zz", b"100%", b"%2", b"a%\nb%41", b"=41%41", b"%3D41", b"%3d41", b"+%20"])
def test_what_is_no_escape_stays_as_it_is(raw):
    expected = {b"a%\nb%41": b"a%\nbA", b"=41%41": b"=41A", b"%3D41": b"=41", b"%3d41": b"=41", b"+%20": b"+ "}
    assert unquoted(raw) == expected.get(raw, raw)


def test_text_that_is_no_json_gives_a_flaw_and_no_document():
    read = read_policy_text('{\n  "Version": "2012-10-17",\n}', PLACE)
    (flaw,) = read.flaws
    assert read.document is None
    assert (flaw.code, flaw.line, flaw.column) == ("syntax", 2, 26)


def test_null_is_no_policy():
    assert [flaw.code for flaw in read_policy_text("null", PLACE).flaws] == ["syntax"]


def test_a_member_given_twice_is_a_flaw_that_names_both_places():
    text = '{"Statement": [{"Effect": "Allow",\n  "Effect": "Deny"}]}'
    (flaw,) = read_policy_text(text, PLACE).flaws
    assert (flaw.code, flaw.pointer, flaw.line, flaw.column) == ("duplicate-member", "/Statement/0/Effect", 2, 3)
    assert "1:17" in flaw.message
    assert "2:3" in flaw.message


def test_the_size_leaves_out_white_space_and_counts_characters():
    assert read_policy_text('{ "a" :\n\t"b c" }', PLACE).size == len('{"a":"bc"}')
    assert read_policy_text('{"a":"\u00e9"}', PLACE).size == 9
    assert read_policy_text(quote(json.dumps(policy(), indent=4)), PLACE).size == len(json.dumps(policy()).replace(" ", ""))


def test_only_a_template_has_holes():
    text = json.dumps({"Statement": [{"Principal": {"Federated": "${arn}"}, "Condition": {"x": {"${url}:sub": "a"}}}]})
    assert read_policy_text(text, PLACE).document == json.loads(text)
    template = read_policy_text(text, PLACE, template=True)
    (statement,) = template.document["Statement"]
    assert template.template
    assert statement["Principal"]["Federated"] == Text((Hole("${arn}"),))
    assert list(statement["Condition"]["x"]) == [Text((Hole("${url}"), ":sub"))]
