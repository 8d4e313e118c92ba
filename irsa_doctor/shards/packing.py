"""Records of the model as bytes, read again without running anything that the bytes name."""

import importlib
import io
import pickle
import zlib
from typing import Any

import msgspec

_MODEL = "irsa_doctor.model."
_FACTS = "irsa_doctor.facts.shards.rows"
_PLAIN = {
    ("builtins", "frozenset"),
    ("builtins", "set"),
    ("builtins", "dict"),
    ("msgspec._core", "rebuild"),
    ("msgspec._utils", "rebuild"),
}


class _Reader(pickle.Unpickler):
    """Makes records of the model and nothing else: bytes that somebody changed can name no function to call."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith(_MODEL) or module == _FACTS:
            known = getattr(importlib.import_module(module), name, None)
            if isinstance(known, type) and issubclass(known, msgspec.Struct) and known.__module__ == module:
                return known
        raise pickle.UnpicklingError(f"{module}.{name} is no record")


def packed(record: object) -> bytes:
    """A record as bytes, the same for the same record."""
    content = pickle.dumps(record, 5)
    return b"z" + zlib.compress(content, 1) if len(content) > 2_000 else b"p" + content


def record_from(content: bytes) -> Any:
    """The record that was packed. Raises ValueError where the bytes are none."""
    try:
        text = zlib.decompress(content[1:]) if content[:1] == b"z" else content[1:]
        return _Reader(io.BytesIO(text)).load()
    except (
        pickle.UnpicklingError,
        zlib.error,
        EOFError,
        AttributeError,
        ImportError,
        TypeError,
        ValueError,
        IndexError,
    ) as error:
        raise ValueError(f"a kept record cannot be read: {error}") from error
