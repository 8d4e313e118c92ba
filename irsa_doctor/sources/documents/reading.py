"""What one document gave, before it is joined with the others."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import msgspec

from irsa_doctor.model import (
    ChainedRole,
    CloudRecord,
    Cluster,
    ClusterAddon,
    ClusterCapability,
    ClusterNode,
    ConfigMap,
    Discovery,
    EgressPolicy,
    Gap,
    HybridNodeConfig,
    MappedAccount,
    Namespace,
    NodeMetadata,
    NodeRole,
    OidcProvider,
    OrganizationAccount,
    Place,
    PlannedCluster,
    PodIdentityAssociation,
    ResourceControlPolicy,
    Role,
    ServiceAccount,
    SigningKey,
    Text,
    TrustPolicy,
    Unknown,
    Webhook,
    Workload,
)
from irsa_doctor.model.access import (
    AccessBinding,
    AccessEntry,
    AccessRole,
    AssociatedAccess,
    AuthMap,
    WebhookConfiguration,
)
from irsa_doctor.model.faults import fault_words
from irsa_doctor.sources.snapshot.snapshot import Origin
from irsa_doctor.text.errors import TextError, UnreadableItem, WrongShape
from irsa_doctor.text.positions import Anchor
from irsa_doctor.text.scanner import Duplicate

MOST_DEPLOYMENTS = 1_000
"""Files of parameters or variables with which one template or root module is judged."""


class Page(msgspec.Struct, frozen=True):
    """A decoded value, the place where it stands, and the members given twice in it."""

    value: object
    place: Place
    duplicates: Sequence[Duplicate] = ()


class ResourceGraph(msgspec.Struct, frozen=True):
    """A graph of kro, which is read again for its instances, and the reader of any document."""

    page: Page
    read: Callable[[Page, "DocumentReading"], None]


class Listing(msgspec.Struct, frozen=True):
    """A list that AWS gave: what it names, and whether there is more of it than this."""

    collection: Literal["roles", "providers", "clusters", "associations", "addons", "entries"]
    names: frozenset[str]
    whole: bool
    place: Place


class NamelessProvider(msgspec.Struct, frozen=True):
    """An answer of GetOpenIDConnectProvider, which says the issuer and not the account
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html), or a provider that a template
    makes; `address` is what the template calls it. `url` is the issuer without scheme."""

    url: str | Text
    client_ids: tuple[str, ...] | Unknown
    thumbprints: tuple[str, ...] | Unknown
    created: str
    place: Place
    address: str = ""
    managed_by: str = ""


class AnsweredPolicy(msgspec.Struct, frozen=True):
    """An inline policy of a role of which only the name is known."""

    role: str
    policy: TrustPolicy


class Deployment(msgspec.Struct, frozen=True):
    """What a file of parameters gives to a template: one more way in which it may be deployed."""

    words: str
    parameters: Mapping[str, str | Text]
    is_nested: bool = False
    """whether that is a stack around it, which says all that there is"""


class NestedStack(msgspec.Struct, frozen=True):
    """A stack that a template makes of another one: the path of that (`*/END` where only its end is known), and the parameters
    that are known; `why` and `name` are
    what the reading says of it as long as the other template is not in the input."""

    template: str
    parameters: Mapping[str, str | Text]
    name: str
    why: str


class Substitution(msgspec.Struct, frozen=True):
    """What a Kustomization of Flux puts in for variables of its manifests; `from_objects`: ConfigMaps or Secrets have more."""

    values: Mapping[str, str]
    from_objects: bool = False


class StatedFiles(msgspec.Struct, frozen=True):
    """The files that the user names for templates: `plans` by the folder of the configuration in whose place they are,
    `parameters` by the template or the folder to which they give values."""

    plans: Mapping[str, str] = {}
    parameters: Mapping[str, str] = {}


class DocumentReading(msgspec.Struct):
    """What one document gave; filled while it is read, then joined. Records of Kubernetes have no cluster yet."""

    path: str
    kinds: list[str] = []
    passed: list[str] = []
    """why parts of known kinds were not read"""
    broken: list[tuple[Place, str]] = []
    """parts that are not what their kind asks for"""
    without_namespace: list[Place] = []
    """those of them that lack a namespace, which a kustomization may give them"""
    duplicates: list[tuple[Place, Duplicate]] = []
    """members given twice outside policies, where they are flaws of the policy"""
    text_errors: list[TextError] = []
    """parts that are no JSON"""
    faults: list[tuple[Place, str]] = []
    """parts that an unexpected error has cost, or that go beyond a limit"""
    roles: list[Role] = []
    providers: list[OidcProvider] = []
    nameless_providers: list[NamelessProvider] = []
    clusters: list[Cluster] = []
    cluster_names: list[tuple[str, Place]] = []
    planned_clusters: list[PlannedCluster] = []
    associations: list[PodIdentityAssociation] = []
    answers: list[Listing] = []
    rcps: list[ResourceControlPolicy] = []
    role_policies: list[AnsweredPolicy] = []
    service_accounts: list[ServiceAccount] = []
    account_templates: list[ServiceAccount] = []
    workloads: list[Workload] = []
    namespaces: list[Namespace] = []
    nodes: list[ClusterNode] = []
    node_configs: list[HybridNodeConfig] = []
    node_metadata: list[NodeMetadata] = []
    organization: list[OrganizationAccount] = []
    egress_policies: list[EgressPolicy] = []
    addons: list[ClusterAddon] = []
    node_roles: list[NodeRole] = []
    capabilities: list[ClusterCapability] = []
    webhooks: list[Webhook] = []
    mapped_accounts: list[MappedAccount] = []
    config_maps: list[ConfigMap] = []
    access_roles: list[AccessRole] = []
    access_bindings: list[AccessBinding] = []
    webhook_configurations: list[WebhookConfiguration] = []
    access_entries: list[AccessEntry] = []
    access_modes: list[tuple[str, str]] = []
    """(name of a cluster, "" for that of the document; its authentication mode) as templates set it"""
    default_modes: list[tuple[str, str]] = []
    """the same, of clusters whose document sets none: what EKS, or the tool that makes the cluster, then takes"""
    creators: list[tuple[str, str]] = []
    """(name or ARN of a cluster, "" for that of the document; ARN of the principal that made it)"""
    associated_access: list[AssociatedAccess] = []
    auth_maps: list[AuthMap] = []
    chained_roles: list[ChainedRole] = []
    discoveries: list[Discovery] = []
    signing_keys: list[SigningKey] = []
    cloud_records: list[CloudRecord] = []
    """what it has of Azure and Google Cloud"""
    iam_resource: str = ""
    """the resource of a bare IAM policy of Google Cloud, as the user said"""
    versions: list[str] = []
    """of the API server"""
    role_arn: str = ""
    """the role that a bare policy belongs to, as the user said"""
    apart: list[Place] = []
    """policies with flaws whose lines are those of the policy's own text"""
    passed_on: bool = False
    """whether configuration reads the file: it is judged where it is used"""
    empty: bool = False
    """whether a list without items was read"""
    notes: list[str] = []
    origin: Origin = Origin()
    """what is known of a live answer beside its content"""
    base: bool = False
    """whether the document is of what a change is laid over"""
    gaps: list[Gap] = []
    """what the document speaks of and is not there"""
    nested: list[NestedStack] = []
    """stacks whose templates may be among the input"""
    resolved: list[str] = []
    """stacks whose templates are in the document itself, and what would be said of them otherwise"""
    substitutions: list[Substitution] = []
    """what is put in for variables of manifests before they are applied"""
    target_namespaces: list[tuple[str, str]] = []
    """the path below which a Kustomization of Flux gives all objects a namespace, and that namespace"""
    patched_below: list[str] = []
    """the paths below which a Kustomization of Flux patches releases of charts"""
    applied: list[str] = []
    """the paths in a repository that a Kustomization of Flux or an application of Argo CD applies"""
    deleted: list[str] = []
    """the roles that patches delete, as these call them (templates.controllers.patched_roles)"""
    syntax: Any = None
    """the syntax tree of Terraform configuration, read when all files of its module are there (templates.terraform.syntax)"""
    variables: dict[str, Any] = {}
    """values that a file of variables gives to a template beside it (templates.values.TemplateValue)"""
    stack_deployments: dict[str, dict[str, Any]] = {}
    """by the name of a deployment of a Terraform Stack: its values of variables"""
    graphs: list[ResourceGraph] = []
    instances: list[Page] = []
    """objects that may be instances of graphs"""
    waiting: list[Page] = []
    """templates that are read when the values of their parameters are known"""
    parameters: dict[str, Any] = {}
    """of a file of parameters, what it gives; of a template, what it is given: texts, perhaps with holes"""
    stack_outputs: Any = None
    """works out the outputs of the stacks that a template makes (templates.cloudformation.outputs.NestedOutputs.value)"""
    deployments: list["Deployment"] = []
    """of a template, what files of parameters give instead of its defaults"""
    deployment: str = ""
    """the words for the deployment that is read, "" for the defaults"""
    kustomization: Any = None
    """what a kustomization takes up and renames (templates.kustomizations.Kustomization)"""
    named: bool = False
    """whether the document was named on the command line"""
    plans: frozenset[str] | None = None
    """of a Terraform plan or state, the addresses without indices of the resources that it speaks for"""
    replaces: bool = False
    """whether that takes the place of configuration"""
    is_state: bool = False
    """whether that is a state, which tells the past"""
    loads_itself: bool = True
    """whether Terraform reads a file of variables that nobody names"""
    anchors: dict[tuple[int, str], Anchor] = {}
    """where that stands, by (part, pointer), which a template makes of what is written elsewhere"""

    def each(self, items: Iterable[object], place: Place, read: Callable[[object, Place], None]) -> None:
        """Read every item of a list; a broken one is noted and the next one read."""
        for number, item in enumerate(items):
            self.attempt(item, place.at(number), read)

    def attempt(self, item: object, place: Place, read: Callable[[object, Place], None]) -> None:
        """Read one thing, or note what is wrong with it."""
        if isinstance(item, UnreadableItem):
            self.broken.append((place, item.why))
            return
        try:
            read(item, place)
        except WrongShape as wrong:
            self.broken.append((Place(place.document, wrong.pointer, place.part), wrong.why))
        except Exception as error:  # noqa: BLE001 - an error of ours costs what it is about, and nothing else
            self.faults.append((place, fault_words(error)))

    def note_fault(self, words: str) -> None:
        """Note what an unexpected error has done to the document as a whole."""
        self.faults.append((self.place, words))

    @contextmanager
    def without_records(self) -> Iterator[None]:
        """Read something that gives no records, for another document speaks for it."""
        before = {name: len(getattr(self, name)) for name in _RECORDS}
        try:
            yield
        finally:
            for name, number in before.items():
                del getattr(self, name)[number:]

    def add_stack(self, other: "DocumentReading") -> None:
        """Add what a template of this document makes in one of its stacks, but what it makes in another alike."""
        known = {(role.address, role.policy_words) for role in self.roles}
        added = [role for role in other.roles if (role.address, role.policy_words) not in known]
        self.roles += added
        places = {role.policy.place for role in added if isinstance(role.policy, TrustPolicy)}
        self.apart += [place for place in other.apart if place in places]
        for name in STACK_RECORDS:
            records = getattr(self, name)
            records += [record for record in getattr(other, name) if record not in records]
        for spot, anchor in other.anchors.items():
            self.anchors.setdefault(spot, anchor)

    @property
    def place(self) -> Place:
        """The document as a whole."""
        return Place(self.path)

    def gave_something(self) -> bool:
        """Whether any record came of it."""
        return self.empty or any(getattr(self, name) for name in _RECORDS)


STACK_RECORDS = (
    "nameless_providers",
    "cluster_names",
    "planned_clusters",
    "associations",
    "service_accounts",
    "account_templates",
    "addons",
    "access_roles",
    "access_bindings",
    "access_entries",
    "associated_access",
    "auth_maps",
    "access_modes",
    "default_modes",
    "creators",
)
"""what a template makes beside roles"""
_RECORDS = (
    "waiting",
    "roles",
    "providers",
    "nameless_providers",
    "clusters",
    "cluster_names",
    "planned_clusters",
    "associations",
    "answers",
    "rcps",
    "role_policies",
    "service_accounts",
    "account_templates",
    "workloads",
    "namespaces",
    "nodes",
    "node_configs",
    "node_metadata",
    "organization",
    "egress_policies",
    "addons",
    "node_roles",
    "capabilities",
    "webhooks",
    "config_maps",
    "access_roles",
    "access_bindings",
    "webhook_configurations",
    "access_entries",
    "associated_access",
    "auth_maps",
    "chained_roles",
    "discoveries",
    "signing_keys",
    "versions",
    "cloud_records",
    "creators",
)


def guarded(readings: Iterable[DocumentReading], work: Callable[[], object]) -> None:
    """Do what is about some documents; an unexpected error is noted at all of them."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - an error of ours costs what it is about, and nothing else
        words = fault_words(error)
        for reading in readings:
            reading.note_fault(words)
