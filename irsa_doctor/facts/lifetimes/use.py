"""Whether roles and providers are used. IAM remembers the last use of a role for 400 days, and of a provider nothing
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleLastUsed.html)."""

from datetime import datetime

from irsa_doctor.facts.lifetimes.durations import StandardState, seconds_since
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.model import OidcProvider, Role, Unknown
from irsa_doctor.model.commands import shell_command

_TRACKED = 400 * 86400


def role_use(role: Role, standard: int, now: datetime | None) -> StandardState | Unknown:
    """Whether a role was used within so many seconds, or is younger than that."""
    if not standard:
        return "not-asked"
    unseen = Unknown(f"last use of role {role.name}", shell_command("aws iam get-role --role-name {}", role.name))
    if role.last_used is None or now is None:
        return unseen
    if role.last_used:
        idle = seconds_since(role.last_used, now)
        return unseen if idle is None else "missed" if idle > standard else "met"
    age = seconds_since(role.created, now)
    if age is None:
        return unseen
    if age <= standard:
        return "met"
    if standard <= _TRACKED:
        return "missed"
    return Unknown(f"use of role {role.name} more than 400 days ago: IAM does not remember it")


def provider_use(view: View, provider: OidcProvider, standard: int, now: datetime | None) -> StandardState | Unknown:
    """Whether a role that trusts a provider was used within so many seconds."""
    if not standard:
        return "not-asked"
    if provider.account not in view.inventory.closed.roles:
        missing = f"all roles of account {provider.account}"
        how = "aws iam get-account-authorization-details"
        return view.inventory.unknown("roles", provider.account, "", missing, how)
    trusting = [analysed.role for analysed in view.roles if provider.arn in analysed.by_provider]
    states = [role_use(role, standard, now) for role in trusting]
    if "met" in [state for state in states if not isinstance(state, Unknown)]:
        return "met"
    if (unseen := next((state for state in states if isinstance(state, Unknown)), None)) is not None:
        return unseen
    if states:
        return "missed"
    age = seconds_since(provider.created, now)
    return Unknown(f"creation date of {provider.arn}") if age is None else "missed" if age > standard else "met"
