"""The rows of the documents of a run: read, ignored or unreadable, with the reason and the place."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from irsa_doctor.model import Document
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.policies import is_like_policy, says_duplicate
from irsa_doctor.sources.documents.printouts import Printout
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.documents.rendered_texts import is_at_action, is_template_file, needs_rendering
from irsa_doctor.sources.files.weight import speaks_of_roles, writes_trust
from irsa_doctor.text.encoding import BinaryContent
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.positions import Documents

_HEAD = 4_096
_OF_TOOLS = regex(rb"^\s*//|/\*|,\s*[}\]]", re.MULTILINE)
_DATA = (".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".gz", ".tfstate", ".tfstate.backup")
"""Endings of files of data: one that cannot be read is reported."""
_STACKS = (".template", ".cfn", ".cform", ".stack")
"""Endings of CloudFormation templates, and of templates of other programs"""
_PROGRAMS = (".jsonnet", ".libsonnet", ".nix", ".cue", ".dhall", ".pkl", ".js", ".mjs", ".cjs", ".ts", ".tsx")
"""Endings of languages whose programs may begin like JSON"""
_PROSE = (".md", ".markdown", ".mdx", ".rst", ".adoc", ".asciidoc")
"""Endings of pages for people, which may begin like JSON"""
_STACK = b"AWSTemplateFormatVersion"


def is_data(path: str, named: bool, text: bytes) -> bool:
    """Whether a file is reported when it cannot be read: it is named, has the ending of data, or is like a policy."""
    if named or path.lower().endswith(_DATA) or _is_stack(path, text):
        return True
    return text.lstrip()[:1] == b"{" and is_like_policy(text)


def _is_stack(path: str, text: bytes) -> bool:
    return path.lower().endswith(_STACKS) and _STACK in text[:_HEAD]


def unknown_row(row: Document, text: bytes) -> Document:
    """Return the row of a text in which there is no document; of a template that may have a role it is not the whole truth."""
    is_template = is_template_file(row.path) and speaks_of_roles(row.path, text)
    why = "a template, which is not read before it is rendered" if is_template else "neither JSON nor YAML of a known kind"
    return msgspec.structs.replace(row, kind="text", why=why)


def refused_row(row: Document, text_error: TextError, content: bytes) -> Document:
    """Return the row of a text that cannot be read: unreadable where it should be data, else ignored."""
    if not row.named and row.path.lower().endswith(_PROGRAMS):
        why = "a program, which makes documents: give what it makes, or name the file"
        return msgspec.structs.replace(row, kind="program", why=why)
    if not row.named and row.path.lower().endswith(_PROSE):
        return msgspec.structs.replace(row, kind="text", why="neither JSON nor YAML of a known kind")
    is_data = row.named or row.path.lower().endswith(_DATA) or is_like_policy(content) or _is_stack(row.path, content)
    if isinstance(text_error, BinaryContent) and not row.named and not row.path.lower().endswith(_DATA):
        return msgspec.structs.replace(row, kind="binary", why=text_error.why)
    if not is_data:
        return msgspec.structs.replace(row, kind="text", why=text_error.why)
    if not row.named and _is_tool_configuration(content):
        why = "JSON with comments or trailing commas, as tools have their settings; nothing in it is like a policy"
        return msgspec.structs.replace(row, kind="configuration", why=why)
    return msgspec.structs.replace(
        row,
        status="unreadable",
        why=text_error.why,
        line=text_error.line,
        column=text_error.column,
        matters=_may_hide_roles(row.path, content, text_error),
    )


def printout_row(row: Document, printout: Printout) -> Document:
    """The row of what a program has printed for people: unreadable where it is given as input, ignored in what else is in a
    folder."""
    path = row.path.lower()
    is_input = row.named or path.endswith(_DATA) or (printout.is_input and not path.endswith(_PROSE))
    status: Literal["unreadable", "ignored"] = "unreadable" if is_input else "ignored"
    return msgspec.structs.replace(row, kind="printout", status=status, why=printout.why, matters=is_input)


def _may_hide_roles(path: str, content: bytes, text_error: TextError) -> bool:
    """Whether a text that cannot be read may have a role. A template is none before another program renders it, so that it
    counts where it writes a trust policy alone, and by its name may be taken for what is applied as it is."""
    return _is_applied(path, content) if needs_rendering(content, text_error) else speaks_of_roles(path, content)


def _is_applied(path: str, content: bytes) -> bool:
    return not is_template_file(path) and writes_trust(content, in_texts=True)


def _is_tool_configuration(content: bytes) -> bool:
    """Whether a text is an object with what JSON has not and the settings of tools have: `tsconfig.json` and its like."""
    is_object = content.lstrip()[:1] in (b"{", b"/") and content.rstrip()[-1:] == b"}"
    return is_object and _OF_TOOLS.search(content) is not None and not is_like_policy(content)


def final_rows(rows: Sequence[Document], readings: Mapping[str, DocumentReading], documents: Documents) -> Iterator[Document]:
    """Yield the rows with what became of each document, two for a document of which only a part can be read."""
    for row in rows:
        reading = readings.get(row.path)
        if reading is None:
            yield row
            continue
        broken = _broken_row(row, reading, documents)
        if broken is None or reading.gave_something():
            yield _read_row(row, reading)
        if broken is not None:
            yield msgspec.structs.replace(broken, partial=reading.gave_something() or _repeats_only(reading))


def _read_row(row: Document, reading: DocumentReading) -> Document:
    kind = ", ".join(reading.kinds) or "other"
    if reading.gave_something():
        unread = dict.fromkeys([*reading.notes, *reading.passed])
        return msgspec.structs.replace(row, kind=kind, status="read", why="; ".join(unread) or None)
    nothing = "no object of a kind that is read" if reading.kinds == ["kubernetes"] else "no document of a known kind"
    why = "; ".join(dict.fromkeys(reading.passed)) or nothing
    return msgspec.structs.replace(row, kind=kind, why=why)


def _broken_row(row: Document, reading: DocumentReading, documents: Documents) -> Document | None:
    """One row for all errors and duplicate members of a document: the first, and the number of the others."""
    errors = [(text_error.line, text_error.column, text_error.why) for text_error in reading.text_errors]
    for place, why in reading.broken:
        span = documents.locate(place)
        errors.append((span.line, span.column, f"{why} at {place.pointer or '/'}"))
    for place, why in reading.faults:
        span = documents.locate(place)
        errors.append((span.line, span.column, why))
    for _, item in reading.duplicates:
        errors.append((*item.second, f"{says_duplicate(item)}; the last one is read"))
    if not errors:
        return None
    line, column, why = min(errors)
    more = len(errors) - 1
    why += f" (and {more} more of the kind)" if more else ""
    return msgspec.structs.replace(
        row,
        kind=", ".join(reading.kinds) or "other",
        status="unreadable",
        why=why,
        line=line,
        column=column,
        matters=_matters(row, reading, documents),
    )


def _repeats_only(reading: DocumentReading) -> bool:
    """Whether duplicate members are all that is wrong with a document."""
    return not (reading.text_errors or reading.broken or reading.faults)


def _matters(row: Document, reading: DocumentReading, documents: Documents) -> bool:
    """Whether what is lost of a document may be a role: by its kind, by its words, or because the fault is ours.

    A duplicate member loses what is written before it is repeated, and nothing else.
    """
    if _repeats_only(reading):
        lines = (documents.text(row.path) or b"").split(b"\n")
        lost = (lines[item.first[0] - 1 : item.second[0]] for _, item in reading.duplicates)
        return any(speaks_of_roles("", b"\n".join(part)) for part in lost)
    errors, text = reading.text_errors, documents.text(row.path) or b""
    if errors and not (reading.faults or reading.broken) and all(is_at_action(text, text_error) for text_error in errors):
        return _is_applied(row.path, text)
    if reading.faults or any(kind != "kubernetes" for kind in reading.kinds):
        return True
    return speaks_of_roles(row.path, text)
