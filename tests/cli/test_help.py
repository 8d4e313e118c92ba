"""The help of every command: short summaries, grouped options, examples that can be run, on a terminal of any width."""

import shlex

import pytest
import typer
from typer.core import TyperGroup

from irsa_doctor.cli import app
from irsa_doctor.cli.help import EXAMPLES, GENERAL, GROUPS, group_of, shell_lines
from tests.cli.running import run

ROOT = typer.main.get_command(app)


def all_commands(command=ROOT, words=()):
    yield " ".join(words), command
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from all_commands(inner, (*words, name))


COMMANDS = dict(all_commands())
LEAVES = [name for name, command in COMMANDS.items() if not isinstance(command, TyperGroup)]


def options(name):
    return [parameter for parameter in COMMANDS[name].params if parameter.param_type_name == "option"]


def help_of(name, width, tmp_path, flag="--help"):
    done = run(*name.split(), flag, cwd=tmp_path, COLUMNS=str(width))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("name", [name for name in COMMANDS if name])
def test_a_summary_is_under_60_characters_so_that_no_list_of_commands_cuts_it(name):
    summary = COMMANDS[name].get_short_help_str(limit=1000)
    assert 0 < len(summary) < 60
    assert summary[0].isupper()


def test_the_list_of_commands_is_shown_whole_at_80_columns(tmp_path):
    assert "..." not in help_of("", 80, tmp_path).partition("Commands:")[2].partition("Examples:")[0]


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_is_in_a_group(name):
    assert [option.opts for option in options(name) if group_of(option.opts) == GENERAL] == []


def test_every_option_of_the_groups_belongs_to_a_command():
    known = {flag for name in LEAVES for option in options(name) for flag in option.opts}
    assert {flag for flags in GROUPS.values() for flag in flags} <= known


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_and_argument_has_a_help_text_that_is_a_sentence(name):
    for parameter in COMMANDS[name].params:
        assert parameter.help.endswith((".", "]")), parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_ends_its_help_with_two_examples_of_itself(name, tmp_path):
    shown = help_of(name, 80, tmp_path).partition("\nExamples:\n")[2].replace("\\\n", "")
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines == list(EXAMPLES[name])
    assert len(lines) == 2
    assert all(line.startswith(f"irsa-doctor {name}".strip()) for line in lines)


@pytest.mark.parametrize("example", sorted({example for examples in EXAMPLES.values() for example in examples}))
def test_an_example_is_a_call_that_its_command_accepts(example):
    words = shlex.split(example)[1:]
    name = next(name for name in sorted(COMMANDS, key=len, reverse=True) if words[: len(name.split())] == name.split())
    command, values = COMMANDS[name], words[len(name.split()) :]
    assert command.make_context(name, list(values)).args == []


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("width", [80, 120])
def test_help_fits_the_terminal_and_is_the_same_under_both_flags(name, width, tmp_path):
    shown = help_of(name, width, tmp_path)
    assert max(map(len, shown.splitlines())) <= width
    assert "\x1b" not in shown
    assert shown == help_of(name, width, tmp_path, "-h")


@pytest.mark.parametrize("name", LEAVES)
def test_no_name_is_divided_at_a_hyphen(name, tmp_path):
    lines = help_of(name, 80, tmp_path).splitlines()
    assert [line for line in lines if line.endswith("-") and not line.endswith(" -")] == []


def test_a_long_example_is_divided_before_its_options():
    assert shell_lines("a b --one 1 --two 2", 14) == ["a b --one 1 \\", "    --two 2"]
    assert shell_lines("a b --one 1", 14) == ["a b --one 1"]


def test_every_format_of_check_is_in_its_help_and_on_the_page_of_outputs(tmp_path):
    from pathlib import Path

    from irsa_doctor import api

    page = (Path(__file__).parent.parent.parent / "docs" / "output.md").read_text(encoding="utf-8")
    for name in api.ANSWER_FORMATS["check"]:
        assert f"| `{name}` |" in page
    shown = " ".join(run("check", "--help", cwd=tmp_path).stdout.split())
    assert f"{', '.join(api.ANSWER_FORMATS['check'][:-1])} or " in shown
    assert f"a control of {', '.join(api.framework_ids()[:-1])} or " in shown
