"""Messages of errors: how each is known, how far a request came that was answered so, and which causes it fits."""

import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

import msgspec

from irsa_doctor.rulebook.patterns import FLAGS
from irsa_doctor.text.moods import Moods

MessageEffect = Literal["broken", "none"]
SAID = "said"
"""the group of a pattern that holds words of a person"""
NEAR = 400
"""characters around a match in which something else must be"""
_INDEX = Path(__file__).parent / "symptoms_index.json"


class MessageCondition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What must be so of a message and of the case that it is about; every part of it.

    `details`: a named group of the message -> a pattern that is found in it. `differs`: a detail that is not what the case has
    under that name, `same`: one that is. `holds`: a link that the files prove to hold. `circumstance`: one of
    `answers.why.circumstances`.
    """

    details: dict[str, str] = {}
    differs: str = ""
    same: str = ""
    holds: str = ""
    circumstance: str = ""


class Candidate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A cause that a message fits: before all others `first` that condition holds, and not at all where `unless` does."""

    id: str
    first: MessageCondition | None = None
    unless: MessageCondition | None = None


class MessageContext(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """What the text around a message says of it: every message has it as a detail that has `pattern`, and nothing of `unless`,
    at most `before` characters before it, in it, or at most `after` characters after it."""

    pattern: str
    before: int
    after: int
    unless: str = ""

    @cached_property
    def _compiled(self) -> tuple[re.Pattern[str], re.Pattern[str] | None]:
        return re.compile(self.pattern, FLAGS), re.compile(self.unless, FLAGS) if self.unless else None

    def around(self, match: re.Match[str]) -> str:
        """What the text around a message has of the pattern, "" where it has nothing."""
        pattern, unless = self._compiled
        ends = max(0, match.start() - self.before), match.end() + self.after
        found = pattern.search(match.string, *ends)
        return found[0] if found and not (unless and unless.search(match.string, *ends)) else ""


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, dict=True):
    """One kind of message.

    `patterns`: it is known by the first of them that matches, without regard to case; groups with a name are its details.
    `links` are those that it points at: the first fails by the letter, unless there are several. `passed` are the
    links that a request which was answered so has passed, unless `passed_unless` holds. `effect`: broken where the workload
    does not get its credential. `proves` is a cause that the message alone proves, or only where `proves_where` holds.
    `weak`: it counts only where there is no other. `instead_of`: messages that are not meant where this one is. `note` says
    what the message means where no cause says it, with {details}. `beside`: patterns of which one must be found within
    `NEAR` characters of the match; that of the first of them gives details too.

    The group `said` of a pattern holds words of a person, and no output of a program: they count only where their sentence
    asserts them (`text.moods`), and not directly after one of `others`, a pattern of those of whom it is no fault.
    """

    id: str
    patterns: tuple[str, ...]
    links: tuple[str, ...]
    causes: tuple[str | Candidate, ...]
    passed: tuple[str, ...] = ()
    passed_unless: MessageCondition | None = None
    note: str = ""
    effect: MessageEffect = "broken"
    proves: str = ""
    proves_where: MessageCondition | None = None
    weak: bool = False
    instead_of: tuple[str, ...] = ()
    others: str = ""
    beside: tuple[str, ...] = ()

    @cached_property
    def compiled(self) -> tuple[re.Pattern[str], ...]:
        """The patterns, ready to be searched for."""
        return tuple(re.compile(pattern, FLAGS) for pattern in self.patterns)

    @cached_property
    def compiled_beside(self) -> tuple[re.Pattern[str], ...]:
        """The patterns of what must be near, ready to be searched for."""
        return tuple(re.compile(pattern, FLAGS) for pattern in self.beside)

    def says_of_others(self, before: str) -> bool:
        """Whether what stands before the words of a person is one of the others."""
        return self._others is not None and self._others.search(before) is not None

    @cached_property
    def _others(self) -> re.Pattern[str] | None:
        return re.compile(rf"(?:{self.others})\s{{1,9}}$", FLAGS) if self.others else None

    @property
    def candidates(self) -> Iterator[Candidate]:
        """The causes with their conditions, the likeliest first."""
        return (cause if isinstance(cause, Candidate) else Candidate(id=cause) for cause in self.causes)


class MessagesIndex(msgspec.Struct, frozen=True):
    """The messages in their order, the contexts of all by the name of their detail, and the words by which it is known
    whether a person asserts something."""

    moods: Moods
    contexts: Mapping[str, MessageContext]
    messages: tuple[Message, ...]


@cache
def _shipped() -> MessagesIndex:
    return msgspec.json.decode(_INDEX.read_bytes(), type=MessagesIndex)


def shipped_messages() -> tuple[Message, ...]:
    """The built-in messages, from the index that was verified when it was made."""
    return _shipped().messages


def shipped_moods() -> Moods:
    """The words by which it is known whether a person asserts something."""
    return _shipped().moods


def shipped_contexts() -> Mapping[str, MessageContext]:
    """The built-in contexts of messages by the name of their detail."""
    return _shipped().contexts
