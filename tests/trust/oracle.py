"""Languages as automata of a library that others wrote: slow, general, and a good judge."""

import re
from functools import lru_cache

import interegular
from interegular.fsm import FSM, anything_else

from irsa_doctor.trust.languages import All, Any, Finite, Language, Like, Not
from irsa_doctor.trust.patterns import Glob, Wild

_REGEX = {Wild.MANY: r"(.|\n)*", Wild.ONE: r"(.|\n)", Wild.MANY_IN: "[^:]*", Wild.ONE_IN: "[^:]"}
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBJECTS = rf"system:serviceaccount:{_LABEL}:{_LABEL}(\.{_LABEL})*"


@lru_cache(maxsize=4096)
def automaton_of(regex: str) -> FSM:
    return interegular.parse_pattern(regex).to_fsm()


def minted() -> FSM:
    """Every subject that a cluster can mint."""
    return automaton_of(_SUBJECTS)


def everything() -> FSM:
    return automaton_of(r"(.|\n)*")


def of_glob(glob: Glob) -> FSM:
    regex = "".join(_REGEX[t] if isinstance(t, Wild) else _char(t, glob.ignore_case) for t in glob.tokens())
    fsm = automaton_of(regex)
    return fsm & automaton_of(r"arn:(.|\n)*") if glob.arn else fsm


def _char(char: str, ignore_case: bool) -> str:
    if ignore_case and char.isalpha():
        return f"[{char.lower()}{char.upper()}]"
    return re.escape(char) if not char.isalnum() else char


def of_language(language: Language) -> FSM:
    """The same language; everything but the empty one has some pattern, literal or complement in it."""
    if isinstance(language, Finite):
        return _united([automaton_of("".join(map(_literal, value))) for value in sorted(language.values)])
    if isinstance(language, Like):
        return of_glob(language.glob)
    if isinstance(language, Not):
        return everything() - of_language(language.inner)
    parts = [of_language(part) for part in language.parts]
    if isinstance(language, Any):
        return _united(parts)
    assert isinstance(language, All)
    whole = parts[0]
    for part in parts[1:]:
        whole &= part
    return whole


def _literal(char: str) -> str:
    return _char(char, ignore_case=False)


def _united(parts: list[FSM]) -> FSM:
    if not parts:
        return everything() - everything()
    whole = parts[0]
    for part in parts[1:]:
        whole |= part
    return whole


def same(one: FSM, other: FSM) -> bool:
    return (one - other).empty() and (other - one).empty()


def counted(fsm: FSM) -> int | None:
    """How many words: 0, 1, 2 (several) or None (infinitely many lengths); an unnamed character stands for many."""
    alive = {state for state in fsm.map if fsm.islive(state)}
    symbols = {number: 2 if anything_else in chars else len(chars) for number, chars in fsm.alphabet.by_transition.items()}
    done: dict[object, int] = {}
    waiting: set[object] = set()

    def words(state: object) -> int | None:
        if state in done:
            return done[state]
        if state in waiting:
            return None
        waiting.add(state)
        total = int(state in fsm.finals)
        for number, target in fsm.map.get(state, {}).items():
            if target in alive:
                more = words(target)
                if more is None:
                    return None
                total += symbols[number] * more
        done[state] = min(total, 2)
        return done[state]

    return words(fsm.initial) if fsm.initial in alive else 0


def shortest(fsm: FSM) -> int:
    """The length of the shortest word; there has to be one."""
    length, reached, seen = 0, {fsm.initial}, {fsm.initial}
    while not reached & fsm.finals:
        reached = {target for state in reached for target in fsm.map.get(state, {}).values()} - seen
        seen |= reached
        length += 1
    return length
