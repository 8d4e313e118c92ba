"""`irsa-doctor collect`: what the live sources answer, to one file."""

import json
import os
from typing import TYPE_CHECKING, Annotated, NamedTuple, NoReturn

import typer

from irsa_doctor.cli.ages import age_of
from irsa_doctor.cli.destinations import refuse_targets
from irsa_doctor.cli.limits import RunLimits, limit_options, within
from irsa_doctor.cli.live_options import collect_options
from irsa_doctor.cli.options import with_options
from irsa_doctor.cli.output import print_note, print_text
from irsa_doctor.cli.progress import progress
from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.api import LiveOptions, OrganizationOptions, Snapshot

_Output = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The file to write, or - for standard output.")]
_Redact = Annotated[bool, typer.Option("--redact", help="Replace account ids and names; findings stay the same.")]
_Strict = Annotated[bool, typer.Option("--strict", help="Exit 3 if part of the account or cluster cannot be read.")]


_Org = Annotated[bool, typer.Option("--org", help="Read every account of the organisation into the folder of -o.")]
_Role = Annotated[str, typer.Option("--assume-role-name", metavar="NAME", help="The role that is assumed in each account.")]
_External = Annotated[str, typer.Option("--external-id", metavar="ID", help="The external id that this role requires.")]
_Account = Annotated[list[str] | None, typer.Option("--account", metavar="ID", help="Only this account; repeatable.")]
_Unit = Annotated[list[str] | None, typer.Option("--ou", metavar="ID", help="Only accounts of this unit; repeatable.")]
_Exclude = Annotated[list[str] | None, typer.Option("--exclude", metavar="ID", help="Leave this account out; repeatable.")]
_KubeMap = Annotated[
    str | None, typer.Option("--kube-map", metavar="FILE", help="JSON: ARN of a cluster to context; else the ARN is its name.")
]
_Jobs = Annotated[int, typer.Option("--jobs", metavar="N", min=1, max=64, help="Read so many accounts at a time.")]
_Rate = Annotated[float, typer.Option("--rate", metavar="N", min=0.1, help="Calls a second to each service.")]
_AccountTimeout = Annotated[
    float, typer.Option("--account-timeout", metavar="SECONDS", min=1, help="Limit for the reads of one account.")
]
_Fresh = Annotated[bool, typer.Option("--fresh", help="Read everything again.")]
_MaxAge = Annotated[str, typer.Option("--max-age", metavar="AGE", help="Keep what is younger: 12h, 7d.")]


_WHOLE = 6 * 3600.0
"""seconds that an organisation may take where nobody says it"""


class _OfOrganization(NamedTuple):
    """What the flags say of an organisation."""

    reads: bool
    options: "OrganizationOptions"
    external_id: str


def _organization_options(
    *,
    org: _Org = False,
    assume_role_name: _Role = "irsa-doctor-read",
    external_id: _External = "",
    account: _Account = None,
    ou: _Unit = None,
    exclude: _Exclude = None,
    kube_map: _KubeMap = None,
    jobs: _Jobs = 8,
    rate: _Rate = 10.0,
    account_timeout: _AccountTimeout = 300.0,
    fresh: _Fresh = False,
    max_age: _MaxAge = "24h",
) -> _OfOrganization:
    from irsa_doctor.api import OrganizationOptions

    options = OrganizationOptions(
        role=assume_role_name,
        accounts=tuple(account or ()),
        units=tuple(ou or ()),
        excluded=tuple(exclude or ()),
        clusters=_contexts(kube_map) if kube_map else {},
        jobs=jobs,
        rate=rate,
        account_timeout=account_timeout,
        fresh=fresh,
        max_age=age_of("--max-age", max_age),
    )
    return _OfOrganization(org, options, external_id)


def _contexts(file: str) -> dict[str, str]:
    """The contexts of clusters, by ARN."""
    try:
        with open(file, "rb") as text:
            known = json.load(text)
    except (OSError, ValueError) as error:
        raise wrong(f"--kube-map {file}: {error}") from error
    if not isinstance(known, dict) or not all(isinstance(value, str) for value in known.values()):
        raise wrong(f"--kube-map {file}: an object is expected, from ARNs of clusters to names of contexts")
    return known


@with_options(live=collect_options, limits=limit_options, organization=_organization_options)
def collect(
    output: _Output,
    redact: _Redact = False,
    strict: _Strict = False,
    *,
    live: "LiveOptions",
    limits: RunLimits,
    organization: _OfOrganization,
) -> None:
    """Save the account and the cluster to one snapshot file.

    Reads AWS and Kubernetes, or the one that --aws or --kube names. check, why, who-can and diff read the file. With --org the
    output is a folder with a snapshot an account and a cluster, for irsa-doctor audit; run again, it goes on.

    Exit 0: written. 2: AWS, the cluster or the file is not accessible. 3: incomplete (--strict).
    """
    from irsa_doctor import api

    if organization.reads:
        _collect_organization(live, organization, output, redact=redact, strict=strict)
    refuse_targets([output if output != "-" else None])
    try:
        with within(limits), progress() as on_stage:
            snapshot = api.collect(live.telling(on_stage), redact=redact)
    except api.LiveError as error:
        raise wrong(str(error)) from error
    _write(snapshot, output)
    for missing in dict.fromkeys(gap.missing for gap in snapshot.missing):
        print_note(f"not in it: {missing}")
    raise typer.Exit(3 if strict and snapshot.missing else 0)


def _collect_organization(
    live: "LiveOptions", organization: _OfOrganization, folder: str, *, redact: bool, strict: bool
) -> NoReturn:
    from irsa_doctor import api

    if not live.aws:
        raise wrong("--org reads AWS: add --aws")
    if folder == "-":
        raise wrong("--org writes a folder: name it with -o")
    reading = live.with_external_id(organization.external_id)
    if reading.timeout == api.LiveOptions().timeout:
        reading = reading.with_timeout(_WHOLE)
    try:
        with progress() as on_stage:
            manifest = api.collect_organization(reading.telling(on_stage), organization.options, folder, redact=redact)
    except api.LiveError as error:
        raise wrong(str(error)) from error
    except OSError as error:
        raise wrong(f"{folder}: {api.os_error_reason(error)}") from error
    except (KeyboardInterrupt, SystemExit):
        is_begun = not redact and os.path.exists(os.path.join(folder, "manifest.json"))
        what = f"{folder} has what was read, and the next run goes on" if is_begun else "nothing was written"
        print_note(f"interrupted: {what}")
        raise
    unread = [account for account in manifest.accounts if account.state in ("unknown", "partial")]
    for account in unread:
        print_note(f"account {account.id} is {account.state}: {account.why}")
    print_note(f"{len(manifest.shards)} shards of {len(manifest.accounts)} accounts in {folder}")
    raise typer.Exit(3 if strict and unread else 0)


def _write(snapshot: "Snapshot", output: str) -> None:
    from irsa_doctor import api

    if output == "-":
        print_text(api.snapshot_text(snapshot).decode())
        return
    try:
        api.write_snapshot(snapshot, output)
    except OSError as error:
        raise wrong(f"{output}: {api.os_error_reason(error)}") from error
    print_note(f"{len(snapshot.documents)} documents in {output}")
