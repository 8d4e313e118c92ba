"""Runs the examples of messages: each text is recognised, in every wrapper of SDKs, and leads to its causes in order."""

from collections.abc import Iterator, Sequence

import msgspec

from irsa_doctor.answers.why.message_wrappers import WRAPPERS
from irsa_doctor.answers.why.ranking import ranked_alone
from irsa_doctor.answers.why.symptoms import symptoms_in
from irsa_doctor.rulebook.message_files import MessageExample, MessageFile
from irsa_doctor.rulebook.messages import Message

_SHOWN = 60
"""characters of an example that name it"""


class MessageFailure(msgspec.Struct, frozen=True, order=True):
    """An example of a message that is not what it should be."""

    message: str
    example: str
    says: str


def message_failures(file: MessageFile, others: Sequence[Message] = ()) -> Iterator[MessageFailure]:
    """Every example of a file against all messages; `others` are those of which its texts may not be either."""
    known = (*file.messages, *others)
    for message in file.messages:
        for number, example in enumerate(file.examples[message.id]):
            for shape, text in _forms(file, example, all_of_them=number == 0):
                if says := _failure(message, example, text, known):
                    name = f"{example.text[:_SHOWN]}{f' ({shape})' if shape else ''}"
                    yield MessageFailure(message.id, name, says)
        yield from _never_first(file, message)


def count_examples(file: MessageFile) -> int:
    """The texts that are read."""
    return sum(
        1
        for examples in file.examples.values()
        for number, example in enumerate(examples)
        for _ in _forms(file, example, all_of_them=number == 0)
    )


def _texts(file: MessageFile, example: MessageExample) -> Iterator[tuple[str, str]]:
    """The text itself and, where it has a code of STS, as each SDK prints it."""
    yield "", example.text
    for name, shape in file.wrappers.items() if example.code else ():
        yield name, shape.replace("{code}", example.code).replace("{text}", example.text)


def _forms(file: MessageFile, example: MessageExample, *, all_of_them: bool) -> Iterator[tuple[str, str]]:
    """The texts of an example in every form of logs; those of SDKs only for the first example of a message."""
    for shape, text in _texts(file, example):
        yield shape, text
        for name, wrap in WRAPPERS.items() if all_of_them or not shape else ():
            yield f"{shape}, {name}" if shape else name, wrap(text)


def _failure(message: Message, example: MessageExample, text: str, known: Sequence[Message]) -> str:
    symptoms = symptoms_in(text, known)
    if not symptoms or symptoms[0].id != message.id:
        return f"is read as {symptoms[0].id}" if symptoms else "is not recognised"
    causes = ranked_alone(symptoms[0])[: len(example.causes)]
    if causes != tuple(example.causes):
        return f"leads to {', '.join(causes)}; expected {', '.join(example.causes)}"
    return ""


def _never_first(file: MessageFile, message: Message) -> Iterator[MessageFailure]:
    """Causes that the details of a message put first, and no example does."""
    first = {example.causes[0] for example in file.examples[message.id] if example.causes}
    for candidate in message.candidates:
        if candidate.first and candidate.first.details and candidate.id not in first:
            yield MessageFailure(message.id, "", f"no example in which {candidate.id} is first")
