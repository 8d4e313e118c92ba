"""The arguments of a call as people write them: options of every command anywhere, and words that other programs take."""

import os
import shlex
from collections.abc import Sequence

from irsa_doctor.cli.output import print_note

_FLAGS = ("--debug", "--no-color")
_BEFORE = ("--help", "-h", "--version", "-V", "--show-completion", "--install-completion", "--")
_COMMANDS = {
    **dict.fromkeys(("lint", "scan", "validate", "run", "test", "analyze"), "check"),
    **dict.fromkeys(("diagnose", "doctor", "debug"), "why"),
    **dict.fromkeys(("rule", "describe"), "explain"),
    **dict.fromkeys(("compare", "plan"), "diff"),
    "completion": "--show-completion",
}
"""what other programs call a command -> what does it here"""


def arranged(arguments: Sequence[str], commands: Sequence[str]) -> list[str]:
    """The arguments with the options of every command first; `help` and `version` become the options of these names.

    A path in the place of a command ends the run with exit 2.
    """
    own, general = _parted(list(arguments))
    _check_order(own, commands)
    if own[:1] == ["help"]:
        own = [*own[1:], "--help"]
    elif own == ["version"]:
        own = ["--version"]
    elif own and own[0] not in commands and os.path.exists(own[0]):
        print_note(f"no command {own[0]}; to check it run: irsa-doctor check {shlex.quote(own[0])}")
        raise SystemExit(2)
    elif own and own[0] not in commands and own[0] in _COMMANDS:
        print_note(
            f"no command {own[0]}. Did you mean: irsa-doctor {' '.join([_COMMANDS[own[0]], *map(shlex.quote, own[1:])])}"
        )
        raise SystemExit(2)
    return [*general, *own]


def _check_order(own: Sequence[str], commands: Sequence[str]) -> None:
    """End the run with exit 2 where an option of a command stands before the command."""
    number = next((number for number, argument in enumerate(own) if argument in commands), 0)
    if number and own[0].startswith("-") and own[0].partition("=")[0] not in _BEFORE:
        call = shlex.join(["irsa-doctor", own[number], *own[:number], *own[number + 1 :]])
        print_note(f"options stand behind the command. Did you mean: {call}")
        raise SystemExit(2)


def _parted(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The arguments of the command, and the options of every command before `--`."""
    own: list[str] = []
    general: list[str] = []
    waiting = list(reversed(arguments))
    while waiting:
        argument = waiting.pop()
        if argument == "--":
            return [*own, argument, *reversed(waiting)], general
        if argument in _FLAGS or argument.startswith("--color="):
            general.append(argument)
        elif argument == "--color":
            general += [argument, *([waiting.pop()] if waiting else [])]
        else:
            own.append(argument)
    return own, general
