"""What is asked of service accounts."""

from typing import Literal

import msgspec

from irsa_doctor.facts.lookups.associations import Override
from irsa_doctor.facts.service_accounts.annotations import Annotation
from irsa_doctor.model import Unknown

AnnotatedAudience = Literal["default", "explained", "accepted", "refused"]


class ServiceAccountFacts(msgspec.Struct, frozen=True):
    """What a service account alone shows, and whether some role expects it to name it."""

    annotation: Annotation | Unknown
    """The form of the annotation with the role ARN"""
    annotation_variable: bool
    joined: bool
    """Whether the input has anything of AWS that may be about it: its cluster, or roles"""
    wanted: bool | Unknown
    """Whether a role admits it by name, and it names no role"""
    awaited: bool
    """Whether a role that is in the input does"""
    partition_differs: bool
    regional_endpoints_ignored: bool
    skip_containers: bool
    expiration_ignored: bool
    subject_too_long: bool
    audience: AnnotatedAudience | Unknown
    overridden: Override | Unknown
    pod_identity: Literal["none", "seen"] | Unknown
    association_misnamed: bool | Unknown
    association_policy_refused: bool | Unknown
    association_repeated: bool
    association_role_elsewhere: bool
    """Whether the role of its association is in another account than the cluster"""
    administrator_for_a_day: bool
