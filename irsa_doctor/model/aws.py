"""What IAM, EKS and Organizations hold."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from irsa_doctor.model.arn import parse_arn
from irsa_doctor.model.place import Place
from irsa_doctor.model.policy import TrustPolicy
from irsa_doctor.model.text import Text
from irsa_doctor.model.verdict import Unknown


class OidcProvider(msgspec.Struct, frozen=True):
    """An IAM OIDC provider (GetOpenIDConnectProvider).

    `arn` names account and issuer; `client_ids` are the audiences that STS lets through, unknown where only the list was given.
    `managed_by` is the tool that undoes what others change of it, in words, "" where no mark shows one.
    """

    arn: str
    place: Place
    client_ids: tuple[str, ...] | Unknown
    thumbprints: tuple[str, ...] | Unknown
    url: str = ""
    created: str = ""
    managed_by: str = ""

    @property
    def issuer(self) -> str:
        """Issuer without scheme, from the ARN."""
        arn = parse_arn(self.arn)
        return arn.name if arn else ""

    @property
    def account(self) -> str:
        """Account id, twelve digits."""
        arn = parse_arn(self.arn)
        return arn.account if arn else ""


class PlannedProvider(msgspec.Struct, frozen=True, kw_only=True):
    """An IAM OIDC provider that a template makes, in an account that is not known.

    `issuer` is without scheme, with holes where it is known only when the template is applied; `address` is what the template
    calls it.
    """

    issuer: str | Text
    address: str
    place: Place
    client_ids: tuple[str, ...] | Unknown
    thumbprints: tuple[str, ...] | Unknown

    @property
    def id(self) -> str:
        """The name by which findings speak of it: the path of its document and its address."""
        return f"{self.place.document}: {self.address}"


def _unknown() -> bool:
    return True


class RolePermissions(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The permission policies of a role, inline and managed.

    `policies` may be decoded when they are first looked at. `unread` names those whose documents are not in the input, the ARN
    of a managed policy or "its other policies", and `boundary` is the ARN of its permissions boundary, "" where it has none:
    without both, `policies` are all that it has.
    """

    policies: Sequence[TrustPolicy]
    unread: tuple[str, ...] = ()
    boundary: str = ""
    starred: Callable[[], bool] = _unknown
    """Whether the value `*` may stand in one of `policies`: else none has to be decoded to see that it does not allow all"""


class Role(msgspec.Struct, frozen=True, eq=False):
    """An IAM role, or a bare trust policy (then `arn` is "" and `account` what the user stated, else "").

    `max_session` is in seconds, 0 where unknown. `address` is what a template calls it, `aws_iam_role.app` or a logical id;
    most roles of templates have no ARN yet. `planned` is the path and name that such a role will have, `team/app`, "" where
    nobody can say. A role whose policy depends on a condition of its template is there once for each `case`
    (`(HasProvider)`): one role by its id. `source` is what a template calls a policy that no role of it uses. `managed_by` is
    the tool that its tags name, "" where none. `permissions` are None where the input does not have its policies.
    """

    arn: str
    name: str
    account: str
    policy: TrustPolicy | Unknown
    place: Place
    max_session: int = 0
    created: str = ""
    address: str = ""
    planned: str = ""
    case: str = ""
    source: str = ""
    managed_by: str = ""
    permissions: RolePermissions | None = None
    last_used: str | None = None
    """RFC 3339; "" where it was not used in the 400 days that IAM remembers, None where the input does not say"""

    @property
    def is_bare(self) -> bool:
        """Whether it is a policy of which nobody says whose it is."""
        return not (self.arn or self.address)

    @property
    def policy_words(self) -> str:
        """What its policy says, to compare it with that of another deployment."""
        return repr(self.policy.document) if isinstance(self.policy, TrustPolicy) else ""

    @property
    def id(self) -> str:
        """The name by which findings speak of it: its ARN, else the path of its document and what it is called there."""
        if self.arn:
            return self.arn
        path = self.place.document + (f"#{self.place.part}" if self.place.document == "-" or self.place.part else "")
        called = self.address or self.source
        return f"{path}: {called}" if called else path


DEFAULT_MODE = "CONFIG_MAP"
"""the authentication mode of a cluster that is made without one through the API of EKS
(https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessConfigRequest.html)"""


class Cluster(msgspec.Struct, frozen=True):
    """A cluster: an answer of eks:DescribeCluster, a discovery document, or a name that the user gave.

    `issuer` is without scheme, unknown where it was not given; `created` RFC 3339 or "".
    """

    name: str
    arn: str
    issuer: str | Unknown
    place: Place
    version: str = ""
    created: str = ""
    on_outpost: bool = False
    auto_mode: bool = False
    """EKS Auto Mode: the agent of Pod Identity and others are part of the nodes"""
    mode: str = ""
    """how IAM principals are let in: CONFIG_MAP, API or API_AND_CONFIG_MAP, "" where it is not known"""
    creator: str = ""
    """the principal that made the cluster, "" where it is not known"""
    entry: str = ""
    """what the kubeconfig calls it through which it was read, an ARN or a name"""

    @property
    def id(self) -> str:
        """ARN, else name."""
        return self.arn or self.name

    @property
    def subject(self) -> str:
        """The id under which findings name it: of a live one what the kubeconfig calls it, whatever else could be learnt."""
        return self.entry or self.id

    @property
    def label(self) -> str:
        """The part of the ids of its objects that names it."""
        arn = parse_arn(self.entry)
        return arn.name if arn else self.entry or self.name

    @property
    def account(self) -> str:
        """Account id, "" where unknown."""
        arn = parse_arn(self.arn)
        return arn.account if arn else ""

    @property
    def region(self) -> str:
        """Region, "" where unknown."""
        arn = parse_arn(self.arn)
        return arn.region if arn else ""


class ClusterAddon(msgspec.Struct, frozen=True, kw_only=True):
    """An add-on of a cluster (eks:DescribeAddon); of one that is only listed, the name alone is known.

    `cluster` is its id, "" where unknown. `issues` are the codes of its health. `daemonsets` are those that its configuration
    creates besides the usual one, None where the configuration is not known.
    """

    cluster: str = ""
    name: str
    place: Place
    status: str = ""
    version: str = ""
    issues: tuple[str, ...] = ()
    daemonsets: tuple[str, ...] | None = None


class NodeRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role that nodes of a cluster have: of a node group (eks:DescribeNodegroup) or an access entry for nodes
    (eks:DescribeAccessEntry). `compute_type` is `hybrid` for hybrid nodes, `ec2` for others; `group` is the name of the node
    group, "" for an access entry; `launch_template` the id or the name of its launch template with the version."""

    cluster: str = ""
    arn: str
    compute_type: str
    place: Place
    group: str = ""
    launch_template: tuple[str, str] | None = None


class ClusterCapability(msgspec.Struct, frozen=True, kw_only=True):
    """A managed capability of a cluster and the role that EKS assumes for it (eks:DescribeCapability)."""

    cluster: str = ""
    name: str
    role_arn: str
    place: Place


class PlannedCluster(msgspec.Struct, frozen=True):
    """A cluster that a template makes under a name that is known only when it is applied; `mode` is its authentication mode, ""
    where that is known only then too."""

    address: str
    place: Place
    mode: str = ""


class PodIdentityAssociation(msgspec.Struct, frozen=True):
    """An EKS Pod Identity association (eks:DescribePodIdentityAssociation); `role_arn` is "" where only the list was given.

    What a template fills in has holes; `id`, `arn` and `created` (RFC 3339) are "" where a template makes it. `external_id` is
    what EKS sends to the target role; `narrowed`: it has a session policy of its own. `session_tags` is the text of the
    setting that switches them off where a template fills that in.
    """

    cluster: str | Text
    namespace: str | Text
    service_account: str | Text
    place: Place
    role_arn: str | Text = ""
    target_role_arn: str | Text = ""
    session_tags: bool | Text = True
    id: str = ""
    external_id: str = ""
    arn: str = ""
    created: str = ""
    narrowed: bool = False
    repeated: Place | None = None
    """where templates make a second one for the same service account"""
    differences: tuple[str, ...] = ()
    """what EKS has otherwise than the template that makes it, by the names of the API"""


class ResourceControlPolicy(msgspec.Struct, frozen=True, eq=False):
    """A resource control policy of AWS Organizations.

    `account` is the one that it is known to stand over, "" where it may stand over any.
    """

    id: str
    document: TrustPolicy
    place: Place
    tags: Mapping[str, str] = {}
    account: str = ""
