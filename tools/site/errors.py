"""Troubleshooting by error message: a page for every message, on which each of its texts is a heading."""

import shlex
from collections.abc import Iterator, Sequence
from functools import cache

from irsa_doctor.answers.why.links import LINKS
from irsa_doctor.rulebook.cause_files import causes_folder
from irsa_doctor.rulebook.causes import Cause, all_causes
from irsa_doctor.rulebook.message_files import MessageExample, MessageFile, read_messages
from irsa_doctor.rulebook.messages import Message
from tools.site.page import Page, block, bullets, code, command, literal, page, prose, table, titled

_LONGEST = 180
"""letters of a heading; the whole text is below it"""
_INTRODUCTION = (
    "Every error message that is recognised, by the link between service account and role at which it points. Each leads to "
    "its candidate causes and to the command that tells them apart. Paste a text of your own instead:"
)
_PLACEHOLDERS = "NAMESPACE/SERVICEACCOUNT"


@cache
def message_file() -> MessageFile:
    """The messages with their examples, as they are in the file."""
    return read_messages(causes_folder())


def heading_of(example: MessageExample) -> str:
    """An error text as people paste it into a search: with its code, in one line, not longer than a heading."""
    coded = example.text if not example.code or example.code in example.text else f"{example.code}: {example.text}"
    text = " ".join(coded.split())
    return text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0] + " …"


def error_title(text: str) -> str:
    """A heading, or the text of a link, of an error text."""
    return literal(text)


def messages_of(cause: str) -> list[tuple[Message, str]]:
    """The messages that a cause explains, each with its first text."""
    file = message_file()
    fitting = (message for message in file.messages if any(candidate.id == cause for candidate in message.candidates))
    return [(message, heading_of(file.examples[message.id][0])) for message in fitting]


def error_pages() -> Iterator[Page]:
    """The page of every message, and the list of them."""
    file = message_file()
    for message in file.messages:
        yield _message_page(message, file.examples[message.id])
    yield Page("errors.md", _list(file))


def _message_page(message: Message, examples: Sequence[MessageExample]) -> Page:
    causes = [all_causes()[candidate.id] for candidate in message.candidates]
    first, *others = examples
    return page(
        f"errors/{message.id}.md",
        error_title(heading_of(first)),
        f"[Troubleshooting by error message](../errors.md) · points at: {_links(message)}",
        _whole(first),
        prose(message.note and command(message.note)),
        titled("Which cause is it", _candidates(causes)),
        titled("How to tell them apart", *_apart(first, causes)),
        *(titled(error_title(heading_of(example)), _whole(example), _leads(example)) for example in others),
    )


def _whole(example: MessageExample) -> str:
    return block(example.text)


def _links(message: Message) -> str:
    titles = {link.id: link.title for link in LINKS}
    return ", ".join(prose(titles[link]) for link in message.links) + " (a link of [`why`](../why.md))"


def _candidates(causes: Sequence[Cause]) -> str:
    if not causes:
        return "The message names its cause itself."
    likeliest = (
        "The likeliest first; what the files show, and the rest of the text, rules out others." if len(causes) > 1 else ""
    )
    rows = ([cause_link(cause), literal(cause.title), prose(cause.remedy)] for cause in causes)
    return "\n\n".join(filter(None, [likeliest, table(("cause", "what it is", "what to do"), rows)]))


def cause_link(cause: Cause, up: str = "../") -> str:
    """A link to the page of a cause."""
    return f"[{cause.id}]({up}{'rules' if cause.rule else 'causes'}/{cause.id}.md)"


def _apart(first: MessageExample, causes: Sequence[Cause]) -> Iterator[str]:
    shown = heading_of(first).removesuffix(" …")
    yield "With the files of the cluster and the account, or with `--live`:"
    yield block(f"irsa-doctor why {_PLACEHOLDERS} input/ --error {shlex.quote(shown)}", "sh")
    rows = [[cause_link(cause), code(command(cause.settle))] for cause in causes if cause.settle]
    if rows:
        yield "By hand, for each cause:"
        yield table(("cause", "what settles it"), rows)


def _leads(example: MessageExample) -> str:
    causes = ", ".join(cause_link(all_causes()[ident]) for ident in example.causes)
    return f"First: {causes}." if causes else ""


def _list(file: MessageFile) -> str:
    parts = [
        "# Troubleshooting by error message",
        _INTRODUCTION,
        block(f"irsa-doctor why {_PLACEHOLDERS} input/ --error 'the text, a log, or an event'", "sh"),
    ]
    by_link = ((link, [message for message in file.messages if message.links[0] == link.id]) for link in LINKS)
    parts += [titled(prose(link.title[0].upper() + link.title[1:]), bullets(_texts(file, listed))) for link, listed in by_link]
    return "\n\n".join(filter(None, parts)) + "\n"


def _texts(file: MessageFile, listed: Sequence[Message]) -> Iterator[str]:
    for message in listed:
        for example in file.examples[message.id]:
            yield f"[{error_title(heading_of(example))}](errors/{message.id}.md)"
