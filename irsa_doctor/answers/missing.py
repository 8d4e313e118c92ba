"""An input that an answer lacks."""

import msgspec


class MissingInput(msgspec.Struct, frozen=True):
    """An input that the answer needs, and the command that supplies it."""

    missing: str
    how: str
