"""`irsa-doctor collect`: what the live sources answer, to one file."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.live_options import reads_live
from irsa_doctor.cli.output import say
from irsa_doctor.cli.progress import progress
from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.sources.live import Options
    from irsa_doctor.sources.snapshot.snapshot import Snapshot


@reads_live(always=True)
def collect(
    output: Annotated[str, typer.Option("--output", "-o", help="The file to write; - is standard output.")],
    redact: Annotated[
        bool, typer.Option("--redact", help="Replace account ids and names by made-up ones; findings stay the same.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 where something could not be read.")] = False,
    sources: "Options | None" = None,
) -> None:
    """Read AWS and Kubernetes (both, unless --aws or --kube says which) into a snapshot, which check, why and who-can read.

    Exit 0: written. 2: a source could not be asked, or the file not be written. 3: incomplete (--strict).
    """
    from irsa_doctor.sources.live import LiveError, Options, Plan, take

    try:
        with progress() as tell:
            snapshot = take(Plan("collect"), (sources or Options()).telling(tell))
    except LiveError as error:
        raise wrong(str(error)) from error
    if redact:
        from irsa_doctor.sources.snapshot.redaction import redacted

        snapshot = redacted(snapshot)
    _write(snapshot, output)
    _tell(snapshot, output)
    raise typer.Exit(3 if strict and snapshot.missing else 0)


def _write(snapshot: "Snapshot", output: str) -> None:
    from irsa_doctor.sources.snapshot.snapshot import snapshot_text, write_private

    text = snapshot_text(snapshot)
    if output == "-":
        return say(text.decode())
    try:
        write_private(text, output)
    except OSError as error:
        raise wrong(f"{output}: {error.strerror}") from error


def _tell(snapshot: "Snapshot", output: str) -> None:
    """What was written, and what is not in it."""
    from irsa_doctor.reports.escape import for_terminal

    if output != "-":
        print(f"irsa-doctor: {len(snapshot.documents)} documents in {for_terminal(output)}", file=sys.stderr)
    for missing in dict.fromkeys(gap.missing for gap in snapshot.missing):
        print(f"irsa-doctor: not in it: {for_terminal(missing)}", file=sys.stderr)
