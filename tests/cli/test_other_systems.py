"""Windows lacks names of os and signal that Linux has: the commands work where they are taken away."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOP = str(ROOT / "fixtures" / "worlds" / "shop")

# what Python documents as "Availability: Unix"
TAKEN_AWAY = """
import os, signal, subprocess, sys
for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_DIRECTORY", "fork", "fchown", "fchmod", "killpg", "getuid", "geteuid",
             "sched_getaffinity", "getpgid", "setsid", "mkfifo", "uname", "statvfs"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGALRM", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGTSTP", "setitimer", "ITIMER_REAL", "alarm"):
    delattr(signal, name)
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
sys.platform = "other"
from irsa_doctor.cli import main
main()
"""


def run(prelude: str, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", prelude, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=120, check=False
    )
    assert "unexpected error" not in done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", SHOP, "-f", "json", "--max-time", "60", "--as-of", "2026-01-01T00:00:00Z"),
        ("why", "billing/invoices", SHOP, "--complete", "serviceaccounts"),
        ("who-can", "shop-batch-reports", SHOP),
        ("fix", SHOP, "--diff"),
    ],
    ids=lambda call: call[0],
)
def test_a_command_says_the_same_without_what_only_unix_has(arguments: tuple[str, ...]) -> None:
    everywhere = "from irsa_doctor.cli import main\nmain()"
    assert run(TAKEN_AWAY, *arguments) == run(everywhere, *arguments)


def test_a_file_is_written_without_what_only_unix_has(tmp_path: Path) -> None:
    report, history = tmp_path / "report.json", tmp_path / "history.db"
    code, _ = run(TAKEN_AWAY, "check", SHOP, "-f", f"json:{report}")
    assert (code, report.read_bytes()[:1]) == (1, b"{")
    code, _ = run(TAKEN_AWAY, "audit", SHOP, "--store", str(history))
    assert code in (0, 1)
    assert history.stat().st_size > 0
    policy = tmp_path / "returns.json"
    policy.write_bytes(Path(SHOP, "policies", "returns.json").read_bytes())
    code, _ = run(TAKEN_AWAY, "fix", str(policy), "--write")
    assert code in (0, 1)
    assert b'"https://oidc' not in policy.read_bytes()
