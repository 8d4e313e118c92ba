"""What requests to the API server of a cluster are allowed, and which ways lead from one identity to another.

All meaning of RBAC and of the access policies of EKS is here and nowhere else. `decide_access` answers one request,
`ClusterAccess` says what each identity has, `ways.Ways` which steps of the closed table somebody with some roles can take.

The table is after https://kubernetes.io/docs/concepts/security/rbac-good-practices/ (GOOD), checked on an API server.
"""

from irsa_doctor.authorisation.decisions import ObjectNames, Permission, allows, names_allowed
from irsa_doctor.authorisation.identities import ClusterAccess, ClusterIdentity, HeldGrant
from irsa_doctor.authorisation.principals import MappedPrincipal, mapped_principals
from irsa_doctor.authorisation.requests import AccessRequest, decide_access
from irsa_doctor.authorisation.roles import ClusterRoleKey, RoleGrant, RoleTable

__all__ = [
    "AccessRequest",
    "ClusterAccess",
    "ClusterIdentity",
    "ClusterRoleKey",
    "HeldGrant",
    "MappedPrincipal",
    "ObjectNames",
    "Permission",
    "RoleGrant",
    "RoleTable",
    "allows",
    "decide_access",
    "mapped_principals",
    "names_allowed",
]
