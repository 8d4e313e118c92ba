"""Roles of an intent that differ in their names alone: what is proved of one of them holds for the others.

A name that is plain is read by every reader as it stands. Where the parts of a text for two roles, and the policies that they
are to have, are the same but for such names, the second says of its role what the first says of its own.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from irsa_doctor.answers.intents.dialects.written import Writing
from irsa_doctor.answers.intents.plan import MadeRole

_PLAIN = re.compile(r"[a-z]+-[a-z0-9]+(?:-[a-z0-9]+)*|[a-z]{3,}[0-9]+|[a-z]{4,}")
_WORDS = frozenset({"null", "true", "false"})


class RoleForm(msgspec.Struct, frozen=True):
    """The part of a text for a role, "" for none, and the policy that the role is to have, as JSON, without their names."""

    part: str
    policy: str
    account: str


def role_form(role: MadeRole, part: str = "", label: str = "") -> RoleForm | None:
    """The form of a role, of which a text calls the role by a label; None where more of it is its own than plain names."""
    if len(role.pairs) != 1 or role.via != "irsa" or role.intended.policies:
        return None
    subject = role.pairs[0].subject
    names = (role.name, subject.namespace, subject.name, (label or role.name).lower())
    if not all(map(_is_plain, names)):
        return None
    policy = _without(msgspec.json.encode(role.policy).decode(), {subject.subject: "\0subject"})
    marks = {subject.subject: "\0subject", role.name: "\0name", label: "\0label"}
    return RoleForm(_without(part, marks), policy, role.account)


def _is_plain(name: str) -> bool:
    return _PLAIN.fullmatch(name) is not None and name not in _WORDS


def _without(text: str, names: Mapping[str, str]) -> str:
    for name, mark in names.items():
        text = text.replace(name, mark) if name else text
    return text


def texts_to_read(roles: Sequence[MadeRole], writing: Writing) -> tuple[dict[str, bytes], set[str]]:
    """The texts of a dialect by path, without the parts for roles that are like another one, and these roles by ARN."""
    by_arn = {role.role: role for role in roles}
    known: set[RoleForm] = set()
    alike: set[str] = set()
    texts: dict[str, bytes] = {}
    for file in writing.files:
        pieces = writing.pieces.get(file.path, ())
        if "".join(text for _, text in pieces) != file.text:
            texts[file.path] = file.text.encode()
            continue
        kept = []
        for arn, text in pieces:
            shape = role_form(by_arn[arn], text, _label(writing, arn)) if arn else None
            if shape is not None and shape in known:
                alike.add(arn)
                continue
            known |= {shape} if shape is not None else set()
            kept.append(text)
        if kept:
            texts[file.path] = "".join(kept).encode()
    return texts, alike


def _label(writing: Writing, arn: str) -> str:
    """What a template calls a role; "" where its address is the path of its file."""
    address = writing.addresses.get(arn, "")
    return "" if "/" in address else address.rpartition(".")[2]
