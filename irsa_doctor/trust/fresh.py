"""Finds service accounts that do not exist and that a language of subjects admits."""

from collections.abc import Collection, Iterator

from irsa_doctor.trust.languages import Any, Finite, Language, contains
from irsa_doctor.trust.spelling import spell
from irsa_doctor.trust.subjects import PREFIX, is_subject

_FRESH = "x7q9zk4w"
"""what no name in the input is expected to hold; where one does, it is made longer"""


def literal_accounts(language: Language) -> Iterator[tuple[str, str]]:
    """(namespace, name) of the service accounts that a language names literally."""
    parts = language.parts if isinstance(language, Any) else (language,)
    for part in parts:
        for value in part.values if isinstance(part, Finite) else ():
            if is_subject(value):
                namespace, _, name = value.removeprefix(PREFIX).partition(":")
                yield namespace, name


def fresh_account(language: Language, namespace: str, existing: Collection[str]) -> str:
    """A name that a language admits in a namespace by a pattern, and that no account there has; "" where there is none."""
    candidates = _candidates(language, namespace, _word(existing))
    return next((name for space, name in candidates if space == namespace and name not in existing), "")


def fresh_namespace(language: Language, existing: Collection[str], account: str = "") -> str:
    """A namespace that does not exist and in which a language admits, by a pattern, some account or the one of a name."""
    word = _word(existing)
    for space, name in _candidates(language, word, account or word):
        if word in space and space not in existing and (not account or name == account):
            return space
    return ""


def _word(existing: Collection[str]) -> str:
    word = _FRESH
    while any(word in name for name in existing):
        word += "q"
    return word


def _candidates(language: Language, namespace: str, word: str) -> Iterator[tuple[str, str]]:
    """Subjects of the language that its patterns make: with the namespace, or the word, where they have wildcards."""
    for pattern in spell(language).patterns:
        if "*" not in pattern and "?" not in pattern:
            continue
        for space, name in _filled(pattern, namespace, word):
            subject = f"{PREFIX}{space}:{name}"
            if is_subject(subject) and contains(language, subject):
                yield space, name


def _filled(pattern: str, namespace: str, word: str) -> Iterator[tuple[str, str]]:
    rest = pattern.removeprefix(PREFIX) if pattern.startswith(PREFIX) else "*"
    space, _, name = rest.partition(":")
    for own_space in dict.fromkeys((namespace, _plain(space, namespace), _plain(space, word))):
        for own_name in dict.fromkeys((word, _plain(name or "*", word))):
            yield own_space, own_name


def _plain(pattern: str, word: str) -> str:
    return pattern.replace("*", word).replace("?", "q")
