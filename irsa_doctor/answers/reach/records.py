"""The records of paths through Kubernetes, as `who-can` and `reach` answer them."""

from typing import Literal

import msgspec

from irsa_doctor.authorisation.principals import MappedBy
from irsa_doctor.authorisation.steps import WayCertainty


class ReachSubject(msgspec.Struct, frozen=True, order=True):
    """Somebody in a cluster; `namespace` is that of a service account or of a Grant, whose name is that of its role."""

    kind: Literal["User", "Group", "ServiceAccount", "Principal", "Grant"]
    name: str
    namespace: str | None
    cluster: str


class PathObject(msgspec.Struct, frozen=True):
    """An object that makes a path possible: a binding, a role, an access policy, the mapping of a principal."""

    kind: str
    name: str
    namespace: str | None
    file: str
    line: int


class TakenStep(msgspec.Struct, frozen=True):
    """An identity that is taken on the way, and how."""

    kind: str
    subject: ReachSubject


class ReachPath(msgspec.Struct, frozen=True, kw_only=True):
    """A path to service accounts that a role admits: its last step, and the identities before it in `via`.

    `through` are the objects that make the first step possible. Of `create-account` and `create-namespace` there are no
    accounts yet. `needs` is what cannot be seen in the input.
    """

    kind: str
    namespace: str | None
    service_accounts: tuple[str, ...]
    steps: int
    certainty: WayCertainty
    needs: tuple[str, ...]
    through: tuple[PathObject, ...]
    via: tuple[TakenStep, ...]


class MappedFrom(msgspec.Struct, frozen=True, order=True):
    """An IAM principal that is a subject, and where that is said."""

    principal: str
    source: MappedBy = msgspec.field(name="from")


class ReachRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who becomes a role; `expected` as the project's settings and Kubernetes have it."""

    subject: ReachSubject
    expected: bool
    paths: tuple[ReachPath, ...]
    iam: tuple[MappedFrom, ...]


class RoleReach(msgspec.Struct, frozen=True):
    """Who becomes a role through Kubernetes: None where the input has nothing of RBAC. `complete`: nothing is missing."""

    rows: tuple[ReachRow, ...] | None = None
    complete: bool = False


class ReachedRole(msgspec.Struct, frozen=True):
    """A role that a subject becomes; `steps` are the identities that it takes for that."""

    role: str
    steps: int
    certainty: WayCertainty
    paths: tuple[ReachPath, ...]


class AdminReach(msgspec.Struct, frozen=True):
    """How a subject gets to somebody who may do everything in the cluster."""

    steps: int
    via: tuple[TakenStep, ...]
