"""Where something stands: symbolic until a finding needs the line."""

import msgspec


class Place(msgspec.Struct, frozen=True):
    """A JSON pointer (RFC 6901) into one part of one document.

    `document` is the path as given (`-` for standard input), `part` the number of the YAML document or JSON line in it,
    from 0. Line and column are found from it late, by `sources.locate`.
    """

    document: str
    pointer: str = ""
    part: int = 0

    def at(self, *steps: str | int) -> "Place":
        """The place some steps below this one."""
        pointer = self.pointer
        for step in steps:
            name = str(step)
            pointer += "/" + (name.replace("~", "~0").replace("/", "~1") if "/" in name or "~" in name else name)
        return Place(self.document, pointer, self.part)


class Note(msgspec.Struct, frozen=True):
    """A place and what there is to say of it; the places of a finding read as a sentence."""

    place: Place
    says: str
    primary: bool = False
    key: bool = False
    """Whether the member's name is at fault rather than its value."""
