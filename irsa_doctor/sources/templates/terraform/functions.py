# Long: a short function for each of those of Terraform, and their table
"""The functions of Terraform's configuration language that configurations of roles use; a call of any other is a hole.

https://developer.hashicorp.com/terraform/language/functions
"""

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from irsa_doctor.model import Hole, Text, issuer_in, joined, only_hole, text_of, without_scheme
from irsa_doctor.sources.templates.choices import IMPOSSIBLE, MissingMember, alternative, as_made, member_in_cases
from irsa_doctor.sources.templates.splitting import part_of
from irsa_doctor.sources.templates.terraform.regular_expressions import all_matches, first_match, replaced_by_pattern
from irsa_doctor.sources.templates.values import Choice, TemplateValue, hole, scalar_text, written_json, written_yaml

_FORMAT = re.compile(r"%(?:([sdqv])|(%))")
_TO_PROVIDER = re.compile(r"/\^?\(?(?:[^()|]|\([^()]*\))*provider\\?/\)?/")
_SCHEME = re.compile(r"https://|/\^?https\??:(?:\\?/){2}/")
_BEHIND_SCHEME = re.compile(r"\^?https\??:(?:\\?/){2}\(\.[*+]\)\$?")
_BEHIND_PROVIDER = re.compile(r"\^?(?:[^()|]|\(\?:[^()]*\))*provider\\?/\(\.[*+]\)\$?")
_MOST = 10_000
_LONGEST = 1_000_000
_EMPTY: tuple[object, ...] = ("", None)


class Undecided(Exception):
    """The result of a function depends on a value that is not known."""


class Unordered(tuple[TemplateValue, ...]):
    """A set: each of its items is its own key."""

    __slots__ = ()


class PartlyKnown(tuple[TemplateValue, ...]):
    """A list of which some items are known; each of the others stands for any number of items."""

    __slots__ = ()


class OpenMembers(Mapping[Any, TemplateValue]):
    """Members of which nobody knows which there are."""


Function = Callable[..., TemplateValue | None]


def _text(written: TemplateValue) -> str | Text:
    """A value as a string; not a collection, nor encoded JSON."""
    text = scalar_text(written.value)
    if text is None or written.made is not None:
        raise Undecided
    return text


def _known(written: TemplateValue) -> str:
    text = _text(written)
    if not isinstance(text, str):
        raise Undecided
    return text


def _items(written: TemplateValue) -> tuple[TemplateValue, ...]:
    if isinstance(written.value, PartlyKnown | OpenMembers):
        raise Undecided
    if isinstance(written.value, Mapping):
        return tuple(written.value.values())
    if not isinstance(written.value, tuple):
        raise Undecided
    return written.value


def _members(written: TemplateValue) -> Mapping[object, TemplateValue]:
    if not isinstance(written.value, Mapping) or isinstance(written.value, OpenMembers):
        raise Undecided
    return written.value


def _index(written: TemplateValue) -> int:
    if isinstance(written.value, bool) or not isinstance(written.value, int):
        raise Undecided
    return written.value


def _fitting(parts: Sequence[str | Text]) -> TemplateValue:
    """The texts joined, within the limit."""
    if sum(len(text_of(part)) for part in parts) > _LONGEST:
        raise Undecided
    return TemplateValue(joined(parts))


def _replace(text_value: TemplateValue, old: TemplateValue, new: TemplateValue) -> TemplateValue:
    """`replace`; of a text with holes where what is replaced is the scheme of a URL or all before the issuer of an ARN."""
    text, what, by = _text(text_value), _pattern(old), _known(new)
    if isinstance(text, str):
        return TemplateValue(_replaced(text, what, by))
    if _SCHEME.fullmatch(what) and by == "":
        return TemplateValue(without_scheme(text))
    if _TO_PROVIDER.fullmatch(what) and by == "" and (issuer := issuer_in(text)):
        return TemplateValue(issuer)
    raise Undecided


def _replaced(text: str, what: str, by: str) -> str:
    if len(what) < 2 or not (what.startswith("/") and what.endswith("/")):
        return _replaced_each(text, what, by)
    return replaced_by_pattern(text, what[1:-1], by)


def _pattern(written: TemplateValue) -> str:
    """A regular expression: what looks like a placeholder in it, `<name>`, is the name of a group."""
    text = _text(written)
    if isinstance(text, Text) and all(part.name.startswith("<") for part in text.parts if isinstance(part, Hole)):
        return text_of(text)
    return _known(written)


def _regex(pattern: TemplateValue, text_value: TemplateValue) -> TemplateValue:
    """`regex`; of a text with holes where the group is what stands behind the scheme of a URL or in an ARN is the issuer."""
    what, text = _pattern(pattern), _text(text_value)
    if isinstance(text, str):
        if (match := first_match(what, text)) is None:
            raise MissingMember
        return match
    issuer = without_scheme(text) if _BEHIND_SCHEME.fullmatch(what) else None
    issuer = issuer_in(text) if _BEHIND_PROVIDER.fullmatch(what) else issuer
    if not issuer:
        raise Undecided
    return TemplateValue((TemplateValue(issuer),))


def _replaced_each(text: str, what: str, by: str) -> str:
    if text.count(what) * len(by) > _LONGEST:
        raise Undecided
    return text.replace(what, by)


def _trim_prefix(text_value: TemplateValue, prefix: TemplateValue) -> TemplateValue:
    text, start = _text(text_value), _known(prefix)
    if isinstance(text, str):
        return TemplateValue(text.removeprefix(start))
    if start == "https://":
        return TemplateValue(without_scheme(text))
    raise Undecided


def _split(separator: TemplateValue, text_value: TemplateValue) -> TemplateValue:
    """`split`; of a text with holes only the part after the scheme, or the issuer, is known."""
    text, sign = _text(text_value), _known(separator)
    if isinstance(text, str) and sign:
        return TemplateValue(tuple(map(TemplateValue, text.split(sign))))
    second = part_of(text, sign, 1)
    if second is None or isinstance(text, str):
        raise Undecided
    return TemplateValue((TemplateValue(joined((text,))), TemplateValue(second)))


def _join(separator: TemplateValue, *lists: TemplateValue) -> TemplateValue:
    sign, items = _text(separator), [item for items in lists for item in _items(items)]
    if encoded := [item for item in items if item.made is not None]:
        others = [item for item in items if item.made is None and (sign or item.value != "")]
        return _alone(encoded, others)
    parts: list[str | Text] = []
    for item in items:
        parts += [sign, _text(item)] if parts else [_text(item)]
    return _fitting(parts)


def _alone(encoded: Sequence[TemplateValue], others: Sequence[object]) -> TemplateValue:
    """Encoded JSON that is put together with nothing else, and so is that itself."""
    if len(encoded) != 1 or others:
        raise Undecided
    return encoded[0]


def _format(form: TemplateValue, *values: TemplateValue) -> TemplateValue:
    if _known(form) == "%s" and (encoded := [value for value in values if value.made is not None]):
        return _alone(encoded, values[1:])
    text, parts, left = _known(form), list[str | Text](), list(values)
    done = 0
    for match in _FORMAT.finditer(text):
        parts.append(text[done : match.start()])
        done = match.end()
        if match[2]:
            parts.append("%")
        else:
            value = _text(left.pop(0))
            parts += ['"', value, '"'] if match[1] == "q" else [value]
    if "%" in _FORMAT.sub("", text):
        raise Undecided
    return _fitting([*parts, text[done:]])


def _formatlist(form: TemplateValue, *values: TemplateValue) -> TemplateValue:
    """`formatlist`: what is no list stands beside each item of the lists; what is not known may be one."""
    lists = [value.value for value in values if isinstance(value.value, tuple)]
    size = len(lists[0]) if lists else 1
    if size > _MOST or any(len(items) != size for items in lists):
        raise Undecided
    rows = [[value.value[at] if isinstance(value.value, tuple) else value for value in values] for at in range(size)]
    made = tuple(_format(form, *row) for row in rows)
    is_open = any(isinstance(items, PartlyKnown) for items in lists)
    is_open |= not lists and any(only_hole(value.value) for value in values)
    return TemplateValue(PartlyKnown(made) if is_open else made)


def _concat(*lists: TemplateValue) -> TemplateValue:
    """`concat`; a list that is not known stands for its items."""
    items = _bounded([item for written in lists for item in _items_or_hole(written)])
    is_known = all(isinstance(written.value, tuple) and not isinstance(written.value, PartlyKnown) for written in lists)
    return TemplateValue(items if is_known else PartlyKnown(items))


def as_partly_known(written: TemplateValue) -> TemplateValue:
    """A list that is one of several, or a list of such, with what it has where all is made: nobody knows what else, or which is
    the first."""
    if written.choice is None and isinstance(written.value, tuple):
        items = map(as_partly_known, written.value)
        return TemplateValue(type(written.value)(items), written.anchor, written.document)
    made = as_made(written)
    if written.choice is None or not isinstance(made.value, tuple):
        return made
    return TemplateValue(PartlyKnown(made.value), made.anchor, made.document)


def _items_or_hole(written: TemplateValue) -> tuple[TemplateValue, ...]:
    if isinstance(written.value, Text):
        return (written,)
    return written.value if isinstance(written.value, PartlyKnown) else _items(written)


def _bounded(items: Sequence[TemplateValue]) -> tuple[TemplateValue, ...]:
    if len(items) > _MOST:
        raise Undecided
    return tuple(items)


def _merge(*maps: TemplateValue) -> TemplateValue:
    made: dict[object, TemplateValue] = {}
    for item in maps:
        if item.value is not None:
            made.update(_members(item))
    return TemplateValue(made)


def _lookup(collection: TemplateValue, key: TemplateValue, *otherwise: TemplateValue) -> TemplateValue:
    if (given := only_hole(collection.value)) and given.name.startswith(("${var.", "${each.value")) and any(otherwise):
        return _member_given(collection, given.name[2:-1], _known(key), otherwise[0])
    members = _members(collection)
    if isinstance(key.value, str) and key.value in members:
        return members[key.value]
    if not all(isinstance(member, str) for member in members):
        raise Undecided
    if unknown := only_hole(key.value):
        words = unknown.name.removeprefix("${").removesuffix("}")
        called = TemplateValue(hole(f"lookup({words})"), key.anchor, key.document)
        items = {str(name): item for name, item in members.items()}
        if (either := member_in_cases(items, words, otherwise[0] if otherwise else IMPOSSIBLE, called)) is None:
            raise Undecided
        return either
    _known(key)
    if not otherwise:
        raise MissingMember
    return otherwise[0]


def _member_given(collection: TemplateValue, words: str, key: str, otherwise: TemplateValue) -> TemplateValue:
    """The member of a map that a caller gives, or what stands for it where that may open something."""
    if not otherwise.value and not isinstance(otherwise.value, Mapping | tuple):
        raise Undecided
    called = TemplateValue(hole(f'{words}["{key}"]'), collection.anchor, collection.document)
    return alternative(called, Choice(f'contains(keys({words}), "{key}")', called, otherwise))


def _element(collection: TemplateValue, index: TemplateValue) -> TemplateValue:
    items = _items(collection)
    if not items:
        raise MissingMember
    return items[_index(index) % len(items)]


def _flatten(collection: TemplateValue) -> TemplateValue:
    flat: list[TemplateValue] = []
    waiting, is_open = [collection], False
    while waiting:
        item = waiting.pop()
        if isinstance(item.value, tuple):
            waiting += reversed(item.value)
            is_open |= isinstance(item.value, PartlyKnown)
        else:
            flat.append(item)
        if len(flat) > _MOST:
            raise Undecided
    is_open |= any(only_hole(item.value) and item.made is None for item in flat)
    return TemplateValue(PartlyKnown(flat) if is_open else tuple(flat))


def _same_items(work: Function) -> Function:
    """A function that makes a list of all the items of one, in whatever order; of one that is known in parts, as much."""

    def made(collection: TemplateValue) -> TemplateValue | None:
        return collection if isinstance(collection.value, PartlyKnown) else work(collection)

    return made


def _distinct(collection: TemplateValue) -> TemplateValue:
    kept: dict[object, TemplateValue] = {}
    for number, item in enumerate(_items(collection)):
        is_plain = isinstance(item.value, str | int | float | Text)
        kept.setdefault(item.value if is_plain else number, item)
    return TemplateValue(tuple(kept.values()))


def _set(collection: TemplateValue) -> TemplateValue:
    """Sets are ordered by their texts."""
    items = _distinct(collection).value
    texts = [scalar_text(item.value) for item in items] if isinstance(items, tuple) else []
    if not isinstance(items, tuple) or not all(isinstance(text, str) for text in texts):
        return TemplateValue(Unordered(items if isinstance(items, tuple) else ()))
    return TemplateValue(Unordered(sorted(items, key=lambda item: str(scalar_text(item.value)))))


def _compact(collection: TemplateValue) -> TemplateValue:
    """`compact`; of what is not known nobody can tell whether it is empty."""
    items = tuple(item for item in _items(collection) if item.value not in _EMPTY)
    is_open = any(only_hole(item.value) and item.made is None for item in items)
    return TemplateValue(PartlyKnown(items) if is_open else items)


def _coalesce(*values: TemplateValue) -> TemplateValue:
    """`coalesce`; what is not known is the value where it is not null."""
    values = tuple(value for value in values if value.value not in _EMPTY)
    if not values:
        raise MissingMember
    first, *others = values
    unknown = only_hole(first.value) if first.made is None else None
    if unknown is None or not others:
        return first
    words = unknown.name.removeprefix("${").removesuffix("}")
    after = ", ".join(text_of(scalar_text(other.value) or "...") for other in others)
    called = TemplateValue(hole(f"coalesce({words}, {after})"), first.anchor, first.document)
    return alternative(called, Choice(f"{words} == null", _coalesce(*others), first))


def _coalesce_list(*lists: TemplateValue) -> TemplateValue:
    for items in lists:
        if _items(items):
            return items
    raise MissingMember


def _length(value: TemplateValue) -> TemplateValue:
    if isinstance(value.value, str | tuple | Mapping) and not isinstance(value.value, PartlyKnown | OpenMembers):
        return TemplateValue(len(value.value))
    raise Undecided


def _keys(collection: TemplateValue) -> TemplateValue:
    names = list(_members(collection))
    known = [name for name in names if isinstance(name, str)]
    return TemplateValue(tuple(TemplateValue(name) for name in (sorted(known) if len(known) == len(names) else names)))


def _values(collection: TemplateValue) -> TemplateValue:
    members = _members(collection)
    return TemplateValue(tuple(members[name.value] for name in _items(_keys(collection))))


def _contains(collection: TemplateValue, member: TemplateValue) -> TemplateValue:
    values = [item.value for item in _items(collection)]
    if any(isinstance(value, Text | tuple | Mapping) for value in (*values, member.value)):
        raise Undecided
    return TemplateValue(member.value in values)


def _zipmap(names: TemplateValue, values: TemplateValue) -> TemplateValue:
    return TemplateValue({_text(name): value for name, value in zip(_items(names), _items(values), strict=True)})


def _product(*sets: TemplateValue) -> TemplateValue:
    lists = [_items(items) for items in sets]
    if prod(map(len, lists)) > _MOST:
        raise Undecided
    return TemplateValue(tuple(map(TemplateValue, product(*lists))))


def _common(*sets: TemplateValue) -> TemplateValue:
    return _set(TemplateValue(tuple(item for item in _items(sets[0]) if all(_has(other, item) for other in sets[1:]))))


def _difference(some: TemplateValue, others: TemplateValue) -> TemplateValue:
    return _set(TemplateValue(tuple(item for item in _items(some) if not _has(others, item))))


def _has(collection: TemplateValue, member: TemplateValue) -> bool:
    return _contains(collection, member).value is True


def _position(collection: TemplateValue, member: TemplateValue) -> TemplateValue:
    found = [at for at, item in enumerate(_items(collection)) if _has(TemplateValue((item,)), member)]
    if not found:
        raise MissingMember
    return TemplateValue(found[0])


def _arn_built(*parts: TemplateValue) -> TemplateValue:
    """https://registry.terraform.io/providers/hashicorp/aws/latest/docs/functions/arn_build"""
    partition, service, region, account, resource = map(_text, parts)
    return _fitting(["arn:", partition, ":", service, ":", region, ":", account, ":", resource])


def _arn_parsed(arn: TemplateValue) -> TemplateValue:
    """https://registry.terraform.io/providers/hashicorp/aws/latest/docs/functions/arn_parse"""
    _, *parts = _known(arn).split(":", 5)
    names = ("partition", "service", "region", "account_id", "resource")
    return TemplateValue({name: TemplateValue(part) for name, part in zip(names, parts, strict=True)})


def _range(*bounds: TemplateValue) -> TemplateValue:
    numbers = range(*map(_index, bounds))
    if len(numbers) > _MOST:
        raise Undecided
    return TemplateValue(tuple(map(TemplateValue, numbers)))


def _single(collection: TemplateValue) -> TemplateValue:
    items = _items(collection)
    if len(items) > 1:
        raise MissingMember
    return items[0] if items else TemplateValue(None)


def _slice(collection: TemplateValue, start: TemplateValue, end: TemplateValue) -> TemplateValue:
    items, first, last = _items(collection), _index(start), _index(end)
    if not 0 <= first <= last <= len(items):
        raise MissingMember
    return TemplateValue(items[first:last])


def _substr(text_value: TemplateValue, offset: TemplateValue, length: TemplateValue) -> TemplateValue:
    text, start, size = _known(text_value), _index(offset), _index(length)
    start = len(text) + start if start < 0 else start
    return TemplateValue(text[start:] if size < 0 else text[start : start + size])


def _json(value: TemplateValue) -> TemplateValue | None:
    return value.made if value.made is not None else written_json(_text(value))


def _yaml(value: TemplateValue) -> TemplateValue | None:
    documents = written_yaml(value)
    return documents[0] if len(documents) == 1 else None


def _same(value: TemplateValue) -> TemplateValue:
    return value


def _as_text(value: TemplateValue) -> TemplateValue:
    return value if value.made is not None else TemplateValue(_text(value))


def _as_number(value: TemplateValue) -> TemplateValue:
    return value if isinstance(value.value, int | float) else TemplateValue(int(_known(value)))


def _as_truth(value: TemplateValue) -> TemplateValue:
    return value if isinstance(value.value, bool) else TemplateValue({"true": True, "false": False}[_known(value)])


def _of_text(work: Callable[[str], object]) -> Function:
    return lambda value: TemplateValue(work(_known(value)))


def _trimmed(work: Callable[[str], str]) -> Function:
    """Encoded JSON has nothing around it that could be taken away."""
    return lambda value: value if value.made is not None else TemplateValue(work(_known(value)))


def _of_texts(work: Callable[[str, str], object]) -> Function:
    return lambda left, right: TemplateValue(work(_known(left), _known(right)))


def _begins(text_value: TemplateValue, word: TemplateValue) -> TemplateValue:
    text = _text(text_value)
    return TemplateValue(_is_at_edge(text if isinstance(text, str) else text.parts[0], _known(word), isinstance(text, str)))


def _ends(text_value: TemplateValue, word: TemplateValue) -> TemplateValue:
    text = _text(text_value)
    edge = text if isinstance(text, str) else text.parts[-1]
    return TemplateValue(_is_at_edge(_reversed(edge), _known(word)[::-1], isinstance(text, str)))


def _reversed(part: str | Hole) -> str | Hole:
    return part[::-1] if isinstance(part, str) else part


def _is_at_edge(edge: str | Hole, word: str, is_whole: bool) -> bool:
    """Whether a text begins with a word; `edge` is what it begins with, or all of it."""
    if isinstance(edge, Hole):
        raise Undecided
    if is_whole or len(edge) >= len(word) or not word.startswith(edge):
        return edge.startswith(word)
    raise Undecided


def _ordered(collection: TemplateValue) -> TemplateValue:
    return TemplateValue(tuple(map(TemplateValue, sorted(_known(item) for item in _items(collection)))))


def _union(*sets: TemplateValue) -> TemplateValue:
    return _set(_concat(*sets))


def _extreme(choose: Callable[[Iterable[int]], int]) -> Function:
    return lambda *values: TemplateValue(choose([_index(value) for value in values]))


KEEPING_CHOICES = frozenset(
    [
        "coalesce",
        "coalescelist",
        "compact",
        "concat",
        "distinct",
        "element",
        "flatten",
        "join",
        "jsonencode",
        "keys",
        "length",
        "lookup",
        "merge",
        "nonsensitive",
        "one",
        "reverse",
        "sensitive",
        "setunion",
        "slice",
        "sort",
        "tolist",
        "tomap",
        "toset",
        "tostring",
        "values",
    ]
)
"""Functions that choose among what may be made or not, or put it together; to any other all is given as made"""
BY_ITEMS = frozenset(("compact", "distinct", "flatten", "join", "toset"))
"""those whose result depends on what each item of a list is"""


def _as_truths(work: Callable[[Iterable[object]], bool], items: TemplateValue) -> TemplateValue:
    return TemplateValue(work([_as_truth(item).value for item in _items(items)]))


FUNCTIONS: Mapping[str, Function] = {
    "abspath": _as_text,
    "alltrue": lambda items: _as_truths(all, items),
    "anytrue": lambda items: _as_truths(any, items),
    "base64decode": _of_text(lambda text: b64decode(text, validate=True).decode()),
    "base64encode": _of_text(lambda text: b64encode(text.encode()).decode()),
    "basename": _of_text(os.path.basename),
    "chomp": _trimmed(lambda text: text.rstrip("\r\n")),
    "coalesce": _coalesce,
    "coalescelist": _coalesce_list,
    "compact": _same_items(_compact),
    "concat": _concat,
    "contains": _contains,
    "dirname": _of_text(os.path.dirname),
    "distinct": _same_items(_distinct),
    "element": _element,
    "ephemeralasnull": _same,
    "endswith": _ends,
    "flatten": _flatten,
    "format": _format,
    "formatlist": _formatlist,
    "index": _position,
    "join": _join,
    "jsondecode": _json,
    "keys": _keys,
    "length": _length,
    "lookup": _lookup,
    "lower": _of_text(str.lower),
    "max": _extreme(max),
    "merge": _merge,
    "min": _extreme(min),
    "nonsensitive": _same,
    "one": _single,
    "provider::aws::arn_build": _arn_built,
    "provider::aws::arn_parse": _arn_parsed,
    "range": _range,
    "regex": _regex,
    "regexall": lambda pattern, text: all_matches(_pattern(pattern), _known(text)),
    "replace": _replace,
    "reverse": _same_items(lambda collection: TemplateValue(tuple(reversed(_items(collection))))),
    "sensitive": _same,
    "setintersection": _common,
    "setproduct": _product,
    "setsubtract": _difference,
    "setunion": _union,
    "slice": _slice,
    "sort": _same_items(_ordered),
    "split": _split,
    "startswith": _begins,
    "strcontains": _of_texts(lambda text, part: part in text),
    "substr": _substr,
    "tobool": _as_truth,
    "tolist": _same_items(lambda collection: TemplateValue(tuple(_items(collection)))),
    "tomap": _same,
    "tonumber": _as_number,
    "toset": _set,
    "tostring": _as_text,
    "trim": _of_texts(lambda text, signs: text.strip(signs)),
    "trimprefix": _trim_prefix,
    "trimspace": _trimmed(str.strip),
    "trimsuffix": _of_texts(lambda text, end: text.removesuffix(end)),
    "upper": _of_text(str.upper),
    "values": _values,
    "yamldecode": _yaml,
    "zipmap": _zipmap,
}
