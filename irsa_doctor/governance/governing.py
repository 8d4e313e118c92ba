"""By what findings are judged: the settings of a project with the rules and the baseline that they name."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from irsa_doctor.governance.baseline import Entry
from irsa_doctor.governance.rule_changes import least_severity
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.findings import Severity
from irsa_doctor.rulebook.rules import Rule


class Governing(msgspec.Struct, frozen=True):
    """By what findings are judged: settings, the rules that they choose (with their severities), and the baseline.

    `left_out` are the ids of the rules that exist and are not chosen. `unfiltered` are rules about a change of the settings,
    which no setting leaves out.
    """

    settings: Settings
    rules: Sequence[Rule]
    known: Collection[Entry] = ()
    left_out: Collection[str] = ()
    unfiltered: Sequence[Rule] = ()

    @property
    def least_severities(self) -> Mapping[str, Severity]:
        """The lowest severity that the findings of each rule can have."""
        return {rule.id: least_severity(rule) for rule in self.rules}

    @property
    def rule_ids(self) -> frozenset[str]:
        """The ids of all rules, chosen or not."""
        return frozenset((*(rule.id for rule in self.rules), *self.left_out))
