import gzip
import json
import os
import subprocess
import sys

import pytest

from irsa_doctor.sources.files.evidence import NoEvidence, chunks, content
from irsa_doctor.text.named_files import stream_number

LOG = json.dumps({"Records": []}).encode()


def read(path):
    """What both readers say of a path."""
    answers = []
    for reader in (content, lambda name: b"".join(chunks(name))):
        try:
            answers.append(reader(str(path)))
        except NoEvidence as refusal:
            answers.append(str(refusal))
    return answers


@pytest.mark.parametrize("reader", [content, lambda path: b"".join(chunks(path))], ids=["content", "chunks"])
class TestWhatIsNoFileIsRefusedAtOnce:
    def refusal(self, reader, path):
        with pytest.raises(NoEvidence) as refused:
            reader(str(path))
        return str(refused.value)

    def test_a_named_pipe_does_not_keep_the_run_waiting(self, reader, tmp_path):
        os.mkfifo(tmp_path / "token")
        assert self.refusal(reader, tmp_path / "token") == f"{tmp_path}/token: a named pipe, not a file"

    @pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/random"])
    def test_a_device_is_not_read(self, reader, device):
        assert self.refusal(reader, device) == f"{device}: a device, not a file"

    def test_a_link_to_a_device_is_not_read(self, reader, tmp_path):
        (tmp_path / "log.json").symlink_to("/dev/zero")
        assert "a device, not a file" in self.refusal(reader, tmp_path / "log.json")

    def test_an_open_device_is_not_read(self, reader):
        with open("/dev/zero", "rb") as zero:
            assert self.refusal(reader, f"/dev/fd/{zero.fileno()}").endswith("neither a pipe nor a file")

    def test_a_folder_a_missing_file_and_a_number_that_is_not_open_are_named(self, reader, tmp_path):
        assert self.refusal(reader, tmp_path).endswith("it is a folder")
        assert self.refusal(reader, tmp_path / "gone").endswith("no such file or folder")
        assert self.refusal(reader, "/dev/fd/987654").startswith("/dev/fd/987654: ")
        assert self.refusal(reader, "a\0b").endswith("not a valid path")


@pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd"])
@pytest.mark.parametrize("reader", [content, lambda path: b"".join(chunks(path))], ids=["content", "chunks"])
def test_the_pipe_of_a_process_substitution_is_read(reader, folder):
    output, entrance = os.pipe()
    os.write(entrance, LOG)
    os.close(entrance)
    try:
        assert reader(f"{folder}/{output}") == LOG
    finally:
        os.close(output)


def test_a_packed_log_is_unpacked_from_a_file_and_from_a_pipe(tmp_path):
    (tmp_path / "log.json.gz").write_bytes(gzip.compress(LOG))
    assert b"".join(chunks(str(tmp_path / "log.json.gz"))) == LOG
    output, entrance = os.pipe()
    os.write(entrance, gzip.compress(LOG))
    os.close(entrance)
    assert b"".join(chunks(f"/dev/fd/{output}")) == LOG
    os.close(output)


@pytest.mark.parametrize("piped", [False, True])
def test_a_packed_log_that_holds_more_than_200_times_its_size_is_refused(tmp_path, piped):
    packed = gzip.compress(bytes(8 << 20))
    (tmp_path / "log.json.gz").write_bytes(packed)
    output, entrance = os.pipe()
    os.write(entrance, packed)
    os.close(entrance)
    try:
        with pytest.raises(NoEvidence, match="the content of the compressed file exceeds the limit"):
            list(chunks(f"/dev/fd/{output}" if piped else str(tmp_path / "log.json.gz")))
    finally:
        os.close(output)


def test_an_empty_file_is_empty_evidence(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert read(tmp_path / "empty") == [b"", b""]


def test_a_large_file_gives_its_beginning_and_its_end(tmp_path):
    (tmp_path / "log").write_bytes(b"a" + bytes(20 << 20) + b"z")
    text = content(str(tmp_path / "log"))
    assert (text[:1], text[-1:], len(text)) == (b"a", b"z", (16 << 20) + 1)


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/dev/stdin", 0),
        ("/dev/fd/63", 63),
        ("/proc/self/fd/11", 11),
        ("/dev/fd/", None),
        ("/dev/fd/x", None),
        ("/dev/fd/²", None),
        ("/dev/fd/1/2", None),
        ("/dev/fd/99999999999999999999", None),
        ("log.json", None),
    ],
)
def test_paths_of_open_files_are_told_from_others(path, number):
    assert stream_number(path) == number


@pytest.mark.parametrize(("option", "code"), [("--token", 2), ("--event", 2), ("--error", 2)])
def test_the_command_line_waits_for_no_pipe(option, code, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    path = f"@{tmp_path}/pipe" if option == "--error" else str(tmp_path / "pipe")
    call = [sys.executable, "-m", "irsa_doctor", "why", "a/b", "fixtures/worlds/shop", option, path]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "a named pipe, not a file" in done.stderr) == (code, True)
