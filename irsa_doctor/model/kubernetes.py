"""What a Kubernetes API server holds. Secret values are never read into any of these."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from irsa_doctor.model.place import Place
from irsa_doctor.model.text import Text


class Namespace(msgspec.Struct, frozen=True):
    """A namespace of one cluster ("" where the cluster is unknown)."""

    cluster: str
    name: str
    place: Place


class ClusterNode(msgspec.Struct, frozen=True):
    """A node. `compute_type` is its label eks.amazonaws.com/compute-type: `hybrid`, `auto`, `fargate`, `ec2`, "" where it has
    none; `system` is its label kubernetes.io/os, `group` its node group, "" where it has none."""

    cluster: str
    name: str
    compute_type: str
    place: Place
    system: str = ""
    group: str = ""


class HybridNodeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration of hybrid nodes (a NodeConfig of nodeadm); `credentials_file`: the agent of EKS Pod Identity finds the
    credentials of the node (https://docs.aws.amazon.com/eks/latest/userguide/hybrid-nodes-add-ons.html)."""

    cluster: str = ""
    credentials_file: bool
    place: Place


class NodeMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """How the metadata service of nodes answers: of those that Karpenter makes (an EC2NodeClass), or that are made from a
    launch template of EC2 (`kind`), whose `ids` are its id and its name, each with `version`.

    `hop_limit` is how many network hops an answer may pass: pods need two, those in the network of their node one; 0 where the
    service is off (https://karpenter.sh/docs/concepts/nodeclasses/#specmetadataoptions,
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplateInstanceMetadataOptions.html).
    """

    cluster: str = ""
    name: str
    hop_limit: int
    place: Place
    kind: str = "EC2NodeClass"
    ids: tuple[str, ...] = ()
    version: str = ""


class LabelSelector(msgspec.Struct, frozen=True):
    """A selector of labels; an empty one selects everything. `expressions` are (key, operator, values)
    (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/)."""

    labels: Mapping[str, str] = {}
    expressions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected; an operator that does not exist selects nothing."""
        if any(labels.get(key) != value for key, value in self.labels.items()):
            return False
        return all(self._holds(labels.get(key), operator, values) for key, operator, values in self.expressions)

    @staticmethod
    def _holds(value: str | None, operator: str, values: tuple[str, ...]) -> bool:
        if operator == "In":
            return value in values
        if operator == "NotIn":
            return value not in values
        return (value is not None) if operator == "Exists" else operator == "DoesNotExist" and value is None


class EgressPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A network policy that limits where the pods that it selects may connect to.

    `namespace` is "" for one of the whole cluster.
    `reaches_agent`: a rule of it allows the address of the agent of EKS Pod Identity; None where that cannot be known.
    `by_address`: it does so by a block of addresses alone, which is not enough for Cilium; `forbids_agent`: a rule denies it,
    whatever other policies allow. `reaches_sts`: a rule may allow HTTPS to an address that is no pod, as that of STS is, or of
    a VPC endpoint for it; None where that cannot be known.
    """

    cluster: str = ""
    kind: str
    namespace: str
    name: str
    selector: LabelSelector
    reaches_agent: bool | None
    place: Place
    by_address: bool = False
    forbids_agent: bool = False
    reaches_sts: bool | None = None


class ServiceAccount(msgspec.Struct, frozen=True):
    """A service account. `cluster` is the id of its cluster, "" where unknown; `annotations` are only those about AWS.

    `template`: it is made by Terraform or the like, which fills the holes in; `planned`: under a name or in a namespace that is
    known only then. `managed_by` is the tool that undoes what others change of it, in words, "" where no mark shows one.
    """

    cluster: str
    namespace: str
    name: str
    place: Place
    annotations: Mapping[str, str | Text] = {}
    created: str = ""
    template: bool = False
    managed_by: str = ""
    planned: bool = False
    uid: str = ""
    automount: bool | None = None
    """whether its pods get a token for the API server, None where it is not written"""
    unplaced: bool = False
    """whether its manifest has no namespace: it gets one when it is applied, and `default` only where nothing else is said"""
    layered: bool = False
    """whether it is of values of a chart beside which the release names others, which are not read"""

    @property
    def subject(self) -> str:
        """The `sub` of its tokens
        (https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/)."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"


class Mount(msgspec.Struct, frozen=True):
    """Where a container mounts a volume; `part` is its subPath, "" where the whole volume is mounted."""

    volume: str
    path: str
    part: str = ""


class EnvSource(msgspec.Struct, frozen=True):
    """A ConfigMap or Secret whose keys all become environment variables (`envFrom`), each with the prefix before it."""

    kind: str
    name: str
    prefix: str = ""


class ProjectedToken(msgspec.Struct, frozen=True):
    """A service account token that is projected into a volume as the file `path`
    (https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken).

    `audience` is "" for the API server's own; `expiration` in seconds, 0 where none is asked for.
    """

    volume: str
    audience: str
    path: str
    expiration: int
    place: Place


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a container gets credentials from an agent on its node
    (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).

    `address`: whether it is that of the agent of EKS Pod Identity; `audience` is that of the projected token that the container
    sends, None where the token file is not known to be one; `token_mounted`: some volume is mounted over the file, None where
    its path is not known. `exempt`: whether the agent is exempt from the proxy of the
    container, None where that is not written. Values of variables are not kept.
    """

    address: Literal["pod-identity", "other", "unseen"]
    audience: str | None = None
    token_mounted: bool | None = None
    exempt: bool | None = None


class Container(msgspec.Struct, frozen=True):
    """A container of a pod template.

    `env` maps a name to its value, or to None where the value is not kept: secrets stay out. `user` and `non_root` are of its
    own security context, None where that says nothing.
    """

    name: str
    place: Place
    image: str = ""
    env: Mapping[str, str | Text | None] = {}
    mounted: tuple[Mount, ...] = ()
    init: bool = False
    env_from: tuple[EnvSource, ...] = ()
    user: int | None = None
    non_root: bool | None = None
    agent: AgentSettings | None = None
    """None where no variable of its manifest names an agent or a proxy"""

    @property
    def mounts(self) -> Mapping[str, str]:
        """Volume name -> mount path."""
        return {mount.volume: mount.path for mount in self.mounted}


class Workload(msgspec.Struct, frozen=True):
    """A Pod, or whatever has a pod template. `service_account` is "default" where the manifest names none.

    `annotations` and `labels` are those of the pod template, `own_annotations` those of the object around it. `admitted`: a Pod
    as the API server holds it, so admission webhooks had their chance; `over`: it will not run again (a finished Pod, a
    ReplicaSet that its Deployment scaled to nothing). `owner` is the controlling object as `Kind/name`, `windows` how it
    asks for Windows nodes.
    """

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
    tokens: tuple[ProjectedToken, ...] = ()
    created: str = ""
    own_annotations: Mapping[str, str | Text] = {}
    volumes: tuple[str, ...] = ()
    admitted: bool = False
    over: bool = False
    owner: str = ""
    user: int | None = None
    non_root: bool | None = None
    fs_group: int | None = None
    windows: Literal["", "selector", "affinity", "os"] = ""
    fargate: bool = False
    mirror: bool = False
    ephemeral: tuple[str, ...] = ()
    config_maps: tuple[str, ...] = ()
    """the config maps that its volumes hold"""
    volume_drivers: tuple[str, ...] = ()
    """the CSI drivers of its volumes"""
    node: str = ""
    """the name of the node on which a Pod runs"""
    compute_type: str = ""
    """the value of the label eks.amazonaws.com/compute-type that its nodes must have, "" where any will do"""
    host_network: bool = False
    node_selector: Mapping[str, str] = {}
    """the labels of GKE that its nodes must have"""
    automount: bool | None = None
    """whether its pods get a token for the API server, None where it is not written"""
    unplaced: bool = False
    """whether its manifest has no namespace: it gets one when it is applied"""

    @property
    def subject(self) -> str:
        """The `sub` of the tokens of its pods."""
        return f"system:serviceaccount:{self.namespace}:{self.service_account}"

    @property
    def token_audiences(self) -> Mapping[str, str]:
        """Volume name -> audience of the first token in it ("" = the API server's)."""
        return {token.volume: token.audience for token in reversed(self.tokens)}


class Webhook(msgspec.Struct, frozen=True):
    """One entry of a MutatingWebhookConfiguration."""

    cluster: str
    configuration: str
    name: str
    place: Place
    failure_policy: str = ""
    on_pod_create: bool = False
    in_cluster: bool = False
    """Whether it is a service of the cluster; the webhook of EKS is called by a URL"""
    honours_opt_out: bool = True
    """Whether pods with the label eks.amazonaws.com/skip-pod-identity-webhook are left to themselves"""
    selects_namespaces: bool = False
    """Whether it acts in some namespaces only, by their labels"""


class MappedAccount(msgspec.Struct, frozen=True):
    """A service account to which the webhook of its cluster gives a role without an annotation, by a config map
    (https://github.com/aws/amazon-eks-pod-identity-webhook); `issuer` is that of the cluster, without scheme."""

    issuer: str | Text
    namespace: str
    name: str
    place: Place


class ConfigMap(msgspec.Struct, frozen=True):
    """A config map or a secret: name and keys, never values. `token_of` is the service account whose token for the API server a
    secret holds, "" where it holds none."""

    cluster: str
    kind: str
    namespace: str
    name: str
    keys: tuple[str, ...]
    place: Place
    token_of: str = ""


class ChainedRole(msgspec.Struct, frozen=True, kw_only=True):
    """Roles that something is configured to assume, one after the other, with the identity that it has already.

    `accounts` is the name of the service account whose identity that is, or a pattern of names where the object does not name
    it; `namespace` is "" where it may be any. For a configuration file, `config_map` holds it: the workloads that mount it use
    it, those of one `profile` where the file has several. `first` is the role that begins the chain, where the object names it.
    `source` is what configures it, in words; `external_id` is what the last step sends, None where that is not known, and is
    never shown. `tagged`: the steps pass session tags. `by_token`: the client requests a role by the token of its service
    account first, and assumes it with the role that it has where that fails.
    """

    cluster: str = ""
    namespace: str = ""
    accounts: str = ""
    config_map: str = ""
    profile: str = ""
    chain: tuple[str, ...]
    source: str
    place: Place
    external_id: str | None = ""
    first: str = ""
    tagged: bool = False
    by_token: bool = False


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
    """A public key of a JWKS; `jwk` are its public parts (RFC 7517), `unusable` is the member for which STS does not use it."""

    cluster: str
    kid: str
    kty: str
    alg: str
    place: Place
    jwk: Mapping[str, str] = {}
    unusable: str = ""
