"""Who may issue tokens: one record an issuer, read from the data file of its id."""

from irsa_doctor.issuers.profiles import EKS, KUBERNETES, OTHER, Grammar, Profile, profile, profiles

__all__ = ["EKS", "KUBERNETES", "OTHER", "Grammar", "Profile", "profile", "profiles"]
