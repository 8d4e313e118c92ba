"""Symptoms: the kinds of messages in a text, whatever SDK printed them and whatever log they were pasted from."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from irsa_doctor.rulebook.messages import (
    NEAR,
    SAID,
    Candidate,
    Message,
    MessageCondition,
    MessageEffect,
    shipped_contexts,
    shipped_messages,
    shipped_moods,
)
from irsa_doctor.rulebook.pattern_words import required_words
from irsa_doctor.rulebook.patterns import FLAGS
from irsa_doctor.text.mask import excerpt
from irsa_doctor.text.pasted import joined_lines, looks_broken, readings, rejoined

_LONGEST = 1 << 21
"""characters at either end of a text that are searched: messages are where a log begins or where it ends"""


_BROKEN = 1 << 16
"""characters of a text whose lines a terminal may have broken"""
GAP = 4000
"""characters without a message that separate two parts of a log"""
_MOST = 10_000
"""times that one message is looked for in a text"""
_MOST_JUDGED = 100
"""of those, of which it is read whether a person asserts them, and what is near them"""
_ROUNDS = 3
"""times that a message is looked for without the words that nobody asserts"""
_BEFORE = 60
"""characters in which it stands of whom something is said"""
_DETAIL = re.compile(r"\{([a-z]+)\}")


class Symptom(msgspec.Struct, frozen=True, kw_only=True):
    """A message in a text: `id` is that of its kind, `candidates` the causes that it fits, the likeliest first.

    `says` is what was read, without secrets; `details` the parts of it that have a name. The other fields are those of
    `rulebook.messages.Message`.
    """

    id: str
    candidates: tuple[Candidate, ...]
    links: tuple[str, ...]
    effect: MessageEffect = "broken"
    proves: str = ""
    proves_where: MessageCondition | None = None
    says: str = ""
    passed: tuple[str, ...] = ()
    note: str = ""
    details: Mapping[str, str] = {}
    weak: bool = False

    @property
    def causes(self) -> tuple[str, ...]:
        """The ids of the candidates, in order."""
        return tuple(candidate.id for candidate in self.candidates)

    def meets(self, condition: MessageCondition) -> bool:
        """Whether a condition is about the message alone, and holds."""
        of_case = condition.differs or condition.same or condition.holds or condition.circumstance
        return not of_case and all(self.matches(name, pattern) for name, pattern in condition.details.items())

    def matches(self, detail: str, pattern: str) -> bool:
        """Whether a pattern is found in a detail of the message."""
        return detail in self.details and re.search(pattern, self.details[detail], FLAGS) is not None


def symptoms_in(text: str, messages: Sequence[Message] | None = None) -> tuple[Symptom, ...]:
    """Every kind of message in a text; a weak one only where there is no other.

    Those of the newest part of a log come first, those of one part in the order of `symptoms.yaml`. Escapes, colours and line
    breaks of the log do not matter.
    """
    known = shipped_messages() if messages is None else messages
    if len(text) > 2 * _LONGEST:
        text = text[:_LONGEST] + "\n" + text[-_LONGEST:]
    *bare, plain = readings(text)
    unbroken = rejoined(plain)
    forms = [_Form(plain)] if unbroken == plain else [_Form(plain), _Form(unbroken)]
    lined, escaped = _Form(_joined(plain)), [_Form(form) for form in bare]
    attempts = (forms, lined), (escaped, _Form("")), ([lined], _Form(""))
    strong = next(filter(None, (_strong(forms, joint, known) for forms, joint in attempts)), ())
    return strong or tuple(islice(_weak([*forms, *escaped, lined], known), 1))


def _joined(text: str) -> str:
    """A text with its lines joined, "" where it has one only, or is too long for a message that a terminal has broken."""
    return joined_lines(text) if len(text) <= _BROKEN and "\n" in text.strip() else ""


def _strong(forms: Sequence["_Form"], lined: "_Form", known: Sequence[Message]) -> tuple[Symptom, ...]:
    """The strong messages of any form, each once with the most details, the newest part first.

    Joined lines can have messages that no line has; where the lines do not look broken, they only complete what was read.
    """
    strong = [message for message in known if not message.weak]
    matched: dict[str, _Match] = {}
    for form in [*forms, lined] if lined.text and looks_broken(forms[0].text) else forms:
        _complete(matched, _matches(form, strong))
    _complete(matched, _matches(lined, [match.message for match in matched.values()]))
    for hidden in {ident for match in matched.values() for ident in match.message.instead_of}:
        matched.pop(hidden, None)
    order = {message.id: number for number, message in enumerate(known)}
    in_order = sorted(matched.values(), key=lambda match: order[match.message.id])
    return tuple(match.symptom for match in _newest_first(in_order))


def _complete(matched: dict[str, "_Match"], matches: Iterable["_Match"]) -> None:
    """Adds matches of new messages, and replaces those that have fewer details."""
    for match in list(matches):
        before = matched.get(match.message.id)
        if before is None or len(match.details) > len(before.details):
            matched[match.message.id] = match


def _newest_first(matches: Sequence["_Match"]) -> list["_Match"]:
    """Matches by the part of the log that they are in: a gap without any ends a part. In a part the order stays."""
    part, parts, before = 0, {}, 0
    for match in sorted(matches, key=lambda match: match.end):
        part += match.end - before > GAP
        parts[match.message.id], before = part, match.end
    return sorted(matches, key=lambda match: -parts[match.message.id])


def _weak(forms: Sequence["_Form"], known: Sequence[Message]) -> Iterator[Symptom]:
    """The weak messages in their order, each of the form in which it says most: a broken line must not hide that."""
    for message in known:
        if message.weak and (found := [match for form in forms for match in _matches(form, [message])]):
            yield max(found, key=lambda match: len(match.details)).symptom


class _Match(NamedTuple):
    """A message in a text, the last place where it is, and what was found near it."""

    message: Message
    match: re.Match[str]
    beside: re.Match[str] | None = None

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.match.end()

    @property
    def details(self) -> dict[str, str]:
        """The named parts that were read, of the message, of what stands beside it and of the text around it."""
        around = {name: context.around(self.match) for name, context in shipped_contexts().items()}
        named = {**around, **(self.beside.groupdict() if self.beside else {}), **self.match.groupdict()}
        return {name: value for name, value in named.items() if value}

    @property
    def symptom(self) -> Symptom:
        """What the message says and means."""
        message = self.message
        details = self.details
        symptom = Symptom(
            id=message.id,
            candidates=tuple(message.candidates),
            links=message.links,
            effect=message.effect,
            proves=message.proves,
            proves_where=message.proves_where,
            says=excerpt(self.match[0]),
            passed=message.passed,
            note=_note(message.note, details),
            details=details,
            weak=message.weak,
        )
        unless = message.passed_unless
        return msgspec.structs.replace(symptom, passed=()) if unless and symptom.meets(unless) else symptom


def _matches(text: "_Form", messages: Iterable[Message]) -> Iterator[_Match]:
    """The messages of a text, each by the first of its patterns that matches, where it matches last."""
    for message in messages:
        if message.beside and not any(map(text.may_match, message.beside)):
            continue
        patterns = (pattern for pattern in message.compiled if text.may_match(pattern.pattern))
        if match := next(filter(None, (_last_of(message, pattern, text.text) for pattern in patterns)), None):
            yield match


def _last_of(message: Message, pattern: re.Pattern[str], text: str) -> _Match | None:
    """The last match of a pattern; words of a person that are not asserted are as if they were not there.

    It is looked for without them again where a match reaches beyond them: others may be in that part.
    """
    left = text
    for _ in range(_ROUNDS):
        matches = list(islice(pattern.finditer(left), _MOST))
        unsaid, reach_on = [], False
        for match in reversed(matches[-_MOST_JUDGED:]):
            if SAID in pattern.groupindex and not _is_asserted(message, text, *match.span(SAID)):
                unsaid.append(match.span(SAID))
                reach_on = reach_on or match.span(SAID) != match.span()
            elif found := _with_what_is_near(message, match, text):
                return found
        if not reach_on:
            return None
        left = _without(left, unsaid)
    return None


def _with_what_is_near(message: Message, match: re.Match[str], text: str) -> _Match | None:
    """A match with what is near it; None where nothing is that must be."""
    if not message.beside:
        return _Match(message, match)
    around = max(0, match.start() - NEAR), match.end() + NEAR
    beside = next(filter(None, (pattern.search(text, *around) for pattern in message.compiled_beside)), None)
    return _Match(message, match, beside) if beside else None


def _is_asserted(message: Message, text: str, start: int, end: int) -> bool:
    """Whether the words between two places are asserted, and of one of whom they matter."""
    before = text[max(0, start - _BEFORE) : start]
    return not message.says_of_others(before) and shipped_moods().mood_at(text, start, end) is None


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """A text with blanks in the place of some of its parts."""
    parts, at = [], 0
    for start, end in sorted(spans):
        parts += [text[at:start], " " * (end - max(start, at))]
        at = max(end, at)
    return "".join([*parts, text[at:]])


class _Form:
    """A text in one of its forms, with the words that were looked for in it: most patterns need not be searched."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lowered = text.lower()
        self._has: dict[str, bool] = {}

    def may_match(self, pattern: str) -> bool:
        """Whether it has the words that a pattern requires."""
        return all(any(map(self._has_word, words)) for words in required_words(pattern))

    def _has_word(self, word: str) -> bool:
        if word not in self._has:
            self._has[word] = word in self._lowered
        return self._has[word]


def _note(note: str, details: Mapping[str, str]) -> str:
    """A note with its {details}, which come from the message and are masked."""
    return _DETAIL.sub(lambda name: excerpt(details.get(name[1], "")) or name[1].upper(), note)
