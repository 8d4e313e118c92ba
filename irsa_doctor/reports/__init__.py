"""The formats of reports: one module for each, a function of the report and the style of the stream."""

from collections.abc import Callable, Mapping
from importlib import import_module

from irsa_doctor.model.findings import Report
from irsa_doctor.reports.style import Style, style_for

Render = Callable[[Report, Style], str]


def _by(module: str) -> Render:
    """`render_FORMAT` of a module, which is imported when the format is used."""

    def render(report: Report, style: Style) -> str:
        text: str = getattr(import_module(f"irsa_doctor.reports.{module}"), f"render_{module}")(report, style)
        return text

    return render


FORMATS: Mapping[str, Render] = {
    name: _by(name) for name in ("text", "concise", "json", "sarif", "github", "junit", "gitlab", "markdown", "html")
}

__all__ = ["FORMATS", "Style", "style_for"]
