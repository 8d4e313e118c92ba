"""Which service accounts of an inventory a language admits, without trying every one for every role."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import msgspec

from irsa_doctor.model import Inventory, ServiceAccount, Unknown
from irsa_doctor.trust import is_subject
from irsa_doctor.trust.languages import EVERYTHING, All, Any, Finite, Language, Like, Not, contains
from irsa_doctor.trust.patterns import Wild
from irsa_doctor.trust.subjects import reach_of

ACCOUNTS_HOW = ("kubectl get serviceaccounts -A -o yaml", "--complete serviceaccounts")
"""the command that lists all service accounts of a cluster, and the option that says that it did"""
AUDIENCES_OF_ACCOUNTS = Unknown("audiences that service accounts ask for by annotation", *ACCOUNTS_HOW)
_NO_CLUSTER = Unknown("clusters of the issuers that trust policies name", "irsa-doctor collect -o live.json", "live.json")
NO_NAMESPACE = Unknown("the namespace in which a manifest without one is applied", "kubectl get serviceaccounts -A -o yaml")
_LAST = "\U0010ffff"


class ClusterSubjects(msgspec.Struct, frozen=True, dict=True):
    """The service accounts of one cluster by subject, sorted forwards and backwards: fixed ends of a pattern find its range."""

    accounts: Mapping[str, ServiceAccount]

    @cached_property
    def forwards(self) -> Sequence[str]:
        """Subjects, sorted."""
        return sorted(self.accounts)

    @cached_property
    def backwards(self) -> Sequence[str]:
        """Subjects from their last letter to their first, sorted."""
        return sorted(subject[::-1] for subject in self.accounts)

    def starting(self, prefix: str) -> Sequence[str]:
        """Subjects that begin with a text."""
        return self.forwards[bisect_left(self.forwards, prefix) : bisect_left(self.forwards, prefix + _LAST)]

    def ending(self, suffix: str) -> Sequence[str]:
        """Subjects that end with a text."""
        start = suffix[::-1]
        reversed_subjects = self.backwards[bisect_left(self.backwards, start) : bisect_left(self.backwards, start + _LAST)]
        return [subject[::-1] for subject in reversed_subjects]

    def candidates(self, language: Language) -> Iterable[str]:
        """Subjects among which are all that the language admits; as few as can be found without trying them."""
        if isinstance(language, Finite):
            return [subject for subject in language.values if subject in self.accounts]
        if isinstance(language, Any):
            return dict.fromkeys(subject for part in language.parts for subject in self.candidates(part))
        if isinstance(language, All):
            return min((list(self.candidates(part)) for part in language.parts), key=len)
        start, end = _ends(language)
        if not end:
            return self.starting(start)
        return min(self.starting(start), self.ending(end), key=len)

    def count(self, language: Language) -> int:
        """As many as `admitted` finds, counted without examining each where the form of the language allows."""
        if isinstance(language, Not):
            return len(self.accounts) - self.count(language.inner)
        if isinstance(language, Finite):
            return sum(subject in self.accounts for subject in language.values)
        if reach_of(language, "service-account").scope == "cluster":
            return len(self.accounts)
        start, end = _ends(language)
        if end and isinstance(language, Like) and language.glob.pieces == (start, Wild.MANY, end):
            few = self.ending(end)
            return sum(subject.startswith(start) and len(subject) >= len(start) + len(end) for subject in few)
        return len(self.admitted(language))

    def admitted(self, language: Language) -> Sequence[str]:
        """Subjects that a language admits."""
        if language == EVERYTHING:
            return self.forwards
        if isinstance(language, Like) and language.glob.pieces[1:] == (Wild.MANY,) and _ends(language)[0]:
            return self.starting(_ends(language)[0])
        return sorted(subject for subject in self.candidates(language) if contains(language, subject))


def _ends(language: Language) -> tuple[str, str]:
    """Text with which every string of a language starts and ends, "" where nothing is fixed."""
    if not isinstance(language, Like) or language.glob.arn or language.glob.ignore_case:
        return "", ""
    first, last = language.glob.pieces[0], language.glob.pieces[-1]
    return first if isinstance(first, str) else "", last if isinstance(last, str) else ""


class Accounts(msgspec.Struct, frozen=True, dict=True):
    """The service accounts of an inventory, by issuer (without scheme) and language."""

    inventory: Inventory

    @cached_property
    def _by_cluster(self) -> Mapping[str, ClusterSubjects]:
        table: dict[str, dict[str, ServiceAccount]] = {}
        for account in self.inventory.service_accounts:
            table.setdefault(account.cluster, {})[account.subject] = account
        return {cluster: ClusterSubjects(accounts) for cluster, accounts in table.items()}

    @cached_property
    def _by_issuer(self) -> dict[str, Sequence[ClusterSubjects]]:
        return {}

    def _of(self, issuer: str) -> Sequence[ClusterSubjects]:
        known = self._by_issuer.get(issuer)
        if known is None:
            clusters = self.inventory.clusters_by_issuer.get(issuer, ())
            known = [there for cluster in clusters if (there := self._by_cluster.get(cluster.id))]
            self._by_issuer[issuer] = known
        return known

    @cached_property
    def listed_whole(self) -> frozenset[str]:
        """Issuers of one cluster each, of which all service accounts were given."""
        by_issuer = self.inventory.clusters_by_issuer
        closed = self.inventory.closed
        alone = {issuer: clusters[0].id for issuer, clusters in by_issuer.items() if len(clusters) == 1}
        return frozenset(issuer for issuer, cluster in alone.items() if closed.has_kind(cluster, "serviceaccounts"))

    def unlisted(self, issuer: str) -> Unknown:
        """What is missing of an issuer that is not listed whole."""
        if issuer not in self._unlisted:
            self._unlisted[issuer] = self._unlisted_of(issuer)
        return self._unlisted[issuer]

    @cached_property
    def _unlisted(self) -> dict[str, Unknown]:
        return {}

    def _unlisted_of(self, issuer: str) -> Unknown:
        clusters = self.inventory.clusters_by_issuer.get(issuer, ())
        if not clusters:
            return _NO_CLUSTER
        names = ", ".join(sorted(cluster.name for cluster in clusters))
        missing = f"all service accounts of {names}"
        return self.inventory.unknown("serviceaccounts", clusters[0].id, "", missing, *ACCOUNTS_HOW)

    def lacking(self, issuer: str, subjects: Iterable[str]) -> list[str]:
        """Subjects of service accounts that are not among those of the clusters with this issuer."""
        there = self._of(issuer)
        return [
            subject for subject in subjects if not any(subject in known.accounts for known in there) and is_subject(subject)
        ]

    def missing(self, issuer: str, subjects: Iterable[str]) -> bool | Unknown:
        """Whether one of some subjects is that of no service account; unknown where manifests without a namespace may make
        those that are not there."""
        lacking = self.lacking(issuer, subjects)
        names = {subject.rpartition(":")[2] for subject in lacking}
        return NO_NAMESPACE if names and names <= self._unplaced.get(issuer, frozenset()) else bool(lacking)

    @cached_property
    def _unplaced(self) -> Mapping[str, frozenset[str]]:
        """Issuer -> the names of service accounts whose manifests have no namespace."""
        cluster_of = {cluster.id: cluster.issuer for cluster in self.inventory.clusters}
        table: dict[str, set[str]] = {}
        for account in self.inventory.service_accounts:
            issuer = cluster_of.get(account.cluster)
            if account.unplaced and isinstance(issuer, str):
                table.setdefault(issuer, set()).add(account.name)
        return {issuer: frozenset(names) for issuer, names in table.items()}

    def known(self, issuer: str) -> int:
        """How many service accounts were given of the clusters with this issuer."""
        return sum(len(there.accounts) for there in self._of(issuer))

    def count(self, issuer: str, language: Language) -> int:
        """How many of them a language admits."""
        return sum(there.count(language) for there in self._of(issuer))

    def admitted(self, issuer: str, language: Language) -> list[ServiceAccount]:
        """Those that a language admits, by cluster and subject."""
        return [there.accounts[subject] for there in self._of(issuer) for subject in there.admitted(language)]
