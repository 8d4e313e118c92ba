"""Reads the files of issuers and of their guards, which are gathered in indexes, and refuses what contradicts itself."""

import re
from pathlib import Path
from typing import Any

from irsa_doctor.issuers.forms import charset_of, names_in
from irsa_doctor.issuers.guards import GuardFile
from irsa_doctor.issuers.profiles import Match, Profile, Segment, SubjectTemplate
from irsa_doctor.issuers.recognition import pattern_of_match, specificity
from irsa_doctor.rulebook.yaml_files import Invalid, Way, converted, read_yaml_file, refused

_GUARDS = "guards.yaml"
_HOLE = re.compile(r"<[a-z_]+>")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class _File:
    """A file of an issuer: what it says, and at which lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.value, self.lines = read_yaml_file(path)
        self.profile = self.checked()

    def checked(self) -> Profile:
        try:
            entry = converted(self.value, Profile)
            _check(entry, self.path.stem)
        except Invalid as invalid:
            raise refused(self.path, self.lines, invalid) from invalid
        return entry

    def refuse(self, says: str, at: Way) -> None:
        raise refused(self.path, self.lines, Invalid(says, at))


def read_profiles(folder: Path) -> list[Any]:
    """The files of a folder as they are written, by id; raises RuleError with file and line where one is not a profile, or
    contradicts itself or another."""
    files = [_File(path) for path in sorted(folder.glob("*.yaml")) if path.name != _GUARDS]
    _check_together(files)
    if (folder / _GUARDS).is_file():
        _check_guards(files, converted(read_guards(folder), GuardFile))
    return [file.value for file in files]


def read_guards(folder: Path) -> Any:
    """The file of the guards as it is written; raises RuleError with file and line where it is none."""
    path = folder / _GUARDS
    value, lines = read_yaml_file(path)
    try:
        converted(value, GuardFile)
    except Invalid as invalid:
        raise refused(path, lines, invalid) from invalid
    return value


def _check(entry: Profile, stem: str) -> None:
    """What a file has to be besides well-formed; raises Invalid."""
    if entry.id != stem:
        raise Invalid(f"id is {entry.id}, the file name says {stem}", ("id",))
    for number, template in enumerate(entry.subject):
        _check_form(template, ("subject", number))
    for number, fact in enumerate(entry.facts):
        if not fact.url.startswith("https://"):
            raise Invalid("a fact names the page that says it", ("facts", number, "url"))
        if not _DAY.fullmatch(fact.read):
            raise Invalid("a fact names the day on which its page was read", ("facts", number, "read"))
    if not entry.facts:
        raise Invalid("an issuer has at least one fact", ("facts",))
    if entry.custom and entry.subject_custom == "no":
        raise Invalid("no tenant replaces the form of subjects, so there are no claims for it", ("custom",))
    _check_keys(entry)
    _check_patterns(entry)


def _check_form(template: SubjectTemplate, at: Way) -> None:
    names = names_in(template.form)
    for name in names:
        if name not in template.segments:
            raise Invalid(f"no segment {name}", (*at, "form"))
    for name, segment in template.segments.items():
        _check_segment(name, segment, (*at, "segments", name))
    pieces = re.split(r"\{[a-z_]+\}", template.form)
    for name, behind in zip(names, pieces[1:], strict=True):
        segment = template.segments[name]
        if behind and segment.charset and _holds(segment.charset, behind[0]):
            raise Invalid(f"{name} can hold {behind[0]!r}, which ends it", (*at, "form"))


def _holds(charset: str, char: str) -> bool:
    return char in charset_of(charset).chars


def _check_segment(name: str, segment: Segment, at: Way) -> None:
    if bool(segment.charset) is bool(segment.values):
        raise Invalid(f"{name} has either a charset or values", at)
    for value in (*segment.unreviewed, *segment.workload):
        if segment.values and value not in (*segment.values, "*"):
            raise Invalid(f"{value} is none of the values of {name}", at)


def _check_keys(entry: Profile) -> None:
    for number, key in enumerate(() if entry.keys == "any" else entry.keys):
        for place, template in enumerate(key.within):
            _check_form(template, ("keys", number, "within", place))
        if key.key.lower() in ("sub", "aud"):
            raise Invalid(f"{key.key} is a key of every issuer", ("keys", number, "key"))


def _check_patterns(entry: Profile) -> None:
    for number, match in enumerate(entry.match):
        at: Way = ("match", number)
        if "://" in match.issuer or match.issuer.endswith("/"):
            raise Invalid("a pattern has no scheme and no slash at its end", (*at, "issuer"))
        if match.built_in and (match.own or _HOLE.search(match.issuer)):
            raise Invalid("a built-in issuer is one host for all", (*at, "issuer"))
        if match.own is not ("<tenant>" in match.issuer):
            raise Invalid("own: true goes with <tenant> in the pattern", (*at, "issuer"))
        if match.signs and not match.declared:
            raise Invalid("signs are for issuers whose name shows nothing", (*at, "signs"))


def _check_together(files: list[_File]) -> None:
    """Two files must not match an issuer equally well."""
    rows = [(file, number, match) for file in files for number, match in enumerate(file.profile.match) if not match.declared]
    for file, number, match in rows:
        for other, _, rival in rows:
            if other is not file and specificity(match) == specificity(rival) and _both_match(match, rival):
                file.refuse(f"{other.path.name} matches {match.issuer} equally well", ("match", number, "issuer"))


def _both_match(match: Match, rival: Match) -> bool:
    return pattern_of_match(rival).fullmatch(_HOLE.sub("zz", match.issuer)) is not None


def _check_guards(files: list[_File], guards: GuardFile) -> None:
    """What IAM requires on save is written in the file of the guards: what a profile says of it has to be the same."""
    keys = {guard.issuer: guard.keys for guard in guards.guards}
    for file in files:
        for match in file.profile.match:
            wanted = tuple(key for key in keys.get(match.issuer, ()) if ":" not in key)
            if wanted and set(wanted) != set(file.profile.save.any_of):
                file.refuse(f"the guards say that IAM requires one of {', '.join(wanted)} of {match.issuer}", ("save",))
