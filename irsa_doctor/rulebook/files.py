"""Reads rule files, and refuses those that could not work, with line and cause."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from irsa_doctor.facts import did_you_mean
from irsa_doctor.rulebook.rules import (
    NAME,
    SUBJECTS,
    Graded,
    Rule,
    RuleError,
    Values,
    vocabulary,
)
from irsa_doctor.rulebook.yaml_files import Invalid, Way, converted, read_yaml_file, refused

BASE = "base.yaml"
"""the healthy world of the examples, beside the families"""
CAUSES = "causes"
"""the folder of causes that no rule finds, beside the families"""
KEYWORDS = ("const", "enum", "not", "minimum", "maximum")
"""the vocabulary of rule schemas, as JSON Schema has it"""
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEYS = (*(key for key in Rule.__struct_encode_fields__ if key != "family"), "examples")
_OF_RULES = ("subject", "require", "examples")
"""a file without any of these keys is something else than a rule"""
_BRACES = re.compile(r"\{[^{}]*\}?|\}")


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
    """A rule with its examples, and the line of each part of the file."""

    path: Path
    rule: Rule
    examples: Examples
    lines: Mapping[Way, int] = {}


class Illustration(msgspec.Struct, frozen=True):
    """A bad example in few lines, and the same place in the healthy world ("" where it has none)."""

    name: str
    where: str
    wrong: str
    right: str


def rules_folder() -> Path:
    """Where the rule files are: inside the package once it is installed, at the top of the repository in a clone."""
    installed = Path(__file__).parent.parent / "_rules"
    return installed if installed.is_dir() else Path(__file__).parent.parent.parent / "rules"


def read_rule_files(folder: Path) -> list[RuleFile]:
    """Every rule file below a folder, checked; raises RuleError."""
    if not folder.is_dir():
        raise RuleError(f"{folder}: {'a file, not a folder of rules' if folder.exists() else 'no such folder'}")
    files = [_rule_below(folder, path) for path in _rule_paths(folder)]
    if not files:
        raise RuleError(f"{folder}: no rule in this folder; a rule is a file with the name ID.yaml")
    seen: dict[str, Path] = {}
    for file in files:
        if other := seen.get(file.rule.id):
            raise RuleError(f"{file.path}: the id {file.rule.id} is that of {other}")
        seen[file.rule.id] = file.path
    return files


def read_rules(folder: Path) -> list[Rule]:
    """The rules of a folder, checked; raises RuleError."""
    return [file.rule for file in read_rule_files(folder)]


def index_of(folder: Path) -> bytes:
    """The index of a folder of rules, which is shipped: start-up neither parses YAML nor checks rules."""
    return msgspec.json.format(msgspec.json.encode(read_rules(folder)), indent=1) + b"\n"


def _rule_paths(folder: Path) -> Iterator[Path]:
    """The YAML files below a folder but those of causes, and those below what begins with a dot: it belongs to other tools."""
    for path in sorted(folder.rglob("*.y*ml")):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path != folder / BASE and path.suffix in (".yaml", ".yml") and path.parent.name != CAUSES and not is_hidden:
            yield path


def _rule_below(folder: Path, path: Path) -> RuleFile:
    """The rule of a file below a folder; what is no rule is not passed over: it may be one with a mistake."""
    try:
        file = read_rule_file(path)
    except _NotARule as error:
        rules = folder / "rules"
        raise RuleError(f"{error}{f'. Did you mean the folder {rules}?' if rules.is_dir() else ''}") from error
    if path.suffix == ".yml":
        raise RuleError(f"{path}: the name of a rule file is its id and .yaml")
    return file


class _NotARule(RuleError):
    """A file that is something else than a rule."""


def read_rule_file(path: Path) -> RuleFile:
    """One rule file, checked; raises RuleError."""
    value, lines = read_yaml_file(path)
    if not isinstance(value, dict) or value.keys().isdisjoint(_OF_RULES):
        raise _NotARule(f"{path}: not a rule (no {', no '.join(_OF_RULES)}), and a folder of rules holds no other YAML files")
    try:
        return _rule_of(path, value, lines)
    except Invalid as wrong:
        raise refused(path, lines, wrong) from wrong


def _rule_of(path: Path, value: Mapping[str, Any], lines: Mapping[Way, int]) -> RuleFile:
    subject = value.get("subject")
    members = {key: item for key, item in value.items() if key != "examples"}
    members |= {"subject": subject if isinstance(subject, list) else [subject]}
    if "family" in value:
        raise Invalid("unknown key family: it is the name of the folder", ("family",))
    rule = converted({**members, "family": path.parent.name}, Rule, keys=_KEYS)
    if rule.id != path.stem:
        raise Invalid(f"id is {rule.id}, the file name says {path.stem}", ("id",))
    if value.get("examples") is None:
        raise Invalid("no examples")
    examples = converted(value["examples"], Examples, ("examples",))
    for what, listed in (("bad", examples.bad), ("good", examples.good)):
        if not listed:
            raise Invalid(f"no {what} example", ("examples", what))
    _check(rule)
    return RuleFile(path, rule, examples, lines)


def _check(rule: Rule) -> None:
    """Refuse a rule that names what there is not, or whose schemas mean nothing."""
    if not ID.fullmatch(rule.id):
        raise Invalid(f"an id is lower case letters, digits and single dashes, not {rule.id}", ("id",))
    _check_text(rule)
    _check_sentences(rule)
    if not rule.subject:
        raise Invalid("subject names none", ("subject",))
    for subject in rule.subject:
        if subject not in SUBJECTS:
            known = ", ".join(SUBJECTS)
            raise Invalid(f"no subject kind {subject}: {known}.{did_you_mean(subject, SUBJECTS)}", ("subject",))
    if isinstance(rule.severity, Graded):
        _check_graded(rule, rule.severity)
    _check_facts(rule, rule.when, ("when",))
    _check_clauses(rule)


def _check_text(rule: Rule) -> None:
    for name in ("title", "message", "why", "remedy"):
        if not getattr(rule, name).strip():
            raise Invalid(f"{name} is empty", (name,))
    for number, reference in enumerate(rule.references):
        if not reference.url.startswith("https://"):
            raise Invalid(f"a reference begins with https://, not {reference.url}", ("references", number, "url"))


def _check_clauses(rule: Rule) -> None:
    if not rule.require:
        raise Invalid("require has no clause", ("require",))
    for number, clause in enumerate(rule.require):
        at: Way = ("require", number)
        if clause.name in [other.name for other in rule.require[:number]]:
            raise Invalid(f"two clauses are called {clause.name}", (*at, "name"))
        if not clause.facts:
            raise Invalid(f"the clause {clause.name} asks for no fact", (*at, "facts"))
        _check_facts(rule, clause.facts, (*at, "facts"))


def _check_sentences(rule: Rule) -> None:
    """Sentences look up names and nothing else: rules are data."""
    if not rule.places:
        raise Invalid("places names none", ("places",))
    sentences: dict[Way, str] = {("message",): rule.message}
    sentences |= {("places", name): says for name, says in rule.places.items()}
    for at, sentence in sentences.items():
        for braces in _BRACES.findall(sentence):
            if not NAME.fullmatch(braces):
                raise Invalid(f"braces hold a name in lower case, such as {{role}}, and nothing else; not {braces}", at)


def _check_graded(rule: Rule, graded: Graded) -> None:
    values = _values_of(rule, graded.fact, ("severity", "fact"))
    for word in graded.values:
        of_truth = any(allowed.truth for allowed in values) and word in ("true", "false")
        of_number = any(allowed.number for allowed in values) and word.isascii() and word.isdigit()
        if not (of_truth or of_number or any(word in allowed.words for allowed in values)):
            raise Invalid(_no_value(graded.fact, word, values), ("severity", "values", word))


def _values_of(rule: Rule, fact: str, at: Way) -> list[Values]:
    """The values of a fact in every subject kind of a rule, each of which must have it."""
    for subject in rule.subject:
        if fact not in (known := vocabulary(subject)):
            hint = did_you_mean(fact, known) or f" There are {', '.join(known)}."
            raise Invalid(f"a {subject} has no fact {fact}.{hint}", at)
    return [vocabulary(subject)[fact] for subject in rule.subject]


def _check_facts(rule: Rule, facts: Mapping[str, Mapping[str, Any]], at: Way) -> None:
    for fact, schema in facts.items():
        _check_schema(fact, schema, _values_of(rule, fact, (*at, fact)), (*at, fact))


def _check_schema(fact: str, schema: Any, values: list[Values], at: Way) -> None:
    if not isinstance(schema, Mapping):
        raise Invalid(f"a schema is a mapping, not {schema}", at)
    if not schema:
        raise Invalid(f"an empty schema asks nothing of {fact}", at)
    for keyword, expected in schema.items():
        inside = (*at, keyword)
        if keyword not in KEYWORDS:
            raise Invalid(f"{keyword} is outside the vocabulary of rule schemas ({', '.join(KEYWORDS)})", inside)
        if keyword == "not":
            _check_schema(fact, expected, values, inside)
        elif keyword in ("minimum", "maximum"):
            if type(expected) is not int or not any(allowed.number for allowed in values):
                raise Invalid(f"{keyword} is a whole number, of a fact that is one; not {expected} of {fact}", inside)
        else:
            _check_values(fact, [expected] if keyword == "const" else expected, values, inside)


def _check_values(fact: str, listed: Any, values: list[Values], at: Way) -> None:
    if not isinstance(listed, list) or not listed:
        raise Invalid("enum is a list of values", at)
    for number, value in enumerate(listed):
        if not any(allowed.allow(value) for allowed in values):
            raise Invalid(_no_value(fact, value, values), (*at, number))
        if value in listed[:number]:
            raise Invalid(f"{value} stands twice in this list", (*at, number))


def _no_value(fact: str, value: object, values: list[Values]) -> str:
    words = list(dict.fromkeys(word for allowed in values for word in allowed.words))
    words += ["true", "false"] if any(allowed.truth for allowed in values) else []
    words += ["a whole number"] if any(allowed.number for allowed in values) else []
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{fact} is {', '.join(words)}; never {shown}.{did_you_mean(shown, words)}"
