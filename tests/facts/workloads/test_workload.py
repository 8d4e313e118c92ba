# Long: mirrors the facts of one record, a test or more for each
from typing import Any

import pytest

from tests.facts.situations import (
    KEY,
    TOKEN_FILE,
    account,
    association,
    aws,
    container,
    deployment,
    found,
    manifests,
    missing,
    mount,
    pair,
    plain_account,
    pod,
    role_arn,
    set_up,
    subjects,
    token_volume,
    view,
    workload,
)

ALL = ("serviceaccounts",)
LABEL = {"eks.amazonaws.com/skip-pod-identity-webhook": "false"}
OWNED = {"ownerReferences": [{"kind": "Deployment", "name": "app", "controller": True}]}


def rules(*objects, complete=ALL, **more):
    """Ids of the rules that speak of a workload."""
    documents = aws(**{"objects.yaml": manifests(*objects)}, **more)
    return {rule for rule, subject in found(documents, *complete) if subject.count("/") == 3 and subject.startswith("prod/")}


def skipping(names):
    return {"annotations": {"eks.amazonaws.com/skip-containers": names}}


# ---- the whole


def test_nothing_is_said_of_a_template_or_a_pod_that_is_as_it_should_be():
    assert rules(account(), deployment(), pod()) == set()
    assert rules(plain_account(), deployment(), pod(container())) == set()


def test_a_workload_is_named_by_cluster_namespace_kind_and_name():
    documents = aws(**{"objects.yaml": manifests(account(), deployment(), pod())})
    assert [judged.id for judged in subjects(documents, "workload")] == ["prod/prod/deployment/app", "prod/prod/pod/app-1"]
    assert {judged.group for judged in subjects(documents, "workload")} == {"prod/prod/app"}


@pytest.mark.parametrize(
    "finished",
    [
        pod(container(), phase="Succeeded"),
        {**deployment(container(env=pair()[:1])), "kind": "ReplicaSet", "spec": {**deployment()["spec"], "replicas": 0}},
    ],
    ids=["pod", "replica set"],
)
def test_what_is_over_is_not_judged(finished):
    finished["metadata"] |= OWNED
    assert subjects(aws(**{"objects.yaml": manifests(account(), finished)}), "workload") == []


def test_what_a_manifest_says_is_said_of_the_topmost_object_alone():
    wrong = container(env=pair()[:1])
    replicas = {**deployment(wrong, name="app-5d9", own=OWNED), "kind": "ReplicaSet"}
    instance = pod(wrong, metadata={"ownerReferences": [{"kind": "ReplicaSet", "name": "app-5d9", "controller": True}]})
    documents = aws(**{"objects.yaml": manifests(account(), deployment(wrong), replicas, instance)})
    assert {s for r, s in found(documents, *ALL) if r == "partial-env-role-only"} == {"prod/prod/deployment/app"}


def test_an_owner_that_is_not_here_is_told_by_the_names_that_kubernetes_gives():
    wrong = container(env=pair()[:1])
    hashed = {"labels": {"pod-template-hash": "5d9"}}
    of_set = {"ownerReferences": [{"kind": "ReplicaSet", "name": "app-5d9", "controller": True}], **hashed}
    assert said_of(deployment(wrong), pod(wrong, metadata=of_set)) == {"prod/prod/deployment/app"}
    of_other = {"ownerReferences": [{"kind": "ReplicaSet", "name": "app-777", "controller": True}], **hashed}
    assert said_of(deployment(wrong), pod(wrong, metadata=of_other)) == {"prod/prod/deployment/app", "prod/prod/pod/app-1"}
    inside = deployment(wrong)["spec"]["template"]
    job = {"kind": "CronJob", "metadata": {"name": "app", "namespace": "prod"}, "apiVersion": "batch/v1"}
    timed = {**job, "spec": {"jobTemplate": {"spec": {"template": inside}}}}
    of_job = {"ownerReferences": [{"kind": "Job", "name": "app-29012345", "controller": True}]}
    assert said_of(timed, pod(wrong, metadata=of_job)) == {"prod/prod/cronjob/app"}


def said_of(*objects):
    """Subjects of which it is said that they set one variable without the other."""
    documents = aws(**{"objects.yaml": manifests(account(), *objects)})
    return {subject for rule, subject in found(documents, *ALL) if rule == "partial-env-role-only"}


def test_owners_in_a_circle_end():
    one = deployment(name="a", own={"ownerReferences": [{"kind": "Deployment", "name": "b", "controller": True}]})
    other = deployment(name="b", own={"ownerReferences": [{"kind": "Deployment", "name": "a", "controller": True}]})
    assert subjects(aws(**{"objects.yaml": manifests(one, other)}), "workload") == []


# ---- identity


@pytest.mark.parametrize(
    ("objects", "identity"),
    [
        ((account(), deployment()), "irsa"),
        ((plain_account(), deployment()), "none"),
        ((deployment(),), "none"),
        ((plain_account(), deployment(container(env=pair()))), "by-hand"),
    ],
)
def test_identity_is_what_gets_a_workload_to_aws(objects, identity):
    assert workload(*objects, complete=ALL).identity == identity


def test_identity_is_unknown_where_the_account_may_be_somewhere_else():
    assert missing(workload(deployment()).identity) == "service accounts of the namespaces of workloads in prod"
    assert workload(deployment(container(env=pair()))).identity == "by-hand"
    assert workload(pod()).identity == "irsa"


def test_an_association_is_the_identity_whatever_the_annotation_says():
    assert workload(account(), deployment(), **{"one.json": association()}).identity == "pod-identity"


def test_manifests_of_no_known_cluster_belong_together_where_they_lie_together():
    app, other = manifests(account(), deployment()), manifests(plain_account())
    alone = view({"a/app.yaml": app})
    assert alone.workload_lookups.account_of(alone.inventory.workloads[0]).name == "app"
    beside = view({"a/app.yaml": app, "b/other.yaml": other})
    assert beside.workload_lookups.account_of(beside.inventory.workloads[0]).place.document == "a/app.yaml"
    apart = view({"a/app.yaml": manifests(deployment()), "b/one.yaml": manifests(account()), "c/two.yaml": other})
    assert "service accounts" in missing(apart.workload_lookups.account_of(apart.inventory.workloads[0]))
    single = view({"a/app.yaml": manifests(deployment()), "b/one.yaml": manifests(account())})
    assert single.workload_lookups.account_of(single.inventory.workloads[0]).place.document == "b/one.yaml"


# ---- service account and annotation


def test_a_workload_without_role_beside_an_unused_account_of_its_name_uses_the_wrong_one():
    lost = deployment(serviceAccountName="default")
    assert rules(account(), plain_account("default"), lost) == {"pod-wrong-sa"}
    assert rules(account(), plain_account("default"), lost, deployment(name="user")) == set()
    assert rules(account(), plain_account("default"), deployment(name="other", serviceAccountName="default")) == set()
    labelled = pod(container(), serviceAccountName="default", metadata={"labels": {"app": "app"}})
    assert rules(account(), plain_account("default"), labelled) == {"pod-wrong-sa"}


def test_whether_the_default_account_has_a_role_must_be_known():
    assert "service accounts" in missing(workload(account(), deployment(serviceAccountName="default")).service_account)


@pytest.mark.parametrize("where", ["template", "object"])
def test_an_annotation_on_the_workload_is_ignored(where):
    annotated = {"annotations": {KEY: role_arn()}}
    wrong = deployment(metadata=annotated) if where == "template" else deployment(own=annotated)
    assert rules(plain_account(), wrong) == {"sa-annotation-on-pod"}
    assert rules(account(), wrong) == set()
    assert "service accounts" in missing(workload(wrong).annotation_on_pod)


def test_the_account_is_not_blamed_as_well_for_an_annotation_on_the_workload():
    annotated = deployment(metadata={"annotations": {KEY: role_arn()}})
    there = {rule for rule, _ in found(aws(**{"o.yaml": manifests(plain_account(), annotated)}), *ALL)}
    assert "sa-annotation-on-pod" in there
    assert "sa-annotation-missing" not in there


# ---- half an environment


@pytest.mark.parametrize(("variable", "rule"), [(0, "partial-env-role-only"), (1, "partial-env-token-only")])
@pytest.mark.parametrize("make", [deployment, pod])
def test_one_variable_without_the_other_is_half_an_environment(variable, rule, make):
    half = container(env=[pair()[variable]])
    assert rules(account(), make(half)) == {rule}
    assert rules(plain_account(), make(half)) == {rule}


def test_the_other_variable_may_come_from_a_config_map():
    source = [{"configMapRef": {"name": "aws"}, "prefix": "AWS_"}]
    half = deployment(container(env=pair()[:1], envFrom=source))
    keys = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws", "namespace": "prod"}}
    assert missing(workload(account(), half).environment).startswith("keys of the ConfigMaps and Secrets")
    assert workload(account(), half, {**keys, "data": {"WEB_IDENTITY_TOKEN_FILE": "x"}}).environment == "whole"
    assert workload(account(), half, {**keys, "data": {"OTHER": "x"}}).environment == "role-only"


# ---- which role


def test_a_pod_that_runs_with_an_earlier_role_has_drifted():
    old = container(env=pair(role_arn("old")), volumeMounts=[mount()])
    assert rules(account(), pod(old, volumes=[token_volume()])) == {"annotation-drift"}
    assert "service accounts" in missing(workload(pod(old, volumes=[token_volume()])).role)


def test_a_manifest_that_names_another_role_is_in_conflict():
    other = container(env=pair(role_arn("other")))
    assert rules(account(), deployment(other)) == {"manual-env-conflicts-annotation"}
    assert rules(account(), deployment(container(env=pair()))) == set()
    assert rules(account(), deployment(other), pod(other, metadata=OWNED, volumes=[token_volume()])) == {
        "manual-env-conflicts-annotation"
    }


def test_a_role_that_cannot_be_seen_is_unknown():
    hidden = [{"name": "AWS_ROLE_ARN", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}, pair()[1]]
    assert missing(workload(account(), deployment(container(env=hidden))).role) == "value of AWS_ROLE_ARN"
    template = container(env=pair("arn:aws:iam::${ACCOUNT}:role/app"))
    assert missing(workload(account(), deployment(template)).role) == "values of the template's placeholders"


# ---- what became of the webhook's work


def test_a_pod_without_anything_is_older_than_the_annotation():
    assert rules(account(), pod(container())) == {"pod-older-than-annotation"}
    assert rules(account(), pod(container(), set_up("other"))) == {"pod-older-than-annotation"}


def test_a_pod_seconds_after_its_account_was_too_early():
    early = pod(container(), metadata={"creationTimestamp": "2025-03-01T10:00:02Z"})
    assert rules(account(), early) == {"webhook-cache-race"}


def test_whether_a_bare_pod_lacks_something_depends_on_its_account():
    assert "service accounts" in missing(workload(pod(container())).admission)
    assert workload(pod()).admission == "complete"


@pytest.mark.parametrize("make", [deployment, pod])
def test_the_label_keeps_the_webhook_away_whatever_its_value(make):
    assert rules(account(), make(container(), metadata={"labels": LABEL})) == {"webhook-optout-label"}
    assert rules(plain_account(), make(container(), metadata={"labels": LABEL})) == set()
    assert rules(account(), make(container(env=pair()), metadata={"labels": LABEL}, volumes=[token_volume("t")])) == {
        "token-file-missing"
    }


def test_the_label_means_nothing_to_a_webhook_that_does_not_look_at_it():
    assert rules(account(), pod(metadata={"labels": LABEL})) == set()
    hook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "pod-identity-webhook"},
        "webhooks": [{"name": "x", "rules": [{"operations": ["CREATE"], "apiGroups": [""], "resources": ["pods"]}]}],
    }
    assert rules(account(), deployment(metadata={"labels": LABEL}), hook) == set()


@pytest.mark.parametrize("make", [deployment, pod])
def test_leaving_out_every_container_is_an_oversight_and_leaving_out_some_is_not(make):
    containers = (container("app"), container("sidecar"))
    assert rules(account(), make(*containers, metadata=skipping("app,sidecar"))) == {"skip-containers-unintended"}
    kept = pod(set_up("app"), container("sidecar"), volumes=[token_volume()], metadata=skipping("sidecar"))
    assert rules(account(), kept) == set()
    assert rules(account(), deployment(*containers, metadata=skipping("sidecar"))) == set()


def test_a_container_that_came_later_is_told_apart_from_the_proxy_of_a_mesh():
    volumes = {"volumes": [token_volume()]}
    assert rules(account(), pod(set_up(), container("agent"), **volumes)) == {"late-injected-sidecar"}
    assert rules(account(), pod(set_up(), container("istio-proxy"), **volumes)) == set()


def test_a_mirror_pod_is_no_pod_that_could_have_a_role():
    mirror = pod(container(), metadata={"annotations": {"kubernetes.io/config.mirror": "x"}})
    assert rules(account(), mirror) == {"static-or-mirror-pod"}


def test_variables_by_hand_in_one_container_do_not_hide_that_the_webhook_was_not_there():
    by_hand = container("a", env=pair(path="/tokens/token"), volumeMounts=[mount("/tokens", "t")])
    assert rules(account(), pod(by_hand, container("b"), volumes=[token_volume("t")])) == {"pod-older-than-annotation"}


# ---- the token


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("token", "token-path-relative"),
        ("/var/run/secrets/kubernetes.io/serviceaccount/token", "token-wrong-file"),
        ("/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token", "podid-aud-token-to-sts"),
        ("/elsewhere/token", "token-file-missing"),
        (TOKEN_FILE, None),
        ("C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token", None),
        ("/run/secrets/eks.amazonaws.com/serviceaccount/token", None),
    ],
)
def test_a_path_in_a_manifest_must_lead_to_a_token_for_aws(path, rule):
    assert rules(account(), deployment(container(env=pair(path=path)))) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("audience", "accepted", "rule"),
    [
        ("sts.amazonaws.com", ["sts.amazonaws.com"], None),
        # STS takes the token; that the role of these worlds asks for the usual audience is another mistake
        ("vault", ["sts.amazonaws.com", "vault"], "trust-aud-mismatch"),
        ("vault", ["sts.amazonaws.com"], "token-wrong-file"),
        ("", ["sts.amazonaws.com"], "token-wrong-file"),
        ("pods.eks.amazonaws.com", ["sts.amazonaws.com"], "podid-aud-token-to-sts"),
    ],
)
def test_a_token_of_ones_own_must_be_for_an_audience_that_the_provider_accepts(audience, accepted, rule):
    own = container(env=pair(path="/tokens/token"), volumeMounts=[mount("/tokens/", "t")])
    provider = {**aws()["provider.json"], "ClientIDList": accepted}
    objects = (plain_account(), deployment(own, volumes=[token_volume("t", audience)]))
    assert rules(*objects, **{"provider.json": provider}) == ({rule} if rule else set())


def test_what_a_provider_accepts_may_be_unknown():
    own = container(env=pair(path="/tokens/token"), volumeMounts=[mount("/tokens", "t")])
    documents = aws(**{"o.yaml": manifests(plain_account(), deployment(own, volumes=[token_volume("t", "vault")]))})
    del documents["provider.json"]
    (judged,) = subjects(documents, "workload")
    assert missing(judged.facts.token_file) == "client ids of the OIDC provider of prod"


def test_a_file_that_the_volume_does_not_have_is_missing():
    own = container(env=pair(path="/tokens/other"), volumeMounts=[mount("/tokens", "t")])
    assert rules(plain_account(), deployment(own, volumes=[token_volume("t")])) == {"token-file-missing"}


def test_a_volume_that_is_no_token_may_hold_anything():
    own = container(env=pair(path="/tokens/token"), volumeMounts=[mount("/tokens", "t")])
    assert rules(plain_account(), deployment(own, volumes=[{"name": "t", "emptyDir": {}}])) == set()


def test_whether_the_webhook_brings_the_token_depends_on_the_account():
    by_hand = deployment(container(env=pair()))
    assert rules(plain_account(), by_hand) == {"token-file-missing"}
    assert "service accounts" in missing(workload(by_hand).token_file)


@pytest.mark.parametrize("env", [None, pair()])
def test_a_mount_of_the_webhooks_name_at_another_path_is_in_the_way(env):
    wrong = container(env=env, volumeMounts=[mount("/elsewhere")])
    assert rules(account(), deployment(wrong, volumes=[token_volume()])) == {"mount-name-collision"}
    right = container(env=env, volumeMounts=[mount()])
    assert rules(account(), deployment(right, volumes=[token_volume()])) == set()


def test_a_pod_whose_container_lacks_the_mount_is_told_from_one_without_volume():
    told = container(env=pair())
    assert rules(account(), pod(told, volumes=[token_volume()])) == {"mount-missing"}
    assert rules(plain_account(), pod(told)) == {"token-file-missing"}


def test_a_sub_path_keeps_the_first_token():
    part = container(env=pair(path="/t/token"), volumeMounts=[mount("/t/token", "t", subPath="token")])
    assert rules(plain_account(), deployment(part, volumes=[token_volume("t")])) == {"token-copied-subpath"}


@pytest.mark.parametrize("make", [deployment, pod])
def test_a_volume_of_the_webhooks_name_is_kept_as_it_is(make):
    through = set_up() if make is pod else container()
    assert rules(account(), make(through, volumes=[token_volume(audience="old")])) == {"stale-aws-iam-token-volume"}
    assert rules(account(), make(through, volumes=[{"name": "aws-iam-token", "emptyDir": {}}])) == {
        "stale-aws-iam-token-volume"
    }
    assert rules(account(), make(through, volumes=[token_volume()])) == set()


def test_the_volume_must_have_the_audience_that_the_account_asks_for():
    asking = account(role_arn=role_arn(), audience="vault")
    provider = {**aws()["provider.json"], "ClientIDList": ["sts.amazonaws.com", "vault"]}
    right = pod(set_up(), volumes=[token_volume(audience="vault")])
    assert workload(asking, right, **{"provider.json": provider}).token_volume == "fine"
    assert "service accounts" in missing(workload(pod(set_up(), volumes=[token_volume(audience="vault")])).token_volume)


def test_a_token_for_less_than_ten_minutes_is_refused_by_kubernetes():
    assert rules(account(), deployment(volumes=[token_volume("t", expirationSeconds=599)])) == {"token-expiration-too-short"}
    assert rules(account(), deployment(volumes=[token_volume("t", expirationSeconds=600)])) == set()


@pytest.mark.parametrize(
    ("version", "pod_security", "own_security", "readable"),
    [
        ("1.18", {"runAsUser": 1000}, {}, False),
        ("1.18", {"runAsNonRoot": True}, {}, False),
        ("1.18", {}, {"runAsUser": 1000}, False),
        ("1.18", {"runAsUser": 1000}, {"runAsUser": 0}, True),
        ("1.18", {"runAsUser": 1000, "fsGroup": 65534}, {}, True),
        ("1.18", {}, {}, True),
        ("1.19", {"runAsUser": 1000}, {}, True),
        ("v1.33+", {"runAsUser": 1000}, {}, True),
    ],
)
def test_the_token_was_for_root_alone_before_kubernetes_1_19(version, pod_security, own_security, readable):
    described = aws()["cluster.json"]
    described["cluster"]["version"] = version
    secured = deployment(container(securityContext=own_security), securityContext=pod_security)
    assert workload(account(), secured, **{"cluster.json": described}).token_readable is readable


def test_without_the_version_of_the_cluster_it_is_not_known_who_may_read_the_token():
    described = aws()["cluster.json"]
    del described["cluster"]["version"]
    secured = deployment(securityContext={"runAsUser": 1000})
    facts = workload(account(), secured, **{"cluster.json": described})
    assert missing(facts.token_readable) == "Kubernetes version of prod"
    assert workload(plain_account(), secured, **{"cluster.json": described}, complete=ALL).token_readable is True


# ---- what comes before the role


def test_access_keys_in_the_environment_come_before_the_role():
    keys = container(env=[{"name": "AWS_ACCESS_KEY_ID", "value": "made-up"}])
    assert rules(account(), deployment(keys)) == {"static-keys-shadow"}
    assert rules(plain_account(), deployment(keys)) == set()
    assert "service accounts" in missing(workload(deployment(keys)).static_keys)
    left_out = deployment(keys, container("other"), metadata=skipping("app"))
    assert rules(account(), left_out) == set()


def test_access_keys_may_come_from_a_whole_secret():
    from_secret = deployment(container(envFrom=[{"secretRef": {"name": "aws"}}]))
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "aws", "namespace": "prod"}}
    assert rules(account(), from_secret, {**secret, "data": {"AWS_ACCESS_KEY_ID": "bWFkZS11cA=="}}) == {"static-keys-shadow"}
    assert rules(account(), from_secret, {**secret, "data": {"OTHER": "eA=="}}) == set()
    assert missing(workload(account(), from_secret).static_keys).startswith("keys of the ConfigMaps and Secrets")
    assert workload(plain_account(), from_secret, complete=ALL).static_keys is False


@pytest.mark.parametrize(
    "given",
    [
        container(env=[{"name": "AWS_PROFILE", "value": "x"}]),
        container(volumeMounts=[mount("/root/.aws", "c")]),
        container(volumeMounts=[mount("/home/app/.aws/credentials", "c")]),
    ],
)
def test_a_profile_may_come_before_the_role(given):
    assert rules(account(), deployment(given, volumes=[{"name": "c", "emptyDir": {}}])) == {"shared-config-shadow"}
    assert workload(plain_account(), deployment(given), complete=ALL).shared_config is False
    assert "service accounts" in missing(workload(deployment(given)).shared_config)


def test_a_folder_that_is_only_called_alike_is_no_configuration():
    given = container(volumeMounts=[mount("/root/.aws-sam", "c")])
    assert workload(account(), deployment(given)).shared_config is False


def in_china(*env):
    """A pod set up in a cluster of China."""
    described = aws()["cluster.json"]
    described["cluster"] |= {
        "arn": "arn:aws-cn:eks:cn-north-1:111122223333:cluster/prod",
        "identity": {"oidc": {"issuer": "https://oidc.eks.cn-north-1.amazonaws.com.cn/id/AAAA"}},
    }
    return workload(account(), pod(set_up("app", *env), volumes=[token_volume()]), **{"cluster.json": described})


def test_outside_of_the_commercial_partition_a_pod_must_be_told_its_region():
    assert in_china().region_missing is True
    assert in_china({"name": "AWS_REGION", "value": "cn-north-1"}).region_missing is False
    assert workload(account(), pod()).region_missing is False


@pytest.mark.parametrize(
    ("env", "rule"),
    [
        ([{"name": "AWS_STS_REGIONAL_ENDPOINTS", "value": "legacy"}], "sts-global-blocked"),
        ([{"name": "AWS_STS_REGIONAL_ENDPOINTS", "value": "regional"}], None),
        ([{"name": "AWS_ENDPOINT_URL", "value": "http://minio"}], "sts-wrong-custom-endpoint"),
        ([{"name": "AWS_ENDPOINT_URL", "value": "x"}, {"name": "AWS_ENDPOINT_URL_STS", "value": "y"}], None),
        ([{"name": "AWS_ENDPOINT_URL_S3", "value": "x"}], None),
    ],
)
def test_which_sts_is_called_is_read_from_the_environment(env, rule):
    assert rules(account(), deployment(container(env=env))) == ({rule} if rule else set())
    assert rules(plain_account(), deployment(container(env=env))) == set()


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("app", "fine"),
        ("a" * 64, "fine"),
        ("a" * 65, "bad"),
        ("a", "bad"),
        ("prod/app", "bad"),
        ("ä" * 3, "bad"),
        ("", "fine"),
        ("prod/$(POD_NAME)", "bad"),
        ("a$$(POD)", "bad"),
    ],
)
def test_a_session_name_has_the_letters_and_the_length_that_sts_takes(name, verdict):
    named = deployment(container(env=[{"name": "AWS_ROLE_SESSION_NAME", "value": name}]))
    assert workload(account(), named).session_name == verdict
    assert workload(plain_account(), named, complete=ALL).session_name == "fine"


def test_a_session_name_that_kubernetes_fills_in_is_unknown():
    for value in ({"value": "app-$(POD_NAME)"}, {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}):
        named = deployment(container(env=[{"name": "AWS_ROLE_SESSION_NAME", **value}]))
        assert missing(workload(account(), named).session_name) == "value of AWS_ROLE_SESSION_NAME"
    template = deployment(container(env=[{"name": "AWS_ROLE_SESSION_NAME", "value": "${NAME}"}]))
    assert missing(workload(account(), template).session_name) == "values of the template's placeholders"


def test_windows_by_affinity_is_not_seen_by_the_webhook():
    terms = [{"matchExpressions": [{"key": "kubernetes.io/os", "operator": "In", "values": ["windows"]}]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    affine: dict[str, Any] = {"affinity": {"nodeAffinity": required}}
    assert rules(account(), deployment(**affine)) == {"windows-nodeaffinity"}
    assert rules(account(), deployment(**affine, nodeSelector={"kubernetes.io/os": "windows"})) == set()
    assert rules(plain_account(), deployment(**affine)) == set()


def test_a_debugging_container_misleads():
    debugged = pod(set_up(), volumes=[token_volume()], ephemeralContainers=[{"name": "debugger"}])
    assert rules(account(), debugged) == {"ephemeral-container"}
    assert rules(plain_account(), pod(container(), ephemeralContainers=[{"name": "debugger"}])) == set()


@pytest.mark.parametrize(
    ("names", "rule"),
    [("app, sidecar", True), ("sidecar", False), ('"sidecar', True), ("", True), ("istio-proxy", False)],
)
def test_an_annotation_that_the_webhook_reads_otherwise_leaves_out_nothing(names, rule):
    annotated = deployment(container("app"), container("sidecar"), metadata=skipping(names))
    assert workload(account(), annotated).skip_containers is rule
    assert workload(plain_account(), annotated, complete=ALL).skip_containers is False


def test_a_lifetime_on_the_pod_is_checked_too():
    asked = deployment(metadata={"annotations": {"eks.amazonaws.com/token-expiration": "1h"}})
    assert workload(account(), asked).expiration_ignored is True
    assert workload(plain_account(), asked, complete=ALL).expiration_ignored is False
    assert "service accounts" in missing(workload(asked).expiration_ignored)


# ---- EKS Pod Identity

CREDENTIALS = {"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://169.254.170.23/v1/credentials"}


@pytest.mark.parametrize(
    ("objects", "rule"),
    [
        ((deployment(),), None),
        ((pod(container(env=[CREDENTIALS])),), None),
        ((pod(),), "pod-identity-assoc-race"),
        ((pod(container()),), "pod-identity-assoc-race"),
        ((deployment(container(env=pair())),), "podid-chain-order"),
        ((pod(container(env=[*pair(), CREDENTIALS])),), "podid-chain-order"),
        ((deployment(nodeSelector={"kubernetes.io/os": "windows"}),), "podid-unsupported-node"),
        ((pod(container(), metadata={"labels": {"eks.amazonaws.com/fargate-profile": "x"}}),), "podid-unsupported-node"),
        ((pod(container(), metadata={"labels": LABEL}),), "webhook-optout-label"),
        ((deployment(container(env=pair()[:1])),), None),
        ((deployment(container(env=pair()[1:])),), "partial-env-token-only"),
    ],
)
def test_a_workload_with_an_association_gets_its_credentials_from_the_agent(objects, rule):
    said = rules(plain_account(), *objects, **{"one.json": association()})
    assert said == ({rule} if rule else set())


def test_a_region_may_come_from_a_whole_config_map():
    sourced = set_up("app", envFrom=[{"configMapRef": {"name": "region"}}])
    described = aws()["cluster.json"]
    issuer = "https://oidc.eks.cn-north-1.amazonaws.com.cn/id/AAAA"
    described["cluster"] |= {
        "arn": "arn:aws-cn:eks:cn-north-1:111122223333:cluster/prod",
        "identity": {"oidc": {"issuer": issuer}},
    }
    unseen = workload(account(), pod(sourced, volumes=[token_volume()]), **{"cluster.json": described})
    assert missing(unseen.region_missing).startswith("keys of the ConfigMaps and Secrets")


def test_a_path_from_elsewhere_may_be_right():
    elsewhere = [
        pair()[0],
        {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
    ]
    assert workload(plain_account(), deployment(container(env=elsewhere))).token_file == "fine"


def test_a_volume_without_token_is_nobodys_fault_while_the_account_is_not_known():
    empty = deployment(volumes=[{"name": "aws-iam-token", "emptyDir": {}}])
    assert "service accounts" in missing(workload(empty).token_volume)
    assert workload(plain_account(), empty, complete=ALL).token_volume == "fine"


@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
def test_pods_are_made_under_a_service_account_that_exists(kind):
    made = deployment(serviceAccountName="web")
    if kind == "CronJob":
        template = made["spec"].pop("template")
        made |= {"kind": kind, "apiVersion": "batch/v1", "spec": {"jobTemplate": {"spec": {"template": template}}}}
    assert workload(account("web"), made).account_exists is True
    assert workload(account(), made, complete=ALL).account_exists is False
    unseen = workload(account(), made)
    assert "service accounts" in missing(unseen.account_exists)
    assert [workload(account(), made, complete=ALL).account_looked_for, unseen.account_looked_for] == [True, False]


def test_every_namespace_has_a_default_service_account_and_a_pod_that_runs_was_admitted():
    assert workload(account(), deployment(serviceAccountName="default"), complete=ALL).account_exists is True
    assert workload(account(), pod(set_up(), serviceAccountName="gone"), complete=ALL).account_exists is True
