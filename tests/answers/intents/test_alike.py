"""What is proved of one role of an intent holds for others only where they differ in their names alone."""

import json

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor import api
from irsa_doctor.answers.intents import generation
from irsa_doctor.answers.intents.dialects import INTENT_FORMATS
from irsa_doctor.answers.intents.dialects.written import yaml_text
from tests.trust.drawing import examples

ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"
HEAD = f'intent: 1\naccount: "111122223333"\nclusters: {{blue: {ISSUER}}}\nroles:\n'
READ = sorted(name for name, dialect in INTENT_FORMATS.items() if dialect.is_read)


def made(tmp_path, roles, format_):
    intent = tmp_path / "intent.yaml"
    intent.write_text(HEAD + "".join(f'  "{name}": "{account}"\n' for name, account in roles.items()))
    return api.generate(str(intent), formats=[format_])


def names(count):
    return {f"app-{number}": f"shop/app-{number}" for number in range(count)}


@pytest.mark.parametrize("format_", ["terraform", "cloudformation", "trust-policy"])
def test_of_many_roles_with_plain_names_one_part_is_read(tmp_path, monkeypatch, format_):
    seen = []
    read_back = api.generate.__globals__["_read_back"]

    def reading(texts):
        seen.append(dict(texts))
        return read_back(texts)

    monkeypatch.setitem(api.generate.__globals__, "_read_back", reading)
    made(tmp_path, names(40), format_)
    (texts,) = seen
    assert 0 < sum(text.count(b"AssumeRoleWithWebIdentity") for text in texts.values()) < 4


@pytest.mark.parametrize("format_", READ)
@pytest.mark.parametrize(
    "roles",
    [
        {"app-1": "shop/app-1", "true": "shop/null", "no": "on/off", "yes-1": "y/n"},
        {"aws-1": "aws/sts", "iam": "iam/role", "effect": "allow/sub", "assume": "resource/name"},
        {"App.One": "shop/a.b", "app=two": "shop/app-2", "1e3": "1e3/0x1"},
    ],
)
def test_names_that_mean_something_are_proved_each_by_itself(tmp_path, format_, roles):
    answer = made(tmp_path, roles, format_)
    assert not answer.problems
    assert answer.files


@pytest.mark.parametrize("format_", ["terraform", "cloudformation"])
@pytest.mark.parametrize("number", [0, 7, 29])
def test_a_part_that_says_something_else_is_never_an_output(tmp_path, monkeypatch, format_, number):
    dialect = INTENT_FORMATS[format_]

    def wrong(plan, choices):
        writing = dialect.write(plan, choices)
        ((path, parts),) = writing.pieces.items()
        changed = [
            (arn, text.replace("sts.amazonaws.com", "sts.amazonaws.com.cn") if arn.endswith(f"/app-{number}") else text)
            for arn, text in parts
        ]
        files = [msgspec.structs.replace(file, text="".join(text for _, text in changed)) for file in writing.files]
        return msgspec.structs.replace(writing, files=tuple(files), pieces={path: changed})

    monkeypatch.setitem(INTENT_FORMATS, format_, msgspec.structs.replace(dialect, write=wrong))
    with pytest.raises(generation.Unproved):
        made(tmp_path, names(30), format_)


scalars = st.one_of(
    st.text(max_size=12), st.text("yn:# -'\"\n\t.0e1~", max_size=8), st.integers(-5, 5), st.booleans(), st.none()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab:1 ", min_size=1, max_size=4), inner, max_size=3),
    max_leaves=8,
)


@examples(200)
@given(st.dictionaries(st.text("abc1: -", min_size=1, max_size=5), values, min_size=1, max_size=3))
def test_what_is_written_as_yaml_is_what_a_reader_gets(value):
    text = yaml_text([value])
    assert json.loads(json.dumps(yaml.safe_load(text))) == json.loads(json.dumps(value))
