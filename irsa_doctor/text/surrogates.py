"""Lone surrogates, which stand for bytes of a name that is not UTF-8: few readers of JSON take them, and none of UTF-8."""

import re
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def without_surrogates(text: str) -> str:
    """The text with a number for each lone surrogate, as terminals show it."""
    return text if text.isascii() else _SURROGATE.sub(lambda match: f"\\u{{{ord(match[0]):x}}}", text)


def texts_without_surrogates(value: Any) -> Any:
    """The value with such texts, of values that JSON has."""
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, dict):
        return {texts_without_surrogates(name): texts_without_surrogates(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [texts_without_surrogates(each) for each in value]
    return value
