"""What is true of a subject by the standards of a project."""

from typing import Literal

import msgspec

from irsa_doctor.facts.lifetimes.durations import StandardState
from irsa_doctor.model import Unknown


class StandardFacts(msgspec.Struct, frozen=True):
    """Whether a subject meets each standard that is set and that is about its kind."""

    token_lifetime: StandardState | Unknown = "not-asked"
    session_duration: StandardState | Unknown = "not-asked"
    signing_key_age: StandardState | Unknown = "not-asked"
    thumbprint_age: StandardState | Unknown = "not-asked"
    role_unused: StandardState | Unknown = "not-asked"
    provider_unused: StandardState | Unknown = "not-asked"
    static_keys: StandardState | Unknown = "not-asked"
    legacy_token: StandardState | Unknown = "not-asked"
    role_there: Literal["named", "unseen"] = "unseen"
    """Whether the role that the subject names is in the input"""
