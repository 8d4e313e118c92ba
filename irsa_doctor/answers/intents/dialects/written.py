"""What a dialect makes of a plan, and the names that it gives."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.answers.intents.plan import IntentProblem, MadeRole

_OTHERWISE = re.compile(r"[-+]?(\.\d+|\d+\.?\d*)([eE][-+]?\d+)?|0o[0-7]+|0b[01_]+|[yYnN]")
"""texts that readers of YAML in Go take for numbers or truth values, and this one does not: https://yaml.org/spec/1.2.2/#103-core-schema"""


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


def made_file(path: str, dialect: str, text: str) -> MadeFile:
    """A file with its digest."""
    return MadeFile(path=path, dialect=dialect, text=text, sha256=hashlib.sha256(text.encode()).hexdigest())


def yaml_text(documents: Iterable[Mapping[str, Any]]) -> str:
    """Documents in block style, in the order of their members; texts of several lines as blocks."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes texts of several lines as literal blocks, and never an alias."""

        def ignore_aliases(self, data: object) -> bool:
            """Nothing is repeated by reference: people read it."""
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
            """Indents lists below their name, as most tools of Kubernetes do."""
            return super().increase_indent(flow, False)

    def text_node(dumper: yaml.SafeDumper, text: str) -> Any:
        style = "|" if "\n" in text else "'" if _OTHERWISE.fullmatch(text) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, text_node)
    return "---\n".join(
        yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=2_000) for document in documents
    )


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
