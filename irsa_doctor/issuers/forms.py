"""The parts of a form of subjects: literal texts and segments, in order, and the characters that a segment can hold."""

from functools import lru_cache
from typing import NamedTuple

from irsa_doctor.issuers.profiles import Segment, SubjectTemplate
from irsa_doctor.model.regex import regex

_PART = regex(r"\{([a-z_]+)\}")
_ASCII = "".join(map(chr, range(0x20, 0x7F)))
_CONTROLS = "".join(map(chr, (*range(0x20), 0x7F)))


class FormPart(NamedTuple):
    """A part of a form: a literal text, or a segment with its name."""

    text: str
    name: str = ""
    segment: Segment | None = None


class Charset(NamedTuple):
    """The characters of a segment, the most readable first; `others`: those that are not ASCII too. `barred` are the rest of
    ASCII, where others are in."""

    chars: str
    others: bool = False
    barred: str = ""


@lru_cache(maxsize=1024)
def charset_of(text: str) -> Charset:
    """The characters of a charset as data files write it: ranges and characters, all but these, and but
    control characters, where it begins with `^`."""
    listed = _expanded(text.removeprefix("^"))
    if text.startswith("^"):
        barred = listed | set(_CONTROLS if listed else "")
        return Charset(_readable(set(_ASCII) - listed), others=True, barred="".join(sorted(barred)))
    return Charset(_readable(listed))


def is_in(charset: Charset, char: str) -> bool:
    """Whether a segment with a charset can hold a character."""
    return char in charset.chars or (charset.others and char not in charset.barred)


def _readable(chars: set[str]) -> str:
    """Characters, `x` before other letters, letters before digits and these before all else."""
    return "".join(sorted(chars, key=lambda char: (char != "x", not char.islower(), not char.isalnum(), char)))


def _expanded(text: str) -> set[str]:
    chars: set[str] = set()
    at = 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            chars.update(map(chr, range(ord(text[at]), ord(text[at + 2]) + 1)))
            at += 3
        else:
            chars.add(text[at])
            at += 1
    return chars


# templates are records of the data files, of which there are a few dozen
_KNOWN: dict[int, tuple[SubjectTemplate, tuple[FormPart, ...]]] = {}


def form_parts(template: SubjectTemplate) -> tuple[FormPart, ...]:
    """The parts of a form."""
    known = _KNOWN.get(id(template))
    if known is None:
        known = _KNOWN[id(template)] = (template, tuple(_parts(template)))
    return known[1]


def _parts(template: SubjectTemplate) -> list[FormPart]:
    parts: list[FormPart] = []
    for number, text in enumerate(_PART.split(template.form)):
        if number % 2:
            parts.append(FormPart("", text, template.segments[text]))
        elif text:
            parts.append(FormPart(text))
    return parts


def names_in(form: str) -> tuple[str, ...]:
    """The names of the segments of a form, in order."""
    return tuple(_PART.findall(form))
