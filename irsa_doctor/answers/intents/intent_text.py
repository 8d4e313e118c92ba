"""The text of an intent file: block style, with questions as comments above the roles that they are about."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.answers.intents.dialects.written import yaml_text

_PLAIN = re.compile(r"[A-Za-z][\w./:+=,@-]*[\w./+=,@-]|[A-Za-z]")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


class RoleEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A role and what stands behind its name, None where it is left out, with the questions about it."""

    role: str
    value: Any
    questions: tuple[str, ...] = ()


def intent_text(
    clusters: Mapping[str, Any], roles: Sequence[RoleEntry], unlisted: Sequence[str], unnamed: str = ""
) -> tuple[str, list[tuple[str, int, int]]]:
    """The text, and (role, number of its question, line of the comment).

    `unlisted` are the clusters of which not all service accounts were given, `unnamed` the roles whose ARN is not known, in
    words. Roles that are left out come last.
    """
    lines = ["# who may be which role, as the estate uses it: read it, answer the questions, keep it in review"]
    if unlisted:
        lines.append(f"# not all service accounts were given of {', '.join(unlisted)}: who was not seen is not in here")
    if unnamed:
        lines.append(f"# left out, because the input does not say their ARN: {_on_one_line(unnamed)}")
    lines += ["intent: 1", "clusters:" if clusters else "clusters: {}", *_below(clusters)]
    kept = [entry for entry in roles if entry.value is not None]
    lines.append("roles:" if kept else "roles: {}")
    places: list[tuple[str, int, int]] = []
    for entry in kept:
        lines += _comments(entry, len(lines), places)
        lines += _below({entry.role: entry.value})
    for entry in (entry for entry in roles if entry.value is None):
        lines += _comments(entry, len(lines), places, f"{entry.role}: ")
    return "\n".join(lines) + "\n", places


def _comments(entry: RoleEntry, before: int, places: list[tuple[str, int, int]], name: str = "") -> list[str]:
    places += [(entry.role, number, before + number + 1) for number in range(len(entry.questions))]
    return [f"  # {name}{_on_one_line(question)}" for question in entry.questions]


def _on_one_line(text: str) -> str:
    """A text that cannot end a comment: names come from documents that anybody may have written."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _below(members: Mapping[str, Any]) -> list[str]:
    """Members in block style, two columns in."""
    lines: list[str] = []
    for name, value in members.items():
        key = name if _PLAIN.fullmatch(name) and name.lower() not in _WORDS else json.dumps(name)
        if isinstance(value, dict | list):
            inner = yaml_text([value]).splitlines() if isinstance(value, dict) else [f"- {item}" for item in value]
            lines += [f"  {key}:", *[f"    {line}" for line in inner]]
        else:
            lines.append(f"  {key}: {value}")
    return lines
