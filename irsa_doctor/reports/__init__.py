"""The formats of reports: one module for each, a function of the report, the style of the stream and the presentation."""

from collections.abc import Callable, Mapping
from importlib import import_module

from irsa_doctor.model.findings import Report
from irsa_doctor.reports.presentation import PLAIN, Presentation
from irsa_doctor.reports.style import Style, style_for

Render = Callable[[Report, Style, Presentation], str]

COUNTED = ("text", "concise", "markdown")
"""the formats that can show the number of findings of each rule in place of the findings"""
QUOTING = ("text", "html")
"""the formats that show lines of the documents"""
_PRESENTED = (*COUNTED, "github")
"""the formats for people, which show more or less on request; the others are whole documents for programs"""


def _by(module: str) -> Render:
    """`render_FORMAT` of a module, which is imported when the format is used."""

    def render(report: Report, style: Style, presentation: Presentation = PLAIN) -> str:
        function = getattr(import_module(f"irsa_doctor.reports.{module}"), f"render_{module}")
        text: str = function(report, style, presentation) if module in _PRESENTED else function(report, style)
        return text

    return render


FORMATS: Mapping[str, Render] = {
    name: _by(name) for name in ("text", "concise", "json", "sarif", "github", "junit", "gitlab", "markdown", "html")
}

__all__ = ["COUNTED", "FORMATS", "QUOTING", "Style", "style_for"]
