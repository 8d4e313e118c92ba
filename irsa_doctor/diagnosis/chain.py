"""The links of the chain, in the order in which a credential travels: a table of plain functions, each of one case."""

from collections.abc import Callable, Mapping, Sequence

from irsa_doctor.diagnosis.case import Case
from irsa_doctor.diagnosis.records import Link, Sight, Verdict
from irsa_doctor.findings import Finding
from irsa_doctor.model import Unknown
from irsa_doctor.model import Verdict as Three

# rules by the link that they speak of; a rule that is not here says nothing of why a credential fails
LINK_OF: Mapping[str, str] = {
    rule: link
    for link, rules in {
        "service-account": "sa-annotation-missing sa-annotation-key-typo sa-annotation-on-pod service-account-missing",
        "workload": "pod-wrong-sa static-or-mirror-pod",
        "webhook": (
            "webhook-missing no-webhook-cluster webhook-optout-label skip-containers-unintended pod-older-than-annotation "
            "webhook-cache-race annotation-drift pod-identity-assoc-race windows-nodeaffinity late-injected-sidecar "
            "manual-env-conflicts-annotation cm-wildcard-unsupported"
        ),
        "token-volume": "stale-aws-iam-token-volume mount-name-collision mount-missing token-expiration-too-short",
        "token-file": (
            "token-file-missing token-file-perm-denied token-path-relative token-copied-subpath token-php-realpath-cache "
            "partial-env-role-only partial-env-token-only"
        ),
        "sdk": (
            "static-keys-shadow shared-config-shadow sdk-too-old java-sts-module-missing java-silent-fallback "
            "dotnet-sts-assembly-missing explicit-profile-disables-env imds-fallback-generic podid-chain-order region-missing"
        ),
        "sts-endpoint": (
            "sts-global-blocked sts-wrong-custom-endpoint sts-cname-hack proxy-or-mesh-blocks-sts dns-broken "
            "sts-region-not-enabled sts-scope-mismatch sts-throttled"
        ),
        "request": (
            "role-arn-malformed role-arn-is-policy-arn role-arn-unresolved-template role-arn-bare-name "
            "role-arn-wrong-partition "
            "session-name-invalid duration-out-of-range token-malformed token-env-holds-path-as-token"
        ),
        "provider": (
            "oidc-provider-missing oidc-created-automatically-myth oidc-url-mismatch oidc-url-dualstack "
            "xacct-annotated-directly oidc-wrong-object-eks-idp-config token-from-other-cluster token-legacy-secret"
        ),
        "issuer-keys": "jwks-unreachable jwks-thumbprint issuer-discovery-incomplete alg-unsupported idp-comm-error",
        "signature": "jwks-missing-kid",
        "audience": (
            "aud-not-in-clientids aud-china-suffix aud-regional-endpoint-confusion aud-invisible-char aud-annotation-custom "
            "aud-kops-amazonaws token-wrong-file podid-aud-token-to-sts"
        ),
        "lifetime": "token-stale-cached clock-skew token-too-old-iat",
        "role": "role-missing role-arn-path-dropped role-arn-wrong-account",
        "trust-policy": (
            "trust-sub-mismatch sa-namespace-mismatch sa-helm-generated-name two-sas-one-annotation "
            "oidc-provider-stale-cluster "
            "oidc-provider-other-account trust-pod-identity-only trust-service-ec2-only policy-refused policy-duplicate-member "
            "trust-eventual-consistency"
        ),
        "guardrails": "rcp-principalorgid rcp-trusted-oidc-providers vpce-policy",
        "session": "duration-too-long session-policy-bad",
        "permissions": "perm-denied-after-assume boundary-or-scp-after-assume double-assume-self xacct-chain-missing",
        "pod-identity": (
            "podid-wins podid-tagsession trust-irsa-only-for-pod-identity podid-unsupported-node podid-agent-missing"
        ),
    }.items()
    for rule in rules.split()
}
TITLES: Mapping[str, str] = {
    "issuer": "the issuer of the cluster is known",
    "service-account": "the service account names a role",
    "workload": "the pod uses the service account",
    "webhook": "the webhook changed the pod",
    "token-volume": "the pod has a token",
    "token-file": "the process can read it",
    "sdk": "the SDK uses it",
    "sts-endpoint": "STS can be reached",
    "request": "the request is well formed",
    "provider": "the account of the role has a provider for the issuer",
    "issuer-keys": "STS can fetch the keys of the issuer",
    "signature": "the token is signed by one of them",
    "audience": "the provider accepts the audience",
    "lifetime": "the token is in its time",
    "role": "the role exists",
    "trust-policy": "the trust policy lets it in",
    "guardrails": "nothing above the account forbids it",
    "session": "the session may last as long as asked",
    "permissions": "the role has the permission",
    "pod-identity": "EKS Pod Identity does not take its place",
}
ALWAYS_DECIDING = ("issuer", "service-account", "request", "provider", "audience", "role", "trust-policy")


def link_of(rule: str) -> str:
    """The link that a failure mode belongs to; every other trust rule is about the trust policy."""
    return LINK_OF.get(rule, "trust-policy" if rule.startswith("trust-") else "")


def link_of_finding(finding: Finding) -> str:
    """The link that a finding is about: an audience may be wrong in the provider, or in the trust policy."""
    link = link_of(finding.rule)
    return "trust-policy" if link == "audience" and finding.subject.kind in ("grant", "policy") else link


def _link(ident: str, verdict: Verdict, because: str, findings: Sequence[Finding] = (), settle: str = "") -> Link:
    sights = tuple(Sight(p.file, p.line, p.says) for f in findings for p in f.locations)
    return Link(ident, TITLES[ident], verdict, because, sights, settle)


def wrong_on(case: Case, ident: str) -> list[Finding]:
    """What the rules find wrong on a link; what is low weighs nothing here."""
    return [f for found in case.findings.values() for f in found if link_of_finding(f) == ident and f.severity != "low"]


def _unseen(ident: str, unknown: Unknown) -> Link:
    return _link(ident, "unknown", f"not given: {unknown.missing}", settle=unknown.how)


def _issuer(case: Case) -> Link:
    if case.issuer:
        return _link("issuer", "pass", f"it is https://{case.issuer}")
    if case.cluster and case.cluster.on_outpost:
        return _link("issuer", "fail", "local clusters on Outposts have none")
    return _link("issuer", "unknown", "the cluster was not given", settle="aws eks describe-cluster --name CLUSTER")


def _service_account(case: Case) -> Link:
    ident = "service-account"
    name = f"{case.namespace}/{case.service_account}"
    if case.account is None:
        if case.view.inventory.closed.has_kind(case.cluster_id, "serviceaccounts"):
            return _link(ident, "fail", f"there is no service account {name} in the cluster")
        return _link(
            ident,
            "unknown",
            f"{name} was not given",
            settle=f"kubectl get serviceaccount -n {case.namespace} {case.service_account} -o yaml",
        )
    wrong = wrong_on(case, ident)
    if wrong and not case.stated_role:
        return _link(ident, "fail", wrong[0].message, wrong[:1])
    if case.annotation or wrong_on(case, "request"):
        return _link(ident, "pass", f'{name} names "{case.annotation}"')
    if case.association:
        return _link(ident, "pass", f"{name} has a Pod Identity association and needs no annotation")
    if case.role:
        return _link(ident, "pass", f"{name} names none; the role is the one that was asked about")
    return _link(ident, "fail", f"{name} has no annotation eks.amazonaws.com/role-arn")


def _of_rules(ident: str, right: str) -> Callable[[Case], Link]:
    """A link about which rules over workloads say all that there is to say."""

    def link(case: Case) -> Link:
        wrong = wrong_on(case, ident)
        if wrong:
            return _link(ident, "fail", wrong[0].message, wrong)
        if not case.workloads:
            return _link(ident, "skipped", "no workload was given")
        missing = [m for m in case.missing if any(link_of(rule) == ident for rule in m.rules)]
        if missing:
            return _link(ident, "unknown", f"not given: {missing[0].missing}", settle=missing[0].how)
        return _link(ident, "pass", right)

    return link


def _request(case: Case) -> Link:
    wrong = wrong_on(case, "request")
    if wrong and not case.stated_role:
        return _link("request", "fail", wrong[0].message, wrong)
    if not case.role:
        return _link("request", "skipped", "no role is named")
    if case.role_arn is None:
        return _link("request", "fail", f'"{case.role}" is not the ARN of a role')
    return _link("request", "pass", f"{case.role} is the ARN of a role")


def _provider(case: Case) -> Link:
    if not case.role_arn:
        return _link("provider", "skipped", "no role is named")
    if not case.issuer:
        return _link("provider", "unknown", "the issuer is not known", settle="aws eks describe-cluster --name CLUSTER")
    account = case.role_arn.account
    if case.provider:
        return _link("provider", "pass", f"account {account} has {case.provider_arn}")
    if account in case.view.inventory.closed.providers:
        return _link("provider", "fail", f"account {account} has no provider for {case.issuer}", wrong_on(case, "provider"))
    return _unseen("provider", Unknown(f"OIDC providers of account {account}", "aws iam list-open-id-connect-providers"))


def _issuer_keys(case: Case) -> Link:
    wrong = [f for f in wrong_on(case, "issuer-keys") if f.severity != "low"]
    if wrong:
        return _link("issuer-keys", "fail", wrong[0].message, wrong)
    return _link("issuer-keys", "skipped", "the keys are for STS to fetch; nothing given speaks of them")


def _audience(case: Case) -> Link:
    audience = case.audience
    if isinstance(audience, Unknown):
        return _unseen("audience", audience)
    if case.provider is None:
        verdict: Verdict = "skipped" if not case.role_arn or case.provider_arn else "unknown"
        return _link("audience", verdict, "there is no provider to ask")
    ids = case.provider.client_ids
    if isinstance(ids, Unknown):
        return _unseen("audience", ids)
    if audience in ids:
        return _link("audience", "pass", f"{audience} is among its client ids")
    return _link(
        "audience",
        "fail",
        f"its client ids are {', '.join(ids) or 'none'}, the token is for {audience}",
        wrong_on(case, "audience"),
    )


def _role(case: Case) -> Link:
    if not case.role_arn:
        return _link("role", "skipped", "no role is named")
    if case.analysed:
        return _link("role", "pass", f"{case.role} is there")
    wrong = wrong_on(case, "role")
    if wrong:
        return _link("role", "fail", wrong[0].message, wrong)
    if case.view.inventory.closed.has_role(case.role_arn.account, case.role_arn.name.rpartition("/")[2]):
        return _link("role", "fail", f"account {case.role_arn.account} has no {case.role}")
    name = case.role_arn.name.rpartition("/")[2]
    return _unseen("role", Unknown(f"the role {case.role}", f"aws iam get-role --role-name {name}"))


def _trust_policy(case: Case) -> Link:
    ident = "trust-policy"
    if case.analysed is None:
        if not case.role_arn:
            return _link(ident, "skipped", "no role is named")
        name = case.role_arn.name.rpartition("/")[2]
        return _link(ident, "unknown", "the trust policy was not given", settle=f"aws iam get-role --role-name {name}")
    if case.analysed.policy is None:
        return _link(ident, "unknown", "the trust policy was not given")
    wrong = wrong_on(case, ident)
    refused = [finding for finding in wrong if finding.rule.startswith("policy-")]
    if not case.issuer:
        return _link(ident, "unknown", "the issuer is not known", settle="aws eks describe-cluster --name CLUSTER")
    if isinstance(case.audience, Unknown):
        return _unseen(ident, case.audience)
    found = case.analysed.by_provider.get(case.provider_arn)
    verdict = found.verdict(case.subject, case.audience) if found and not refused else Three.FAIL
    if verdict is Three.PASS:
        return _link(ident, "pass", f"it admits {case.subject} with the audience {case.audience}")
    if verdict is Three.UNKNOWN and found:
        hangs = ", ".join((*found.depends_on, *found.unseen, *found.contested)) or "what was not seen"
        return _link(ident, "unknown", f"it hangs on {hangs}", wrong)
    because = wrong[0].message if wrong else f"it does not admit {case.subject} with the audience {case.audience}"
    return _link(ident, "fail", because, wrong)


def _guardrails(case: Case) -> Link:
    wrong = wrong_on(case, "guardrails")
    if wrong:
        return _link("guardrails", "fail", wrong[0].message, wrong)
    account = case.role_arn.account if case.role_arn else ""
    if any(rcp.account in ("", account) for rcp in case.view.inventory.rcps):
        return _link("guardrails", "pass", "no resource control policy that was given forbids it")
    return _link("guardrails", "skipped", "no resource control policy was given")


def _pod_identity(case: Case) -> Link:
    wrong = [f for f in wrong_on(case, "pod-identity") if f.severity in ("critical", "high")]
    if wrong:
        return _link("pod-identity", "fail", wrong[0].message, wrong)
    if case.association:
        return _link("pod-identity", "pass", "an association names the same role")
    if case.cluster_id in case.view.inventory.closed.associations:
        return _link("pod-identity", "pass", "the service account has no association")
    return _link("pod-identity", "skipped", "no associations were given")


AFTER_REQUEST = ("provider", "audience", "role", "trust-policy")
"""links that STS does not come to where the request itself is refused"""


def walk(case: Case) -> list[Link]:
    """Every link of a case, in order."""
    links = [look(case) for look in LINKS]
    if any(link.id == "request" and link.verdict == "fail" for link in links):
        links = [
            _link(link.id, "skipped", "the request does not get that far") if link.id in AFTER_REQUEST else link
            for link in links
        ]
    return links


def _nothing(ident: str, because: str) -> Callable[[Case], Link]:
    return lambda case: _link(ident, "skipped", because)


LINKS: Sequence[Callable[[Case], Link]] = (
    _issuer,
    _service_account,
    _of_rules("workload", "it does"),
    _of_rules("webhook", "every container has what it injects, or will have"),
    _of_rules("token-volume", "a projected token for AWS"),
    _of_rules("token-file", "the file is where the environment says"),
    _of_rules("sdk", "nothing given comes before the web identity"),
    _of_rules("sts-endpoint", "nothing given leads it elsewhere"),
    _request,
    _provider,
    _issuer_keys,
    _nothing("signature", "no token was given"),
    _audience,
    _nothing("lifetime", "no token was given"),
    _role,
    _trust_policy,
    _guardrails,
    _nothing("session", "what the application asks for is not in any file"),
    _nothing("permissions", "permissions are not looked at"),
    _pod_identity,
)
