"""The links about the OIDC provider in IAM: it exists in the account of the role, and accepts the audience."""

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links import needs, skips
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.state import (
    LinkState,
    Sign,
    failed,
    observed,
    passed,
    signs_of,
    undecided,
    unseen,
)
from irsa_doctor.model import Issuer, OidcProvider, Unknown
from irsa_doctor.rulebook.cause_block import NOT_VALIDATED, Certainty, StsError

_API_SERVER = ("https://kubernetes.default.svc", "kubernetes.default.svc", "kubernetes")
"""audiences of the token that every pod has for the API server"""
_POD_IDENTITY = "pods.eks.amazonaws.com"
_OLDER = "No OpenIDConnect provider found in your account for https://{issuer}"
NO_PROVIDER_ERROR = StsError("InvalidIdentityToken", 400, NOT_VALIDATED, _OLDER)
"""what STS answers where the account of the role has no provider for the issuer of the token"""
_NOT_REGISTERED = StsError("InvalidIdentityToken", 400, NOT_VALIDATED, "Incorrect token audience")
_ABSENT = StsError("InvalidIdentityToken", 400, "Missing a required claim: aud")
_EMPTY = StsError("InvalidIdentityToken", 400, "Claim is not allowed to be empty: aud")


def _provider(case: Case) -> LinkState:
    account = case.role_arn.account if case.role_arn else ""
    if case.provider:
        return passed(f"account {account} has {case.provider_arn}")
    return failed(f"account {account} has no provider for https://{case.issuer}", _missing_provider(case, account))


def _provider_disproof(case: Case) -> LinkState | None:
    """The issuer that STS names in a message: it is that of another cluster, or of none that a role trusts."""
    if (foreign := _foreign_issuer(case)) is not None:
        return failed(foreign.because, foreign)
    if case.role_arn or not case.issuer_of_message or (sign := _published_issuer(case)) is None:
        return None
    return failed(sign.because, sign)


def _published_issuer(case: Case) -> Sign | None:
    """The sign that roles trust the subject of the case with another issuer than that of the token."""
    trusted = sorted({issuer for issuer, subject in case.view.trusted_by_name if subject == case.own_subject})
    if not trusted or case.issuer in trusted:
        return None
    says = f"the issuer of the token is https://{case.issuer}; roles trust {case.name} of {', '.join(trusted)}"
    return Sign("provider-url-differs", says, at_most="likely")


def _foreign_issuer(case: Case) -> Sign | None:
    """The sign that a message is about a token of another issuer than that of the cluster."""
    own, named = case.cluster_issuer, case.issuer_of_message
    if case.token or not own or not named or own == named:
        return None
    says = f"the issuer in the message is https://{named}, that of the cluster https://{own}"
    return Sign("token-of-other-issuer", says, at_most="likely")


def _missing_provider(case: Case, account: str) -> Sign:
    """The narrowest sign of a provider that does not exist."""
    if not Issuer.of(case.issuer).is_public and (published := _published_issuer(case)):
        return published
    if similar := _similar_provider(case, account):
        return _differing_url(case, similar)
    if finding := case.finding_of("role-in-other-account"):
        return signs_of([finding])[0]
    if elsewhere := sorted(case.view.accounts_of_issuer(case.issuer)):
        says = f"the provider for https://{case.issuer} is in account {', '.join(elsewhere)}, the role in account {account}"
        return Sign("provider-in-other-account", says)
    finding = case.finding_of("provider-absent") if case.cluster and case.cluster.account == account else None
    return Sign("provider-absent", finding.message if finding else "", finding)


def _similar_provider(case: Case, account: str) -> OidcProvider | None:
    """A provider of the account whose URL ends with the id of the issuer, and is another URL."""
    ident = _last_part(case.issuer)
    providers = case.view.inventory.providers
    return next((p for p in providers if p.account == account and _last_part(p.issuer) == ident), None)


def _last_part(issuer: str) -> str:
    return issuer.rstrip("/").rpartition("/")[2].lower()


def _differing_url(case: Case, similar: OidcProvider) -> Sign:
    alias = Issuer.of(similar.issuer).form == "eks-dualstack"
    says = f"the account has {similar.arn}, and the issuer in tokens is https://{case.issuer}"
    place = case.located(similar.place, "differs from the issuer")
    return Sign("provider-of-alias" if alias else "provider-url-differs", says, None, (place,))


PROVIDER_LINK = Link(
    id="provider",
    of_any_issuer=True,
    title="the account of the role has an OIDC provider for the issuer",
    signs=(
        "role-in-other-account",
        "provider-in-other-account",
        "provider-absent",
        "provider-of-alias",
        "provider-url-differs",
    ),
    skips=(skips.no_role, skips.pod_identity, skips.no_issuer),
    disproof=_provider_disproof,
    needs=(needs.PROVIDERS_INPUT,),
    examine=_provider,
    decides=frozenset({"web-identity"}),
    after="request",
    error=NO_PROVIDER_ERROR,
)


def _audience_disproof(case: Case) -> LinkState | None:
    """A token of several audiences, or one for the API server or for the agent of EKS Pod Identity, and for nobody else."""
    ids = case.provider.client_ids if case.provider else Unknown("", "")
    listed = case.token.audiences if case.token else ()
    if case.token and "aud" in case.token.absent_claims:
        return observed("token-without-claim", "the token has no audience, which STS requires")
    if len(listed) > 1:
        says = f"the token has the audiences {', '.join(listed)} and no azp that says which of them is meant"
        return observed("token-of-many-audiences", says)
    if case.uses_pod_identity or not listed or (isinstance(ids, tuple) and set(listed) & set(ids)):
        return None
    if all(audience.startswith(_API_SERVER) for audience in listed):
        sign, whose = "token-for-api-server", "the API server"
    elif listed == (_POD_IDENTITY,):
        sign, whose = "token-for-pod-identity", "the agent of EKS Pod Identity"
    else:
        return None
    says = f"the token is for {', '.join(listed)}: {whose}"
    return (
        undecided(says, Sign(sign, says, at_most="likely"), settle=ids.how)
        if isinstance(ids, Unknown)
        else observed(sign, says)
    )


def _audience(case: Case) -> LinkState:
    ids = case.provider.client_ids if case.provider else ()
    if isinstance(ids, Unknown):
        return unseen(ids)
    if isinstance(case.audience, Unknown):
        return unseen(case.audience)
    if case.audience in ids:
        return passed(f"{case.audience} is a client id of the provider")
    return _not_accepted(case, case.audience, ids)


def _not_accepted(case: Case, audience: str, ids: tuple[str, ...]) -> LinkState:
    token = f"the audience of the token is {audience}" if audience else "the token has no audience"
    says = (
        f"{token}; the client ids of the provider are {', '.join(ids)}" if ids else f"{token}; the provider has no client ids"
    )
    ours = (case.provider_arn, *(f.subject.id for f in case.findings.on_link("audience") if f.subject.kind != "provider"))
    findings = case.findings.in_order(f for f in case.findings.on_link("audience") if f.subject.id in ours)
    # a volume that a manifest has asks for the wrong audience, and the provider may be right
    at_most: Certainty = "likely" if case.findings.on_link("token-file") else "certain"
    return failed(says, *(signs_of(findings[:1]) or (Sign("audience-not-accepted", says, at_most=at_most),)))


def _audience_error(case: Case) -> StsError:
    """STS reports a token without an audience in other words."""
    if case.token is None or "aud" not in case.token.absent_claims:
        return _NOT_REGISTERED
    return _EMPTY if case.token.claims.get("aud") == [] else _ABSENT


def _no_provider(case: Case) -> str:
    if case.provider:
        return ""
    return skips.no_role(case) or skips.no_issuer(case) or "the provider does not exist, or is not in the input"


AUDIENCE_LINK = Link(
    id="audience",
    title="the provider accepts the audience",
    signs=(
        "token-without-claim",
        "token-of-many-audiences",
        "token-for-api-server",
        "token-for-pod-identity",
        "audience-not-accepted",
    ),
    disproof=_audience_disproof,
    skips=(skips.pod_identity, _no_provider),
    examine=_audience,
    needs=(needs.CLIENT_IDS_INPUT,),
    decides=frozenset({"web-identity"}),
    after="request",
    reads_token=True,
    error=_audience_error,
)
