"""What a Kubernetes API server holds. Secret values are never read into any of these."""

from collections.abc import Mapping

import msgspec

from irsa_doctor.model.place import Place
from irsa_doctor.model.text import Text


class Namespace(msgspec.Struct, frozen=True):
    """A namespace of one cluster ("" where the cluster is unknown)."""

    cluster: str
    name: str
    place: Place


class ServiceAccount(msgspec.Struct, frozen=True):
    """A service account. `cluster` is the id of its cluster, "" where unknown; `annotations` are only those about AWS."""

    cluster: str
    namespace: str
    name: str
    place: Place
    annotations: Mapping[str, str | Text] = {}
    created: str = ""

    @property
    def subject(self) -> str:
        """The `sub` of its tokens
        (https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/)."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"


class Container(msgspec.Struct, frozen=True):
    """A container of a pod template; `env` maps a name to its value, or to None where the value is not kept: secrets stay out."""

    name: str
    place: Place
    image: str = ""
    env: Mapping[str, str | Text | None] = {}
    mounts: Mapping[str, str] = {}
    """volume name -> mount path"""
    init: bool = False


class Workload(msgspec.Struct, frozen=True):
    """A Pod, or whatever has a pod template. `service_account` is "default" where the manifest names none."""

    cluster: str
    kind: str
    namespace: str
    name: str
    service_account: str
    place: Place
    template: Place
    annotations: Mapping[str, str | Text] = {}
    labels: Mapping[str, str] = {}
    containers: tuple[Container, ...] = ()
    token_audiences: Mapping[str, str] = {}
    """projected token volumes: volume name -> audience ("" = the API server's)"""
    token_expirations: Mapping[str, int] = {}
    """projected token volumes: volume name -> expirationSeconds, where given"""
    created: str = ""

    @property
    def subject(self) -> str:
        """The `sub` of the tokens of its pods."""
        return f"system:serviceaccount:{self.namespace}:{self.service_account}"


class Webhook(msgspec.Struct, frozen=True):
    """One entry of a MutatingWebhookConfiguration."""

    cluster: str
    configuration: str
    name: str
    place: Place
    failure_policy: str = ""
    on_pod_create: bool = False


class ConfigMap(msgspec.Struct, frozen=True):
    """A config map or a secret: name and keys, never values."""

    cluster: str
    kind: str
    namespace: str
    name: str
    keys: tuple[str, ...]
    place: Place


class Discovery(msgspec.Struct, frozen=True):
    """A discovery document, `issuer` without scheme."""

    cluster: str
    issuer: str
    jwks_uri: str
    response_types: tuple[str, ...]
    subject_types: tuple[str, ...]
    algorithms: tuple[str, ...]
    place: Place


class SigningKey(msgspec.Struct, frozen=True):
    """A public key of a JWKS."""

    cluster: str
    kid: str
    kty: str
    alg: str
    place: Place
