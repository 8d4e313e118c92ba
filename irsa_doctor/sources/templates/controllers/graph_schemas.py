"""The defaults that the schema of a graph of kro gives to its fields, `string | default="shop"`.

https://kro.run/docs/concepts/simple-schema
"""

from collections.abc import Iterator, Mapping

from irsa_doctor.model.regex import regex

_DEFAULT = regex(r"""[^|]*\|(?:[^"']|"[^"]*"|'[^']*')*?\bdefault=(?:"([^"]*)"|'([^']*)'|([^\s"'|]+))""")
_FIELD = regex(r"\$\{\s*schema\.spec\.([\w.]+)\s*\}")
_DEEP = 20


def with_defaults(value: object, schema: Mapping[str, object]) -> object:
    """Return a template with the defaults of a schema in the places of its fields; `schema` is its `spec`."""
    defaults = dict(_defaults_of(schema, "", _DEEP))
    return _filled(value, defaults) if defaults else value


def _defaults_of(fields: Mapping[str, object], above: str, depth: int) -> Iterator[tuple[str, str]]:
    """The path of a field and its default; an empty one stands for what has to be given."""
    for name, written in fields.items():
        if isinstance(written, dict) and depth:
            yield from _defaults_of(written, f"{above}{name}.", depth - 1)
        found = _DEFAULT.match(written) if isinstance(written, str) else None
        if default := next(filter(None, found.groups() if found else ()), ""):
            yield f"{above}{name}", default


def _filled(value: object, defaults: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return _FIELD.sub(lambda match: defaults.get(match[1], match[0]), value) if "schema.spec." in value else value
    if isinstance(value, list):
        return [_filled(item, defaults) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, defaults) for name, item in value.items()}
    return value
