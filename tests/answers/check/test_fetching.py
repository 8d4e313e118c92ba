import json
import os
import subprocess
from pathlib import Path

import pytest

from irsa_doctor import api
from irsa_doctor.answers.check.fetching import fetched
from irsa_doctor.facts.lookups.workloads import _KEYS
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.commands import NAMED_SECRETS
from irsa_doctor.sources.templates.terraform.resources import AFTER_APPLY

WORLDS = Path(__file__).parents[3] / "fixtures" / "worlds"
COMMANDS = {
    "kubectl get serviceaccounts -A -o yaml": "serviceaccounts.yaml",
    "kubectl get pods -n shop -o json": "pods-shop.json",
    "kubectl get --raw /openid/v1/jwks": "jwks.json",
    "kubectl get namespace shop": "namespace-shop.yaml",
    "aws iam list-open-id-connect-providers": "open-id-connect-providers.json",
    "aws iam get-account-authorization-details --filter Role": "account-authorization-details.json",
    "aws iam get-role --role-name App": "role-app.json",
    "aws eks describe-cluster --name prod --region eu-west-1": "cluster-prod-eu-west-1.json",
    "aws eks list-pod-identity-associations --cluster-name shop": "pod-identity-associations-shop.json",
    (
        "aws iam get-open-id-connect-provider --open-id-connect-provider-arn "
        "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"
    ): "open-id-connect-provider-abc.json",
    "curl https://issuer.example/keys": "keys.json",
    AFTER_APPLY: "plan.json",
    _KEYS.how: "configmaps-secrets.json",
    NAMED_SECRETS: "secrets.json",
    "kubectl get roles,rolebindings,pods -A -o yaml": "roles-and-2-more.yaml",
}


def shell(command: str, folder: Path, answer: str = "{}") -> list[str]:
    """The files that a command writes where every program that reads something answers the same."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("aws", "kubectl", "curl", "terraform"):
        (programs / name).write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n")
        (programs / name).chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    subprocess.run(["/bin/sh", "-c", command], cwd=folder, env={"PATH": path}, check=False, capture_output=True)
    return sorted(file.name for file in folder.iterdir() if file != programs)


@pytest.mark.parametrize(("how", "file"), COMMANDS.items())
def test_a_command_writes_the_file_that_is_named(how, file, tmp_path):
    command, written = fetched(how)
    assert written == file
    assert shell(command, tmp_path) == [file]


@pytest.mark.parametrize(
    "how", ["", "allow it", "irsa-doctor collect -o live.json", "kubectl exec POD -- printenv AWS_ROLE_ARN"]
)
def test_what_yields_no_input_is_not_redirected(how):
    assert fetched(how) == (how, "")


def test_a_token_is_never_written_to_a_file():
    how = "kubectl create token default --audience sts.amazonaws.com"
    assert fetched(how) == (how, "")


@pytest.mark.parametrize(
    "name", ["$(touch owned)", "a;touch owned", "`touch owned`", "a&&touch owned", "../../owned", "-x > owned"]
)
def test_a_name_of_the_input_runs_nothing_and_leaves_the_folder_alone(name, tmp_path):
    command, file = fetched(f"aws eks describe-cluster --name {name}")
    assert "/" not in file
    assert not file.startswith((".", "-"))
    assert shell(command, tmp_path) == [file]


def _of_hostile_names(name: str, folder: Path) -> list[str]:
    """The commands that check, who-can, reach and why name for a cluster whose objects all have a hostile name."""
    rbac, issuer = "rbac.authorization.k8s.io", "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
    role = f"arn:aws:iam::111122223333:role/{name}"
    mode = {"accessConfig": {"authenticationMode": "API"}}
    cluster = {"name": name, "arn": f"arn:aws:eks:eu-west-1:111122223333:cluster/{name}", **mode}
    reference = {"apiGroup": rbac, "kind": "ClusterRole", "name": name}
    metadata = {"name": "web", "namespace": "shop", "annotations": {"eks.amazonaws.com/role-arn": role}}
    documents = {
        "cluster": {"cluster": {**cluster, "identity": {"oidc": {"issuer": issuer}}}},
        "binding": {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": reference,
            "subjects": [{"kind": "User", "name": "ann", "apiGroup": rbac}],
        },
        "account": {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        "entries": {"accessEntries": [role]},
        "roles": {"Roles": [{"RoleName": name, "Arn": role}]},
    }
    for file, document in documents.items():
        (folder / f"{file}.json").write_text(json.dumps(document))
    check = [missing.how for missing in api.check([str(folder)]).unknown]
    reach = [missing.how for missing in api.reach("user:ann", [str(folder)]).unknown]
    diagnosis = api.why("shop/web", [str(folder)])
    links = [need.command for link in diagnosis.links for need in link.needs]
    return [*check, *reach, *links, *(cause.settle for cause in diagnosis.causes)]


@pytest.mark.parametrize(
    "name", ["x$(touch owned)", "x;touch owned", "x`touch owned`", "x' ;touch owned; '", "x\ntouch owned\n"]
)
def test_no_command_that_is_named_runs_a_name(name, tmp_path):
    (tmp_path / "input").mkdir()
    (tmp_path / "run").mkdir()
    commands = [how for how in _of_hostile_names(name, tmp_path / "input") if how.startswith(("aws ", "kubectl "))]
    assert len([how for how in commands if "touch" in how]) > 2
    for how in commands:
        assert "owned" not in shell(how, tmp_path / "run")


@pytest.mark.parametrize("name", ["-rf", "--kubeconfig=evil.yaml"])
def test_no_name_becomes_an_option_of_a_command(name, tmp_path):
    assert not [how for how in _of_hostile_names(name, tmp_path) if name in how.split()]


def test_a_quoted_word_is_quoted_once():
    assert (
        fetched("aws iam get-role --role-name 'a b'")[0] == "aws iam get-role --role-name 'a b' --output json > role-a-b.json"
    )


def test_the_answer_of_aws_is_json_however_the_cli_is_configured():
    assert fetched("aws iam list-open-id-connect-providers")[0].endswith(" --output json > open-id-connect-providers.json")


def test_secrets_are_fetched_without_their_values(tmp_path):
    last = {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"KEY":"hidden"}}'}
    metadata = {"name": "s", "namespace": "n", "annotations": last}
    item = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"KEY": "hidden"}}
    answer = json.dumps({"apiVersion": "v1", "kind": "List", "items": [item, {**item, "kind": "ConfigMap", "data": None}]})
    command, file = fetched(_KEYS.how)
    if subprocess.run(["/bin/sh", "-c", "command -v jq"], check=False, capture_output=True).returncode:
        pytest.skip("jq is not installed")
    shell(command, tmp_path, answer)
    written = (tmp_path / file).read_text()
    assert "hidden" not in written
    assert '"KEY"' in written
    rows = api.load([str(tmp_path / file)]).inventory.documents
    assert [row.status for row in rows] == ["read"]


@pytest.mark.parametrize("name", ["shop", "kiosk", "healthy"])
def test_every_command_of_a_report_writes_its_file(name, tmp_path):
    report = api.check([str(WORLDS / name)], settings=Settings())
    assert report.unknown
    for number, missing in enumerate(report.unknown):
        if missing.file:
            (tmp_path / str(number)).mkdir()
            assert shell(missing.how, tmp_path / str(number)) == [missing.file]


def test_the_answer_of_a_command_is_an_input_that_leaves_nothing_missing(tmp_path):
    world = [str(WORLDS / "shop")]
    complete = Settings(complete=("serviceaccounts",))
    (missing,) = api.check(world, settings=complete).unknown
    shell(missing.how, tmp_path, '{"associations": []}')
    assert api.check([*world, str(tmp_path / missing.file)], settings=complete).unknown == ()


def test_long_names_that_end_alike_have_files_of_their_own():
    hows = [f"kubectl get role {first}{'-of-a-team' * 12} -n shop -o yaml" for first in ("reader", "writer")]
    files = {fetched(how)[1] for how in hows}
    assert len(files) == 2
    assert all(file.startswith("role-") and len(file) < 90 for file in files)
