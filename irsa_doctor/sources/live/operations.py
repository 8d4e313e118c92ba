"""Every operation that the live sources may call: the guard of the clients and the printed permissions are made from it."""

import msgspec

COMMANDS = ("check", "collect", "why", "who-can", "reach")
"""the commands that can read live"""

_WHOLE = frozenset(["check", "collect", "why", "reach"])
"""commands that read everything there is; `why` does with --all"""
_ACCESS = frozenset(["check", "collect", "reach", "who-can"])
"""commands that answer who becomes a role through Kubernetes"""
_DIAGNOSIS = frozenset(["why"])
_PERMISSIONS = frozenset(["collect", "why"])
_EVERY = frozenset(COMMANDS)
ORGANIZATION = "collect --org"
"""what reads the accounts of an organisation, each as `collect` does"""
_ORGANIZATION = frozenset([ORGANIZATION])


class Operation(msgspec.Struct, frozen=True):
    """An operation of an AWS API. `family` groups the statements of the printed policy; `page` is the number of items that it
    is asked for at a time, 0 for what the API takes."""

    service: str
    name: str
    family: str
    commands: frozenset[str]
    needs_permission: bool = True
    page: int = 0

    @property
    def action(self) -> str:
        """As IAM policies write it."""
        return f"{self.service}:{self.name}"


class Resource(msgspec.Struct, frozen=True):
    """A resource of the Kubernetes API; `single` is whether one object can be requested by name too."""

    group: str
    version: str
    plural: str
    kind: str
    commands: frozenset[str]
    namespaced: bool = True
    single: bool = False
    older: str = ""
    """the version that servers without `version` have"""
    only: str = ""
    """`namespace/name` of the one object that is requested; others of the kind are none of the tool's business"""
    opt_in: bool = False
    """whether it is read only where the user says so"""

    @property
    def api_version(self) -> str:
        """As manifests write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", version: str = "") -> str:
        """The URL's path of a list."""
        version = version or self.version
        root = f"/apis/{self.group}/{version}" if self.group else f"/api/{version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" if namespace else f"{root}/{self.plural}"


class Endpoint(msgspec.Struct, frozen=True):
    """A path of the API server that is not a resource."""

    path: str
    name: str
    commands: frozenset[str]


AWS: tuple[Operation, ...] = (
    # the one call that nobody can be denied
    # (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html)
    Operation("sts", "GetCallerIdentity", "Caller", _EVERY | _ORGANIZATION, needs_permission=False),
    Operation("iam", "ListRoles", "Roles", _WHOLE, page=1000),
    # what ListRoles leaves out; it in turn leaves out MaxSessionDuration. What is denied of it is unknown
    Operation("iam", "GetAccountAuthorizationDetails", "Roles", _ORGANIZATION, page=1000),
    Operation("iam", "GetRole", "Roles", frozenset(["collect", "why", "who-can"])),
    Operation("iam", "ListOpenIDConnectProviders", "Providers", _WHOLE),
    Operation("iam", "GetOpenIDConnectProvider", "Providers", _WHOLE),
    Operation("eks", "ListClusters", "Clusters", _EVERY, page=100),
    Operation("eks", "DescribeCluster", "Clusters", _EVERY),
    Operation("eks", "ListPodIdentityAssociations", "PodIdentity", _WHOLE, page=100),
    Operation("eks", "DescribePodIdentityAssociation", "PodIdentity", _WHOLE),
    # where the agent of Pod Identity runs, and what the nodes may do for it; what is denied of these is unknown
    Operation("eks", "ListAddons", "ClusterParts", _WHOLE, page=100),
    Operation("eks", "DescribeAddon", "ClusterParts", _WHOLE),
    Operation("eks", "ListNodegroups", "ClusterParts", _WHOLE, page=100),
    Operation("eks", "DescribeNodegroup", "ClusterParts", _WHOLE),
    # the IAM principals that are users of the cluster; what is denied of these is unknown
    Operation("eks", "ListAccessEntries", "Access", _ACCESS, page=100),
    Operation("eks", "DescribeAccessEntry", "Access", _ACCESS),
    Operation("eks", "ListAssociatedAccessPolicies", "Access", _ACCESS, page=100),
    Operation("organizations", "DescribeOrganization", "Guardrails", _WHOLE | _ORGANIZATION),
    Operation("organizations", "ListParents", "Guardrails", _WHOLE | _ORGANIZATION),
    Operation("organizations", "ListPoliciesForTarget", "Guardrails", _WHOLE),
    Operation("organizations", "DescribePolicy", "Guardrails", _WHOLE | _ORGANIZATION),
    # the accounts of the organisation, and the policies over them
    Operation("account", "ListRegions", "Regions", _ORGANIZATION, page=50),
    Operation("organizations", "ListAccounts", "Organization", _ORGANIZATION),
    Operation("organizations", "ListTagsForResource", "Organization", _ORGANIZATION),
    Operation("organizations", "ListPolicies", "Organization", _ORGANIZATION),
    Operation("organizations", "ListTargetsForPolicy", "Organization", _ORGANIZATION),
    # of roles that assume another role only: whether that is permitted; what is denied of these is unknown
    Operation("iam", "ListRolePolicies", "RolePermissions", _PERMISSIONS),
    Operation("iam", "GetRolePolicy", "RolePermissions", _PERMISSIONS),
    Operation("iam", "ListAttachedRolePolicies", "RolePermissions", _PERMISSIONS),
    Operation("iam", "GetPolicy", "RolePermissions", _PERMISSIONS),
    Operation("iam", "GetPolicyVersion", "RolePermissions", _PERMISSIONS),
    Operation("cloudtrail", "LookupEvents", "Events", _DIAGNOSIS, page=50),
)
PAGES = {operation.name: operation.page for operation in AWS if operation.page}
"""operation -> the items of a page"""

SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount", _EVERY)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", _EVERY, namespaced=False, single=True)
WEBHOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "mutatingwebhookconfigurations",
    "MutatingWebhookConfiguration",
    _EVERY,
    namespaced=False,
)
DAEMON_SETS = Resource("apps", "v1", "daemonsets", "DaemonSet", _EVERY)
WORKLOADS = (
    Resource("", "v1", "pods", "Pod", _EVERY),
    Resource("apps", "v1", "deployments", "Deployment", _EVERY),
    DAEMON_SETS,
    Resource("apps", "v1", "statefulsets", "StatefulSet", _EVERY),
    Resource("apps", "v1", "replicasets", "ReplicaSet", _ACCESS),
    Resource("", "v1", "replicationcontrollers", "ReplicationController", _ACCESS),
    Resource("batch", "v1", "jobs", "Job", _EVERY),
    Resource("batch", "v1", "cronjobs", "CronJob", _EVERY, older="v1beta1"),
)
NODES = Resource("", "v1", "nodes", "Node", _WHOLE, namespaced=False)
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", _WHOLE)
_RBAC = "rbac.authorization.k8s.io"
ACCESS = (
    Resource(_RBAC, "v1", "roles", "Role", _ACCESS),
    Resource(_RBAC, "v1", "clusterroles", "ClusterRole", _ACCESS, namespaced=False),
    Resource(_RBAC, "v1", "rolebindings", "RoleBinding", _ACCESS),
    Resource(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", _ACCESS, namespaced=False),
)
AUTH_MAP = Resource("", "v1", "configmaps", "ConfigMap", _ACCESS, only="kube-system/aws-auth")
"""https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html"""
TOKEN_SECRETS = Resource("", "v1", "secrets", "Secret", _ACCESS, opt_in=True)
"""names alone, and of those with a token of a service account which one it is of: their contents are never requested"""
KUBERNETES: tuple[Resource, ...] = (
    *(SERVICE_ACCOUNTS, NAMESPACES, WEBHOOKS, *WORKLOADS, NODES, NETWORK_POLICIES),
    *(*ACCESS, AUTH_MAP, TOKEN_SECRETS),
)


def resources_of(command: str, *, secrets: bool = False) -> tuple[Resource, ...]:
    """The resources that a command reads; `secrets`: the names of Secrets too."""
    return tuple(item for item in KUBERNETES if command in item.commands and (secrets or not item.opt_in))


DISCOVERY = Endpoint("/.well-known/openid-configuration", "openid-configuration", _EVERY)
KEYS = Endpoint("/openid/v1/jwks", "jwks", _WHOLE)
VERSION = Endpoint("/version", "version", _WHOLE)
ENDPOINTS: tuple[Endpoint, ...] = (DISCOVERY, KEYS, VERSION)


def allowed(command: str) -> frozenset[tuple[str, str]]:
    """(service, operation) that a command may call."""
    commands = {command, "collect"} if command == ORGANIZATION else {command}
    return frozenset((operation.service, operation.name) for operation in AWS if operation.commands & commands)
