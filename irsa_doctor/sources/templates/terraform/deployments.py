"""Finds the files of variables that Terraform loads only where somebody names them: each is one more deployment.

https://developer.hashicorp.com/terraform/language/values/variables#variable-definitions-tfvars-files
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.model import Role, TrustPolicy
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.terraform.folder import ModuleFolder
from irsa_doctor.sources.templates.terraform.plan_coverage import module_folder
from irsa_doctor.sources.templates.values import TemplateValue
from irsa_doctor.text.scanner import escaped

_PLACEHOLDERS = ("", '""', "null", "[]", "{}")


class VariableFile(msgspec.Struct, frozen=True):
    """A file of variables as one more deployment of a root module: the words for it, and the values that it gives."""

    words: str
    values: Mapping[str, TemplateValue]


class Deployments:
    """The deployments of each root module of the input, beside that of its defaults.

    `stated` gives the file of variables by the folder of the root module for which the user names it: its values count, as do
    those of the first file for variables without a default. `folders` get these values.
    """

    def __init__(
        self,
        readings: Sequence[DocumentReading],
        folders: dict[str, ModuleFolder],
        roots: Sequence[str],
        stated: Mapping[str, str],
    ) -> None:
        self._by_folder: dict[str, list[VariableFile]] = {}
        by_path = {os.path.normpath(reading.path): reading for reading in readings if reading.variables}
        of_user = {os.path.normpath(name): by_path.get(os.path.normpath(file)) for name, file in stated.items()}
        for reading in sorted(by_path.values(), key=lambda reading: reading.path):
            if not reading.loads_itself and reading not in of_user.values():
                self._add(reading, folders, roots)
        for reading in readings:
            if reading.stack_deployments:
                self._add_stack(reading, roots)
        for path in roots:
            user = of_user.get(path)
            first = next(iter(self._by_folder.get(path, ())), None)
            if user or first:
                folder = folders[path]
                lacking = {name: value for name, value in first.values.items() if name in _lacking(folder)} if first else {}
                values = {**lacking, **folder.variables, **(user.variables if user else {})}
                folders[path] = msgspec.structs.replace(folder, variables=values)
        for reading in filter(None, of_user.values()):
            reading.empty, reading.passed = True, []

    def of(self, folder: str) -> Sequence[VariableFile]:
        """The deployments of a root module beside that of its defaults."""
        return self._by_folder.get(folder, ())

    def _add_stack(self, reading: DocumentReading, roots: Sequence[str]) -> None:
        """Add the deployments of a Stack, which stand beside its components."""
        place = module_folder(reading.path)
        if place in roots:
            reading.empty, reading.passed = True, []
            self._by_folder.setdefault(place, []).extend(
                VariableFile(f"in deployment {name}", values) for name, values in sorted(reading.stack_deployments.items())
            )

    def _add(self, reading: DocumentReading, folders: Mapping[str, ModuleFolder], roots: Sequence[str]) -> None:
        having = list(_deployed_by(reading, folders, roots))
        for path in having:
            self._by_folder.setdefault(path, []).append(
                VariableFile(f"with {os.path.basename(reading.path)}", reading.variables)
            )
        if having:
            reading.empty = True
        else:
            reading.passed.append("variables of a root module that is not in the input")


def _deployed_by(reading: DocumentReading, folders: Mapping[str, ModuleFolder], roots: Sequence[str]) -> Iterator[str]:
    """The root modules that a file of variables may be for: that of its folder, else the nearest above it, else those that
    declare the most of its variables. Terraform only warns of variables that are not declared."""
    place = module_folder(reading.path)
    shared = {path: len(_declared(folders[path]) & reading.variables.keys()) for path in roots}
    above = [path for path in roots if shared[path] and (path in (place, ".") or place.startswith(path + os.sep))]
    if above:
        yield max(above, key=len)
        return
    most = max(shared.values(), default=0)
    yield from (path for path in roots if most and shared[path] == most)


def _declared(folder: ModuleFolder) -> set[str]:
    return {block.labels[0] for block in folder.blocks if block.kind == "variable" and block.labels}


def _lacking(folder: ModuleFolder) -> set[str]:
    """The variables that have no default, or a placeholder for one."""
    lacking = set()
    for block in folder.blocks:
        default = block.body.arguments.get("default") if block.kind == "variable" and block.labels else None
        if block.kind == "variable" and block.labels:
            word = default.syntax.word(default.value).strip() if default else ""
            lacking |= {block.labels[0]} if word in _PLACEHOLDERS else set()
    return lacking


class DeploymentReadings(dict[str, DocumentReading]):
    """What the documents of the input give in one deployment: an empty reading of each, made when it is first used."""

    def __init__(self, documents: Mapping[str, DocumentReading]) -> None:
        super().__init__()
        self._documents = documents

    def __missing__(self, path: str) -> DocumentReading:
        self[path] = made = DocumentReading(path, named=self._documents[path].named)
        return made

    def get(self, path: str, default: Any = None) -> Any:
        """The reading of a document, or the default where the input has none."""
        return self[path] if path in self._documents else default


def add_deployment(words: str, made: Mapping[str, DocumentReading], readings: Mapping[str, DocumentReading]) -> None:
    """Add to readings the roles of a deployment that the defaults do not make, each as a case of its own.

    `made` are the readings of the deployment by path. What could not be read of it is added as well.
    """
    moved: dict[str, str] = {}
    for path, other in made.items():
        known = {(_name(role), role.policy_words) for role in readings[path].roles}
        for role in other.roles:
            if (_name(role), role.policy_words) not in known:
                readings[path].roles.append(_as_case(role, words, moved))
    for path, other in made.items():
        reading = readings[path]
        for (part, pointer), anchor in other.anchors.items():
            start = "/".join(pointer.split("/")[:3])
            moved_pointer = moved[start] + pointer[len(start) :] if start in moved else pointer
            reading.anchors.setdefault((part, moved_pointer), anchor)
        reading.apart += [
            msgspec.structs.replace(place, pointer=moved.get(place.pointer, place.pointer)) for place in other.apart
        ]
        reading.broken += [item for item in other.broken if item not in reading.broken]
        reading.faults += [item for item in other.faults if item not in reading.faults]


def _as_case(role: Role, words: str, moved: dict[str, str]) -> Role:
    """A role in the case of a deployment; `moved` learns where the places of its policy are from now on."""
    case = f"({', '.join(filter(None, (role.case.removeprefix('(').removesuffix(')'), words)))})"
    if not isinstance(role.policy, TrustPolicy):
        return msgspec.structs.replace(role, case=case)
    pointer = role.policy.place.pointer
    start = "/".join(pointer.split("/")[:3])
    moved[start] = f"{start}/{escaped(f'({words})')}"
    place = msgspec.structs.replace(role.policy.place, pointer=moved[start] + pointer[len(start) :])
    return msgspec.structs.replace(role, case=case, policy=msgspec.structs.replace(role.policy, place=place))


def _name(role: Role) -> str:
    return role.address or role.source
