# Long: every call of one command, with what its failure leaves unknown
"""`why` over HTTP: of a live account and cluster the same is told as of files, and of what `collect` made of them."""

import copy
import json
from datetime import UTC, datetime

import msgspec
import pytest

from irsa_doctor import api
from irsa_doctor.sources.live import LiveOptions, Plan, take
from irsa_doctor.sources.live.operations import AWS
from irsa_doctor.sources.snapshot.snapshot import write_snapshot
from tests.answers.why import world as w
from tests.answers.why.test_links import BREAKS, associated, by_pod_identity, rcp
from tests.answers.why.test_target_permissions import MANAGED, managed, permitted, policy
from tests.cli.running import run
from tests.servers.aws import Problem, denied
from tests.servers.estate import estate
from tests.servers.kubernetes import RESOURCES, TOKEN, FakeKubernetes
from tests.servers.tls import tls
from tests.servers.world import served


def told(found):
    """What the answer says, but for the documents that it was read from."""
    links = [(link.id, link.verdict, link.because, link.settle, [one.says for one in link.evidence]) for link in found.links]
    causes = [(one.id, one.certainty, one.because, one.remedy, one.settle) for one in found.causes]
    return found.subject, found.role, found.verdict, links, causes, found.predicted_error, found.notes, found.roles


def other_subject(documents):
    w.equals(documents)[f"{w.ISSUER}:sub"] = "system:serviceaccount:payments:other"


class Served:
    """Documents behind servers, and the options that lead there."""

    def __init__(self, monkeypatch, folder):
        self.monkeypatch, self.folder = monkeypatch, folder
        self.opened: list = []

    def __call__(self, documents):
        self.servers = aws, kubernetes = served(documents)
        self.opened += [aws.__enter__(), kubernetes.__enter__()]
        for name, value in aws.environment.items():
            self.monkeypatch.setenv(name, value)
        return LiveOptions(aws=True, kube=True, kubeconfig=kubernetes.kubeconfig(self.folder))


@pytest.fixture
def behind_servers(monkeypatch, tmp_path):
    made = Served(monkeypatch, tmp_path)
    yield made
    for one in made.opened:
        one.__exit__()


@pytest.mark.parametrize(("breaks", "target", "link", "cause"), [row[1:] for row in BREAKS], ids=[row[0] for row in BREAKS])
def test_live_and_collected_answers_are_those_of_files(breaks, target, link, cause, behind_servers, tmp_path):
    options = behind_servers(w.world(*breaks))
    live = api.why(target, live=options, now=w.NOW)
    write_snapshot(take(Plan("collect"), options), str(tmp_path / "snapshot.json"))
    later = api.why(target, [str(tmp_path / "snapshot.json")], now=w.NOW)
    assert told(live) == told(later)
    assert (w.failed(live), live.verdict, live.causes[0].id) == ([link], "broken", cause)


# ---- faults

NAMED = {
    "serviceaccounts": "service-account",
    "openid-configuration": "issuer",
    "pods": "workload",
    "GetRole": "role",
    "ListOpenIDConnectProviders": "provider",
    "GetOpenIDConnectProvider": "audience",
    "DescribeOrganization": "guardrails",
    "ListPoliciesForTarget": "guardrails",
    "DescribePolicy": "guardrails",
}
"""what is denied -> the link that cannot be told then"""
ALL_DENIED = [*(one.name for one in AWS if one.needs_permission), *RESOURCES, "jwks", "version", "openid-configuration"]


def deny(servers, what):
    aws, kubernetes = servers
    action = next((one.action for one in AWS if one.name == what), "")
    if action:
        aws.faults[what] = denied(action)
    else:
        kubernetes.denied.add(what)
    return action or what


@pytest.mark.parametrize("what", ALL_DENIED)
def test_what_may_not_be_read_never_makes_a_healthy_way_broken(what, behind_servers):
    options = behind_servers(w.world(rcp(StringNotEquals={"aws:ResourceAccount": w.ACCOUNT})))
    named = deny(behind_servers.servers, what)
    found = api.why(w.TARGET, live=options, now=w.NOW)
    assert found.verdict in ("works", "unknown")
    assert {one.certainty for one in found.causes} <= {"possible"}
    if what in NAMED:
        (link,) = (one for one in found.links if one.id == NAMED[what])
        assert link.verdict == "unknown"
        assert named.removesuffix("openid-configuration") in link.because
        assert " is denied to " in link.because or ": denied to " in link.because
        assert "irsa-doctor permissions why" in link.settle


def test_an_association_that_may_not_be_described_is_one_of_an_unseen_role(behind_servers):
    options = behind_servers(w.world(by_pod_identity, associated()))
    deny(behind_servers.servers, "DescribePodIdentityAssociation")
    found = api.why(w.TARGET, live=options, now=w.NOW)
    assert (found.verdict, w.failed(found)) == ("unknown", [])
    link = next(link for link in found.links if link.id == "pod-identity")
    assert "eks:DescribePodIdentityAssociation is denied to" in link.because


MIXED = [
    row for row in BREAKS if row[0] in ("a path that was dropped", "no provider", "no such role", "trust: another subject")
]


@pytest.mark.parametrize("what", ["GetRole", "ListOpenIDConnectProviders", "serviceaccounts", "pods", "openid-configuration"])
@pytest.mark.parametrize(("breaks", "target", "link", "cause"), [row[1:] for row in MIXED], ids=[row[0] for row in MIXED])
def test_what_may_not_be_read_never_names_another_cause_for_certain(breaks, target, link, cause, what, behind_servers):
    options = behind_servers(w.world(*breaks))
    deny(behind_servers.servers, what)
    found = api.why(target, live=options, now=w.NOW)
    assert found.verdict in ("broken", "unknown")
    # whose provider the policy trusts is not known without the issuer: that it is gone is certain all the same
    same = {"trust-principal-provider-deleted"} if cause == "oidc-provider-missing" else set()
    assert {one.id for one in found.causes if one.certainty == "certain"} <= {cause, *same}


def test_calls_that_are_throttled_are_made_again(behind_servers):
    options = behind_servers(w.world(other_subject))
    aws, kubernetes = behind_servers.servers
    aws.faults["GetRole"] = lambda parameters, number: Problem("Throttling", "Rate exceeded") if number < 3 else None
    kubernetes.busy.update(("pods", "serviceaccounts"))
    assert w.failed(api.why(w.TARGET, live=options, now=w.NOW)) == ["trust-policy"]


def test_calls_that_are_throttled_for_good_are_unknown(behind_servers):
    options = behind_servers(w.world(other_subject))
    behind_servers.servers[0].faults["GetRole"] = Problem("Throttling", "Rate exceeded")
    found = api.why(w.TARGET, live=options.with_timeout(5), now=w.NOW)
    assert (found.verdict, w.verdicts(found)["role"]) == ("unknown", "unknown")


@pytest.mark.parametrize("missing", ["account.json", "pod.json"])
def test_a_list_that_ends_half_way_proves_no_absence(missing, behind_servers):
    documents = w.world()
    # the page that the server does not give has what is asked for
    last = documents.pop(missing)
    first = {**last, "metadata": {"name": "another", "namespace": "payments"}}
    plural = "serviceaccounts" if missing == "account.json" else "pods"
    options = behind_servers({**documents, "first.json": first, missing: last})
    kubernetes = behind_servers.servers[1]
    kubernetes.page_limit = 1
    kubernetes.broken.add(plural)
    found = api.why(w.TARGET if missing == "account.json" else w.POD, live=options, now=w.NOW)
    assert (found.verdict, w.failed(found)) == ("unknown", [])
    link = next(one for one in found.links if one.id == ("service-account" if missing == "account.json" else "workload"))
    assert "etcdserver: request timed out" in link.because


def test_roles_of_another_account_are_unknown_and_say_whose_credentials_were_used(behind_servers):
    def elsewhere(documents):
        arn = w.ROLE.replace(w.ACCOUNT, w.OTHER)
        w.annotations(documents)[w.ANNOTATION] = arn
        w.set_env(documents, AWS_ROLE_ARN=arn)

    found = api.why(w.TARGET, live=behind_servers(w.world(elsewhere)), now=w.NOW)
    assert (found.verdict, w.failed(found)) == ("unknown", [])
    for ident in ("provider", "role"):
        link = next(one for one in found.links if one.id == ident)
        assert f"account {w.OTHER}: the credentials are those of account {w.ACCOUNT}" in link.because
        assert link.settle == f"a --profile of account {w.OTHER}"


def test_a_cluster_of_another_account_works_where_the_account_of_the_role_has_its_provider(behind_servers):
    def elsewhere(documents):
        documents["cluster.json"]["cluster"]["arn"] = w.CLUSTER.replace(w.ACCOUNT, w.OTHER)

    options = behind_servers(w.world(elsewhere))
    aws = behind_servers.servers[0]
    # the account that is asked has the role and the provider, and no cluster
    aws.account, aws.clusters = w.ACCOUNT, {}
    found = api.why(w.TARGET, live=options, now=w.NOW)
    assert (found.verdict, w.failed(found)) == ("works", [])


# ---- the permissions of a role that assumes its target role

CHAINS = {
    "inline": (permitted(policy()), "pass"),
    "nothing": (permitted(), "fail"),
    "one action of two": (permitted(policy("sts:AssumeRole")), "fail"),
    "managed": (managed(permitted(attached=[MANAGED]), policy()), "pass"),
    "managed, denied": (managed(permitted(policy(), attached=[MANAGED]), policy(effect="Deny")), "fail"),
    "a boundary": (permitted(policy(), boundary=MANAGED), "unknown"),
}


def served_chain(documents, behind_servers, folder):
    """The options for the account of the first role; the target role, of another account, is in a file."""
    documents = copy.deepcopy(documents)
    target = folder / "target.json"
    target.write_text(json.dumps(documents.pop("target.json")), encoding="utf-8")
    for item in documents["roles.json"].get("Policies", ()):
        item["PolicyVersionList"] = [version for version in item["PolicyVersionList"] if version["IsDefaultVersion"]]
    return behind_servers(documents), str(target)


def of_target(found):
    return {link.id: link.verdict for link in found.links}["target-role"]


@pytest.mark.parametrize(("documents", "verdict"), CHAINS.values(), ids=CHAINS)
def test_live_and_collected_permissions_of_a_chain_are_those_of_files(documents, verdict, behind_servers, tmp_path):
    options, target = served_chain(documents, behind_servers, tmp_path)
    write_snapshot(take(Plan("collect"), options), str(tmp_path / "snapshot.json"))
    live = api.why(w.POD, [target], live=options, now=w.NOW)
    later = api.why(w.POD, [target, str(tmp_path / "snapshot.json")], now=w.NOW)
    assert (of_target(live), of_target(later)) == (verdict, verdict)


@pytest.mark.parametrize("what", ["ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies", "GetPolicy"])
def test_permissions_that_may_not_be_read_leave_a_chain_unknown(what, behind_servers, tmp_path):
    documents = managed(permitted(policy("s3:GetObject"), attached=[MANAGED]), policy("s3:PutObject"))
    options, target = served_chain(documents, behind_servers, tmp_path)
    deny(behind_servers.servers, what)
    found = api.why(w.POD, [target], live=options, now=w.NOW)
    assert of_target(found) == "unknown"
    assert "certain" not in dict(w.causes(found)).values()


def test_the_policies_of_a_role_that_assumes_no_other_are_not_read(behind_servers):
    api.why(w.TARGET, live=behind_servers(w.world()), now=w.NOW)
    assert not behind_servers.servers[0].called("ListRolePolicies")


# ---- on the command line


@pytest.fixture
def live(behind_servers, tmp_path):
    """Call `why --live` of a world in a process of its own."""

    def call(*arguments, broken=(), config="", fault=None, **environment):
        options = behind_servers(w.world(*broken))
        if fault:
            fault(*behind_servers.servers)
        told = {**behind_servers.servers[0].environment, "HOME": str(tmp_path), **environment}
        flags = ("--live", "--kubeconfig", config or options.kubeconfig)
        return run("why", *arguments, *flags, cwd=tmp_path, **told)

    return call


def test_the_command_says_what_is_broken(live):
    done = live(w.TARGET, broken=[other_subject])
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("payments/checkout is broken: Trust policy does not admit this subject")


def expired(aws, kubernetes):
    aws.faults["GetCallerIdentity"] = Problem("ExpiredToken", "The security token included in the request is expired", 403)


def test_expired_credentials_leave_what_the_cluster_says(live):
    done = live(w.TARGET, fault=expired)
    assert done.returncode == 3
    assert "sign in again" in done.stdout
    assert "Traceback" not in done.stderr


def test_neither_source_to_be_had_is_one_line(live, tmp_path):
    done = live(w.TARGET, fault=expired, config=str(tmp_path / "none"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "sign in again" in done.stderr
    assert "no kubeconfig found at" in done.stderr


def kubeconfig_of(folder, *contexts, **cluster):
    """The path of a kubeconfig whose contexts all lead to one place."""
    path = folder / "kubeconfig-of-several"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": contexts[0],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}} for name in contexts],
        "clusters": [{"name": name, "cluster": cluster} for name in contexts],
        "users": [{"name": "me", "user": {"token": TOKEN}}],
    }
    path.write_text(json.dumps(config))
    return str(path)


@pytest.mark.parametrize("server", ["http://127.0.0.1:9", "https://127.0.0.1:9"])
def test_an_api_server_out_of_reach_is_unknown_and_said_so(live, tmp_path, server):
    done = live(w.TARGET, config=kubeconfig_of(tmp_path, "away", server=server))
    assert done.returncode == 3
    assert "cannot be reached" in done.stdout


def test_two_contexts_of_one_cluster_are_one_cluster(behind_servers, tmp_path):
    behind_servers(w.world(other_subject))
    aws, kubernetes = behind_servers.servers
    config = kubeconfig_of(tmp_path, "one", "two", **kubernetes.entry())
    flags = ("--live", "--kubeconfig", config, "--kube-context", "one", "--kube-context", "two")
    done = run("why", w.TARGET, *flags, cwd=tmp_path, **{**aws.environment, "HOME": str(tmp_path)})
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("payments/checkout is broken: Trust policy does not admit this subject")


def test_a_server_that_is_slow_is_waited_for_no_longer_than_was_said(live):
    def slow(aws, kubernetes):
        kubernetes.slow = 30.0

    done = live(w.TARGET, "--timeout", "6", fault=slow)
    assert done.returncode == 3
    assert "does not answer in time" in done.stdout or "--timeout gives" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_server_whose_certificate_nobody_trusts_is_said_so(behind_servers, tmp_path):
    with FakeKubernetes(tls=tls("127.0.0.1")) as server:
        behind_servers(w.world())
        aws, _ = behind_servers.servers
        config = kubeconfig_of(tmp_path, "strange", server=server.url)
        done = run(
            "why", w.TARGET, "--live", "--kubeconfig", config, cwd=tmp_path, **{**aws.environment, "HOME": str(tmp_path)}
        )
    assert done.returncode == 3
    assert f"the certificate of {server.url} is not trusted" in " ".join(done.stdout.split())


@pytest.mark.parametrize("cluster", ["gone", w.CLUSTER.replace("prod", "gone"), f"https://{w.ELSEWHERE}"])
def test_a_cluster_that_is_not_there_is_one_line_that_says_which_are(live, cluster):
    done = live(w.TARGET, "--cluster", cluster)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"--cluster {cluster}: no such cluster; known clusters: prod" in done.stderr


def test_a_target_that_is_not_there_is_broken_and_says_so(live):
    done = live("payments/gone")
    assert done.returncode == 1
    assert "(service-account-missing, certain)" in " ".join(done.stdout.split())


@pytest.mark.parametrize("row", BREAKS[::12], ids=[row[0] for row in BREAKS[::12]])
def test_of_all_at_once_the_same_is_told_live_and_of_the_collected_file(row, behind_servers, tmp_path):
    options = behind_servers(w.world(*row[1]))
    write_snapshot(take(Plan("collect"), options), str(tmp_path / "snapshot.json"))
    live_all = api.why_all(live=options, now=w.NOW)
    assert live_all
    assert list(map(told, live_all)) == list(map(told, api.why_all([str(tmp_path / "snapshot.json")], now=w.NOW)))


# ---- how much is asked for


def test_the_number_of_calls_does_not_grow_with_the_account_and_the_cluster(monkeypatch, tmp_path):
    counted = []
    for roles in (3, 700):
        aws, kubernetes = estate(roles)
        with aws, kubernetes:
            for name, value in aws.environment.items():
                monkeypatch.setenv(name, value)
            found = api.why(
                w.TARGET, live=LiveOptions(aws=True, kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path)), now=w.NOW
            )
        assert found.verdict == "works"
        counted.append((sorted(name for _, name, _ in aws.calls), sorted(path.partition("?")[0] for path in kubernetes.calls)))
    assert counted[0] == counted[1]
    assert "ListRoles" not in counted[0][0]
    # of the objects that live in namespaces only those of the target's are asked for
    assert all("/namespaces/payments" in path for path in counted[0][1] if path.endswith(("pods", "serviceaccounts", "jobs")))


# ---- CloudTrail


def logged(minutes_ago, error="AccessDenied", role=w.ROLE):
    moment = datetime.fromtimestamp(w.NOW - 60 * minutes_ago, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {
        "eventName": "AssumeRoleWithWebIdentity",
        "eventTime": moment,
        "userIdentity": {"type": "WebIdentityUser", "userName": w.SUBJECT},
        "requestParameters": {"roleArn": role},
        **({"errorCode": error, "errorMessage": "An unknown error occurred"} if error else {}),
    }
    return {"EventName": "AssumeRoleWithWebIdentity", "CloudTrailEvent": json.dumps(event)}


def looked_up(behind_servers, *events, breaks=(), fault=None):
    options = behind_servers(w.world(*breaks))
    aws = behind_servers.servers[0]
    aws.events = list(events)
    if fault:
        aws.faults["LookupEvents"] = fault
    return api.why(w.TARGET, live=options, lookup=True, now=w.NOW), aws


def test_a_call_that_was_denied_a_moment_ago_is_evidence(behind_servers):
    found, aws = looked_up(behind_servers, logged(5))
    assert len(aws.called("LookupEvents")) == 2  # in the region of the cluster, and of the global endpoint
    assert found.verdict == "broken"
    assert "trust-eventual-consistency" in {cause.id for cause in found.causes}


@pytest.mark.parametrize(("event", "says"), [(logged(300), "AccessDenied"), (logged(5, error=""), "it succeeded")])
def test_an_answer_of_the_past_is_told_and_proves_nothing(event, says, behind_servers):
    found, _ = looked_up(behind_servers, event)
    assert (found.verdict, found.causes) == ("works", ())
    assert [note for note in found.notes if says in note and "The last call in CloudTrail" in note]
    broken, _ = looked_up(behind_servers, event, breaks=[other_subject])
    assert w.causes(broken)[0] == ("trust-sub-mismatch", "certain")


def test_no_call_in_cloudtrail_is_told_as_what_it_means(behind_servers):
    found, _ = looked_up(behind_servers, breaks=[other_subject])
    assert w.causes(found)[0] == ("trust-sub-mismatch", "certain")
    assert any("no call with the token of payments/checkout" in note for note in found.notes)


def test_cloudtrail_that_may_not_be_asked_is_said_and_changes_nothing(behind_servers):
    found, _ = looked_up(behind_servers, breaks=[other_subject], fault=denied("cloudtrail:LookupEvents"))
    assert w.causes(found)[0] == ("trust-sub-mismatch", "certain")
    assert any("cloudtrail:LookupEvents is denied" in note for note in found.notes)


def test_of_a_busy_account_only_the_last_events_are_read(behind_servers):
    _, aws = looked_up(behind_servers, *[logged(5, role=w.ROLE + "-other")] * 3000)
    assert len(aws.called("LookupEvents")) <= 2 * 500 // 50 + 2


def test_a_lookup_without_aws_is_a_wrong_call(tmp_path):
    done = run("why", w.TARGET, "--lookup-events", ".", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--lookup-events goes with --aws or --live" in done.stderr


def test_a_lone_policy_is_that_of_the_role_which_the_cluster_names(behind_servers, tmp_path):
    documents = w.world()
    options = msgspec.structs.replace(behind_servers(documents), aws=False)
    policy = w.role(documents)["AssumeRolePolicyDocument"]
    (tmp_path / "policy.json").write_text(json.dumps(policy), encoding="utf-8")
    diagnosis = api.why(w.TARGET, [str(tmp_path / "policy.json")], live=options, now=w.NOW)
    links = {link.id: link for link in diagnosis.links}
    assert w.failed(diagnosis) == []
    assert "policy.json, assumed to be the trust policy of" in links["trust-policy"].because
    assert f"it admits {w.SUBJECT}" in links["trust-policy"].because
