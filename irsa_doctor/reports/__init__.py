"""How it is said: one module a format, each a function of the report and the style of the stream."""

from collections.abc import Callable, Mapping

from irsa_doctor.findings import Report
from irsa_doctor.reports.controls import render_controls_text
from irsa_doctor.reports.github import render_github
from irsa_doctor.reports.gitlab import render_gitlab
from irsa_doctor.reports.html import render_html
from irsa_doctor.reports.json_report import render_json
from irsa_doctor.reports.junit import render_junit
from irsa_doctor.reports.markdown import render_markdown
from irsa_doctor.reports.sarif import render_sarif
from irsa_doctor.reports.style import Style, style_for
from irsa_doctor.reports.text import render_text

FORMATS: Mapping[str, Callable[[Report, Style], str]] = {
    "text": render_text,
    "json": render_json,
    "sarif": render_sarif,
    "github": render_github,
    "junit": render_junit,
    "gitlab": render_gitlab,
    "markdown": render_markdown,
    "html": render_html,
}

__all__ = ["FORMATS", "Style", "render_controls_text", "render_json", "style_for"]
