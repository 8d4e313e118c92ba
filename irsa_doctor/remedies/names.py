"""The texts in which roles differ that are alike, and what their policies are without them.

Such names are service accounts, the ids and the regions of EKS clusters, and the account of the role, each where it means
nothing but itself: nothing else in the policy has it in it or is near to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.facts.roles.policy_shape import PolicyShape
from irsa_doctor.model.once import once
from irsa_doctor.model.regex import regex
from irsa_doctor.trust.subjects import PREFIX, QUOTED_SUBJECT, is_subject, matches_subject, subject_form

_CLUSTER = regex(r"/id/([0-9A-F]{32})(?![0-9A-Za-z])")
"""the id of an EKS cluster in its issuer"""
_REGION = regex(r"oidc\.eks\.(?!cn-)([a-z]{2}-[a-z]+-[0-9])\.amazonaws\.com/id/")
"""the region of a cluster in the partition `aws`"""
_RUN_ON = regex(r"[0-9]\0a\0|\0a\0[0-9]")
"""an account in a longer number"""
_KINDRED = regex("(system:serviceaccount:)?(\1|\2|\1:(\2|\3|[*]|\2-[*]|[$][{][A-Za-z/:-]+[}]))")
"""what conditions have of a service account beside its subject: \\1 is its namespace, \\2 its name, \\3 that with a capital
letter"""


class RoleNames(msgspec.Struct, frozen=True, dict=True):
    """The names of a role, those of each kind in an order that it has in common with its like.

    `subjects` are of service accounts, `values` what conditions have of the only one besides, `places` the ids and regions of
    clusters.
    """

    subjects: Sequence[str] = ()
    values: Sequence[str] = ()
    places: Sequence[str] = ()
    account: str = ""

    @once
    def _marks(self) -> Sequence[tuple[str, str]]:
        """Each name as it stands in a policy, and the mark in its place, which no JSON has in it."""
        return (
            *((f'"{text}"', f"\0s{number}\0") for number, text in enumerate(self.subjects)),
            *((f'"{text}"', f"\0v{number}\0") for number, text in enumerate(self.values)),
            *_marks_of(self.places, self.account),
        )

    def marked(self, text: str) -> str:
        """A text of a policy with marks in the place of the names."""
        return _replaced(text, self._marks)

    def filled(self, text: str) -> str:
        """A text with names in the place of the marks."""
        for name, mark in self._marks:
            text = text.replace(mark, name)
        return text

    def are_in(self, text: str) -> bool:
        """Whether some of them, or part of a service account, is in a text with marks, in whatever case."""
        low = text.lower()
        parts = [part for subject in self.subjects for part in subject.split(":")[2:]]
        return any(part.lower() in low for part in (*parts, *self.places, self.account) if part)


class Outline(msgspec.Struct, frozen=True):
    """A policy but for its service accounts, as it is written and with marks for the account and the places of which it
    speaks; `marked` is the first again where they may mean more than themselves."""

    pieces: tuple[str, ...]
    marked: tuple[str, ...]
    places: tuple[str, ...]
    account: str
    unnamed: tuple[str, ...]
    """service accounts that are left in it"""

    def has_to_do_with(self, places: Sequence[str]) -> bool:
        """Whether more of the policy is some of these places than marks stand for."""
        text = "".join(self.marked).lower() if places else ""
        return any(place.lower() in text or self.account in place for place in places)


def outline_of(shape: PolicyShape) -> Outline:
    """The policy of a shape with marks; without any where it speaks of its account or of a cluster in another way."""
    pieces = tuple([piece.decode() for piece in shape.pieces])
    text = '"'.join(pieces)
    places = places_in(text)
    unnamed = tuple([subject.decode() for subject in QUOTED_SUBJECT.findall(text.encode())]) if ':default"' in text else ()
    marks = _marks_of(places, shape.account)
    marked = tuple([_replaced(piece, marks) for piece in pieces])
    outline = Outline(pieces, marked, places, shape.account, unnamed)
    if not shape.account or outline.has_to_do_with(places) or _RUN_ON.search("".join(marked)):
        return Outline(pieces, pieces, (), "", unnamed)
    return outline


def places_in(text: str) -> tuple[str, ...]:
    """The regions and the ids of EKS clusters whose issuers are in a text."""
    return tuple(dict.fromkeys((*_REGION.findall(text), *_CLUSTER.findall(text))))


class Kindred(msgspec.Struct, frozen=True):
    """A text that has a part of a service account in it: how it is made of the parts, and whether the subject was meant; or a
    pattern of others."""

    text: str
    form: str
    is_meant: bool


def kindred_values(policy: PolicyShape, document: Mapping[str, Any], subject: str) -> tuple[PolicyShape, tuple[Kindred, ...]]:
    """A policy without what its conditions have of a service account beside its subject, and these texts; the policy as it is
    where they have it in a form of which less is known, or where the parts of the subject are not told apart."""
    if not is_subject(subject):
        return policy, ()
    namespace, name = subject.split(":")[2:]
    # a name with a dot may be the host of an audience
    if namespace in name or name in namespace or "." in name:
        return policy, ()
    compared = list(_compared(document, (namespace, name, _capitalised(name), "*", "?")))
    kindred: dict[str, Kindred] = {}
    for operator, key, text in compared:
        made = _kindred(text, namespace, name) if "String" in operator and not key.lower().endswith(":aud") else None
        if made is None:
            return policy, ()
        kindred[text] = made
    marks = [(f'"{text}"'.encode(), b"\0v%d\0" % number) for number, text in enumerate(kindred)]
    pieces = list(policy.pieces)
    for quoted, mark in marks:
        pieces = [piece.replace(quoted, mark) for piece in pieces]
    if sum(piece.count(mark) for _, mark in marks for piece in pieces) != len(compared):
        return policy, ()
    return msgspec.structs.replace(policy, pieces=tuple(pieces)), tuple(kindred.values())


def _kindred(text: str, namespace: str, name: str) -> Kindred | None:
    """A text that has the namespace or the name of a service account in it, or a pattern that has nothing to do with either;
    None where its form is another one."""
    form = text.replace(namespace, "\1").replace(name, "\2").replace(_capitalised(name), "\3")
    subject = f"{PREFIX}{namespace}:{name}"
    if form == text:
        return Kindred(text, form, False) if text.startswith(PREFIX) and not matches_subject(text, subject) else None
    meant = "" if "*" in text or "$" in text else subject_form(text)[1]
    if not _KINDRED.fullmatch(form) or meant not in ("", subject):
        return None
    return Kindred(text, form, bool(meant))


def _capitalised(name: str) -> str:
    return name[:1].upper() + name[1:]


def _compared(document: Mapping[str, Any], parts: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Operator and key of the conditions of a policy, with each text of theirs that has one of the parts in it and is neither
    a subject nor everything."""
    for statement in _listed(document.get("Statement")):
        block = statement.get("Condition") if isinstance(statement, dict) else None
        for operator, keys in block.items() if isinstance(block, dict) else ():
            for key, listed in keys.items() if isinstance(keys, dict) else ():
                texts = [text for text in _listed(listed) if isinstance(text, str) and any(part in text for part in parts)]
                yield from ((operator, key, text) for text in texts if text != "*" and not is_subject(text))


def _marks_of(places: Sequence[str], account: str) -> Sequence[tuple[str, str]]:
    of_places = [(text, f"\0p{number}\0") for number, text in enumerate(places)]
    return (*of_places, (account, "\0a\0")) if account else of_places


def _replaced(text: str, marks: Sequence[tuple[str, str]]) -> str:
    for name, mark in marks:
        text = text.replace(name, mark)
    return text


def ranks(texts: Sequence[str]) -> tuple[int, ...]:
    """The places of texts in the order in which they are sorted."""
    return tuple(sorted(range(len(texts)), key=texts.__getitem__)) if len(texts) > 1 else ()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
