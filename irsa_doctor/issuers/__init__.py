"""Who may issue tokens: one record an issuer, read from the data file of its id."""

from irsa_doctor.issuers.profiles import (
    EKS,
    KUBERNETES,
    OTHER,
    Profile,
    SubjectGrammar,
    cluster_profile,
    profile,
    profile_of,
    profiles,
)

__all__ = ["EKS", "KUBERNETES", "OTHER", "Profile", "SubjectGrammar", "cluster_profile", "profile", "profile_of", "profiles"]
