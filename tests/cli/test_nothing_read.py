"""What check says where it could read nothing, or not what makes the templates."""

import json

import pytest

from tests.cli.running import RIGHT, put, role, run


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"{", b"plain words"])
def test_nothing_readable_is_no_success(tmp_path, content):
    file = put(tmp_path / "policy.json", content)
    done = run("check", file, cwd=tmp_path)
    assert done.returncode == 2
    assert "nothing could be read" in done.stderr
    assert "policy.json" in done.stderr


def test_a_folder_without_a_document_blames_no_file_that_is_none(tmp_path):
    for name in (".gitignore", "README.md"):
        put(tmp_path / name, b"plain words")
    for command in (("check", "."), ("why", "prod/app", ".")):
        done = run(*command, cwd=tmp_path)
        assert done.returncode == 2
        assert ".gitignore" not in done.stderr
    assert "none of 2 files is a document of a known kind" in run("check", ".", cwd=tmp_path).stderr
    put(tmp_path / "chart.yaml", b"a: [1")
    assert "chart.yaml" in run("check", ".", cwd=tmp_path).stderr


def test_a_folder_that_a_program_renders_is_named_with_how_that_is_done(tmp_path):
    put(tmp_path / ".empty", b"")
    put(tmp_path / "app" / "Chart.yaml", b"apiVersion: v2\nname: app\nversion: 1.0.0\n")
    put(
        tmp_path / "app" / "templates" / "sa.yaml",
        b"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: '{{ .Values.a }}'}\n",
    )
    for other in ("b", "node_modules"):
        put(tmp_path / other / "c.json", b"")
        assert "helm template app | irsa-doctor check -" in run("check", ".", cwd=tmp_path).stderr.replace("./", "")


@pytest.mark.parametrize(
    ("name", "settings", "command"),
    [
        ("cdk.json", {"app": "npx ts-node bin/app.ts", "context": {}}, "cdk synth && irsa-doctor check cdk.out"),
        ("cdktf.json", {"app": "python main.py", "language": "python"}, "cdktf synth && irsa-doctor check cdktf.out"),
        ("Pulumi.yaml", {"name": "a", "runtime": "go"}, "pulumi preview --json | irsa-doctor check -"),
    ],
)
def test_a_program_that_makes_templates_is_named_beside_what_was_read(tmp_path, name, settings, command):
    put(tmp_path / "role.json", role(RIGHT))
    put(tmp_path / "infra" / name, json.dumps(settings))
    assert f"Not rendered: {command}" in " ".join(run("check", ".", cwd=tmp_path).stdout.split())
    done = run("check", "infra", cwd=tmp_path)
    assert (done.returncode, command in done.stderr) == (2, True)
    put(tmp_path / "infra" / name, json.dumps({"app": "checkout", "replicas": 2}))
    assert "Not rendered" not in run("check", ".", cwd=tmp_path).stdout


@pytest.mark.parametrize("given", ["not-there.json", "."])
def test_no_input_at_all_is_no_success(tmp_path, given):
    assert run("check", given, cwd=tmp_path).returncode == 2
