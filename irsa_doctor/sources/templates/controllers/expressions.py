"""Makes expressions of CEL, as graphs of kro have them between `${` and `}`, readable inside texts of JSON.

kro puts the value of an expression in its place before anybody reads the text around it, so quotes, colons and braces of the
expression are none of that text (https://kro.run/docs/concepts/rgd/cel-expressions).
"""

_BEGIN = "${"
_ESCAPE = "\\"
_PLAIN = str.maketrans({'"': "'", ":": ";", "{": "(", "}": ")", _ESCAPE: "/", "\n": " ", "\t": " "})
"""signs that mean something in JSON or in placeholders, each to one that does not: places in the text stay where they are"""


def with_plain_expressions(value: object) -> object:
    """Return a value of which every expression is a placeholder of its own; equal expressions stay equal."""
    if isinstance(value, str):
        return _plain_text(value) if _BEGIN in value else value
    if isinstance(value, list):
        return [with_plain_expressions(item) for item in value]
    if isinstance(value, dict):
        return {with_plain_expressions(name): with_plain_expressions(item) for name, item in value.items()}
    return value


def _plain_text(text: str) -> str:
    parts: list[str] = []
    done = 0
    while (start := text.find(_BEGIN, done)) >= 0 and (end := _end_of(text, start + len(_BEGIN))) >= 0:
        body = text[start + len(_BEGIN) : end]
        parts += [text[done : start + len(_BEGIN)], body.translate(_PLAIN), "}"]
        done = end + 1
    return "".join([*parts, text[done:]])


def _end_of(text: str, at: int) -> int:
    """Where the brace stands that closes an expression, -1 where none does; one in quotes is a sign like any other."""
    depth, quote = 0, ""
    while at < len(text):
        sign = text[at]
        if sign == _ESCAPE:
            at += 1
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in ('"', "'"):
            quote = sign
        elif sign == "}" and depth == 0:
            return at
        else:
            depth += (sign == "{") - (sign == "}")
        at += 1
    return -1
