"""The statement as it should be."""

from collections.abc import Sequence

import msgspec

from irsa_doctor.findings import Snippet
from irsa_doctor.trust import SUBJECT_PREFIX, is_subject

AUDIENCE = "sts.amazonaws.com"


def corrected_statement(principal: str, issuer: str, subjects: Sequence[str], audience: str = AUDIENCE) -> Snippet:
    """Trust for one provider (ARN, issuer without scheme): its audience, and of `subjects` those that can exist.

    The form of https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html.
    """
    named = [subject for subject in dict.fromkeys(subjects) if is_subject(subject)]
    named = named or [f"{SUBJECT_PREFIX}NAMESPACE:SERVICE_ACCOUNT"]
    right = {
        "Effect": "Allow",
        "Principal": {"Federated": principal},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer}:aud": audience, f"{issuer}:sub": named[0] if len(named) == 1 else named}},
    }
    text = msgspec.json.format(msgspec.json.encode(right), indent=2).decode(errors="replace")
    return Snippet("json", "the corrected statement", text)
