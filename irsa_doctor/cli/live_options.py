"""The options of every command that can read live, and what is made of them."""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.sources.live import Options

Aws = Annotated[bool, typer.Option("--aws", help="Read AWS with the credentials of the environment, or of --profile.")]
Kube = Annotated[bool, typer.Option("--kube", help="Read the cluster of the current kubeconfig context, or of --kube-context.")]
Live = Annotated[bool, typer.Option("--live", help="--aws and --kube.")]
KubeContexts = Annotated[list[str] | None, typer.Option("--kube-context", help="Context of the kubeconfig; repeatable.")]
Kubeconfig = Annotated[
    str | None, typer.Option("--kubeconfig", help="The kubeconfig, in place of $KUBECONFIG or ~/.kube/config.")
]
Profiles = Annotated[list[str] | None, typer.Option("--profile", help="AWS profile; repeatable, one for each account.")]
AssumeRoles = Annotated[
    list[str] | None, typer.Option("--assume-role", help="ARN of a role to read AWS as; repeatable, one for each account.")
]
Regions = Annotated[list[str] | None, typer.Option("--region", help="AWS region of the clusters; repeatable.")]
Timeout = Annotated[float | None, typer.Option("--timeout", help="Seconds that reading live may take altogether. [120]")]
FetchIssuer = Annotated[
    bool, typer.Option("--fetch-issuer", help="Fetch what the clusters' issuers publish: https, public addresses only.")
]


def live_options(
    *,
    aws: Aws = False,
    kube: Kube = False,
    live: Live = False,
    kube_context: KubeContexts = None,
    kubeconfig: Kubeconfig = None,
    profile: Profiles = None,
    assume_role: AssumeRoles = None,
    region: Regions = None,
    timeout: Timeout = None,
    fetch_issuer: FetchIssuer = False,
) -> "Options | None":
    """The live sources that were asked for, None where none was; raises the exit of a wrong call."""
    asks_aws, asks_kube = aws or live, kube or live
    for flag, value, asked, needs in (
        ("--kube-context", kube_context, asks_kube, "--kube or --live"),
        ("--kubeconfig", kubeconfig, asks_kube, "--kube or --live"),
        ("--profile", profile, asks_aws, "--aws or --live"),
        ("--assume-role", assume_role, asks_aws, "--aws or --live"),
        ("--timeout", timeout, asks_aws or asks_kube or fetch_issuer, "--aws, --kube, --live or --fetch-issuer"),
    ):
        if value and not asked:
            raise wrong(f"{flag} does nothing without {needs}")
    if timeout is not None and not 0 < timeout <= 86_400:
        raise wrong(f"--timeout {timeout:g}: seconds are expected, at most a day")
    if not (asks_aws or asks_kube or fetch_issuer):
        return None
    from irsa_doctor.sources.live import Options

    given = Options(
        aws=asks_aws,
        kube=asks_kube,
        contexts=tuple(kube_context or ()),
        kubeconfig=kubeconfig or "",
        profiles=tuple(profile or ()),
        assume=tuple(assume_role or ()),
        regions=tuple(part.strip() for value in region or () for part in value.split(",") if part.strip()),
        fetch_issuer=fetch_issuer,
    )
    return given.with_timeout(timeout) if timeout is not None else given


_Command = Callable[..., None]


def reads_live(*, always: bool = False) -> Callable[[_Command], _Command]:
    """Give a command the options above in the place of its parameter `sources`, which holds what they come to.

    `always`: it reads AWS and Kubernetes unless --aws or --kube says which.
    """
    options = list(inspect.signature(live_options).parameters.values())

    def made(command: _Command) -> _Command:
        @functools.wraps(command)
        def call(**given: Any) -> None:
            asked = {option.name: given.pop(option.name) for option in options}
            if always and not (asked["aws"] or asked["kube"]):
                asked["live"] = True
            command(**given, sources=live_options(**asked))

        signature = inspect.signature(command)
        own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in signature.parameters.values()]
        at = [parameter.name for parameter in own].index("sources")
        call.__signature__ = signature.replace(parameters=[*own[:at], *options, *own[at + 1 :]])  # type: ignore[attr-defined]
        call.__annotations__ = {}  # those of the signature count: that of `sources` is a name that only type checkers know
        return call

    return made
