"""What is true of identities that reach roles, of the roles that they reach, and of maps aws-auth."""

from typing import Literal

import msgspec

from irsa_doctor.model import Unknown

Concern = Literal["none", "every-account", "cluster-admin", "account", "group", "principal"]
"""what somebody who reaches a role is to a project, the gravest first"""


class IdentityFacts(msgspec.Struct, frozen=True):
    """What is true of somebody who reaches roles. `elsewhere`: it is a principal of another account than the cluster, or takes
    an account of another namespace than its own."""

    concern: Concern | Unknown
    elsewhere: bool


class ReachedRoleFacts(msgspec.Struct, frozen=True):
    """What is true of a role that service accounts can have. `anyone`: a group or user reaches it that says nothing of who
    somebody is; `creatable`: somebody can make an account that it admits; `maps_back`: it is a principal of a cluster and leads
    on from there."""

    anyone: bool | Unknown
    creatable: bool | Unknown
    maps_back: bool | Unknown


class AuthMapFacts(msgspec.Struct, frozen=True):
    """What is true of the map aws-auth of a cluster; `row_without_effect`: a row counts for nobody, for another reason than a
    path in its ARN."""

    path_in_arn: bool
    ignored: bool | Unknown
    row_without_effect: bool = False
