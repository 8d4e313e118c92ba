# Long: one table of what can break, a row a link and a cause
"""Break one thing in a healthy world, and exactly that link turns red, with its cause in front."""

import copy
import json

import pytest

from irsa_doctor.answers.why import read_events, read_token, symptoms_in
from tests.answers.why import test_tokens as tokens
from tests.answers.why import world as w
from tests.answers.why.test_statements import SLIPS
from tests.answers.why.world import ELSEWHERE, ISSUER, MOUNT_PATH, POD, ROLE, TARGET, why, world

DEPLOYMENT = "deployment/payments/checkout"


def without(*paths):
    def change(documents):
        for path in paths:
            del documents[path]

    return change


NO_PODS = without("pod.json")


def annotated(value):
    return lambda documents: w.annotations(documents).update({w.ANNOTATION: value})


def annotated_as(key, value=ROLE):
    def change(documents):
        w.annotations(documents).clear()
        w.annotations(documents)[key] = value

    return change


def annotated_beside(key, value):
    return lambda documents: w.annotations(documents).update({key: value})


def unannotated(documents):
    w.annotations(documents).clear()


def on_the_pod(documents):
    unannotated(documents)
    w.unmutated(documents)
    documents["pod.json"]["metadata"]["annotations"][w.ANNOTATION] = ROLE


def created(moment):
    def change(documents):
        w.unmutated(documents)
        documents["pod.json"]["metadata"]["creationTimestamp"] = moment

    return change


def opted_out(documents):
    w.unmutated(documents)
    documents["pod.json"]["metadata"]["labels"]["eks.amazonaws.com/skip-pod-identity-webhook"] = "false"


def skipping(documents):
    w.unmutated(documents)
    documents["pod.json"]["metadata"]["annotations"]["eks.amazonaws.com/skip-containers"] = "app"


def mirrored(documents):
    w.unmutated(documents)
    documents["pod.json"]["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "x"


def late(documents):
    w.spec(documents)["containers"].append({"name": "sidecar", "image": "example.com/sidecar:1"})


def idle_webhook(documents):
    documents["webhook.json"]["webhooks"][0]["rules"][0]["operations"] = ["UPDATE"]


def second_role(documents):
    other = copy.deepcopy(w.role(documents))
    other.update({"RoleName": "orders", "Arn": ROLE.replace("checkout", "orders")})
    documents["roles.json"]["RoleDetailList"].append(other)


def drifted(documents):
    second_role(documents)
    w.annotations(documents)[w.ANNOTATION] = ROLE.replace("checkout", "orders")


def on_outposts(documents):
    documents["cluster.json"]["cluster"]["outpostConfig"] = {"outpostArns": ["arn:aws:outposts:eu-west-1:1:outpost/op-1"]}


def env(**values):
    return lambda documents: w.set_env(documents, **values)


def token(**members):
    return lambda documents: w.token_source(documents).update(members)


def mount(**members):
    return lambda documents: w.container(documents)["volumeMounts"][0].update(members)


def no_volume(documents):
    w.spec(documents)["volumes"] = []


def unmounted(documents):
    w.container(documents)["volumeMounts"] = []


def old_and_not_root(documents):
    documents["cluster.json"]["cluster"]["version"] = "1.18"
    w.spec(documents)["securityContext"] = {"runAsUser": 1000, "runAsNonRoot": True}


def client_ids(*values):
    return lambda documents: documents["provider.json"].update({"ClientIDList": list(values)})


def no_provider(documents):
    documents["providers.json"]["OpenIDConnectProviderList"] = []
    del documents["provider.json"]


def provider_for(issuer, account=w.ACCOUNT):
    """The provider is another one, and the trust policy names what it should."""

    def change(documents):
        arn = f"arn:aws:iam::{account}:oidc-provider/{issuer}"
        documents["providers.json"]["OpenIDConnectProviderList"] = [{"Arn": arn}]
        documents["provider.json"]["Url"] = issuer
        if account != w.ACCOUNT:
            documents["own.json"] = {"OpenIDConnectProviderList": []}
            documents["more.json"] = documents.pop("own.json")

    return change


def no_roles(documents):
    documents["roles.json"]["RoleDetailList"] = []


def with_path(documents):
    w.role(documents).update({"Arn": ROLE.replace("role/", "role/team/"), "Path": "/team/"})


def trusting(statement):
    def change(documents):
        documents["roles.json"]["RoleDetailList"][0]["AssumeRolePolicyDocument"]["Statement"] = statement

    return change


def replaced(statement):
    """A statement that was written for the ids of another test file, in this world."""
    return trusting([statement] if statement["Effect"] == "Allow" else [w.statement(w.healthy()), statement])


def rcp(**condition):
    statement = {"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Resource": "*", "Condition": condition}
    content = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    summary = {"Id": "p-1", "Type": "RESOURCE_CONTROL_POLICY", "Name": "guard"}
    return lambda documents: documents.update({"rcp.json": {"Policy": {"PolicySummary": summary, "Content": content}}})


def associated(role=ROLE):
    def change(documents):
        one = {"clusterName": "prod", "namespace": "payments", "serviceAccount": "checkout", "roleArn": role}
        listed = {"clusterName": "prod", "namespace": "payments", "serviceAccount": "checkout", "associationId": "a-1"}
        documents["associations.json"] = {"associations": [listed]}
        documents["association.json"] = {"association": {**one, "associationId": "a-1"}}

    return change


def with_target(principal):
    """The association has a target role, which trusts a principal."""

    def change(documents):
        arn = f"arn:aws:iam::{w.ACCOUNT}:role/shared"
        documents["association.json"]["association"]["targetRoleArn"] = arn
        statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        target = {"RoleName": "shared", "Path": "/", "Arn": arn, "RoleId": "AROASHARED", "AssumeRolePolicyDocument": policy}
        documents["roles.json"]["RoleDetailList"].append(target)

    return change


def trusting_pods(*actions):
    statement = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": list(actions)}
    return lambda documents: w.role(documents)["AssumeRolePolicyDocument"]["Statement"].append(statement)


def by_pod_identity(documents):
    """The pod as the webhook leaves it for an association."""
    w.unmutated(documents)
    folder = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
    w.set_env(
        documents,
        AWS_CONTAINER_CREDENTIALS_FULL_URI="http://169.254.170.23/v1/credentials",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=folder + "/eks-pod-identity-token",
    )
    agent = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "eks-pod-identity-agent", "namespace": "kube-system"},
        "spec": {"template": {"metadata": {}, "spec": {"containers": [{"name": "agent", "image": "x"}]}}},
    }
    documents["agent.json"] = agent


def as_default(documents):
    documents["deployment.json"] = w.deployment(account=None)


def by_hand(**values):
    """A Deployment whose manifest sets variables of web identity itself."""

    def change(documents):
        documents["deployment.json"] = w.deployment()
        inside = documents["deployment.json"]["spec"]["template"]["spec"]["containers"][0]
        inside["env"] = [{"name": name, "value": value} for name, value in values.items()]

    return change


BREAKS = [
    # service account
    ("no annotation", [NO_PODS, unannotated], TARGET, "service-account", "sa-annotation-missing"),
    (
        "a mistyped key",
        [NO_PODS, annotated_as("eks.amazonaws.com/role_arn")],
        TARGET,
        "service-account",
        "sa-annotation-key-typo",
    ),
    ("a key of kiam", [NO_PODS, annotated_as("iam.amazonaws.com/role")], TARGET, "service-account", "sa-annotation-key-typo"),
    ("the annotation on the pod", [on_the_pod], POD, "service-account", "sa-annotation-on-pod"),
    ("no such account", [NO_PODS, without("account.json")], TARGET, "service-account", "service-account-missing"),
    # workload
    ("no account named", [NO_PODS, as_default], DEPLOYMENT, "workload", "pod-wrong-sa"),
    # webhook
    ("a pod without its variables", [w.unmutated], POD, "webhook", "pod-older-than-annotation"),
    ("a pod seconds after its account", [created("2025-03-02T08:00:03Z")], POD, "webhook", "webhook-cache-race"),
    ("a pod that opts out", [opted_out], POD, "webhook", "webhook-optout-label"),
    ("a pod that skips its container", [skipping], POD, "webhook", "skip-containers-unintended"),
    ("a mirrored pod", [mirrored], POD, "webhook", "static-or-mirror-pod"),
    ("no webhook", [NO_PODS, without("webhook.json")], TARGET, "webhook", "webhook-missing"),
    ("a webhook that looks away", [NO_PODS, idle_webhook], TARGET, "webhook", "webhook-missing"),
    ("another annotation since", [drifted], POD, "webhook", "annotation-drift"),
    ("a cluster on Outposts", [NO_PODS, on_outposts], TARGET, "webhook", "no-webhook-cluster"),
    ("only the role by hand", [NO_PODS, by_hand(AWS_ROLE_ARN=ROLE)], DEPLOYMENT, "webhook", "partial-env-role-only"),
    (
        "only the token by hand",
        [NO_PODS, by_hand(AWS_WEB_IDENTITY_TOKEN_FILE=MOUNT_PATH + "/token")],
        DEPLOYMENT,
        "webhook",
        "partial-env-token-only",
    ),
    # the token
    ("a token for too short", [token(expirationSeconds=60)], POD, "token-volume", "token-expiration-too-short"),
    ("a volume of another audience", [token(audience="vault")], POD, "token-volume", "stale-aws-iam-token-volume"),
    ("no mount", [unmounted], POD, "token-volume", "mount-missing"),
    ("another mount", [mount(mountPath="/tokens")], POD, "token-volume", "mount-name-collision"),
    ("no such file", [mount(mountPath="/tokens"), no_volume, unmounted], POD, "token-file", "token-file-missing"),
    ("another file of the volume", [token(path="other")], POD, "token-file", "token-file-missing"),
    ("a relative path", [env(AWS_WEB_IDENTITY_TOKEN_FILE="token")], POD, "token-file", "token-path-relative"),
    (
        "the token for the API server",
        [env(AWS_WEB_IDENTITY_TOKEN_FILE="/var/run/secrets/kubernetes.io/serviceaccount/token")],
        POD,
        "token-file",
        "token-wrong-file",
    ),
    (
        "a mount by subPath",
        [mount(mountPath=MOUNT_PATH + "/token", subPath="token")],
        POD,
        "token-file",
        "token-copied-subpath",
    ),
    ("a file for root alone", [old_and_not_root], POD, "token-file", "token-file-perm-denied"),
    # the SDK and its request
    ("static keys", [env(AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE")], POD, "sdk", "static-keys-shadow"),
    ("a session name with a slash", [env(AWS_ROLE_SESSION_NAME="a/b")], POD, "request", "session-name-invalid"),
    ("no ARN", [NO_PODS, annotated("an:aws:iam::111122223333:role/checkout")], TARGET, "request", "role-arn-malformed"),
    ("a blank at the end", [NO_PODS, annotated(ROLE + " ")], TARGET, "request", "role-arn-malformed"),
    (
        "the ARN of a policy",
        [NO_PODS, annotated(ROLE.replace("role/", "policy/"))],
        TARGET,
        "request",
        "role-arn-is-policy-arn",
    ),
    ("a bare name", [NO_PODS, annotated("checkout")], TARGET, "request", "role-arn-bare-name"),
    (
        "a placeholder",
        [NO_PODS, annotated("arn:aws:iam::${ACCOUNT_ID}:role/checkout")],
        TARGET,
        "request",
        "role-arn-unresolved-template",
    ),
    (
        "another partition",
        [NO_PODS, annotated(ROLE.replace("arn:aws:", "arn:aws-cn:"))],
        TARGET,
        "request",
        "role-arn-wrong-partition",
    ),
    # the provider
    ("no provider", [no_provider], TARGET, "provider", "oidc-provider-missing"),
    ("a provider with a slash", [provider_for(ISSUER + "/")], TARGET, "provider", "oidc-url-mismatch"),
    ("a provider in lower case", [provider_for(ISSUER.lower())], TARGET, "provider", "oidc-url-mismatch"),
    ("a provider without /id", [provider_for(ISSUER.replace("/id/", "/"))], TARGET, "provider", "oidc-url-mismatch"),
    (
        "the dual-stack alias",
        [provider_for(f"oidc-eks.eu-west-1.api.aws/id/{ISSUER.rpartition('/')[2]}")],
        TARGET,
        "provider",
        "oidc-url-dualstack",
    ),
    # the audience
    ("no client id", [client_ids()], TARGET, "audience", "aud-not-in-clientids"),
    ("another client id", [client_ids("vault")], TARGET, "audience", "aud-not-in-clientids"),
    (
        "an endpoint as client id",
        [client_ids("sts.eu-west-1.amazonaws.com")],
        TARGET,
        "audience",
        "aud-regional-endpoint-confusion",
    ),
    ("the client id of China", [client_ids("sts.amazonaws.com.cn")], TARGET, "audience", "aud-china-suffix"),
    ("a client id that looks right", [client_ids("sts.amazonaws.com\u200b")], TARGET, "audience", "aud-invisible-char"),
    # the role
    ("no such role", [no_roles], TARGET, "role", "role-missing"),
    ("a path that was dropped", [with_path], TARGET, "role", "role-arn-path-dropped"),
    # above the account
    (
        "a guardrail for members of the organisation",
        [rcp(StringNotEquals={"aws:PrincipalOrgID": "o-1"})],
        TARGET,
        "guardrails",
        "rcp-principalorgid",
    ),
    (
        "a guardrail for known issuers",
        [rcp(Null={f"{ELSEWHERE}:sub": "true"})],
        TARGET,
        "guardrails",
        "rcp-trusted-oidc-providers",
    ),
    # Pod Identity
    (
        "an association with another role",
        [
            trusting_pods("sts:AssumeRole", "sts:TagSession"),
            second_role,
            by_pod_identity,
            associated(ROLE.replace("checkout", "orders")),
        ],
        TARGET,
        "pod-identity",
        "podid-wins",
    ),
    (
        "an association without tags",
        [trusting_pods("sts:AssumeRole"), by_pod_identity, associated()],
        TARGET,
        "pod-identity",
        "podid-tagsession",
    ),
    (
        "an association without trust",
        [by_pod_identity, associated()],
        TARGET,
        "pod-identity",
        "trust-irsa-only-for-pod-identity",
    ),
    (
        "a target role that trusts another role",
        [
            trusting_pods("sts:AssumeRole", "sts:TagSession"),
            by_pod_identity,
            associated(),
            with_target(ROLE.replace("checkout", "orders")),
        ],
        TARGET,
        "target-role",
        "podid-target-trust",
    ),
]
# here the other cluster is none that was given, and its provider is not in the account
OF_ABSENT_PROVIDERS = ("another cluster", "a cluster that is gone", "the provider of another cluster, keys of this one")
BREAKS += [
    (
        f"trust: {name}",
        [replaced(slip)],
        TARGET,
        "trust-policy",
        "trust-principal-provider-deleted" if name in OF_ABSENT_PROVIDERS else cause,
    )
    for name, (slip, cause) in SLIPS.items()
]


@pytest.mark.parametrize(("breaks", "target", "link", "cause"), [row[1:] for row in BREAKS], ids=[row[0] for row in BREAKS])
def test_what_is_broken_turns_exactly_its_link_red(breaks, target, link, cause):
    found = why(world(*breaks), target)
    assert w.failed(found) == [link]
    assert found.verdict == "broken"
    assert found.causes[0].id == cause
    assert found.causes[0].because
    assert found.causes[0].remedy


# ---- links that files alone do not turn red: a token, an event or a message does


def trusting_both(documents):
    """The account has the other cluster's provider too, and the role trusts the same subject of both."""
    arn = f"arn:aws:iam::{w.ACCOUNT}:oidc-provider/{ELSEWHERE}"
    documents["providers.json"]["OpenIDConnectProviderList"].append({"Arn": arn})
    documents["other.json"] = {**documents["provider.json"], "Url": ELSEWHERE}
    other = json.loads(json.dumps(w.statement(documents)).replace(ISSUER, ELSEWHERE))
    w.role(documents)["AssumeRolePolicyDocument"]["Statement"].append(other)


def event(**more):
    asked = {"roleArn": ROLE, **more}
    record = {
        "eventName": "AssumeRoleWithWebIdentity",
        "eventTime": "2026-04-14T21:05:31Z",
        "userIdentity": {"type": "WebIdentityUser", "userName": w.SUBJECT},
        "requestParameters": asked,
    }
    return {"trail": read_events([json.dumps(record).encode()])}


def token_of(kid="one", **claims):
    return {"token": read_token(tokens.token(kid=kid, **claims))}


def message(text):
    return {"symptoms": symptoms_in(text), "failing": True}


ASSUMED = "User: arn:aws:sts::111122223333:assumed-role/checkout/botocore-session-1 is not authorized to perform: s3:GetObject"
SEEN = [
    (
        "a token of another cluster",
        [trusting_both],
        token_of(iss=f"https://{ELSEWHERE}"),
        "issuer",
        "token-from-other-cluster",
    ),
    ("a key that is not published", [tokens.keys()], token_of(kid="gone"), "signature", "jwks-missing-kid"),
    ("a token that is over", [tokens.keys()], token_of(exp=w.NOW - 360), "lifetime", "token-stale-cached"),
    (
        "a certificate of another authority",
        [],
        message("OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"),
        "issuer-keys",
        "jwks-thumbprint",
    ),
    (
        "an endpoint that cannot be reached",
        [],
        message('Could not connect to the endpoint URL: "https://sts.amazonaws.com/"'),
        "sts-endpoint",
        "sts-global-blocked",
    ),
    ("a session that is too long", [], event(durationSeconds=90_000), "session", "duration-out-of-range"),
    ("a permission that the role lacks", [], message(ASSUMED), "permissions", "perm-denied-after-assume"),
]


@pytest.mark.parametrize(("breaks", "seen", "link", "cause"), [row[1:] for row in SEEN], ids=[row[0] for row in SEEN])
def test_what_was_seen_turns_exactly_its_link_red(breaks, seen, link, cause):
    found = why(world(*breaks), TARGET, **seen)
    assert w.failed(found) == [link]
    assert found.verdict == "broken"
    assert found.causes[0].id == cause


def test_each_link_has_its_own_patch_and_there_are_many():
    assert {row[3] for row in (*BREAKS, *SEEN)} == set(w.LINK_IDS)
    assert len(BREAKS) >= 60
    assert len({row[4] for row in (*BREAKS, *SEEN)}) >= 60


@pytest.mark.parametrize("target", [TARGET, POD])
def test_nothing_is_red_where_all_is_well(target):
    found = why(world(), target)
    assert found.verdict == "works"
    assert w.failed(found) == []
    assert found.causes == ()
    assert found.predicted_error is None


def listed_only(documents):
    associated()(documents)
    del documents["association.json"]


@pytest.mark.parametrize("target", [TARGET, POD])
def test_a_pod_of_an_association_that_is_gone_has_no_identity(target):
    found = why(world(by_pod_identity), target)
    assert (found.verdict, w.failed(found)) == ("broken", ["webhook"])
    assert w.causes(found)[0] == ("pod-older-than-annotation", "likely")
    assert "kubectl delete pod -n payments checkout-0" in found.causes[0].commands


def test_pods_of_pod_identity_do_not_work_by_web_identity():
    found = why(world(by_pod_identity, without("associations.json")), TARGET)
    assert (found.verdict, w.verdicts(found)["pod-identity"]) == ("unknown", "unknown")
    assert "set up for EKS Pod Identity" in next(link.because for link in found.links if link.id == "pod-identity")


def test_an_association_whose_role_nobody_told_may_hand_out_the_same_role():
    found = why(world(by_pod_identity, listed_only), TARGET)
    assert (found.verdict, w.verdicts(found)["pod-identity"]) == ("unknown", "unknown")
    assert w.causes(found) == [("podid-wins", "likely")]


def test_a_role_under_another_path_is_found_without_the_account_that_names_it():
    found = why(world(without("account.json"), with_path), POD, complete=())
    assert w.failed(found) == ["role"]
    assert w.causes(found)[0] == ("role-arn-path-dropped", "certain")
    assert ROLE.replace("role/", "role/team/") in found.causes[0].because


# ---- what is there and decides nothing


def selecting(documents):
    documents["webhook.json"]["webhooks"][0]["namespaceSelector"] = {"matchLabels": {"irsa": "on"}}


@pytest.mark.parametrize(("target", "verdict"), [(TARGET, "unknown"), (DEPLOYMENT, "unknown")])
def test_a_webhook_for_some_namespaces_is_not_known_to_act_in_this_one(target, verdict):
    documents = world(NO_PODS, selecting)
    documents["deployment.json"] = w.deployment()
    found = why(documents, target)
    assert (found.verdict, w.verdicts(found)["webhook"]) == (verdict, "unknown")


def test_a_pod_that_was_set_up_shows_that_the_webhook_acts_in_its_namespace():
    assert w.verdicts(why(world(selecting), POD))["webhook"] == "pass"


def with_aws_folder(documents):
    w.container(documents)["volumeMounts"].append({"name": "config", "mountPath": "/root/.aws"})


@pytest.mark.parametrize(
    ("breaks", "link", "cause"),
    [
        (with_aws_folder, "sdk", "shared-config-shadow"),
        (env(AWS_PROFILE="prod"), "sdk", "shared-config-shadow"),
        (env(AWS_STS_REGIONAL_ENDPOINTS="legacy"), "sts-endpoint", "sts-global-blocked"),
    ],
)
def test_what_may_come_between_is_named_where_all_else_holds(breaks, link, cause):
    found = why(world(breaks), POD)
    assert (found.verdict, w.verdicts(found)[link]) == ("works", "unknown")
    assert w.causes(found) == [(cause, "possible")]


def as_default_pod(documents):
    w.unmutated(documents)
    w.spec(documents)["serviceAccountName"] = "default"


def test_a_pod_of_the_default_account_beside_an_unused_one_with_a_role_runs_as_the_wrong_one():
    found = why(world(as_default_pod), POD)
    assert (found.verdict, w.failed(found)) == ("broken", ["workload"])
    assert w.causes(found) == [("pod-wrong-sa", "likely")]


@pytest.mark.parametrize("annotated", [False, True])
def test_a_role_that_the_user_names_is_not_said_to_be_annotated(annotated):
    """Of an account without annotation, or with that of another role."""

    def change(documents):
        w.annotations(documents).clear()
        if annotated:
            w.annotations(documents)[w.ANNOTATION] = w.ROLE.replace("checkout", "other")
        del documents["pod.json"]
        w.equals(documents)[f"{w.ISSUER}:sub"] = "system:serviceaccount:payments:orders"

    found = w.why(w.world(change), role=w.ROLE)
    assert w.causes(found)[0] == ("trust-sub-mismatch", "certain")
    assert "annotation" not in found.causes[0].because
    assert "payments/checkout" in found.causes[0].because
    assert not any("annotation" in place.says for link in found.links for place in link.evidence)


# ---- what leaves it open whether the credential works


def on_windows(documents):
    w.spec(documents)["nodeSelector"] = {"kubernetes.io/os": "windows"}


def test_a_token_path_of_linux_on_windows_is_no_proof_that_it_works():
    found = why(world(on_windows), POD)
    assert (found.verdict, w.causes(found)) == ("unknown", [("windows-nodeaffinity", "likely")])
    assert why(world(on_windows), TARGET).verdict == "unknown"


def test_a_token_path_of_windows_on_windows_works():
    documents = world(on_windows)
    path = "C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount"
    w.set_env(documents, AWS_WEB_IDENTITY_TOKEN_FILE=path + "\\token")
    w.container(documents)["volumeMounts"][0]["mountPath"] = path
    assert why(documents, POD).verdict == "works"


def test_a_service_account_whose_deployment_waits_for_an_unseen_webhook_is_not_said_to_work():
    documents = world(NO_PODS, without("webhook.json"))
    documents["deployment.json"] = w.deployment()
    assert why(documents, TARGET, complete=("serviceaccounts", "pods")).verdict == "unknown"
