"""Reads the settings of a project and its waivers."""

import os
import re
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from irsa_doctor.governance.settings_values import (
    Read,
    WrongValue,
    boolean,
    date_value,
    kind_of,
    list_of,
    near_word,
    seconds,
    size,
    table_of,
    text_value,
    value_below,
    value_in_words,
    word_of,
)
from irsa_doctor.governance.standards_values import standards_value
from irsa_doctor.issuers import profiles
from irsa_doctor.model.access import ExpectedAccess
from irsa_doctor.model.clouds import GOOGLE_PROJECTS
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.extents import fits
from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES, Confidence, Severity
from irsa_doctor.model.kinds import UnknownKind, kind_named
from irsa_doctor.model.standards import NO_STANDARDS, Standards
from irsa_doctor.text.named_files import open_named
from irsa_doctor.text.os_errors import os_error_reason
from irsa_doctor.text.toml_errors import toml_error

FailOn = Literal["critical", "high", "medium", "low", "never"]
FAIL_ON: tuple[FailOn, ...] = get_args(FailOn)

GATE_KEY = "-".join(("gate", "unknown"))
"""the setting has the name of the rule that it is about, and no rule is named in Python"""
GateUnknown = Literal["fail", "tell"]
GATE_UNKNOWN: tuple[GateUnknown, ...] = get_args(GateUnknown)

OWN_FILE = "irsa-doctor.toml"
SHARED_FILE = "pyproject.toml"
_LARGEST = 1 << 20
"""Bytes. Nobody writes that much by hand, so more is the wrong file."""

_OURS = ("tool", "irsa-doctor")
_OfIssuers = tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]], Mapping[str, str], ExpectedAccess, Standards]


class SettingsError(IrsaDoctorError):
    """A settings file that cannot be used; `line` is 1-based, 0 where the fault has no line."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file = file
        self.line = line
        self.message = message


class Waiver(msgspec.Struct, frozen=True):
    """A finding that has an owner: its rule, and its subject by the exact id or with `*` for any run of characters. `expires`
    is the last day on which the waiver is valid; `severity` is the highest that it covers; `file` and `line` are its place."""

    rule: str
    subject: str
    owner: str
    reason: str
    expires: date
    file: str = ""
    line: int = 0
    severity: Severity = "high"
    accepted_by: str = ""
    """who accepted the risk, where that is another than the owner"""

    @property
    def id(self) -> str:
        """The name by which findings speak of it; no line, so that it stays the same when lines move."""
        return f"{self.rule}:{self.subject}"

    @property
    def is_pattern(self) -> bool:
        """Whether it names its subject by a pattern, the number of a grant apart."""
        return "*" in self.subject.removesuffix("#*")

    def matches(self, rule: str, subject: str) -> bool:
        """Whether it covers this finding, expired or not."""
        return self.rule == rule and fits(self.subject, subject)

    def covers(self, severity: Severity) -> bool:
        """Whether findings of this severity are waived."""
        return SEVERITIES.index(severity) >= SEVERITIES.index(self.severity)

    def is_expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return today > self.expires


class Settings(msgspec.Struct, frozen=True):
    """What was set. None and empty mean "not set": a flag or the default of the command decides.

    Paths are joined to the folder of the file; issuers are without scheme, as in ARNs; `file` is "" where there was none.
    `exclude` are patterns, relative to `folder`, of files that are passed over inside folders. `plans` give the Terraform plan
    or state that takes the place of the configuration in a folder, `parameters` the file of parameters for a CloudFormation
    template, or of variables for a folder of Terraform configuration. `max_memory` is in bytes. `owner` are one's own tenants
    by the id of their issuer, `issuers` the ids of issuers whose name shows nothing. Flags alone name `azure_apps`, lists of
    credentials by client id, `iam_policies`, by resource, and `named`. `require_accepted_by`: a waiver says who accepted it.
    """

    file: str = ""
    fail_on: FailOn | None = None
    min_severity: Severity | None = None
    min_confidence: Confidence | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    complete: tuple[str, ...] = ()
    account: str = ""
    severity: Mapping[str, Severity] = {}
    clusters: Mapping[str, str] = {}
    roles: Mapping[str, str] = {}
    plans: Mapping[str, str] = {}
    parameters: Mapping[str, str] = {}
    audiences: Mapping[str, tuple[str, ...]] = {}
    owner: Mapping[str, tuple[str, ...]] = {}
    issuers: Mapping[str, str] = {}
    waivers: tuple[Waiver, ...] = ()
    baseline: str = ""
    inline_ignores: bool = True
    gate_unknown: GateUnknown | None = None
    rbac: ExpectedAccess = ExpectedAccess()
    exclude: tuple[str, ...] = ()
    max_seconds: float | None = None
    max_memory: int | None = None
    standards: Standards = NO_STANDARDS
    require_accepted_by: bool = False
    folder: str = ""
    framework: str = ""
    """named by a flag alone: it is a question, not a decision"""
    azure_apps: Mapping[str, str] = {}
    iam_policies: Mapping[str, str] = {}
    named: tuple[str, ...] = ()  # files and folders of which flags say something: they are read wherever they lie
    all_folders: bool = False
    """whether folders that programs fill are looked into: asked for by a flag alone"""
    but_tracked: bool = False
    """whether files in them that git tracks are read: where a change is judged"""

    @property
    def of_issuers(self) -> "_OfIssuers":
        """What they declare of issuers, tokens, access and lifetimes, as a view of an inventory takes it."""
        return self.audiences, self.owner, self.issuers, self.rbac, self.standards


# ---------------------------------------------------------------- which file


def load_settings(folder: str | os.PathLike[str], config: str | None = None) -> Settings:
    """The settings that hold in a folder: those of `config` where it is given, else of the nearest file upward, else none.

    Raises SettingsError.
    """
    found = config if config is not None else find_settings(folder)
    return Settings() if found is None else read_settings(found)


def find_settings(folder: str | os.PathLike[str]) -> str | None:
    """The nearest `irsa-doctor.toml`, or `pyproject.toml` that has our table, in the folder or above it in its repository."""
    start = Path(folder).absolute()
    for place in (start, *start.parents):
        if (place / OWN_FILE).is_file():
            return _shown(place / OWN_FILE)
        if _speaks_of_us(place / SHARED_FILE):
            return _shown(place / SHARED_FILE)
        # a folder, or a file in worktrees and submodules
        if (place / ".git").exists():
            return None
    return None


def has_settings(file: str | os.PathLike[str]) -> bool:
    """Whether a file is there that holds settings of ours."""
    path = Path(file)
    return path.is_file() and (path.name != SHARED_FILE or _speaks_of_us(path))


def read_settings(file: str | os.PathLike[str]) -> Settings:
    """The settings of one file: all of it, or `[tool.irsa-doctor]` where it is a `pyproject.toml`. Raises SettingsError."""
    name = os.fspath(file)
    text = _text(name)
    root = _OURS if os.path.basename(name) == SHARED_FILE else ()
    try:
        table = _at(_parsed(name, text), root)
        fields = _fields(table, _readers(os.path.dirname(name)))
    except WrongValue as wrong:
        raise SettingsError(name, _line(text, (*root, *wrong.steps)), wrong.sentence) from None
    waivers = [
        msgspec.structs.replace(waiver, file=name, line=_line(text, (*root, "waivers", number)))
        for number, waiver in enumerate(fields.pop("waivers", ()))
    ]
    fields = {key.replace("-", "_"): value for key, value in fields.items()}
    if fields.get("require_accepted_by") and (nobody := next((w for w in waivers if not w.accepted_by), None)):
        raise SettingsError(name, nobody.line, "the waiver lacks accepted-by, which require-accepted-by asks for")
    folder = os.path.dirname(name) if fields.get("exclude") else ""
    return Settings(file=name, folder=folder, waivers=tuple(waivers), **fields)


def _shown(path: Path) -> str:
    """The path relative to the current folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _speaks_of_us(path: Path) -> bool:
    """Whether it is a file with our table; one that nobody can read is not our business unless it names us."""
    try:
        text = _text(str(path))
    except SettingsError:
        return False
    if "irsa-doctor" not in text:
        return False
    try:
        _at(_parsed(str(path), text), _OURS)
    except WrongValue:
        return False
    except SettingsError:
        return "tool.irsa-doctor" in text
    return True


def _text(name: str) -> str:
    try:
        with open_named(name) as stream:
            raw = stream.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise SettingsError(name, 0, f"is larger than {_LARGEST >> 20} MiB, so hardly a settings file")
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise SettingsError(name, 0, f"cannot be read: {os_error_reason(error)}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(name, error.object.count(b"\n", 0, error.start) + 1, "is not UTF-8, as TOML must be") from None


def _parsed(name: str, text: str) -> object:
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SettingsError(name, 0, "is nested too deeply") from None
    except ValueError as error:
        wrong = toml_error(error, text)
        raise SettingsError(name, wrong.line, f"is not valid TOML: {wrong.why}") from None


def _line(text: str, steps: tuple[str | int, ...]) -> int:
    """The line of what the steps lead to, or of the nearest thing around it."""
    from irsa_doctor.text.toml import lines_of

    lines = lines_of(text)
    while steps and steps not in lines:
        steps = steps[:-1]
    return lines.get(steps, 0)


# ---------------------------------------------------------------- what it says


def _at(table: object, root: tuple[str, ...]) -> Mapping[str, object]:
    for step in root:
        if not isinstance(table, dict) or step not in table:
            raise WrongValue(f"has no [{'.'.join(root)}] table")
        table = table[step]
    if not isinstance(table, dict):
        raise WrongValue(f"must be a table, not {kind_of(table)}")
    return table


def _readers(folder: str) -> Mapping[str, Read[Any]]:
    """What may be set, each with what reads it. Paths are relative to the file, wherever the command was started."""

    def path(value: object) -> str:
        return os.path.join(folder, text_value(value))

    return {
        "fail-on": word_of(FAIL_ON),
        "min-severity": word_of(SEVERITIES),
        "min-confidence": word_of(CONFIDENCES),
        "select": list_of(text_value),
        "ignore": list_of(text_value),
        "rules": list_of(path),
        "complete": list_of(_kubernetes_kind),
        "account": _account,
        "severity": table_of(word_of(SEVERITIES)),
        "clusters": table_of(path),
        "roles": table_of(path),
        "plans": _paths_by_path(path),
        "parameters": _paths_by_path(path),
        "audiences": _audiences,
        "owner": _owner,
        "issuers": _issuers,
        "waivers": list_of(_waiver),
        "baseline": path,
        "inline-ignores": boolean,
        "require-accepted-by": boolean,
        GATE_KEY: word_of(GATE_UNKNOWN),
        "exclude": list_of(text_value),
        "rbac": _expected_access,
        "standards": standards_value,
        "max-seconds": seconds,
        "max-memory": size,
    }


def _paths_by_path(path: Read[str]) -> Read[dict[str, str]]:
    """Reads a table whose names are paths as its values are."""

    def read(value: object) -> dict[str, str]:
        return {os.path.normpath(path(name)): file for name, file in table_of(path)(value).items()}

    return read


def _fields(table: Mapping[str, object], readers: Mapping[str, Read[Any]]) -> dict[str, Any]:
    for key in table:
        if key not in readers:
            raise WrongValue(f"is not a setting{near_word(key.replace('_', '-'), readers)}", key)
    return {key: value_below(key, readers[key], value) for key, value in table.items()}


def _kubernetes_kind(value: object) -> str:
    try:
        return kind_named(text_value(value))
    except UnknownKind as error:
        raise WrongValue(f"is not valid: {error}") from None


def _expected_access(value: object) -> ExpectedAccess:
    if not isinstance(value, dict):
        raise WrongValue(f"must be a table, not {kind_of(value)}")
    texts = list_of(text_value)
    readers = {"system-namespaces": texts, "expected": texts}
    for key in value:
        if key not in readers:
            raise WrongValue(f"is not a setting of [rbac]{near_word(key, readers)}", key)
    lists = {key: value_below(key, texts, item) for key, item in value.items()}
    return ExpectedAccess(lists.get("system-namespaces", ExpectedAccess().namespaces), lists.get("expected", ()))


def _account(value: object) -> str:
    # https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html; a number would lose leading zeros
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{12}", value):
        raise WrongValue(f"must be an account id, twelve digits in quotes, not {value_in_words(value)}")
    return value


def _audiences(value: object) -> dict[str, tuple[str, ...]]:
    return {issuer.removeprefix("https://"): listed for issuer, listed in table_of(list_of(text_value))(value).items()}


def _owner(value: object) -> dict[str, tuple[str, ...]]:
    names = {entry.owned_as for entry in profiles().values()} | {*profiles(), GOOGLE_PROJECTS}
    return _known(table_of(list_of(text_value))(value), names - {""})


def _issuers(value: object) -> dict[str, str]:
    declared: dict[str, str] = table_of(word_of(tuple(sorted(profiles()))))(value)
    return {issuer.removeprefix("https://"): ident for issuer, ident in declared.items()}


def _known(table: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """A table whose names are those of issuers."""
    for name in table:
        if name not in names:
            raise WrongValue(f"is no issuer{near_word(name, sorted(names))}", name)
    return table


def _waiver(value: object) -> Waiver:
    if not isinstance(value, dict):
        raise WrongValue(f"must be a table headed [[waivers]], not {kind_of(value)}")
    needed: Mapping[str, Read[Any]] = {
        **dict.fromkeys(("rule", "subject", "owner", "reason"), text_value),
        "expires": date_value,
    }
    readers: Mapping[str, Read[Any]] = {**needed, "severity": word_of(SEVERITIES), "accepted-by": text_value}
    for key in value:
        if key not in readers:
            raise WrongValue(f"is not a member of a waiver{near_word(key, readers)}", key)
    if missing := [key for key in needed if key not in value]:
        raise WrongValue(f"lacks {' and '.join(missing)}")
    members = {key.replace("-", "_"): value_below(key, readers[key], item) for key, item in value.items()}
    # a critical finding needs a second word: the severity, or who beside the owner has accepted the risk
    return Waiver(**{"severity": "critical" if "accepted-by" in value else "high", **members})
