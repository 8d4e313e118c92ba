"""Follows a chain of roles: a role of the workload that assumes another, by a message or by what the files configure."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links.state import LinkState, Sign, failed, undecided
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.answers.why.symptoms import Symptom
from irsa_doctor.facts import AnalysedRole
from irsa_doctor.facts.lookups.chains import steps_of, uses_file
from irsa_doctor.facts.lookups.permissions import RoleStep, TargetPermission, step_permission
from irsa_doctor.model import ChainedRole, Place, TrustPolicy, Verdict, is_provider_of, is_role_arn, parse_arn
from irsa_doctor.model.commands import shell_command
from irsa_doctor.rulebook.cause_block import Certainty
from irsa_doctor.trust import Policy
from irsa_doctor.trust.services import RoleCall, denies, may_assume

_INSTANCE = "i-"
"""how the name of a node's session begins: the metadata service hands it out"""
_PUNCTUATION = ".,;:)}]\\"
"""what follows an ARN in a sentence"""


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a chain: the role that calls, the role that it assumes, and the actions that the trust policy of that one has
    to allow.

    `denied`: a message shows that the first of the actions was refused, `forbidden`: by a policy that denies it, whatever
    others allow. `place` is where the step is configured, None where a message names it.
    """

    caller: RoleCall
    target: str
    actions: tuple[str, ...]
    denied: bool = False
    forbidden: bool = False
    says: str = ""
    place: Place | None = None


def hops_of(case: Case) -> Iterator[Hop]:
    """The steps of the case: those that messages show to be refused, then those that the files configure."""
    for symptom in case.evidence.symptoms:
        if hop := _hop_of_message(case, symptom):
            yield hop
    for chained in case.view.inventory.chained_roles:
        if _concerns(case, chained):
            yield from _configured(case, chained)


def _concerns(case: Case, chained: ChainedRole) -> bool:
    """Whether something assumes the roles with the identity of the case."""
    if chained.first and not chained.config_map:
        return case.role == chained.first
    if chained.cluster != case.cluster_id or chained.namespace not in ("", case.namespace):
        return False
    if chained.accounts:
        return fnmatchcase(case.service_account, chained.accounts)
    return any(uses_file(chained, workload) for workload in case.workloads)


def _configured(case: Case, chained: ChainedRole) -> Iterator[Hop]:
    """The steps of a chain."""
    caller = _own_role(case)
    tags = case.uses_pod_identity and case.association is not None and bool(case.association.session_tags)
    for step in steps_of(chained, caller, tags=tags):
        if chained.by_token and admits_token(case, step.target):
            continue
        says = f"{step.source} assumes {step.target}"
        yield Hop(caller=step.call, target=step.target, actions=step.actions, says=says, place=step.place)


def _own_role(case: Case) -> str:
    """The ARN of the role that the workload gets, "" where it is not known."""
    named = case.association.role_arn if case.uses_pod_identity and case.association else case.role
    return named if isinstance(named, str) and is_role_arn(named) else ""


def admits_token(case: Case, target: str) -> bool:
    """Whether a role trusts the token of the case, so that no step of a chain is needed; where that is open, it may."""
    analysed, audience = case.view.role_by_arn.get(target), case.audience
    if analysed is None or not case.issuer or not isinstance(audience, str):
        return analysed is not None
    admitted = (a for provider, a in analysed.by_provider.items() if is_provider_of(provider, case.issuer))
    return any(one.verdict(case.own_subject, audience) is not Verdict.FAIL for one in admitted)


def _hop_of_message(case: Case, symptom: Symptom) -> Hop | None:
    details = symptom.details
    # logs print a line break as backslash and letter
    action, target = details.get("action", ""), details.get("resource", "").partition("\\")[0].rstrip(_PUNCTUATION)
    if not (action.lower().startswith("sts:") and is_role_arn(target) and details.get("role")):
        return None
    itself = (_account(target), target.rpartition("/")[2]) == (details.get("account", ""), details.get("role", ""))
    if itself or details.get("session", "").startswith(_INSTANCE):
        return None
    role = _role_of_session(case, details.get("account", ""), details.get("role", ""))
    caller = RoleCall(role, session=details.get("session", ""))
    return Hop(caller=caller, target=target, actions=(action,), denied=True, forbidden="deny" in details, says=symptom.says)


def _role_of_session(case: Case, account: str, name: str) -> str:
    """The ARN of the role of a session: the ARN of a session lacks the path of its role."""
    known = (case.role, *(role.arn for role in case.view.inventory.roles if (role.account, role.name) == (account, name)))
    named = case.association.role_arn if case.association else ""
    if isinstance(named, str):
        known = (*known, named)
    partition = case.role_arn.partition if case.role_arn else "aws"
    fits = (arn for arn in known if arn.rpartition("/")[2] == name and f"::{account}:" in arn)
    return next(fits, f"arn:{partition}:iam::{account}:role/{name}")


def broken_hop(case: Case) -> LinkState | None:
    """The state of the first step of a chain that does not hold, or that a message shows to be refused."""
    return next(filter(None, (_judged(case, hop) for hop in hops_of(case))), None)


def repeated_hop(case: Case) -> LinkState | None:
    """The state where the files make the role of the workload assume itself, and its trust policy does not allow that
    (https://aws.amazon.com/blogs/security/announcing-an-update-to-iam-role-trust-policy-behavior/)."""
    own = _own_role(case)
    analysed = case.view.role_by_arn.get(own)
    policy = analysed.policy if analysed and analysed.policy and not analysed.policy.refused else None
    if policy is None or may_assume(policy, "sts:AssumeRole", RoleCall(own)) is not False:
        return None
    steps = (c for c in case.view.inventory.chained_roles if c.chain[:1] == (own,) and c.first in ("", own))
    for chained in (c for c in steps if not c.by_token and _concerns(case, c)):
        says = f"{chained.source} makes {own} assume itself, which its trust policy does not allow"
        return undecided(says, Sign("chain-self", says, None, (case.located(chained.place, says),)), settle=_trail(case))
    return None


def open_hop(case: Case) -> LinkState | None:
    """The state where the session of an association has tags, and a role that trusts the one of the association, or the
    account of which it is the only role of the input, does not allow them: assuming it would fail
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining)."""
    association = case.association if case.uses_pod_identity else None
    caller = association.role_arn if association and association.session_tags and not association.target_role_arn else ""
    if not isinstance(caller, str) or not is_role_arn(caller):
        return None
    call = RoleCall(caller)
    for target in _trusting(case, caller):
        policy = target.policy
        if policy and may_assume(policy, "sts:AssumeRole", call) and may_assume(policy, "sts:TagSession", call) is False:
            says = f"{target.role.arn} trusts {caller} for sts:AssumeRole and not for sts:TagSession, and its session has tags"
            return undecided(says, Sign("chain-tags-not-allowed", says, at_most="possible"), settle=_trail(case))
    return None


def _trusting(case: Case, caller: str) -> Sequence[AnalysedRole]:
    account, table = _account(caller), case.view.roles_by_principal
    named = table.get(caller, ())
    if sum(role.account == account for role in case.view.inventory.roles) != 1:
        return named
    root = caller.partition(":role/")[0] + ":root"
    return (*named, *(role for role in (*table.get(root, ()), *table.get(account, ())) if role.role.account != account))


def _trail(case: Case) -> str:
    return fill_command("kubectl logs -n {namespace} {pod}", case)


def _judged(case: Case, hop: Hop) -> LinkState | None:
    analysed = case.view.role_by_arn.get(hop.target)
    policy = analysed.policy if analysed and analysed.policy and not analysed.policy.refused else None
    if analysed is not None and policy is not None:
        for action in hop.actions:
            if may_assume(policy, action, hop.caller) is False:
                return _refused(case, hop, action, analysed)
    permission = _permission(case, hop, policy)
    # an explicit deny, where a message shows one, is not a permission that is lacking
    if permission and permission.state in ("denied", *(() if hop.forbidden else ("lacking",))):
        return _not_permitted(case, hop, permission)
    if not hop.denied:
        return None
    if policy is None:
        return _unseen(hop)
    permitted = permission is not None and permission.state == "granted"
    return _refused_by_source(hop, may_assume(policy, hop.actions[0], hop.caller), permitted=permitted)


def _permission(case: Case, hop: Hop, trust: Policy | None) -> TargetPermission | None:
    """What the permission policies of the caller say of the step, None where they are not in the input."""
    source = case.view.role_by_arn.get(hop.caller.role)
    if source is None or source.role.permissions is None:
        return None
    return step_permission(
        RoleStep(source=source.role, target=hop.target, actions=hop.actions, trust=trust, call_for=lambda policy: hop.caller)
    )


def _not_permitted(case: Case, hop: Hop, permission: TargetPermission) -> LinkState:
    how = "deny" if permission.state == "denied" else "do not allow"
    says = f"the permission policies of {hop.caller.role} {how} {permission.action} on {hop.target}"
    says = f"{hop.says}; {says}" if hop.place else says
    places = (case.located(permission.policy.place, says),) if permission.policy else ()
    return failed(says, Sign("chain-permission", says, None, places, _certainty(case, hop)))


def _certainty(case: Case, hop: Hop) -> Certainty:
    """A message about something else shows that a configured step is not what fails first."""
    return "likely" if hop.place is not None and case.evidence.symptoms else "certain"


def _refused(case: Case, hop: Hop, action: str, target: AnalysedRole) -> LinkState:
    policy, source = target.policy, target.role.policy
    how = "denies" if policy and denies(policy, action, hop.caller) else "does not allow"
    says = f"the trust policy of {hop.target} {how} {action} to {hop.caller.role}"
    says = f"{hop.says}; {says}" if hop.place else says
    places = (case.located(source.place, says),) if isinstance(source, TrustPolicy) else ()
    return failed(says, Sign("chain-target", says, None, places, _certainty(case, hop)))


def _refused_by_source(hop: Hop, allowed: bool | None, *, permitted: bool) -> LinkState:
    """The trust policy of the target allows it: the other side is left, what is attached to the caller, or stands above it;
    `permitted`: what is attached allows it."""
    says = f"the trust policy of {hop.target} allows {hop.actions[0]} to {hop.caller.role}"
    if allowed is None:
        return undecided(f"whether {says} depends on its conditions", Sign("chain-conditions", f"{says} under conditions only"))
    rest = "; the policies of the caller, or a boundary or a policy of the organization above it, do not allow it"
    if permitted:
        rest = " and its own policies allow it; a session policy, or a policy of the organization above it, does not"
    return failed(says + rest, Sign("chain-above" if hop.forbidden or permitted else "chain-source", says + rest))


def _unseen(hop: Hop) -> LinkState:
    account, name = _account(hop.target), hop.target.rpartition("/")[2]
    how = shell_command("aws iam get-role --role-name {}", name)
    says = f"{hop.caller.role} may not call {hop.actions[0]} on {hop.target}, whose trust policy is not in the input"
    says += f"; it takes credentials of account {account} to read it" if account else ""
    sign = Sign("chain-above" if hop.forbidden else "chain-unseen", says)
    return msgspec.structs.replace(failed(says, sign), settle=how)


def _account(arn: str) -> str:
    parts = parse_arn(arn)
    return parts.account if parts else ""
