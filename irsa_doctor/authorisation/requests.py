"""Decides a whole request, as the API server does: some rule of some role of some binding that applies allows it."""

import msgspec

from irsa_doctor.authorisation.decisions import EVERYWHERE, Permission, allows
from irsa_doctor.authorisation.identities import ClusterAccess, ClusterIdentity
from irsa_doctor.model import Verdict


class AccessRequest(msgspec.Struct, frozen=True):
    """What somebody wants to do; `namespace` is "" of what is not in a namespace, `name` where no object is named."""

    permission: Permission
    namespace: str = ""
    name: str = ""


def decide_access(access: ClusterAccess, identity: ClusterIdentity, request: AccessRequest) -> Verdict:
    """Whether an identity may do it: pass, fail, or unknown where a role that it has is not in the input.

    Rules only add: there is no deny and no order (https://kubernetes.io/docs/reference/access-authn-authz/rbac/).
    """
    for held in access.held(identity):
        is_in_scope = held.grant.scope in (EVERYWHERE, request.namespace)
        if is_in_scope and allows(access.rules(held.grant.role), request.permission, request.name):
            return Verdict.PASS
    return Verdict.UNKNOWN if next(access.unknown_of(identity), None) else Verdict.FAIL
