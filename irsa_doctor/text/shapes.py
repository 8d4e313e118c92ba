"""Takes members out of decoded documents and checks their types."""

from collections.abc import Mapping

from irsa_doctor.model import Place
from irsa_doctor.text.errors import StillOpen, WrongShape
from irsa_doctor.text.placeholders import is_placeholder, with_holes
from irsa_doctor.text.scanner import escaped

_NAMES = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}


def name_of(value: object) -> str:
    """Return the JSON type of a value, with an article."""
    return _NAMES.get(type(value), "a number")


def mapping(value: object, place: Place) -> dict[str, object]:
    """Return the value, an object; raises WrongShape for any other type, StillOpen for a placeholder."""
    if not isinstance(value, dict):
        refuse_open(value, place)
        raise WrongShape(place.pointer, f"{name_of(value)} where an object was expected")
    return value


def _as_written(value: object) -> object:
    """The text of a placeholder `{TENANT_ID}`, which YAML reads as a mapping; any other value as it is."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, inside),) = value.items()
        if inside is None and isinstance(name, str) and is_placeholder(f"{{{name}}}"):
            return f"{{{name}}}"
    return value


def refuse_open(value: object, place: Place) -> None:
    """Raise StillOpen for a text with placeholders."""
    if isinstance(value, str) and not isinstance(with_holes(value), str):
        raise StillOpen(place.pointer, f"`{value}`, which is filled in later")


def listing(value: object, place: Place) -> list[object]:
    """Return the value, a list; raises WrongShape for any other type."""
    if not isinstance(value, list):
        raise WrongShape(place.pointer, f"{name_of(value)} where a list was expected")
    return value


def text(members: Mapping[str, object], name: str, place: Place) -> str:
    """Return a member that is a string, "" where it is missing or null; raises WrongShape for any other type."""
    value = _as_written(members.get(name))
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongShape(f"{place.pointer}/{escaped(name)}", f"{name_of(value)} where a string was expected")
    return value


def required(members: Mapping[str, object], name: str, place: Place) -> str:
    """Return a member that is a string and not empty; raises WrongShape otherwise."""
    value = text(members, name, place)
    if not value:
        raise WrongShape(place.pointer, f"`{name}` is missing")
    return value


def inner(members: Mapping[str, object], name: str, place: Place) -> dict[str, object]:
    """Return a member that is an object, an empty one where it is missing or null; raises WrongShape for any other type."""
    value = members.get(name)
    return {} if value is None else mapping(value, place.at(name))


def many(members: Mapping[str, object], name: str, place: Place) -> list[object]:
    """Return a member that is a list, an empty one where it is missing or null; raises WrongShape for any other type."""
    value = members.get(name)
    return [] if value is None else listing(value, place.at(name))


def texts(members: Mapping[str, object], name: str, place: Place) -> tuple[str, ...]:
    """Return a member that is a list of strings, () where it is missing or null; raises WrongShape otherwise."""
    values = many(members, name, place)
    for number, value in enumerate(values):
        if not isinstance(value, str):
            raise WrongShape(place.at(name, number).pointer, f"{name_of(value)} where a string was expected")
    return tuple(str(value) for value in values)


def number(members: Mapping[str, object], name: str) -> int:
    """Return a member that is a whole number or its decimal text, else 0."""
    value = members.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 19 else 0


def whole(members: Mapping[str, object], name: str) -> int | None:
    """Return a member that is a whole number, else None."""
    value = members.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def flag(members: Mapping[str, object], name: str) -> bool | None:
    """Return a member that is a boolean, else None."""
    value = members.get(name)
    return value if isinstance(value, bool) else None


def moment(members: Mapping[str, object], name: str) -> str:
    """Return a member that is a time (RFC 3339), "" where it is missing; some tools print a space for the `T`."""
    value = members.get(name)
    if not isinstance(value, str):
        return ""
    return f"{value[:10]}T{value[11:]}" if value[10:11] == " " else value


def as_text(value: object) -> str:
    """Return a string as it is, any other scalar as JSON writes it."""
    value = _as_written(value)
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value)
