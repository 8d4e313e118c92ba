"""A trust policy as it was written, before anybody has asked what it means."""

import msgspec

from irsa_doctor.model.once import once
from irsa_doctor.model.place import Place


class Flaw(msgspec.Struct, frozen=True):
    """What is wrong with a document as text: no JSON, or a member given twice. Line and column are 1-based, 0 where unknown."""

    code: str
    message: str
    pointer: str = ""
    line: int = 0
    column: int = 0


class ReplacedMember(msgspec.Struct, frozen=True):
    """A member of an object that a later one of its name takes the place of, as Terraform takes objects.

    `pointer` leads to the later one; `keys` are the names in what is lost, its own included.
    """

    name: str
    pointer: str
    keys: tuple[str, ...]


class TrustPolicy(msgspec.Struct, frozen=True, eq=False, dict=True):
    """One AssumeRolePolicyDocument.

    `document` is its JSON value (None where the text is no JSON); with `template`, strings in it may be `Text` with holes.
    `flaws` are those of the text itself. `size` counts the characters that IAM counts, all but white space
    (reference_iam-quotas), -1 where the text was not kept. `plain`: its text is ASCII without escapes, so every character in
    it may stand in a policy. `replaced` are members that the template has and the document has not.
    """

    document: object
    place: Place
    flaws: tuple[Flaw, ...] = ()
    template: bool = False
    size: int = -1
    plain: bool = False
    replaced: tuple[ReplacedMember, ...] = ()

    @once
    def json(self) -> bytes | None:
        """The document as JSON; None where its value has not all of its text: placeholders, or members of one name."""
        if self.flaws:
            return None
        try:
            return msgspec.json.encode(self.document)
        except (TypeError, ValueError, RecursionError):
            return None

    def encoded_as(self, text: bytes) -> "TrustPolicy":
        """Itself; `text` is what its document encodes to, which need not be worked out any more."""
        self.__dict__["json"] = text
        return self
