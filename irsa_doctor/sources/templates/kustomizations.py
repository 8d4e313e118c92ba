"""Kustomizations that give objects of other files another name or namespace, and what then is left of these files.

https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set

import msgspec

from irsa_doctor.model import Role, TrustPolicy
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.reading import DocumentReading, Page, Substitution
from irsa_doctor.sources.templates.controllers.patched_roles import role_of_controller, roles_meant
from irsa_doctor.sources.templates.values import scalar_text
from irsa_doctor.text import shapes

_RENAMING = ("namePrefix", "nameSuffix", "namespace")
_TARGET = "targetNamespace"
"""of a Kustomization of Flux (https://fluxcd.io/flux/components/kustomize/kustomizations/#target-namespace)"""
_RELEASES = frozenset({"helm-release", "argo-application"})
"""kinds of documents in which a patch may change what a chart is installed with, and to which namespace"""
_KIND_OF_RELEASE = regex(r"\b(?:HelmRelease|HelmChart|HelmChartProxy|Application|ApplicationSet)\b")
_BY_FLUX = "changed by patches of a Kustomization of Flux"
_TARGETS = ("resources", "bases", "components")
_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")


_NAME_IN_ADDRESS = regex(r"^.*[ /]")
"""what stands before the name of an object in the address of a role"""


class Kustomization(msgspec.Struct, frozen=True):
    """A kustomization: its folder, the files and folders that it takes up, which of its settings rename objects, and the
    namespace that it gives them; `patches` are the files that change objects of others, and are none themselves, each with its
    `target`, empty where it has none."""

    folder: str
    targets: tuple[str, ...]
    renames: tuple[str, ...]
    namespace: str = ""
    patches: Mapping[str, Mapping[str, object]] = {}
    patches_releases: bool = False
    """whether it holds patches of releases of charts itself"""

    def keeps(self, namespace: str) -> bool:
        """Whether an object of a namespace keeps its name and its namespace."""
        return not self.renames or (self.renames in (("namespace",), (_TARGET,)) and namespace == self.namespace)

    @property
    def why(self) -> str:
        """How the objects of its files can be read as they will be."""
        if self.renames == (_TARGET,):
            return f"renamed by {_TARGET} of a Kustomization of Flux"
        return f"renamed by {', '.join(self.renames)} of {self._build}"

    @property
    def why_patch(self) -> str:
        """How the objects that its patches change can be read as they will be."""
        return f"a patch of {self._build}"

    @property
    def why_changed(self) -> str:
        """How the releases that it changes can be read as they will be."""
        return f"changed by patches of {self._build}"

    @property
    def why_ignored(self) -> str:
        """How what it makes can be read."""
        return f"a kustomization: kustomize build {self.folder or '.'} | irsa-doctor check -"

    @property
    def _build(self) -> str:
        folder = self.folder or "."
        return f"{folder}: kustomize build {folder} | irsa-doctor check -"


def kustomization_of(members: Mapping[str, object], path: str) -> Kustomization:
    """Return what a kustomization at a path takes up."""
    folder = os.path.dirname(path)
    listed = [item for name in _TARGETS if isinstance(written := members.get(name), list) for item in written]
    targets = (os.path.normpath(os.path.join(folder, item)) for item in listed if isinstance(item, str) and "://" not in item)
    patches = {os.path.normpath(os.path.join(folder, path)): target for path, target in _patch_files(members)}
    namespace = members.get("namespace")
    renames = tuple(name for name in _RENAMING if members.get(name)) + tuple(_renaming_patches(members))
    return Kustomization(
        folder=folder,
        targets=tuple(targets),
        renames=renames,
        namespace=namespace if isinstance(namespace, str) else "",
        patches=patches,
        patches_releases=_patches_releases(members),
    )


def _patches_releases(members: Mapping[str, object]) -> bool:
    return any(_KIND_OF_RELEASE.search(str(members.get(name, ""))) for name in _PATCHES)


def _renaming_patches(members: Mapping[str, object]) -> Iterator[str]:
    """The settings with a JSON patch that writes the name or the namespace of an object."""
    for name in _PATCHES:
        written = members.get(name)
        texts = (item.get("patch") for item in (written if isinstance(written, list) else ()) if isinstance(item, dict))
        if any("/metadata/name" in str(text) for text in texts if text):
            yield name


def _patch_files(members: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The files that hold patches, with their targets; a patch may also be written in the kustomization."""
    for name in _PATCHES:
        written = members.get(name)
        for item in written if isinstance(written, list) else ():
            path = item.get("path") if isinstance(item, dict) else item
            target = item.get("target") if isinstance(item, dict) else None
            if isinstance(path, str) and "\n" not in path:
                yield path, target if isinstance(target, dict) else {}


def apply_renaming(readings: Sequence[DocumentReading]) -> None:
    """Keep of the objects that a kustomization renames only their annotations, and note how they can be read."""
    by_folder = {reading.kustomization.folder: reading.kustomization for reading in readings if reading.kustomization}
    taken = {kustomization.folder: tuple(_files(kustomization, by_folder)) for kustomization in by_folder.values()}
    renamed: dict[str, list[Kustomization]] = {}
    for kustomization in by_folder.values():
        for path in taken[kustomization.folder] if kustomization.renames else ():
            renamed.setdefault(path, []).append(kustomization)
    _point_to_overlays(readings, by_folder)
    of_releases = {os.path.normpath(reading.path) for reading in readings if not _RELEASES.isdisjoint(reading.kinds)}
    changed = {
        **{
            path: _BY_FLUX
            for reading in readings
            for below in reading.patched_below
            for path in of_releases
            if _is_below(path, below)
        },
        **dict(_changed_releases(by_folder.values(), taken, of_releases)),
    }
    patched = {path: kustomization for kustomization in by_folder.values() for path in kustomization.patches}
    of_flux = [pair for reading in readings for pair in reading.target_namespaces]
    _give_namespaces(readings, {path for paths in taken.values() for path in paths})
    _take_rewritten_roles(readings, by_folder, taken, [path for reading in readings for path in reading.applied])
    for reading in readings:
        patch = patched.get(os.path.normpath(reading.path))
        if patch and not reading.named:
            _take_objects(reading, patch.why_patch)
        renaming = [*renamed.get(os.path.normpath(reading.path), ()), *_of_flux(reading.path, of_flux)]
        if renaming and not reading.named:
            _take_names(reading, renaming)
        if (why := changed.get(os.path.normpath(reading.path))) and not reading.named:
            _take_objects(reading, why)


def _changed_releases(
    kustomizations: Iterable[Kustomization], taken: Mapping[str, Sequence[str]], of_releases: Set[str]
) -> Iterator[tuple[str, str]]:
    """The files of releases that a kustomization with patches of releases takes up, and how they can be read: it may change
    their values and where they go."""
    for kustomization in kustomizations:
        if kustomization.patches_releases or not of_releases.isdisjoint(kustomization.patches):
            yield from ((path, kustomization.why_changed) for path in taken[kustomization.folder] if path in of_releases)


def _give_namespaces(readings: Sequence[DocumentReading], taken: Collection[str]) -> None:
    """Pass over subjects without a namespace in files that a kustomization takes up: it gives them that of the service account.

    https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/namespace/
    """
    for reading in readings:
        if reading.without_namespace and not reading.named and os.path.normpath(reading.path) in taken:
            reading.broken = [(place, why) for place, why in reading.broken if place not in reading.without_namespace]


def _take_rewritten_roles(
    readings: Sequence[DocumentReading],
    by_folder: Mapping[str, Kustomization],
    taken: Mapping[str, Sequence[str]],
    applied: Sequence[str],
) -> None:
    """Pass over roles whose policy is never applied as their file has it: every kustomization that is applied by itself, which
    is one that nothing else takes up or that a program is told to apply, and that takes up the file, patches or deletes it."""
    below = {target for kustomization in by_folder.values() for target in kustomization.targets}
    whole = [path for path in applied if not any(_is_at(folder, path) for folder in by_folder)]
    over: dict[str, list[tuple[Kustomization, frozenset[str]]]] = {}
    for top in by_folder.values():
        if (top.folder or ".") not in below or any(_is_at(top.folder, path) for path in applied):
            written = frozenset(_roles_of_patches(top, readings, by_folder))
            for path in taken[top.folder]:
                over.setdefault(path, []).append((top, written))
    for reading in readings:
        tops = over.get(os.path.normpath(reading.path), [])
        if any(_is_below(reading.path, path) for path in whole):
            continue
        kept = [role for role in reading.roles if not tops or not all(_names(role) & names for _, names in tops)]
        if len(kept) < len(reading.roles) and not reading.named:
            reading.roles = kept
            reading.notes.append(f"roles of it are changed by {tops[0][0].why_patch}")
            reading.empty = True


def _roles_of_patches(
    top: Kustomization, readings: Sequence[DocumentReading], by_folder: Mapping[str, Kustomization]
) -> Iterator[str]:
    """The roles whose policy the patches of a kustomization write or that they delete, or those of one that it takes up, as
    these call them."""
    inside = {top.folder, *("" if path == "." else path for path in _walked(top, by_folder))}
    patches = {path: target for folder in inside if folder in by_folder for path, target in by_folder[folder].patches.items()}
    for reading in readings:
        own, path = reading.kustomization, os.path.normpath(reading.path)
        is_own = own is not None and own.folder in inside
        if not is_own and path not in patches:
            continue
        target = {} if is_own else patches[path]
        yield from roles_meant(target) if target and reading.deleted else reading.deleted
        name = str(target.get("name") or "")
        for role in reading.roles:
            if (not name or name in _names(role)) and isinstance(role.policy, TrustPolicy):
                yield _of_its_controller(role, role.address)


def _names(role: Role) -> frozenset[str]:
    """What a patch may call a role: its address or its name alone, and each with its controller."""
    plain = (role.address, _NAME_IN_ADDRESS.sub("", role.address))
    return frozenset((*plain, *(_of_its_controller(role, name) for name in plain)))


def _of_its_controller(role: Role, name: str) -> str:
    is_of_crossplane = isinstance(role.policy, TrustPolicy) and "/forProvider/" in role.policy.place.pointer
    return role_of_controller(name, is_of_crossplane)


def _of_flux(path: str, targets: Sequence[tuple[str, str]]) -> Iterator[Kustomization]:
    """What Kustomizations of Flux do to the objects of a file. Their paths are those of a repository whose folder is not
    known."""
    for below, namespace in targets:
        if _is_below(path, below):
            yield Kustomization(folder=below, targets=(), renames=(_TARGET,), namespace=namespace)


def _is_below(path: str, below: str) -> bool:
    return below == "." or f"/{below}/" in f"/{os.path.normpath(path)}"


def _is_at(folder: str, path: str) -> bool:
    """Whether a folder may be that of a path in a repository."""
    return path != "." and f"/{folder}".endswith(f"/{path}")


def _point_to_overlays(readings: Sequence[DocumentReading], by_folder: Mapping[str, Kustomization]) -> None:
    """Say of a kustomization that another takes up that it is that other which is to be built."""
    overlays = {"" if path == "." else path: each.folder for each in by_folder.values() for path in each.targets}
    for reading in readings:
        own = reading.kustomization
        if own and own.folder in overlays:
            above = f"a kustomization that {overlays[own.folder] or '.'} takes up"
            reading.passed = [above if why == own.why_ignored else why for why in reading.passed]


def _take_objects(reading: DocumentReading, why: str) -> None:
    """Keep of a patch, or of what a patch changes, the annotations of service accounts alone: what it says is true of objects
    of other files."""
    if reading.service_accounts or reading.workloads:
        reading.account_templates += reading.service_accounts
        reading.service_accounts, reading.workloads = [], []
        (reading.notes if reading.account_templates else reading.passed).append(why)
        reading.empty = True


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
    return (path for path in _walked(kustomization, by_folder) if ("" if path == "." else path) not in by_folder)


def _walked(kustomization: Kustomization, by_folder: Mapping[str, Kustomization]) -> Iterator[str]:
    """The files and folders that a kustomization takes up, and those that these do."""
    waiting, seen = list(kustomization.targets), set[str]()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            yield path
            below = by_folder.get("" if path == "." else path)
            waiting += below.targets if below else ()


def in_repository(path: object) -> str:
    """A path that is written from the root of a repository; "." for the root itself, and where none is written."""
    return (os.path.normpath(path).lstrip("/") if isinstance(path, str) else "") or "."


def read_flux_kustomization(page: Page, reading: DocumentReading) -> None:
    """Read what a Kustomization of Flux substitutes in its manifests (`spec.postBuild`)."""
    members = shapes.mapping(page.value, page.place)
    spec = shapes.inner(members, "spec", page.place)
    after = shapes.inner(spec, "postBuild", page.place.at("spec"))
    values = shapes.inner(after, "substitute", page.place.at("spec", "postBuild"))
    texts = {name: text for name, value in values.items() if (text := scalar_text(value)) and isinstance(text, str)}
    if values or after.get("substituteFrom"):
        reading.substitutions.append(Substitution(texts, bool(after.get("substituteFrom")) or len(texts) < len(values)))
    namespace, below = spec.get(_TARGET), in_repository(spec.get("path"))
    reading.applied.append(below)
    if isinstance(namespace, str) and namespace:
        reading.target_namespaces.append((below, namespace))
    if _patches_releases(spec):
        reading.patched_below.append(below)
    reading.passed.append("a Kustomization of Flux: it names no role")
