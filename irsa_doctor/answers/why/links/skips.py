"""Reasons for which links do not apply to a case: each a function that gives the reason, "" where there is none."""

from irsa_doctor.answers.why.case import Case


def no_role(case: Case) -> str:
    """Without the ARN of a role there is nothing to look up."""
    return "" if case.role_arn else "no role is named"


def pod_identity(case: Case) -> str:
    """Where EKS Pod Identity supplies the role, no token is sent to STS."""
    return "EKS Pod Identity supplies the role" if case.uses_pod_identity else ""


def no_issuer(case: Case) -> str:
    """The issuer says which provider it is."""
    return "" if case.issuer else "the issuer is not known"


def no_token(case: Case) -> str:
    """Some links can be seen in a token alone."""
    return "" if case.token else "no token in the input"


def no_workload(case: Case) -> str:
    """Some links can be seen in a workload alone."""
    return "" if case.workloads else "no workload in the input"


def legacy_token(case: Case) -> str:
    """A token from a Secret is signed with a key that no issuer publishes."""
    return "a token from a Secret is not signed by the issuer" if case.token and case.token.is_legacy else ""


def no_role_named(case: Case) -> str:
    """Where nothing names a role, there is no ARN to look at."""
    return "" if case.role else "no role is named"


def no_request(case: Case) -> str:
    """With EKS Pod Identity the agent on the node answers."""
    return "EKS Pod Identity supplies the role without a request to STS" if case.uses_pod_identity else ""
