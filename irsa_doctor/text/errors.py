"""Why something could not be read, as a value."""

import msgspec

from irsa_doctor.model.errors import IrsaDoctorError


class TextError(msgspec.Struct, frozen=True):
    """What is wrong with a text, at a line and column (1-based, 0 where unknown)."""

    why: str
    line: int = 0
    column: int = 0


class UnreadableItem(msgspec.Struct, frozen=True):
    """Stands in a decoded list for an item that could not be decoded."""

    why: str


class WrongShape(Exception):
    """A part of a good document is not what its kind asks for; caught where the next part can still be read."""

    def __init__(self, pointer: str, why: str) -> None:
        super().__init__(f"{why} at {pointer or '/'}")
        self.pointer = pointer
        self.why = why


class StillOpen(WrongShape):
    """A part of a good document is a placeholder, which something fills in before the document is used."""


class LiveError(IrsaDoctorError):
    """A live source gave nothing at all, or cannot be asked: one sentence that says why."""
