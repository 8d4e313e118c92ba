"""A subject with its facts, and the evidence that messages quote."""

from collections.abc import Callable, Mapping

import msgspec

from irsa_doctor.findings import Snippet
from irsa_doctor.model import Place


def _no_snippets() -> tuple[Snippet, ...]:
    return ()


class Evidence(msgspec.Struct, frozen=True):
    """What messages may name, where it stands, and what can be pasted to mend it.

    A name whose text is costly, most places, and what can be pasted, are worked out only when a rule shows them.
    """

    names: Mapping[str, str | Callable[[], str]]
    places: Mapping[str, Place | Callable[[], Place]]
    snippets: Callable[[], tuple[Snippet, ...]] = _no_snippets

    def place(self, name: str) -> Place:
        """The place of a name, the first of all where there is none."""
        found = self.places.get(name) or next(iter(self.places.values()))
        return found if isinstance(found, Place) else found()


class Judged(msgspec.Struct, frozen=True):
    """One subject: `facts` is the record that rules ask, `evidence` is asked for only when something is to be said."""

    kind: str
    id: str
    group: str
    facts: msgspec.Struct
    evidence: Callable[[], Evidence]
