"""The regular expressions of Terraform's functions, as far as matching one surely ends soon.

Terraform's engine needs linear time at most, Python's may need exponential: what repeats a repetition, or may need many steps
on a text, is refused. https://developer.hashicorp.com/terraform/language/functions/regex
"""

import re
import warnings
from collections.abc import Sequence
from functools import lru_cache
from math import comb
from typing import NamedTuple

from irsa_doctor.sources.templates.values import TemplateValue

_TOKEN = re.compile(
    r"\\[.\\/\-:_^$*+?()\[\]{}|dwsDWSb]"
    r"|\[\^?(?:\\[.\\/\-:_^$*+?()\[\]{}|dws]|[^\]\[\\\n])+\]"
    r"|\((?:\?:|\?P<[A-Za-z_]\w*>)?(?!\?)|\)"
    r"|(?P<repeat>[*+]|\{\d{1,2},?\d{0,2}\})\??|\??\?"
    r"|[|^$.]|[^\\\[\](){}*+?|^$.\n]"
)
_PARTS, _STEPS = 300, 1_000_000
"""parts of a pattern, and ways to lay it on a text, up to which one is evaluated"""
_LONGEST = 1_000_000
"""characters of a text that is put together"""
_NUMBER = re.compile(r"0|[1-9][0-9]{0,7}")
_TEMPLATE = re.compile(r"\$(\$|[A-Za-z0-9_]+|\{[A-Za-z0-9_]+\})")


class RefusedPattern(ValueError):
    """A regular expression that is not evaluated."""


def first_match(pattern: str, text: str) -> TemplateValue | None:
    """Return what `regex` gives: the text of the first match, or a list or a map of its groups; None where there is none.

    Raises RefusedPattern.
    """
    match = _compiled(pattern, text).search(text)
    return None if match is None else _value_of(match)


def all_matches(pattern: str, text: str) -> TemplateValue:
    """Return what `regexall` gives, a list of the same. Raises RefusedPattern."""
    matches = list(_compiled(pattern, text).finditer(text))
    if any(not match[0] for match in matches):
        # the two engines do not agree on empty matches
        raise RefusedPattern
    return TemplateValue(tuple(map(_value_of, matches)))


def replaced_by_pattern(text: str, pattern: str, by: str) -> str:
    """Return a text with every match replaced, `$1` in `by` being a group. Raises RefusedPattern."""
    compiled = _compiled(pattern, text)
    if len(text) * len(by) > _LONGEST or any(not match[0] for match in compiled.finditer(text)):
        raise RefusedPattern
    return compiled.sub(lambda match: _TEMPLATE.sub(lambda name: _group(match, name[1]), by), text)


def _group(match: re.Match[str], name: str) -> str:
    name = name.strip("{}")
    if name == "$":
        return "$"
    if _NUMBER.fullmatch(name):
        return match[int(name)] or "" if int(name) <= match.re.groups else ""
    return match[name] or "" if name in match.re.groupindex else ""


def _value_of(match: re.Match[str]) -> TemplateValue:
    if names := match.re.groupindex:
        return TemplateValue({name: TemplateValue(match[name]) for name in names})
    groups = match.groups()
    return TemplateValue(tuple(map(TemplateValue, groups)) if groups else match[0])


def _compiled(pattern: str, text: str) -> re.Pattern[str]:
    prepared = _prepared(pattern)
    if comb(len(text) + prepared.lengths, prepared.lengths) << prepared.branches > _STEPS:
        raise RefusedPattern
    return prepared.compiled


class _Prepared(NamedTuple):
    """A pattern for Python, how many lengths in it are open, the start of the match among them, and how many choices."""

    compiled: re.Pattern[str]
    lengths: int
    branches: int


@lru_cache(maxsize=256)
def _prepared(pattern: str) -> _Prepared:
    tokens = _tokens(pattern)
    words = [token for token, _ in tokens]
    repeats = [number for number, (_, is_repeat) in enumerate(tokens) if is_repeat]
    if any(number and (words[number - 1] in (")", "?", "??") or number - 1 in repeats) for number in repeats):
        raise RefusedPattern
    # `$` is the end of the text for Terraform, and for Python also what stands before a last line break
    python = "".join(r"\Z" if word == "$" else word for word in words)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled = re.compile(python, re.ASCII)
    except (re.error, FutureWarning, RecursionError, OverflowError):
        raise RefusedPattern from None
    if 0 < len(compiled.groupindex) < compiled.groups:
        # Terraform has no value for groups of which only some have names
        raise RefusedPattern
    is_anchored = pattern.startswith("^") and "|" not in words
    branches = sum(word in ("?", "??", "|") for word in words)
    return _Prepared(compiled, len(repeats) + (not is_anchored), branches)


def _tokens(pattern: str) -> Sequence[tuple[str, bool]]:
    """The parts of a pattern, and whether each is a repetition of what stands before it."""
    tokens: list[tuple[str, bool]] = []
    at = 0
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if match is None or match.end() == at or len(tokens) > _PARTS:
            raise RefusedPattern
        tokens.append((match[0], match["repeat"] is not None))
        at = match.end()
    return tokens
