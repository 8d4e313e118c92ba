"""The table of commands: a run loads its own command, and the help lists all of them."""

import subprocess
import sys

from irsa_doctor.cli import COMMAND_HOMES, app
from irsa_doctor.cli.table import CommandTable
from tests.cli.running import run


def test_a_run_loads_no_other_command_than_its_own():
    code = (
        "import sys; sys.argv[1:] = ['explain', 'open-aud-only']\n"
        "from irsa_doctor.cli import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "print(*sorted(name for name in sys.modules if name.startswith('irsa_doctor.cli.')), sep='\\n')"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    commands = {f"irsa_doctor.cli.{home.partition('.')[0]}" for home in COMMAND_HOMES.values()}
    assert commands & set(loaded) == {"irsa_doctor.cli.explain"}


def test_the_table_makes_each_command_once():
    table = CommandTable(COMMAND_HOMES)
    assert table["check"] is table["check"]
    assert [*table] == [*COMMAND_HOMES]
    assert len(table) == len(COMMAND_HOMES)


def test_the_help_lists_every_command(tmp_path):
    listed = run("--help", cwd=tmp_path).stdout
    assert all(f"  {name} " in listed for name in COMMAND_HOMES)
    assert app.registered_commands == []
