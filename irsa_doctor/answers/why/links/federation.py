"""The links at STS but for its policies: issuer, request, provider, keys, signature, audience, lifetime, role, session."""

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.evidence import tokens
from irsa_doctor.answers.why.evidence.tokens import BadToken
from irsa_doctor.answers.why.links.pods import of_rules
from irsa_doctor.answers.why.step import Named, Step, failed, named_by, passed, skipped, unseen
from irsa_doctor.model import Issuer, OidcProvider, SigningKey, Unknown

_NO_ROLE = "no role is named"
# RoleArn (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html)
_LONGEST_ARN = 2048
_SHORTEST_SESSION, _LONGEST_SESSION = 900, 43_200
API_SERVER = ("https://kubernetes.default.svc", "kubernetes.default.svc", "kubernetes")
"""audiences of the token that every pod has for the API server"""
_POD_IDENTITY = "pods.eks.amazonaws.com"


def issuer(case: Case) -> Step:
    """L0: whose tokens these are."""
    ident = "issuer"
    token, own = case.token, case.cluster_issuer
    if token and token.is_legacy:
        says = "the token is a legacy one out of a Secret: its issuer is kubernetes/serviceaccount, which no URL leads to"
        return failed(ident, says, Named("token-legacy-secret", "certain", says))
    if token and own and token.issuer != own:
        says = f"the token is of https://{token.issuer}, the cluster's issuer is https://{own}"
        return failed(ident, says, Named("token-from-other-cluster", "certain", says))
    if case.issuer:
        return passed(ident, f"it is https://{case.issuer}")
    if case.cluster and case.cluster.on_outpost:
        says = "a local cluster on AWS Outposts has no issuer that AWS can reach"
        return failed(ident, says, Named("no-webhook-cluster", "certain", says, case.finding("no-webhook-cluster")))
    return unseen(ident, case.issuer_unseen)


def request(case: Case) -> Step:
    """L8: what is sent has the form that STS asks for."""
    ident = "request"
    if isinstance(case.evidence.token, BadToken):
        bad = case.evidence.token
        return failed(ident, f"the token is none: {bad.says}", Named(bad.cause, "certain", bad.says))
    if case.uses_pod_identity:
        return skipped(ident, "EKS Pod Identity hands out the role: nothing is asked of STS")
    wrong = [
        f for f in case.wrong_on(ident) if f.confidence != "low" and not (case.stated_role and f.rule.startswith("role-arn"))
    ]
    if wrong:
        return failed(ident, wrong[0].message, *named_by(wrong))
    if not case.role:
        return skipped(ident, _NO_ROLE)
    if case.role_is_made_by_template:
        how = "terraform show -json, or check the stack when it is deployed"
        return unseen(ident, Unknown(f"the ARN of {case.role}, which a template fills in", how))
    if case.role_arn is None or len(case.role) > _LONGEST_ARN:
        says = f'"{case.role[:200]}" is not the ARN of a role'
        return failed(ident, says, Named("role-arn-malformed", "certain", says))
    if long := case.finding("sub-too-long"):
        says = "the subject has more than 255 characters; what STS does with it is not documented"
        return Step(ident, "unknown", says, (Named("sub-too-long", "possible", long.message, long),))
    return passed(ident, f"{case.role} is the ARN of a role")


def provider(case: Case) -> Step:
    """L9: the account of the role has an OIDC provider whose URL is the issuer, byte by byte."""
    ident = "provider"
    if not case.role_arn or case.uses_pod_identity:
        return skipped(ident, _NO_ROLE if not case.role_arn else "EKS Pod Identity hands out the role")
    if not case.issuer:
        return skipped(ident, "the issuer is not known")
    account = case.role_arn.account
    if case.provider:
        return passed(ident, f"account {account} has {case.provider_arn}")
    if account in case.view.inventory.closed.providers:
        return failed(ident, f"account {account} has no provider for https://{case.issuer}", _missing_provider(case))
    how = "aws iam list-open-id-connect-providers"
    return unseen(ident, case.view.inventory.unknown("providers", account, "", f"OIDC providers of account {account}", how))


def _missing_provider(case: Case) -> Named:
    """Why the provider that STS looks for is not there, in the narrowest words."""
    account = case.role_arn.account if case.role_arn else ""
    ident = case.issuer.rstrip("/").rpartition("/")[2].lower()
    near = [
        p
        for p in case.view.inventory.providers
        if p.account == account and p.issuer.rstrip("/").rpartition("/")[2].lower() == ident
    ]
    if near:
        return _near_miss(case, near[0])
    if named := case.finding("role-arn-wrong-account"):
        return Named("role-arn-wrong-account", "certain", named.message, named)
    elsewhere = sorted(case.view.accounts_of_issuer.get(case.issuer, frozenset()))
    if elsewhere:
        says = f"the provider for {case.issuer} is in account {', '.join(elsewhere)}, the role in account {account}"
        return Named("oidc-provider-other-account", "certain", says)
    found = case.finding("oidc-provider-missing")
    of_account = case.cluster is not None and case.cluster.account == account
    return Named(
        "oidc-provider-missing", "certain", found.message if found and of_account else "", found if of_account else None
    )


def _near_miss(case: Case, near: OidcProvider) -> Named:
    dual = Issuer.of(near.issuer).form == "eks-dualstack"
    mode = "oidc-url-dualstack" if dual else "oidc-url-mismatch"
    says = f"the account has {near.arn}, and tokens carry https://{case.issuer}"
    return Named(mode, "certain", says, None, (case.located(near.place, "differs from the issuer"),))


def issuer_keys(case: Case) -> Step:
    """L10: STS can fetch the keys; nobody but STS can tell for sure."""
    ident = "issuer-keys"
    if said := of_rules(case, ident):
        return said
    state = case.view.publications.discovery(case.cluster) if case.cluster else "not-asked"
    if state == "complete":
        return passed(ident, "the discovery document has all that AWS asks for; whether STS reaches it cannot be seen")
    if case.is_eks and case.issuer:
        return skipped(ident, "EKS publishes them; nothing that was given speaks of them")
    if not case.issuer:
        return skipped(ident, "the issuer is not known")
    how = f"curl -sS https://{case.issuer}/.well-known/openid-configuration"
    return unseen(ident, state if isinstance(state, Unknown) else Unknown("the discovery document", how))


def signature(case: Case) -> Step:
    """L11: the token is signed by a key of the issuer."""
    ident = "signature"
    if case.token is None:
        return of_rules(case, ident) or skipped(ident, "no token was given")
    if case.token.is_legacy:
        return skipped(ident, "a legacy token is none of the issuer's")
    where = "kubectl get --raw /openid/v1/jwks" if not case.is_eks else f"curl -sS https://{case.issuer}/keys"
    return tokens.signature(case.token, _keys(case), where)


def _keys(case: Case) -> list[SigningKey]:
    """Keys of the issuer that were given; keys of no known cluster may be its."""
    clusters = {cluster.id for cluster in case.view.inventory.clusters_by_issuer.get(case.issuer, ())}
    return [key for key in case.view.inventory.signing_keys if key.cluster in clusters or not key.cluster]


def audience(case: Case) -> Step:
    """L12: one of the provider's client ids is the audience."""
    ident = "audience"
    if case.uses_pod_identity:
        return skipped(ident, "EKS Pod Identity hands out the role")
    if case.token and (not_ours := _for_somebody_else(case)):
        return not_ours
    if case.provider is None:
        return skipped(ident, "there is no provider to ask" if case.provider_arn else _NO_ROLE)
    ids, wanted = case.provider.client_ids, case.audience
    if isinstance(ids, Unknown):
        return unseen(ident, ids)
    if isinstance(wanted, Unknown):
        listed = case.token.audiences if case.token else ()
        if listed and not set(listed) & set(ids):
            return _refused(case, ", ".join(listed), ids)
        return (
            passed(ident, f"{', '.join(listed)} are among its client ids")
            if listed and set(listed) <= set(ids)
            else unseen(ident, wanted)
        )
    return passed(ident, f"{wanted} is among its client ids") if wanted in ids else _refused(case, wanted, ids)


def _for_somebody_else(case: Case) -> Step | None:
    """A token that is for the API server, or for the agent of Pod Identity, and for nobody else."""
    ids = case.provider.client_ids if case.provider else ()
    listed = case.token.audiences if case.token else ()
    if not listed or (isinstance(ids, tuple) and set(listed) & set(ids)):
        return None
    if all(audience.startswith(API_SERVER) for audience in listed):
        mode, whose = "token-wrong-file", "the API server"
    elif listed == (_POD_IDENTITY,):
        mode, whose = "podid-aud-token-to-sts", "the agent of EKS Pod Identity"
    else:
        return None
    says = f"the token is for {', '.join(listed)}: {whose}"
    if isinstance(ids, Unknown) or not case.provider:
        return Step("audience", "unknown", says, (Named(mode, "likely", says),), ids.how if isinstance(ids, Unknown) else "")
    return failed("audience", says, Named(mode, "certain", says))


_OF_PROVIDERS = (
    "aud-invisible-char",
    "aud-china-suffix",
    "aud-regional-endpoint-confusion",
    "aud-kops-amazonaws",
    "aud-not-in-clientids",
)


def _refused(case: Case, wanted: str, ids: tuple[str, ...]) -> Step:
    says = f"its client ids are {', '.join(ids) or 'none'}, the token is for {wanted or 'nobody'}"
    if custom := case.finding("aud-annotation-custom"):
        return failed("audience", says, Named("aud-annotation-custom", "certain", custom.message, custom))
    for rule in _OF_PROVIDERS:
        if found := case.finding(rule, case.provider_arn):
            return failed("audience", says, Named(rule, "certain", found.message, found))
    return failed("audience", says, Named("aud-not-in-clientids", "certain", says))


def lifetime(case: Case) -> Step:
    """L13: the token may be used now."""
    if case.token is None:
        return skipped("lifetime", "no token was given")
    return tokens.lifetime(case.token, case.evidence.now)


def role(case: Case) -> Step:
    """L14: the role exists, under exactly this ARN."""
    ident = "role"
    if case.uses_pod_identity:
        return _of_association(case)
    if not case.role_arn:
        return skipped(ident, _NO_ROLE)
    if case.analysed and not case.assumed_policy:
        return passed(ident, f"{case.role} is there")
    wrong = [f for f in case.wrong_on(ident) if f.rule != "role-arn-wrong-account" or provider(case).verdict != "fail"]
    if wrong:
        return failed(ident, wrong[0].message, *named_by(wrong))
    account, name = case.role_arn.account, case.role_name
    if case.view.inventory.closed.has_role(account, name) and not case.finding("role-arn-wrong-account"):
        says = f"account {account} has no {case.role}"
        if near := [one for one in case.view.inventory.roles if (one.account, one.name) == (account, name) and one.arn]:
            # a role's name is there once, whatever its path; no rule speaks of it where the service account was not given
            says = f"{says}; its {name} is {near[0].arn}"
            same = near[0].arn.startswith(f"arn:{case.role_arn.partition}:")
            return failed(ident, says, Named("role-arn-path-dropped" if same else "role-arn-wrong-partition", "certain", says))
        return failed(ident, says, Named("role-missing", "certain", says))
    how = f"aws iam get-role --role-name {name}"
    return unseen(ident, case.view.inventory.unknown("roles", account, name.lower(), f"the role {case.role}", how))


def _of_association(case: Case) -> Step:
    named = case.association.role_arn if case.association else ""
    if isinstance(named, str) and named in case.view.role_by_arn:
        return passed("role", f"{named}, which EKS Pod Identity hands out, is there")
    return skipped("role", "the role of the Pod Identity association was not given")


def session(case: Case) -> Step:
    """L17: the session that is asked for is not longer than the role allows."""
    ident = "session"
    asked = next((event.duration for event in case.events if event.duration), 0)
    longest = case.analysed.role.max_session if case.analysed else 0
    if asked and not _SHORTEST_SESSION <= asked <= _LONGEST_SESSION:
        says = f"{asked} seconds were asked for; STS gives {_SHORTEST_SESSION} to {_LONGEST_SESSION}"
        return failed(ident, says, Named("duration-out-of-range", "certain", says))
    if asked and longest and asked > longest:
        says = f"{asked} seconds were asked for, and the role allows {longest}"
        return failed(ident, says, Named("duration-too-long", "certain", says))
    if asked and longest:
        return passed(ident, f"{asked} seconds were asked for, of {longest}")
    return skipped(ident, "what is asked for is in no file")
