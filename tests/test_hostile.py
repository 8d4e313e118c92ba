"""No input ends in anything but a report: documents broken in every way that a machine can think of."""

import copy
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from irsa_doctor import api
from irsa_doctor.reports import FORMATS, Style

WORLDS = Path(__file__).parent.parent / "fixtures" / "worlds"
CODE = sorted(path for path in WORLDS.rglob("*") if path.suffix in (".tf", ".tfvars"))
FILES = sorted(path for path in WORLDS.rglob("*") if path.suffix in (".json", ".yaml") and path.name != "expected.json")
ODD: list[Any] = [
    None,
    True,
    -1,
    10**400,
    1.5,
    "",
    "*",
    "${",
    "${aws:username",
    "\ud800",
    "\x1b[31m\x00\u202e",
    "a" * 5000,
    "system:serviceaccount:" + "*" * 40,
    [],
    [[[]]],
    {},
    {"": ""},
    {"Fn::Sub": "x"},
    {"Statement": {}},
]


def spots(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of everything in a document."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        here = waiting.pop()
        keys = list(here) if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ()
        for key in keys:
            found.append((here, key))
            waiting.append(here[key])
    return found


class WithFunctions(yaml.SafeLoader):
    """Takes the short forms of CloudFormation's functions for the long ones."""


def function(loader: Any, name: str, node: Any) -> Any:
    given = loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else loader.construct_scalar(node)
    return {f"Fn::{name}": given}


WithFunctions.add_multi_constructor("!", function)
WithFunctions.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))


def documents(path: Path) -> list[Any]:
    text = path.read_text(encoding="utf-8")
    return [json.loads(text)] if path.suffix == ".json" else list(yaml.load_all(text, WithFunctions))


def broken(path: Path, seed: int) -> bytes:
    """A document of the fixtures with some of its values or names replaced, dropped or nested."""
    draw = random.Random(seed)  # noqa: S311 - repeatable
    found = copy.deepcopy(documents(path))
    for _ in range(draw.randint(1, 4)):
        places = spots(found)
        if not places:
            break
        container, key = draw.choice(places)
        action = draw.randrange(4)
        if action == 0 or (action == 1 and isinstance(container, list)):
            container[key] = copy.deepcopy(draw.choice(ODD))
        elif action == 1:
            container[draw.choice(["", "\ud800", "*", "Statement", "kind"])] = container.pop(key)
        elif action == 2:
            del container[key]
        else:
            container[key] = [container[key], container[key]]
    return b"\n---\n".join(json.dumps(document).encode() for document in found)


def check(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
    report = api.check([str(path)])
    assert [row.path for row in report.documents][:1] == [str(path)]
    assert not any("an error of irsa-doctor" in (row.why or "") for row in report.documents)
    for render in FORMATS.values():
        assert isinstance(render(report, Style()), str)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.sampled_from(FILES), st.integers(0, 2**32))
def test_documents_with_odd_values_are_reported_not_fatal(tmp_path_factory, source, seed):
    check(tmp_path_factory.getbasetemp() / ("odd" + source.suffix), broken(source, seed))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from([*FILES, *CODE]), st.data())
def test_documents_with_broken_bytes_are_reported_not_fatal(tmp_path_factory, source, data):
    raw = bytearray(source.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=4))
        raw = raw or bytearray(b" ")
    check(tmp_path_factory.getbasetemp() / ("bytes" + source.suffix), bytes(raw))


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000,
        b'{"Statement":' * 50_000,
        b"- " * 100_000,
        b"a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
        + b"".join(b"%c: &%c [%s]\n" % (n + 1, n + 1, b",".join([b"*%c" % n] * 9)) for n in range(98, 110)),
        b'{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"' + b"a" * 3_000_000 + b'"}}}',
        b'{"Roles": [' + b'{"RoleName": "x"},' * 10_000 + b"{}]}",
        b"\xff\xfe" + '{"Roles": []}'.encode("utf-16-le"),
        b"\xef\xbb\xbf" + b'{"Roles": []}',
        gzip.compress(b" " * 50_000_000),
        b"\x1f\x8b\x08broken",
        b'{"Roles": [{"RoleName": 1e999999, "Arn": {"a": []}}]}',
        b"kind: ServiceAccount\nmetadata: {name: [x], namespace: {}}\n",
        b"? {a: b}\n: c\n",
        b"<<: *missing\n",
        b"!!python/object/apply:os.system [id]\n",
        b"%YAML 9.9\n---\nkind: Pod\n",
    ],
)
@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_attacks_cost_an_error_for_their_document_only(tmp_path, raw, suffix):
    (tmp_path / ("attack" + suffix)).write_bytes(raw)
    (tmp_path / "right.json").write_text('{"Roles": [], "IsTruncated": false}', encoding="utf-8")
    rows = {Path(row.path).name: row for row in api.check([str(tmp_path)]).documents}
    assert rows["right.json"].status == "read"
    assert "attack" + suffix in rows
