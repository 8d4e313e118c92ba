"""`python -m tools.generate [--check]`: writes again what is made from something else, in a clone of the repository."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from irsa_doctor.answers.why.vocabulary import chain_vocabulary
from irsa_doctor.model.edits import FixKind
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES
from irsa_doctor.reports.schemas import made_schemas
from irsa_doctor.rulebook.cause_block import CauseBlock
from irsa_doctor.rulebook.cause_files import index_of_causes
from irsa_doctor.rulebook.causes import Cause
from irsa_doctor.rulebook.edit_block import EditBlock
from irsa_doctor.rulebook.files import ID, index_of
from irsa_doctor.rulebook.folders import check_controls, check_files, read_shipped
from irsa_doctor.rulebook.message_files import SymptomsDocument, index_of_messages
from irsa_doctor.rulebook.rules import SUBJECTS, Relation, Values, vocabulary
from tools.issuers import read_guards, read_profiles
from tools.pages import pages
from tools.stubs import stubs

_ROOT = Path(__file__).parent.parent


def generated() -> Iterator[tuple[Path, bytes]]:
    """Every generated file with what it should hold. Raises RuleError where rules, causes and messages do not fit together."""
    shipped = read_shipped()
    check_files(shipped, chain_vocabulary())
    check_controls(shipped)
    rules = _ROOT / "rules"
    yield _ROOT / "irsa_doctor" / "rulebook" / "rules_index.json", index_of(rules)
    issuers = _ROOT / "irsa_doctor" / "issuers"
    yield issuers / "index.json", json.dumps(read_profiles(issuers), indent=1).encode() + b"\n"
    yield issuers / "guards.json", json.dumps(read_guards(issuers), indent=1).encode() + b"\n"
    yield _ROOT / "irsa_doctor" / "rulebook" / "causes_index.json", index_of_causes(_ROOT / "causes")
    yield _ROOT / "irsa_doctor" / "rulebook" / "symptoms_index.json", index_of_messages(_ROOT / "causes")
    yield rules / "schema.json", json.dumps(rule_schema(), indent=1).encode() + b"\n"
    yield _ROOT / "causes" / "schema.json", json.dumps(_schema_of(Cause, "cause", "A cause"), indent=1).encode() + b"\n"
    messages = _schema_of(SymptomsDocument, "messages", "The messages of errors")
    yield _ROOT / "causes" / "symptoms-schema.json", json.dumps(messages, indent=1).encode() + b"\n"
    for name, schema in made_schemas().items():
        yield _ROOT / "irsa_doctor" / "schemas" / f"{name}.json", json.dumps(schema, indent=1).encode() + b"\n"
    yield from stubs()
    yield from pages()


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
            ("when", "snippet", "references", "controls", "cause", "fix", "edit", "instead"),
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
            fix={"type": "array", "items": {"enum": list(get_args(FixKind))}},
            edit={"$ref": "#/$defs/EditBlock"},
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
    """The JSON Schemas of the records in a cause block, with the words that they may use."""
    return {**_parts_of(CauseBlock), **_parts_of(EditBlock)}


def _schema_of(kind: type, name: str, title: str) -> Mapping[str, Any]:
    """The JSON Schema of a file of `causes/`, for editors."""
    reference = {"$ref": f"#/$defs/{kind.__name__}"}
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {
        "$schema": draft,
        "$id": f"irsa-doctor.{name}/1",
        "title": f"{title} of irsa-doctor",
        **reference,
        "$defs": _parts_of(kind),
    }


def _parts_of(kind: type) -> Mapping[str, Any]:
    """The JSON Schemas of a record and of those in it; what names links, signs or circumstances is one of their lists."""
    parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")[1]
    for part in parts.values():
        for name, words in _WORDS.items():
            if name in part.get("properties", {}):
                part["properties"][name] |= words
    return dict(sorted(parts.items()))


_LINKS: Mapping[str, Any] = {"enum": list(chain_vocabulary().links)}
_CIRCUMSTANCES: Mapping[str, Any] = {"enum": sorted(chain_vocabulary().circumstances)}
_WORDS: Mapping[str, Mapping[str, Any]] = {
    "link": _LINKS,
    "links": {"items": _LINKS},
    "holds": _LINKS,
    "only": {"items": _CIRCUMSTANCES},
    "circumstance": _CIRCUMSTANCES,
    "signs": {"propertyNames": {"enum": sorted(chain_vocabulary().signs)}},
}


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
    """Write every generated file; with --check, only name those that are not current."""
    try:
        return _write("--check" in sys.argv[1:])
    except IrsaDoctorError as error:
        print(error, file=sys.stderr)
        return 1


def _write(only_check: bool) -> int:
    stale = 0
    for path, content in generated():
        if path.exists() and path.read_bytes() == content:
            continue
        stale += 1
        if only_check:
            print(f"{path.relative_to(_ROOT)} is not current: run make generated", file=sys.stderr)
        else:
            path.write_bytes(content)
    return int(bool(stale) and only_check)


if __name__ == "__main__":
    sys.exit(main())
