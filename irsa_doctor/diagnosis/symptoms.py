"""What an error message says: which failure modes it fits, whatever SDK printed it and whatever log it was pasted from.

STS's own texts: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

import re
from typing import Literal

import msgspec

Effect = Literal["broken", "works", ""]
_LONGEST = 1 << 20


class Symptom(msgspec.Struct, frozen=True):
    """A kind of message: the modes that it fits, the likeliest first. `links` are those that it points at.

    `effect`: the credential is not given at all (broken), it is given and something later fails (works), or neither is said.
    `proves` is a mode that the message alone proves.
    """

    id: str
    text: str
    modes: tuple[str, ...]
    links: tuple[str, ...]
    effect: Effect = "broken"
    proves: str = ""


_SELF = re.compile(
    r"arn:[\w-]+:sts::(?P<account>\w+):assumed-role/(?P<caller>[\w+=,.@-]+)/(?P<session>[^\s\"']+)\s+"
    r"is not authorized to perform:?\s+"
    r"(?P<action>[\w-]+:\w+)(?:\s+on resource:?\s+(?P<resource>arn:[^\s\"']+))?",
    re.IGNORECASE,
)
_CHAIN = re.compile(r"is not authorized to perform:?\s+sts:AssumeRole\b(?!With)", re.IGNORECASE)
_NODE_CAUSES = (
    "imds-fallback-generic",
    "pod-older-than-annotation",
    "sdk-too-old",
    "sa-annotation-missing",
    "webhook-missing",
    "partial-env-role-only",
    "java-silent-fallback",
    "java-sts-module-missing",
)
_NO_CREDENTIALS = (
    "sa-annotation-missing",
    "pod-older-than-annotation",
    "sdk-too-old",
    "webhook-missing",
    "partial-env-token-only",
    "java-sts-module-missing",
    "dotnet-sts-assembly-missing",
)
_NO_FILE = ("token-file-missing", "mount-missing", "mount-name-collision", "token-php-realpath-cache")
_DENIED = (
    "trust-sub-mismatch",
    "trust-stringequals-wildcard",
    "trust-principal-wrong-arn",
    "oidc-provider-stale-cluster",
    "trust-key-is-arn",
    "trust-key-has-scheme",
    "trust-merged-clusters-and",
    "trust-action-assumerole",
    "trust-pod-identity-only",
    "trust-service-ec2-only",
    "role-missing",
    "role-arn-path-dropped",
    "trust-aud-mismatch",
    "trust-case",
    "rcp-principalorgid",
    "vpce-policy",
    "trust-unavailable-key",
    "trust-sourceip-vpc",
    "trust-deny-statement",
    "trust-eventual-consistency",
)
_TABLE: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...], Effect], ...] = (
    (
        "request-arn",
        r"Request ARN is invalid|'roleArn' failed to satisfy",
        (
            "role-arn-malformed",
            "role-arn-is-policy-arn",
            "role-arn-unresolved-template",
            "role-arn-bare-name",
            "role-arn-wrong-partition",
        ),
        ("request",),
        "broken",
    ),
    ("duration", r"DurationSeconds exceeds the MaxSessionDuration", ("duration-too-long",), ("session",), "broken"),
    ("duration-range", r"'durationSeconds' failed to satisfy", ("duration-out-of-range",), ("request",), "broken"),
    ("session-name", r"'roleSessionName' failed to satisfy", ("session-name-invalid",), ("request",), "broken"),
    (
        "no-provider",
        r"No OpenIDConnect provider found in your account",
        (
            "oidc-provider-missing",
            "oidc-created-automatically-myth",
            "oidc-provider-other-account",
            "role-arn-wrong-account",
            "xacct-annotated-directly",
            "oidc-provider-stale-cluster",
            "oidc-url-mismatch",
            "oidc-url-dualstack",
            "sts-region-not-enabled",
            "pod-identity-assoc-race",
            "oidc-wrong-object-eks-idp-config",
            "token-from-other-cluster",
        ),
        ("provider",),
        "broken",
    ),
    (
        "audience",
        r"Incorrect token audience",
        (
            "aud-not-in-clientids",
            "aud-regional-endpoint-confusion",
            "aud-china-suffix",
            "token-wrong-file",
            "aud-annotation-custom",
            "stale-aws-iam-token-volume",
            "aud-kops-amazonaws",
            "podid-aud-token-to-sts",
            "aud-invisible-char",
        ),
        ("audience",),
        "broken",
    ),
    (
        "keys",
        r"Couldn't retrieve verification key from your identity provider",
        ("jwks-unreachable", "jwks-missing-kid", "issuer-discovery-incomplete", "idp-comm-error"),
        ("issuer-keys", "signature"),
        "broken",
    ),
    ("thumbprint", r"HTTPS certificate doesn't match configured thumbprint", ("jwks-thumbprint",), ("issuer-keys",), "broken"),
    (
        "expired",
        r"Token expired: current date/time|ExpiredTokenException|Token too old",
        ("token-stale-cached", "token-php-realpath-cache", "token-copied-subpath", "clock-skew", "token-too-old-iat"),
        ("lifetime",),
        "broken",
    ),
    ("communication", r"IDPCommunicationError", ("idp-comm-error", "jwks-unreachable"), ("issuer-keys",), "broken"),
    ("rejected", r"IDPRejectedClaim", ("idp-rejected-claim",), ("signature",), "broken"),
    (
        "region",
        r"RegionDisabledException|STS is not activated in this region",
        ("sts-region-not-enabled",),
        ("sts-endpoint",),
        "broken",
    ),
    (
        "action",
        r"InvalidAction|Could not find operation AssumeRoleWithWebIdentity",
        ("sts-wrong-custom-endpoint",),
        ("sts-endpoint",),
        "broken",
    ),
    ("scope", r"Credential should be scoped to a valid region", ("sts-scope-mismatch",), ("sts-endpoint",), ""),
    ("client-token", r"InvalidClientTokenId", ("region-missing",), ("sts-endpoint",), ""),
    (
        "denied",
        (
            r"Not authorized to perform:? sts:AssumeRoleWithWebIdentity|WebIdentityErr[\s\S]{0,200}AccessDenied"
            r"|AssumeRoleWithWebIdentity[\s\S]{0,200}AccessDenied|AccessDenied[\s\S]{0,120}AssumeRoleWithWebIdentity"
        ),
        _DENIED,
        ("role", "trust-policy", "guardrails"),
        "broken",
    ),
    (
        "identity-token",
        r"InvalidIdentityToken",
        ("token-malformed", "token-env-holds-path-as-token", "alg-unsupported"),
        ("request", "signature", "issuer-keys"),
        "broken",
    ),
    (
        "java",
        r"'sts' service module must be on the class path|aws-java-sdk-sts module must be",
        ("java-sts-module-missing",),
        ("sdk",),
        "broken",
    ),
    ("dotnet", r"AWSSDK\.SecurityToken could not be found", ("dotnet-sts-assembly-missing",), ("sdk",), "broken"),
    (
        "botocore-role",
        r"configured to assume role with web identity but has no role ARN|role ARN is not set",
        ("partial-env-token-only",),
        ("token-file",),
        "broken",
    ),
    ("php-path", r"must be an absolute path", ("token-path-relative",), ("token-file",), "broken"),
    (
        "token-denied",
        r"token: permission denied|permission denied[^\n]*token",
        ("token-file-perm-denied",),
        ("token-file",),
        "broken",
    ),
    (
        "token-missing",
        r"no such file or directory[^\n]*token|token[^\n]*no such file",
        _NO_FILE,
        ("token-file", "token-volume"),
        "broken",
    ),
    ("mount", r"MountVolume\.SetUp failed", ("token-expiration-too-short", "mount-missing"), ("token-volume",), "broken"),
    (
        "not-mutated",
        r"Pod was not mutated",
        ("sa-annotation-missing", "webhook-cache-race", "cm-wildcard-unsupported"),
        ("service-account", "webhook"),
        "broken",
    ),
    (
        "agent",
        r"169\.254\.170\.23|only loopback hosts are allowed",
        ("podid-agent-missing", "podid-unsupported-node"),
        ("pod-identity",),
        "broken",
    ),
    ("throttled", r"Throttling|Rate exceeded", ("sts-throttled",), ("sts-endpoint",), ""),
    (
        "certificate",
        r"hostname 'sts\.amazonaws\.com' doesn't match",
        ("sts-cname-hack",),
        ("sts-endpoint",),
        "broken",
    ),
    (
        "endpoint",
        (
            r"Could not connect to the endpoint URL: \"?https://sts|EndpointConnectionError|sts[\w.-]*: no such host"
            r"|dial tcp[^\n]*sts|HTTPS connection \(1\): sts|sts[\w.-]*[^\n]*(?:timed? ?out|connection refused)"
        ),
        ("sts-global-blocked", "proxy-or-mesh-blocks-sts", "dns-broken", "sts-cname-hack"),
        ("sts-endpoint",),
        "broken",
    ),
    (
        "no-credentials",
        (
            r"Unable to locate credentials|NoCredentialProviders|Missing credentials in config|no EC2 IMDS role found"
            r"|Could not load credentials from any providers|Unable to load credentials from any of the providers"
        ),
        _NO_CREDENTIALS,
        ("service-account", "webhook", "token-file", "sdk"),
        "broken",
    ),
    ("quota", r"ACLSizePerRole", ("trust-size-limit", "trust-wrong-document"), ("trust-policy",), ""),
    ("providers", r"OpenIdConnectProvidersPerAccount", ("oidc-limit-100",), ("provider",), ""),
    ("federated", r"Federated principals must be valid", ("trust-principal-url-not-arn",), ("trust-policy",), ""),
    ("principal", r"Invalid principal in policy", ("trust-principal-type-aws",), ("trust-policy",), ""),
    ("idp-config", r"Identity Provider URL cannot be same as", ("oidc-wrong-object-eks-idp-config",), ("provider",), ""),
    ("nxdomain", r"oidc\.eks[\w.-]*[^\n]*(?:no such host|NXDOMAIN)", ("oidc-create-nxdomain",), ("issuer-keys",), ""),
)
_COMPILED = tuple(
    (ident, re.compile(pattern, re.IGNORECASE), modes, links, effect) for ident, pattern, modes, links, effect in _TABLE
)
_PROBLEM_AFTER = re.compile(r"because no permissions boundary allows|explicit deny in a service control policy", re.IGNORECASE)


def symptoms_in(text: str) -> tuple[Symptom, ...]:
    """Every kind of message in a text, in the order of the table: what STS says itself goes before what SDKs make of it."""
    text = text[:_LONGEST]
    found: list[Symptom] = []
    caller = _SELF.search(text)
    if caller or _CHAIN.search(text):
        found.append(_of_caller(caller))
    for ident, pattern, modes, links, effect in _COMPILED:
        if pattern.search(text):
            found.append(Symptom(ident, "", modes, links, effect))
    return tuple(found)


def _of_caller(match: re.Match[str] | None) -> Symptom:
    """A session that is not allowed something: which session it is says how far the web identity came."""
    if match is None:
        modes = ("xacct-chain-missing", "double-assume-self", "imds-fallback-generic")
        return Symptom("assume-role", "", modes, ("permissions", "sdk"), "broken")
    action, resource = match["action"].lower(), match["resource"] or ""
    node = match["session"].startswith("i-")
    if node:
        return Symptom("node-role", "", _NODE_CAUSES, ("service-account", "webhook", "token-file", "sdk"), "")
    if action == "sts:assumerole":
        itself = resource.rpartition("/")[2] == match["caller"] and f":{match['account']}:" in resource
        if itself:
            return Symptom(
                "assume-self",
                "",
                ("double-assume-self", "xacct-chain-missing"),
                ("permissions",),
                "broken",
                "double-assume-self",
            )
        return Symptom("assume-role", "", ("xacct-chain-missing", "double-assume-self"), ("permissions",), "broken")
    denied_above = _PROBLEM_AFTER.search(match.string)
    first = "boundary-or-scp-after-assume" if denied_above else "perm-denied-after-assume"
    return Symptom("permission", "", (first, "perm-denied-after-assume"), ("permissions",), "works")
