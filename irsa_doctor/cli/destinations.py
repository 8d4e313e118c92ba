"""Where the reports of one run go: standard output, or a file for each format."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from irsa_doctor.cli.output import print_text
from irsa_doctor.cli.wrong import checked_format, wrong

if TYPE_CHECKING:
    from irsa_doctor.api import FrameworkReport, Presentation, Report

Destination = tuple[str, str | None]
"""a format, and the file for it, None for standard output"""


def destinations(formats: Sequence[str], output: str | None) -> list[Destination]:
    """The destination of every `-f FORMAT[:FILE]`; at most one report goes to standard output, or to the file of `-o`."""
    pairs = [_destination(value) for value in formats]
    _check_output(output)
    if sum(_not_stdout(file) is None for _, file in pairs) > 1:
        raise wrong("several formats for one output; give all but one a file: -f FORMAT:FILE")
    return [(name, _not_stdout(file or output)) for name, file in pairs]


def _check_output(output: str | None) -> None:
    """A wrong call where `-o` names a format, as that of kubectl does, or is the beginning of an existing path."""
    from irsa_doctor import api

    if output and output.lower() in (*api.ANSWER_FORMATS["check"], "yaml", "wide"):
        raise wrong(f"-o {output}: -o takes a file. For the format: -f {output}; for a file of this name: -o ./{output}")
    if output and os.path.lexists(f"-o{output}"):
        raise wrong(f"-o{output}: -o takes a file. To read the file of this name: ./-o{output}")


def _not_stdout(file: str | None) -> str | None:
    """A file; None for `-`, which is standard output."""
    return None if file == "-" else file


def _destination(value: str) -> Destination:
    name, colon, file = value.partition(":")
    if colon and not file:
        raise wrong(f"-f {value}: a file name is missing after the colon")
    return checked_format("check", name), file or None


def write_reports(
    to: Sequence[Destination],
    report: "Report",
    framework: "FrameworkReport | None",
    presentation: "Presentation",
    processes: int = 1,
) -> None:
    """Render the report for every destination, in up to so many processes, and write it."""
    from irsa_doctor import api

    for name, file in to:
        style = api.style_for(sys.stdout) if file is None else api.Style()
        shown = api.render_report(report, name, style, framework=framework, presentation=presentation, processes=processes)
        write_text(shown, file)


def write_text(text: str, file: str | None) -> None:
    """Write a text to a file, or to standard output: None or `-`."""
    if file is None or file == "-":
        return print_text(text)
    from irsa_doctor import api

    try:
        api.write_whole(text.encode("utf-8", errors="backslashreplace"), file)
    except (OSError, ValueError) as error:
        raise wrong(f"{file}: {api.os_error_reason(error)}") from error


def write_text_pieces(pieces: Iterable[str], file: str | None) -> None:
    """Write a text that need not be in memory as a whole to a file, or to standard output: None or `-`."""
    if file is None or file == "-":
        for piece in pieces:
            print_text(piece)
        return
    from irsa_doctor import api

    try:
        api.write_pieces((piece.encode("utf-8", errors="backslashreplace") for piece in pieces), file)
    except (OSError, ValueError) as error:
        raise wrong(f"{file}: {api.os_error_reason(error)}") from error


def write_folder(pages: Iterable[tuple[str, Iterable[str]]], folder: str) -> None:
    """Write files into a folder, which is made; a file of the same name in it is replaced."""
    from irsa_doctor import api

    for path, pieces in pages:
        file = os.path.join(folder, path)
        try:
            os.makedirs(os.path.dirname(file), exist_ok=True)
        except OSError as error:
            raise wrong(f"{folder}: {api.os_error_reason(error)}") from error
        write_text_pieces(pieces, file)


def refuse_targets(files: Iterable[str | None]) -> None:
    """End with exit 2 where one of the files cannot be written to: then none is, and nothing is read before."""
    from irsa_doctor import api

    for file in filter(None, files):
        try:
            api.refuse_target(file)
        except (OSError, ValueError) as error:
            raise wrong(f"{file}: {api.os_error_reason(error)}") from error
        if not os.path.isdir(os.path.dirname(os.path.abspath(file))):
            raise wrong(f"{file}: no such file or folder")
