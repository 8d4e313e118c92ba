"""What an error message says: which failure modes it fits, whatever SDK printed it and whatever log it was pasted from.

STS's own texts: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from irsa_doctor.text.secrets import excerpt

Effect = Literal["broken", ""]
_LONGEST = 1 << 19
"""characters at either end of a text that are looked at: messages stand where a log begins or where it ends"""

# how far a request came that was answered so
_SENT = ("sdk", "sts-endpoint")
_ASKED = (*_SENT, "request")
_FOUND = (*_ASKED, "provider")
_ACCEPTED = (*_FOUND, "issuer-keys", "signature", "audience", "lifetime")
ASSUMED = (*_ACCEPTED, "role", "trust-policy", "guardrails", "session")


class Symptom(msgspec.Struct, frozen=True):
    """A kind of message that was seen: the modes that it fits, the likeliest first.

    `links` are those that it points at: the first fails by the letter, unless there are several; `passed` those that the
    message shows to have held. `effect`: broken where the workload does not get what it asks for. `proves` is a mode that
    the message alone proves, `says` what was read, without secrets; `details` are the parts of it that are compared with
    what is known.
    """

    id: str
    modes: tuple[str, ...]
    links: tuple[str, ...]
    effect: Effect = "broken"
    proves: str = ""
    says: str = ""
    passed: tuple[str, ...] = ()
    details: Mapping[str, str] = {}
    weak: bool = False


class _Kind(msgspec.Struct, frozen=True):
    """How a kind of message is known; groups of the pattern with a name are details. `weak`: it counts only where there is
    nothing better."""

    id: str
    pattern: str
    modes: str
    links: str
    passed: tuple[str, ...] = ()
    effect: Effect = "broken"
    proves: str = ""
    weak: bool = False


_DENIED = (
    "trust-sub-mismatch pod-wrong-sa sa-namespace-mismatch sa-helm-generated-name trust-stringequals-wildcard "
    "trust-principal-wrong-arn oidc-provider-stale-cluster trust-key-is-arn trust-key-has-scheme trust-key-missing-path "
    "trust-merged-clusters-and trust-action-assumerole trust-pod-identity-only trust-service-ec2-only role-missing "
    "role-arn-path-dropped trust-aud-mismatch trust-case rcp-principalorgid rcp-trusted-oidc-providers vpce-policy "
    "trust-unavailable-key trust-sourceip-vpc trust-deny-statement trust-deny-notlike-missing-key trust-eventual-consistency"
)
_NODE = (
    "imds-fallback-generic pod-older-than-annotation sa-annotation-missing sdk-too-old java-silent-fallback webhook-missing "
    "webhook-cache-race partial-env-role-only java-sts-module-missing static-keys-shadow explicit-profile-disables-env"
)
_NO_CREDENTIALS = (
    "sa-annotation-missing pod-older-than-annotation webhook-missing sdk-too-old webhook-cache-race java-sts-module-missing "
    "dotnet-sts-assembly-missing partial-env-token-only token-file-missing explicit-profile-disables-env"
)
_ARNS = "role-arn-malformed role-arn-is-policy-arn role-arn-unresolved-template role-arn-bare-name role-arn-wrong-partition"
_NEAR = r"[\s\S]{0,200}"
_CALL = "AssumeRoleWithWebIdentity"
_HOST = r"\bsts(?:-fips)?\.[\w.-]{0,60}(?:amazonaws|vpce)[\w.-]{0,40}"

_TABLE = (
    # what STS says, in the order in which it looks
    _Kind(
        "request-arn",
        r"Request ARN is invalid|(?:Value '(?P<value>[^'\n]{0,300})' at )?'roleArn' failed to satisfy",
        _ARNS,
        "request",
        _SENT,
    ),
    _Kind(
        "session-name",
        r"'roleSessionName' failed to satisfy",
        "session-name-invalid",
        "request",
        _SENT,
        "broken",
        "session-name-invalid",
    ),
    _Kind(
        "duration-range",
        r"'durationSeconds' failed to satisfy",
        "duration-out-of-range",
        "request",
        _SENT,
        "broken",
        "duration-out-of-range",
    ),
    _Kind(
        "token-shape",
        r"'webIdentityToken' failed to satisfy",
        "token-malformed token-env-holds-path-as-token",
        "request",
        _SENT,
    ),
    _Kind(
        "no-provider",
        r"No OpenIDConnect provider found in your account(?: for (?P<issuer>https?://[^\s\"'<>\\,;)]{1,300}))?",
        "oidc-provider-missing oidc-created-automatically-myth oidc-provider-other-account role-arn-wrong-account "
        "xacct-annotated-directly oidc-provider-stale-cluster oidc-url-mismatch oidc-url-dualstack sts-region-not-enabled "
        "pod-identity-assoc-race oidc-wrong-object-eks-idp-config token-from-other-cluster token-legacy-secret",
        "provider",
        _ASKED,
    ),
    _Kind(
        "audience",
        r"Incorrect token audience",
        "aud-not-in-clientids aud-china-suffix aud-regional-endpoint-confusion token-wrong-file aud-annotation-custom "
        "stale-aws-iam-token-volume aud-kops-amazonaws podid-aud-token-to-sts aud-invisible-char",
        "audience",
        _FOUND,
    ),
    _Kind(
        "keys",
        r"Couldn'?t retrieve verification key from your identity provider",
        "jwks-unreachable jwks-missing-kid issuer-discovery-incomplete idp-comm-error",
        "issuer-keys",
        _FOUND,
    ),
    _Kind(
        "thumbprint",
        r"HTTPS certificate doesn'?t match configured thumbprint",
        "jwks-thumbprint",
        "issuer-keys",
        _FOUND,
        "broken",
        "jwks-thumbprint",
    ),
    _Kind("too-old", r"Token too old", "token-too-old-iat token-stale-cached", "lifetime", _FOUND),
    _Kind(
        "expired",
        r"Token expired: current date/time\s*(?P<now>\d+) must be before the expiration date/time\s*(?P<end>\d+)"
        rf"|Token expired: current date/time|ExpiredTokenException|ExpiredToken\b{_NEAR}{_CALL}|{_CALL}{_NEAR}ExpiredToken\b",
        "token-stale-cached token-php-realpath-cache token-copied-subpath clock-skew",
        "lifetime",
        _FOUND,
    ),
    _Kind(
        "communication",
        r"IDPCommunicationError",
        "idp-comm-error jwks-unreachable",
        "issuer-keys",
        _FOUND,
        "broken",
        "idp-comm-error",
    ),
    _Kind("rejected", r"IDPRejectedClaim", "idp-rejected-claim", "signature", _FOUND, "broken", "idp-rejected-claim"),
    _Kind(
        "region",
        r"RegionDisabledException|STS is not activated in this region",
        "sts-region-not-enabled",
        "sts-endpoint",
        ("sdk",),
        "broken",
        "sts-region-not-enabled",
    ),
    _Kind(
        "action",
        r"Could not find operation AssumeRoleWithWebIdentity",
        "sts-wrong-custom-endpoint",
        "sts-endpoint",
        ("sdk",),
        "broken",
        "sts-wrong-custom-endpoint",
    ),
    _Kind(
        "duration",
        r"DurationSeconds exceeds the MaxSessionDuration",
        "duration-too-long",
        "session",
        _ASKED,
        "broken",
        "duration-too-long",
    ),
    _Kind(
        "chained-duration",
        r"DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        "chained-role-duration",
        "session",
        ASSUMED,
        "broken",
        "chained-role-duration",
    ),
    _Kind(
        "session-policy",
        rf"PackedPolicyTooLarge|{_CALL}{_NEAR}MalformedPolicyDocument|MalformedPolicyDocument{_NEAR}{_CALL}",
        "session-policy-bad",
        "session",
        _ASKED,
        "broken",
        "session-policy-bad",
    ),
    _Kind(
        "guardrail",
        rf"AssumeRoleWithWebIdentity{_NEAR}explicit deny in a resource control policy",
        "rcp-principalorgid rcp-trusted-oidc-providers",
        "guardrails",
        _ACCEPTED,
    ),
    _Kind(
        "denied",
        r"Not authorized to perform:? sts:AssumeRoleWithWebIdentity"
        rf"|WebIdentityErr{_NEAR}AccessDenied|AssumeRoleWithWebIdentity{_NEAR}AccessDenied"
        rf"|AccessDenied{_NEAR}AssumeRoleWithWebIdentity",
        _DENIED,
        "trust-policy role guardrails",
        _ACCEPTED,
    ),
    # what else stops a credential on its way
    _Kind(
        "mount",
        r"may not specify a duration less than 10 minutes|expirationSeconds[^\n]{0,80}less than",
        "token-expiration-too-short",
        "token-volume",
        (),
        "broken",
        "token-expiration-too-short",
    ),
    _Kind("volume", r"MountVolume\.SetUp failed", "token-expiration-too-short mount-missing", "token-volume"),
    _Kind(
        "token-denied",
        r"token[\"'\n:]?[^\n]{0,40}permission denied|permission denied[^\n]{0,120}token"
        # as Java and .NET say it
        r"|AccessDeniedException: [^\s\"']{0,200}/token|Access to the path '[^'\n]{0,200}/token' is denied",
        "token-file-perm-denied",
        "token-file",
        (),
        "broken",
        "token-file-perm-denied",
    ),
    _Kind(
        "php-stream",
        r"file_get_contents\([^)\n]{0,200}token\): failed to open stream: No such file",
        "token-php-realpath-cache token-file-missing mount-missing mount-name-collision partial-env-token-only",
        "token-file",
    ),
    _Kind(
        "token-missing",
        r"no such file or directory[^\n]{0,160}token|token(?!\): failed to open)[^\n]{0,80}no such file"
        r"|Error reading WebIdentityTokenFile|MissingWebIdentityTokenFile|NoSuchFileException: [^\s\"']{0,200}/token"
        r"|Could not find file '[^'\n]{0,200}/token'",
        "token-file-missing mount-missing mount-name-collision token-php-realpath-cache partial-env-token-only",
        "token-file",
    ),
    _Kind(
        "php-path",
        r"'WebIdentityTokenFile' must be an absolute path",
        "token-path-relative",
        "token-file",
        (),
        "broken",
        "token-path-relative",
    ),
    _Kind(
        "half-set",
        r"configured to assume role with web identity but has no role ARN|role ARN is not set",
        "partial-env-token-only",
        "webhook",
        (),
        "broken",
        "partial-env-token-only",
    ),
    _Kind(
        "java",
        r"'sts' service module must be on the class ?path|aws-java-sdk-sts module must be",
        "java-sts-module-missing",
        "sdk",
        (),
        "broken",
        "java-sts-module-missing",
    ),
    _Kind(
        "dotnet",
        r"AWSSDK\.SecurityToken could not be found",
        "dotnet-sts-assembly-missing",
        "sdk",
        (),
        "broken",
        "dotnet-sts-assembly-missing",
    ),
    _Kind(
        "not-mutated",
        r"Pod was not mutated",
        "sa-annotation-missing webhook-cache-race cm-wildcard-unsupported",
        "webhook",
    ),
    _Kind(
        "arn-of-webhook",
        r"arn is invalid: ",
        _ARNS,
        "request",
    ),
    _Kind(
        "agent",
        r"169\.254\.170\.23[^\n]{0,160}(?:refused|timed? ?out|unreachable|deadline)|only loopback hosts are allowed"
        r"|(?:refused|timed? ?out|unreachable|Could not connect)[^\n]{0,80}(?:169\.254\.170\.23|\[fd00:ec2::23\])",
        "podid-agent-missing podid-sdk-too-old podid-unsupported-node",
        "pod-identity",
    ),
    _Kind(
        "agent-denied",
        rf"AssumeRoleForPodIdentity{_NEAR}AccessDenied|EKS does not have permissions to assume the associated role",
        "podid-tagsession trust-irsa-only-for-pod-identity",
        "pod-identity",
    ),
    _Kind(
        "certificate",
        # Python, Go, Java, Node.js
        r"hostname 'sts\.amazonaws\.com' doesn'?t match"
        r"|certificate is valid for [^\n]{0,300}\bsts\.[^\n]{0,300}, not sts\.amazonaws\.com"
        r"|Certificate for <sts\.amazonaws\.com> doesn'?t match"
        r"|Host: sts\.amazonaws\.com\. is not in the cert's altnames",
        "sts-cname-hack",
        "sts-endpoint",
        ("sdk",),
        "broken",
        "sts-cname-hack",
    ),
    _Kind(
        "proxy",
        rf"(?:Failed to connect to proxy URL|Tunnel connection failed|proxyconnect tcp|upstream connect error){_NEAR}{_HOST}"
        rf"|{_HOST}{_NEAR}(?:Tunnel connection failed|proxyconnect tcp|upstream connect error)"
        rf"|{_HOST}{_NEAR}(?:x509: certificate signed by unknown authority|CERTIFICATE_VERIFY_FAILED|self.signed certificate"
        r"|PKIX path building failed)",
        "proxy-or-mesh-blocks-sts sts-cname-hack sts-wrong-custom-endpoint",
        "sts-endpoint",
        ("sdk",),
    ),
    _Kind(
        "name",
        rf"{_HOST}: no such host|lookup {_HOST}[^\n]{{0,80}}(?:no such host|timeout|server misbehaving|refused)"
        rf"|getaddrinfo (?:ENOTFOUND|EAI_AGAIN) {_HOST}|UnknownHostException: {_HOST}|Could not resolve host: {_HOST}"
        rf"|Failed to resolve '{_HOST}|{_HOST}[^\n]{{0,160}}(?:name resolution|Name or service not known)",
        "dns-broken sts-global-blocked proxy-or-mesh-blocks-sts sts-wrong-custom-endpoint",
        "sts-endpoint",
        ("sdk",),
    ),
    _Kind(
        "endpoint",
        rf"Could not connect to the endpoint URL: \"?https://{_HOST}|dial tcp[^\n]{{0,80}}(?:{_HOST})"
        rf"|HTTPS connection \(\d+\): {_HOST}|{_HOST}[^\n]{{0,160}}(?:timed? ?out|timeout|connection refused)"
        rf"|EndpointConnectionError(?!: Could not connect)|Connect timeout on endpoint URL: \"?https://{_HOST}",
        "sts-global-blocked proxy-or-mesh-blocks-sts dns-broken sts-cname-hack",
        "sts-endpoint",
        ("sdk",),
    ),
    _Kind(
        "scope",
        r"Credential should be scoped to a valid region",
        "sts-scope-mismatch",
        "sts-endpoint",
        (),
        "broken",
        "sts-scope-mismatch",
    ),
    _Kind(
        "client-token",
        r"InvalidClientTokenId|security token included in the request is invalid",
        "region-missing static-keys-shadow",
        "sts-endpoint",
    ),
    _Kind(
        "stale-session",
        r"security token included in the request is expired",
        "token-stale-cached static-keys-shadow",
        "lifetime",
    ),
    _Kind("throttled", r"Throttling|Rate exceeded", "sts-throttled", "sts-endpoint", (), ""),
    # what IAM and EKS say when things are made
    _Kind("quota", r"ACLSizePerRole", "trust-size-limit trust-wrong-document", "trust-policy", (), ""),
    _Kind("providers", r"OpenIdConnectProvidersPerAccount", "oidc-limit-100", "provider", (), "", "oidc-limit-100"),
    _Kind(
        "federated",
        r"Federated principals must be valid",
        "trust-principal-url-not-arn trust-principal-wrong-arn",
        "trust-policy",
        (),
        "",
    ),
    _Kind(
        "principal",
        r"Invalid principal in policy|contained an invalid principal",
        "trust-principal-type-aws policy-refused",
        "trust-policy",
        (),
        "",
    ),
    _Kind(
        "refused",
        r"MalformedPolicyDocument",
        "policy-refused trust-principal-url-not-arn trust-wrong-document",
        "trust-policy",
        (),
        "",
        "",
        True,
    ),
    _Kind(
        "idp-config",
        r"Identity Provider URL cannot be same as",
        "oidc-wrong-object-eks-idp-config",
        "provider",
        (),
        "",
        "oidc-wrong-object-eks-idp-config",
    ),
    _Kind("nxdomain", r"oidc\.eks[^\n]{0,160}(?:no such host|NXDOMAIN)", "oidc-create-nxdomain", "issuer-keys", (), ""),
    _Kind(
        "create-denied",
        r"not authorized to perform:? iam:CreateOpenIDConnectProvider",
        "oidc-create-blocked",
        "provider",
        (),
        "",
    ),
    # what SDKs say of themselves: it counts where nobody said more
    _Kind(
        "identity-token",
        r"InvalidIdentityToken|web identity token (?:that was passed |provided )?could not be validated",
        "token-malformed token-env-holds-path-as-token alg-unsupported aud-not-in-clientids oidc-provider-missing",
        "request provider issuer-keys signature audience",
        _SENT,
        "broken",
        "",
        True,
    ),
    _Kind(
        "validation",
        rf"Validation(?:Error|Exception)\b{_NEAR}{_CALL}|{_CALL}{_NEAR}Validation(?:Error|Exception)\b",
        f"{_ARNS} session-name-invalid duration-too-long duration-out-of-range",
        "request session",
        _SENT,
        "broken",
        "",
        True,
    ),
    _Kind(
        "denied",
        rf"AssumeRoleWithWebIdentity{_NEAR}(?:Status ?Code:? 403|\bdenied\b)",
        _DENIED,
        "trust-policy role guardrails",
        _ACCEPTED,
        "broken",
        "",
        True,
    ),
    _Kind(
        "no-credentials",
        r"Unable to locate credentials|NoCredentialProviders|Missing credentials in config|no EC2 IMDS role found"
        r"|Could not load credentials from any providers|Unable to load (?:AWS )?credentials from any|NoCredentialsError"
        r"|failed to find credentials|no valid providers in chain|Unable to get IAM security credentials"
        r"|no valid credential sources|EC2MetadataError|Unable to contact EC2 metadata|Failed to contact EC2 instance metadata",
        _NO_CREDENTIALS,
        "sdk service-account webhook token-file",
        (),
        "broken",
        "",
        True,
    ),
    _Kind(
        "profile",
        r"config profile \([^)\n]{0,100}\) could not be found|failed to get shared config profile",
        "explicit-profile-disables-env shared-config-shadow",
        "sdk",
        (),
        "broken",
        "",
        True,
    ),
    _Kind(
        "web-identity",
        r"WebIdentityErr|Error assuming role from web identity|failed to refresh cached credentials"
        r"|WebIdentityToken[^\n]{0,80}failed",
        "trust-sub-mismatch oidc-provider-missing aud-not-in-clientids role-arn-malformed token-file-perm-denied "
        "token-file-missing role-missing trust-stringequals-wildcard",
        "trust-policy provider audience request token-file",
        (),
        "broken",
        "",
        True,
    ),
    _Kind(
        "access-denied",
        r"(?<!nio\.file\.)Access ?Denied|not authorized|StatusCode: 403|Status Code: 403",
        f"{_DENIED} perm-denied-after-assume imds-fallback-generic",
        "trust-policy role guardrails permissions",
        (),
        "broken",
        "",
        True,
    ),
)
_COMPILED = tuple((kind, re.compile(kind.pattern, re.IGNORECASE)) for kind in _TABLE)

# a session that is not allowed something
_SESSION = re.compile(
    r"arn:[\w-]{3,20}:sts::(?P<account>\w{1,20})"
    r"(?::assumed-role/(?P<caller>[\w+=,.@-]{1,64})/(?P<session>[^\s\"']{1,64})|:\S{0,200})?"
    r"\s+is not authorized to perform:?\s+(?P<action>[\w-]{1,64}:\w{1,64})"
    r"(?:\s+on resource:?\s+[\"']?(?P<resource>arn:[^\s\"']{1,2048}))?",
    re.IGNORECASE,
)
_ABOVE = re.compile(
    r"no permissions boundary allows|explicit deny in a (?:service control policy|permissions boundary)", re.IGNORECASE
)


def symptoms_in(text: str) -> tuple[Symptom, ...]:
    """Every kind of message in a text, in the order of the table: what STS says itself goes before what SDKs make of it."""
    if len(text) > 2 * _LONGEST:
        text = text[:_LONGEST] + "\n" + text[-_LONGEST:]
    strong = [*_of_table(text, weak=False), *_of_sessions(text)]
    return tuple(strong or [*_of_table(text, weak=True)][:1])


def _of_table(text: str, *, weak: bool) -> Iterator[Symptom]:
    for kind, pattern in _COMPILED:
        if kind.weak == weak and (match := pattern.search(text)):
            details = {name: value for name, value in match.groupdict().items() if value}
            yield Symptom(
                kind.id,
                tuple(kind.modes.split()),
                tuple(kind.links.split()),
                kind.effect,
                kind.proves,
                excerpt(match[0]),
                kind.passed,
                details,
                weak,
            )


def _of_sessions(text: str) -> Iterator[Symptom]:
    """Sessions that are not allowed something: which session it is says how far the web identity came. Each kind once."""
    seen = set()
    for match in _SESSION.finditer(text):
        if match["action"].lower() == "sts:assumerolewithwebidentity":
            continue
        found = _of_session(match, bool(_ABOVE.search(text, match.end(), match.end() + 400)))
        if found.id not in seen:
            seen.add(found.id)
            yield found


def _of_session(match: re.Match[str], above: bool) -> Symptom:
    caller, session, action = match["caller"] or "", match["session"] or "", match["action"].lower()
    details = {"role": caller, "session": session, "account": match["account"], "resource": match["resource"] or ""}
    says = excerpt(match[0])
    if re.match(r"i-[0-9a-f]+", session):
        return Symptom("node-role", tuple(_NODE.split()), ("sdk",), "broken", "", says, (), details)
    if action == "sts:assumerole":
        chain = ("xacct-chain-missing", "double-assume-self")
        if not caller:
            return Symptom("assume-role", (*chain, "imds-fallback-generic"), ("permissions",), "broken", "", says, (), details)
        if _is_itself(details):
            return Symptom("assume-self", chain[::-1], ("permissions",), "broken", "double-assume-self", says, ASSUMED, details)
        return Symptom("assume-role", chain, ("permissions",), "broken", "", says, ASSUMED, details)
    if not caller:
        return Symptom("session", ("perm-denied-after-assume",), ("permissions",), "broken", "", says, (), details)
    mode = "boundary-or-scp-after-assume" if above else "perm-denied-after-assume"
    return Symptom("permission", (mode,), ("permissions",), "broken", mode, says, ASSUMED, details)


def _is_itself(details: Mapping[str, str]) -> bool:
    """Whether a role is told not to assume itself; the session names no path, and some write the ARN with a colon too many."""
    resource = details["resource"]
    return re.split(r"[/:]", resource)[-1] == details["role"] and f":{details['account']}:" in resource
