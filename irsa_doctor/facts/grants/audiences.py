"""What a grant asks of audiences beside the condition key aud."""

from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.model import text_of
from irsa_doctor.trust.claim_sets import claim_of


def checks_other_audience(read: GrantReading) -> bool | None:
    """Whether a condition checks an audience of the token under another key than aud; what is known of aud where none does."""
    for condition in () if read.profile.is_cluster else read.statement.conditions:
        key = claim_of(condition, read.issuer, read.profile)
        if key and key.is_audience and condition.use.operator.family == "string" and not condition.use.operator.negated:
            return True
    return read.reading.checks_aud


def is_audience_chosen(read: GrantReading) -> bool:
    """Whether whoever requests a token chooses its audience, and the provider takes several."""
    if read.limits_audience is not False or read.profile.audience.chosen_by != "author":
        return False
    return read.lookups.takes_several_audiences(text_of(read.principal))
