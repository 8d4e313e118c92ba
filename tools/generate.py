"""`python -m tools.generate [--check]`: writes again what is made from something else, in a clone of the repository."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from irsa_doctor.issuers.profiles import read_profiles
from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES
from irsa_doctor.reports.rule_page import severity_of
from irsa_doctor.reports.schemas import made_schemas
from irsa_doctor.rulebook.cause_block import CauseBlock
from irsa_doctor.rulebook.cause_files import index_of_causes
from irsa_doctor.rulebook.files import ID, index_of, read_rules
from irsa_doctor.rulebook.message_files import index_of_messages
from irsa_doctor.rulebook.rules import SUBJECTS, Relation, Rule, Values, vocabulary

_ROOT = Path(__file__).parent.parent
_PAGES = ("README.md", "CONTRIBUTING.md")
_BLOCK = re.compile(r"<!-- (?P<kind>output|file): (?P<what>[^\n]*?) -->\n```(?P<language>\w+)\n.*?```\n", re.DOTALL)
_RULES = re.compile(r"<!-- rules -->\n.*?<!-- /rules -->\n", re.DOTALL)


def generated() -> Iterator[tuple[Path, bytes]]:
    """Every generated file with what it should hold."""
    rules = _ROOT / "rules"
    yield _ROOT / "irsa_doctor" / "rulebook" / "rules_index.json", index_of(rules)
    issuers = _ROOT / "irsa_doctor" / "issuers"
    yield issuers / "index.json", json.dumps(read_profiles(issuers), indent=1).encode() + b"\n"
    yield _ROOT / "irsa_doctor" / "rulebook" / "causes_index.json", index_of_causes(_ROOT / "causes")
    yield _ROOT / "irsa_doctor" / "rulebook" / "symptoms_index.json", index_of_messages(_ROOT / "causes")
    yield rules / "schema.json", json.dumps(rule_schema(), indent=1).encode() + b"\n"
    for name, schema in made_schemas().items():
        yield _ROOT / "irsa_doctor" / "schemas" / f"{name}.json", json.dumps(schema, indent=1).encode() + b"\n"
    for name in _PAGES:
        page = _ROOT / name
        yield page, page_of(page.read_text(encoding="utf-8"), read_rules(rules)).encode()


def page_of(text: str, rules: list[Rule]) -> str:
    """A page with its outputs, files and table of rules as they are now."""
    text = _BLOCK.sub(_block, text)
    return _RULES.sub(lambda _: f"<!-- rules -->\n{_table(rules)}<!-- /rules -->\n", text)


def _block(match: re.Match[str]) -> str:
    kind, what, language = match["kind"], match["what"], match["language"]
    body = (_ROOT / what).read_text(encoding="utf-8") if kind == "file" else f"$ {what}\n{_output(what)}"
    return f"<!-- {kind}: {what} -->\n```{language}\n{body}```\n"


def _output(command: str) -> str:
    """What a command prints at the top of the repository, 100 columns wide, without colour."""
    name, *arguments = shlex.split(command)
    if name != "irsa-doctor":
        raise ValueError(f"{command}: only irsa-doctor is run for a page")
    plain = {key: value for key, value in os.environ.items() if key not in ("FORCE_COLOR", "TERM")}
    done = subprocess.run(  # noqa: S603 - our own pages
        [sys.executable, "-m", "irsa_doctor", *arguments],
        cwd=_ROOT,
        env={**plain, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise ValueError(f"{command}: exit {done.returncode}: {done.stderr.decode()}")
    return "\n".join(line.rstrip() for line in done.stdout.decode().splitlines()) + "\n"


def _table(rules: list[Rule]) -> str:
    rows = (
        f"| [`{rule.id}`](rules/{rule.family}/{rule.id}.yaml) | {severity_of(rule)} | {rule.title} |"
        for rule in sorted(rules, key=lambda rule: (rule.family, rule.id))
    )
    return "\n".join(["| rule | severity | what it finds |", "| --- | --- | --- |", *rows]) + "\n"


def rule_schema() -> Mapping[str, Any]:
    """The JSON Schema of a rule file, for editors: the records of the rulebook, with the facts of each subject kind."""
    text = {"type": "string", "pattern": r"\S"}
    severity, kinds = {"enum": list(SEVERITIES)}, {"enum": list(SUBJECTS)}
    words = {"type": "object", "additionalProperties": severity}
    graded = _object(("values",), fact=text, values=words, **{"else": severity})
    example = _object(("fires",), name=text, patch={"type": "object"}, fires={"type": "array", "items": text})
    examples = {"type": "array", "minItems": 1, "items": example}
    over_facts = {"type": "object", "additionalProperties": {"type": "object", "minProperties": 1}}
    require = _object(("says",), name=text, facts={**over_facts, "minProperties": 1}, says=text)
    relation = {"enum": list(get_args(Relation))}
    predicates = {_name_of(values): values for kind in SUBJECTS for values in vocabulary(kind).values()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "irsa-doctor.rule/1",
        "title": "A rule of irsa-doctor",
        **_object(
            ("when", "snippet", "references", "controls", "cause", "instead"),
            id={"type": "string", "pattern": f"^{ID.pattern}$"},
            title=text,
            subject={"oneOf": [kinds, {"type": "array", "items": kinds, "minItems": 1}]},
            severity={"oneOf": [severity, graded]},
            confidence={"enum": list(CONFIDENCES)},
            when=over_facts,
            require={"type": "array", "minItems": 1, "items": require},
            message=text,
            places={"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
            why=text,
            remedy=text,
            snippet={"type": "boolean"},
            references={"type": "array", "items": _object(title=text, url={"type": "string", "pattern": "^https://"})},
            controls={
                "type": "object",
                "additionalProperties": {"type": "array", "items": _object(id=text, relation=relation)},
            },
            cause={"$ref": "#/$defs/CauseBlock"},
            instead=text,
            examples=_object(bad=examples, good=examples),
        ),
        "allOf": [_facts_of(kind) for kind in SUBJECTS],
        "$defs": {
            **_records(),
            **{name: _predicate(name, values) for name, values in sorted(predicates.items())},
            **{f"{kind}-facts": _vocabulary_of(kind) for kind in SUBJECTS},
        },
    }


def _records() -> Mapping[str, Any]:
    """The JSON Schemas of the records in a cause block, as msgspec makes them."""
    return msgspec.json.schema_components([CauseBlock], ref_template="#/$defs/{name}")[1]


def _facts_of(kind: str) -> dict[str, Any]:
    """A rule about one kind of subject asks for its facts; one about several for facts that all of them have."""
    about, names = {"$ref": f"#/$defs/{kind}-facts"}, {"propertyNames": {"enum": list(vocabulary(kind))}}

    def asks(facts: Mapping[str, Any]) -> dict[str, Any]:
        return {"properties": {"when": facts, "require": {"items": {"properties": {"facts": facts}}}}}

    alone = {"properties": {"subject": {"const": kind}}, "required": ["subject"]}
    among = {"properties": {"subject": {"type": "array", "contains": {"const": kind}}}, "required": ["subject"]}
    return {"if": alone, "then": asks(about), "else": {"if": among, "then": asks(names)}}


def _vocabulary_of(kind: str) -> dict[str, Any]:
    properties = {fact: {"$ref": f"#/$defs/{_name_of(values)}"} for fact, values in vocabulary(kind).items()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _name_of(values: Values) -> str:
    listed = ["truth"] * values.truth + ["number"] * values.number + sorted(values.words)
    return "fact:" + ".".join(listed)


def _predicate(name: str, values: Values) -> dict[str, Any]:
    """A schema over one fact."""
    kinds: list[Any] = [{"type": "boolean"}] * values.truth + [{"type": "integer"}] * values.number
    kinds += [{"enum": list(values.words)}] * bool(values.words)
    value = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    bounds = {"minimum": {"type": "integer"}, "maximum": {"type": "integer"}} if values.number else {}
    listed = {"type": "array", "items": value, "minItems": 1, "uniqueItems": True}
    properties = {"const": value, "enum": listed, "not": {"$ref": f"#/$defs/{name}"}, **bounds}
    return {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": properties}


def _object(optional: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


def main() -> int:
    """Write every generated file; with --check, only say which ones are not current."""
    stale = 0
    for path, content in generated():
        if path.exists() and path.read_bytes() == content:
            continue
        stale += 1
        if "--check" in sys.argv[1:]:
            print(f"{path.relative_to(_ROOT)} is not current: run make generated", file=sys.stderr)
        else:
            path.write_bytes(content)
    return int(bool(stale) and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
