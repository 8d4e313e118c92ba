"""The value of an intent file, with the lines of its parts and the words for what is wrong with them."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NoReturn

import msgspec

from irsa_doctor.model import Place, Text
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.nearness import suggestion
from irsa_doctor.model.once import once
from irsa_doctor.text.encoding import settle
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.json import read_json
from irsa_doctor.text.placeholders import with_holes
from irsa_doctor.text.positions import Documents, Source
from irsa_doctor.text.scanner import escaped
from irsa_doctor.text.yaml import compose, read_yaml
from irsa_doctor.text.yaml_places import YamlPlaces


class IntentError(IrsaDoctorError):
    """An intent file that cannot be used; `line` is 1-based, 0 where the fault has no line."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file = file
        self.line = line
        self.message = message


class WrittenIntent:
    """One file: the value of each part, by JSON pointer, and where that stands."""

    def __init__(self, file: str, raw: bytes) -> None:
        """Raises IntentError where the bytes are no JSON or YAML of one document, or have a member twice."""
        self.file = file
        text = settle(raw)
        if isinstance(text, TextError):
            raise IntentError(file, text.line, text.why)
        is_json = text.lstrip()[:1] == b"{"
        self._text = text
        self._form: Literal["json", "yaml"] = "json" if is_json else "yaml"
        self.value = self._read_json() if is_json else self._read_yaml()

    def _read_json(self) -> object:
        read = read_json(self._text)
        if isinstance(read, TextError):
            raise IntentError(self.file, read.line, read.why)
        self._refuse_duplicates((item.name, item.second[0]) for item in read.duplicates)
        return read.value

    def _read_yaml(self) -> object:
        read = read_yaml(self._text)
        if isinstance(read, TextError):
            raise IntentError(self.file, read.line, read.why)
        documents = [document for document in read if document.value is not None]
        if len(documents) > 1:
            line = self._line_of(read.index(documents[1], read.index(documents[0]) + 1))
            raise IntentError(self.file, line, f"{len(documents)} documents in one file: an intent is one")
        for document in documents:
            self._refuse_duplicates((item.name, item.second[0]) for item in document.duplicates)
        return documents[0].value if documents else None

    def _line_of(self, number: int) -> int:
        """Where a document of the file begins."""
        nodes = compose(self._text)
        node = nodes[number] if isinstance(nodes, list) and number < len(nodes) else None
        return node.start_mark.line + 1 if node is not None else 0

    def _refuse_duplicates(self, members: Iterable[tuple[str, int]]) -> None:
        for name, line in members:
            raise IntentError(self.file, line, f'"{name}" is written twice: the second would silently replace the first')

    def line(self, *steps: str | int, key: bool = False) -> int:
        """The line of what the steps lead to, with `key` of the name of the member."""
        places = self._places if self._form == "json" else self._nodes
        return places.locate(self._place(steps), key).line

    def is_plain(self, *steps: str | int) -> bool:
        """Whether a scalar of YAML is written without quotes."""
        if self._form == "json":
            return False
        node = self._nodes.find(self._place(steps))[1]
        return node is not None and node.id == "scalar" and not node.style

    @once
    def _nodes(self) -> YamlPlaces:
        """The parts of YAML with their places and quotes, looked up when the first is asked for."""
        return YamlPlaces(self._text)

    def _place(self, steps: Iterable[str | int]) -> Place:
        return Place(self.file, "".join(f"/{escaped(str(step))}" for step in steps))

    @once
    def _places(self) -> Documents:
        """Where the parts of JSON stand, looked up when the first is asked for."""
        return Documents({self.file: Source(self._text, "json", [(0, len(self._text))])})

    def wrong(self, says: str, *steps: str | int, key: bool = False) -> NoReturn:
        """Raises that something is wrong with what the steps lead to."""
        raise IntentError(self.file, self.line(*steps, key=key), says)


class WrittenPart:
    """A value of an intent file, with the steps that lead to it."""

    def __init__(self, written: WrittenIntent, value: object, *steps: str | int) -> None:
        self.written = written
        self.value = value
        self.steps = steps

    @property
    def line(self) -> int:
        """The line on which it begins: that of its name where it is a member."""
        return self.written.line(*self.steps, key=True)

    def wrong(self, says: str) -> NoReturn:
        """Raises that something is wrong with the value."""
        self.written.wrong(says, *self.steps)

    def refuse_placeholder(self, what: str, text: str, *, name: bool = False) -> None:
        """Raises that a text is still to be filled in: what is made of it could not be proved to mean anybody."""
        if isinstance(with_holes(text), Text):
            (self.wrong_name if name else self.wrong)(f"{what} {text} reads as a placeholder: write what it stands for")

    def wrong_name(self, says: str) -> NoReturn:
        """Raises that something is wrong with the name of the member."""
        self.written.wrong(says, *self.steps, key=True)

    def at(self, step: str | int) -> "WrittenPart":
        """The member of a name, or the item of a number; its value is None where it is not there."""
        value: Any = self.value
        inner = value.get(step) if isinstance(value, Mapping) else value[step]
        return WrittenPart(self.written, inner, *self.steps, step)

    def members(self) -> list["WrittenPart"]:
        """The members of a mapping, in order."""
        value = self.value
        return [self.at(name) for name in value] if isinstance(value, Mapping) else []

    @property
    def name(self) -> str:
        """The name of the member."""
        return str(self.steps[-1])

    def has(self, name: str) -> bool:
        """Whether a mapping has a member."""
        return isinstance(self.value, Mapping) and name in self.value

    def mapping(self, what: str, known: Iterable[str] = ()) -> "WrittenPart":
        """Itself; raises where it is no mapping, or has a member that is not known (every name is where none is)."""
        if not isinstance(self.value, Mapping):
            self.wrong(f"{what} is a mapping, not {_kind(self.value)}")
        names = list(known)
        for name in self.value if names else ():
            if name not in names:
                member = self.at(name)
                member.wrong_name(f'unknown key "{name}" in {what}.{suggestion(name, names)} Known are {", ".join(names)}.')
        return self

    def items(self) -> list["WrittenPart"]:
        """The items of a list; itself where it is none."""
        return [self.at(number) for number in range(len(self.value))] if isinstance(self.value, list) else [self]

    def listed(self, what: str) -> list["WrittenPart"]:
        """The items of a list; raises where it is none."""
        if not isinstance(self.value, list):
            self.wrong(f"{what} is a list, not {_kind(self.value)}: write [{as_scalar(self.value).strip(chr(34))}]")
        return self.items()

    def text(self, what: str) -> str:
        """The value as a text; raises where it is none, or empty."""
        if not isinstance(self.value, str) or not self.value.strip():
            self.wrong(f"{what} is a text, not {_kind(self.value)}")
        return self.value

    def number(self, what: str, least: int, most: int) -> int:
        """The value as a number between two; raises where it is none."""
        if type(self.value) is not int or not least <= self.value <= most:
            self.wrong(f"{what} is a number from {least} to {most}, not {as_scalar(self.value)}")
        return self.value

    def is_true(self, what: str) -> bool:
        """The value as a truth value; raises where it is none."""
        if not isinstance(self.value, bool):
            self.wrong(f"{what} is true or false, not {as_scalar(self.value)}")
        return self.value


_KINDS = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "a mapping"),
)


def _kind(value: object) -> str:
    if value is None or value == "":
        return "empty"
    return next((word for kind, word in _KINDS if isinstance(value, kind)), "that")


def as_scalar(value: object) -> str:
    """A value as JSON where it is a scalar, else its kind."""
    return msgspec.json.encode(value).decode() if isinstance(value, str | int | float | bool | None) else _kind(value)
