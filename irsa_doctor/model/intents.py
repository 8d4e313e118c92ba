"""What a project intends: which service accounts may be which roles, as an intent file says it."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from irsa_doctor.model.arn import arn_of_provider

Via = Literal["irsa", "pod-identity"]


class IntendedCluster(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster of an intent. `issuer` is without scheme, "" where only `arn` was written; `account` is that of `arn` where
    nothing else was written, "" where neither was. `audience` is that of its tokens."""

    name: str
    issuer: str = ""
    arn: str = ""
    audience: str = ""
    account: str = ""
    line: int = 0


class IntendedSubject(msgspec.Struct, frozen=True, order=True):
    """A service account of a cluster, by the name of the cluster; all of its namespace where it has no `name`."""

    cluster: str
    namespace: str
    name: str

    @property
    def subject(self) -> str:
        """The subject of its tokens, with `*` for every service account of a namespace."""
        return f"system:serviceaccount:{self.namespace}:{self.name or '*'}"

    @property
    def account(self) -> str:
        """`NAMESPACE/NAME`, as an intent file writes it."""
        return f"{self.namespace}/{self.name or '*'}"


class IntendedRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role of an intent and those who may be it, in the order in which they were written.

    `path` begins and ends with a slash; `limit` is the quota of characters of its trust policy, 0 for IAM's
    default; `audience` takes precedence
    over those of the clusters. `reasons` say of namespaces why all of them are meant.
    """

    partition: str
    account: str
    path: str
    name: str
    subjects: tuple[IntendedSubject, ...]
    via: Via = "irsa"
    audience: str = ""
    reasons: Mapping[str, str] = {}
    policies: tuple[str, ...] = ()
    boundary: str = ""
    max_session: int = 0
    limit: int = 0
    split: bool = False
    description: str = ""
    tags: Mapping[str, str] = {}
    line: int = 0

    @property
    def arn(self) -> str:
        """The ARN that the role will have."""
        return f"arn:{self.partition}:iam::{self.account}:role{self.path}{self.name}"

    def provider(self, issuer: str) -> str:
        """The ARN of the OIDC provider in the account of the role for an issuer without scheme."""
        return arn_of_provider(self.partition, self.account, issuer)


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """One intent file. Clusters and roles are in the order in which they were written."""

    file: str
    clusters: tuple[IntendedCluster, ...]
    roles: tuple[IntendedRole, ...]

    def cluster(self, name: str) -> IntendedCluster:
        """The cluster of a name, which is one of the intent."""
        return next(cluster for cluster in self.clusters if cluster.name == name)
