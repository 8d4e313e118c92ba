"""`check --base`: a change is judged as laid over what is there."""

import json

import pytest
from msgspec import Raw

from irsa_doctor.model import Gap
from irsa_doctor.sources.snapshot.snapshot import Answered, Origin, snapshot_of, snapshot_text
from tests.cli.running import run
from tests.sources.worlds import (
    ACCOUNT,
    ISSUER,
    OTHER,
    cluster,
    cluster_arn,
    listed_providers,
    policy,
    provider_arn,
    role,
    role_arn,
)

SUBJECT = "system:serviceaccount:prod:"


def account(name, arn=None, **metadata):
    annotations = {"eks.amazonaws.com/role-arn": arn or role_arn(name)}
    metadata = {"name": name, "namespace": "prod", "annotations": annotations, **metadata}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def there(*extra):
    """What is there: a role that works, one that asks for a wrong audience, and their service accounts."""
    wrong = json.loads(json.dumps(policy(SUBJECT + "old")).replace("sts.amazonaws.com", "wrong.example"))
    roles = [role(AssumeRolePolicyDocument=policy(SUBJECT + "app")), role("old", AssumeRolePolicyDocument=wrong), *extra]
    return {
        "roles.json": {"Roles": roles, "IsTruncated": False},
        "providers.json": listed_providers(provider_arn()),
        "cluster.json": cluster(),
        "sas.json": {"apiVersion": "v1", "kind": "List", "items": [account("app"), account("old")]},
    }


def template(subject="app", name="app", **properties):
    statement = policy(SUBJECT + subject)
    made = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": statement, **properties}}
    return {"Resources": {"Made": made}}


def plan(subject="app", name="app", **values):
    values = {"name": name, "assume_role_policy": json.dumps(policy(SUBJECT + subject)), **values}
    made = {"address": "aws_iam_role.made", "mode": "managed", "type": "aws_iam_role", "name": "made", "values": values}
    return {"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {"root_module": {"resources": [made]}}}


def put(folder, documents):
    folder.mkdir(exist_ok=True)
    for name, content in documents.items():
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def checked(tmp_path, change, base=None, *flags):
    put(tmp_path / "change", change)
    put(tmp_path / "live", there() if base is None else base)
    done = run(
        *("check", "change", "--base", "live", "--complete", "serviceaccounts", "-f", "json", "--no-config", *flags),
        cwd=tmp_path,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


def found(report):
    return {(finding["rule"], finding["subject"]["id"]) for finding in report["findings"]}


BINDING = f"prod/prod/app -> {role_arn()}"


@pytest.mark.parametrize("made", [template, plan])
def test_a_role_of_a_template_takes_the_place_of_the_one_that_is_there(tmp_path, made):
    assert found(checked(tmp_path, {"change.json": made()})) == set()
    broken = checked(tmp_path, {"change.json": made("other")})
    assert ("trust-sub-mismatch", BINDING) in found(broken)
    (finding,) = [one for one in broken["findings"] if one["rule"] == "trust-sub-mismatch"]
    assert {place["file"] for place in finding["locations"]} == {"live/sas.json", "change/change.json"}


@pytest.mark.parametrize(("made", "path"), [(template, "Path"), (plan, "path")])
def test_the_path_of_a_role_is_part_of_its_arn_and_names_know_no_case(tmp_path, made, path):
    report = checked(tmp_path, {"change.json": made(name="APP", **{path: "/team/"})})
    assert report["summary"]["roles"] == 2
    assert found(report) == {("role-missing", BINDING)}


def test_what_is_wrong_with_the_base_alone_is_counted_and_not_told(tmp_path):
    report = checked(tmp_path, {"change.json": template()})
    assert report["summary"]["baselined"] == 1
    put(tmp_path / "live", there())
    alone = run("check", "live", "--complete", "serviceaccounts", "-f", "json", "--no-config", cwd=tmp_path)
    assert len(json.loads(alone.stdout)["findings"]) == 1


def test_what_the_change_says_itself_is_told_though_it_was_wrong_before(tmp_path):
    wrong = json.loads(json.dumps(template("old", "old")).replace("sts.amazonaws.com", "wrong.example"))
    report = checked(tmp_path, {"change.json": wrong})
    assert {rule for rule, _ in found(report)} == {"trust-aud-mismatch"}
    assert report["summary"]["baselined"] == 0


def test_a_manifest_takes_the_place_of_the_object_that_is_there(tmp_path):
    report = checked(tmp_path, {"app.json": account("app", role_arn("missing"))})
    assert found(report) == {("role-missing", f"prod/prod/app -> {role_arn('missing')}")}
    assert report["summary"]["service_accounts"] == 2


def test_a_new_role_with_its_service_account_is_joined_with_what_is_there(tmp_path):
    change = {"role.json": template("new", "new"), "sa.json": account("new")}
    report = checked(tmp_path, change)
    assert found(report) == set()
    assert (report["summary"]["roles"], report["summary"]["service_accounts"]) == (3, 3)


def test_a_role_whose_account_nobody_can_tell_replaces_none(tmp_path):
    base = there(role("app", OTHER, AssumeRolePolicyDocument=policy(SUBJECT + "x", OTHER)))
    report = checked(tmp_path, {"change.json": template("other")}, base)
    assert report["summary"]["roles"] == 4
    # the provider that it trusts is of one of the accounts: that is the role which it will be
    assert ("trust-sub-mismatch", BINDING) in found(report)
    said = checked(tmp_path, {"change.json": template("other")}, base, "--account", "111122223333")
    assert said["summary"]["roles"] == 3
    assert ("trust-sub-mismatch", BINDING) in found(said)


def test_a_snapshot_is_a_base(tmp_path):
    of_account, of_cluster = Origin(account=ACCOUNT), Origin(cluster=cluster_arn(), closes=("serviceaccounts",))
    documents = [
        Answered(
            path=f"{'kube' if name == 'sas.json' else 'aws'}://here/{name}",
            origin=of_cluster if name == "sas.json" else of_account,
            document=Raw(json.dumps(content)),
        )
        for name, content in there().items()
    ]
    snapshot = snapshot_of(documents, [], [Gap("rcps", "", "", "guardrails", "")], version="1", taken="2026-01-01T00:00:00Z")
    (tmp_path / "live.json").write_bytes(snapshot_text(snapshot))
    put(tmp_path / "change", {"change.json": template("other")})
    done = run("check", "change", "--base", "live.json", "-f", "json", cwd=tmp_path)
    assert ("trust-sub-mismatch", BINDING) in found(json.loads(done.stdout))


def test_a_file_of_the_base_that_is_among_the_paths_is_of_the_change(tmp_path):
    put(tmp_path / "live", there())
    flags = ("--complete", "serviceaccounts", "-f", "json", "--no-config")
    done = run("check", "live/roles.json", "--base", "live", *flags, cwd=tmp_path)
    assert {rule for rule, _ in found(json.loads(done.stdout))} == {"trust-aud-mismatch"}


def test_an_unreadable_base_is_told_and_nothing_is_lost(tmp_path):
    report = checked(tmp_path, {"change.json": template("other")}, {**there(), "broken.json": "{"})
    assert ("trust-sub-mismatch", BINDING) in found(report)
    assert {row["path"]: row["status"] for row in report["documents"]}["live/broken.json"] == "unreadable"


def test_templates_alone_say_once_what_they_are_not_checked_against(tmp_path):
    put(tmp_path / "change", {"one.json": template(), "two.json": plan("other", "other")})
    done = run("check", "change", "--show-unknown", cwd=tmp_path)
    assert done.stdout.replace("\n         ", " ").count("add --base") == 1
    put(tmp_path / "live", there())
    assert "add --base" not in run("check", "change", "--base", "live", cwd=tmp_path).stdout


def test_a_base_and_live_sources_contradict_each_other(tmp_path):
    put(tmp_path / "change", {"one.json": template()})
    done = run("check", "change", "--base", "change", "--live", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "collect -o FILE, then --base FILE" in done.stderr
    assert ISSUER not in done.stderr


def test_of_files_that_changed_only_what_they_make_is_told(tmp_path):
    put(tmp_path, {**there(), "README.md": "# hello"})
    flags = ("--complete", "serviceaccounts", "-f", "json", "--no-config")
    whole = json.loads(run("check", ".", *flags, cwd=tmp_path).stdout)
    assert {rule for rule, _ in found(whole)} == {"trust-aud-mismatch"}
    untouched = json.loads(run("check", "--changed", "sas.json", "README.md", *flags, cwd=tmp_path).stdout)
    assert (found(untouched), untouched["summary"]["roles"], untouched["summary"]["baselined"]) == (set(), 2, 1)
    put(tmp_path, {"sas.json": {"apiVersion": "v1", "kind": "List", "items": [account("app", role_arn("missing"))]}})
    done = run("check", "--changed", "sas.json", *flags, cwd=tmp_path)
    assert done.returncode == 1
    assert {rule for rule, _ in found(json.loads(done.stdout))} >= {"role-missing"}


def test_files_that_changed_may_be_of_any_kind(tmp_path):
    put(tmp_path, {**there(), "README.md": "# hello"})
    assert run("check", "README.md", cwd=tmp_path).returncode == 2
    assert run("check", "--changed", "README.md", cwd=tmp_path).returncode == 0
    put(tmp_path, {"new.json": "{"})
    assert run("check", "--changed", "new.json", cwd=tmp_path).returncode == 1
