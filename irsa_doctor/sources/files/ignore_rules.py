"""Patterns by which files are left out, in the language of `.gitignore` (https://git-scm.com/docs/gitignore).

Patterns are matched by simulation, never by `re`: a pattern of a stranger's repository must not be able to keep a run waiting.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

_CLASSES: dict[str, Callable[[str], bool]] = {
    "alpha": str.isalpha,
    "digit": str.isdigit,
    "alnum": str.isalnum,
    "upper": str.isupper,
    "lower": str.islower,
    "space": str.isspace,
}
_ANY, _STAR = "?", "*"
_DEEP = 64
"""Steps of a pattern or of a path, beyond which a pattern matches nothing"""


class _Sign(msgspec.Struct, frozen=True):
    """One sign of a pattern: a letter, any letter, a run of letters, or one of some letters."""

    kind: str
    letters: str = ""
    ranges: tuple[tuple[str, str], ...] = ()
    classes: tuple[str, ...] = ()
    negated: bool = False

    def fits(self, letter: str) -> bool:
        """Whether it matches a letter; not called for a run."""
        if self.kind == "letter":
            return letter == self.letters
        if self.kind == _ANY:
            return True
        is_in = (
            letter in self.letters
            or any(low <= letter <= high for low, high in self.ranges)
            or any(_CLASSES[name](letter) for name in self.classes)
        )
        return is_in is not self.negated


IgnoreGlob = tuple[_Sign, ...]


class IgnoreRule(msgspec.Struct, frozen=True, kw_only=True):
    """One pattern: `steps` are its parts between slashes, None for `**`; `text` and `line` are as it is written.

    An `anchored` pattern is compared with the whole path below the folder of its file, any other with the name alone.
    `literal` is the name that a pattern without wildcards means, `ending` the text after the star of `*.ext`.
    """

    text: str
    line: int
    steps: tuple[IgnoreGlob | None, ...]
    anchored: bool
    folders_only: bool
    negated: bool
    literal: str = ""
    ending: str = ""

    def matches(self, path: str, is_folder: bool) -> bool:
        """Whether a path, relative to the folder of the file of the pattern, is meant."""
        if self.folders_only and not is_folder:
            return False
        if not self.anchored:
            name = path.rpartition("/")[2]
            if self.literal:
                return name == self.literal
            return name.endswith(self.ending) if self.ending else _fits_name(self.steps[0], name)
        return _fits_path(self.steps, path.split("/"))


def read_ignore_rules(lines: Iterable[str]) -> tuple[IgnoreRule, ...]:
    """Return the patterns of lines; blank ones and comments have none, and one that is not valid matches nothing in git."""
    rules = (_rule(line.rstrip("\r\n"), number) for number, line in enumerate(lines, 1))
    return tuple(rule for rule in rules if rule)


def _rule(line: str, number: int) -> IgnoreRule | None:
    text = _without_spaces(line)
    pattern = text[1:] if text.startswith("!") else text
    if not pattern or text.startswith("#"):
        return None
    folders_only, body = pattern.endswith("/"), pattern.rstrip("/")
    anchored = "/" in body
    steps = [_step(step) for step in body.lstrip("/").split("/")]
    if not body or len(steps) > _DEEP or any(step == () for step in steps):
        return None
    signs = steps[-1] or ()
    plain = "".join(sign.letters for sign in signs if sign.kind == "letter")
    kinds = [sign.kind for sign in signs]
    is_ending = kinds[:1] == [_STAR] and len(plain) == len(signs) - 1 and bool(plain)
    return IgnoreRule(
        text=text,
        line=number,
        steps=tuple(steps),
        anchored=anchored,
        folders_only=folders_only,
        negated=text.startswith("!"),
        literal=plain if len(plain) == len(signs) else "",
        ending=plain if is_ending else "",
    )


def _without_spaces(line: str) -> str:
    """A line without its trailing spaces, but for one after a backslash."""
    stripped = line.rstrip(" ")
    return stripped + " " if stripped.endswith("\\") and len(stripped) < len(line) else stripped


def _step(step: str) -> IgnoreGlob | None:
    """The signs of one part, None for `**`, () for a part that is not valid."""
    if step == "**":
        return None
    signs: list[_Sign] = []
    at = 0
    while at < len(step):
        sign, at = _sign(step, at)
        if sign is None:
            return ()
        if not (sign.kind == _STAR and signs and signs[-1].kind == _STAR):
            signs.append(sign)
    return tuple(signs)


def _sign(step: str, at: int) -> tuple[_Sign | None, int]:
    letter = step[at]
    if letter in (_ANY, _STAR):
        return _Sign(letter), at + 1
    if letter == "[":
        return _set(step, at + 1)
    if letter == "\\":
        return (_Sign("letter", step[at + 1]), at + 2) if at + 1 < len(step) else (None, at)
    return _Sign("letter", letter), at + 1


def _set(step: str, at: int) -> tuple[_Sign | None, int]:
    """The content of brackets; a closing bracket at the beginning is a letter."""
    negated = step[at : at + 1] in ("!", "^")
    at += negated
    letters: list[str] = []
    ranges: list[tuple[str, str]] = []
    classes: list[str] = []
    first = at
    while at < len(step) and (step[at] != "]" or at == first):
        end = step.find(":]", at + 2) if step.startswith("[:", at) else -1
        if end >= 0 and step[at + 2 : end] in _CLASSES:
            classes.append(step[at + 2 : end])
            at = end + 2
            continue
        at += step[at] == "\\" and at + 1 < len(step)
        if step[at + 1 : at + 2] == "-" and step[at + 2 : at + 3] not in ("", "]"):
            ranges.append((step[at], step[at + 2]))
            at += 3
            continue
        letters.append(step[at])
        at += 1
    if at >= len(step):
        return None, at
    return _Sign("set", "".join(letters), tuple(ranges), tuple(classes), negated), at + 1


def _fits_path(steps: Sequence[IgnoreGlob | None], names: Sequence[str]) -> bool:
    """Whether the parts of a pattern match the names of a path: the positions that can be reached, one part after the
    other."""
    if len(names) > _DEEP:
        return False
    reached = {0}
    for number, step in enumerate(steps):
        if step is None:
            # at the end it stands for what is inside, elsewhere for any number of folders
            least = 1 if number == len(steps) - 1 else 0
            reached = set(range(min(reached) + least, len(names) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(names) and _fits_name(step, names[at])}
        if not reached:
            return False
    return len(names) in reached


def _fits_name(glob: IgnoreGlob | None, name: str) -> bool:
    """Whether a pattern matches a name: two pointers, and back to the last star where that fails."""
    if glob is None:
        return True
    sign, at, run, resume = 0, 0, -1, 0
    while at < len(name):
        if sign < len(glob) and glob[sign].kind == _STAR:
            run, resume, sign = sign, at, sign + 1
        elif sign < len(glob) and glob[sign].fits(name[at]):
            sign, at = sign + 1, at + 1
        elif run >= 0:
            resume += 1
            sign, at = run + 1, resume
        else:
            return False
    return all(left.kind == _STAR for left in glob[sign:])
