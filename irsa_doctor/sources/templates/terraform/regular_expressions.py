"""The regular expressions of Terraform's functions, as far as matching one surely ends soon.

Terraform's engine needs linear time at most, Python's may need exponential: what repeats a repetition, or repeats often, is
refused. https://developer.hashicorp.com/terraform/language/functions/regex
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from irsa_doctor.sources.templates.values import TemplateValue

_TOKEN = re.compile(
    r"\\[.\\/\-:_^$*+?()\[\]{}|dwsDWSb]"
    r"|\[\^?(?:\\[.\\/\-:_^$*+?()\[\]{}|dws]|[^\]\[\\\n])+\]"
    r"|\((?:\?:|\?P<[A-Za-z_]\w*>)?(?!\?)|\)"
    r"|(?P<repeat>[*+]|\{\d{1,2},?\d{0,2}\})\??|\??\?"
    r"|[|^$.]|[^\\\[\](){}*+?|^$.\n]"
)
_LONGEST, _REPEATS, _BRANCHES = 300, 3, 10
"""characters of a text and parts of a pattern, repetitions, optional parts and alternatives, up to which one is evaluated"""
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
    if any(not match[0] for match in compiled.finditer(text)):
        raise RefusedPattern
    return compiled.sub(lambda match: _TEMPLATE.sub(lambda name: _group(match, name[1]), by), text)


def _group(match: re.Match[str], name: str) -> str:
    name = name.strip("{}")
    if name == "$":
        return "$"
    known = int(name) <= len(match.groups()) if name.isdecimal() else name in match.re.groupindex
    return (match[int(name) if name.isdecimal() else name] or "") if known else ""


def _value_of(match: re.Match[str]) -> TemplateValue:
    if names := match.re.groupindex:
        return TemplateValue({name: TemplateValue(match[name]) for name in names})
    groups = match.groups()
    return TemplateValue(tuple(map(TemplateValue, groups)) if groups else match[0])


def _compiled(pattern: str, text: str) -> re.Pattern[str]:
    if len(text) > _LONGEST:
        raise RefusedPattern
    return _prepared(pattern)


@lru_cache(maxsize=256)
def _prepared(pattern: str) -> re.Pattern[str]:
    tokens = _tokens(pattern)
    repeats = [number for number, (_, is_repeat) in enumerate(tokens) if is_repeat]
    most = _REPEATS if pattern.startswith("^") else _REPEATS - 1
    branches = sum(token in ("?", "??", "|") for token, _ in tokens)
    if len(repeats) > most or branches > _BRANCHES or any(number and tokens[number - 1][0] == ")" for number in repeats):
        raise RefusedPattern
    # `$` is the end of the text for Terraform, and for Python also what stands before a last line break
    python = "".join(r"\Z" if token == "$" else token for token, _ in tokens)
    try:
        return re.compile(python, re.ASCII)
    except (re.error, RecursionError, OverflowError):
        raise RefusedPattern from None


def _tokens(pattern: str) -> Sequence[tuple[str, bool]]:
    """The parts of a pattern, and whether each is a repetition of what stands before it."""
    tokens: list[tuple[str, bool]] = []
    at = 0
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if match is None or match.end() == at or len(tokens) > _LONGEST:
            raise RefusedPattern
        tokens.append((match[0], match["repeat"] is not None))
        at = match.end()
    return tokens
