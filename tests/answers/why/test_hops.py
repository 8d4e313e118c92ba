# Long: every way in which a second role can refuse, beside the way in which it does not
"""A denial of a second role is the chain's: which side of it breaks is read from the files, as far as they go."""

import base64
import copy
import json

import pytest

from irsa_doctor import api
from irsa_doctor.answers.why import symptoms_in
from irsa_doctor.governance.settings import Settings
from tests.answers.why import world as w
from tests.answers.why.world import OTHER, ROLE, why, world

TARGET = f"arn:aws:iam::{OTHER}:role/deploy"
SESSION = "User: arn:aws:sts::111122223333:assumed-role/checkout/botocore-session-1 is not authorized to perform:"


def second_role(principal, actions, **conditions):
    def change(documents):
        statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions}
        role = copy.deepcopy(w.role(documents)) | {"RoleName": "deploy", "Arn": TARGET}
        role["AssumeRolePolicyDocument"]["Statement"] = [statement | ({"Condition": conditions} if conditions else {})]
        documents["second.json"] = {"Role": role}

    return change


def denied(action, *breaks, tail="", target=TARGET):
    text = f"{SESSION} {action} on resource: {target}{tail}"
    return why(world(*breaks), symptoms=symptoms_in(text), failing=True)


@pytest.mark.parametrize(
    ("principal", "actions", "action"),
    [
        ("arn:aws:iam::111122223333:root", "sts:AssumeRole", "sts:TagSession"),
        (ROLE, ["sts:AssumeRole"], "sts:SetSourceIdentity"),
        (f"arn:aws:iam::{OTHER}:root", ["sts:AssumeRole", "sts:TagSession"], "sts:AssumeRole"),
        (f"arn:aws:iam::{OTHER}:role/checkout", "sts:AssumeRole", "sts:AssumeRole"),
    ],
)
def test_a_target_that_does_not_trust_the_caller_is_the_proved_cause(principal, actions, action):
    found = denied(action, second_role(principal, actions))
    assert w.causes(found) == [("xacct-chain-missing", "certain")]
    assert action in found.causes[0].because
    assert TARGET in found.causes[0].because
    assert found.verdict == "broken"


def test_a_target_that_trusts_the_caller_leaves_the_other_side():
    found = denied("sts:AssumeRole", second_role(ROLE, "sts:AssumeRole"))
    assert w.causes(found)[0] == ("xacct-chain-missing", "likely")
    assert "policies of the caller" in found.causes[0].because


def test_an_explicit_deny_is_of_a_policy_above_where_the_target_trusts_the_caller():
    found = denied("sts:AssumeRole", second_role(ROLE, "sts:AssumeRole"), tail=" with an explicit deny")
    assert w.causes(found)[0] == ("boundary-or-scp-after-assume", "likely")
    assert "certain" not in dict(w.causes(found)).values()


def test_a_condition_of_the_target_leaves_it_open():
    found = denied("sts:AssumeRole", second_role(ROLE, "sts:AssumeRole", StringEquals={"sts:ExternalId": "x"}))
    assert w.causes(found)[0] == ("xacct-chain-missing", "likely")


def test_a_target_that_is_not_in_the_input_is_named_with_its_command():
    found = denied("sts:TagSession")
    assert w.causes(found)[0] == ("xacct-chain-missing", "likely")
    link = next(link for link in found.links if link.id == "permissions")
    assert "aws iam get-role --role-name deploy" in link.settle


@pytest.mark.parametrize(
    "tail",
    [".", "\n", "\\n\\tstatus code: 403", ")", '"', " because no identity-based policy allows the sts:TagSession action"],
)
def test_the_target_is_read_from_the_end_of_a_sentence(tail):
    found = denied("sts:TagSession", second_role(ROLE, "sts:AssumeRole"), tail=tail)
    assert w.causes(found) == [("xacct-chain-missing", "certain")]


def test_a_role_that_assumes_itself_is_no_chain():
    found = denied("sts:AssumeRole", target=ROLE)
    assert w.causes(found) == [("double-assume-self", "certain")]


def test_a_node_that_may_not_assume_a_role_is_no_chain():
    text = "User: arn:aws:sts::111122223333:assumed-role/node/i-0123456789abcdef0 is not authorized to perform: sts:AssumeRole"
    found = why(world(second_role(ROLE, "sts:AssumeRole")), symptoms=symptoms_in(f"{text} on resource: {TARGET}"), failing=True)
    assert "xacct-chain-missing" not in dict(w.causes(found))
    assert w.causes(found)[0][0] == "imds-fallback-generic"


def test_nothing_is_attached_against_an_explicit_deny():
    text = f"{SESSION} s3:GetObject on resource: arn:aws:s3:::bucket/key with an explicit deny in a resource-based policy"
    found = why(world(), symptoms=symptoms_in(text), failing=True)
    assert w.causes(found) == [("boundary-or-scp-after-assume", "likely"), ("perm-denied-after-assume", "possible")]


# ---- chains that the files configure


STORE = {
    "apiVersion": "external-secrets.io/v1",
    "kind": "SecretStore",
    "metadata": {"name": "shop", "namespace": "payments"},
    "spec": {"provider": {"aws": {"role": TARGET, "auth": {"jwt": {"serviceAccountRef": {"name": "checkout"}}}}}},
}
CONFIG = f"""
[profile irsa]
role_arn = {ROLE}
web_identity_token_file = /var/run/secrets/eks.amazonaws.com/serviceaccount/token
[profile dev]
role_arn = {TARGET}
source_profile = irsa
credential_process = /bin/echo secret
"""


def secret_store(documents):
    documents["store.json"] = STORE


def provider_config(documents):
    documents["store.json"] = {
        "apiVersion": "aws.upbound.io/v1beta1",
        "kind": "ProviderConfig",
        "metadata": {"name": "remote"},
        "spec": {"credentials": {"source": "IRSA"}, "assumeRoleChain": [{"roleARN": TARGET}]},
    }
    documents["account.json"]["metadata"]["name"] = w.spec(documents)["serviceAccountName"] = "upbound-provider-aws-s3"
    w.equals(documents)[f"{w.ISSUER}:sub"] = "system:serviceaccount:payments:upbound-provider-aws-s3"


def config_map(documents):
    metadata = {"name": "aws-config", "namespace": "payments"}
    documents["config.json"] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"config": CONFIG}}
    w.spec(documents)["volumes"].append({"name": "config", "configMap": {"name": "aws-config"}})
    w.container(documents)["volumeMounts"].append({"name": "config", "mountPath": "/home/app/.aws"})
    w.set_env(documents, AWS_PROFILE="dev")


def argument(documents):
    w.container(documents)["args"] = ["--source=service", f"--aws-assume-role={TARGET}"]


def argo_cluster(documents):
    settings = {"awsAuthConfig": {"clusterName": "other", "roleARN": TARGET}, "bearerToken": "secret"}
    documents["store.json"] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "other", "namespace": "payments", "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
        "data": {"config": base64.b64encode(json.dumps(settings).encode()).decode(), "server": "c2VjcmV0"},
    }
    documents["account.json"]["metadata"]["name"] = w.spec(documents)["serviceAccountName"] = "argocd-application-controller"
    w.equals(documents)[f"{w.ISSUER}:sub"] = "system:serviceaccount:payments:argocd-application-controller"


def remote_write(documents):
    documents["store.json"] = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": "main", "namespace": "payments"},
        "spec": {"serviceAccountName": "checkout", "remoteWrite": [{"url": "https://x", "sigv4": {"roleArn": TARGET}}]},
    }


def file_of(text):
    def change(documents):
        metadata = {"name": "conf", "namespace": "payments"}
        documents["config.json"] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a.conf": text}}
        w.spec(documents)["volumes"].append({"name": "config", "configMap": {"name": "conf"}})
        w.container(documents)["volumeMounts"].append({"name": "config", "mountPath": "/etc/app"})

    return change


def terraform(documents):
    documents["main.tf"] = f"""
provider "aws" {{
  assume_role_with_web_identity {{
    role_arn = "{ROLE}"
  }}
  assume_role {{
    role_arn = "arn:aws:iam::${{local.account}}:role/deploy"
  }}
}}
locals {{
  account = "{OTHER}"
}}
""".encode()


def state_in_s3(documents):
    documents["main.tf"] = f"""
terraform {{
  backend "s3" {{
    assume_role                   = {{ role_arn = "{TARGET}" }}
    assume_role_with_web_identity = {{ role_arn = "{ROLE}" }}
  }}
}}
""".encode()


def settings_of_container(documents):
    documents["config.json"] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "aws-config", "namespace": "payments"},
        "data": {"config": f"[default]\nrole_arn = {TARGET}\ncredential_source = EcsContainer\n"},
    }
    w.spec(documents)["volumes"].append({"name": "config", "configMap": {"name": "aws-config"}})
    w.set_env(documents, AWS_PROFILE="default")


def scaler(documents):
    _keda(documents, {"podIdentity": {"provider": "aws", "roleArn": TARGET}})


def secret_of_scaler(documents):
    _keda(documents, {"awsSecretManager": {"podIdentity": {"provider": "aws", "roleArn": TARGET}}})


def _keda(documents, spec):
    metadata = {"name": "queue", "namespace": "shop"}
    kind = {"apiVersion": "keda.sh/v1alpha1", "kind": "TriggerAuthentication"}
    documents["store.json"] = {**kind, "metadata": metadata, "spec": spec}
    documents["account.json"]["metadata"]["name"] = w.spec(documents)["serviceAccountName"] = "keda-operator"
    w.equals(documents)[f"{w.ISSUER}:sub"] = "system:serviceaccount:payments:keda-operator"


FILES = {
    "fluent_bit": f"[OUTPUT]\n    Name cloudwatch_logs\n    role_arn {TARGET}\n",
    "fluent_bit_yaml": f"pipeline:\n  outputs:\n  - name: s3\n    role_arn: {TARGET}\n",
    "prometheus": f"remote_write:\n- url: x\n  sigv4:\n    region: eu-west-1\n    role_arn: '{TARGET}'\n",
    "yace": f'discovery:\n  jobs:\n  - type: AWS/RDS\n    roles:\n    - roleArn: "{TARGET}"\n',
    "grafana": f"datasources:\n- name: cw\n  jsonData: {{authType: default, assumeRoleArn: {TARGET}}}\n",
    "vector": f'[sinks.out.auth]\nassume_role = "{TARGET}"\n',
    "autoscaler": f"[Global]\nRoleARN={TARGET}\n",
}


CONFIGURED = [
    (secret_store, w.TARGET),
    (argo_cluster, "payments/argocd-application-controller"),
    (remote_write, w.TARGET),
    (terraform, w.TARGET),
    (state_in_s3, w.TARGET),
    (settings_of_container, w.TARGET),
    *[(file_of(text), w.TARGET) for text in FILES.values()],
    (config_map, w.TARGET),
    (argument, w.TARGET),
    (provider_config, "payments/upbound-provider-aws-s3"),
    (scaler, "payments/keda-operator"),
    (secret_of_scaler, "payments/keda-operator"),
]


@pytest.mark.parametrize(("configured", "target"), CONFIGURED, ids=range(len(CONFIGURED)))
def test_a_configured_step_that_the_target_does_not_trust_is_the_broken_one(configured, target):
    found = why(world(configured, second_role(f"arn:aws:iam::{OTHER}:root", "sts:AssumeRole")), target)
    assert (found.verdict, w.failed(found)) == ("broken", ["permissions"])
    assert w.causes(found)[0] == ("xacct-chain-missing", "certain")
    assert "secret" not in repr(found)


@pytest.mark.parametrize(("configured", "target"), CONFIGURED, ids=range(len(CONFIGURED)))
@pytest.mark.parametrize("principal", [ROLE, "arn:aws:iam::111122223333:root"])
def test_a_configured_step_that_the_target_trusts_breaks_nothing(configured, target, principal):
    found = why(world(configured, second_role(principal, "sts:AssumeRole")), target)
    assert (found.verdict, w.failed(found)) == ("works", [])


@pytest.mark.parametrize("configured", [scaler, secret_of_scaler])
def test_a_role_that_trusts_the_token_of_the_operator_of_keda_needs_no_step(configured):
    def target_for_tokens(documents):
        second_role(ROLE, "sts:AssumeRole")(documents)
        statement = copy.deepcopy(w.role(documents)["AssumeRolePolicyDocument"]["Statement"][0])
        statement["Principal"] = {"Federated": statement["Principal"]["Federated"].replace(w.ACCOUNT, OTHER)}
        documents["second.json"]["Role"]["AssumeRolePolicyDocument"]["Statement"] = [statement]

    assert why(world(configured, target_for_tokens), "payments/keda-operator").verdict == "works"


def test_an_external_id_that_nothing_sends_is_the_broken_step():
    needed = second_role(ROLE, "sts:AssumeRole", StringEquals={"sts:ExternalId": "team"})
    assert w.failed(why(world(secret_store, needed))) == ["permissions"]
    store = copy.deepcopy(STORE)
    store["spec"]["provider"]["aws"]["externalID"] = "team"
    assert w.failed(why(world(needed, lambda documents: documents.update({"store.json": store})))) == []


def test_a_step_of_another_account_of_the_cluster_is_not_of_this_one():
    store = copy.deepcopy(STORE)
    store["spec"]["provider"]["aws"]["auth"]["jwt"]["serviceAccountRef"]["name"] = "orders"
    documents = world(second_role(f"arn:aws:iam::{OTHER}:root", "sts:AssumeRole"))
    documents["store.json"] = store
    assert w.failed(why(documents)) == []


def test_a_denied_web_identity_beside_a_role_that_trusts_the_first_is_a_request_for_the_second():
    denied_by_sts = symptoms_in("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity")
    found = why(world(second_role(ROLE, "sts:AssumeRole")), symptoms=denied_by_sts, failing=True)
    assert w.causes(found)[0] == ("xacct-chain-missing", "likely")
    assert w.causes(why(world(), symptoms=denied_by_sts, failing=True))[0][0] != "xacct-chain-missing"


# ---- the permissions of the first role, where account details show them


def permitted(*statements, boundary=""):
    """The first role with one inline policy of these statements, and no other."""

    def change(documents):
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        w.role(documents).update(RolePolicyList=[{"PolicyName": "p", "PolicyDocument": document}], AttachedManagedPolicies=[])
        if boundary:
            w.role(documents)["PermissionsBoundary"] = {"PermissionsBoundaryArn": boundary}

    return change


def on_target(*actions, effect="Allow", resource=TARGET):
    return {"Effect": effect, "Action": list(actions), "Resource": resource}


BY_ACCOUNT = second_role("arn:aws:iam::111122223333:root", ["sts:AssumeRole", "sts:TagSession"])


def test_a_permission_that_the_first_role_lacks_is_the_proved_cause():
    found = denied("sts:TagSession", BY_ACCOUNT, permitted(on_target("sts:AssumeRole")))
    assert w.causes(found) == [("xacct-chain-missing", "certain")]
    assert "do not allow sts:TagSession" in found.causes[0].because


def test_a_policy_of_the_first_role_that_denies_the_step_is_pointed_at():
    deny = on_target("sts:*", effect="Deny", resource="*")
    found = denied("sts:AssumeRole", BY_ACCOUNT, permitted(on_target("sts:AssumeRole"), deny), tail=" with an explicit deny")
    assert w.causes(found)[0] == ("xacct-chain-missing", "certain")
    assert found.causes[0].evidence[0].file == "roles.json"


def test_both_sides_that_allow_it_leave_what_stands_above():
    found = denied("sts:AssumeRole", BY_ACCOUNT, permitted(on_target("sts:AssumeRole", "sts:TagSession")))
    assert w.causes(found)[0] == ("boundary-or-scp-after-assume", "likely")
    assert "certain" not in dict(w.causes(found)).values()


def test_a_permission_that_is_lacking_proves_nothing_against_an_explicit_deny():
    found = denied("sts:AssumeRole", BY_ACCOUNT, permitted(on_target("s3:GetObject")), tail=" with an explicit deny")
    assert "certain" not in dict(w.causes(found)).values()


def test_a_boundary_that_is_not_in_the_input_leaves_it_open():
    boundary = "arn:aws:iam::111122223333:policy/boundary"
    found = denied("sts:AssumeRole", BY_ACCOUNT, permitted(on_target("sts:AssumeRole"), boundary=boundary))
    assert w.causes(found)[0] == ("xacct-chain-missing", "likely")


def test_a_permission_that_is_lacking_is_proved_without_the_target_of_another_account():
    found = denied("sts:AssumeRole", permitted(on_target("s3:GetObject")))
    assert w.causes(found) == [("xacct-chain-missing", "certain")]


def test_a_configured_step_without_the_permission_is_broken():
    found = why(world(secret_store, second_role(ROLE, "sts:AssumeRole"), permitted(on_target("s3:GetObject"))), w.TARGET)
    assert ("xacct-chain-missing", "certain") in w.causes(found)
    assert found.verdict == "broken"


def test_a_configured_step_that_both_sides_allow_works():
    found = why(world(secret_store, second_role(ROLE, "sts:AssumeRole"), permitted(on_target("sts:AssumeRole"))), w.TARGET)
    assert (found.verdict, found.causes) == ("works", ())


def of_itself(documents):
    """What is configured names the role that the workload has already."""
    for path, content in documents.items():
        if isinstance(content, bytes):
            documents[path] = content.replace(TARGET.encode(), ROLE.encode())
        else:
            documents[path] = json.loads(json.dumps(content).replace(TARGET, ROLE))
    argo = documents.get("store.json", {})
    if "config" in argo.get("data", {}):
        settings = base64.b64decode(argo["data"]["config"]).decode().replace(TARGET, ROLE)
        argo["data"]["config"] = base64.b64encode(settings.encode()).decode()


def trusts_itself(documents):
    statement = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sts:AssumeRole"}
    w.role(documents)["AssumeRolePolicyDocument"]["Statement"].append(statement)


# Terraform writes the account apart; a role that is had by the token is no second call
AGAIN = [row for row in CONFIGURED if row[0] not in (terraform, scaler, secret_of_scaler)]


@pytest.mark.parametrize(("configured", "target"), AGAIN, ids=range(len(AGAIN)))
def test_a_role_that_is_configured_to_assume_itself_is_the_likely_cause(configured, target):
    found = why(world(configured, of_itself), target)
    assert w.causes(found)[:1] == [("double-assume-self", "likely")]
    assert found.verdict == "unknown"
    assert found.causes[0].evidence


@pytest.mark.parametrize(("configured", "target"), AGAIN, ids=range(len(AGAIN)))
def test_a_role_that_trusts_itself_may_assume_itself(configured, target):
    assert why(world(configured, of_itself, trusts_itself), target).verdict == "works"


def test_a_role_that_is_had_by_the_token_is_not_assumed_again():
    found = why(world(scaler, of_itself), "payments/keda-operator")
    assert found.verdict == "works"


# ---- the same by `check`


def chain_findings(documents, folder):
    for path, content in documents.items():
        (folder / path).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    settings = Settings(complete=("serviceaccounts",))
    found = api.check([str(folder)], settings=settings).findings
    return [finding.subject.id for finding in found if finding.rule == "xacct-chain-missing"]


# a role that may be had by the token itself is no finding: whether it is shows in the diagnosis
ALWAYS_A_STEP = CONFIGURED[:-2]


@pytest.mark.parametrize(("configured", "target"), ALWAYS_A_STEP, ids=range(len(ALWAYS_A_STEP)))
def test_a_role_that_does_not_trust_the_one_before_it_is_a_finding_too(configured, target, tmp_path):
    documents = world(configured, second_role(f"arn:aws:iam::{OTHER}:root", "sts:AssumeRole"))
    assert chain_findings(documents, tmp_path) == [TARGET]


@pytest.mark.parametrize(("configured", "target"), CONFIGURED, ids=range(len(CONFIGURED)))
def test_a_role_that_trusts_the_one_before_it_is_no_finding(configured, target, tmp_path):
    assert chain_findings(world(configured, second_role(ROLE, "sts:AssumeRole")), tmp_path) == []


@pytest.mark.parametrize(("names", "findings"), [(["external-secrets"], 1), (["external-secrets", "external-secrets-two"], 0)])
def test_one_of_several_that_may_use_a_store_proves_nothing(names, findings, tmp_path):
    documents = world(second_role(f"arn:aws:iam::{OTHER}:root", "sts:AssumeRole"))
    documents["store.json"] = {**STORE, "kind": "ClusterSecretStore", "spec": {"provider": {"aws": {"role": TARGET}}}}
    for name in names:
        metadata = {"name": name, "namespace": "payments", "annotations": {w.ANNOTATION: f"{ROLE}-{name}"}}
        documents[f"{name}.json"] = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    assert len(chain_findings(documents, tmp_path)) == findings


# ---- second roles that no file configures


def test_a_role_that_trusts_this_one_is_told_of_for_it_is_had_by_a_second_call_alone():
    found = why(world(second_role(ROLE, "sts:AssumeRole")))
    assert found.verdict == "works"
    assert any(TARGET in note and "sts:AssumeRole" in note for note in found.notes)


@pytest.mark.parametrize("principal", [f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{OTHER}:role/other"])
def test_a_role_that_trusts_others_is_not(principal):
    assert not any(TARGET in note for note in why(world(second_role(principal, "sts:AssumeRole"))).notes)
