"""A chain of roles of which the annotation names the wrong one."""

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links.state import Sign
from irsa_doctor.model import parse_arn, text_of
from irsa_doctor.trust import Policy


def sign_of_chain(case: Case, policy: Policy, first: Sign) -> tuple[Sign, ...]:
    """A role of another account that trusts callers of the account of the cluster, and no web identity: one of them is meant to
    assume it, and the annotation names it in the place of that one."""
    if case.account is None or case.role_arn is None or not _is_of_principal(case, first):
        return ()
    own, home = case.role_arn.account, case.cluster.account if case.cluster else ""
    callers = {_account_of(text_of(value)) for statement in policy.statements if statement.allow for value in statement.aws}
    if not callers - {""} or own in callers or (home and (home == own or home not in callers)):
        return ()
    trusted = ", ".join(sorted(callers - {""}))
    says = f"{case.role} trusts callers of account {trusted} and no web identity: one of their roles is meant to assume it"
    return (Sign("chain-annotated", says, None, first.places, "certain" if home else "likely"),)


def _account_of(principal: str) -> str:
    """The account of an AWS principal, which is an id or an ARN; "" where it has none."""
    arn = parse_arn(principal)
    return arn.account if arn else principal if principal.isdigit() else ""


def _is_of_principal(case: Case, sign: Sign) -> bool:
    """Whether a statement keeps a token out by its principal, and is not written for web identities."""
    return sign.finding is None and any(cause.id == sign.id for cause in case.rulebook.causes.by_sign.get("principal-type", ()))
