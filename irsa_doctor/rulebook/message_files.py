"""Reads `symptoms.yaml`, and refuses what could not work, with line and reason."""

import re
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import msgspec

from irsa_doctor.rulebook.cause_files import SYMPTOMS
from irsa_doctor.rulebook.files import ID
from irsa_doctor.rulebook.messages import (
    SAID,
    Candidate,
    Message,
    MessageCondition,
    MessageContext,
    MessagesIndex,
    shipped_contexts,
)
from irsa_doctor.rulebook.patterns import Unsafe, check_pattern
from irsa_doctor.rulebook.yaml_files import Invalid, Way, converted, read_yaml_file, refused
from irsa_doctor.text.moods import Moods

_NAME = re.compile(r"\{([A-Z]+)\}")
_INDENTED = r"\s{1,9}+"
"""a line break with the indentation after it; where that makes a search long, one character is all"""
# escapes and classes are kept
_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<space> )(?P<repeat>[?*+{]?)", re.DOTALL)
_DETAIL = re.compile(r"\{([a-z]+)\}")


class MessageExample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text, and the causes that it leads to, in order, as far as they are listed here.

    `code` is the error code of STS: then the text is read as each SDK prints it as well.
    """

    text: str
    causes: list[str]
    code: str = ""


class MessageEntry(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message with its examples, and a stage in place of the links passed; without `causes`, the one that it proves."""

    causes: tuple[str | Candidate, ...] = ()
    stage: str = ""
    examples: list[MessageExample]


class SymptomsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file: parts of patterns, what may stand around a message, links passed by stage, how SDKs print errors of STS,
    the messages. The contexts of the built-in file are those of all messages."""

    messages: list[MessageEntry]
    names: dict[str, str] = {}
    contexts: dict[str, MessageContext] = {}
    stages: dict[str, tuple[str, ...]] = {}
    wrappers: dict[str, str] = {}
    moods: Moods = Moods()


class MessageFile(msgspec.Struct, frozen=True):
    """The messages of a file with the examples of each, the wrappers, the words of moods, and the line of each part."""

    path: Path
    messages: tuple[Message, ...]
    examples: Mapping[str, tuple[MessageExample, ...]]
    wrappers: Mapping[str, str]
    moods: Moods
    lines: Mapping[Way, int]
    contexts: Mapping[str, MessageContext] = {}


def read_messages(folder: Path) -> MessageFile:
    """The `symptoms.yaml` of a folder of causes, checked alone; no messages where there is none; raises RuleError."""
    path = folder / SYMPTOMS
    if not path.exists():
        return MessageFile(path, (), {}, {}, Moods(), {})
    value, lines = read_yaml_file(path)
    try:
        document = converted(value, SymptomsDocument)
        _check_wrappers(document.wrappers)
        _check_moods(document.moods)
        messages = tuple(_message_of(entry, document, ("messages", n)) for n, entry in enumerate(document.messages))
        _check_ids(messages)
        contexts = {name: _context_of(context, document, ("contexts", name)) for name, context in document.contexts.items()}
    except Invalid as wrong:
        raise refused(path, lines, wrong) from wrong
    examples = {entry.id: tuple(entry.examples) for entry in document.messages}
    return MessageFile(path, messages, examples, document.wrappers, document.moods, lines, contexts)


def _context_of(context: MessageContext, document: SymptomsDocument, at: Way) -> MessageContext:
    """A context with the names in its patterns replaced."""
    pattern = _replaced(context.pattern, document.names, (*at, "pattern"))
    unless = context.unless and _replaced(context.unless, document.names, (*at, "unless"))
    return msgspec.structs.replace(context, pattern=pattern, unless=unless)


def _check_wrappers(wrappers: Mapping[str, str]) -> None:
    for name, shape in wrappers.items():
        if "{text}" not in shape:
            raise Invalid("a wrapper has {text} where the message of STS is", ("wrappers", name))


def _check_moods(moods: Moods) -> None:
    for number, pattern in enumerate(moods.program):
        try:
            check_pattern(pattern)
        except Unsafe as unsafe:
            raise Invalid(str(unsafe), ("moods", "program", number)) from unsafe


def _check_ids(messages: tuple[Message, ...]) -> None:
    seen: set[str] = set()
    for number, message in enumerate(messages):
        if not ID.fullmatch(message.id):
            raise Invalid(
                f"an id is lower case letters, digits and single dashes, not {message.id}", ("messages", number, "id")
            )
        if message.id in seen:
            raise Invalid(f"the id {message.id} is taken", ("messages", number, "id"))
        seen.add(message.id)
    for number, message in enumerate(messages):
        if unknown := set(message.instead_of) - seen:
            raise Invalid(f"no message is called {', '.join(sorted(unknown))}", ("messages", number, "instead_of"))


def _message_of(entry: MessageEntry, document: SymptomsDocument, at: Way) -> Message:
    """The message without its examples, the names in its patterns and conditions replaced."""
    names = document.names
    fields: dict[str, Any] = {name: getattr(entry, name) for name in Message.__struct_fields__}
    patterns = tuple(_replaced(text, names, (*at, "patterns", number)) for number, text in enumerate(entry.patterns))
    causes = entry.causes or ((entry.proves,) if entry.proves else ())
    causes = tuple(_candidate_of(cause, names, (*at, "causes", number)) for number, cause in enumerate(causes))
    if entry.stage and entry.stage not in document.stages:
        raise Invalid(f"no stage {entry.stage}: {', '.join(document.stages)}", (*at, "stage"))
    passed = document.stages.get(entry.stage, entry.passed)
    beside = tuple(_replaced(text, names, (*at, "beside", number)) for number, text in enumerate(entry.beside))
    others = entry.others and _replaced(entry.others, names, (*at, "others"))
    parts = {"patterns": patterns, "causes": causes, "passed": passed, "others": others, "beside": beside}
    message = Message(**{**fields, **parts})
    _check_message(message, at, set(document.contexts or shipped_contexts()))
    if not entry.examples:
        raise Invalid(f"{message.id} has no example", (*at, "examples"))
    return message


def _candidate_of(cause: str | Candidate, names: Mapping[str, str], at: Way) -> str | Candidate:
    if isinstance(cause, str):
        return cause
    first, unless = (_condition_of(condition, names, at) for condition in (cause.first, cause.unless))
    return Candidate(id=cause.id, first=first, unless=unless)


def _condition_of(condition: MessageCondition | None, names: Mapping[str, str], at: Way) -> MessageCondition | None:
    if condition is None:
        return None
    details = {detail: _with_names(pattern, names, at) for detail, pattern in condition.details.items()}
    return msgspec.structs.replace(condition, details=details)


def _with_names(pattern: str, names: Mapping[str, str], at: Way) -> str:
    """A pattern with its names replaced, and those in them."""
    for _ in range(len(names) + 1):
        for name in set(_NAME.findall(pattern)):
            if name not in names:
                raise Invalid(f"names has no {name}", at)
            pattern = pattern.replace(f"{{{name}}}", names[name])
    return pattern


def _replaced(pattern: str, names: Mapping[str, str], at: Way) -> str:
    """A pattern with its names replaced; raises Invalid for one that a hostile text could keep busy."""
    pattern = _with_names(pattern, names, at)
    try:
        return _checked(pattern, _INDENTED)
    except Unsafe:
        pass
    try:
        return _checked(pattern, r"\s")
    except Unsafe as unsafe:
        raise Invalid(str(unsafe), at) from unsafe


def _checked(pattern: str, space: str) -> str:
    spaced = any_space(pattern, space)
    check_pattern(spaced)
    return spaced


def any_space(pattern: str, space: str = _INDENTED) -> str:
    """Returns a pattern whose spaces match white space: terminals and logs break a message where it has a space."""

    def of(part: re.Match[str]) -> str:
        if not part["space"]:
            return part[0]
        return rf"\s{part['repeat']}" if part["repeat"] else space

    return _PART.sub(of, pattern)


def _check_message(message: Message, at: Way, contexts: Set[str]) -> None:
    required = ("patterns", "links") if message.note else ("patterns", "links", "causes")
    if missing := next((name for name in required if not getattr(message, name)), ""):
        raise Invalid(f"{message.id} has no {missing}", (*at, missing))
    groups = (name for pattern in (*message.compiled, *message.compiled_beside) for name in pattern.groupindex)
    details = {*contexts, *groups}
    _check_condition(message.passed_unless, details, (*at, "passed_unless"))
    _check_condition(message.proves_where, details, (*at, "proves_where"))
    if message.others and SAID not in details:
        raise Invalid(f"no group of the patterns is called {SAID}", (*at, "others"))
    if unknown := set(_DETAIL.findall(message.note)) - details:
        raise Invalid(f"no group of the patterns is called {', '.join(sorted(unknown))}", (*at, "note"))
    for number, candidate in enumerate(message.candidates):
        for condition in (candidate.first, candidate.unless):
            _check_condition(condition, details, (*at, "causes", number))


def _check_condition(condition: MessageCondition | None, details: set[str], at: Way) -> None:
    if condition is None:
        return
    if unknown := {*condition.details, *filter(None, [condition.differs, condition.same])} - details:
        raise Invalid(f"no group of the patterns is called {', '.join(sorted(unknown))}", at)
    for pattern in condition.details.values():
        try:
            check_pattern(pattern, may_be_empty=True)
        except Unsafe as unsafe:
            raise Invalid(str(unsafe), at) from unsafe


def index_of_messages(folder: Path) -> bytes:
    """The index of the messages of a folder of causes, their contexts and the words of moods, which is shipped."""
    file = read_messages(folder)
    return msgspec.json.format(msgspec.json.encode(MessagesIndex(file.moods, file.contexts, file.messages)), indent=1) + b"\n"
