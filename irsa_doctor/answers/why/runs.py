"""Credentials of runs: a pipeline gets its token from its vendor, and no service account has to do with it."""

from collections.abc import Mapping

from irsa_doctor.answers.why.case_evidence import CaseEvidence
from irsa_doctor.facts import AnalysedRole, View
from irsa_doctor.facts.grants.grant import GrantFacts
from irsa_doctor.issuers import profile_of
from irsa_doctor.model import Issuer, issuer_of_provider, text_of
from irsa_doctor.model.annotations import ROLE_ARN


def is_of_run(view: View, evidence: CaseEvidence, role: str) -> bool:
    """Whether a credential without a token is that of a run: the role trusts runs alone and no service account names it; where
    the role trusts runs too, or is not known, a message says so."""
    if evidence.token is not None:
        return False
    analysed = _meant(view, role)
    if analysed and trusts_runs_alone(analysed):
        return not _is_named(view, analysed.role.arn)
    is_possible = analysed is None or "other" in _kinds(analysed)
    return is_possible and any(_is_of_run(symptom.details) for symptom in evidence.symptoms)


def _is_of_run(details: Mapping[str, str]) -> bool:
    """Whether a message has the words of a pipeline, or names an issuer of pipelines."""
    return "run" in details or _is_of_pipelines(Issuer.of(details.get("issuer", "")).name)


def _is_of_pipelines(issuer: str) -> bool:
    known = profile_of(issuer)
    return known is not None and not known.is_cluster


def _meant(view: View, role: str) -> AnalysedRole | None:
    """The role that is named, else the only one of the input."""
    if role:
        return view.role_by_arn.get(role)
    return view.roles[0] if len(view.roles) == 1 else None


def trusts_runs_alone(analysed: AnalysedRole) -> bool:
    """Whether every statement for web identities is for an issuer that is no cluster."""
    return _kinds(analysed) == {"other"}


def _kinds(analysed: AnalysedRole) -> set[object]:
    """What the issuers are for which a role has statements."""
    return {grant.facts.issuer_kind for grant in analysed.grants if isinstance(grant.facts, GrantFacts)}


def _is_named(view: View, arn: str) -> bool:
    annotated = (text_of(account.annotations.get(ROLE_ARN, "")) for account in view.inventory.service_accounts)
    return arn != "" and arn in annotated


def issuer_of_run(view: View, evidence: CaseEvidence, role: str) -> str:
    """The issuer of the tokens of a run without scheme, "" where it may be one of several."""
    named = {Issuer.of(s.details["issuer"]).name for s in evidence.symptoms if s.details.get("issuer")}
    analysed = _meant(view, role)
    trusted = {issuer_of_provider(provider) for provider in analysed.by_provider} if analysed else set[str]()
    issuers = named or set(filter(_is_of_pipelines, trusted)) or trusted
    return issuers.pop() if len(issuers) == 1 else ""
