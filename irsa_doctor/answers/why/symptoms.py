"""Symptoms: the kinds of messages in a text, whatever SDK printed them and whatever log they were pasted from."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.rulebook.messages import Candidate, Message, MessageCondition, MessageEffect, shipped_messages
from irsa_doctor.rulebook.patterns import FLAGS
from irsa_doctor.text.secrets import excerpt

_LONGEST = 1 << 19
"""characters at either end of a text that are searched: messages are where a log begins or where it ends"""


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
        of_case = condition.differs or condition.holds or condition.circumstance
        return not of_case and all(self.matches(name, pattern) for name, pattern in condition.details.items())

    def matches(self, detail: str, pattern: str) -> bool:
        """Whether a pattern is found in a detail of the message."""
        return detail in self.details and re.search(pattern, self.details[detail], FLAGS) is not None


def symptoms_in(text: str, messages: Sequence[Message] | None = None) -> tuple[Symptom, ...]:
    """Every kind of message in a text, in the order of `symptoms.yaml`; a weak one only where there is no other."""
    known = shipped_messages() if messages is None else messages
    if len(text) > 2 * _LONGEST:
        text = text[:_LONGEST] + "\n" + text[-_LONGEST:]
    strong = tuple(_read(text, (message for message in known if not message.weak)))
    return strong or tuple(_read(text, (message for message in known if message.weak)))[:1]


def _read(text: str, messages: Iterable[Message]) -> Iterator[Symptom]:
    for message in messages:
        if match := _match(text, message):
            details = {name: value for name, value in match.groupdict().items() if value}
            symptom = Symptom(
                id=message.id,
                candidates=tuple(message.candidates),
                links=message.links,
                effect=message.effect,
                proves=message.proves,
                says=excerpt(match[0]),
                passed=message.passed,
                note=_note(message.note, details),
                details=details,
                weak=message.weak,
            )
            unless = message.passed_unless
            yield msgspec.structs.replace(symptom, passed=()) if unless and symptom.meets(unless) else symptom


def _note(note: str, details: Mapping[str, str]) -> str:
    """A note with its {details}, which come from the message and are masked."""
    return _DETAIL.sub(lambda name: excerpt(details.get(name[1], "")) or name[1].upper(), note)


def _match(text: str, message: Message) -> re.Match[str] | None:
    return next((match for pattern in message.compiled if (match := pattern.search(text))), None)
