"""Explores a language over a grammar: is it empty, finite, everything, and what is its shortest word?

Patterns run side by side as one bit set in one integer (shift-and); the pairs (grammar state, bit set) are the states of
the subset construction. Only characters that make a difference are tried, states whose answer cannot change any more
are cut, and a budget bounds hostile mixes.
"""

from typing import Protocol

import msgspec

from irsa_doctor.trust.languages import Any, Finite, Language, Like, Not
from irsa_doctor.trust.patterns import Token, Wild

BUDGET = 12_000
"""states explored before a language is called too complex"""


class Grammar(Protocol):
    """A deterministic automaton of the strings that can exist at all; from every state an accepted string can be reached."""

    start: int

    def accepts(self, state: int) -> bool:
        """Whether a string may end here."""

    def classes(self, state: int) -> tuple[tuple[int, str], ...]:
        """(next state, characters that lead there, the most readable first). The last may end in "\\0": and any other character."""

    def is_third_colon(self, state: int, target: int) -> bool:
        """Whether this step ends the namespace of a subject."""


class TooComplex(Exception):
    """The budget is spent."""


class Shape(msgspec.Struct, frozen=True):
    """What there is to know of a language over a grammar. `count` is 0, 1, 2 (= several) or None (= infinite)."""

    count: int | None
    everything: bool
    witness: str | None
    one_namespace: bool = False


class _Machine:
    """The patterns of a formula, side by side in one bit set."""

    def __init__(self, language: Language) -> None:
        self.bits = 0
        self.start = self.loops = self.loops_in = self.ones = self.ones_in = self.absorbing = 0
        self.literals: dict[str, int] = {}
        self.covers: list[tuple[int, int]] = []
        self.formula = self._formula(language)

    def _add(self, tokens: tuple[Token, ...], ignore_case: bool = False) -> int:
        """Lay out one pattern, a bit for every position in it; returns the accepting bit."""
        first = bit = 1 << self.bits
        self.start |= bit
        looping = False
        for token in tokens:
            if token is Wild.MANY or token is Wild.MANY_IN:
                if token is Wild.MANY:
                    self.loops |= bit
                else:
                    self.loops_in |= bit
                looping = True
                continue
            looping = False
            if token is Wild.ONE:
                self.ones |= bit
            elif token is Wild.ONE_IN:
                self.ones_in |= bit
            else:
                for char in {token.lower(), token.upper(), token} if ignore_case else (token,):
                    if len(char) == 1:
                        self.literals[char] = self.literals.get(char, 0) | bit
            bit <<= 1
        self.bits = bit.bit_length()
        if looping and self.loops & bit:
            self.absorbing |= bit
            self.covers.append((bit, bit - first))
        return bit

    def _formula(self, language: Language) -> object:
        if isinstance(language, Finite):
            return ("any", tuple(self._add(tuple(value)) for value in sorted(language.values)))
        if isinstance(language, Like):
            bit = self._add(language.glob.tokens(), language.glob.ignore_case)
            if not language.glob.arn:
                return bit
            return ("all", (bit, self._add((*"arn:", Wild.MANY))))
        if isinstance(language, Not):
            return ("not", self._formula(language.inner))
        name = "any" if isinstance(language, Any) else "all"
        return (name, tuple(self._formula(part) for part in language.parts))

    def accepts(self, state: int) -> bool:
        return _holds(self.formula, state)

    def step(self, state: int, char: str) -> int:
        colon = char == ":"
        forward = self.literals.get(char, 0) | self.ones | (0 if colon else self.ones_in)
        stay = self.loops | (0 if colon else self.loops_in)
        after = (state & forward) << 1 | (state & stay)
        for bit, covered in self.covers:
            if after & bit:
                after &= ~covered
        return after

    def relevant(self, state: int) -> set[str]:
        """The characters that some active position waits for."""
        chars = {char for char, mask in self.literals.items() if mask & state}
        if state & (self.ones_in | self.loops_in):
            chars.add(":")
        return chars

    def is_settled(self, state: int) -> bool:
        """Whether no further character can change the answer."""
        return not state & ~self.absorbing


def _holds(formula: object, state: int) -> bool:
    if isinstance(formula, int):
        return bool(formula & state)
    name, inner = formula  # type: ignore[misc]
    if name == "not":
        return not _holds(inner, state)
    return any(_holds(part, state) for part in inner) if name == "any" else all(_holds(part, state) for part in inner)


Node = tuple[int, int]


class _Graph:
    """What of the product automaton can be reached, breadth first."""

    def __init__(self, language: Language, grammar: Grammar, budget: int) -> None:
        self.machine, self.grammar, self.budget = _Machine(language), grammar, budget
        self.start: Node = (grammar.start, self.machine.start)
        self.edges: dict[Node, list[tuple[str, int, Node]]] = {}
        self.came: dict[Node, tuple[Node, str] | None] = {self.start: None}
        self.accepting: list[Node] = []
        self.everything = True
        self._explore()
        self.useful = self._useful()

    def _explore(self) -> None:
        queue, at = [self.start], 0
        while at < len(queue):
            node = queue[at]
            at += 1
            here, bits = node
            says = self.machine.accepts(bits)
            if self.grammar.accepts(here):
                if says:
                    self.accepting.append(node)
                else:
                    self.everything = False
            if self.machine.is_settled(bits) and not says:
                self.everything = False
                self.edges[node] = []
                continue
            self.edges[node] = out = self._out(here, bits)
            for char, _, target in out:
                if target not in self.came:
                    if len(self.came) >= self.budget:
                        raise TooComplex
                    self.came[target] = (node, char)
                    queue.append(target)

    def _out(self, here: int, bits: int) -> list[tuple[str, int, Node]]:
        """(a character, how many characters lead to the same place, 2 meaning more, the place)"""
        relevant = self.machine.relevant(bits)
        out: list[tuple[str, int, Node]] = []
        for target, chars in self.grammar.classes(here):
            unlimited = chars[-1] == "\0"
            others = [c for c in chars if c not in relevant and c != "\0"]
            if unlimited:
                out += [(c, 1, (target, self.machine.step(bits, c))) for c in sorted(relevant)]
            else:
                out += [(c, 1, (target, self.machine.step(bits, c))) for c in chars if c in relevant]
            if others:
                many = 2 if unlimited or len(others) > 1 else 1
                out.append((others[0], many, (target, self.machine.step(bits, others[0]))))
            elif unlimited:
                spare = next(c for c in map(chr, range(0x100, 0x10FFFF)) if c not in relevant)
                out.append((spare, 2, (target, self.machine.step(bits, spare))))
        return out

    def _useful(self) -> set[Node]:
        """Nodes from which an accepted word can be reached."""
        back: dict[Node, list[Node]] = {}
        for node, out in self.edges.items():
            for _, _, target in out:
                back.setdefault(target, []).append(node)
        useful, queue = set(self.accepting), list(self.accepting)
        while queue:
            for node in back.get(queue.pop(), ()):
                if node not in useful:
                    useful.add(node)
                    queue.append(node)
        return useful

    def witness(self) -> str | None:
        if not self.accepting:
            return None
        chars: list[str] = []
        came = self.came[self.accepting[0]]
        while came is not None:
            node, char = came
            chars.append(char)
            came = self.came[node]
        return "".join(reversed(chars))

    def count(self, *, until_third_colon: bool = False) -> int | None:
        """Words that lead from the start to acceptance (or to the end of the namespace): 0, 1, 2 (several), None (infinite)."""
        order = self._postorder(until_third_colon)
        if order is None:
            return None
        accepting = set(self.accepting)
        ways: dict[Node, int] = {}
        for node in order:
            total = 0 if until_third_colon else int(node in accepting)
            for _, many, target in self.edges[node]:
                if target not in self.useful:
                    continue
                if until_third_colon and self.grammar.is_third_colon(node[0], target[0]):
                    total += many
                else:
                    total += many * ways[target]
            ways[node] = min(total, 2)
        return ways.get(self.start, 0)

    def _postorder(self, until_third_colon: bool) -> list[Node] | None:
        """Useful nodes, each after what follows it; None where they have a cycle."""
        if self.start not in self.useful:
            return []
        order: list[Node] = []
        state: dict[Node, int] = {}
        stack: list[tuple[Node, int]] = [(self.start, 0)]
        state[self.start] = 1
        while stack:
            node, n = stack.pop()
            out = self.edges[node]
            while n < len(out):
                target = out[n][2]
                n += 1
                if target not in self.useful or (until_third_colon and self.grammar.is_third_colon(node[0], target[0])):
                    continue
                seen = state.get(target)
                if seen == 1:
                    return None
                if seen is None:
                    state[target] = 1
                    stack += [(node, n), (target, 0)]
                    break
            else:
                state[node] = 2
                order.append(node)
        return order


def shape_of(language: Language, grammar: Grammar, budget: int = BUDGET) -> Shape:
    """What there is to know of the words that are both in the language and in the grammar; raises TooComplex."""
    graph = _Graph(language, grammar, budget)
    count = graph.count()
    namespaces = graph.count(until_third_colon=True) if count is None else 0
    return Shape(count, graph.everything, graph.witness(), namespaces == 1)
