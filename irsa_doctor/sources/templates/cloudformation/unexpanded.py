"""Texts of a CloudFormation template that no function expands, and the placeholders in them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html
"""

import hashlib
from collections.abc import Callable

from irsa_doctor.model import UNEXPANDED, Hole, Text
from irsa_doctor.text.placeholders import with_holes

_LONGEST_NAME = 60


def unexpanded(text: str, declares: Callable[[str], bool]) -> str | Text:
    """Return a text with holes for its placeholders. One that names a parameter or a resource of the template was meant for
    `Fn::Sub`, which is not there: its name says so, so that it is not taken for the same one where it is expanded."""
    marked = with_holes(text)
    return marked if isinstance(marked, str) else Text(tuple(_marked(part, declares) for part in marked.parts))


def _marked(part: str | Hole, declares: Callable[[str], bool]) -> str | Hole:
    if isinstance(part, str) or not (part.name.startswith("${") and declares(part.name[2:-1].strip())):
        return part
    return Hole(f"{part.name}{UNEXPANDED}")


def named_argument(argument: object) -> str:
    """Return a short name for the argument of a function that is not evaluated. Other arguments have other names: holes of one
    name are equal."""
    words = _words(argument)
    if len(words) <= _LONGEST_NAME:
        return words
    return f"{words[:_LONGEST_NAME]}... {hashlib.sha256(words.encode()).hexdigest()[:8]}"


def _words(argument: object) -> str:
    if isinstance(argument, dict):
        return " ".join(f"{name} {_words(item)}" for name, item in argument.items())
    if isinstance(argument, list):
        return ", ".join(f"({_words(item)})" if isinstance(item, list) else _words(item) for item in argument)
    return str(argument)
