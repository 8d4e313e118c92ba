"""The options of every command that can read live, and what is made of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

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
    aws: bool = False,
    kube: bool = False,
    live: bool = False,
    kube_context: Sequence[str] | None = None,
    kubeconfig: str | None = None,
    profile: Sequence[str] | None = None,
    assume_role: Sequence[str] | None = None,
    region: Sequence[str] | None = None,
    timeout: float | None = None,
    fetch_issuer: bool = False,
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
