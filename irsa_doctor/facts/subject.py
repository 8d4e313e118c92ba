"""A subject with its facts, and the evidence that messages quote."""

from collections.abc import Callable, Mapping

import msgspec

from irsa_doctor.findings import Snippet
from irsa_doctor.model import Place


class Evidence(msgspec.Struct, frozen=True):
    """What messages may name, where it stands, and what can be pasted to mend it."""

    names: Mapping[str, str]
    places: Mapping[str, Place]
    snippets: tuple[Snippet, ...] = ()


class Judged(msgspec.Struct, frozen=True):
    """One subject: `facts` is the record that rules ask, `evidence` is asked for only when something is to be said."""

    kind: str
    id: str
    group: str
    facts: msgspec.Struct
    evidence: Callable[[], Evidence]
