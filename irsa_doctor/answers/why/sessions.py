"""Whose session a message names: that of a role of the case, or of another identity that the workload used in its place."""

import re
from collections.abc import Iterator

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.symptoms import Symptom
from irsa_doctor.model import Arn, is_account_id, parse_arn


def is_of_other_role(case: Case, symptom: Symptom) -> bool:
    """Whether the session that a message names is of a role that the case does not have.

    The ARN of a session has the partition and the account of its role, and its name without the path
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns).
    """
    name = symptom.details.get("role", "") if "session" in symptom.details else ""
    roles = tuple(_roles(case))
    return bool(name and roles) and not any(_is_of(symptom, name, role) for role in roles)


def _is_of(symptom: Symptom, name: str, role: Arn) -> bool:
    return role.name.rpartition("/")[2] == name and may_be_where(symptom, role)


def may_be_where(symptom: Symptom, role: Arn) -> bool:
    """Whether the partition and the account of a message may be those of a role: people hide some digits, or all."""
    partition, account = symptom.details.get("partition", ""), symptom.details.get("account", "")
    first, last = (re.search(pattern, account) for pattern in (r"^\d+", r"\d+$"))
    is_account = role.account.startswith(first[0] if first else "") and role.account.endswith(last[0] if last else "")
    return partition in ("", role.partition) and (is_account or not is_account_id(role.account))


def _roles(case: Case) -> Iterator[Arn]:
    """The roles that the workload may get, none where one of them is not known."""
    if case.role_arn:
        yield case.role_arn
    if case.association:
        named = (case.association.role_arn, case.association.target_role_arn)
        yield from (role for arn in named if isinstance(arn, str) and (role := parse_arn(arn)))
