"""What a killed run leaves goes with the next one; what is in use, or somebody else's, stays."""

import os
import tempfile
import time

import pytest

from irsa_doctor.text.scratch_folders import new_scratch_folder

OLD = time.time() - 2 * 86_400


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left(folder, name, *, old=True, file_is_old=True):
    made = folder / name
    made.mkdir()
    (made / "rules.yaml").write_text("x")
    if file_is_old:
        os.utime(made / "rules.yaml", (OLD, OLD))
    if old:
        os.utime(made, (OLD, OLD))
    return made


def test_what_a_killed_run_left_a_day_ago_is_removed(folder):
    gone = left(folder, "irsa-doctor-a1")
    made = new_scratch_folder()
    assert not gone.exists()
    assert os.path.dirname(made) == str(folder)
    assert os.path.basename(made).startswith("irsa-doctor-")
    assert os.stat(made).st_mode & 0o777 == 0o700


def test_what_may_be_in_use_or_is_no_folder_of_ours_stays(folder):
    kept = [
        left(folder, "irsa-doctor-new", old=False),
        left(folder, "irsa-doctor-written", file_is_old=False),
        left(folder, "other-tool"),
    ]
    (folder / "irsa-doctor-file").write_text("x")
    os.utime(folder / "irsa-doctor-file", (OLD, OLD))
    (folder / "irsa-doctor-link").symlink_to(left(folder, "elsewhere"))
    new_scratch_folder()
    assert all((each / "rules.yaml").exists() for each in kept)
    assert (folder / "irsa-doctor-file").exists()
    assert (folder / "irsa-doctor-link").is_symlink()
    assert (folder / "elsewhere" / "rules.yaml").exists()
