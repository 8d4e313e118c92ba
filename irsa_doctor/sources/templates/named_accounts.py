"""Names the service accounts that values of a chart annotate, where the values and the release say how they are called.

Charts that `helm create` has begun name their account by `serviceAccount.name` and put it into the namespace of the release
(https://helm.sh/docs/chart_best_practices/rbac/#using-rbac-resources).
"""

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from irsa_doctor.model import ServiceAccount
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes

_MOVING = regex(r"(?:force|target|app|\w*(?:job|workflow|runner|worker))?_?namespaces?(?:_?override)?", re.IGNORECASE)
_DEEP = 40
_OF_OTHER_CHARTS = frozenset({"values", "valuesobject", "helmvalues", "helm"})
# the chart of Argo Workflows makes the account of workflows in every namespace in which workflows run
# (https://github.com/argoproj/argo-helm/tree/main/charts/argo-workflows)
_OF_OTHER_NAMESPACES = frozenset({"workflow", "workflows"})


def is_of_accounts(name: str) -> bool:
    """Whether charts call what concerns their service accounts so."""
    return name.lower() in ("serviceaccount", "serviceaccounts")


def goes_elsewhere(name: str) -> bool:
    """Whether what has this name in the values of a chart is for another chart, which a release of its own installs, or for
    other namespaces: where that goes is not known."""
    return name.lower() in _OF_OTHER_CHARTS | _OF_OTHER_NAMESPACES


def leaves_open(name: str, value: object, namespace: str) -> bool:
    """Whether a value moves what stands beside it to another namespace than that of the release, as `namespaceOverride`, or
    switches it off."""
    if name == "enabled":
        return str(value).lower() == "false"
    is_written = bool(value) and not isinstance(value, bool) and value not in (namespace, [namespace], (namespace,))
    return is_written and _MOVING.fullmatch(name) is not None


class ReleaseNames:
    """To which namespace a release goes, "" where that is not known, and what its values are, given those that win first."""

    def __init__(self, namespace: str, layers: Iterable[object]) -> None:
        self.namespace = namespace
        self._values: dict[object, object] = {}
        self._open: dict[int, bool] = {}
        own = set[int]()
        for values in layers:
            _fill(self._values, values, own, 0)

    def name_of(self, steps: Sequence[str]) -> str:
        """The name of the service account that the values have at some steps, "" where it is not certain."""
        if not self.namespace or not any(map(is_of_accounts, steps)) or any(map(goes_elsewhere, steps)):
            return ""
        way = list(_way(self._values, steps))
        if len(way) <= len(steps) or any(map(self._leaves_open, (*way, self._values.get("global")))):
            return ""
        name = way[-1].get("name")
        is_made = str(way[-1].get("create")).lower() != "false"
        return name if is_made and isinstance(name, str) and isinstance(with_holes(name), str) else ""

    def _leaves_open(self, members: object) -> bool:
        """Whether what values have at one place leaves open where, or whether, the accounts below it are made."""
        if not isinstance(members, dict):
            return False
        if id(members) not in self._open:
            self._open[id(members)] = any(leaves_open(str(key), value, self.namespace) for key, value in members.items())
        return self._open[id(members)]


def _fill(values: dict[object, object], lower: object, own: set[int], depth: int) -> None:
    """Put values under others, which win; `own` has the objects that may be changed, by their ids."""
    for name, item in lower.items() if isinstance(lower, dict) else ():
        inner = values.setdefault(name, item)
        if inner is not item and isinstance(inner, dict) and isinstance(item, dict) and depth < _DEEP:
            if id(inner) not in own:
                inner = values[name] = dict(inner)
                own.add(id(inner))
            _fill(inner, item, own, depth + 1)


def _way(values: object, steps: Sequence[str]) -> Iterator[dict[str, object]]:
    """The objects on the way down some steps, as far as there are such."""
    for step in (*steps, ""):
        if not isinstance(values, dict):
            return
        yield values
        values = values.get(step)


def target_namespace(*written: object) -> str:
    """The first namespace that is written, "" where it is not known before the object is applied."""
    first = with_holes(shapes.as_text(next(filter(None, written), "")))
    return first if isinstance(first, str) else ""


def name_accounts(
    annotated: Iterable[tuple[Sequence[str], ServiceAccount]], names: ReleaseNames, reading: DocumentReading
) -> None:
    """Add accounts that values annotate at some steps: those are certain whose name and namespace are."""
    for steps, account in annotated:
        if name := names.name_of(steps):
            reading.service_accounts.append(msgspec.structs.replace(account, namespace=names.namespace, name=name))
        else:
            reading.account_templates.append(account)
