"""Names the service accounts that values of a chart annotate, where the values and the release say how they are called.

Charts that `helm create` has begun name their account by `serviceAccount.name` and put it into the namespace of the release
(https://helm.sh/docs/chart_best_practices/rbac/#using-rbac-resources).
"""

from collections.abc import Mapping, Sequence

import msgspec

from irsa_doctor.model import Place
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes
from irsa_doctor.text.scanner import unescaped_steps

MOVING = ("namespaceOverride", "forceNamespace")
"""values by which charts put their objects into another namespace than that of the release"""


def is_of_accounts(name: str) -> bool:
    """Whether charts call what concerns their service accounts so."""
    return name.lower() in ("serviceaccount", "serviceaccounts")


class ReleaseNames(msgspec.Struct, frozen=True):
    """To which namespace a release goes, "" where that is not known, and its values, those that win first."""

    namespace: str
    values: Sequence[object]

    def name_of(self, steps: Sequence[str]) -> str:
        """The name of the service account that the values have at some steps, "" where it is not certain."""
        if not self.namespace or not any(map(is_of_accounts, steps)):
            return ""
        ways = [_way(values, steps) for values in self.values]
        if any(above.get(name) for way in ways for above in way for name in MOVING):
            return ""
        written = [way[-1] for way in ways if len(way) > len(steps)]
        if str(_first(written, "create")).lower() == "false":
            return ""
        name = _first(written, "name")
        return name if isinstance(name, str) and isinstance(with_holes(name), str) else ""


def _way(values: object, steps: Sequence[str]) -> list[dict[str, object]]:
    """The objects on the way down some steps, as far as there are such."""
    way = []
    for step in (*steps, ""):
        if not isinstance(values, dict):
            break
        way.append(values)
        values = values.get(step)
    return way


def _first(written: Sequence[Mapping[str, object]], name: str) -> object:
    return next((members[name] for members in written if members.get(name) is not None), None)


def target_namespace(*written: object) -> str:
    """The first namespace that is written, "" where it is not known before the object is applied."""
    first = with_holes(shapes.as_text(next(filter(None, written), "")))
    return first if isinstance(first, str) else ""


def name_accounts(reading: DocumentReading, before: int, root: Place, names: ReleaseNames) -> None:
    """Make those annotated accounts certain, of the ones behind a number, whose name and namespace are; `root` is where their
    values begin."""
    annotated = reading.account_templates[before:]
    del reading.account_templates[before:]
    for account in annotated:
        steps = unescaped_steps(account.place.pointer.removesuffix("#").removeprefix(root.pointer))
        if name := names.name_of(steps):
            reading.service_accounts.append(msgspec.structs.replace(account, namespace=names.namespace, name=name))
        else:
            reading.account_templates.append(account)
