"""Words that a text must have to be a message: by them most of a log is passed over."""

import re._constants as ops  # type: ignore[import-not-found, unused-ignore]
import re._parser as parser  # type: ignore[import-not-found, unused-ignore]
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from irsa_doctor.rulebook.messages import Message
from irsa_doctor.rulebook.patterns import FLAGS

RARE = 7
"""characters of a word that few lines have"""
_SHORTEST = 4
_IN_WORDS = "._-"


def words_of(messages: Iterable[Message]) -> tuple[str, ...]:
    """Words in lower case, one of which is in every text that one of the messages is known by; none is part of another.

    Those of weak messages only where they are rare.
    """
    patterns = [(message, pattern) for message in messages for pattern in (*message.patterns, *message.beside)]
    words = {word for message, pattern in patterns for word in words_in(pattern) if len(word) >= RARE or not message.weak}
    # where part of a word is looked for anyway, the word need not be; a common part is no reason to forget a rare word
    longer = (word for word in words if not any(o != word and o in word and len(o) >= min(RARE, len(word)) for o in words))
    return tuple(sorted(longer))


def words_in(pattern: str) -> frozenset[str]:
    """Words in lower case, one of which is in every text that a pattern matches; none where it requires no word."""
    return max(required_words(pattern), key=_rarity, default=frozenset())


@lru_cache(maxsize=2000)
def required_words(pattern: str) -> tuple[frozenset[str], ...]:
    """Sets of words in lower case: of each of them, one is in every text that a pattern matches."""
    return tuple(sorted(set(_required(parser.parse(pattern, FLAGS))), key=_rarity, reverse=True))


def _rarity(words: frozenset[str]) -> tuple[int, float]:
    return min(map(len, words)), sum(map(len, words)) / len(words)


def _required(parts: Iterable[tuple[Any, Any]]) -> Iterator[frozenset[str]]:
    """Of each part of a sequence, the alternatives of which a match has one, where the shortest is long enough."""
    run = ""
    for operator, argument in (*parts, (None, None)):
        if operator is ops.LITERAL and (chr(argument).isalnum() or chr(argument) in _IN_WORDS):
            run += chr(argument).lower()
            continue
        if len(run) >= _SHORTEST:
            yield frozenset({run})
        run = ""
        yield from _inside(operator, argument)


def _inside(operator: Any, argument: Any) -> Iterator[frozenset[str]]:
    if operator is ops.SUBPATTERN:
        yield from _required(argument[3])
    elif operator is ops.ATOMIC_GROUP:
        yield from _required(argument)
    elif operator in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT) and argument[0]:
        yield from _required(argument[2])
    elif operator is ops.BRANCH:
        branches = [max(_required(branch), key=_rarity, default=frozenset[str]()) for branch in argument[1]]
        if all(branches):
            yield frozenset[str]().union(*branches)
