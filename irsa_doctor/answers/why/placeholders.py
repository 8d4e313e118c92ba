"""Fills {placeholders} of commands and messages with what is known of a case."""

import re
import shlex

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.evidence.tokens import TOLERANCE
from irsa_doctor.model import Issuer

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def fill_command(template: str, case: Case) -> str:
    """A command with the values of a case, quoted for a shell; what is not known becomes a word in capitals."""
    values = placeholder_values(case)
    return _PLACEHOLDER.sub(lambda name: shlex.quote(values.get(name[1]) or name[1].upper()), template)


def fill_message(template: str, case: Case) -> str:
    """A message of STS with the values of a case, "" where one of them is not known."""
    values = placeholder_values(case) | _of_token(case)
    unknown = [name for name in _PLACEHOLDER.findall(template) if not values.get(name)]
    return "" if unknown else _PLACEHOLDER.sub(lambda name: values[name[1]], template)


def placeholder_values(case: Case) -> dict[str, str]:
    """The values of a case by placeholder, "" where they are not known."""
    cluster = case.cluster
    return {
        "namespace": case.namespace,
        "service_account": case.service_account,
        "pod": next((workload.name for workload in case.workloads if workload.kind == "Pod"), ""),
        "role_name": case.role_name,
        "role_arn": case.role,
        "account": case.role_arn.account if case.role_arn else "",
        "cluster": cluster.name if cluster else "",
        "region": (cluster.region if cluster else "") or Issuer.of(case.issuer).region,
        "provider_arn": case.provider_arn,
        "issuer": case.issuer,
    }


def _of_token(case: Case) -> dict[str, str]:
    """What STS prints of the times of a token: its clock less the 300 seconds of tolerance, and the end."""
    end = case.token.time_of("exp") if case.token else None
    return {"now": str(int(case.evidence.now) - TOLERANCE), "exp": str(end) if end is not None else ""}
