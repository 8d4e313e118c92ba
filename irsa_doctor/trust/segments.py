"""Which segments of an issuer's subjects a pattern fixes: it is laid beside a form, from its first character on.

A segment is fixed where the pattern is literal up to what ends it, and everything before it is. Behind a wildcard nothing is,
for the wildcard can stand for more than one segment: `repo:*@1/shop@2:...` matches the subjects of any organisation that gives
its subjects another form. What is new for every run, as the id of a step, is no boundary.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from irsa_doctor.issuers.forms import FormPart, charset_of, form_parts, is_in
from irsa_doctor.issuers.profiles import Segment, SubjectTemplate
from irsa_doctor.trust.patterns import Plain, Wild


class SegmentValue(msgspec.Struct, frozen=True):
    """What a pattern says of one segment: its `value`, None where it is open; `part` is the text that an open one has.

    `fixed`: it has a value, and nothing before it is open. `supposed`: text of the form before it would be in a placeholder,
    which may as well hold that of another form. `hidden`: a wildcard leaves it open, or one behind it, as the placeholder
    before that holds less or more.
    """

    name: str
    segment: Segment
    value: str | None
    part: str = ""
    fixed: bool = False
    supposed: bool = False
    hidden: bool = False

    @property
    def level(self) -> str:
        """The level that the segment narrows down."""
        return self.segment.level

    @property
    def is_id(self) -> bool:
        """Whether its values are never used again."""
        return self.segment.kind == "id"


class Held(msgspec.Struct, frozen=True):
    """A placeholder in a pattern: text that is not seen, and that its template fills in.

    Of several in a row `between` is the text between them; `is_open`: a wildcard follows.
    """

    name: str
    between: str = ""
    is_open: bool = False

    def with_more(self, run: str, token: "Token") -> "Held":
        """It and the placeholder or wildcard behind it, with a text between them that ends nothing."""
        name = token.name if isinstance(token, Held) else ""
        return Held(f"{self.name}{run}{name}", f"{self.between}{run}", self.is_open or not isinstance(token, Held))


Token = str | Wild | Held


def tokens_of(pieces: Sequence[Plain], holes: Sequence[str]) -> tuple[Token, ...]:
    """A pattern character by character; the names of placeholders as what they are."""
    tokens: list[Token] = []
    split = re.compile("|".join(map(re.escape, sorted(holes, key=len, reverse=True)))) if holes else None
    for piece in pieces:
        if isinstance(piece, Wild):
            tokens.append(piece)
        elif split is None:
            tokens += piece
        else:
            tokens += _with_held(piece, split)
    return tuple(tokens)


def _with_held(text: str, split: re.Pattern[str]) -> Iterator[Token]:
    at = 0
    for match in split.finditer(text):
        yield from text[at : match.start()]
        yield Held(match[0])
        at = match.end()
    yield from text[at:]


class _Walk(msgspec.Struct, frozen=True):
    """One pattern beside one form: `at` is the next character, `part` the next part of the form. `is_open`: a star stands in a
    literal part before, so that nothing behind it is surely what it seems."""

    tokens: Sequence[Token]
    parts: Sequence[FormPart]
    ignore_case: bool
    at: int = 0
    part: int = 0
    values: tuple[SegmentValue, ...] = ()
    is_open: bool = False

    def run(self) -> tuple[SegmentValue, ...] | None:
        """The values of the segments, None where the pattern fits no text of the form."""
        if self.part == len(self.parts):
            return self.values if all(token is Wild.MANY for token in self.tokens[self.at :]) else None
        part = self.parts[self.part]
        return self.literal(part.text) if part.segment is None else self.segment(part)

    def moved(self, at: int, part: int, values: tuple[SegmentValue, ...]) -> "_Walk":
        return _Walk(self.tokens, self.parts, self.ignore_case, at, part, values, self.is_open)

    def literal(self, text: str) -> tuple[SegmentValue, ...] | None:
        """Reads a literal part of the form; a star in it hides what follows."""
        for at, char in enumerate(text, self.at):
            token = self.tokens[at] if at < len(self.tokens) else None
            if token is Wild.MANY or isinstance(token, Held):
                return self.behind(at, "", token) or self.within(text[at - self.at :], at + 1)
            if not self.is_char(token, char):
                return None
        return self.moved(self.at + len(text), self.part + 1, self.values).run()

    def within(self, text: str, at: int) -> tuple[SegmentValue, ...] | None:
        """Goes on behind a star that may end in the same literal part, of which a text is left."""
        for start in range(len(text) + 1):
            left = text[start:]
            tokens = self.tokens[at : at + len(left)]
            if len(tokens) == len(left) and all(map(self.is_char, tokens, left)):
                opened = _Walk(self.tokens, self.parts, self.ignore_case, at + len(left), self.part + 1, self.values, True)
                if (values := opened.run()) is not None:
                    return values
        return None

    def is_char(self, token: Token | None, char: str) -> bool:
        if token is Wild.ONE:
            return True
        return isinstance(token, str) and (token == char or (self.ignore_case and token.lower() == char.lower()))

    def segment(self, part: FormPart) -> tuple[SegmentValue, ...] | None:
        """Reads a segment up to what ends it."""
        ends = self.parts[self.part + 1].text[:1] if self.part + 1 < len(self.parts) else ""
        at, is_literal = self.at, True
        chars: list[str] = []
        while at < len(self.tokens) and (token := self.tokens[at]) != ends:
            if token is Wild.MANY and is_literal and part.segment and has_shape(part.segment, "".join(chars)):
                break
            if token is Wild.MANY or isinstance(token, Held):
                return self.behind(at, "".join(chars), token if is_literal else Wild.MANY)
            is_literal = is_literal and isinstance(token, str)
            chars += [token] if isinstance(token, str) else []
            at += 1
        if at == self.at or (ends and at == len(self.tokens)):
            return None
        text = "".join(chars)
        values = self.with_value(self.values, part, text if is_literal else None, text)
        return None if values is None else self.moved(at, self.part + 1, values).run()

    def with_value(
        self, values: tuple[SegmentValue, ...], part: FormPart, value: str | None, text: str
    ) -> tuple[SegmentValue, ...] | None:
        """The values and one more; None where the segment cannot hold the text."""
        segment = part.segment
        if segment is None or not _can_hold(segment, value, text, ignore_case=self.ignore_case):
            return None
        is_open = self.is_open or _has_open(values)
        part_of = text if value is None else ""
        return (*values, SegmentValue(part.name, segment, value, part_of, value is not None and not is_open))

    def behind(self, at: int, text: str, token: Token) -> tuple[SegmentValue, ...] | None:
        """Goes on behind a star, or a placeholder, where the text that follows it is read in the form again."""
        first = next((n for n in range(self.part, len(self.parts)) if self.parts[n].segment), len(self.parts))
        while True:
            at += 1
            run = _literal_run(self.tokens, at)
            after, is_ended = at + len(run), False
            for number in range(first, len(self.parts) - 1):
                ends = self.parts[number + 1].text if self.parts[number].segment else ""
                index = self.end_in(run, ends, after)
                is_ended = is_ended or index >= 0
                if index >= 0 and (values := self.skipped(first, number, text, run[:index], token)) is not None:
                    rest = self.moved(at + index, number + 1, values).run()
                    if rest is not None:
                        return rest
            if not isinstance(token, Held) or self.is_open or _has_open(self.values):
                return self.skipped(first, len(self.parts) - 1, text, run, token)
            if is_ended or after >= len(self.tokens):
                is_open = any(isinstance(further, Wild) for further in self.tokens[after:])
                token = token.with_more("", Wild.MANY) if is_open else token
                return self.skipped(first, len(self.parts) - 1, text, run, token, hidden=True)
            at, token = after, token.with_more(run, self.tokens[after])

    def end_in(self, run: str, ends: str, after: int) -> int:
        """Where in a literal text that what ends a segment stands, or begins with a star or placeholder behind the text; -1 for
        nowhere."""
        index = run.find(ends) if ends else -1
        if index < 0 and after < len(self.tokens) and (self.tokens[after] is Wild.MANY or isinstance(self.tokens[after], Held)):
            index = next((start for start in range(len(run)) if ends.startswith(run[start:])), -1)
        return index

    def skipped(
        self, first: int, last: int, text: str, behind: str, token: Token, *, hidden: bool = False
    ) -> tuple[SegmentValue, ...] | None:
        """The segments between two parts are open, or in a placeholder."""
        values: tuple[SegmentValue, ...] | None = self.values
        held = token if isinstance(token, Held) else None
        numbers = [number for number in range(first, last + 1) if self.parts[number].segment]
        hidden = hidden and held is not None and held.is_open and numbers != [self.part]
        for number in numbers:
            known = (text if number == numbers[0] else "") + (behind if number == numbers[-1] else "")
            value = f"{known}{held.name}" if held and not held.is_open else None
            between = held.between if held and number in (numbers[0], numbers[-1]) else ""
            values = None if values is None else self.with_value(values, self.parts[number], value, f"{known}{between}")
            if values and held:
                part = f"{text}{held.name}" if held.is_open and number == numbers[0] else values[-1].part
                supposed = value is not None and number > self.part
                said = msgspec.structs.replace(values[-1], part=part, supposed=supposed, hidden=hidden)
                values = (*values[:-1], said)
        return values


def _has_open(values: Sequence[SegmentValue]) -> bool:
    """Whether one of them is open, other than what is new for every run."""
    return any(value.value is None and value.level != "run" for value in values)


def _literal_run(tokens: Sequence[Token], at: int) -> str:
    """The literal text from a place to the next wildcard."""
    chars: list[str] = []
    for token in tokens[at:]:
        if not isinstance(token, str):
            break
        chars.append(token)
    return "".join(chars)


def _can_hold(segment: Segment, value: str | None, text: str, *, ignore_case: bool) -> bool:
    """Whether a segment can hold a text, or have a literal value."""
    if segment.values:
        known = [item.lower() for item in segment.values] if ignore_case else segment.values
        whole = text.lower() if ignore_case else text
        return whole in known if value == text else any(whole in item for item in known)
    chars = charset_of(segment.charset)
    return all(is_in(chars, char) or (ignore_case and is_in(chars, char.swapcase())) for char in text)


def has_shape(segment: Segment, text: str) -> bool:
    """Whether a text is a whole value of a segment all of whose values have one shape."""
    return bool(segment.shape) and re.fullmatch(segment.shape, text, re.IGNORECASE) is not None


def laid_beside(
    tokens: Sequence[Token], template: SubjectTemplate, *, ignore_case: bool = False
) -> tuple[SegmentValue, ...] | None:
    """What a pattern says of each segment of a form, None where it has not this form."""
    return _Walk(tokens, form_parts(template), ignore_case).run()


def are_shapely(values: Sequence[SegmentValue]) -> bool:
    """Whether every segment whose values have one shape has a value of it."""
    return all(has_shape(value.segment, value.value or "") for value in values if value.fixed and value.segment.shape)


_FEWER_IDS: dict[int, tuple[SubjectTemplate, tuple[SubjectTemplate, ...]]] = {}
"""by the number of the form's record, of which there are a few dozen"""


def with_fewer_ids(template: SubjectTemplate) -> tuple[SubjectTemplate, ...]:
    """The forms in which some of the ids of a form are missing and others are not, each with the sign before it."""
    known = _FEWER_IDS.get(id(template))
    if known is None:
        ids = [name for name, segment in template.segments.items() if segment.kind == "id" and f"{{{name}}}" in template.form]
        forms = [re.sub(rf"[^{{}}]\{{{name}\}}", "", template.form) for name in ids] if len(ids) > 1 else []
        made = tuple(SubjectTemplate(form, template.segments) for form in forms if form != template.form)
        known = _FEWER_IDS[id(template)] = (template, made)
    return known[1]


def of_key(
    name: str, level: str, kind: str, within: Sequence[SubjectTemplate], tokens: Sequence[Token]
) -> tuple[SegmentValue, ...]:
    """What a pattern of the values of a condition key says of the level that it pins, and of the parts that these have."""
    for template in within:
        if values := laid_beside(tokens, template):
            return values
    segment = Segment(level=level, charset="^", kind=kind)  # type: ignore[arg-type] # both come from the record of the key
    text = "".join(token if isinstance(token, str) else token.name for token in tokens if not isinstance(token, Wild))
    is_open = any(isinstance(token, Wild) for token in tokens)
    return (SegmentValue(name, segment, None if is_open else text, text if is_open else "", not is_open),)
