"""Kustomizations that give objects of other files another name or namespace, and what then is left of these files.

https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
"""

import os
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.sources.documents.reading import DocumentReading

_RENAMING = ("namePrefix", "nameSuffix", "namespace")
_TARGETS = ("resources", "bases", "components")


class Kustomization(msgspec.Struct, frozen=True):
    """A kustomization: its folder, the files and folders that it takes up, which of its settings rename objects, and the
    namespace that it gives them."""

    folder: str
    targets: tuple[str, ...]
    renames: tuple[str, ...]
    namespace: str = ""

    def keeps(self, namespace: str) -> bool:
        """Whether an object of a namespace keeps its name and its namespace."""
        return not self.renames or (self.renames == ("namespace",) and namespace == self.namespace)

    @property
    def why(self) -> str:
        """How the objects of its files can be read as they will be."""
        folder = self.folder or "."
        return f"renamed by {', '.join(self.renames)} of {folder}: kustomize build {folder} | irsa-doctor check -"


def kustomization_of(members: Mapping[str, object], path: str) -> Kustomization:
    """Return what a kustomization at a path takes up."""
    folder = os.path.dirname(path)
    listed = [item for name in _TARGETS if isinstance(written := members.get(name), list) for item in written]
    targets = (os.path.normpath(os.path.join(folder, item)) for item in listed if isinstance(item, str) and "://" not in item)
    namespace = members.get("namespace")
    renames = tuple(name for name in _RENAMING if members.get(name))
    return Kustomization(folder, tuple(targets), renames, namespace if isinstance(namespace, str) else "")


def apply_renaming(readings: Sequence[DocumentReading]) -> None:
    """Keep of the objects that a kustomization renames only their annotations, and note how they can be read."""
    by_folder = {reading.kustomization.folder: reading.kustomization for reading in readings if reading.kustomization}
    renamed: dict[str, list[Kustomization]] = {}
    for kustomization in by_folder.values():
        if kustomization.renames:
            for path in _files(kustomization, by_folder):
                renamed.setdefault(path, []).append(kustomization)
    for reading in readings:
        renaming = renamed.get(os.path.normpath(reading.path))
        if renaming and not reading.named:
            _take_names(reading, renaming)


def _take_names(reading: DocumentReading, renaming: Sequence[Kustomization]) -> None:
    """Keep the objects whose names stay; of the other service accounts their annotations."""
    accounts, workloads = reading.service_accounts, reading.workloads
    kept = [account for account in accounts if all(each.keeps(account.namespace) for each in renaming)]
    reading.workloads = [workload for workload in workloads if all(each.keeps(workload.namespace) for each in renaming)]
    reading.account_templates += [account for account in accounts if account not in kept]
    reading.service_accounts = kept
    if len(kept) < len(accounts) or len(reading.workloads) < len(workloads):
        reading.notes.append(renaming[0].why)
        reading.empty = True


def _files(kustomization: Kustomization, by_folder: Mapping[str, Kustomization]) -> Iterator[str]:
    """The files that a kustomization takes up, also by those that it takes up itself."""
    waiting, seen = list(kustomization.targets), set[str]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        below = by_folder.get("" if path == "." else path)
        if below is None:
            yield path
        else:
            waiting += below.targets
