"""The links by name: what each says, which failure modes belong to it, and what looking at one gives."""

from collections.abc import Iterable, Mapping

import msgspec

from irsa_doctor.answers.why.records import Certainty, Verdict
from irsa_doctor.model import Unknown
from irsa_doctor.model.findings import Finding, Location

TITLES: Mapping[str, str] = {
    "issuer": "the issuer of the cluster is known",
    "service-account": "the service account names a role",
    "workload": "the workload uses the service account",
    "webhook": "the webhook sets up the pod",
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
"""in the order in which a credential travels"""

# failure modes by the link that they belong to; a rule that is not here says nothing of why a credential fails
LINK_OF: Mapping[str, str] = {
    mode: link
    for link, modes in {
        "service-account": "sa-annotation-missing sa-annotation-key-typo sa-annotation-on-pod service-account-missing",
        "workload": "pod-wrong-sa workload-missing",
        "webhook": (
            "webhook-missing no-webhook-cluster webhook-optout-label skip-containers-unintended pod-older-than-annotation "
            "webhook-cache-race annotation-drift windows-nodeaffinity late-injected-sidecar static-or-mirror-pod "
            "manual-env-conflicts-annotation cm-wildcard-unsupported partial-env-role-only partial-env-token-only "
            "webhook-ignored-failure native-sidecar-dropped ephemeral-container"
        ),
        "token-volume": "stale-aws-iam-token-volume mount-name-collision mount-missing token-expiration-too-short",
        "token-file": (
            "token-file-missing token-file-perm-denied token-path-relative token-copied-subpath token-php-realpath-cache "
            "token-wrong-file podid-aud-token-to-sts"
        ),
        "sdk": (
            "static-keys-shadow shared-config-shadow sdk-too-old java-sts-module-missing java-silent-fallback "
            "dotnet-sts-assembly-missing explicit-profile-disables-env imds-fallback-generic"
        ),
        "sts-endpoint": (
            "sts-global-blocked sts-wrong-custom-endpoint sts-cname-hack proxy-or-mesh-blocks-sts dns-broken "
            "sts-region-not-enabled sts-scope-mismatch sts-throttled region-missing sts-regional-annot-invalid"
        ),
        "request": (
            "role-arn-malformed role-arn-is-policy-arn role-arn-unresolved-template role-arn-bare-name "
            "role-arn-wrong-partition "
            "session-name-invalid duration-out-of-range token-malformed token-env-holds-path-as-token sub-too-long"
        ),
        "provider": (
            "oidc-provider-missing oidc-created-automatically-myth oidc-url-mismatch oidc-url-dualstack "
            "xacct-annotated-directly oidc-wrong-object-eks-idp-config token-from-other-cluster token-legacy-secret "
            "oidc-limit-100 oidc-create-blocked"
        ),
        "issuer-keys": ("jwks-unreachable jwks-thumbprint issuer-discovery-incomplete idp-comm-error oidc-create-nxdomain"),
        "signature": "jwks-missing-kid alg-unsupported idp-rejected-claim",
        "audience": (
            "aud-not-in-clientids aud-china-suffix aud-regional-endpoint-confusion aud-invisible-char aud-annotation-custom "
            "aud-kops-amazonaws"
        ),
        "lifetime": "token-stale-cached clock-skew token-too-old-iat",
        "role": "role-missing role-arn-path-dropped role-arn-wrong-account",
        "trust-policy": (
            "trust-sub-mismatch sa-namespace-mismatch sa-helm-generated-name two-sas-one-annotation "
            "oidc-provider-stale-cluster oidc-provider-other-account trust-pod-identity-only trust-service-ec2-only "
            "policy-refused policy-duplicate-member policy-contested trust-eventual-consistency trust-overwritten-by-controller"
        ),
        "guardrails": "rcp-principalorgid rcp-trusted-oidc-providers vpce-policy scp-on-assume",
        "session": "duration-too-long session-policy-bad chained-role-duration",
        "permissions": "perm-denied-after-assume boundary-or-scp-after-assume double-assume-self xacct-chain-missing",
        "pod-identity": (
            "podid-wins podid-tagsession trust-irsa-only-for-pod-identity podid-unsupported-node podid-agent-missing "
            "podid-chain-order pod-identity-assoc-race podid-sdk-too-old"
        ),
    }.items()
    for mode in modes.split()
}


def link_of(mode: str) -> str:
    """The link that a failure mode belongs to, "" where none; every other trust rule is about the trust policy."""
    return LINK_OF.get(mode, "trust-policy" if mode.startswith("trust-") else "")


def link_of_finding(finding: Finding) -> str:
    """The link that a finding is about: an audience may be wrong in the provider, or in the trust policy."""
    link = link_of(finding.rule)
    return "trust-policy" if link == "audience" and finding.subject.kind in ("grant", "policy") else link


class Named(msgspec.Struct, frozen=True):
    """A failure mode with how sure it is, and the finding that tells of it, where a rule does."""

    id: str
    certainty: Certainty = "certain"
    because: str = ""
    finding: Finding | None = None
    places: tuple[Location, ...] = ()


class Step(msgspec.Struct, frozen=True):
    """What looking at one link gave: the verdict, why, the causes in order, and the command that would tell more."""

    id: str
    verdict: Verdict
    because: str
    causes: tuple[Named, ...] = ()
    settle: str = ""
    places: tuple[Location, ...] = ()


def passed(ident: str, because: str) -> Step:
    """The link holds."""
    return Step(ident, "pass", because)


def skipped(ident: str, because: str) -> Step:
    """There is nothing to look at, or no use in looking."""
    return Step(ident, "skipped", because)


def unseen(ident: str, unknown: Unknown, causes: tuple[Named, ...] = ()) -> Step:
    """What it takes to tell was not given."""
    return Step(ident, "unknown", f"not given: {unknown.missing}", causes, unknown.how)


def failed(ident: str, because: str, *causes: Named) -> Step:
    """The link does not hold."""
    # the check that failed, where it is known, then all that the finding points at
    places = tuple(place for cause in causes for place in (*cause.places, *(cause.finding.locations if cause.finding else ())))
    return Step(ident, "fail", because, causes, "", tuple(dict.fromkeys(places)))


def named_by(findings: Iterable[Finding]) -> tuple[Named, ...]:
    """Findings as proved causes, each mode once."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.rule, finding)
    return tuple(Named(rule, "certain", finding.message, finding) for rule, finding in first.items())
