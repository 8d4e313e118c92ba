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
    patterns = [(message, pattern) for message in messages for pattern in message.patterns]
    words = {word for message, pattern in patterns for word in words_in(pattern) if len(word) >= RARE or not message.weak}
    # where part of a word is looked for anyway, the word need not be; a common part is no reason to forget a rare word
    longer = (word for word in words if not any(o != word and o in word and len(o) >= min(RARE, len(word)) for o in words))
    return tuple(sorted(longer))


@lru_cache(maxsize=1000)
def words_in(pattern: str) -> frozenset[str]:
    """Words in lower case, one of which is in every text that a pattern matches; none where it requires no word."""
    return _best(parser.parse(pattern, FLAGS)) or frozenset()


def _best(parts: Iterable[tuple[Any, Any]]) -> frozenset[str] | None:
    """The alternatives of which a match of a sequence has one, those whose shortest is the longest; None where it has none."""
    found = [words for words in _required(parts) if min(map(len, words)) >= _SHORTEST]
    return max(found, key=lambda words: (min(map(len, words)), sum(map(len, words)) / len(words)), default=None)


def _required(parts: Iterable[tuple[Any, Any]]) -> Iterator[frozenset[str]]:
    run = ""
    for operator, argument in parts:
        if operator is ops.LITERAL and (chr(argument).isalnum() or chr(argument) in _IN_WORDS):
            run += chr(argument).lower()
            continue
        if run:
            yield frozenset({run})
        run = ""
        if words := _inside(operator, argument):
            yield words
    if run:
        yield frozenset({run})


def _inside(operator: Any, argument: Any) -> frozenset[str] | None:
    if operator is ops.SUBPATTERN:
        return _best(argument[3])
    if operator is ops.ATOMIC_GROUP:
        return _best(argument)
    if operator in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
        return _best(argument[2]) if argument[0] else None
    if operator is ops.BRANCH:
        branches = [_best(branch) for branch in argument[1]]
        return frozenset(word for branch in branches for word in branch or ()) if all(branches) else None
    return None
