"""Diagnoses one case: walks its links, weighs the evidence, names the causes and predicts the error of STS."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.causes import causes_of, suspects
from irsa_doctor.answers.why.chain import decisive_links, walk_links
from irsa_doctor.answers.why.changers import notes_on_changers
from irsa_doctor.answers.why.hops import admits_token
from irsa_doctor.answers.why.identities import (
    container_identities,
    notes_on_host_network,
    notes_on_identities,
    notes_on_node_metadata,
)
from irsa_doctor.answers.why.leak import leak_of
from irsa_doctor.answers.why.links import LINKS
from irsa_doctor.answers.why.links.request import PERMISSIONS_LINK
from irsa_doctor.answers.why.links.state import LinkState
from irsa_doctor.answers.why.mistaken_remedies import mistaken_remedies
from irsa_doctor.answers.why.outline import diagnosed_link, workload_of_case
from irsa_doctor.answers.why.placeholders import fill_command, fill_message
from irsa_doctor.answers.why.records import (
    CaseVerdict,
    DiagnosedCause,
    Diagnosis,
    PredictedError,
    RoleChain,
)
from irsa_doctor.answers.why.sessions import is_of_other_role
from irsa_doctor.answers.why.symptoms import Symptom
from irsa_doctor.answers.why.weighing import symptoms_of_case, weighed
from irsa_doctor.facts import AnalysedRole
from irsa_doctor.facts.roles.pod_identity import capability_of
from irsa_doctor.facts.workloads.token_paths import audiences_by_hand
from irsa_doctor.model import Unknown, Verdict, is_provider_of, text_of

_IDENTITY = "kubectl exec -n {namespace} {pod} -- aws sts get-caller-identity"
_PASTED = (
    "The documents in the text of the message were read. They may be shortened, so that they prove nothing: give them as files."
)
_NAMED = 3
"""roles that a note names"""
_CHAINS = 50
"""roles for which the links of one token are walked"""


def diagnose(case: Case) -> Diagnosis:
    """The diagnosis of one case."""
    if not (case.view.inventory.clouds.clusters or case.view.uses_clouds):
        return _diagnosed(case)
    from irsa_doctor.answers.why.clouds.diagnose import cloud_of_case, diagnose_cloud, with_other_clouds

    cloud = cloud_of_case(case)
    return with_other_clouds(diagnose_cloud(case, cloud) if cloud else _diagnosed(case), case)


def _diagnosed(case: Case) -> Diagnosis:
    """The diagnosis of a case for AWS; of a target whose containers set several roles, that of the worst."""
    apart = _by_role(case)
    if not apart:
        return _of_one_role(case)
    diagnoses = [_of_one_role(own) for own in apart]
    worst = max(diagnoses, key=lambda diagnosis: _WORST_LAST.index(diagnosis.verdict))
    listed = ", ".join(sorted({diagnosis.role for diagnosis in diagnoses}))
    return msgspec.structs.replace(worst, notes=(f"Its containers set several roles themselves: {listed}.", *worst.notes))


def _by_role(case: Case) -> list[Case]:
    """The cases of the roles that containers set themselves, where there are several, and nothing else says which is meant."""
    if case.role or case.association is not None or case.token is not None:
        return []
    named = dict.fromkeys(
        (text_of(role), n if case.workload is None else 0)
        for n, workload in enumerate(case.workloads)
        for role, _ in audiences_by_hand(workload)
    )
    return [msgspec.structs.replace(case, workload=case.workload or case.workloads[n], stated_role=role) for role, n in named]


def _of_one_role(case: Case) -> Diagnosis:
    states, symptoms, causes, verdict = _weighed(case)
    chains = tuple(sorted(_chains(case), key=lambda chain: (_WORST_LAST.index(chain.verdict), chain.role)))
    verdict = _of_chains(case, verdict, chains)
    causes = causes or (_causes_in(chains) if verdict == "broken" else ())
    identities = container_identities(case)
    metadata = notes_on_node_metadata(case) if causes or symptoms else ()
    rest = (*metadata, *_note_on_nothing(case, verdict), *_note_on_roles(case, chains), *notes_on_changers(case))
    return Diagnosis(
        subject=workload_of_case(case),
        role=_role(case),
        verdict=verdict,
        links=tuple(diagnosed_link(link, states[link.id], link.needs_of(case), link.title_in(case)) for link in LINKS),
        causes=causes,
        predicted_error=_predicted(case, states),
        notes=(*notes_on_identities(identities), *notes_on_host_network(case), *_notes(case, symptoms, causes), *rest),
        roles=() if _role(case) else _admitting(case, chains),
        wrong_fixes=tuple(mistaken_remedies(case)),
        identities=identities,
        claims=case.token.shown if case.token else {},
        quotes={link: state.places for link, state in states.items() if state.places},
        leak=leak_of(case),
        chains=chains,
    )


_Weighed = tuple[Mapping[str, LinkState], Sequence[Symptom], tuple[DiagnosedCause, ...], CaseVerdict]


def _weighed(case: Case) -> _Weighed:
    """The links of a case by id, the messages that are about it, its causes and the verdict."""
    by_files = walk_links(case)
    states, symptoms = weighed(case, by_files), symptoms_of_case(case)
    causes = causes_of(case, states, symptoms, {link: state.verdict for link, state in by_files.items()})
    return states, symptoms, causes, _verdict(case, states, symptoms, causes)


# ---- one token, several roles


_WORST_LAST: Sequence[CaseVerdict] = ("works", "unknown", "broken")


def _chains(case: Case) -> Iterator[RoleChain]:
    """The chain of a token for each role that trusts its issuer, where none is named, and for each pool and identity of another
    cloud."""
    if case.token is not None and not _role(case) and not case.view.inventory.clouds.is_empty:
        from irsa_doctor.answers.why.clouds.tokens import token_chains

        yield from token_chains(case)
    for role in _trusting(case)[:_CHAINS]:
        own = msgspec.structs.replace(case, stated_role=role)
        states, _, causes, verdict = _weighed(own)
        links = tuple(diagnosed_link(link, states[link.id], link.needs_of(own), link.title_in(own)) for link in LINKS)
        yield RoleChain(role=role, verdict=verdict, links=links, causes=causes, predicted_error=_predicted(own, states))


def _trusting(case: Case) -> list[str]:
    """The roles that trust the issuer of a token for which no role is named."""
    if case.token is None or not case.issuer or _role(case):
        return []
    return sorted(a.role.arn for a in case.view.roles if a.role.arn and _trusts(a, case.issuer))


def _trusts(analysed: AnalysedRole, issuer: str) -> bool:
    return any(is_provider_of(name, issuer) for name in analysed.by_provider)


def _of_chains(case: Case, verdict: CaseVerdict, chains: Sequence[RoleChain]) -> CaseVerdict:
    """A token works where a role takes it, and is broken where none of all that trust its issuer does."""
    verdicts = {chain.verdict for chain in chains}
    if verdict != "unknown" or not verdicts or case.reports_failure:
        return verdict
    if verdicts == {"broken"} and len(_trusting(case)) <= _CHAINS:
        return "broken"
    return "works" if "works" in verdicts else verdict


def _causes_in(chains: Sequence[RoleChain]) -> tuple[DiagnosedCause, ...]:
    """The causes of all chains, each once."""
    return tuple({cause.id: cause for chain in reversed(chains) for cause in reversed(chain.causes)}.values())[::-1]


def _admitting(case: Case, chains: Sequence[RoleChain]) -> tuple[str, ...]:
    """The roles that may admit a case: by their chains, of others by their trust policies."""
    judged = {chain.role: chain.verdict for chain in chains}
    return tuple(role for role in _trusting_roles(case) if judged.get(role) != "broken")


def _role(case: Case) -> str:
    """The role that is requested, else the one that EKS Pod Identity supplies."""
    supplied = case.association.role_arn if case.association and case.uses_pod_identity else ""
    return case.role or text_of(supplied)


def undiagnosed(case: Case, why: str) -> Diagnosis:
    """The answer for a case that could not be diagnosed, with the reason."""
    return Diagnosis(subject=workload_of_case(case), role=case.role, verdict="unknown", links=(), causes=(), notes=(f"{why}.",))


def _verdict(
    case: Case, states: Mapping[str, LinkState], symptoms: Sequence[Symptom], causes: Sequence[DiagnosedCause]
) -> CaseVerdict:
    if any(state.verdict == "fail" for state in states.values()):
        return "broken"
    if causes and any(symptom.effect == "broken" for symptom in symptoms):
        return "broken"
    if case.reports_failure:
        # whatever the message is about, it is not in the files
        return "unknown"
    if states[PERMISSIONS_LINK.id].verdict == "unknown":
        # a second role, without which the first is of no use
        return "unknown"
    return "works" if all(states[link.id].verdict == "pass" for link in decisive_links(case)) else "unknown"


def _predicted(case: Case, states: Mapping[str, LinkState]) -> PredictedError | None:
    """The answer of STS to the request, None where it gets none, or grants it."""
    first = next((link for link in decisive_links(case) if states[link.id].verdict == "fail"), None)
    if first is None or case.uses_pod_identity:
        return None
    likeliest = (next(suspects(case, sign), None) for sign in states[first.id].signs)
    error = next((s.cause.error for s in likeliest if s and s.cause.error), None) or first.sts_error(case)
    if error is None:
        return None
    older = fill_message(error.older_message, case)
    return PredictedError(error.code, fill_message(error.message, case), error.http_status, older)


def _notes(case: Case, symptoms: Sequence[Symptom], causes: Sequence[DiagnosedCause]) -> Iterator[str]:
    """What is worth a look though it is not a cause."""
    yield from _notes_on_trail(case)
    for symptom in symptoms:
        if is_of_other_role(case, symptom):
            says = (
                f"The session in the message is of the role {symptom.details['role']}, not of {case.role or 'the association'}"
            )
            yield f"{says}: the workload got that identity from somewhere else."
    if case.analysed and case.analysed.policy and capability_of(case.analysed.policy)[0] != "none":
        yield f"{case.role} is the role of a managed capability of EKS, which EKS itself assumes: no pod needs to name it."
    if case.evidence.pasted:
        yield _PASTED
    yield from _notes_on_agent(case)
    yield from _notes_on_second_roles(case)
    yield from dict.fromkeys(symptom.note for symptom in symptoms if symptom.note)
    if case.evidence.failing and not symptoms:
        yield "The error message is not recognised; the links show what the files prove."
        yield from _mentioned(case)
    elif case.reports_failure and not causes:
        yield "Nothing in the input explains the message: compare its time and its pod with those of the input."
    if case.cluster and case.cluster.account and _changes_other_account(case, causes):
        yield f"The role is in another account than the cluster: its commands need credentials of {_account(case)}."
    for cause in causes:
        if (known := case.rulebook.causes.by_id.get(cause.id)) and known.note:
            yield known.note


def _note_on_nothing(case: Case, verdict: CaseVerdict) -> Iterator[str]:
    """What to look at next where somebody asks about a workload that the input shows to be right, and gives no message."""
    if verdict == "works" and case.namespace and not case.reports_failure:
        yield (
            "Nothing in the input explains a failure. If the workload fails all the same, add the first error of its log with"
            f" --error, and look at the identity that it has: {fill_command(_IDENTITY, case)}"
        )


def _notes_on_agent(case: Case) -> Iterator[str]:
    """A sentence where EKS Pod Identity supplies the role, and whether its agent runs is not known."""
    state = case.view.installations.agents.state(case.cluster) if case.cluster and case.uses_pod_identity else None
    if isinstance(state, Unknown):
        how = f": {state.how}" if state.how else ""
        yield f"Whether the EKS Pod Identity Agent runs and answers is not in the input ({state.missing}){how}."


def _notes_on_second_roles(case: Case) -> Iterator[str]:
    """A sentence on roles that trust that of the case and no token of its cluster: only a second call, which is in no file,
    gets them."""
    trusting = {analysed.role.arn for analysed in case.view.roles_by_principal.get(case.role, ())} if case.role else set()
    if second := sorted(arn for arn in trusting - {case.role} if not admits_token(case, arn)):
        named = ", ".join(second[:_NAMED]) + (f" and {len(second) - _NAMED} more" if len(second) > _NAMED else "")
        yield (
            f"{named}: trusts {case.role}, which has to assume it by sts:AssumeRole. A request for it with the token of"
            f" {case.name} is refused. Whether a client does the one or the other is in no file."
        )


def _account(case: Case) -> str:
    return case.role_arn.account if case.role_arn else ""


def _changes_other_account(case: Case, causes: Sequence[DiagnosedCause]) -> bool:
    """Whether a command is for the account of the role, and that is not the one of the cluster."""
    account = case.cluster.account if case.cluster else ""
    commands = [command for cause in causes for command in cause.commands]
    return _account(case) not in ("", account) and any(command.startswith("aws iam") for command in commands)


def _mentioned(case: Case) -> Iterator[str]:
    """What a message names that nobody knows, and what tells more."""
    if named := case.evidence.mentions:
        yield f"It names {named}."
    command = fill_command(_IDENTITY, case)
    yield f"Which identity the workload has, and the first error of its log, tell more: {command}"


def _notes_on_trail(case: Case) -> Iterator[str]:
    trail, calls = case.evidence.trail, case.calls
    if trail and not case.service_account:
        yield f"The log has {trail.events} events, and none of them is a call of a service account."
    elif trail and not calls:
        yield (
            f"The log has {trail.events} events and no call with the token of {case.name}. CloudTrail does not log what STS "
            "refuses for its token or its provider: look at the links before the role."
        )
    if calls and calls[0].role and case.role and calls[0].role != case.role:
        yield f"The last call in the log is for {calls[0].role}."
    if len(calls) > 1 and calls[0].error and any(not call.error for call in calls[1:]):
        yield "The log has earlier calls that succeeded: something has changed since."


def _note_on_roles(case: Case, chains: Sequence[RoleChain]) -> Iterator[str]:
    """What the roles of the input make of a token for which none is named."""
    if case.evidence.token is None or not case.issuer or _role(case):
        return
    trusting = sorted(a.role.id for a in case.view.roles if _trusts(a, case.issuer))
    admitting = sorted(_admitting(case, chains))
    refusing = sorted({*trusting} - {*admitting})
    if admitting:
        yield f"Of the {len(trusting)} roles that trust the issuer of the token, {_named(admitting)} may admit it."
    if refusing:
        yield f"{_named(refusing)}: trusts the issuer and does not admit the token."
    if len(trusting) > _CHAINS:
        yield f"{len(trusting) - _CHAINS} of these roles have no chain here; with --role it is said why."


def _named(roles: Sequence[str]) -> str:
    return ", ".join(roles[:_NAMED]) + (f" and {len(roles) - _NAMED} more" if len(roles) > _NAMED else "")


def _trusting_roles(case: Case) -> Iterator[str]:
    """Roles whose trust policy may admit this subject."""
    audience = case.audience if isinstance(case.audience, str) else "sts.amazonaws.com"
    audiences = (case.token.audiences if case.token else ()) or (audience,)
    for analysed in case.view.roles if case.issuer else ():
        own = [admitted for name, admitted in analysed.by_provider.items() if is_provider_of(name, case.issuer)]
        verdicts = {admitted.verdict(case.subject, audience) for admitted in own for audience in audiences}
        if verdicts - {Verdict.FAIL}:
            yield analysed.role.id
