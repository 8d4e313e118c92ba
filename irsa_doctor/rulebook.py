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
    WorkloadFacts,
    did_you_mean,
)
from irsa_doctor.findings import SEVERITIES

SUBJECTS: Mapping[str, type[msgspec.Struct]] = {
    "grant": GrantFacts,
    "role": RoleFacts,
    "binding": BindingFacts,
    "service-account": ServiceAccountFacts,
    "workload": WorkloadFacts,
    "provider": ProviderFacts,
    "cluster": ClusterFacts,
    "document": DocumentFacts,
    "waiver": WaiverFacts,
}
BASE = "base.yaml"
"""the healthy world of the examples, beside the families"""
_INDEX = Path(__file__).parent / "rules_index.json"
_KEYWORDS = frozenset({"const", "enum", "not", "minimum", "maximum"})


class RuleError(Exception):
    """A rule that could not work; the text names file and cause."""


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold: a JSON Schema for each fact that it reads."""

    name: str
    facts: dict[str, dict[str, Any]]
    says: str = ""


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public page."""

    title: str
    url: str


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A control of a framework, and whether the rule supports it or is merely related."""

    id: str
    relation: str


class Graded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word that depends on one fact; `else` where the fact has no row."""

    fact: str
    values: dict[str, str]
    otherwise: str = msgspec.field(name="else")


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merge patch (RFC 7396) on the healthy world of `base.yaml`, and the rules that fire then."""

    name: str
    patch: dict[str, Any]
    fires: list[str] | None = None


class Examples(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Worlds in which a rule fires, and worlds that it examines and passes."""

    bad: list[Example]
    good: list[Example]


class RuleFile(msgspec.Struct, frozen=True):
    """A rule with its examples."""

    path: Path
    rule: Rule
    examples: Examples


def _check_schema(rule: str, schema: Mapping[str, Any]) -> None:
    if unknown := set(schema) - _KEYWORDS:
        raise RuleError(
            f"{rule}: {', '.join(sorted(unknown))} is outside the vocabulary of rule schemas ({', '.join(sorted(_KEYWORDS))})"
        )
    if "not" in schema:
        _check_schema(rule, schema["not"])


def check_rule(rule: Rule, where: str = "") -> None:
    """Refuse a rule that names a fact or subject that does not exist, or asks outside the vocabulary."""
    where = where or rule.id
    if not rule.require:
        raise RuleError(f"{where}: require has no clause")
    if not rule.places:
        raise RuleError(f"{where}: places names none")
    words = [rule.severity] if isinstance(rule.severity, str) else [*rule.severity.values.values(), rule.severity.otherwise]
    if set(words) - set(SEVERITIES):
        raise RuleError(f"{where}: severity is one of {', '.join(SEVERITIES)}")
    asked = [rule.when, *(clause.facts for clause in rule.require)]
    for subject in rule.subject:
        if subject not in SUBJECTS:
            raise RuleError(f"{where}: no subject kind {subject}: {', '.join(SUBJECTS)}")
        known = SUBJECTS[subject].__struct_fields__
        for facts in asked:
            for fact, schema in facts.items():
                if fact not in known:
                    raise RuleError(f"{where}: a {subject} has no fact {fact}.{did_you_mean(fact, known)}")
                _check_schema(where, schema)


def read_rule_files(folder: Path) -> list[RuleFile]:
    """Every rule file below a folder, checked; raises RuleError."""
    if not folder.is_dir():
        raise RuleError(f"{folder}: no such folder")
    files = [_read(path) for path in sorted(folder.rglob("*.yaml")) if path.name != BASE]
    if not files:
        raise RuleError(f"{folder}: no rule in it")
    seen: dict[str, Path] = {}
    for file in files:
        if other := seen.get(file.rule.id):
            raise RuleError(f"{file.path}: the id {file.rule.id} is that of {other}")
        seen[file.rule.id] = file.path
    return files


def read_rules(folder: Path) -> list[Rule]:
    """The rules of a folder, checked; raises RuleError."""
    return [file.rule for file in read_rule_files(folder)]


def _read(path: Path) -> RuleFile:
    raw = _mapping(path)
    if raw.get("examples") is None:
        raise RuleError(f"{path}: no examples")
    try:
        examples = msgspec.convert(raw.pop("examples", None), Examples)
        subject = raw.get("subject")
        rule = msgspec.convert(
            {**raw, "subject": subject if isinstance(subject, list) else [subject], "family": path.parent.name}, Rule
        )
    except msgspec.ValidationError as error:
        raise RuleError(f"{path}: {error}") from error
    if rule.id != path.stem:
        raise RuleError(f"{path}: id is {rule.id}, the file name says {path.stem}")
    for what, listed in (("bad", examples.bad), ("good", examples.good)):
        if not listed:
            raise RuleError(f"{path}: no {what} example")
    check_rule(rule, str(path))
    return RuleFile(path, rule, examples)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        raw = read_yaml(path.read_bytes())
    except OSError as error:
        raise RuleError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise RuleError(f"{path}:{error}") from error
    if not isinstance(raw, dict):
        raise RuleError(f"{path}: a rule is a mapping")
    return raw


def read_yaml(text: bytes) -> Any:
    """One YAML document in which dates stay text; raises ValueError with `LINE: cause`."""
    import yaml

    class Loader(yaml.CSafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader that knows fewer types
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"{mark.line + 1 if mark else 1}: {getattr(error, 'problem', None) or error}") from error
    except RecursionError as error:
        raise ValueError("1: nested too deep") from error


def rules_folder() -> Path:
    """Where the rule files are: inside the package once it is installed, at the top of the repository in a clone."""
    installed = Path(__file__).parent / "_rules"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "rules"


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
