"""Rule files become rules; one that could not work is refused."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from irsa_doctor.facts import (
    BindingFacts,
    ClusterFacts,
    DocumentFacts,
    GrantFacts,
    ProviderFacts,
    RoleFacts,
    ServiceAccountFacts,
    WaiverFacts,
)
from irsa_doctor.findings import SEVERITIES

SUBJECTS: Mapping[str, type[msgspec.Struct]] = {
    "grant": GrantFacts,
    "role": RoleFacts,
    "binding": BindingFacts,
    "service-account": ServiceAccountFacts,
    "provider": ProviderFacts,
    "cluster": ClusterFacts,
    "document": DocumentFacts,
    "waiver": WaiverFacts,
}
_INDEX = Path(__file__).parent / "rules_index.json"
_KEYWORDS = frozenset({"const", "enum", "not", "minimum", "maximum"})


class RuleError(Exception):
    """A rule that could not work; the text names file and cause."""


class Clause(msgspec.Struct, frozen=True):
    """What must hold: a JSON Schema for each fact that it reads."""

    name: str
    facts: dict[str, dict[str, Any]]
    says: str = ""


class Reference(msgspec.Struct, frozen=True):
    """A public page."""

    title: str
    url: str


class Control(msgspec.Struct, frozen=True):
    """A control of a framework, and whether the rule supports it or is merely related."""

    id: str
    relation: str


class Graded(msgspec.Struct, frozen=True):
    """A word that depends on one fact; `else` where the fact has no row."""

    fact: str
    values: dict[str, str]
    otherwise: str = msgspec.field(name="else")


class Rule(msgspec.Struct, frozen=True):
    """One rule file, without its examples."""

    id: str
    title: str
    subject: list[str]
    severity: str | Graded
    confidence: str
    require: list[Clause]
    message: str
    places: dict[str, str]
    why: str
    remedy: str
    when: dict[str, dict[str, Any]] = {}
    snippet: bool = False
    references: list[Reference] = []
    controls: dict[str, list[Control]] = {}
    family: str = ""

    @property
    def url(self) -> str:
        """The first reference."""
        return self.references[0].url if self.references else ""


def _check_schema(rule: str, schema: Mapping[str, Any]) -> None:
    if unknown := set(schema) - _KEYWORDS:
        raise RuleError(
            f"{rule}: {', '.join(sorted(unknown))} is outside the vocabulary of rule schemas ({', '.join(sorted(_KEYWORDS))})"
        )
    if "not" in schema:
        _check_schema(rule, schema["not"])


def check_rule(rule: Rule) -> None:
    """Refuse a rule that names a fact or subject that does not exist, or asks outside the vocabulary."""
    if not rule.require:
        raise RuleError(f"{rule.id}: require has no clause")
    words = [rule.severity] if isinstance(rule.severity, str) else [*rule.severity.values.values(), rule.severity.otherwise]
    if set(words) - set(SEVERITIES):
        raise RuleError(f"{rule.id}: severity is one of {', '.join(SEVERITIES)}")
    asked = [rule.when, *(clause.facts for clause in rule.require)]
    for subject in rule.subject:
        if subject not in SUBJECTS:
            raise RuleError(f"{rule.id}: no subject kind {subject}")
        known = SUBJECTS[subject].__struct_fields__
        for facts in asked:
            for fact, schema in facts.items():
                if fact not in known:
                    raise RuleError(f"{rule.id}: a {subject} has no fact {fact}")
                _check_schema(rule.id, schema)


def read_rules(folder: Path) -> list[Rule]:
    """Every rule file below a folder, checked; raises RuleError."""
    import yaml

    if not folder.is_dir():
        raise RuleError(f"{folder}: no such folder")
    rules = []
    for path in sorted(folder.glob("*/*.yaml")):
        raw = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        raw.pop("examples", None)
        raw["subject"] = raw["subject"] if isinstance(raw.get("subject"), list) else [raw.get("subject")]
        try:
            rule = msgspec.convert({**raw, "family": path.parent.name}, Rule)
        except msgspec.ValidationError as error:
            raise RuleError(f"{path}: {error}") from error
        if rule.id != path.stem:
            raise RuleError(f"{path}: id is {rule.id}, the file name says {path.stem}")
        check_rule(rule)
        rules.append(rule)
    return rules


@cache
def shipped_rules() -> tuple[Rule, ...]:
    """The built-in rules, from the index that was verified when it was made."""
    return tuple(msgspec.json.decode(_INDEX.read_bytes(), type=list[Rule]))


def index_of(folder: Path) -> bytes:
    """The index of a folder of rules."""
    return msgspec.json.format(msgspec.json.encode(read_rules(folder)), indent=1) + b"\n"


@cache
def digest() -> str:
    """Which rules these are."""
    return "sha256:" + hashlib.sha256(_INDEX.read_bytes()).hexdigest()
