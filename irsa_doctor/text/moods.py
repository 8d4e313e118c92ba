"""Reads in which mood a person says something: only what a sentence asserts is so.

People speak of what is not so, might be so, should be so or has been so, in the words in which others report it: "the pod uses
the node role" is in "if the pod uses the node role", in "make sure that no pod uses the node role" and in "does it use the node
role?". A sentence is read as clauses, parted by punctuation and by words such as "but", and the clause that holds the words in
question has a mood: by the word that begins it, by what stands before the words and after them, by the clause that it hangs on,
and by the mark that ends the sentence. All these words are data: the section `moods` of `causes/symptoms.yaml`.

What stands in quotation marks is read alone: nobody who quotes a message in a question doubts the message. In a line of a log
only the words next to those in question count, as programs write no sentences. The time to read one place has a limit.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

import msgspec

Mood: TypeAlias = Literal["denied", "asked", "supposed", "wished", "over", "meant"]
_REACH = 400
"""characters around some words that are read"""
_SHORT = 40
"""characters of a line that nobody had to break"""
_NEAR = re.compile(r"(?:[\w'-]{1,40}\W{1,3}){0,3}+$")
_SENTENCE = re.compile(r"[.!?;](?=[\"')\]*_`\u201d]{0,3}+(?:\s|$))|\r")
_ITEM = re.compile(r"\s{0,20}+(?:[-*•>#|+$]|\d{1,3}[.)])\s|\s{0,20}+$")
_QUOTES = (('"', '"'), ("`", "`"), ("\u201c", "\u201d"))
_APOSTROPHE = "\u2019"
_BREAK = r"[,()\u2013\u2014]|\s-{1,2}\s"
_FREE = ("free", "granted")
_OF_SENTENCES = ("supposed", "over")
"""moods of words that stand before a sentence and bear on all of it"""


class MoodWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The phrases by which one mood is known.

    `opens`: they begin a clause of this mood; `governs`: so is the clause that it hangs on, "if" in "if it is, it was".
    `before`: they stand before the words in question, in their clause; `close`: directly before them; `along`: after them, in
    their clause; `after`: after them, in their sentence.
    """

    opens: tuple[str, ...] = ()
    governs: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    along: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


class Moods(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """The words by which clauses and their moods are known.

    `free`: phrases that begin a clause on which nothing before them bears. `granted`: those whose clause is taken for granted
    even in a question, "why" in "why is it so?". `joins`: those whose clause begins as the one before it. `observed`: those
    that seem to suppose, and say what somebody does. `subjects`: with them a clause begins without a mark, "it" in "when it
    starts it is so". `tags`: what makes a question of what was just said. `program`: regular expressions of the beginnings of
    lines that programs write.
    """

    free: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    program: tuple[str, ...] = ()
    kinds: dict[Mood, MoodWords] = {}

    def mood_at(self, text: str, start: int, end: int) -> Mood | None:
        """The mood in which a text says the words between two places; None where it asserts them."""
        said = _said(text, start, end, self._program)
        before = self._clauses_before(said.before)
        *_, own = before
        words = said.before[own.start :]
        if said.of_program:
            near = _NEAR.search(words)
            return self._first("before", near[0]) or self._first("close", near[0], at_end=True) if near else None
        return (
            self._opener(before, words)
            or self._first("before", words)
            or self._first("close", words, at_end=True)
            or self._governor(before, said.before)
            or self._asked(before, said)
            or self._after(said)
        )

    def _clauses_before(self, text: str) -> "Sequence[_Clause]":
        return [_Clause(0, 0, "start", None), *self._clauses(text)]

    def _clauses(self, text: str) -> "Iterator[_Clause]":
        """The clauses that begin in a text, each with what begins it."""
        for match in self._breaks.finditer(text):
            kind, mood = self._kinds[match.lastgroup or ""]
            yield _Clause(match.start(), match.end(), kind, mood)

    def _opener(self, clauses: "Sequence[_Clause]", words: str) -> Mood | None:
        """The mood that the beginning of the last clause has: a clause that is only joined begins as the one before it."""
        if clauses[-1].kind == "opens" and self._subject.match(words):
            return None
        return next((clause.mood for clause in reversed(clauses) if clause.kind != "joins"), None)

    def _governor(self, clauses: "Sequence[_Clause]", text: str) -> Mood | None:
        """The mood that the last clause has from those before it on which it hangs."""
        *others, own = clauses
        if own.kind not in ("mark", "joins"):
            return None
        for before, clause in reversed(list(pairwise(others))):
            if clause.kind in _FREE:
                return None
            if clause.kind == "governs" and not (clause.mood == "over" and text[before.start : clause.at].strip()):
                return clause.mood
        alone = text[others[-1].start : own.at].split()
        mood = self._first("before", " ".join(alone)) if len(alone) in (1, 2) else None
        return mood if mood in _OF_SENTENCES else None

    def _asked(self, clauses: "Sequence[_Clause]", said: "_Said") -> Mood | None:
        """Whether the clause is asked: the question may as well begin after it."""
        if said.ender != "?" or clauses[-1].kind == "granted":
            return None
        if any(self._question.match(said.before, clause.start) for clause in clauses):
            return "asked"
        return None if self._question_after(said) is not None else "asked"

    def _question_after(self, said: "_Said") -> int | None:
        """Where a question begins after the words, that is more than a tag."""
        for clause in self._clauses(said.after):
            if self._tag.match(said.after, clause.start):
                return None
            if clause.kind == "granted" or self._question.match(said.after, clause.start):
                return clause.at
        return None

    def _after(self, said: "_Said") -> Mood | None:
        rest = said.after[: self._question_after(said) if said.ender == "?" else None]
        clauses = list(self._clauses(rest))
        own = next((clause.at for clause in clauses if clause.kind in (*_FREE, "joins")), None)
        return self._governor_after(clauses, rest) or self._first("along", rest[:own]) or self._first("after", rest)

    def _governor_after(self, clauses: "Sequence[_Clause]", rest: str) -> Mood | None:
        """The mood that the words have from a clause after them: one that hangs on another clause than theirs gives none."""
        for before, clause in pairwise([_Clause(0, 0, "start", None), *clauses]):
            hangs_on_them = before.kind == "start" or not rest[before.start : clause.at].strip()
            if clause.kind == "governs":
                return clause.mood if hangs_on_them else None
        return None

    def _first(self, place: str, text: str, *, at_end: bool = False) -> Mood | None:
        """The first mood of which a text has a phrase."""
        patterns = self._phrases[place]
        return next((mood for mood, (any_, last) in patterns.items() if (last if at_end else any_).search(text)), None)

    @cached_property
    def _phrases(self) -> Mapping[str, Mapping[Mood, tuple[re.Pattern[str], re.Pattern[str]]]]:
        def of(place: str) -> Iterator[tuple[Mood, tuple[re.Pattern[str], re.Pattern[str]]]]:
            for mood, words in self.kinds.items():
                if phrases := getattr(words, place):
                    yield mood, (_compiled(_any_of(phrases)), _compiled(rf"{_any_of(phrases)}\W{{0,3}}$"))

        return {place: dict(of(place)) for place in ("before", "close", "along", "after")}

    @cached_property
    def _named(self) -> Mapping[str, "tuple[str, Mood | None, tuple[str, ...]]"]:
        """What begins a clause, by the name of its group: its kind, its mood, its phrases."""
        named: dict[str, tuple[str, Mood | None, tuple[str, ...]]] = {
            "observed": ("free", None, self.observed),
            "granted": ("granted", None, self.granted),
        }
        for mood, words in self.kinds.items():
            if mood != "asked":
                named[f"{mood}_governs"] = ("governs", mood, words.governs)
                named[f"{mood}_opens"] = ("opens", mood, words.opens)
        return {**named, "free": ("free", None, self.free), "joins": ("joins", None, self.joins)}

    @cached_property
    def _kinds(self) -> "Mapping[str, tuple[str, Mood | None]]":
        named = {name: (kind, mood) for name, (kind, mood, _) in self._named.items()}
        return {**named, "mark": ("mark", None), "colon": ("free", None)}

    @cached_property
    def _breaks(self) -> re.Pattern[str]:
        words = (f"(?P<{name}>{_any_of(phrases)})" for name, (_, _, phrases) in self._named.items() if phrases)
        return _compiled(rf"(?P<mark>{_BREAK})|(?P<colon>:(?=\s))|\b(?=[a-z])(?:{'|'.join(words) or '(?!)'})")

    @cached_property
    def _question(self) -> re.Pattern[str]:
        asked = self.kinds.get("asked", MoodWords())
        return _compiled(rf"\W{{0,6}}+{_any_of(asked.opens)}")

    @cached_property
    def _subject(self) -> re.Pattern[str]:
        return _compiled(rf"\W{{1,3}}(?:[^\s,]{{1,40}}+\s{{1,3}}){{2,12}}{_any_of(self.subjects)}\W{{0,3}}$")

    @cached_property
    def _tag(self) -> re.Pattern[str]:
        return _compiled(rf"\W{{0,6}}+{_any_of(self.tags)}\W{{0,6}}+$")

    @cached_property
    def _program(self) -> re.Pattern[str]:
        return _compiled(rf"\s{{0,40}}+(?:{'|'.join(self.program) or '(?!)'})")


class _Clause(NamedTuple):
    """What begins a clause: where that stands, where it ends, of which kind and mood it is."""

    at: int
    start: int
    kind: str
    mood: Mood | None


class _Said(NamedTuple):
    """Some words in their sentence: what stands before them and after them, and the mark that ends it."""

    before: str
    after: str
    ender: str
    of_program: bool


def _said(text: str, start: int, end: int, program: re.Pattern[str]) -> _Said:
    """The sentence, or the quotation in it, that holds some words."""
    low = max(0, start - _REACH)
    window = _parted(text[low : end + _REACH].replace(_APOSTROPHE, "'"), program)
    before, words, after = window[: start - low], window[start - low : end - low], window[end - low :]
    line = text[max(text.rfind("\n", low, start) + 1, low) : start + 1]
    for opening, closing in _QUOTES:
        quoted, marked = before.rpartition(opening)[2], closing in after.partition("\r")[0]
        if marked and closing not in words and _is_open(before.rpartition("\r")[2], opening, closing):
            before, after = quoted, after.partition(closing)[0]
            break
    begin = max((match.end() for match in _SENTENCE.finditer(before)), default=0)
    stop = _SENTENCE.search(after)
    ender = stop[0] if stop else ("?" if after.rstrip().endswith("?") else "")
    return _Said(before[begin:], after[: stop.start()] if stop else after, ender, bool(program.match(line)))


def _is_open(before: str, opening: str, closing: str) -> bool:
    return before.count(opening) % 2 == 1 if opening == closing else before.count(opening) > before.count(closing)


def _parted(text: str, program: re.Pattern[str]) -> str:
    """A text whose line breaks are spaces where a sentence goes on, and else carriage returns."""
    lines = text.replace("\r", " ").split("\n")
    parts = [lines[0]]
    for before, line in pairwise(lines):
        goes_on = len(before.strip()) >= _SHORT or before.rstrip().endswith(",")
        ends = not goes_on or _ITEM.match(line) or program.match(line) or program.match(before) or before.rstrip().endswith(":")
        parts += ["\r" if ends else " ", line]
    return "".join(parts)


def _any_of(phrases: Iterable[str]) -> str:
    """A pattern of phrases, the longest first; one that begins with an apostrophe, or with n't, ends a word."""
    ordered = sorted(phrases, key=len, reverse=True)
    pattern = "|".join(r"\s{1,3}".join(map(re.escape, phrase.split())) for phrase in ordered)
    return rf"(?:\b|(?=n't)|(?='))(?:{pattern or '(?!)'})(?![\w'])"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
