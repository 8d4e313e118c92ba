"""Which clusters there are, and which of them a document belongs to."""

import os
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.model import Cluster, Place, Unknown, parse_arn
from irsa_doctor.sources.documents.aws import issuer_missing
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.files.folders import Folders
from irsa_doctor.sources.joining import merge as merging
from irsa_doctor.sources.joining.accounts import AnswerAccounts
from irsa_doctor.sources.joining.disputes import Disputes
from irsa_doctor.sources.joining.listed import ListedCluster, listed_clusters
from irsa_doctor.sources.joining.modes import with_access


class JoinedClusters:
    """All clusters, and which of them a document belongs to."""

    def __init__(
        self,
        readings: Sequence[DocumentReading],
        stated: Mapping[str, str],
        accounts: AnswerAccounts,
        disputes: Disputes,
    ) -> None:
        self.all = merging.merged_clusters((item for reading in readings for item in reading.clusters), disputes)
        self.accounts = accounts
        self.folders = Folders()
        self._by_issuer = {item.issuer: item.id for item in self.all if isinstance(item.issuer, str)}
        self._ids = {item.id for item in self.all}
        self._by_name: dict[str, list[Cluster]] = {}
        for item in self.all:
            self._by_name.setdefault(item.name, []).append(item)
        for reading in readings:
            self._note_folders(reading)
        self._lists: dict[str, list[ListedCluster]] = {}
        for listed in listed_clusters(readings, accounts):
            self._add_listed(listed)
        self.stated = {_plain(path): self._stated(path, name) for path, name in stated.items()}
        self.regions = {reading.path: reading.origin.region for reading in readings if reading.origin.region}
        self._owners: dict[str, str] = {}
        # a name may be that of any ARN: which of them are read first must not decide it
        for name in sorted({item.origin.cluster for item in readings}, key=lambda name: (parse_arn(name) is None, name)):
            self.owner(name)
        self.origins = {item.path: self.owner(item.origin.cluster) for item in readings if item.origin.cluster}
        entries = {self.origins[item.path]: item.origin.entry for item in reversed(readings) if item.origin.entry}
        for ident, entry in entries.items():
            self._call(ident, entry)
        self.all = with_access(self.all, readings, self._at)
        if versions := {self.of(reading.path): reading.versions[-1] for reading in readings if reading.versions}:
            self.all = [
                item if item.version else msgspec.structs.replace(item, version=versions.get(item.id, "")) for item in self.all
            ]

    def _at(self, name: str, path: str) -> str:
        """Id of the cluster of a name or ARN, of no name that of the document."""
        return name if name in self._ids else self.named(name, path) if name else self.of(path)

    def _call(self, ident: str, entry: str) -> None:
        """Note what the kubeconfig calls a cluster."""
        self.all = [msgspec.structs.replace(item, entry=entry) if item.id == ident else item for item in self.all]

    def owner(self, name: str) -> str:
        """Id of the cluster that a live source calls so; accounts and providers, which own things too, stay what they are."""
        arn = parse_arn(name)
        if not name or name.isdecimal() or (arn and arn.service != "eks"):
            return name
        if name not in self._owners:
            self._owners[name] = self._stated("", name)
        return self._owners[name]

    def _note_folders(self, reading: DocumentReading) -> None:
        for cluster in reading.clusters:
            by_issuer = self._by_issuer.get(cluster.issuer, "") if isinstance(cluster.issuer, str) else ""
            self.folders.add(reading.path, cluster.id if cluster.id in self._ids else by_issuer)

    def _add(self, cluster: Cluster) -> None:
        self.all.append(cluster)
        self._ids.add(cluster.id)
        self._by_name.setdefault(cluster.name, []).append(cluster)

    def _add_listed(self, listed: ListedCluster) -> None:
        """A cluster that only a list names; the list may be of another account than a described cluster of that name."""
        if not listed.arn:
            self._lists.setdefault(listed.name, []).append(listed)
        known = self._by_name.get(listed.name, [])
        if listed.arn not in self._ids and not any(listed.may_be(cluster) for cluster in known):
            self._add(Cluster(listed.name, listed.arn, issuer_missing(listed.name), listed.place))

    def _is_listed(self, name: str) -> bool:
        """Whether it is the ARN of a cluster of which only the name is known so far; then that is known of it too."""
        arn = parse_arn(name)
        lists = self._lists.get(arn.name, []) if arn else []
        own = [listed for listed in lists if not listed.account or (arn and listed.account == arn.account)]
        for number, cluster in enumerate(self.all):
            if arn and cluster.name == arn.name and not cluster.arn and isinstance(cluster.issuer, Unknown):
                if lists and not own:
                    return False  # those of other accounts
                self._ids.add(name)
                self._ids.discard(cluster.id)
                self.all[number] = msgspec.structs.replace(cluster, arn=name)
                self._by_name[cluster.name] = [
                    self.all[number] if known is cluster else known for known in self._by_name[cluster.name]
                ]
                self._lists[arn.name] = []
                for listed in lists:
                    self._add_listed(listed)
                return True
        return False

    def _stated(self, path: str, name: str) -> str:
        if name in self._ids or self._is_listed(name):
            return name
        if by_issuer := self._by_issuer.get(name.removeprefix("https://")):
            return by_issuer
        if known := self.named(name, path):
            return known
        if name not in self._by_name:
            arn = parse_arn(name)
            short = arn.name if arn else name
            self._add(Cluster(short, name if arn else "", issuer_missing(short), Place(path)))
            return name
        return ""

    def named(self, name: str, path: str) -> str:
        """Id of the cluster of a name: the only one, or the one nearest to the document; "" where that is no answer."""
        ids = {cluster.id for cluster in self._by_name.get(name, ())}
        if len(ids) > 1:
            account = self.accounts.of(path)
            ids = ids & self.folders.nearest(path) or {
                cluster.id for cluster in self._by_name[name] if account and cluster.account == account
            }
        return next(iter(ids)) if len(ids) == 1 else ""

    def issuer_of(self, path: str, name: str) -> str:
        """Issuer of the cluster of a name, "" where it is not known."""
        ident = self.named(name, path)
        return next((cluster.issuer for cluster in self.all if cluster.id == ident and isinstance(cluster.issuer, str)), "")

    def of(self, path: str) -> str:
        """Id of the cluster of a document: as the live source or the user said, else of the nearest folder that names
        clusters, else the only one; "" where that is no answer."""
        said = self._said_of(path)
        if said is not None:
            return said
        near = self.folders.nearest(path)
        if near:
            return next(iter(near)) if len(near) == 1 else ""
        return self.all[0].id if len(self.all) == 1 else ""

    def is_said(self, path: str) -> bool:
        """Whether a source or the user says of which cluster a document is; else it is only taken for one of that cluster."""
        return self._said_of(path) is not None

    def _said_of(self, path: str) -> str | None:
        if path in self.origins:
            return self.origins[path]
        places = _upwards(_plain(path)) if self.stated else ()
        return next((self.stated[place] for place in places if place in self.stated), None)

    def of_issuer(self, issuer: str, path: str) -> str:
        """Id of the cluster of an issuer, else of the document's folder."""
        return self._by_issuer.get(issuer) or self.of(path)


def _plain(path: str) -> str:
    return path if path == "-" else os.path.abspath(path)


def _upwards(path: str) -> Iterator[str]:
    """A path and the folders above it, the nearest first."""
    while path:
        yield path
        above = os.path.dirname(path)
        path = "" if above == path else above
