"""The access policies of EKS, as rules of RBAC.

https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html, as far as paths to roles need
them: what is left out (ingresses and the like) gives no path.
"""

from collections.abc import Mapping

from irsa_doctor.model.access import AccessRule

_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_READ = ("get", "list", "watch")
_APPS = (
    *("daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets", "replicasets/scale"),
    *("statefulsets", "statefulsets/scale"),
)
_BATCH = ("cronjobs", "jobs")
_CORE = (
    *("pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "configmaps", "events"),
    *("persistentvolumeclaims", "replicationcontrollers", "replicationcontrollers/scale", "secrets", "serviceaccounts"),
    *("services", "services/proxy"),
)
_EDIT = (
    AccessRule((*_WRITE, *_READ), ("apps",), _APPS),
    AccessRule((*_WRITE, *_READ), ("batch",), _BATCH),
    AccessRule((*_WRITE, *_READ), ("",), _CORE),
    AccessRule(("impersonate",), ("",), ("serviceaccounts",)),
)
_SEEN = tuple(path for path in _CORE if path not in ("secrets", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"))
_VIEW = (
    AccessRule(_READ, ("apps",), _APPS),
    AccessRule(_READ, ("batch",), _BATCH),
    AccessRule(_READ, ("",), tuple(path for path in _SEEN if path != "services/proxy")),
)
POLICIES: Mapping[str, tuple[AccessRule, ...]] = {
    "AmazonEKSClusterAdminPolicy": (AccessRule(("*",), ("*",), ("*",)),),
    "AmazonEKSAdminPolicy": (
        *_EDIT,
        AccessRule((*_WRITE, *_READ), ("rbac.authorization.k8s.io",), ("roles", "rolebindings")),
    ),
    "AmazonEKSEditPolicy": _EDIT,
    "AmazonEKSViewPolicy": _VIEW,
    "AmazonEKSAdminViewPolicy": (AccessRule(_READ, ("*",), ("*",)),),
    "AmazonEKSSecretReaderPolicy": (AccessRule(_READ, ("",), ("secrets",)),),
}
"""name -> rules; of others EKS documents prose alone, so that what they allow is unknown"""
