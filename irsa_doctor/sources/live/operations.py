"""Every operation that the live sources may call: the guard of the clients and the printed permissions are made from it."""

import msgspec

COMMANDS = ("check", "collect", "why", "who-can", "reach")
"""the commands that can read live"""

_WHOLE = frozenset(["check", "collect", "why", "reach"])
"""commands that read everything there is; `why` does with --all"""
_DIAGNOSIS = frozenset(["why"])
_PERMISSIONS = frozenset(["collect", "why"])
_EVERY = frozenset(COMMANDS)


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
    Operation("sts", "GetCallerIdentity", "Caller", _EVERY, needs_permission=False),
    Operation("iam", "ListRoles", "Roles", _WHOLE, page=1000),
    Operation("iam", "GetRole", "Roles", frozenset(["collect", "why", "who-can"])),
    Operation("iam", "ListOpenIDConnectProviders", "Providers", _WHOLE),
    Operation("iam", "GetOpenIDConnectProvider", "Providers", _WHOLE),
    Operation("eks", "ListClusters", "Clusters", _WHOLE, page=100),
    Operation("eks", "DescribeCluster", "Clusters", _WHOLE),
    Operation("eks", "ListPodIdentityAssociations", "PodIdentity", _WHOLE, page=100),
    Operation("eks", "DescribePodIdentityAssociation", "PodIdentity", _WHOLE),
    # where the agent of Pod Identity runs, and what the nodes may do for it; what is denied of these is unknown
    Operation("eks", "ListAddons", "ClusterParts", _WHOLE, page=100),
    Operation("eks", "DescribeAddon", "ClusterParts", _WHOLE),
    Operation("eks", "ListNodegroups", "ClusterParts", _WHOLE, page=100),
    Operation("eks", "DescribeNodegroup", "ClusterParts", _WHOLE),
    Operation("organizations", "DescribeOrganization", "Guardrails", _WHOLE),
    Operation("organizations", "ListParents", "Guardrails", _WHOLE),
    Operation("organizations", "ListPoliciesForTarget", "Guardrails", _WHOLE),
    Operation("organizations", "DescribePolicy", "Guardrails", _WHOLE),
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
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", _WHOLE, namespaced=False, single=True)
WEBHOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "mutatingwebhookconfigurations",
    "MutatingWebhookConfiguration",
    _WHOLE,
    namespaced=False,
)
DAEMON_SETS = Resource("apps", "v1", "daemonsets", "DaemonSet", _WHOLE)
WORKLOADS = (
    Resource("", "v1", "pods", "Pod", _WHOLE),
    Resource("apps", "v1", "deployments", "Deployment", _WHOLE),
    DAEMON_SETS,
    Resource("apps", "v1", "statefulsets", "StatefulSet", _WHOLE),
    Resource("batch", "v1", "jobs", "Job", _WHOLE),
    Resource("batch", "v1", "cronjobs", "CronJob", _WHOLE, older="v1beta1"),
)
NODES = Resource("", "v1", "nodes", "Node", _WHOLE, namespaced=False)
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", _WHOLE)
KUBERNETES: tuple[Resource, ...] = (SERVICE_ACCOUNTS, NAMESPACES, WEBHOOKS, *WORKLOADS, NODES, NETWORK_POLICIES)

DISCOVERY = Endpoint("/.well-known/openid-configuration", "openid-configuration", _EVERY)
KEYS = Endpoint("/openid/v1/jwks", "jwks", _WHOLE)
VERSION = Endpoint("/version", "version", _WHOLE)
ENDPOINTS: tuple[Endpoint, ...] = (DISCOVERY, KEYS, VERSION)


def allowed(command: str) -> frozenset[tuple[str, str]]:
    """(service, operation) that a command may call."""
    return frozenset((operation.service, operation.name) for operation in AWS if command in operation.commands)
