"""Explores a language over a grammar: is it empty, finite, everything, and what is its shortest word?

Patterns run side by side as one bit set in one integer (shift-and); the pairs (grammar state, bit set) are the states of
the subset construction. Only characters that make a difference are tried, parts of which the answer cannot change any more
are folded away, and a budget bounds hostile mixes.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from irsa_doctor.trust.languages import All, Any, Finite, Language, Like, Not
from irsa_doctor.trust.operators import spellings
from irsa_doctor.trust.patterns import Glob, PatternToken, Wild, text_of_units, units_of
from irsa_doctor.trust.work import allowance

BUDGET = 120_000
"""steps, counted more where patterns are many or long, before a language is called too complex: about half a second"""
STATES = 20_000
"""states of one automaton"""
_BITS, _PARTS = 8_192, 16
"""bits of patterns, and parts of a formula, that are examined in the time of one step"""
_MOST_BITS = 1 << 16

UNLIMITED = "\0"
"""The last of the characters of a class: every character that no other class names."""


class Grammar(Protocol):
    """A deterministic automaton of the strings that can exist at all; from every state an accepted string can be reached."""

    start: int

    def accepts(self, state: int) -> bool:
        """Whether a string may end here."""

    def classes(self, state: int) -> tuple[tuple[int, str], ...]:
        """(next state, characters that lead there, the most readable first; `UNLIMITED` may be the last) for each."""

    def is_third_colon(self, state: int, target: int) -> bool:
        """Whether this step ends the namespace of a subject."""


class TooComplex(Exception):
    """The language takes more states or steps than one may."""


class Spent(TooComplex):
    """Nothing is left of what the policy may cost, so that the question has no answer in this run."""


class Shape(msgspec.Struct, frozen=True):
    """The properties of a language over a grammar. `count` is 0, 1, 2 (= several) or None (= infinite)."""

    count: int | None
    everything: bool
    witness: str | None
    one_namespace: bool = False


class _Leaf(msgspec.Struct, frozen=True):
    """The bits of one pattern: all its positions, the last of them, and whether that stays set for good."""

    span: int
    accepting: int
    absorbing: bool


class _SomeLeaf:
    """At least one of some patterns matches."""

    def __init__(self, leaves: Sequence[_Leaf]) -> None:
        self.span = self.accepting = self.absorbing = 0
        for leaf in leaves:
            self.span |= leaf.span
            self.accepting |= leaf.accepting
            self.absorbing |= leaf.accepting if leaf.absorbing else 0
        self.token = self.absorbing & -self.absorbing

    def holds(self, state: int) -> bool:
        return bool(state & self.accepting)

    def settled(self, state: int) -> bool | None:
        """True or False where no further character changes it."""
        return True if state & self.absorbing else None if state & self.span else False

    def folded(self, state: int) -> int:
        """The state without what does not matter any more."""
        return state & ~self.span | self.token if state & self.absorbing else state


class _Complement:
    """The opposite of a part."""

    def __init__(self, inner: "_Part") -> None:
        self.inner = inner
        self.span: int = inner.span

    def holds(self, state: int) -> bool:
        return not self.inner.holds(state)

    def settled(self, state: int) -> bool | None:
        truth = self.inner.settled(state)
        return None if truth is None else not truth

    def folded(self, state: int) -> int:
        return self.inner.folded(state)


class _Several:
    """Some (or all) of the parts hold. `decisive` is the truth of one part that settles the whole."""

    def __init__(self, parts: Sequence["_Part"], decisive: bool) -> None:
        self.parts, self.decisive = parts, decisive
        self.span = 0
        for part in parts:
            self.span |= part.span

    def holds(self, state: int) -> bool:
        return self.decisive if any(part.holds(state) is self.decisive for part in self.parts) else not self.decisive

    def settled(self, state: int) -> bool | None:
        truths = [part.settled(state) for part in self.parts]
        return self.decisive if self.decisive in truths else None if None in truths else not self.decisive

    def folded(self, state: int) -> int:
        for part in self.parts:
            state = part.folded(state)
            if part.settled(state) is self.decisive:
                return state & ~self.span | state & part.span
        return state


_Part = _SomeLeaf | _Complement | _Several


class _Machine:
    """The patterns of a formula, side by side in one bit set."""

    def __init__(self, language: Language) -> None:
        self.bits = 0
        self.start = self.loops = self.loops_in = self.ones = self.ones_in = 0
        self.literals: dict[str, int] = {}
        self.parts = 0
        self.formula = self.part(language)
        self.weight = 1 + self.bits // _BITS + self.parts // _PARTS

    def leaf(self, tokens: Sequence[PatternToken], ignore_case: bool = False) -> _Leaf:
        """Lay out one pattern, a bit for every position in it."""
        if self.bits + len(tokens) > _MOST_BITS:
            raise TooComplex
        first = bit = 1 << self.bits
        self.start |= bit
        for token in tokens:
            if token is Wild.MANY:
                self.loops |= bit
                continue
            if token is Wild.MANY_IN:
                self.loops_in |= bit
                continue
            self._step(token, bit, ignore_case)
            bit <<= 1
        self.bits = bit.bit_length()
        return _Leaf(2 * bit - first, bit, bool(self.loops & bit))

    def _step(self, token: PatternToken, bit: int, ignore_case: bool) -> None:
        """What leads from one position to the next."""
        if token is Wild.ONE:
            self.ones |= bit
        elif token is Wild.ONE_IN:
            self.ones_in |= bit
        elif isinstance(token, str):
            for char in spellings(token) if ignore_case else (token,):
                self.literals[char] = self.literals.get(char, 0) | bit

    def part(self, language: Language) -> _Part:
        self.parts += 1
        if isinstance(language, Not):
            return _Complement(self.part(language.inner))
        if isinstance(language, All):
            return _Several([self.part(part) for part in language.parts], decisive=False)
        if isinstance(language, Any):
            return self.some(language.parts)
        if isinstance(language, Like) and language.glob.arn:
            return self.arn(language.glob)
        return self.some((language,))

    def some(self, languages: Sequence[Language]) -> _Part:
        """Plain patterns and literals together, so that one of them can settle for all."""
        leaves: list[_Leaf] = []
        parts: list[_Part] = []
        for language in languages:
            if isinstance(language, Finite):
                leaves += [self.leaf(tuple(units_of(value))) for value in sorted(language.values)]
            elif isinstance(language, Like) and not language.glob.arn:
                leaves.append(self.leaf(language.glob.tokens(), language.glob.ignore_case))
            else:
                parts.append(self.part(language))
        together = _SomeLeaf(leaves)
        return _Several((together, *parts), decisive=True) if parts else together

    def arn(self, glob: Glob) -> _Part:
        begins = _SomeLeaf([self.leaf((*"arn:", Wild.MANY))])
        return _Several((begins, _SomeLeaf([self.leaf(glob.tokens())])), decisive=False)

    def step(self, state: int, char: str) -> int:
        if char == ":":
            forward, stay = self.literals.get(char, 0) | self.ones, self.loops
        else:
            forward, stay = self.literals.get(char, 0) | self.ones | self.ones_in, self.loops | self.loops_in
        return self.formula.folded((state & forward) << 1 | state & stay)

    def relevant(self, state: int) -> set[str]:
        """The characters that some active position waits for."""
        chars = {char for char, mask in self.literals.items() if mask & state}
        if state & (self.ones_in | self.loops_in):
            chars.add(":")
        return chars


class _Edge(msgspec.Struct, frozen=True, gc=False):
    """A step: one of its characters, how many lead to the same place (2 meaning more), the node there."""

    char: str
    many: int
    target: int


class _Graph:
    """What of the product automaton can be reached, breadth first; nodes are numbered in that order."""

    def __init__(self, language: Language, grammar: Grammar, budget: int) -> None:
        self.machine, self.grammar = _Machine(language), grammar
        self.purse = allowance()
        self.own, self.budget = budget, min(budget, self.purse.left) if self.purse else budget
        self.spent = 0
        start = (grammar.start, self.machine.formula.folded(self.machine.start))
        self.nodes = [start]
        self.numbers = {start: 0}
        self.edges: list[list[_Edge]] = []
        self.came: list[tuple[int, str]] = [(-1, "")]
        self.accepting: list[int] = []
        self.everything = True
        try:
            while len(self.edges) < len(self.nodes):
                self.edges.append(self.explore(len(self.edges)))
        finally:
            if self.purse:
                self.purse.left = max(0, self.purse.left - self.spent)
        self.useful = self.found_useful()

    def explore(self, number: int) -> list[_Edge]:
        state, bits = self.nodes[number]
        if self.grammar.accepts(state):
            if self.machine.formula.holds(bits):
                self.accepting.append(number)
            else:
                self.everything = False
        if self.machine.formula.settled(bits) is False:
            self.everything = False
            return []
        relevant = self.machine.relevant(bits)
        edges: list[_Edge] = []
        classes = self.grammar.classes(state)
        for target, chars in classes:
            own = relevant if len(classes) == 1 else relevant.difference(*[other for to, other in classes if to != target])
            for char, many in _representatives(chars, own):
                edges.append(_Edge(char, many, self.number_of(number, char, (target, self.machine.step(bits, char)))))
        self.spent += len(edges) * self.machine.weight
        if self.spent > self.budget:
            raise Spent if self.spent <= self.own else TooComplex
        return edges

    def number_of(self, origin: int, char: str, node: tuple[int, int]) -> int:
        number = self.numbers.setdefault(node, len(self.nodes))
        if number == len(self.nodes):
            if number == STATES:
                raise TooComplex
            self.nodes.append(node)
            self.came.append((origin, char))
        return number

    def found_useful(self) -> set[int]:
        """Nodes from which an accepted word can be reached."""
        back: dict[int, list[int]] = {}
        for node, out in enumerate(self.edges):
            for edge in out:
                back.setdefault(edge.target, []).append(node)
        useful, queue = set(self.accepting), list(self.accepting)
        while queue:
            for node in back.get(queue.pop(), ()):
                if node not in useful:
                    useful.add(node)
                    queue.append(node)
        return useful

    def witness(self) -> str | None:
        """A shortest accepted word."""
        if not self.accepting:
            return None
        chars: list[str] = []
        node = self.accepting[0]
        while node:
            node, char = self.came[node]
            chars.append(char)
        return text_of_units("".join(reversed(chars)))

    def count(self, *, until_third_colon: bool = False) -> int | None:
        """Words that lead from the start to acceptance (or to the end of the namespace): 0, 1, 2 (several), None (infinite)."""
        order = self.postorder(until_third_colon)
        if order is None:
            return None
        accepting = set(self.accepting)
        ways: dict[int, int] = {}
        for node in order:
            total = 0 if until_third_colon else int(node in accepting)
            for edge in self.edges[node]:
                if edge.target in self.useful:
                    ends = until_third_colon and self.ends_namespace(node, edge)
                    total += edge.many * (1 if ends else ways[edge.target])
            ways[node] = min(total, 2)
        return ways.get(0, 0)

    def ends_namespace(self, node: int, edge: _Edge) -> bool:
        return self.grammar.is_third_colon(self.nodes[node][0], self.nodes[edge.target][0])

    def postorder(self, until_third_colon: bool) -> list[int] | None:
        """Useful nodes, each after what follows it; None where they have a cycle."""
        if 0 not in self.useful:
            return []
        order: list[int] = []
        done = {0: False}
        stack = [(0, iter(self.edges[0]))]
        while stack:
            node, rest = stack[-1]
            for edge in rest:
                if edge.target not in self.useful or (until_third_colon and self.ends_namespace(node, edge)):
                    continue
                if done.get(edge.target) is False:
                    return None
                if edge.target not in done:
                    done[edge.target] = False
                    stack.append((edge.target, iter(self.edges[edge.target])))
                    break
            else:
                stack.pop()
                done[node] = True
                order.append(node)
        return order


def _representatives(chars: str, relevant: set[str]) -> list[tuple[str, int]]:
    """(character, how many do the same): each that makes a difference, and one for all others; the most readable first."""
    unlimited = chars[-1] == UNLIMITED
    named = chars[:-1] if unlimited else chars
    others = [char for char in named if char not in relevant]
    many = 2 if unlimited or len(others) > 1 else 1
    pairs = [(char, 1 if char in relevant else many) for char in named if char in relevant or char == others[0]]
    if unlimited:
        pairs += [(char, 1) for char in sorted(relevant.difference(named))]
        if not others:
            pairs.append((next(char for char in map(chr, range(0x100, 0x10FFFF)) if char not in relevant), many))
    return pairs


def shape_of(language: Language, grammar: Grammar, budget: int = BUDGET) -> Shape:
    """The properties of the words that are both in the language and in the grammar; raises TooComplex."""
    graph = _Graph(language, grammar, budget)
    count = graph.count()
    namespaces = graph.count(until_third_colon=True) if count is None else 0
    return Shape(count, graph.everything, graph.witness(), namespaces == 1)
