"""Makes one finding of those of a role whose template chooses between policies, and names the cases in which it holds."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from irsa_doctor.facts import Judged
from irsa_doctor.model.findings import SEVERITIES, Finding

_OF_FILES = ("with ", "as planned ")
_HAVE_CASES = frozenset({"role", "grant"})
FindingKey = tuple[str, str, str]
"""rule, kind of the subject, its id"""


class Cases:
    """The cases of roles, and those in which findings hold. The case "" is that of a role as its own document has it."""

    def __init__(self) -> None:
        self.of_finding: dict[FindingKey, dict[str, None]] = {}
        self.of_role: dict[str, set[str]] = {}
        self.plain: set[str] = set()

    def add(self, judged: Judged) -> None:
        """Learn of a subject that is judged in one case of its role, or as its own document has it."""
        if judged.case:
            self.of_role.setdefault(judged.group, set()).add(judged.case)
        elif judged.kind in _HAVE_CASES:
            self.plain.add(judged.group)

    def add_all(self, others: "Cases") -> None:
        """Learn of subjects of other roles."""
        self.of_finding |= others.of_finding
        self.of_role |= others.of_role
        self.plain |= others.plain

    def merged(self, key: FindingKey, judged: Judged, known: Finding | None, finding: Finding) -> Finding:
        """The worse of two findings of one rule about one subject, with the places of both."""
        if judged.kind in _HAVE_CASES:
            self.of_finding.setdefault(key, {})[judged.case] = None
        if known is None:
            return finding
        worse, other = sorted((known, finding), key=lambda each: SEVERITIES.index(each.severity))
        places = {(place.file, place.line, place.column) for place in worse.locations}
        more = tuple(
            msgspec.structs.replace(place, primary=False)
            for place in other.locations
            if (place.file, place.line, place.column) not in places
        )
        return msgspec.structs.replace(
            worse, locations=worse.locations + more, lazy_extent=worse.lazy_extent.beside(other.lazy_extent)
        )

    def named(self, findings: Mapping[FindingKey, Finding]) -> Iterator[Finding]:
        """The findings; the message of one that holds in some cases only names them."""
        for key, finding in findings.items():
            every = self.of_role.get(finding.group)
            cases = self.of_finding.get(key) if every else None
            if every and cases and cases.keys() != (every | {""} if finding.group in self.plain else every):
                yield msgspec.structs.replace(finding, message=f"{finding.message} {_holds(cases)}")
            else:
                yield finding


def _holds(cases: Iterable[str]) -> str:
    """The sentence that names the cases in which a finding holds."""
    words = [case.removeprefix("(").removesuffix(")") or "with what the template itself has" for case in cases]
    if not any(word.startswith(_OF_FILES) for word in words):
        return f"This holds where: {'; or '.join(words)}."
    return f"This holds {'; or '.join(word if word.startswith(_OF_FILES) else f'where {word}' for word in words)}."
