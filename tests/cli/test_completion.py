"""Completion where no shell is around the process, as in the build of a package."""

import subprocess
import sys

import pytest

SHELLS = {"bash": "complete -o", "zsh": "#compdef", "fish": "complete --command", "powershell": "Register-ArgumentCompleter"}


def call(*arguments, home):
    done = subprocess.run(
        [sys.executable, "-m", "irsa_doctor", *arguments],
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home)},
        start_new_session=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_that_is_named_counts(tmp_path, shell):
    code, out, _ = call("--show-completion", shell, home=tmp_path)
    assert code == 0
    assert SHELLS[shell] in out
    assert "_IRSA_DOCTOR_COMPLETE" in out


def test_the_shell_that_is_named_is_installed_for(tmp_path):
    code, out, _ = call("--install-completion", "fish", home=tmp_path)
    assert code == 0
    assert "completion for fish" in out
    assert "irsa-doctor" in (tmp_path / ".config/fish/completions/irsa-doctor.fish").read_text()


def test_a_home_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "home").write_text("")
    code, _, err = call("--install-completion", "fish", home=tmp_path / "home")
    assert code == 2
    assert "completion cannot be installed" in err
    assert len(err.splitlines()) == 1
