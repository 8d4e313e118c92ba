"""Tables of HTML that narrow pages show as lists."""

from collections.abc import Iterable, Sequence

from irsa_doctor.reports.escape import for_xml


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table of texts."""
    lines = ["<table><thead><tr>", *(f"<th>{word}</th>" for word in head), "</tr></thead><tbody>"]
    lines += [html_row(head, [for_xml(cell) for cell in row]) for row in rows]
    return "".join([*lines, "</tbody></table>"])


def html_row(head: Sequence[str], cells: Sequence[str]) -> str:
    """Returns a row of markup; each cell repeats its heading, which narrow pages show in its place."""
    return "<tr>" + "".join(f'<td data-of="{name}">{cell}</td>' for name, cell in zip(head, cells, strict=True)) + "</tr>"
