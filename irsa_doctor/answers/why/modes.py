"""Failure modes that no rule can see in files: told by a symptom, a token or an event. The others are rules."""

from collections.abc import Mapping
from functools import cache

import msgspec

from irsa_doctor.rulebook.rules import shipped_rules


class Mode(msgspec.Struct, frozen=True):
    """One way to fail: what it is, what to do, and the command that tells whether it is this one."""

    id: str
    title: str
    remedy: str
    settle: str = ""
    url: str = ""
    """`settle` has words in capitals for what is known of a case: NAMESPACE, ROLE_NAME, ..."""


_EKS = "https://docs.aws.amazon.com/eks/latest/userguide/"
_SDKS = _EKS + "iam-roles-for-service-accounts-minimum-sdk.html"
_STS = "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html"
_WEBHOOK = "https://github.com/aws/amazon-eks-pod-identity-webhook"
_CALLER = "kubectl exec -n NAMESPACE POD -- aws sts get-caller-identity"
_TRAIL = "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRoleWithWebIdentity"

_MODES = (
    Mode("service-account-missing", "The service account does not exist", "Create the service account, with its annotation."),
    Mode(
        "workload-missing",
        "The workload does not exist",
        "Name one that does.",
        "kubectl get all -n NAMESPACE",
    ),
    Mode(
        "oidc-created-automatically-myth",
        "The issuer of the cluster is there, its provider in IAM is not",
        "Create the OIDC provider in IAM: EKS makes the issuer, nobody makes the provider.",
        "aws iam list-open-id-connect-providers",
        _EKS + "enable-iam-roles-for-service-accounts.html",
    ),
    Mode(
        "xacct-annotated-directly",
        "The role of another account is annotated, where only a chain leads to it",
        "Create the provider in the account of the role, or annotate the role of this account and chain from it.",
        "aws iam list-open-id-connect-providers",
        _EKS + "cross-account-access.html",
    ),
    Mode(
        "sts-region-not-enabled",
        "The STS endpoint is in a region that is not enabled in the account of the role",
        "Use an endpoint in an enabled region, or enable the region.",
        "aws account list-regions --region-opt-status-contains ENABLED ENABLED_BY_DEFAULT",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html",
    ),
    Mode(
        "oidc-wrong-object-eks-idp-config",
        "An identity provider of the cluster was configured in place of one in IAM",
        "Create the OIDC provider in IAM; the configuration of the cluster is for users who log in to it.",
        "aws eks list-identity-provider-configs --cluster-name CLUSTER",
    ),
    Mode(
        "token-from-other-cluster",
        "The token is of another cluster",
        "Use the token of the cluster that the role trusts.",
        "irsa-doctor why --token FILE",
    ),
    Mode(
        "token-legacy-secret",
        "The token is a legacy one out of a Secret",
        "Use a projected token, as the webhook mounts it: legacy tokens name no issuer that AWS could ask.",
        "irsa-doctor why --token FILE",
        "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/",
    ),
    Mode(
        "token-wrong-file",
        "The token for the API server is sent to STS",
        "Let AWS_WEB_IDENTITY_TOKEN_FILE be what the webhook sets; do not point it at /var/run/secrets/kubernetes.io.",
        "kubectl exec -n NAMESPACE POD -- printenv AWS_WEB_IDENTITY_TOKEN_FILE",
    ),
    Mode(
        "token-malformed",
        "What is sent is no token",
        "Send the content of the token file as it is.",
        "irsa-doctor why --token FILE",
        _STS,
    ),
    Mode(
        "token-env-holds-path-as-token",
        "The path of the token is sent in place of the token",
        "Read the file and send what is in it.",
        "irsa-doctor why --token FILE",
        _STS,
    ),
    Mode(
        "token-stale-cached",
        "The token was read once and kept beyond its life",
        "Upgrade the SDK, or read the token file again for every request.",
        "irsa-doctor why --token FILE, with the token that the application sends",
        _SDKS,
    ),
    Mode(
        "token-php-realpath-cache",
        "PHP remembers where the token file was",
        "Upgrade the SDK for PHP, which clears the cache.",
        "whether it is PHP, and fails once a day",
    ),
    Mode(
        "clock-skew",
        "The clock of a node is wrong",
        "Correct the time of the node.",
        "compare `date -u` on the node with the time of an answer of STS",
    ),
    Mode("token-too-old-iat", "The token was issued too long ago", "Get a fresh token.", "irsa-doctor why --token FILE"),
    Mode(
        "jwks-unreachable",
        "STS cannot fetch the keys of the issuer",
        "Make discovery document and keys reachable from the internet, over TLS, within seconds. Of an EKS issuer: try again.",
        "curl -sS https://ISSUER/.well-known/openid-configuration",
        _STS,
    ),
    Mode(
        "jwks-missing-kid",
        "The key of the token is not among the keys of the issuer",
        "Publish the signing key of the API server.",
        "curl -sS the jwks_uri of https://ISSUER/.well-known/openid-configuration",
    ),
    Mode(
        "idp-comm-error",
        "STS could not reach the issuer for a moment",
        "Try again with back-off.",
        "whether it passes by itself",
        _STS,
    ),
    Mode(
        "idp-rejected-claim",
        "The issuer says that the claim is invalid",
        "Look at the issuer; EKS does not answer so.",
        "",
        _STS,
    ),
    Mode(
        "trust-eventual-consistency",
        "Role, provider or policy changed a moment ago",
        "Wait a minute and try again.",
        _TRAIL,
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html",
    ),
    Mode(
        "vpce-policy",
        "The policy of the VPC endpoint for STS keeps the call out",
        "Allow sts:AssumeRoleWithWebIdentity to everybody in it; the call is not signed, so no condition on a principal holds.",
        "aws ec2 describe-vpc-endpoints --filters Name=service-name,Values=com.amazonaws.REGION.sts",
    ),
    Mode(
        "duration-too-long",
        "A longer session is asked for than the role allows",
        "Ask for less, or raise MaxSessionDuration of the role.",
        "aws iam get-role --role-name ROLE_NAME --query Role.MaxSessionDuration",
        _STS,
    ),
    Mode(
        "duration-out-of-range",
        "The session asked for is shorter than 900 seconds or longer than 43200",
        "Ask for 900 to 43200 seconds.",
        "",
        _STS,
    ),
    Mode(
        "imds-fallback-generic",
        "The workload runs as the node",
        "Find out why the SDK passes over the web identity, and let the node answer no pods: a hop limit of 1.",
        _CALLER,
        _EKS + "best-practices/identity-and-access-management.html",
    ),
    Mode("sdk-too-old", "The SDK knows no web identity", "Upgrade the SDK.", "the version of the SDK in the image", _SDKS),
    Mode(
        "java-sts-module-missing",
        "The STS module is not on the class path",
        "Add software.amazon.awssdk:sts.",
        "the dependencies of the image",
        _SDKS,
    ),
    Mode(
        "java-silent-fallback",
        "The SDK for Java passed over an error of STS",
        "Log at DEBUG, or use WebIdentityTokenFileCredentialsProvider alone.",
        "the log at DEBUG",
    ),
    Mode(
        "dotnet-sts-assembly-missing",
        "The assembly AWSSDK.SecurityToken is missing",
        "Add AWSSDK.SecurityToken.",
        "the dependencies of the image",
        _SDKS,
    ),
    Mode(
        "explicit-profile-disables-env",
        "A profile is named in the code, so the environment is not asked",
        "Drop the profile.",
        "the code that makes the session",
    ),
    Mode(
        "sts-cname-hack",
        "A name in DNS leads the global endpoint to another host",
        "Use the regional endpoint.",
        "kubectl exec -n NAMESPACE POD -- nslookup sts.amazonaws.com",
    ),
    Mode(
        "proxy-or-mesh-blocks-sts",
        "A proxy, a policy or a mesh keeps the pod from STS",
        "Let the pod reach the STS endpoint of its region.",
        "kubectl exec -n NAMESPACE POD -- curl -sS https://sts.REGION.amazonaws.com",
    ),
    Mode(
        "dns-broken",
        "The pod resolves no names",
        "Mend the DNS of the cluster.",
        "kubectl exec -n NAMESPACE POD -- nslookup sts.REGION.amazonaws.com",
    ),
    Mode("sts-throttled", "STS throttles", "Use one client for many requests; try again with back-off.", _TRAIL),
    Mode(
        "sts-scope-mismatch",
        "The request is signed for another region than its endpoint",
        "Use the regional endpoint and its region.",
        "the endpoint that the code names",
    ),
    Mode(
        "perm-denied-after-assume",
        "The role was assumed; it lacks the permission",
        "Attach a policy with the permission to the role.",
        _CALLER,
    ),
    Mode(
        "boundary-or-scp-after-assume",
        "The role was assumed; a boundary or a service control policy denies",
        "Ask whoever owns the boundary or the policy.",
        "the end of the message names it",
    ),
    Mode(
        "double-assume-self",
        "The workload has the role already and assumes it once more",
        "Take the role out of the application's settings; the SDK has it. Or let the role trust itself with sts:AssumeRole.",
        _CALLER,
        "https://aws.amazon.com/blogs/security/announcing-an-update-to-iam-role-trust-policy-behavior/",
    ),
    Mode(
        "xacct-chain-missing",
        "The second role of a chain does not trust the first, or the first may not assume it",
        "Allow sts:AssumeRole on the second role in the first, and trust the first in the second.",
        "aws iam get-role --role-name SECOND_ROLE",
        _EKS + "cross-account-access.html",
    ),
    Mode("session-policy-bad", "The session policy is malformed or too large", "Shrink or correct it.", "", _STS),
    Mode(
        "cm-wildcard-unsupported",
        "The webhook's ConfigMap has a pattern where it wants a name",
        "Write namespace/name, or */name.",
        "kubectl get configmap pod-identity-webhook -A -o yaml",
        _WEBHOOK,
    ),
    Mode(
        "oidc-create-blocked", "A policy forbids to create OIDC providers", "Ask whoever owns the policy of the organisation."
    ),
    Mode(
        "oidc-create-nxdomain",
        "The issuer does not resolve where the provider is created",
        "Create the provider from outside the VPC.",
        "nslookup oidc.eks.REGION.amazonaws.com",
    ),
    Mode(
        "native-sidecar-dropped",
        "An old webhook drops the restartPolicy of native sidecars",
        "Upgrade the webhook: it writes containers anew, without the members that it does not know.",
        "kubectl get pod -n NAMESPACE POD -o jsonpath='{.spec.initContainers[*].restartPolicy}'",
        _WEBHOOK,
    ),
    Mode(
        "chained-role-duration",
        "A role that another role assumes is asked for more than an hour",
        "Ask for at most 3600 seconds.",
        "the duration in the settings of the application",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining",
    ),
    Mode(
        "podid-sdk-too-old",
        "The SDK knows no EKS Pod Identity",
        "Upgrade the SDK: Pod Identity needs a newer one than web identity does.",
        "the version of the SDK in the image",
        _EKS + "pod-id-minimum-sdk.html",
    ),
    Mode(
        "scp-on-assume",
        "A service control policy is blamed for the assuming",
        "Look at the trust policy and at resource control policies: a service control policy limits the session, and not the "
        "call without an identity that makes it.",
        _TRAIL,
        "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html",
    ),
    Mode(
        "trust-overwritten-by-controller",
        "Something keeps writing the trust policy",
        "Let one owner write it: eksctl, Terraform, Crossplane, ACK or a person.",
        "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=UpdateAssumeRolePolicy",
    ),
    Mode(
        "credentials-cached-15h",
        "Sessions outlive the trust that gave them",
        "Revoke the sessions of the role, or wait for their end.",
        "aws iam get-role --role-name ROLE_NAME --query Role.RoleLastUsed",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html",
    ),
)

# the command that tells whether it is a mode that a rule finds, for where the rule had nothing to look at
_SETTLED: Mapping[str, str] = {
    mode: command
    for command, modes in {
        "kubectl get serviceaccount -n NAMESPACE SERVICE_ACCOUNT -o yaml": (
            "sa-annotation-missing sa-annotation-key-typo role-arn-malformed role-arn-is-policy-arn role-arn-bare-name "
            "role-arn-unresolved-template role-arn-wrong-partition aud-annotation-custom two-sas-one-annotation "
            "sts-regional-annot-invalid sub-too-long skip-containers-ineffective"
        ),
        "kubectl get pod -n NAMESPACE POD -o yaml": (
            "sa-annotation-on-pod pod-wrong-sa pod-older-than-annotation webhook-cache-race webhook-optout-label "
            "skip-containers-unintended annotation-drift partial-env-role-only partial-env-token-only late-injected-sidecar "
            "manual-env-conflicts-annotation stale-aws-iam-token-volume mount-name-collision mount-missing "
            "windows-nodeaffinity static-or-mirror-pod token-expiration-too-short token-file-missing "
            "token-path-relative token-copied-subpath static-keys-shadow shared-config-shadow region-missing "
            "session-name-invalid sts-global-blocked podid-chain-order "
            "sts-wrong-custom-endpoint pod-identity-assoc-race podid-unsupported-node podid-aud-token-to-sts "
            "token-file-perm-denied ephemeral-container"
        ),
        "kubectl get mutatingwebhookconfiguration pod-identity-webhook -o yaml": "webhook-missing webhook-ignored-failure",
        "aws eks describe-cluster --name CLUSTER": "no-webhook-cluster oidc-provider-stale-cluster oidc-url-dualstack",
        "kubectl get daemonset -n kube-system eks-pod-identity-agent": "podid-agent-missing",
        "aws eks list-pod-identity-associations --cluster-name CLUSTER --namespace NAMESPACE": "podid-wins",
        "aws iam list-open-id-connect-providers": (
            "oidc-provider-missing oidc-provider-other-account oidc-url-mismatch role-arn-wrong-account oidc-limit-100 "
            "trust-principal-provider-deleted"
        ),
        "aws iam get-open-id-connect-provider --open-id-connect-provider-arn PROVIDER_ARN": (
            "aud-not-in-clientids aud-china-suffix aud-regional-endpoint-confusion aud-invisible-char aud-kops-amazonaws "
            "jwks-thumbprint"
        ),
        "curl -sS https://ISSUER/.well-known/openid-configuration": "issuer-discovery-incomplete alg-unsupported",
        "aws iam get-role --role-name ROLE_NAME": (
            "role-missing role-arn-path-dropped sa-namespace-mismatch sa-helm-generated-name trust-sub-mismatch "
            "podid-tagsession policy-refused policy-duplicate-member policy-contested"
        ),
        "aws organizations list-policies --filter RESOURCE_CONTROL_POLICY": "rcp-principalorgid rcp-trusted-oidc-providers",
    }.items()
    for mode in modes.split()
}


@cache
def modes() -> Mapping[str, Mode]:
    """Every failure mode by id: those that rules find, in the words of the rules, and the rest."""
    known = {rule.id: Mode(rule.id, rule.title, rule.remedy.strip(), _settle(rule.id), rule.url) for rule in shipped_rules()}
    return known | {mode.id: mode for mode in _MODES if mode.id not in known}


def _settle(rule: str) -> str:
    """Every other trust rule is about what the policy says."""
    return _SETTLED.get(rule) or (_SETTLED["trust-sub-mismatch"] if rule.startswith("trust-") else "")
