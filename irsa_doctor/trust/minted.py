"""The subjects that an issuer mints in one of its forms, as an automaton; what of a language they are, and which shows it."""

from collections.abc import Sequence

from irsa_doctor.issuers.forms import FormPart, charset_of, form_parts
from irsa_doctor.issuers.profiles import SubjectTemplate
from irsa_doctor.trust.automaton import BUDGET, UNLIMITED, Shape, TooComplex, shape_of
from irsa_doctor.trust.languages import Language
from irsa_doctor.trust.patterns import Wild
from irsa_doctor.trust.segments import Token

_Classes = tuple[tuple[int, str], ...]
_LEFT = 0
"""the state of texts of which no continuation has the form"""


class FormGrammar:
    """The texts of one form: literal parts, and segments of at least one character."""

    start = 1

    def __init__(self, parts: tuple[FormPart, ...]) -> None:
        self._rows: list[dict[int, str]] = [{}, {}]
        self._barred: dict[int, str] = {}
        ends = [self.start]
        for part in parts:
            ends = self._literals(ends, (part.text,)) if part.segment is None else self._segment(ends, part)
        self._accepted = frozenset(ends)
        self._classes = tuple(self._classes_of(state) for state in range(len(self._rows)))

    def _state(self) -> int:
        self._rows.append({})
        return len(self._rows) - 1

    def _step(self, state: int, target: int, chars: str) -> None:
        row = self._rows[state]
        row[target] = row.get(target, "") + chars

    def _literals(self, states: list[int], values: tuple[str, ...]) -> list[int]:
        """The states after one of some texts, which share what they begin with."""
        ends: list[int] = []
        reached: dict[str, int] = {}
        for value in values:
            for length, char in enumerate(value, 1):
                begin = value[:length]
                if begin not in reached:
                    reached[begin] = self._state()
                    for state in states if length == 1 else [reached[value[: length - 1]]]:
                        self._step(state, reached[begin], char)
            ends.append(reached[value])
        return ends

    def _segment(self, states: list[int], part: FormPart) -> list[int]:
        segment = part.segment
        if segment is None or segment.values:
            return self._literals(states, segment.values if segment else ())
        chars = charset_of(segment.charset)
        inside = self._state()
        for state in (*states, inside):
            self._step(state, inside, chars.chars + (UNLIMITED if chars.others else ""))
            self._barred[state] = chars.barred
        return [inside]

    def _classes_of(self, state: int) -> _Classes:
        """The class with all further characters stands last, and what ends a segment is in no other."""
        rows = sorted(self._rows[state].items(), key=lambda row: UNLIMITED in row[1])
        named = {char for target, chars in rows if target != state for char in chars}
        kept = [(target, "".join(char for char in chars if target != state or char not in named)) for target, chars in rows]
        barred = "".join(char for char in self._barred.get(state, "") if char not in named)
        return tuple(([(_LEFT, barred)] if barred else []) + [(target, chars) for target, chars in kept if chars])

    def accepts(self, state: int) -> bool:
        """Whether the text has the whole form."""
        return state in self._accepted

    def classes(self, state: int) -> _Classes:
        """See `Grammar.classes`."""
        return self._classes[state]

    def is_third_colon(self, state: int, target: int) -> bool:
        """Never: no segment of these is a namespace."""
        return False


_GRAMMARS: dict[int, tuple[SubjectTemplate, FormGrammar]] = {}
"""by the number of the form's record, of which there are a few dozen"""


def grammar_of(template: SubjectTemplate) -> FormGrammar:
    """The automaton of a form."""
    known = _GRAMMARS.get(id(template))
    if known is None:
        known = _GRAMMARS[id(template)] = (template, FormGrammar(form_parts(template)))
    return known[1]


def minted_shape(language: Language, template: SubjectTemplate, budget: int = BUDGET) -> Shape | None:
    """How many subjects of a form a language has, and a shortest one; None where that is too complex to compute."""
    try:
        return shape_of(language, grammar_of(template), budget)
    except TooComplex:
        return None


def has_form(text: str, template: SubjectTemplate) -> bool:
    """Whether a text is a subject of a form."""
    grammar = grammar_of(template)
    state = grammar.start
    for char in text:
        state = _next(grammar, state, char)
        if state == _LEFT:
            return False
    return grammar.accepts(state)


def _next(grammar: FormGrammar, state: int, char: str) -> int:
    unlimited = _LEFT
    for target, chars in grammar.classes(state):
        if char in chars and char != UNLIMITED:
            return target
        if chars.endswith(UNLIMITED):
            unlimited = target
    return unlimited


def is_minted(tokens: Sequence[Token], template: SubjectTemplate, *, ignore_case: bool = False) -> bool:
    """Whether some subject of a form fits a pattern; a placeholder may be any text."""
    grammar = grammar_of(template)
    states = {grammar.start}
    for token in tokens:
        if isinstance(token, str):
            chars = {token, token.swapcase()} if ignore_case else {token}
            states = {_next(grammar, state, char) for state in states for char in chars}
        else:
            states = _stepped(grammar, states) if token is Wild.ONE else _closed(grammar, states)
        states.discard(_LEFT)
    return any(map(grammar.accepts, states))


def _stepped(grammar: FormGrammar, states: set[int]) -> set[int]:
    """The states one character further."""
    return {target for state in states for target, _ in grammar.classes(state)} - {_LEFT}


def _closed(grammar: FormGrammar, states: set[int]) -> set[int]:
    """The states any number of characters further."""
    reached, new = set(states), set(states)
    while new:
        new = _stepped(grammar, new) - reached
        reached |= new
    return reached
