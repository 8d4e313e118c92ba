"""Masks a whole answer before a format renders it: what is wrapped or cut afterwards holds no secret any more."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from irsa_doctor.model.findings import NO_ACCOUNTS, NO_OFFER, AccountList, Fix, Offer, RoleAccounts
from irsa_doctor.text.mask import masked

_Answer = TypeVar("_Answer")


def masked_answer(answer: _Answer) -> _Answer:
    """The same answer with `***` for whatever looks like a secret in any of its texts; itself where there is none.

    A fix that holds one is left out: with stars in it nobody could apply it.
    """
    changed: _Answer = _Masking().of(answer)
    return changed


class _Masking:
    """Answers have the same texts again and again: each is looked at once."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def of(self, value: Any) -> Any:
        """The value itself where nothing in it changes."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Fix):
            return value if self._record(value) is value else None
        if isinstance(value, msgspec.Struct):
            return self._record(value)
        if isinstance(value, tuple | list):
            items = [self.of(item) for item in value]
            return value if all(map(_is, items, value)) else type(value)(items)
        if isinstance(value, Mapping):
            members = {self.of(name): self.of(item) for name, item in value.items()}
            return value if all(map(_is, members.values(), value.values())) and members.keys() == value.keys() else members
        return self._late(value)

    def _text(self, text: str) -> str:
        if (shown := self._texts.get(text)) is None:
            shown = self._texts[text] = masked(text)
        return text if shown == text else shown

    def _record(self, record: msgspec.Struct) -> msgspec.Struct:
        changes = {}
        for name in record.__struct_fields__:
            value = getattr(record, name)
            if value is not None and (seen := self.of(value)) is not value:
                changes[name] = seen
        return msgspec.structs.replace(record, **changes) if changes else record

    def _late(self, value: Any) -> Any:
        """What is worked out when it is read is masked then."""
        if isinstance(value, Offer) and value is not NO_OFFER:
            return Offer(lambda: self.of(value.fix))
        if isinstance(value, RoleAccounts) and value is not NO_ACCOUNTS:
            return RoleAccounts(lambda: self._accounts(value.accounts))
        return value

    def _accounts(self, accounts: AccountList) -> AccountList:
        shown: AccountList = self.of(accounts)
        return shown


def _is(one: object, other: object) -> bool:
    return one is other
