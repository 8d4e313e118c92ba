"""The facts of workload identities of AKS and GKE: records alone, so that rules can name them without reading anything."""

from typing import Literal

import msgspec

from irsa_doctor.facts.grants.reach import ReachKind
from irsa_doctor.facts.grants.ring import ImpossibleSubject, NamesOnly, SubjectFormat
from irsa_doctor.model import Unknown

ClientId = Literal["fine", "principal-id", "unknown", "other-trusts"]
AzureTrust = Literal[
    "matches", "explained", "nobody", "issuer", "subject", "swapped", "case", "impossible", "audience", "not-examined"
]
AccountMember = Literal["matches", "explained", "nobody", "name", "pool", "role", "expired", "condition", "not-examined"]
IdentityAnnotation = Literal["fine", "malformed", "near-key", "expected", "none"]


class AzureBindingFacts(msgspec.Struct, frozen=True):
    """What is true between a service account and the identity of Azure whose client id it names."""

    client_id: ClientId | Unknown
    tenant: Literal["same", "differs"] | Unknown
    trust: AzureTrust | Unknown
    expiration: Literal["fine", "out-of-range"]


class AzureWorkloadFacts(msgspec.Struct, frozen=True):
    """What is true of pods that use an identity of Azure."""

    client_id: Literal["fine", "missing"] | Unknown
    label: Literal["set", "missing", "by-hand"] | Unknown
    containers: Literal["fine", "all-skipped"]
    expiration: Literal["fine", "out-of-range"]
    retired_identity: bool


class AksClusterFacts(msgspec.Struct, frozen=True):
    """What is true of a cluster of AKS; `used`: something in it uses workload identity."""

    used: bool
    issues_tokens: bool | Unknown
    injects: bool | Unknown


class ReachFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How far tokens reach that a cloud other than AWS admits; each as the fact of a grant with the same name."""

    ring_counts: bool | Unknown = False
    reach: ReachKind | Unknown = "none"
    reach_inside: ReachKind | Unknown = "none"
    ring_seen: bool | Unknown = True
    on_word: bool | Unknown = False
    names_only: NamesOnly | Unknown = "no"
    outsider: bool | Unknown = False
    guests_named: bool | Unknown = False
    subject_pinned: bool | Unknown = True
    subject_impossible: ImpossibleSubject | Unknown = "no"
    subject_unreplaced: bool | Unknown = False
    subject_format: SubjectFormat | Unknown = "fine"
    subject_volatile: bool | Unknown = False


class CredentialFacts(ReachFacts, frozen=True, kw_only=True):
    """What is true of one federated credential, whoever names its identity."""

    subject: Literal["fine", "impossible"] | Unknown
    trust: Literal["fine", "issuer"]
    """`issuer` where it lacks the slash of AKS and no service account of the input names its identity"""
    issuer: Literal["fine", "misnamed"]
    """`misnamed` where tokens of the issuer, other than those of clusters, name it otherwise"""
    audience: Literal["usual", "unusual"] | Unknown
    expression: Literal["none", "fine", "cluster-issuer", "with-subject", "unreadable"] | Unknown
    default_account: bool = False


class AzureIdentityFacts(msgspec.Struct, frozen=True):
    """What is true of an identity or app of Azure."""

    credentials: Literal["fine", "near-limit", "over-limit"]


class GoogleBindingFacts(msgspec.Struct, frozen=True):
    """What is true between a service account of Kubernetes and the one of Google Cloud that it names."""

    annotation: IdentityAnnotation
    account: Literal["known", "missing", "disabled", "not-examined"] | Unknown
    member: AccountMember | Unknown


class GoogleWorkloadFacts(msgspec.Struct, frozen=True):
    """What is true of pods that use an identity of Google Cloud."""

    host_network: bool
    annotation_on_pod: bool
    metadata_server: Literal["served", "not-served"] | Unknown


class GkeClusterFacts(msgspec.Struct, frozen=True):
    """What is true of a cluster of GKE; `used`: something in it uses workload identity."""

    used: bool
    pool: Literal["set", "none"]
    metadata_server: Literal["served", "partly-served", "not-served"] | Unknown


class PolicyMemberFacts(ReachFacts, frozen=True, kw_only=True):
    """What is true of one member that has a role on a resource of Google Cloud."""

    form: Literal["fine", "malformed", "project-id"] | Unknown
    shared_name: Literal["no", "pool", "clusters"]
    attribute: Literal["fine", "unmapped"] | Unknown


class PoolProviderFacts(msgspec.Struct, frozen=True):
    """What is true of an OIDC provider of a workload identity pool.

    `condition_types`: a claim that is text is compared with a number or a boolean, so that the condition never holds, always
    holds, or holds by its other parts alone.
    """

    condition_types: Literal["fine", "never", "always", "partly"] | Unknown
