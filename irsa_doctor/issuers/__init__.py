"""Who may issue tokens: one record an issuer, read from the data file of its id."""

from irsa_doctor.issuers.profiles import (
    EKS,
    KUBERNETES,
    OTHER,
    Profile,
    SubjectGrammar,
    profile,
    profiles,
)
from irsa_doctor.issuers.recognition import (
    built_in_issuers,
    cluster_profile,
    declared_profile,
    pattern_fitting,
    profile_by_subjects,
    profile_of,
    profile_of_template,
    right_name,
    tenant_of,
)

__all__ = [
    "EKS",
    "KUBERNETES",
    "OTHER",
    "Profile",
    "SubjectGrammar",
    "built_in_issuers",
    "cluster_profile",
    "declared_profile",
    "pattern_fitting",
    "profile",
    "profile_by_subjects",
    "profile_of",
    "profile_of_template",
    "profiles",
    "right_name",
    "tenant_of",
]
