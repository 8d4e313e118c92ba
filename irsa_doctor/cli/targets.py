"""Where reports go: standard output, or a file for each format."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from irsa_doctor.cli.output import say
from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.model.findings import Report
    from irsa_doctor.reports import Style
    from irsa_doctor.rulebook.frameworks import FrameworkReport


def targets(formats: Sequence[str], output: str | None) -> list[tuple[str, str | None]]:
    """(format, file) of every `-f FORMAT[:FILE]`; file None is standard output. One report at most goes there."""
    from irsa_doctor.reports import FORMATS

    found: list[tuple[str, str | None]] = []
    for given in formats:
        name, colon, file = given.partition(":")
        if name not in FORMATS:
            raise wrong(f"no format {name}: {', '.join(FORMATS)}")
        if colon and not file:
            raise wrong(f"-f {given}: a file name is missing after the colon")
        found.append((name, file or None))
    if sum(file is None for _, file in found) > 1:
        raise wrong("several formats for one output; give all but one a file: -f FORMAT:FILE")
    return [(name, file or output) for name, file in found]


def write(outputs: Sequence[tuple[str, str | None]], report: "Report", framework: "FrameworkReport | None" = None) -> None:
    """Render every report and write it; text and JSON tell of the controls of a framework where one is given."""
    from irsa_doctor.reports import FORMATS, Style, style_for

    for name, file in outputs:
        style = style_for(sys.stdout) if file is None else Style()
        put(_of_controls(name, report, framework, style) if framework else FORMATS[name](report, style), file)


def _of_controls(name: str, report: "Report", framework: "FrameworkReport", style: "Style") -> str:
    from irsa_doctor.reports import FORMATS
    from irsa_doctor.reports.controls import render_controls_text
    from irsa_doctor.reports.json import render_json

    if name == "text":
        return render_controls_text(report, framework, style)
    return render_json(report, style, framework) if name == "json" else FORMATS[name](report, style)


def put(text: str, file: str | None) -> None:
    """Write a text to a file, or to standard output."""
    if file is None:
        return say(text)
    try:
        with open(file, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except OSError as error:
        raise wrong(f"{os.fspath(file)}: {error.strerror}") from error
