"""The options that choose how much a report shows."""

import shlex
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from irsa_doctor.api import Presentation

_ShowFixes = Annotated[
    bool,
    typer.Option("--show-fixes", help="text: show corrected trust policies whole, as commands to paste, not only the change."),
]
_ShowUnknown = Annotated[
    bool,
    typer.Option(
        "--show-unknown", help="text: list every missing input, with the command that fetches it. The other formats always do."
    ),
]
_Statistics = Annotated[
    bool,
    typer.Option(
        "--statistics", help="text, concise and markdown: show the number of findings of each rule, not the findings."
    ),
]
_Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="text, markdown and github: show findings only, no missing inputs and no summary.")
]


def presentation_options(
    *,
    show_fixes: _ShowFixes = False,
    show_unknown: _ShowUnknown = False,
    statistics: _Statistics = False,
    quiet: _Quiet = False,
) -> "Presentation":
    """How the report is shown, with the command line and the day for pages that are kept."""
    from irsa_doctor import api

    return api.Presentation(
        fixes=show_fixes,
        unknown=show_unknown,
        statistics=statistics,
        quiet=quiet,
        command=shlex.join(["irsa-doctor", *sys.argv[1:]]),
        date=datetime.now(tz=UTC).date().isoformat(),
    )
