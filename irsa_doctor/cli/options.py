"""The options that several commands have, and how a group of them becomes one argument of a command."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

Paths = Annotated[
    list[str] | None,
    typer.Argument(help="Files, folders, or - for standard input; may be left out where AWS or a cluster is read."),
]
Format = Annotated[str, typer.Option("--format", "-f", help="text or json.")]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever was found.")]
Complete = Annotated[
    list[str] | None,
    typer.Option(help="Kubernetes kinds that are there whole: serviceaccounts, pods, ...; what is missing does not exist."),
]
Roles = Annotated[list[str] | None, typer.Option("--role", help="ARN=PATH: the role of a bare policy; repeatable.")]
Clusters = Annotated[
    list[str] | None, typer.Option("--cluster", help="NAME=PATH: cluster of Kubernetes documents; repeatable.")
]
Account = Annotated[str | None, typer.Option(help="Account id of answers that name none.")]
Config = Annotated[str | None, typer.Option(help="Settings file, in place of the nearest irsa-doctor.toml.")]
NoConfig = Annotated[bool, typer.Option("--no-config", help="Take no settings file.")]

_Command = Callable[..., None]


def with_options(**groups: Callable[..., object]) -> Callable[[_Command], _Command]:
    """Give a command, in the place of each named parameter, the options of a function; the argument is what that returns."""
    options = {name: list(inspect.signature(group).parameters.values()) for name, group in groups.items()}

    def made(command: _Command) -> _Command:
        @functools.wraps(command)
        def call(**values: Any) -> None:
            chosen = {name: {option.name: values.pop(option.name) for option in options[name]} for name in groups}
            command(**values, **{name: group(**chosen[name]) for name, group in groups.items()})

        signature = inspect.signature(command)
        parameters = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for own in signature.parameters.values()
            for parameter in options.get(own.name, [own])
        ]
        call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        # the annotations of the signature count: those of the parameters replaced are names that only type checkers know
        call.__annotations__ = {}
        return call

    return made
