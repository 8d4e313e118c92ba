"""The names of subjects that stay the same from run to run: every cluster by its ARN, whatever else is called like it."""

from collections.abc import Container
from typing import NamedTuple

from irsa_doctor.facts import View
from irsa_doctor.model import Cluster, parse_arn

_IN_CLUSTERS = ("service-account", "binding", "workload", "identity")


class Home(NamedTuple):
    """The account and the cluster (ARN) that a subject belongs to, "" where it has none."""

    account: str
    cluster: str


class SubjectNames:
    """The lasting names of the subjects of one inventory."""

    def __init__(self, view: View) -> None:
        clusters = view.inventory.clusters
        self._by_label = {view.label_of(cluster.id): _lasting(cluster) for cluster in clusters}
        self._by_subject = {cluster.subject: _lasting(cluster) for cluster in clusters}
        self._lasting = frozenset(self._by_label.values())
        self._homes: dict[str, Home] = {}

    def lasting(self, kind: str, ident: str) -> str:
        """The id of a subject with its cluster named by its ARN, or its issuer where it has none."""
        if kind == "cluster":
            return self._by_subject.get(ident, ident)
        if kind in _IN_CLUSTERS and (label := _beginning(ident, self._by_label)):
            return self._by_label[label] + ident[len(label) :]
        return ident

    def home(self, kind: str, lasting: str) -> Home:
        """Where a subject of a lasting name belongs."""
        if kind == "cluster" or kind in _IN_CLUSTERS:
            cluster = lasting if kind == "cluster" else _beginning(lasting, self._lasting)
            home = self._homes.get(cluster)
            if home is None:
                home = self._homes[cluster] = Home(_account(cluster), cluster)
            return home
        return Home(_account(lasting), "")


def _beginning(ident: str, names: Container[str]) -> str:
    """The name of the cluster with which an id begins; the longest, for a name may hold a slash."""
    end = len(ident.partition(" -> ")[0])
    while (end := ident.rfind("/", 0, end)) > 0:
        if (name := ident[:end]) in names:
            return name
    return ""


def _lasting(cluster: Cluster) -> str:
    return cluster.arn or (cluster.issuer if isinstance(cluster.issuer, str) else cluster.subject)


def _account(ident: str) -> str:
    arn = parse_arn(ident.partition("#")[0])
    return arn.account if arn else ""
