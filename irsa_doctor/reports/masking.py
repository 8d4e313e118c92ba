"""Masks a whole answer before a format renders it: what is wrapped or cut afterwards holds no secret any more."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from irsa_doctor.model.edits import Suggestion
from irsa_doctor.model.findings import NO_ACCOUNTS, NO_OFFER, AccountList, Finding, Fix, Location, Offer, RoleAccounts
from irsa_doctor.reports.fixes import pasted_policy
from irsa_doctor.text.mask import masked, needs_no_mask

_Answer = TypeVar("_Answer")


def masked_answer(answer: _Answer, *, quotes: bool = True) -> _Answer:
    """The same answer with `***` for whatever looks like a secret in any of its texts; itself if no text has one.

    A fix that holds one is left out: with stars in it nobody could apply it. Without `quotes` the lines of the documents are
    left out as well: a format that shows none of them need not check each.
    """
    changed: _Answer = _Masking(() if quotes else ("source",)).of(answer)
    return changed


_PLAIN = (int, bool, float, type(None))
_SAFE = frozenset({"severity", "confidence", "fingerprint", "sha256", "url", "page", "controls"})
"""members whose texts are of a closed list, of a rule or digests"""


class _Masking:
    """Answers have the same texts again and again: each is checked once."""

    def __init__(self, left_out: tuple[str, ...]) -> None:
        self._left_out = left_out
        self._plain: set[str] = set()
        self._members: dict[type, tuple[str, ...]] = {}

    def of(self, value: Any) -> Any:
        """The value itself where nothing in it changes."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, msgspec.Struct):
            if isinstance(value, Finding | Fix | AccountList) and self._is_plain(value):
                return self._finding(value) if isinstance(value, Finding) else value
            shown = self._record(value)
            return None if shown is not value and isinstance(value, Fix | Suggestion) else shown
        if isinstance(value, tuple | list):
            return self._list(value)
        if isinstance(value, dict):
            return self._table(value)
        return self._late(value)

    def _text(self, text: str) -> str:
        return text if self._are_plain((text,)) else masked(text)

    def _are_plain(self, texts: Iterable[str]) -> bool:
        """Whether nothing in some texts is to be masked; they are checked together."""
        unseen = set(texts) - self._plain
        if unseen and not needs_no_mask("\n".join(unseen)) and any(masked(text) != text for text in unseen):
            return False
        self._plain |= unseen
        return True

    def _record(self, record: msgspec.Struct) -> msgspec.Struct:
        kind = type(record)
        if (names := self._members.get(kind)) is None:
            names = self._members[kind] = tuple(name for name in record.__struct_fields__ if name not in _SAFE)
        changes = {}
        for name in names:
            value = getattr(record, name)
            if type(value) in _PLAIN:
                continue
            if value and name in self._left_out and isinstance(record, Location):
                changes[name] = ""
            elif (shown := self.of(value)) is not value:
                changes[name] = shown
        return msgspec.structs.replace(record, **changes) if changes else record

    def _is_plain(self, record: Finding | Fix | AccountList) -> bool:
        """Whether nothing in one of the records of which a report has most is to be masked."""
        if isinstance(record, AccountList):
            return self._are_plain(record.ids)
        if isinstance(record, Finding):
            places = [text for place in record.locations for text in (place.file, place.pointer, place.says, place.source)]
            own = (record.rule, record.title, record.message, record.subject.kind, record.subject.id, record.remedy)
            return self._are_plain((*own, record.group, *places))
        policy = "" if record.policy is None else pasted_policy(record.policy)
        # what is escaped in it reads otherwise than its text
        is_safe = "\\" not in policy and needs_no_mask(policy)
        return is_safe and self._are_plain((*record.commands, *record.admits, record.diff, record.managed_by))

    def _finding(self, finding: Finding) -> Finding:
        """A finding whose own texts are plain: only what is worked out later is left to mask."""
        changes = {name: self._late(getattr(finding, name)) for name in ("offer", "role_accounts")}
        if self._left_out and any(place.source for place in finding.locations):
            changes["locations"] = tuple(msgspec.structs.replace(place, source="") for place in finding.locations)
        return msgspec.structs.replace(finding, **changes)

    def _list(self, values: Any) -> Any:
        shown = [self.of(value) for value in values]
        return values if all(map(_is, shown, values)) else type(values)(shown)

    def _table(self, table: Mapping[Any, Any]) -> Mapping[Any, Any]:
        shown = {self.of(name): self.of(value) for name, value in table.items()}
        return table if shown.keys() == table.keys() and all(map(_is, shown.values(), table.values())) else shown

    def _late(self, value: Any) -> Any:
        """What is worked out when it is read is masked then."""
        if isinstance(value, Offer) and value is not NO_OFFER:
            return Offer(lambda: self.of(value.fix))
        if isinstance(value, RoleAccounts) and value is not NO_ACCOUNTS:
            return RoleAccounts(lambda: self._accounts(value.accounts))
        if isinstance(value, msgspec.Raw):
            return self._raw(value)
        return self._table(value) if isinstance(value, Mapping) else value

    def _raw(self, value: msgspec.Raw) -> msgspec.Raw:
        """What is handed on as the JSON that came in, the id of a request say."""
        plain = msgspec.json.decode(value)
        shown = self.of(plain)
        return value if shown is plain else msgspec.Raw(msgspec.json.encode(shown))

    def _accounts(self, accounts: AccountList) -> AccountList:
        shown: AccountList = self.of(accounts)
        return shown


def _is(one: object, other: object) -> bool:
    return one is other
