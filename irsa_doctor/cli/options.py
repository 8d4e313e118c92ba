"""The options that several commands have, and how a group of them becomes one argument of a command."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

Paths = Annotated[
    list[str] | None,
    typer.Argument(help="Files, folders, or - for standard input; optional with --aws, --kube or --live."),
]
Format = Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="text or json.")]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 also with findings or unknowns.")]
Complete = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KINDS",
        help="Kubernetes kinds for which the input is complete, such as serviceaccounts,pods: objects not listed do not exist.",
    ),
]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", metavar="ARN=PATH", help="The role that a bare trust policy belongs to; repeatable."),
]
Clusters = Annotated[
    list[str] | None,
    typer.Option("--cluster", metavar="NAME=PATH", help="The cluster that Kubernetes documents belong to; repeatable."),
]
ParameterFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--parameters",
        metavar="TEMPLATE=FILE",
        help="The parameters of a CloudFormation template, or the variables of a folder of Terraform, instead of the defaults; "
        "repeatable.",
    ),
]
AzureApps = Annotated[
    list[str] | None,
    typer.Option("--azure-app", metavar="CLIENTID=PATH", help="The app whose credentials a file lists; repeatable."),
]
IamPolicies = Annotated[
    list[str] | None,
    typer.Option("--iam-policy", metavar="RESOURCE=PATH", help="The Google Cloud resource of an IAM policy; repeatable."),
]
AccountId = Annotated[str | None, typer.Option(metavar="ID", help="Account of AWS answers that do not name one.")]
Config = Annotated[str | None, typer.Option(metavar="FILE", help="Settings file, instead of the nearest irsa-doctor.toml.")]
AllFolders = Annotated[
    bool,
    typer.Option("--all-folders", help="Look into folders that programs fill as well, such as node_modules and .terraform."),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="TIME", help="The time for waivers and ages, such as 2026-11-28T12:00:00Z, instead of now."
    ),
]
NoConfig = Annotated[bool, typer.Option("--no-config", help="Read no settings file.")]

_Answer = TypeVar("_Answer")


def with_options(**groups: Callable[..., object]) -> Callable[[Callable[..., _Answer]], Callable[..., _Answer]]:
    """Give a command, in the place of each named parameter, the options of a function; the argument is what that returns.

    A function whose options are a group of others may have a group itself.
    """
    options = {name: list(inspect.signature(group).parameters.values()) for name, group in groups.items()}

    def made(command: Callable[..., _Answer]) -> Callable[..., _Answer]:
        @functools.wraps(command)
        def call(**values: Any) -> _Answer:
            chosen = {name: {option.name: values.pop(option.name) for option in options[name]} for name in groups}
            return command(**values, **{name: group(**chosen[name]) for name, group in groups.items()})

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
