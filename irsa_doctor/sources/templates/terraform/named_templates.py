"""The templates that configuration names, whether or not its expressions had to be evaluated, or could be.

https://developer.hashicorp.com/terraform/language/functions/templatefile
"""

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.reading import DocumentReading

_TEXT = regex(rb'"((?:\$\{[^}"\n]{0,200}\}|[^"$\n]){1,400}\.[A-Za-z0-9]{2,8})"')
"""a text in quotes that ends like the name of a file"""
_OWN = regex(r"^(?:\$\{path\.(?:module|root|cwd)\}/|\./)+")
_HOLE = regex(r"\$\{[^}]*\}")


def named_templates(readings: Iterable[DocumentReading], candidates: Iterable[str]) -> set[str]:
    """Return those of some files that texts of the configuration name, relative to the folder in which they stand.

    What is not known of a path may be anything.
    """
    left = {os.path.normpath(path): path for path in candidates}
    named: set[str] = set()
    for reading in readings:
        if reading.syntax and left:
            literals = set(_paths(reading.syntax.text))
            folder = os.path.dirname(reading.path)
            patterns = {os.path.normpath(os.path.join(folder, literal)) for literal in literals}
            named |= {path for name, path in left.items() if name in patterns or _fits(name, patterns)}
    return named


def _paths(text: bytes) -> Iterator[str]:
    for match in _TEXT.finditer(text):
        path = _HOLE.sub("*", _OWN.sub("", match[1].decode(errors="replace")))
        if os.path.splitext(path)[0].strip("*./"):
            yield path


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any("*" in pattern and "[" not in pattern and fnmatchcase(name, pattern) for pattern in patterns)
