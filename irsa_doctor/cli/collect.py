"""`irsa-doctor collect`: what the live sources answer, to one file."""

from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.destinations import refuse_targets
from irsa_doctor.cli.limits import RunLimits, limit_options, within
from irsa_doctor.cli.live_options import collect_options
from irsa_doctor.cli.options import with_options
from irsa_doctor.cli.output import print_note, print_text
from irsa_doctor.cli.progress import progress
from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.api import LiveOptions, Snapshot

_Output = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The file to write, or - for standard output.")]
_Redact = Annotated[bool, typer.Option("--redact", help="Replace account ids and names; findings stay the same.")]
_Strict = Annotated[bool, typer.Option("--strict", help="Exit 3 if part of the account or cluster cannot be read.")]


@with_options(live=collect_options, limits=limit_options)
def collect(
    output: _Output, redact: _Redact = False, strict: _Strict = False, *, live: "LiveOptions", limits: RunLimits
) -> None:
    """Save the account and the cluster to one snapshot file.

    Reads AWS and Kubernetes, or the one that --aws or --kube names. check, why, who-can and diff read the file.

    Exit 0: written. 2: AWS, the cluster or the file is not accessible. 3: incomplete (--strict).
    """
    from irsa_doctor import api

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
