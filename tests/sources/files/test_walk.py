import io
import os
import socket
import sys

import pytest

from irsa_doctor.sources.files.walk import walk
from tests.systems import needs_a_user


def found(*paths, stdin=None):
    return {item.path: item for item in walk([str(path) for path in paths], stdin)}


def test_folders_are_read_in_order_and_caches_are_skipped(tmp_path):
    for name in ("b/x.json", "b/a/y.json", "a.json", ".git/z", "node_modules/z", ".terraform/z", "b/__pycache__/z", "c.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    names = [os.path.relpath(path, tmp_path) for path, item in found(tmp_path).items() if not item.passed_over]
    assert names == ["a.json", "c.txt", "b/x.json", "b/a/y.json"]


def test_a_path_that_does_not_exist_is_named(tmp_path):
    (item,) = found(tmp_path / "nowhere.json").values()
    assert item.named
    assert item.why == "no such file or folder"


@pytest.mark.parametrize("path", ["a\0b", "", "x" * 5000])
def test_paths_that_no_system_accepts_are_no_crash(path):
    (item,) = found(path).values()
    assert item.why


def test_a_file_that_is_named_and_found_is_read_once_and_counts_as_named(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    items = list(walk([str(tmp_path), str(tmp_path / "a.json"), str(tmp_path)], None))
    assert [(item.named, item.content) for item in items] == [(True, b"{}")]


def test_pipes_sockets_and_devices_are_not_opened(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.json")
    with socket.socket(socket.AF_UNIX) as listener, monkeypatch.context() as inside_folder:
        inside_folder.chdir(tmp_path)
        listener.bind("socket.json")
    (tmp_path / "device.json").symlink_to("/dev/zero")
    inside = found(tmp_path)
    assert "pipe" in inside[str(tmp_path / "pipe.json")].why
    assert "socket" in inside[str(tmp_path / "socket.json")].why
    assert "outside of the folder" in inside[str(tmp_path / "device.json")].why
    for name, word in (("pipe.json", "pipe"), ("device.json", "device")):
        (item,) = found(tmp_path / name).values()
        assert word in item.why
    (item,) = found("/dev/zero").values()
    assert "device" in item.why


def test_links_out_of_the_folder_are_not_followed_unless_named(tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "out.json").symlink_to(secret)
    (folder / "up").symlink_to(tmp_path)
    items = found(folder)
    assert all("outside of the folder" in item.why and not item.passed for item in items.values())
    assert len(items) == 2
    assert found(folder / "out.json")[str(folder / "out.json")].content == b"{}"


def test_links_inside_the_folder_and_loops_of_links_end(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").symlink_to("a.json")
    (tmp_path / "self").symlink_to(tmp_path)
    (tmp_path / "x").symlink_to("y")
    (tmp_path / "y").symlink_to("x")
    (tmp_path / "gone").symlink_to("nothing")
    (tmp_path / "gone.json").symlink_to("nothing.json")
    whys = {os.path.basename(path): (item.why, item.passed) for path, item in found(tmp_path).items()}
    assert whys["a.json"] == (None, False)
    assert whys["b.json"] == ("a link to a.json, read there", True)
    assert whys["self"][1]
    assert "refers to itself" in whys["x"][0]
    assert "no such file" in whys["gone"][0]
    assert (whys["gone"][1], whys["gone.json"][1]) == (True, False)


def test_an_empty_folder_is_accounted_for(tmp_path):
    (item,) = found(tmp_path).values()
    assert item.passed


@needs_a_user
def test_what_may_not_be_read_says_so(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "a.json").chmod(0)
    (item,) = found(tmp_path).values()
    assert "permission" in item.why


def test_standard_input_is_taken_as_given_or_read(monkeypatch):
    assert found("-", stdin=b"x")["-"].content == b"x"

    class Stdin:
        buffer = io.BytesIO(b"y")

    monkeypatch.setattr(sys, "stdin", Stdin())
    assert found("-")["-"].content == b"y"


def test_what_a_shell_puts_for_a_command_is_read():
    reading, writing = os.pipe()
    os.write(writing, b"{}")
    os.close(writing)
    try:
        assert found(f"/dev/fd/{reading}")[f"/dev/fd/{reading}"].content == b"{}"
    finally:
        os.close(reading)
    assert found("/dev/fd/987")["/dev/fd/987"].why


def test_what_is_left_out_is_left_out_wherever_it_is_found(tmp_path):
    for name in ("a.json", "b/c.json", "b/d/e.json", "bc.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
    left = [item.path for item in walk([str(tmp_path)], None, [str(tmp_path / "b"), str(tmp_path / "a.json")])]
    assert left == [str(tmp_path / "bc.json")]
