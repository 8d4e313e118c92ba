"""A trust policy but for the service accounts that it names."""

import msgspec

from irsa_doctor.model.once import once

_RELATED = (b"serviceaccount", b"$", b"ignorecase")
"""what may compare a service account with something else than itself"""


class PolicyShape(msgspec.Struct, frozen=True, dict=True):
    """A trust policy but for the service accounts that it names, and what else of a role its analysis depends on."""

    pieces: tuple[bytes, ...]
    order: tuple[int, ...]
    """the number of the service account behind each piece but the last"""
    account: str
    named: bool
    written: str
    """the extension of the document's name, "" where a template made the role"""

    @once
    def relates(self) -> bool:
        """Whether something in the policy may compare service accounts with others than those that it names one by one."""
        return any(word in self._text for word in _RELATED)

    def is_indifferent_to(self, subject: str) -> bool:
        """Whether nothing else in the policy has to do with the names of a service account: neither has them in it, nor a
        pattern that some names match and others do not."""
        names = subject.encode().split(b":")[2:]
        return self._is_plain and not any(name in self._text for name in names)

    @once
    def _is_plain(self) -> bool:
        """Whether nothing compares service accounts, and nothing is a pattern that only some texts match."""
        text = self._text.replace(b'"*"', b"")
        return not self.relates and b"*" not in text and b"?" not in text

    @once
    def _text(self) -> bytes:
        return b"".join(self.pieces).lower()
