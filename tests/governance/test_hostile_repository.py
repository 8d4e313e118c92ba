"""Nothing that a change brings with it is run, and no repository but that of the work tree is asked."""

import subprocess
from pathlib import Path

import pytest

from irsa_doctor.governance.revision import NoRevision, files_at


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def repository(tmp_path):
    top = tmp_path / "top"
    (top / "infra").mkdir(parents=True)
    (top / "infra/role.json").write_text("{}")
    git(top, "init", "-q", "-b", "main")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "base")
    return top


@pytest.fixture
def mark(tmp_path):
    return tmp_path / "was-run"


CONFIGURATIONS = {
    "a remote that is a program": (
        '[core]\n\trepositoryformatversion = 1\n\tbare = {bare}\n[extensions]\n\tpartialClone = origin\n[remote "origin"]\n'
        '\turl = ext::sh -c touch% {mark}\n\tpromisor = true\n[protocol "ext"]\n\tallow = always\n'
    ),
    "a file system monitor": "[core]\n\trepositoryformatversion = 0\n\tbare = {bare}\n\tfsmonitor = touch {mark}\n",
    "programs of alternates and differences": (
        "[core]\n\trepositoryformatversion = 0\n\tbare = {bare}\n\talternateRefsCommand = touch {mark}\n"
        "[diff]\n\texternal = touch {mark}\n"
    ),
}


@pytest.mark.parametrize("kind", CONFIGURATIONS)
@pytest.mark.parametrize("bare", ["true", "false"])
def test_a_folder_that_looks_like_a_repository_is_a_folder(repository, mark, kind, bare):
    look_alike = repository / "infra"
    (look_alike / "objects").mkdir()
    (look_alike / "refs/heads").mkdir(parents=True)
    (look_alike / "HEAD").write_text("ref: refs/heads/main\n")
    (look_alike / "refs/heads/main").write_text("1" * 40 + "\n")
    (look_alike / "config").write_text(CONFIGURATIONS[kind].format(bare=bare, mark=mark))
    assert files_at("main", ["."], str(look_alike)) == {"role.json": b"{}"}
    assert not mark.exists()


def test_what_the_repository_itself_names_is_not_run(repository, mark):
    with (repository / ".git/config").open("a") as config:
        config.write(CONFIGURATIONS["a file system monitor"].format(bare="false", mark=mark).replace("[core]\n", "[core]\n"))
        config.write(
            f'[remote "origin"]\n\turl = ext::sh -c touch% {mark}\n\tpromisor = true\n[protocol "ext"]\n\tallow = always\n'
        )
    hook = repository / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    with pytest.raises(NoRevision):
        files_at("2" * 40, ["."], str(repository))
    assert files_at("main", ["infra"], str(repository)) == {"infra/role.json": b"{}"}
    assert not mark.exists()


def test_variables_of_git_do_not_lead_to_another_repository(repository, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.bare")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    assert files_at("main", ["infra"], str(repository)) == {"infra/role.json": b"{}"}


def test_a_linked_work_tree_is_asked_like_any_other(repository, tmp_path):
    git(repository, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert files_at("main", ["."], str(tmp_path / "side/infra")) == {"role.json": b"{}"}
