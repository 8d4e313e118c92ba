"""Makes one finding of those of a role whose template chooses between policies, and names the cases in which it holds."""

from collections.abc import Iterator, Mapping

import msgspec

from irsa_doctor.facts import Judged
from irsa_doctor.model.findings import SEVERITIES, Finding

FindingKey = tuple[str, str, str]
"""rule, kind of the subject, its id"""


class Cases:
    """The cases of roles, and those in which findings hold."""

    def __init__(self) -> None:
        self.of_finding: dict[FindingKey, dict[str, None]] = {}
        self.of_role: dict[str, set[str]] = {}

    def add(self, judged: Judged) -> None:
        """Learn of a subject that is judged in one case of its role."""
        if judged.case:
            self.of_role.setdefault(judged.group, set()).add(judged.case)

    def merged(self, key: FindingKey, judged: Judged, known: Finding | None, finding: Finding) -> Finding:
        """The worse of two findings of one rule about one subject, with the places of both."""
        if judged.case:
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
            cases = self.of_finding.get(key)
            if cases and cases.keys() != self.of_role[finding.group]:
                message = f"{finding.message} This holds where: {'; or '.join(case.strip('()') for case in cases)}."
                yield msgspec.structs.replace(finding, message=message)
            else:
                yield finding
