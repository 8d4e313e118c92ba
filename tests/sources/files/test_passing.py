import os
import subprocess

import pytest

from irsa_doctor.sources.files.passing import Exclude
from irsa_doctor.sources.files.walk import walk

FILLED = "folders of this name are not looked into; name it, or --all-folders"


def lay(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def split(folder, *paths, **options):
    """Names of the files that are read, and of what is passed over."""
    items = list(walk([str(path) for path in paths or [folder]], None, **options))
    read = [os.path.relpath(item.path, folder) for item in items if not item.passed_over]
    return read, {item.path.removeprefix(f"{folder}/"): item.why for item in items if item.passed_over}


def test_what_git_ignores_is_passed_over_with_the_pattern_as_reason(tmp_path):
    lay(tmp_path, {".gitignore": "# made\n*.out.json\nbuild/\n", "a.json": "", "x/b.out.json": "", "build/c.json": ""})
    read, passed = split(tmp_path)
    assert read == [".gitignore", "a.json"]
    assert passed == {"x/b.out.json": "left out by .gitignore:2: *.out.json", "build/": "left out by .gitignore:3: build/"}


def test_the_file_of_an_inner_folder_decides_over_that_of_an_outer_one(tmp_path):
    lay(
        tmp_path,
        {".gitignore": "*.json", "a.json": "", "x/.gitignore": "!keep.json\n/only.txt\n", "x/keep.json": "", "x/b.json": ""},
    )
    lay(tmp_path, {"x/only.txt": "", "x/y/only.txt": "", "x/y/keep.json": ""})
    read, passed = split(tmp_path)
    assert [name for name in read if not name.endswith(".gitignore")] == ["x/keep.json", "x/y/keep.json", "x/y/only.txt"]
    assert set(passed) == {"a.json", "x/b.json", "x/only.txt"}


def test_a_file_of_an_ignored_folder_cannot_be_taken_back_in(tmp_path):
    lay(tmp_path, {".gitignore": "build/\n!build/keep.json\n", "build/keep.json": ""})
    assert split(tmp_path)[1] == {"build/": "left out by .gitignore:1: build/"}


def test_named_files_and_folders_are_read_whatever_is_ignored(tmp_path):
    lay(tmp_path, {".git/HEAD": "", ".gitignore": "*.json\nbuild/\n", "a.json": "", "build/c.txt": ""})
    assert split(tmp_path, tmp_path / "a.json", tmp_path / "build")[0] == ["a.json", "build/c.txt"]
    assert "a.json" in split(tmp_path, tmp_path, tmp_path / "a.json")[0]


def test_patterns_of_the_repository_hold_in_its_folders_too(tmp_path):
    lay(tmp_path, {".gitignore": "*.txt", "repo/.git/HEAD": "", "repo/.gitignore": "/x/y/*.json\n*.tmp", "repo/x/y/a.json": ""})
    lay(tmp_path, {"repo/x/y/b.tmp": "", "repo/x/y/c.txt": ""})
    read, passed = split(tmp_path / "repo/x/y")
    assert read == ["c.txt"]
    assert passed["b.tmp"] == "left out by .gitignore:2: *.tmp"


@pytest.mark.parametrize("version", ["2", "4"])
def test_what_git_tracks_is_read_though_a_pattern_ignores_it(tmp_path, version):
    lay(tmp_path, {"policies/open.json": "", "policies/deep/b.json": "", "policies/new.json": "", "z.json": ""})
    git = ("git", "-C", str(tmp_path), "-c", f"index.version={version}")
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "policies/open.json", "policies/deep/b.json", "z.json"], check=True)
    lay(tmp_path, {".gitignore": "policies/\nz.json\n"})
    read, passed = split(tmp_path)
    assert read == [".gitignore", "z.json", "policies/open.json", "policies/deep/b.json"]
    assert set(passed) == {".git/", "policies/new.json"}


@pytest.mark.parametrize(
    "index", [b"", b"DIRC", b"DIRC\0\0\0\2\xff\xff\xff\xff" + b"\0" * 80, b"DIRC\0\0\0\x09\0\0\0\1", b"x" * 300]
)
def test_a_broken_index_tracks_nothing(tmp_path, index):
    lay(tmp_path, {".git/HEAD": "", ".gitignore": "a.json", "a.json": ""})
    (tmp_path / ".git/index").write_bytes(index)
    assert "a.json" in split(tmp_path)[1]


def test_folders_that_programs_fill_are_named(tmp_path):
    lay(tmp_path, {f"{name}/a.json": "" for name in (".terraform", "node_modules", "venv", "deep/__pycache__")})
    assert split(tmp_path) == (
        [],
        dict.fromkeys(
            [".terraform/", "node_modules/", "venv/", "deep/__pycache__/"],
            FILLED,
        ),
    )


def test_settings_exclude_tracked_files_as_well_relative_to_their_folder(tmp_path):
    lay(tmp_path, {"x/examples/a.json": "", "x/b.json": "", "b.json": "", "c.json": ""})
    exclude = Exclude(str(tmp_path), ("examples/", "/b.json", "*.json", "!c.json", "!/x/b.json"))
    read, passed = split(tmp_path, exclude=exclude)
    assert read == ["c.json", "x/b.json"]
    assert passed == {"x/examples/": "left out by exclude: examples/", "b.json": "left out by exclude: *.json"}


def test_a_gitignore_that_is_no_file_is_not_read(tmp_path):
    lay(tmp_path, {"a.json": ""})
    os.mkfifo(tmp_path / ".gitignore")
    assert "a.json" in split(tmp_path)[0]


def test_folders_that_programs_fill_are_looked_into_where_that_is_asked_for(tmp_path):
    lay(tmp_path, {".git/HEAD": "", "venv/a.json": "", "x/node_modules/b.json": ""})
    read, passed = split(tmp_path, exclude=Exclude(all_folders=True))
    assert (read, set(passed)) == (["venv/a.json", "x/node_modules/b.json"], {".git/"})


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_what_git_tracks_in_a_folder_that_programs_fill_is_read_where_a_change_is_judged(tmp_path, form):
    lay(tmp_path, {"k8s/venv/open.json": "", "k8s/venv/deep/b.json": ""})
    git = ("git", "-C", str(tmp_path))
    subprocess.run([*git, "init", "-q", f"--object-format={form}"], check=True)
    subprocess.run([*git, "add", "k8s"], check=True)
    lay(tmp_path, {"k8s/venv/new.json": "", "node_modules/c.json": ""})
    read, passed = split(tmp_path, exclude=Exclude(but_tracked=True))
    assert read == ["k8s/venv/open.json", "k8s/venv/deep/b.json"]
    assert set(passed) == {".git/", "k8s/venv/new.json", "node_modules/"}
    assert split(tmp_path)[0] == []
