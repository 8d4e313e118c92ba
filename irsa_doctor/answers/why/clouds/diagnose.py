"""Diagnoses a credential of Azure or Google Cloud: which cloud it is of, its links, causes and the error to be expected."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.causes import causes_of, suspects
from irsa_doctor.answers.why.clouds.case import CloudCase
from irsa_doctor.answers.why.clouds.links import CLOUD_LINKS
from irsa_doctor.answers.why.links.state import LinkState, inapplicable
from irsa_doctor.answers.why.outline import diagnosed_link, workload_of_case
from irsa_doctor.answers.why.placeholders import fill_message
from irsa_doctor.answers.why.records import (
    CaseVerdict,
    DiagnosedCause,
    Diagnosis,
    PredictedError,
    RoleChain,
)
from irsa_doctor.facts.clouds.google import is_near_google_key
from irsa_doctor.facts.clouds.lookup import CLIENT_ID, CLIENT_VARIABLE, GOOGLE_ACCOUNT, USE_LABEL


def cloud_of_case(case: Case) -> Literal["azure", "google", ""]:
    """Of which cloud the credential of a case is, "" where it is of AWS or nothing shows it."""
    if case.absent or not case.service_account or case.role or case.association or case.token or case.calls:
        return ""
    keys = set(case.account.annotations) if case.account else set()
    labelled = any(USE_LABEL in workload.labels for workload in case.workloads)
    cluster = case.view.clouds.cluster_of(case.cluster_id)
    if CLIENT_ID in keys or labelled or any(CLIENT_VARIABLE in container.env for container in case.containers):
        return "azure"
    if GOOGLE_ACCOUNT in keys or any(map(is_near_google_key, keys)):
        return "google"
    return cluster.cloud if cluster else ""


def other_clouds(case: Case, cloud: str) -> Iterator[Literal["azure", "google"]]:
    """The clouds beside one in which the service account of a case has an identity, as its annotations say."""
    keys = set(case.account.annotations) if case.account and not (case.absent or case.token or case.calls) else set()
    if CLIENT_ID in keys and cloud != "azure":
        yield "azure"
    if GOOGLE_ACCOUNT in keys and cloud != "google":
        yield "google"


def with_other_clouds(diagnosis: Diagnosis, case: Case) -> Diagnosis:
    """A diagnosis with a chain for each other cloud in which the service account has an identity; a link that fails in one of
    them leaves the workload without what it needs."""
    others = [diagnose_cloud(case, cloud) for cloud in other_clouds(case, diagnosis.cloud)]
    if not others:
        return diagnosis
    chains = [_chain(other) for other in (diagnosis, *others)]
    verdicts = {chain.verdict for chain in chains}
    verdict: CaseVerdict = "broken" if "broken" in verdicts else "unknown" if "unknown" in verdicts else "works"
    known = {cause.id for cause in diagnosis.causes}
    more = [cause for other in others for cause in other.causes if cause.id not in known]
    return msgspec.structs.replace(
        diagnosis, verdict=verdict, causes=(*diagnosis.causes, *more), chains=(*diagnosis.chains, *chains)
    )


def _chain(diagnosis: Diagnosis) -> RoleChain:
    return RoleChain(
        role=diagnosis.role,
        verdict=diagnosis.verdict,
        links=diagnosis.links,
        causes=diagnosis.causes,
        predicted_error=diagnosis.predicted_error,
        cloud=diagnosis.cloud,
    )


def diagnose_cloud(case: Case, cloud: Literal["azure", "google"]) -> Diagnosis:
    """The diagnosis of a case whose credential is of a cloud other than AWS."""
    own = CloudCase(**{name: getattr(case, name) for name in Case.__struct_fields__}, cloud=cloud)
    states = {link.id: link.state(own) for link in CLOUD_LINKS}
    trust = states["trust-policy"]
    if trust.verdict == "unknown" and not trust.settle and any(state.verdict == "fail" for state in states.values()):
        states["trust-policy"] = inapplicable(trust.because)
    symptoms = own.evidence.symptoms
    causes = causes_of(own, states, symptoms, {link: state.verdict for link, state in states.items()})
    return Diagnosis(
        subject=workload_of_case(own),
        role=own.identity,
        verdict=_verdict(own, states, causes),
        links=tuple(diagnosed_link(link, states[link.id]) for link in CLOUD_LINKS),
        causes=causes,
        predicted_error=_predicted(own, states),
        quotes={link: state.places for link, state in states.items() if state.places},
        cloud=cloud,
    )


def _verdict(case: CloudCase, states: Mapping[str, LinkState], causes: Sequence[DiagnosedCause]) -> CaseVerdict:
    if any(state.verdict == "fail" for state in states.values()):
        return "broken"
    if case.reports_failure:
        return "broken" if causes else "unknown"
    deciding = [states[link.id].verdict for link in CLOUD_LINKS if link.decides]
    return "works" if all(verdict in ("pass", "skipped") for verdict in deciding) else "unknown"


def _predicted(case: CloudCase, states: Mapping[str, LinkState]) -> PredictedError | None:
    """The answer of the cloud, where the cause that breaks the first link has one."""
    first = next((link.id for link in CLOUD_LINKS if states[link.id].verdict == "fail"), "")
    named = (next(suspects(case, sign), None) for sign in states[first].signs) if first else ()
    error = next((suspect.cause.error for suspect in named if suspect and suspect.cause.error), None)
    return PredictedError(error.code, fill_message(error.message, case), error.http_status) if error else None
