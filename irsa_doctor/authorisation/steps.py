"""One step of the table: a way from somebody to another identity, with the permissions that it needs."""

from typing import Literal

import msgspec

from irsa_doctor.authorisation.decisions import Permission

WayCertainty = Literal["certain", "likely", "possible"]
WAY_CERTAINTIES: tuple[WayCertainty, ...] = ("certain", "likely", "possible")
TargetKind = Literal[
    "account",
    "accounts",
    "pod",
    "pods",
    "node",
    "nodes",
    "secret",
    "secrets",
    "user",
    "users",
    "group",
    "groups",
    "grant",
    "grants",
]


class WayTarget(msgspec.Struct, frozen=True):
    """What a way leads to: one identity, or all of a kind (`accounts`, `pods`, ...) in a namespace or everywhere (`*`)."""

    kind: TargetKind
    namespace: str = ""
    name: str = ""


class Use(msgspec.Struct, frozen=True):
    """A permission that a way needs, in a scope and for a name; "" for a request without name."""

    permission: Permission
    scope: str
    name: str = ""


class AccessWay(msgspec.Struct, frozen=True):
    """One step. `api`: the API server takes what is gained for the account; `sts`: a token that STS takes can be had.
    Of targets that are pods both depend on what the pod holds."""

    kind: str
    target: WayTarget
    uses: tuple[Use, ...]
    api: bool = True
    sts: bool = False
    certainty: WayCertainty = "certain"
    needs: tuple[str, ...] = ()
