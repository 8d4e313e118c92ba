"""The options of every command that can read live."""

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.api import LiveOptions

Aws = Annotated[bool, typer.Option("--aws", help="Read AWS, with the credentials of the environment or of --profile.")]
Kube = Annotated[bool, typer.Option("--kube", help="Read the cluster of the current kubeconfig context or of --kube-context.")]
Live = Annotated[bool, typer.Option("--live", help="Read both, like --aws --kube.")]
KubeContexts = Annotated[
    list[str] | None, typer.Option("--kube-context", metavar="NAME", help="Context of the kubeconfig; repeatable.")
]
Kubeconfig = Annotated[
    str | None, typer.Option("--kubeconfig", metavar="FILE", help="The kubeconfig, instead of $KUBECONFIG or ~/.kube/config.")
]
Profiles = Annotated[
    list[str] | None, typer.Option("--profile", metavar="NAME", help="AWS profile; repeatable, one for each account.")
]
AssumeRoles = Annotated[
    list[str] | None,
    typer.Option("--assume-role", metavar="ARN", help="Role to assume for reading AWS; repeatable, one for each account."),
]
Regions = Annotated[
    list[str] | None, typer.Option("--region", metavar="REGION", help="AWS region of the clusters; repeatable.")
]
Timeout = Annotated[float | None, typer.Option("--timeout", metavar="SECONDS", help="Limit for all live reads together. [120]")]
TokenSecrets = Annotated[
    bool, typer.Option("--token-secrets", help="Read the names of Secrets too, and which hold a token; never their contents.")
]
FetchIssuer = Annotated[
    bool, typer.Option("--fetch-issuer", help="Fetch discovery document and keys of the issuers: https, public addresses only.")
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
    token_secrets: TokenSecrets = False,
    fetch_issuer: FetchIssuer = False,
) -> "LiveOptions | None":
    """The live sources that the flags name, None where they name none; raises the exit of a wrong call."""
    reads_aws, reads_kube = aws or live, kube or live
    _refuse_without(
        ("--kube-context", kube_context, reads_kube, "--kube or --live"),
        ("--kubeconfig", kubeconfig, reads_kube, "--kube or --live"),
        ("--token-secrets", token_secrets, reads_kube, "--kube or --live"),
        ("--profile", profile, reads_aws, "--aws or --live"),
        ("--assume-role", assume_role, reads_aws, "--aws or --live"),
        ("--region", region, reads_aws, "--aws or --live"),
        ("--timeout", timeout, reads_aws or reads_kube or fetch_issuer, "--aws, --kube, --live or --fetch-issuer"),
    )
    if timeout is not None and not 0 < timeout <= 86_400:
        raise wrong(f"--timeout {timeout:g}: seconds are expected, at most a day")
    if not (reads_aws or reads_kube or fetch_issuer):
        return None
    from irsa_doctor.api import LiveOptions

    options = LiveOptions(
        aws=reads_aws,
        kube=reads_kube,
        contexts=tuple(kube_context or ()),
        kubeconfig=kubeconfig or "",
        profiles=tuple(profile or ()),
        assume=tuple(assume_role or ()),
        regions=tuple(part.strip() for value in region or () for part in value.split(",") if part.strip()),
        fetch_issuer=fetch_issuer,
        secrets=token_secrets,
    )
    return options.with_timeout(timeout) if timeout is not None else options


def _refuse_without(*flags: tuple[str, object, bool, str]) -> None:
    """Refuse a flag that has no effect: (flag, its value, whether it has an effect, the flags that it needs)."""
    for flag, value, has_effect, needs in flags:
        if value and not has_effect:
            raise wrong(f"{flag} does nothing without {needs}")


def collect_options(**flags: Any) -> "LiveOptions":
    """The live sources of `collect`: AWS and Kubernetes, unless --aws or --kube names one."""
    both = not (flags["aws"] or flags["kube"])
    options = live_options(**{**flags, "live": flags["live"] or both})
    assert options is not None  # noqa: S101 - at least one source is chosen
    return options


collect_options.__signature__ = inspect.signature(live_options)  # type: ignore[attr-defined]
