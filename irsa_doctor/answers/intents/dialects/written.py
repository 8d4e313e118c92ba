"""What a dialect makes of a plan, and the names that it gives."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.answers.intents.plan import IntentProblem, MadeRole

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.@+/=-]*(?::[A-Za-z0-9_.@+/=:-]*[A-Za-z0-9_.@+/=-])?")
"""texts that every reader of YAML takes for texts, quotes or none"""
_WORDS = re.compile(r"y|n|yes|no|on|off|true|false|null|nan|inf|infinity", re.IGNORECASE)
"""words that some readers take for something else: https://yaml.org/spec/1.2.2/#103-core-schema, https://yaml.org/type/bool.html"""
_BLOCK = re.compile(r"[ -~]*")


class Choices(msgspec.Struct, frozen=True):
    """What the call says beside the intent: issuers (without scheme) that a guardrail leaves alone, and whether an admission
    policy only audits."""

    keep_issuers: tuple[str, ...] = ()
    audit: bool = False


class MadeFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file, by its path below the folder that the user names; `sha256` is that of its text as UTF-8."""

    path: str
    dialect: str
    text: str
    sha256: str


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one dialect. `addresses` are the names by which `who-can` finds the roles in them, by ARN."""

    files: tuple[MadeFile, ...] = ()
    addresses: Mapping[str, str] = {}
    problems: tuple[IntentProblem, ...] = ()
    pieces: Mapping[str, Sequence[tuple[str, str]]] = {}
    """by path the parts of a text in order: the ARN of the role that each is for, "" for none, and the part"""


def made_file(path: str, dialect: str, text: str) -> MadeFile:
    """A file with its digest."""
    return MadeFile(path=path, dialect=dialect, text=text, sha256=hashlib.sha256(text.encode()).hexdigest())


def yaml_text(documents: Iterable[Mapping[str, Any]]) -> str:
    """Documents in block style, in the order of their members; texts of several lines as blocks."""
    return "---\n".join(yaml_members(document, 0) for document in documents)


def yaml_members(members: Mapping[str, Any], depth: int) -> str:
    """The members of a mapping in block style, each on lines of its own, so many steps to the right."""
    return "".join(f"{'  ' * depth}{_on_one_line(str(name))}:{_yaml_value(value, depth)}" for name, value in members.items())


def _yaml_value(value: Any, depth: int) -> str:
    """What stands behind a colon, to the end of its lines."""
    if isinstance(value, Mapping):
        return f"\n{yaml_members(value, depth + 1)}" if value else " {}\n"
    if isinstance(value, list | tuple):
        return "\n" + "".join(_yaml_item(item, depth + 1) for item in value) if value else " []\n"
    return f" {_yaml_scalar(value, depth)}\n"


def _yaml_item(item: Any, depth: int) -> str:
    """An item of a list, below the name of the list as most tools of Kubernetes write it."""
    if isinstance(item, Mapping) and item:
        lines = yaml_members(item, depth + 1)
        return f"{'  ' * depth}- {lines[2 * depth + 2 :]}"
    return f"{'  ' * depth}-{_yaml_value(item, depth)}"


def _yaml_scalar(value: Any, depth: int) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if "\n" in value and _is_block(lines := value.removesuffix("\n").split("\n")):
        end = "" if value.endswith("\n") else "-"
        return f"|{end}\n" + "\n".join(f"{'  ' * (depth + 1)}{line}" if line else "" for line in lines)
    return _on_one_line(value)


def _on_one_line(value: str) -> str:
    """A text as a plain one, else in quotes."""
    if _PLAIN.fullmatch(value) and not _WORDS.fullmatch(value):
        return value
    if value.isascii() and value.isprintable():
        quoted = value.replace("'", "''")
        return f"'{quoted}'"
    return '"' + "".join(map(_in_quotes, value)) + '"'


def _in_quotes(char: str) -> str:
    """A character as double quotes hold it: https://yaml.org/spec/1.2.2/#57-escaped-characters."""
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_block(lines: Sequence[str]) -> bool:
    """Whether lines can stand as a literal block: no white space at their ends, nothing that a reader folds."""
    first, last = lines[0], lines[-1]
    whole = all(line == line.rstrip() and _BLOCK.fullmatch(line) for line in lines)
    return whole and bool(first) and bool(last) and not first[0].isspace()


def file_of_pieces(path: str, dialect: str, pieces: Sequence[tuple[str, str]]) -> MadeFile:
    """A file that is made of pieces."""
    return made_file(path, dialect, "".join(text for _, text in pieces))


def indented_json(value: object) -> str:
    """A value as indented JSON, with a newline at the end."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def unique_names(texts: Sequence[str], form: str, first: str = "") -> dict[str, str]:
    """A name for each text, in order: its characters that a regular expression allows, and a number where one is taken.

    `first` is put before a name that would begin with a digit, or be empty. Case makes no difference.
    """
    taken: set[str] = set()
    names: dict[str, str] = {}
    for text in dict.fromkeys(texts):
        name = re.sub(form, "", text) if form else text
        name = first + name if first and not name[:1].isalpha() else name
        number, unique = 2, name
        while unique.lower() in taken:
            unique, number = f"{name}{number}", number + 1
        taken.add(unique.lower())
        names[text] = unique
    return names


def by_account(roles: Iterable[MadeRole]) -> dict[str, list[MadeRole]]:
    """Roles by account, in order."""
    accounts: dict[str, list[MadeRole]] = {}
    for role in roles:
        accounts.setdefault(role.account, []).append(role)
    return accounts
