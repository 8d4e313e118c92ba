"""Text with holes: a value from a template, of which some parts are known and some have only a name.

Two holes of the same name in one document are equal, so structure can be judged though the values are unknown.
"""

from collections.abc import Iterable, Iterator

import msgspec

UNEXPANDED = " (not expanded)"
"""how the name of a hole ends that its template leaves as it is written, for want of a function"""


class Hole(msgspec.Struct, frozen=True):
    """A named part whose value is not known; `name` is how the document writes it, `${OidcProvider}` say."""

    name: str


class Text(msgspec.Struct, frozen=True):
    """Literal parts and holes, in order. Plain text is a `str` everywhere; a `Text` always has a hole."""

    parts: tuple[str | Hole, ...]

    def __str__(self) -> str:
        return "".join(part if isinstance(part, str) else part.name for part in self.parts)


def has_hole(value: object) -> bool:
    """Whether a value is text of which a part is unknown."""
    return isinstance(value, Text)


def holes_in(value: object) -> Iterator[Hole]:
    """Every hole of a value that may be text, a list or a mapping, in document order."""
    if isinstance(value, Text):
        yield from (part for part in value.parts if isinstance(part, Hole))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from holes_in(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from holes_in(key)
            yield from holes_in(item)


def text_of(value: str | Text) -> str:
    """The value as the document writes it, holes by their names."""
    return value if isinstance(value, str) else str(value)


def joined(parts: Iterable["str | Hole | Text"]) -> str | Text:
    """Texts and holes one after the other, as one value."""
    together: list[str | Hole] = []
    for part in parts:
        for piece in part.parts if isinstance(part, Text) else (part,):
            if isinstance(piece, str) and together and isinstance(together[-1], str):
                together[-1] += piece
            elif piece:
                together.append(piece)
    if any(isinstance(part, Hole) for part in together):
        return Text(tuple(together))
    return "".join(part for part in together if isinstance(part, str))


def only_hole(value: object) -> Hole | None:
    """The hole that a value is, None where it is anything else."""
    if isinstance(value, Text) and len(value.parts) == 1 and isinstance(value.parts[0], Hole):
        return value.parts[0]
    return None


def derived(hole: Hole, what: str) -> Text:
    """What is known only as something of what is not known: equal where both are."""
    inner = hole.name[2:-1] if hole.name.startswith("${") and hole.name.endswith("}") else hole.name
    return Text((Hole(f"${{{what} {inner}}}"),))


def without_scheme(url: str | Text) -> str | Text:
    """A URL without `https://`, as IAM writes issuers; what is one already stays what it is."""
    if isinstance(url, str):
        return url.removeprefix("https://")
    if hole := only_hole(url):
        return url if hole.name.startswith("${issuer ") else derived(hole, "issuer without https:// in")
    first = url.parts[0]
    return joined((first.removeprefix("https://"), *url.parts[1:])) if isinstance(first, str) else url


def is_issuer_of_cluster(value: object) -> bool:
    """Whether a value is the issuer of a cluster that a template makes or looks up: whatever it is, it is one of EKS."""
    hole = only_hole(value)
    return hole is not None and hole.name.startswith("${issuer of ") and "openid_connect_provider" not in hole.name


def issuer_in(arn: str | Text) -> str | Text:
    """The issuer (without scheme) that the ARN of an OIDC provider ends in, "" where it is no such ARN."""
    if isinstance(arn, Text) and (hole := only_hole(arn)):
        return derived(hole, "issuer in")
    parts = arn.parts if isinstance(arn, Text) else (arn,)
    for number, part in enumerate(parts):
        if isinstance(part, str) and ":oidc-provider/" in part:
            return joined((part.partition(":oidc-provider/")[2], *parts[number + 1 :]))
    return ""
