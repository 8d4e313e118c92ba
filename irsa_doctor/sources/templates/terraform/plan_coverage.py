"""Tells which resources a plan or state of Terraform covers, and which root module of the input it takes the place of.

https://developer.hashicorp.com/terraform/internals/json-format
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.terraform.folder import ModuleFolder

_INDEX = re.compile(r"\[(?:\"(?:[^\"\\]|\\.)*\"|\d+)\]")
_REPEATS = frozenset({"count_expression", "for_each_expression"})
_KINDS = re.compile(r"\.(?:aws_iam_role|aws_eks_cluster|aws_eks_pod_identity_association)\.")
_MODULES_DEEP = 32


def without_indices(address: str) -> str:
    """The address of the block that makes a resource: `module.a["x"].aws_iam_role.b[0]` is `module.a.aws_iam_role.b`."""
    return _INDEX.sub("", address)


def covered(addresses: Iterable[str], configuration: Mapping[str, Any] | None = None) -> frozenset[str]:
    """The addresses, without indices, of the resources of which a plan or state says what becomes of them.

    `addresses` are those of its resources, `configuration` is that member of a plan: what `count` or `for_each` made none of
    is covered too. What a plan lacks without that is not of its configuration, or was left out by `-target`.
    """
    module = (configuration or {}).get("root_module")
    empty = _repeated(module if isinstance(module, dict) else {}, "", is_repeated=False, depth=0)
    return frozenset((*map(without_indices, addresses), *empty))


def _repeated(module: Mapping[str, Any], prefix: str, *, is_repeated: bool, depth: int) -> Iterator[str]:
    """The addresses of the resources in a module of a configuration that `count` or `for_each` make."""
    listed, calls = module.get("resources"), module.get("module_calls")
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and (is_repeated or _REPEATS & item.keys()):
            yield f"{prefix}{item.get('address')}"
    for name, call in calls.items() if isinstance(calls, dict) and depth < _MODULES_DEEP else ():
        if isinstance(call, dict) and isinstance(call.get("module"), dict):
            below = is_repeated or bool(_REPEATS & call.keys())
            yield from _repeated(call["module"], f"{prefix}module.{name}.", is_repeated=below, depth=depth + 1)


class PlanCoverage(msgspec.Struct, frozen=True):
    """The plans that take the place of a root module, as words, and the addresses of the resources that they cover."""

    words: str = ""
    addresses: frozenset[str] = frozenset()

    def has(self, address: str) -> bool:
        """Whether a resource is covered."""
        return bool(self.addresses) and without_indices(address) in self.addresses

    def has_below(self, prefix: str) -> bool:
        """Whether a role, cluster or association of a module that is called is covered, by the address of the call."""
        start = f"{without_indices(prefix)}."
        return any(address.startswith(start) and _KINDS.search(address) for address in self.addresses)


class PlanCoverages:
    """Which plans take the place of which root modules: only those that the user names for it.

    `readings` are those of all documents, `stated` gives the plan or state by the folder of the configuration. A plan that is
    named on the command line takes the place of the configuration in its folder, or of the only root module that has its
    roles. What lies beside a configuration may be of another revision, or made up; so may what a change brings along.
    """

    def __init__(
        self, readings: Sequence[DocumentReading], stated: Mapping[str, str], roots: Mapping[str, Iterable[str]]
    ) -> None:
        plans = [reading for reading in readings if reading.plans is not None]
        is_change = any(reading.base for reading in readings) if plans else False
        self._by_folder: dict[str, list[DocumentReading]] = {}
        by_path = {os.path.normpath(plan.path): plan for plan in plans}
        for folder, path in stated.items():
            if plan := by_path.get(os.path.normpath(path)):
                self._add(plan, os.path.normpath(folder))
        for plan in plans:
            if plan.named and not is_change and not plan.is_state and not plan.replaces:
                self._add(plan, _root_of(plan, roots))

    def _add(self, plan: DocumentReading, folder: str) -> None:
        if folder:
            plan.replaces = True
            self._by_folder.setdefault(folder, []).append(plan)

    def of(self, folder: str) -> PlanCoverage:
        """What takes the place of the root module in a folder."""
        plans = self._by_folder.get(folder, ())
        words = " and ".join(plan.path for plan in plans)
        return PlanCoverage(words, frozenset().union(*(plan.plans or () for plan in plans)))


def _root_of(plan: DocumentReading, roots: Mapping[str, Iterable[str]]) -> str:
    """The root module of which a plan was made, "" where that is not plain; its addresses tell, where it lies elsewhere."""
    folder = module_folder(plan.path)
    if folder in roots:
        return folder
    having = [path for path, roles in roots.items() if plan.plans and not plan.plans.isdisjoint(roles)]
    return having[0] if len(having) == 1 else ""


@lru_cache(maxsize=4_096)
def module_folder(path: str) -> str:
    """Return the folder of a file in normal form, "-" for standard input."""
    return os.path.normpath(os.path.dirname(path)) if path != "-" else "-"


def roles_of_roots(roots: Sequence[ModuleFolder], readings: Sequence[DocumentReading]) -> dict[str, frozenset[str]]:
    """Returns the addresses of the roles of each root module by its path; they matter only where there is a plan."""
    has_plan = any(reading.plans is not None for reading in readings)
    return {root.path: _roles_of(root) if has_plan else frozenset() for root in roots}


def _roles_of(folder: ModuleFolder) -> frozenset[str]:
    """The addresses of the roles that a root module makes itself."""
    blocks = (block for block in folder.blocks if block.kind == "resource" and block.labels[:1] == ("aws_iam_role",))
    return frozenset(".".join(block.labels) for block in blocks)
