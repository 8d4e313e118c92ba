"""Whose session a message names: that of a role of the case, or of another identity that the workload used in its place."""

from collections.abc import Iterator

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.symptoms import Symptom


def is_of_other_role(case: Case, symptom: Symptom) -> bool:
    """Whether the session that a message names is of a role that the case does not have.

    The ARN of a session has the name of its role without the path
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns).
    """
    role = symptom.details.get("role", "") if "session" in symptom.details else ""
    known = set(_role_names(case))
    return bool(role and known) and role not in known


def _role_names(case: Case) -> Iterator[str]:
    """The names of the roles that the workload may get, none where one of them is not known."""
    if case.role_name:
        yield case.role_name
    if case.association:
        named = (case.association.role_arn, case.association.target_role_arn)
        yield from (arn.rpartition("/")[2] for arn in named if isinstance(arn, str) and arn)
