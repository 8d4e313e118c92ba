"""What the issuer of a cluster publishes: its discovery document and its keys."""

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

import msgspec

from irsa_doctor.model import Cluster, Discovery, Inventory, Issuer, SigningKey, Unknown
from irsa_doctor.model.commands import shell_command

DiscoveryState = Literal["not-asked", "complete", "incomplete"]
AlgorithmState = Literal["not-asked", "supported", "unsupported"]
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
_SUPPORTED = frozenset({"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"})
_KEY_TYPES = frozenset({"RSA", "EC"})


class Publications(msgspec.Struct, frozen=True, dict=True):
    """The tables of one inventory, by cluster."""

    inventory: Inventory

    @cached_property
    def _discoveries(self) -> Mapping[str, list[Discovery]]:
        table: dict[str, list[Discovery]] = {}
        for document in self.inventory.discoveries:
            table.setdefault(document.issuer, []).append(document)
        return table

    @cached_property
    def _keys(self) -> Mapping[str, list[SigningKey]]:
        table: dict[str, list[SigningKey]] = {}
        for key in self.inventory.signing_keys:
            table.setdefault(key.cluster, []).append(key)
        return table

    def discovery_of(self, cluster: Cluster) -> Discovery | None:
        """The discovery document of a cluster's issuer."""
        return next(iter(self._discoveries.get(cluster.issuer, ())), None) if isinstance(cluster.issuer, str) else None

    def missing_fields(self, cluster: Cluster) -> list[str]:
        """What AWS requires of the discovery document and it lacks
        (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html#manage-oidc-provider-prerequisites)."""
        document = self.discovery_of(cluster)
        if document is None:
            return []
        fields = {
            "jwks_uri": document.jwks_uri,
            "response_types_supported": document.response_types,
            "subject_types_supported": document.subject_types,
            "id_token_signing_alg_values_supported": document.algorithms,
        }
        return [name for name, value in fields.items() if not value]

    def discovery(self, cluster: Cluster) -> DiscoveryState | Unknown:
        """Whether the discovery document is complete; that of EKS is, unless the input has another."""
        if self.discovery_of(cluster) is not None:
            return "incomplete" if self.missing_fields(cluster) else "complete"
        return self._unseen(cluster, "discovery document", "/.well-known/openid-configuration")

    def algorithms(self, cluster: Cluster) -> AlgorithmState | Unknown:
        """Whether STS can verify what the cluster signs; "" among the algorithms is one that is not known."""
        keys, document = self._told_keys(cluster), self.discovery_of(cluster)
        if document is not None and document.algorithms and not {*_SUPPORTED, ""} & set(document.algorithms):
            return "unsupported"
        good = {_is_supported(key) for key in keys}
        if good == {True, False}:
            return Unknown(f"a token of {cluster.name}", "kubectl create token default --audience sts.amazonaws.com")
        if good:
            return "supported" if True in good else "unsupported"
        if document is not None and document.algorithms and set(document.algorithms) <= _SUPPORTED:
            return "supported"
        return self._unseen(cluster, "signing keys", "/openid/v1/jwks")

    def _told_keys(self, cluster: Cluster) -> list[SigningKey]:
        """The keys of which it is known what they are for."""
        return [key for key in self._keys.get(cluster.id, ()) if key.alg or key.kty]

    def unsupported_names(self, cluster: Cluster) -> list[str]:
        """The algorithms and kinds of keys that STS does not verify."""
        document = self.discovery_of(cluster)
        listed = [name for name in (document.algorithms if document else ()) if name and name not in _SUPPORTED]
        return sorted({*listed, *(key.alg or key.kty for key in self._told_keys(cluster) if not _is_supported(key))})

    def _unseen(self, cluster: Cluster, what: str, path: str) -> Literal["not-asked"] | Unknown:
        if not isinstance(cluster.issuer, str) or Issuer.of(cluster.issuer).form != "other":
            return "not-asked"
        how, distinct = shell_command("kubectl get --raw {}", path), self.inventory.distinct(cluster.id)
        return Unknown(f"{what} of {self.inventory.unless_shared(cluster, cluster.name)}", how, cluster=distinct)


def _is_supported(key: SigningKey) -> bool:
    return key.alg in _SUPPORTED if key.alg else key.kty in _KEY_TYPES
