"""Takes members out of decoded documents, insisting on their shapes."""

from collections.abc import Mapping

from irsa_doctor.model import Place
from irsa_doctor.text.errors import WrongShape
from irsa_doctor.text.scanner import escaped

_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}


def name_of(value: object) -> str:
    """What kind of JSON value it is, with an article."""
    return _NAMES.get(type(value), "a number")


def mapping(value: object, place: Place) -> dict[str, object]:
    """The value as an object."""
    if not isinstance(value, dict):
        raise WrongShape(place.pointer, f"{name_of(value)} where an object was expected")
    return value


def listing(value: object, place: Place) -> list[object]:
    """The value as a list."""
    if not isinstance(value, list):
        raise WrongShape(place.pointer, f"{name_of(value)} where a list was expected")
    return value


def text(members: Mapping[str, object], name: str, place: Place) -> str:
    """A member that is text; "" where it is missing or null."""
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongShape(f"{place.pointer}/{escaped(name)}", f"{name_of(value)} where a text was expected")
    return value


def required(members: Mapping[str, object], name: str, place: Place) -> str:
    """A member that is text and not empty."""
    value = text(members, name, place)
    if not value:
        raise WrongShape(place.pointer, f"no `{name}`")
    return value


def inner(members: Mapping[str, object], name: str, place: Place) -> dict[str, object]:
    """A member that is an object; an empty one where it is missing or null."""
    value = members.get(name)
    return {} if value is None else mapping(value, place.at(name))


def many(members: Mapping[str, object], name: str, place: Place) -> list[object]:
    """A member that is a list; an empty one where it is missing or null."""
    value = members.get(name)
    return [] if value is None else listing(value, place.at(name))


def texts(members: Mapping[str, object], name: str, place: Place) -> tuple[str, ...]:
    """A member that is a list of texts."""
    values = many(members, name, place)
    for number, value in enumerate(values):
        if not isinstance(value, str):
            raise WrongShape(place.at(name, number).pointer, f"{name_of(value)} where a text was expected")
    return tuple(str(value) for value in values)


def number(members: Mapping[str, object], name: str) -> int:
    """A member that is a whole number, 0 where it is none."""
    value = members.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 19 else 0


def whole(members: Mapping[str, object], name: str) -> int | None:
    """A member that is a whole number, None where it is none."""
    value = members.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def flag(members: Mapping[str, object], name: str) -> bool | None:
    """A member that is a truth value, None where it is none."""
    value = members.get(name)
    return value if isinstance(value, bool) else None


def moment(members: Mapping[str, object], name: str) -> str:
    """A time in RFC 3339, "" where there is none; some tools print a space for the `T`."""
    value = members.get(name)
    if not isinstance(value, str):
        return ""
    return f"{value[:10]}T{value[11:]}" if value[10:11] == " " else value


def as_text(value: object) -> str:
    """A scalar as JSON writes it."""
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value)
