"""An editable copy of a trust policy: each edit changes one thing and leaves the rest as it is written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.model import Place, TrustPolicy, issuer_of_provider
from irsa_doctor.model.regex import regex
from irsa_doctor.trust import Policy, read_policy

PolicyDocument = Mapping[str, Any]
Json = dict[str, Any]
_PLACE = Place("policy")
_NO_SID = regex(r"[^A-Za-z0-9]")


def read(document: PolicyDocument) -> Policy:
    """A document, taken apart; its size and its characters are left alone, which `read_for_iam` looks at."""
    return read_policy(TrustPolicy(document, _PLACE, size=0, plain=True))


def read_for_iam(document: PolicyDocument) -> Policy:
    """A document without holes, taken apart, with all for which IAM would refuse it.

    Raises UnicodeEncodeError for text that has no encoding.
    """
    text = msgspec.json.encode(document)
    plain = text.isascii() and b"\\" not in text
    return read_policy(TrustPolicy(document, _PLACE, size=_size(text), plain=plain))


def _size(text: bytes) -> int:
    """The characters of encoded JSON that IAM counts: all but spaces, the only white space that the encoder leaves as it is."""
    return len(text) - text.count(b" ") if text.isascii() else len("".join(text.decode().split()))


def statement_count(document: PolicyDocument) -> int:
    """How many statements a document has."""
    return len(_listed(document.get("Statement")))


class CannotEdit(Exception):
    """An edit that would repeat a member, or that has no place in the document."""


def statement_of(document: PolicyDocument, index: int) -> Json:
    """A statement of a document, by index. Raises CannotEdit where it is not there."""
    listed = document.get("Statement")
    statements: list[Any] = listed if isinstance(listed, list) else [listed]
    if index >= len(statements) or not isinstance(statements[index], dict):
        raise CannotEdit(f"no statement {index}")
    statement: Json = statements[index]
    return statement


class Draft:
    """A copy of the JSON value of a policy. Order of members, Sids, lists and single values stay as they are written.

    Statements are named by their index. Conditions are named by operator and key as they are written. Every method raises
    CannotEdit where what it names is not there or the result would repeat a member.
    """

    def __init__(self, document: PolicyDocument) -> None:
        self.document: Json = _copied(document)

    def statement(self, index: int) -> Json:
        """A statement, by index."""
        return statement_of(self.document, index)

    # ---- values

    def replace_value(self, index: int, operator: str, key: str, old: str, new: Iterable[str]) -> None:
        """Put values in the place of one value of a condition; those that the condition has already are not repeated."""
        block = self._block(index, operator)
        self._member(block, key)
        block[key] = _replaced(block[key], old, tuple(new))

    def add_value(self, index: int, operator: str, key: str, new: Iterable[str]) -> None:
        """Add values to a condition."""
        block = self._block(index, operator)
        self._member(block, key)
        block[key] = _short([*_listed(block[key]), *(value for value in new if value not in _listed(block[key]))], block[key])

    def remove_value(self, index: int, operator: str, key: str, old: str) -> None:
        """Take one value out of a condition; the last one takes the condition with it."""
        block = self._block(index, operator)
        self._member(block, key)
        left = [value for value in _listed(block[key]) if value != old]
        if left:
            block[key] = _short(left, block[key])
        else:
            self.drop_condition(index, operator, key)

    def set_values(self, index: int, operator: str, key: str, values: Sequence[str]) -> None:
        """Give a condition other values."""
        block = self._block(index, operator)
        self._member(block, key)
        block[key] = _short(list(dict.fromkeys(values)), block[key])

    # ---- keys and operators

    def replace_key(self, index: int, operator: str, key: str, new: str) -> None:
        """Give a condition another key, in the same place."""
        block = self._block(index, operator)
        self._member(block, key)
        if any(name.lower() == new.lower() for name in block if name != key):
            raise CannotEdit(f"{operator} has {new} already")
        self._condition(index)[operator] = _renamed(block, key, new)

    def swap_keys(self, index: int, first: tuple[str, str], second: tuple[str, str]) -> None:
        """Exchange the keys of two conditions, each (operator, key); the values stay where they are."""
        blocks = [self._block(index, operator) for operator, _ in (first, second)]
        for block, (_, key) in zip(blocks, (first, second), strict=True):
            self._member(block, key)
        if blocks[0] is blocks[1]:
            names = {first[1]: second[1], second[1]: first[1]}
            self._condition(index)[first[0]] = {names.get(name, name): value for name, value in blocks[0].items()}
            return
        self.replace_key(index, *first, second[1])
        self.replace_key(index, *second, first[1])

    def replace_operator(self, index: int, operator: str, key: str, new: str) -> None:
        """Put a condition under another operator; where the document has that operator, the key moves into it."""
        if operator == new:
            return
        condition, block = self._condition(index), self._block(index, operator)
        self._member(block, key)
        if new in condition:
            if any(name.lower() == key.lower() for name in condition[new]):
                raise CannotEdit(f"{new} has {key} already")
            condition[new][key] = block[key]
            self.drop_condition(index, operator, key)
        elif len(block) == 1:
            self.statement(index)["Condition"] = _renamed(condition, operator, new)
        else:
            condition[new] = {key: block.pop(key)}

    def add_condition(self, index: int, operator: str, key: str, values: Sequence[str]) -> None:
        """Add a condition, beside those of the same operator."""
        condition = self.statement(index).setdefault("Condition", {})
        if not isinstance(condition, dict):
            raise CannotEdit("Condition is not an object")
        block = condition.setdefault(operator, {})
        if not isinstance(block, dict) or any(name.lower() == key.lower() for name in block):
            raise CannotEdit(f"{operator} has {key} already")
        block[key] = _short(list(dict.fromkeys(values)), "")

    def drop_condition(self, index: int, operator: str, key: str) -> None:
        """Remove a condition, with its operator and the whole block where nothing else is in it."""
        condition, block = self._condition(index), self._block(index, operator)
        self._member(block, key)
        del block[key]
        if not block:
            del condition[operator]
        if not condition:
            del self.statement(index)["Condition"]

    # ---- principals and actions

    def replace_principal(self, index: int, kind: str, old: str, new: str) -> None:
        """Put a Federated principal in the place of a value of a principal type."""
        principal = self.statement(index).get("Principal")
        if not isinstance(principal, dict) or old not in _listed(principal.get(kind)):
            raise CannotEdit(f"no principal {old}")
        if kind == "Federated":
            principal[kind] = _replaced(principal[kind], old, (new,))
        elif _listed(principal[kind]) == [old] and "Federated" not in principal:
            self.statement(index)["Principal"] = {
                ("Federated" if name == kind else name): (new if name == kind else value) for name, value in principal.items()
            }
        else:
            raise CannotEdit("the statement has other principals")

    def remove_provider(self, index: int, provider: str) -> None:
        """Take one of several Federated principals out of a statement."""
        principal = self.statement(index).get("Principal")
        listed = _listed(principal.get("Federated")) if isinstance(principal, dict) else []
        if not isinstance(principal, dict) or provider not in listed or len(listed) < 2:
            raise CannotEdit(f"no provider {provider} beside another")
        principal["Federated"] = _short([value for value in listed if value != provider], principal["Federated"])

    def replace_action(self, index: int, old: str, new: str) -> None:
        """Put an action in the place of another."""
        statement = self.statement(index)
        if old not in _listed(statement.get("Action")):
            raise CannotEdit(f"no action {old}")
        statement["Action"] = _replaced(statement["Action"], old, (new,))

    def add_action(self, index: int, new: str) -> None:
        """Add an action."""
        statement = self.statement(index)
        statement["Action"] = _short([*_listed(statement.get("Action", [])), new], statement.get("Action"))

    # ---- statements

    def add_statement(self, statement: Json) -> None:
        """Add a statement behind the last one."""
        self._insert(len(self._statements()), statement)

    def split_statement(self, index: int, parts: Sequence[Json]) -> None:
        """Put several statements in the place of one; the first keeps its Sid, the others get Sids of their own."""
        statements = self._statements()
        sid = self.statement(index).get("Sid")
        del statements[index]
        self.document["Statement"] = statements
        for number, part in enumerate(parts):
            if isinstance(sid, str) and sid:
                part["Sid"] = sid if number == 0 else self.free_sid(sid)
            statements.insert(index + number, part)

    def split_by_issuer(self, index: int, providers: Sequence[str], kept: Sequence[str] = ()) -> None:
        """Put one statement for each provider in the place of one, with the conditions on its own tokens and on the request; of
        some that are `kept` only these."""
        issuers = {provider: issuer_of_provider(provider).lower() for provider in providers}
        self.split_statement(index, [self._part(index, provider, issuers) for provider in kept or issuers])

    def _part(self, index: int, provider: str, issuers: Mapping[str, str]) -> Json:
        """A statement for one of its providers."""
        part = Draft(self.document)
        statement = part.statement(index)
        statement["Principal"] = {**statement["Principal"], "Federated": provider}
        for operator, block in list((statement.get("Condition") or {}).items()):
            for key in list(block):
                base = key.lower().rpartition(":")[0]
                if base != issuers[provider] and base in issuers.values():
                    part.drop_condition(index, operator, key)
        return statement

    def _insert(self, index: int, statement: Json) -> None:
        statements = self._statements()
        statements.insert(index, statement)
        self.document["Statement"] = statements

    def _statements(self) -> list[Any]:
        listed = self.document.get("Statement")
        return list(listed) if isinstance(listed, list) else [listed]

    def free_sid(self, sid: str) -> str:
        """A Sid like another one that no statement has."""
        taken = {s.get("Sid") for s in self._statements() if isinstance(s, dict)}
        stem, number = _NO_SID.sub("", sid), 2
        while f"{stem}{number}" in taken:
            number += 1
        return f"{stem}{number}"

    def _condition(self, index: int) -> Json:
        condition = self.statement(index).get("Condition")
        if not isinstance(condition, dict):
            raise CannotEdit("no Condition")
        return condition

    def _block(self, index: int, operator: str) -> Json:
        block = self._condition(index).get(operator)
        if not isinstance(block, dict):
            raise CannotEdit(f"no {operator}")
        return block

    def _member(self, block: Json, key: str) -> None:
        if key not in block:
            raise CannotEdit(f"no condition on {key}")


DraftEdit = Callable[[Draft], None]


def _copied(value: Any) -> Any:
    """A copy of a JSON value, of its objects and lists."""
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _short(values: list[Any], written: Any) -> Any:
    """A single value stands alone, unless it was written as a list."""
    return values[0] if len(values) == 1 and not isinstance(written, list) else values


def _replaced(value: Any, old: str, new: Sequence[str]) -> Any:
    left: list[Any] = []
    is_there = False
    for item in _listed(value):
        # a number counts by its text
        is_old = item == old or (not isinstance(item, str) and str(item) == old)
        is_there |= is_old
        left += [entry for entry in (new if is_old else (item,)) if entry not in left]
    if not is_there:
        raise CannotEdit(f"no value {old}")
    return _short(left, value)


def _renamed(members: Json, old: str, new: str) -> Json:
    return {(new if name == old else name): value for name, value in members.items()}
