"""Reads the table `[standards]` of settings: how long tokens, sessions and keys may live."""

from collections.abc import Mapping
from typing import Any

from irsa_doctor.governance.settings_values import Read, WrongValue, duration, kind_of, near_word, value_below, word_of
from irsa_doctor.model.standards import Standards


def standards_value(value: object) -> Standards:
    """The standards of a table; durations such as `12h`, and `deny` or `allow`."""
    if not isinstance(value, dict):
        raise WrongValue(f"must be a table, not {kind_of(value)}")
    names = [name.replace("_", "-") for name in Standards.__struct_fields__]
    deny = word_of(("deny", "allow"))
    readers: Mapping[str, Read[Any]] = {name: duration if name.startswith("max-") else deny for name in names}
    for key in value:
        if key not in readers:
            raise WrongValue(f"is not a setting of [standards]{near_word(key, readers)}", key)
    values = {key.replace("-", "_"): value_below(key, readers[key], item) for key, item in value.items()}
    return Standards(**{key: item == "deny" if isinstance(item, str) else item for key, item in values.items()})
