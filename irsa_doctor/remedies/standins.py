"""Concrete texts in the place of what a template leaves open in a trust policy, so that a change of it can be proved.

Each placeholder gets a text of its own and of the right form: an issuer, an account, a name. Placeholders that mean one issuer
(`var.oidc_provider` beside `var.oidc_provider_arn`) get one text. What is proved of the texts holds for whatever the
placeholders stand for, as long as a text of its own is all that a proof knows of each; nothing that was only put in may be
written into a source.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from irsa_doctor.model import Hole, Text, holes_in, is_issuer_of_cluster, only_hole, text_of
from irsa_doctor.model.regex import regex
from irsa_doctor.trust import Policy
from irsa_doctor.trust.association import SeenStatement, seen_for
from irsa_doctor.trust.policy import Condition, Value

_ACCOUNT = regex(r"\$\{(?:account of .*|AWS::AccountId|.*account_?id)\}", re.IGNORECASE)
_PARTITION = regex(r"\$\{(?:partition of .*|AWS::Partition|.*\bpartition)\}", re.IGNORECASE)
_REGION = regex(r"\$\{(?:AWS::Region|.*\bregion\b.*)\}", re.IGNORECASE)
_DERIVED = regex(r"\$\{(issuer in|issuer without https:// in) (.*)\}", re.DOTALL)
_ARN = ":oidc-provider/"
_SCHEME = "https://"
_SHORTEST = 8


class StandIns(msgspec.Struct, frozen=True, dict=True):
    """What stands for each hole, by its name; `unsure` are issuers of which it is not known that they are those of EKS."""

    texts: Mapping[str, str]
    unsure: frozenset[str] = frozenset()

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """The name of the hole for which a text stands that nothing else has in it, the longest text first."""
        longest = sorted(self.texts.items(), key=lambda item: -len(item[1]))
        return {text: name for name, text in longest if len(text) >= _SHORTEST and _is_put_in(text)}

    def filled(self, value: Any) -> Any:
        """A JSON value, with texts in the place of its holes. Raises ValueError where two members of an object get one name."""
        if isinstance(value, Text):
            return "".join(self._of(part) if isinstance(part, Hole) else part for part in value.parts)
        if isinstance(value, list | tuple):
            return [self.filled(item) for item in value]
        if isinstance(value, Mapping):
            made = {self.filled(name): self.filled(item) for name, item in value.items()}
            if len(made) != len(value):
                raise ValueError("two members of one name")
            return made
        return value

    def _of(self, hole: Hole) -> str:
        if hole.name in self.texts:
            return self.texts[hole.name]
        derived = _DERIVED.fullmatch(hole.name)
        inner = self.texts.get(f"${{{derived[2]}}}", "") if derived else ""
        if not derived or not inner:
            return hole.name
        return inner.removeprefix(_SCHEME) if derived[1].startswith("issuer without") else inner.partition(_ARN)[2]

    def is_open(self, text: str) -> bool:
        """Whether something in a text was only put in."""
        return any(each in text for each in self._names)

    def named(self, text: str) -> str:
        """A text with the names of holes in the place of what was put in."""
        for each, name in self._names.items():
            text = text.replace(each, name)
        return text

    def all_named(self, value: Any) -> Any:
        """A JSON value with the names of holes in the place of what was put in."""
        if isinstance(value, str):
            return self.named(value)
        if isinstance(value, Mapping):
            return {self.named(str(name)): self.all_named(item) for name, item in value.items()}
        return [self.all_named(item) for item in value] if isinstance(value, list | tuple) else value


def standins_for(policy: Policy, document: object, account: str) -> StandIns | None:
    """Texts for the holes of a policy; None where a hole is more than a part of a text, or where two texts with holes would
    have to be one. `account` is that of the role, "" where it is not known."""
    if any(statement.unseen or not statement.effect_seen for statement in policy.statements):
        return None
    maker = _Maker(account)
    for statement in policy.statements:
        for principal in statement.federated:
            if not maker.note_principal(principal, seen_for(statement, principal), statement.conditions):
                return None
    for hole in holes_in(document):
        maker.texts.setdefault(hole.name, maker.usual(hole.name))
    return StandIns(maker.texts, frozenset(maker.unsure))


class _Maker:
    """Gives texts to holes."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.texts: dict[str, str] = {}
        self.unsure: set[str] = set()

    def note_principal(self, principal: Value, seen: SeenStatement, conditions: Sequence[Condition]) -> bool:
        """Gives texts to the holes of a principal and of the keys that are read as those of its issuer."""
        issuer = self.issuer(seen.issuer)
        if not is_issuer_of_cluster(seen.issuer) and isinstance(seen.issuer, Text):
            self.unsure.add(issuer)
        hole = only_hole(principal)
        if hole is not None:
            account = self.account or _digits(hole.name)
            self.texts.setdefault(hole.name, f"arn:aws:iam::{account}{_ARN}{issuer}")
        elif isinstance(principal, Text):
            self.parts(principal)
        return all(self.is_one(key, issuer) for key in _keys_of(seen, conditions))

    def issuer(self, issuer: Value) -> str:
        """The text of an issuer."""
        hole = only_hole(issuer)
        if hole is not None:
            return self.texts.setdefault(hole.name, f"oidc.eks.eu-west-1.amazonaws.com/id/{_digest(hole.name)}")
        return self.parts(issuer)

    def is_one(self, key: Value, issuer: str) -> bool:
        """Whether the issuer of a key has the text of an issuer, or can be given it."""
        hole = only_hole(key)
        if hole is not None:
            return self.texts.setdefault(hole.name, issuer) == issuer
        return self.parts(key) == issuer

    def parts(self, value: Value) -> str:
        """A text, each hole in it with a text of the form that its place asks for."""
        made = ""
        for part in value.parts if isinstance(value, Text) else (value,):
            made += self.texts.setdefault(part.name, self._in_place(part, made)) if isinstance(part, Hole) else part
        return made

    def _in_place(self, hole: Hole, before: str) -> str:
        if before == "arn:":
            return "aws"
        if before.endswith(":iam::"):
            return self.account or _digits(hole.name)
        if before.endswith("oidc.eks."):
            return f"eu-west-{_number(hole.name) % 900 + 100}"
        return self.usual(hole.name) if not before.endswith("/id/") else _digest(hole.name)

    def usual(self, name: str) -> str:
        """The text of a hole of which nothing but the name is known."""
        if _PARTITION.fullmatch(name):
            return "aws"
        if _ACCOUNT.fullmatch(name):
            return self.account or _digits(name)
        if _REGION.fullmatch(name):
            return f"eu-west-{_number(name) % 900 + 100}"
        return f"open-{_digest(name)[:12].lower()}"


def _keys_of(seen: SeenStatement, conditions: Sequence[Condition]) -> Iterator[Value]:
    """The issuers of those keys with holes that are read as keys of the issuer of a principal."""
    name = text_of(seen.issuer).lower()
    for read, written in zip(seen.statement.conditions, conditions, strict=True):
        issuer, _, claim = read.key.rpartition(":")
        raw = written.raw_key
        if issuer == name and isinstance(raw, Text) and isinstance(raw.parts[-1], str):
            last = raw.parts[-1].removesuffix(f":{raw.parts[-1].rpartition(':')[2]}")
            if claim == raw.parts[-1].rpartition(":")[2].lower():
                parts = (*raw.parts[:-1], last) if last else raw.parts[:-1]
                yield Text(parts)


def _is_put_in(text: str) -> bool:
    """Whether a text is one that is made here, and no text of somebody else: literal issuers may stand for holes too."""
    return bool(_MARK.search(text))


_MARK = regex(r"0{4}[0-9A-F]{24}0{4}|open-[0-9a-f]{12}|eu-west-\d{3}|\b99\d{10}\b")


def _digest(name: str) -> str:
    """32 hexadecimal digits, as the id of an issuer has."""
    return f"0000{hashlib.sha256(name.encode()).hexdigest()[:24].upper()}0000"


def _number(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest()[:12], 16)


def _digits(name: str) -> str:
    """The number of an account."""
    return f"99{_number(name) % 10**10:010d}"
