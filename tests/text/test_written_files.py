"""Files are written whole or not at all, never through a link, and to no device or pipe of a work tree."""

import os
import socket
import stat
from pathlib import Path

import pytest

from irsa_doctor.text.os_errors import os_error_reason
from irsa_doctor.text.written_files import NotWritable, refuse_target, write_whole


@pytest.fixture(autouse=True)
def work_tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "precious").write_text("keep")
    return tmp_path


def test_a_new_file_and_a_regular_file_are_written():
    write_whole(b"one", "out.json")
    write_whole(b"two", "out.json")
    assert Path("out.json").read_bytes() == b"two"
    assert sorted(os.listdir()) == ["out.json", "precious"]


@pytest.mark.parametrize("to", ["precious", "nowhere", "out.json"])
def test_a_link_is_not_followed_and_not_replaced(to):
    Path("out.json").symlink_to(to)
    with pytest.raises(NotWritable, match="a link, and nothing is written through links"):
        write_whole(b"x", "out.json")
    assert os.readlink("out.json") == to
    assert Path("precious").read_text() == "keep"


def test_a_folder_that_is_a_link_leads_nowhere():
    Path("else").mkdir()
    Path("reports").symlink_to("else")
    with pytest.raises(NotWritable, match=r"^reports is a link"):
        write_whole(b"x", "reports/out.json")
    with pytest.raises(NotWritable, match=r"^reports is a link"):
        write_whole(b"x", os.path.abspath("reports/deeper/out.json"))
    assert not os.listdir("else")


def test_from_a_folder_inside_the_links_of_the_whole_work_tree_count(monkeypatch):
    Path(".git").mkdir()
    Path("a/b").mkdir(parents=True)
    Path("link").symlink_to("a")
    monkeypatch.chdir("a/b")
    with pytest.raises(NotWritable):
        refuse_target("../../link/out.json")
    refuse_target("../out.json")


def test_what_is_no_file_is_refused():
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind("socket")
        Path("folder").mkdir()
        for name, what in (("pipe", "a named pipe"), ("socket", "a socket"), ("folder", "it is a folder")):
            with pytest.raises(NotWritable, match=what):
                refuse_target(name)


def test_a_stream_that_the_user_names_is_written_through(tmp_path):
    write_whole(b"x", "/dev/null")
    assert stat.S_ISCHR(os.lstat("/dev/null").st_mode)
    with open(tmp_path / "kept", "wb") as stream:
        write_whole(b"through", f"/dev/fd/{stream.fileno()}")
    assert (tmp_path / "kept").read_bytes() == b"through"


def test_a_private_file_is_readable_by_its_owner_only():
    write_whole(b"x", "snapshot.json", private=True)
    assert stat.S_IMODE(os.stat("snapshot.json").st_mode) == 0o600


def test_of_a_write_that_fails_the_old_file_stays(monkeypatch):
    write_whole(b"old", "out.json")

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space") as raised:
        write_whole(b"new", "out.json")
    assert os_error_reason(raised.value) == "no space is left on the device"
    assert Path("out.json").read_bytes() == b"old"
    assert sorted(os.listdir()) == ["out.json", "precious"]


def test_a_device_that_is_not_there_is_not_made_a_file():
    with pytest.raises(OSError, match="no such device"):
        refuse_target("/dev/no-such-device")
