"""`irsa-doctor reach` and the patch that closes a path, as they are called."""

import json
import re
import subprocess
import sys

import pytest
import yaml

from tests.facts.reach.worlds import (
    COMPLETE,
    ROLE,
    TOKENS,
    account,
    binding,
    cluster_role,
    documents,
    group,
    iam_role,
    role,
    trust,
    wide_binding,
    written,
)

OBJECTS = (
    role("tokens", TOKENS),
    binding("ci", "Role/tokens", group("dev"), account("ci")),
    cluster_role("reader", {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}),
    wide_binding("readers", "reader", group("ops")),
)


def put(folder, *objects, **options):
    for name, value in documents(*objects, **options).items():
        (folder / name).write_bytes(written(value))


def called(folder, *arguments, code=0, or_else=0):
    command = [sys.executable, "-m", "irsa_doctor", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in (code, or_else), done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


def test_a_picture_is_what_graphviz_and_mermaid_read(world):
    dot = reach(world, "group:dev", "-f", "dot")
    assert nodes_of_dot(dot) == {"group dev", "shop/web", ROLE}
    mermaid = reach(world, "group:dev", "-f", "mermaid").splitlines()
    assert mermaid[0] == "flowchart LR"
    assert all(re.fullmatch(r'  n\d+(\["[^"\[\]]*"\]| -\.?->\|"[^"|]*"\| n\d+)', line) for line in mermaid[1:]), mermaid


def nodes_of_dot(text):
    """The labels of the nodes, by the grammar of DOT (https://graphviz.org/doc/info/lang.html): nothing is left over."""
    name, value = r"[A-Za-z_]\w*", r'(?:[A-Za-z_]\w*|"(?:[^"\\]|\\.)*")'
    attributes = rf"\[(?:\s*{name}\s*=\s*{value}\s*,?)*\]"
    statement = rf"(?:{name}\s*=\s*{value}|{name}(?:\s*->\s*{name})?(?:\s*{attributes})?)"
    assert re.fullmatch(rf"digraph {name} \{{\s*(?:{statement}\s*;\s*)*\}}\n", text), text
    return {label.replace("\\n", "") for label in re.findall(r'^  n\d+ \[label="((?:[^"\\]|\\.)*)"', text, re.MULTILINE)}


def reach(folder, subject, *options, code=0):
    return called(folder, "reach", subject, ".", "--no-config", *options, code=code)


@pytest.fixture
def world(tmp_path):
    put(tmp_path, *OBJECTS)
    return tmp_path


def test_a_subject_is_shown_with_what_makes_its_path_possible(world):
    text = reach(world, "group:dev")
    assert "group dev of cluster apollo becomes 1 role" in text
    assert ROLE in text
    assert "RoleBinding shop/ci (rbac.json:" in text
    assert "Role shop/tokens" in text
    assert "system:authenticated" in text


def test_the_answer_for_programs_is_the_same(world):
    answer = json.loads(reach(world, "group:dev", "-f", "json", "--complete", ",".join(COMPLETE)))
    assert answer["schema"] == "irsa-doctor.reach/1"
    assert answer["subject"] == {"kind": "Group", "name": "dev", "namespace": None, "cluster": "apollo"}
    assert [(entry["role"], entry["steps"], entry["certainty"]) for entry in answer["roles"]] == [(ROLE, 1, "certain")]
    (path,) = answer["roles"][0]["paths"]
    assert path["kind"] == "token-request"
    assert path["service_accounts"] == ["apollo/shop/web"]
    assert [item["kind"] for item in path["through"]] == ["RoleBinding", "Role"]
    assert answer["cluster_admin"] is None


@pytest.mark.parametrize("subject", ["group:ops", "user:nobody-else", "serviceaccount:shop/ci"])
def test_every_form_of_a_subject_is_answered(world, subject):
    assert "becomes" in reach(world, subject)


@pytest.mark.parametrize(
    "subject", ["serviceaccount:shop/none", "arn:aws:iam::111122223333:role/None", "shop/ci", "role:x", "user:"]
)
def test_a_subject_that_is_not_there_is_one_line(world, subject):
    error = reach(world, subject, code=2)
    assert error.count("\n") == 1
    assert subject in error


def test_the_account_that_the_role_admits_takes_no_step(world):
    answer = json.loads(reach(world, "serviceaccount:shop/web", "-f", "json"))
    assert [(entry["role"], entry["steps"]) for entry in answer["roles"]] == [(ROLE, 0)]


def test_where_nothing_of_rbac_is_there_the_answer_says_so(tmp_path):
    put(tmp_path)
    text = reach(tmp_path, "group:dev")
    assert "RBAC of cluster apollo" in text
    assert "kubectl get roles,clusterroles,rolebindings,clusterrolebindings -A -o yaml" in text


def test_what_is_missing_is_shown_as_commands_and_what_is_to_be_run_with_their_files(tmp_path):
    """Nothing but a command stands where a command is shown; the values of Secrets are not fetched."""
    put(tmp_path, *OBJECTS)
    missing = json.loads(called(tmp_path, "reach", "group:dev", ".", "-f", "json"))["unknown"]
    text = called(tmp_path, "reach", "group:dev", ".")
    commands = [row for row in missing if row["how"].startswith("kubectl get")]
    assert len(commands) == 2
    for row in commands:
        assert f"    {row['how']}\n" in text
        assert f"then run again with {row['file']} {row['then']}\n" in re.sub(r"with\n +", "with ", text)
        assert subprocess.run(["/bin/sh", "-n", "-c", row["how"]], check=False).returncode == 0
    assert "secrets" not in commands[1]["how"]
    assert "map_values" in commands[0]["how"]


def test_one_of_several_clusters_is_named(tmp_path):
    put(tmp_path, *OBJECTS)
    other = json.loads(documents()["cluster.json"] and json.dumps(documents()["cluster.json"]))
    other["cluster"] |= {"name": "gemini", "arn": other["cluster"]["arn"].replace("apollo", "gemini")}
    other["cluster"]["identity"]["oidc"]["issuer"] = other["cluster"]["identity"]["oidc"]["issuer"].replace("AAAA", "BBBB")
    (tmp_path / "gemini").mkdir()
    (tmp_path / "gemini" / "cluster.json").write_bytes(written(other))
    items = [json.loads(json.dumps(item)) for item in OBJECTS]
    (tmp_path / "gemini" / "rbac.json").write_bytes(written({"apiVersion": "v1", "kind": "List", "items": items}))
    assert "clusters may have it; give --cluster, one of apollo, gemini" in reach(tmp_path, "group:dev", code=2)
    assert "becomes 1 role" in reach(tmp_path, "group:dev", "--cluster", "apollo")
    assert "becomes no role" in reach(tmp_path, "group:dev", "--cluster", "gemini")


def test_a_name_of_hostile_letters_is_escaped_in_every_format(tmp_path):
    name = '<b>\x1b[31m"];x|--\u202e'
    put(tmp_path, role("tokens", TOKENS), binding("ci", "Role/tokens", group(name)))
    for form in ("text", "html", "dot", "mermaid"):
        text = reach(tmp_path, f"group:{name}", "-f", form)
        assert "\x1b[31m" not in text
        assert "\u202e" not in text
        assert "<b>\x1b" not in text
        assert form != "html" or "<b>" not in text


def test_why_and_check_name_who_may_change_the_link(tmp_path):
    annotate = {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["patch"]}
    put(tmp_path, role("r", TOKENS, annotate), binding("ci", "Role/r", group("dev")))
    options = ("--no-config", "-f", "json", "--complete", ",".join(COMPLETE))
    answer = json.loads(called(tmp_path, "why", "shop/web", ".", *options, or_else=1))
    by = "group:dev (annotate the service account, by RoleBinding shop/ci)"
    assert answer["notes"][-1] == f"Beside administrators, these may change the link: {by}."
    findings = json.loads(called(tmp_path, "check", ".", *options, or_else=1))["findings"]
    (found,) = [item for item in findings if item["rule"] == "rbac-group-reaches-role"]
    assert found["message"].endswith("It may also annotate the service account.")


# ---- the patch


def test_the_patch_closes_the_path_and_says_what_it_takes_away(tmp_path):
    items = documents(*OBJECTS)["rbac.json"]["items"]
    put(tmp_path, *OBJECTS)
    (tmp_path / "rbac.json").unlink()
    (tmp_path / "rbac.yaml").write_text("---\n".join(yaml.safe_dump(item) for item in items), encoding="utf-8")
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    complete = ("--complete", ",".join(COMPLETE), "--no-config")
    offered = json.loads(called(tmp_path, "fix", "-f", "json", "--select", "rbac-group-reaches-role", *complete, "."))
    (fixed,) = offered["fixes"]
    assert (fixed["applied"], fixed["safety"]) == (False, "unsafe")
    assert fixed["because"] == "Group dev loses create of serviceaccounts/token in namespace shop"
    patch = called(tmp_path, "fix", "--diff", "--unsafe-fixes", "--select", "rbac-group-reaches-role", *complete, ".")
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=patch, text=True, check=True)
    after = list(yaml.safe_load_all((tmp_path / "rbac.yaml").read_text(encoding="utf-8")))
    (ci,) = [item for item in after if item["metadata"]["name"] == "ci"]
    assert [subject["name"] for subject in ci["subjects"]] == ["ci"]
    assert [item for item in after if item["metadata"]["name"] != "ci"] == [i for i in items if i["metadata"]["name"] != "ci"]
    assert "becomes no role" in reach(tmp_path, "group:dev")
    assert "becomes 1 role" in reach(tmp_path, "serviceaccount:shop/ci")


def test_an_object_of_the_cluster_is_changed_by_kubectl(tmp_path):
    live = json.loads(json.dumps(OBJECTS))
    for item in live:
        item["metadata"] |= {"resourceVersion": "7", "uid": "1"}
    put(tmp_path, *live)
    complete = ("--complete", ",".join(COMPLETE), "--no-config")
    answer = json.loads(
        called(tmp_path, "fix", "-f", "json", "--unsafe-fixes", "--select", "rbac-group-reaches-role", *complete, ".")
    )
    (command,) = answer["commands"]
    assert command["shell"].startswith("kubectl patch rolebinding --type=json '--patch=[")
    assert '{"op": "test", "path": "/subjects/0/name", "value": "dev"}' in command["shell"]
    assert command["shell"].endswith("--namespace=shop -- ci")


def test_a_role_that_a_new_account_would_reach_is_closed_too(tmp_path):
    create = {"apiGroups": [""], "resources": ["serviceaccounts", "pods"], "verbs": ["create"]}
    wild = iam_role(trust("system:serviceaccount:shop:*", operator="StringLike"))
    put(tmp_path, role("make", create), binding("make", "Role/make", group("dev")), roles=(wild,))
    complete = ("--complete", ",".join(COMPLETE), "--no-config")
    answer = json.loads(
        called(tmp_path, "fix", "-f", "json", "--unsafe-fixes", "--select", "rbac-account-creatable", *complete, ".", or_else=1)
    )
    assert [fix["rule"] for fix in answer["fixes"]] == ["rbac-account-creatable"]
    assert not [left for left in answer["remaining"] if left["rule"] == "rbac-account-creatable"]


def test_the_arn_of_a_session_is_that_of_its_role(tmp_path):
    arn = "arn:aws:iam::111122223333:role/teams/Ci"
    entry = {"accessEntry": {"clusterName": "apollo", "principalArn": arn, "type": "STANDARD", "kubernetesGroups": ["dev"]}}
    put(tmp_path, *OBJECTS, **{"entry.json": entry})
    assert "becomes 1 role" in reach(tmp_path, "arn:aws:sts::111122223333:assumed-role/Ci/me@example.com")
    assert "no such subject" in reach(tmp_path, "arn:aws:sts::111122223333:assumed-role/Other/me", code=2)


def test_a_subject_is_answered_where_only_mappings_are_known(tmp_path):
    row = "- rolearn: arn:aws:iam::111122223333:role/Ops\n  username: ops\n  groups: ['system:masters']\n"
    auth = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}}
    put(tmp_path, mode="CONFIG_MAP", **{"auth.json": auth | {"data": {"mapRoles": row}}})
    text = reach(tmp_path, "arn:aws:iam::111122223333:role/Ops")
    assert "may do everything in the cluster" in text
    assert "user ops, group system:masters" in text


def test_kinds_that_may_be_incomplete_are_one_line(world):
    text = " ".join(reach(world, "group:dev").split())
    assert text.count("all roles, clusterroles, rolebindings, clusterrolebindings, ") == 1
    assert "all pods of cluster apollo" not in text


def test_a_list_with_an_alias_is_not_edited_into_something_that_is_no_yaml(tmp_path):
    put(tmp_path, role("tokens", TOKENS))
    reference = "{apiGroup: rbac.authorization.k8s.io, kind: Role, name: tokens}"
    subject = "{kind: Group, name: dev, apiGroup: rbac.authorization.k8s.io}"
    text = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: shop}\n"
        f"roleRef: {reference}\nsubjects:\n- &dev {subject}\n- *dev\n"
    )
    (tmp_path / "binding.yaml").write_text(text)
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    options = ("--no-config", "--diff", "--unsafe-fixes", "--select", "rbac-*")
    assert "binding.yaml" not in called(tmp_path, "fix", *options, ".", or_else=1)
