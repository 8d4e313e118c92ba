"""What a rule is, of what it may speak, and the rules that are built in."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import inspect

from irsa_doctor.facts import (
    AksClusterFacts,
    AuthMapFacts,
    AzureBindingFacts,
    AzureIdentityFacts,
    AzureWorkloadFacts,
    BindingFacts,
    ClusterFacts,
    CredentialFacts,
    DocumentFacts,
    GateFacts,
    GkeClusterFacts,
    GoogleBindingFacts,
    GoogleWorkloadFacts,
    GrantFacts,
    IdentityFacts,
    PolicyMemberFacts,
    PoolProviderFacts,
    ProviderFacts,
    ReachedRoleFacts,
    RoleFacts,
    ServiceAccountFacts,
    SettingsFacts,
    StandardFacts,
    WaiverFacts,
    WorkloadFacts,
)
from irsa_doctor.model.edits import EditKind, FixKind
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.findings import Confidence, Severity
from irsa_doctor.model.once import once
from irsa_doctor.rulebook.cause_block import CauseBlock
from irsa_doctor.rulebook.edit_block import NO_EDITS, OLDER_FORMS, EditBlock

SUBJECTS: Mapping[str, type[msgspec.Struct]] = {
    "grant": GrantFacts,
    "role": RoleFacts,
    "binding": BindingFacts,
    "service-account": ServiceAccountFacts,
    "workload": WorkloadFacts,
    "provider": ProviderFacts,
    "cluster": ClusterFacts,
    "document": DocumentFacts,
    "waiver": WaiverFacts,
    "settings": SettingsFacts,
    "gate": GateFacts,
    "azure-binding": AzureBindingFacts,
    "azure-workload": AzureWorkloadFacts,
    "aks-cluster": AksClusterFacts,
    "credential": CredentialFacts,
    "azure-identity": AzureIdentityFacts,
    "google-binding": GoogleBindingFacts,
    "google-workload": GoogleWorkloadFacts,
    "gke-cluster": GkeClusterFacts,
    "policy-member": PolicyMemberFacts,
    "identity": IdentityFacts,
    "reached-role": ReachedRoleFacts,
    "aws-auth": AuthMapFacts,
    "pool-provider": PoolProviderFacts,
    "standard": StandardFacts,
}
NAME = re.compile(r"\{([a-z_]+)\}")
"""a name in a sentence of a rule, for which the evidence of a subject has the text"""
Relation = Literal["supports", "related"]
_INDEX = Path(__file__).parent / "rules_index.json"


class RuleError(IrsaDoctorError):
    """A rule that could not work; the text names file, line and cause."""


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold: a JSON Schema for each fact that it reads."""

    name: str
    facts: dict[str, dict[str, Any]]
    says: str = ""


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public page."""

    title: str
    url: str


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A control of a framework, and whether the rule supports it or is merely related."""

    id: str
    relation: Relation


class Graded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A severity that depends on one fact; `else` where the fact has no row."""

    fact: str
    values: dict[str, Severity]
    otherwise: Severity = msgspec.field(name="else")


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One rule file, without its examples."""

    id: str
    title: str
    subject: list[str]
    severity: Severity | Graded
    confidence: Confidence
    require: list[Clause]
    message: str
    places: dict[str, str]
    why: str
    remedy: str
    when: dict[str, dict[str, Any]] = {}
    fix: list[FixKind] = []
    """the older form of `edit`: what can be corrected of its findings"""
    edit: EditBlock = NO_EDITS
    """how `fix` edits the sources of its findings"""
    snippet: bool = False
    """the oldest form of `edit`: the policy can be corrected"""
    references: list[Reference] = []
    controls: dict[str, list[Control]] = {}
    family: str = ""
    cause: CauseBlock | None = None
    """what `why` makes of it; None where it says nothing of why a credential fails"""
    instead: str = ""
    """what to do instead, where somebody did this as a remedy of something else"""

    @property
    def url(self) -> str:
        """The first reference."""
        return self.references[0].url if self.references else ""

    @once
    def ways(self) -> Sequence[EditKind]:
        """The ways to fix its findings; those of an older form where the rule has no `edit`."""
        older = self.fix or (["policy"] if self.snippet else ())
        return self.edit.ways or [way for kind in older for way in OLDER_FORMS[kind]]

    @once
    def control_ids(self) -> Mapping[str, tuple[str, ...]]:
        """The controls of each framework, by id."""
        return {framework: tuple(control.id for control in controls) for framework, controls in self.controls.items()}


class Values(msgspec.Struct, frozen=True):
    """The values that a fact can have when it is known: truth values, numbers, words of a closed list."""

    truth: bool = False
    number: bool = False
    words: tuple[str, ...] = ()

    def allow(self, value: object) -> bool:
        """Whether the fact can have this value."""
        if isinstance(value, bool):
            return self.truth
        return self.number if isinstance(value, int) else value in self.words


@cache
def vocabulary(subject: str) -> Mapping[str, Values]:
    """Every fact of a subject kind, with the values that it can have."""
    info = inspect.type_info(SUBJECTS[subject])
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    return {field.name: _values(field.type) for field in fields}


def _values(kind: inspect.Type) -> Values:
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    words = [str(word) for literal in kinds if isinstance(literal, inspect.LiteralType) for word in literal.values]
    truth = any(isinstance(member, inspect.BoolType) for member in kinds)
    return Values(truth, any(isinstance(member, inspect.IntType) for member in kinds), tuple(words))


@cache
def shipped_rules() -> tuple[Rule, ...]:
    """The built-in rules, from the index that was verified when it was made."""
    return tuple(msgspec.json.decode(_INDEX.read_bytes(), type=list[Rule]))


@cache
def digest() -> str:
    """Which rules these are."""
    return "sha256:" + hashlib.sha256(_INDEX.read_bytes()).hexdigest()
