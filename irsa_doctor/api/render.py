"""Renders what the functions of the api return, in every format of the command line."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.reports import COUNTED as COUNTED_FORMATS
from irsa_doctor.reports import FORMATS as REPORT_FORMATS
from irsa_doctor.reports import QUOTING as QUOTING_FORMATS
from irsa_doctor.reports.escape import for_terminal, without_commands
from irsa_doctor.reports.masking import masked_answer
from irsa_doctor.reports.presentation import PLAIN, Presentation
from irsa_doctor.reports.style import Style, style_for
from irsa_doctor.text.mask import masked

if TYPE_CHECKING:
    from irsa_doctor.answers.audit.evidence import AuditEvidence
    from irsa_doctor.answers.diff import RoleChange
    from irsa_doctor.answers.fix.records import Fixing
    from irsa_doctor.answers.intents.generation import Generation
    from irsa_doctor.answers.intents.inference import Inference
    from irsa_doctor.answers.intents.verification import Verification
    from irsa_doctor.answers.reach.subject import SubjectReach
    from irsa_doctor.answers.simulate import Simulation, Unanswered
    from irsa_doctor.answers.who_can import WhoCan
    from irsa_doctor.answers.why import Diagnosis
    from irsa_doctor.api.rules import RulePage
    from irsa_doctor.model.findings import Finding, Report
    from irsa_doctor.rulebook.causes import Cause
    from irsa_doctor.rulebook.frameworks import FrameworkReport
    from irsa_doctor.rulebook.rules import Rule
    from irsa_doctor.sources.live.permissions import OrganizationPermissions, Permissions
    from irsa_doctor.store.integrity import StoreVerification
    from irsa_doctor.store.reading import ChangeRow, RunHeader

__all__ = [
    "ANSWER_FORMATS",
    "COUNTED_FORMATS",
    "QUOTING_FORMATS",
    "SUGGESTING_FORMATS",
    "Presentation",
    "UnknownFormat",
    "for_terminal",
    "masked",
    "style_for",
    "without_commands",
]

_Renderer = TypeVar("_Renderer", bound=Callable[..., str])
_PLAIN = Style()

ANSWER_FORMATS: Mapping[str, tuple[str, ...]] = {
    "audit": ("text", "json", "jsonl"),
    "audit-report": ("html", "csv", "json", "oscal", "ocsf", "markdown", "site"),
    "audit-store": ("text", "json"),
    "check": tuple(REPORT_FORMATS),
    "diff": ("text", "json", "markdown"),
    "fix": ("text", "json"),
    "infer": ("text", "json"),
    "permissions": ("text", "json"),
    "reach": ("text", "json", "html", "dot", "mermaid"),
    "rules": ("text", "json"),
    "simulate": ("json", "text"),
    "verify": ("text", "json", "github", "sarif"),
    "who-can": ("text", "json", "html", "dot", "mermaid"),
    "why": ("text", "json"),
}
"""command -> the formats of its answer"""


SUGGESTING_FORMATS = ("sarif", "markdown", "gitlab")
"""formats of a report that show edits of files"""


class UnknownFormat(IrsaDoctorError):
    """An answer has no such format; the text lists those that it has."""


def _chosen(renderers: Mapping[str, _Renderer], output_format: str) -> _Renderer:
    if output_format not in renderers:
        raise UnknownFormat(f"no format {output_format}: {', '.join(renderers)}")
    return renderers[output_format]


_JSON = ("json", "sarif", "gitlab", "oscal", "ocsf")
"""formats whose texts are read by programs, and keep their values"""


def _leaving(text: str, output_format: str) -> str:
    """A rendered answer as it leaves: no CI system finds a command in it but those of the format `github`."""
    return without_commands(text, is_json=output_format in _JSON, keeps_own=output_format == "github")


def render_report(
    report: "Report",
    output_format: str = "text",
    style: Style = _PLAIN,
    *,
    framework: "FrameworkReport | None" = None,
    presentation: Presentation = PLAIN,
    processes: int = 1,
) -> str:
    """The report of `check`; with a framework, text, JSON and HTML show its controls. Raises UnknownFormat.

    In up to so many `processes`, as in `check`, the JSON of many findings is rendered, with the same text.
    """
    render = _chosen(REPORT_FORMATS, output_format)
    if output_format == "json" and (text := _json_in_shares(report, framework, processes)):
        return text
    report, framework, presentation = masked_answer((report, framework, presentation), quotes=output_format in QUOTING_FORMATS)
    if output_format == "html":
        from irsa_doctor.reports.html import render_html

        return _leaving(render_html(report, style, framework, presentation), output_format)
    if framework is not None and output_format == "text":
        from irsa_doctor.reports.controls import render_controls_text

        return _leaving(render_controls_text(report, framework, style, presentation), output_format)
    if framework is not None and output_format == "json":
        from irsa_doctor.reports.json import render_json

        return _leaving(render_json(report, style, framework), output_format)
    return _leaving(render(report, style, presentation), output_format)


_WORTH = 400
"""findings for which another process is worth its beginning"""


def _json_in_shares(report: "Report", framework: "FrameworkReport | None", most: int) -> str:
    """The report as JSON, its findings masked and rendered in several processes; "" where that is not worth it."""
    import msgspec

    from irsa_doctor.model.processes import in_processes, shares_of
    from irsa_doctor.reports.json import render_around, with_rows

    findings = report.findings
    shares = shares_of(findings, most, _WORTH)
    if len(shares) == 1:
        return ""
    rest, framework = masked_answer((msgspec.structs.replace(report, findings=()), framework), quotes=False)
    try:
        rows = in_processes([partial(_masked_rows, share) for share in shares])
        around = render_around(msgspec.structs.replace(rest, findings=findings), framework)
    except UnicodeEncodeError:
        return ""
    return with_rows(_leaving(around, "json"), rows)


def _masked_rows(findings: "Sequence[Finding]") -> str:
    from irsa_doctor.reports.json import rows_of

    return _leaving(rows_of(masked_answer(findings, quotes=False)), "json")


def render_audit(answer: Mapping[str, Any], output_format: str = "text", style: Style = _PLAIN) -> str:
    """The answer of `audit`. Raises UnknownFormat."""
    from irsa_doctor.reports import audit

    return _leaving(audit.render_audit(answer, output_format, style), output_format)


def render_evidence(
    evidence: "AuditEvidence", output_format: str = "html", *, plan: str = "", lines: bool = False
) -> Iterator[str]:
    """The evidence of an audit, piece by piece. `plan` is where the plan is (oscal), `lines` is an event a line (ocsf).

    Raises UnknownFormat.
    """
    from irsa_doctor.reports.evidence import EVIDENCE_FORMATS, evidence_pieces

    if output_format not in EVIDENCE_FORMATS or output_format == "site":
        raise UnknownFormat(f"no format {output_format}: {', '.join(EVIDENCE_FORMATS)}")
    options: dict[str, Any] = (
        {"plan": plan} if output_format == "oscal" else {"lines": lines} if output_format == "ocsf" else {}
    )
    pieces = evidence_pieces(output_format)(evidence, **options)
    return (_leaving(piece, output_format) for piece in pieces)


def render_evidence_pages(evidence: "AuditEvidence") -> Iterator[tuple[str, Iterator[str]]]:
    """The evidence of an audit as a folder of pages: the path of each in the folder, and its text, piece by piece."""
    from irsa_doctor.reports.evidence import evidence_pages

    return evidence_pages(evidence)


def render_history(
    runs: "Sequence[tuple[RunHeader, Mapping[str, int]]]", output_format: str = "text", style: Style = _PLAIN
) -> str:
    """The runs of a store."""
    from irsa_doctor.reports import audit

    return _leaving(audit.render_history(runs, output_format, style), output_format)


def render_changes(
    since: int, until: int, rows: "Sequence[ChangeRow]", output_format: str = "text", style: Style = _PLAIN
) -> str:
    """What changed between two runs of a store."""
    from irsa_doctor.reports import audit

    return _leaving(audit.render_changes(since, until, rows, output_format, style), output_format)


def render_store_verification(found: "StoreVerification", output_format: str = "text", style: Style = _PLAIN) -> str:
    """Whether a store is whole."""
    from irsa_doctor.reports import audit

    return _leaving(audit.render_store_verification(found, output_format, style), output_format)


def render_waivers(waivers: Sequence[Mapping[str, Any]], output_format: str = "text", style: Style = _PLAIN) -> str:
    """The waivers of a run."""
    from irsa_doctor.reports import audit

    return _leaving(audit.render_waivers(waivers, output_format, style), output_format)


def render_reach(answer: "SubjectReach", output_format: str = "text", style: Style = _PLAIN) -> str:
    """The answer of `reach`. Raises UnknownFormat."""
    answer = masked_answer(answer)
    from irsa_doctor.reports import pictures, reach

    renderers = {
        "text": reach.render_reach_text,
        "json": reach.render_reach_json,
        "html": pictures.render_reach_html,
        "dot": pictures.render_reach_dot,
        "mermaid": pictures.render_reach_mermaid,
    }
    return _leaving(_chosen(renderers, output_format)(answer, style), output_format)


def render_who_can(answer: "WhoCan", output_format: str = "text", style: Style = _PLAIN) -> str:
    """The answer of `who_can`. Raises UnknownFormat."""
    answer = masked_answer(answer)
    from irsa_doctor.reports import pictures
    from irsa_doctor.reports import who_can as report

    renderers = {
        "text": report.render_who_can_text,
        "json": report.render_who_can_json,
        "html": pictures.render_who_can_html,
        "dot": pictures.render_who_can_dot,
        "mermaid": pictures.render_who_can_mermaid,
    }

    return _leaving(
        _chosen(renderers, output_format)(answer, style),
        output_format,
    )


def render_diff(changes: "Sequence[RoleChange]", output_format: str = "text", style: Style = _PLAIN) -> str:
    """The changes of `diff`. Raises UnknownFormat."""
    changes = masked_answer(changes)
    from irsa_doctor.reports.diff import DIFF_FORMATS

    return _leaving(_chosen(DIFF_FORMATS, output_format)(changes, style), output_format)


def render_fix(fixing: "Fixing", output_format: str = "text", *, written: bool = False, style: Style = _PLAIN) -> str:
    """The edits of `fix`, made or not. Raises UnknownFormat."""
    from irsa_doctor.reports import fix as report

    shown = _masked_fixing(fixing)
    renderers = {"text": lambda: report.fix_text(shown, written, style), "json": lambda: report.fix_json(shown, written)}
    return _leaving(_chosen(renderers, output_format)(), output_format)


def render_fix_commands(fixing: "Fixing") -> str:
    """The commands of `fix` for what has no source here, for a POSIX shell."""
    from irsa_doctor.reports.fix import commands_text

    return _leaving(commands_text(_masked_fixing(fixing)), "text")


def render_unified_diff(fixing: "Fixing") -> tuple[bytes, list[str]]:
    """The edited files as a unified diff, and the paths of those that it cannot show: their text is UTF-16."""
    from irsa_doctor.reports.unified_diff import unified_diff

    return unified_diff(fixing.before, fixing.after)


def _masked_fixing(fixing: "Fixing") -> "Fixing":
    import msgspec

    return masked_answer(msgspec.structs.replace(fixing, before={}, after={}))


def render_why(diagnosis: "Diagnosis", output_format: str = "text", style: Style = _PLAIN) -> str:
    """The diagnosis of `why`. Raises UnknownFormat."""
    diagnosis = masked_answer(diagnosis)
    from irsa_doctor.reports import why as report

    renderers = {"text": lambda: report.render_why_text(diagnosis, style), "json": lambda: report.render_why_json(diagnosis)}
    return _leaving(_chosen(renderers, output_format)(), output_format)


def render_why_all(diagnoses: "Sequence[Diagnosis]", output_format: str = "text", style: Style = _PLAIN) -> str:
    """The diagnoses of `why_all`. Raises UnknownFormat."""
    diagnoses = masked_answer(diagnoses)
    from irsa_doctor.reports import why as report

    renderers = {"text": lambda: report.render_all(diagnoses, style), "json": lambda: report.render_all_json(diagnoses)}
    return _leaving(_chosen(renderers, output_format)(), output_format)


def render_simulations(answers: "Iterable[Simulation | Unanswered]", output_format: str = "json") -> str:
    """The answers of `simulate` or `simulate_lines`. Raises UnknownFormat."""
    answers = masked_answer(list(answers))
    from irsa_doctor.reports import simulate as report

    return _leaving(
        _chosen({"json": report.render_simulations_json, "text": report.render_simulations_text}, output_format)(answers),
        output_format,
    )


def render_rules(rules: "Sequence[Rule]", output_format: str = "text", style: Style = _PLAIN) -> str:
    """A list of rules. Raises UnknownFormat."""
    rules = masked_answer(rules)
    from irsa_doctor.reports import rule_page as report

    renderers = {"text": lambda: report.render_rules_text(rules, style), "json": lambda: report.render_rules_json(rules)}
    return _leaving(_chosen(renderers, output_format)(), output_format)


def render_explanation(page: "RulePage | Cause", style: Style = _PLAIN) -> str:
    """The page of a rule or of a cause, for people."""
    page = masked_answer(page)
    from irsa_doctor.api.rules import RulePage
    from irsa_doctor.reports import rule_page as report

    if isinstance(page, RulePage):
        return _leaving(report.render_rule_text(page.rule, style, page.example), "text")
    return _leaving(report.render_cause_text(page, style), "text")


def render_generation(generation: "Generation", output_format: str = "text") -> str:
    """The answer of `generate`: every text under its path, or `json`. Raises UnknownFormat."""
    generation = masked_answer(generation)
    from irsa_doctor.reports import generate as report

    renderers = {"text": report.render_generation_text, "json": report.render_generation_json}
    return _leaving(_chosen(renderers, output_format)(generation), output_format)


def render_verification(answer: "Verification", output_format: str = "text", style: Style = _PLAIN) -> str:
    """The answer of `verify`; `github` and `sarif` show its differences as findings. Raises UnknownFormat."""
    answer = masked_answer(answer)
    from irsa_doctor.reports import intents as report

    renderers = {"text": report.render_verification_text, "json": report.render_verification_json}
    if output_format in ("github", "sarif"):
        return render_report(report.findings_of(answer), output_format, style)
    return _leaving(_chosen(renderers, output_format)(answer, style), output_format)


def render_inference(answer: "Inference", output_format: str = "text") -> str:
    """The answer of `infer`: the text of the intent file, or `json`. Raises UnknownFormat."""
    answer = masked_answer(answer)
    from irsa_doctor.reports import intents as report

    renderers = {"text": report.render_inference_text, "json": report.render_inference_json}
    return _leaving(_chosen(renderers, output_format)(answer), output_format)


def render_organization_permissions(permissions: "OrganizationPermissions") -> str:
    """The permissions to collect an organisation, as JSON."""
    from irsa_doctor.reports import permissions as report

    return report.render_organization_permissions(permissions)


def render_permissions(permissions: "Permissions", output_format: str = "text") -> str:
    """Permissions: `text` and `json` show both; `iam-policy` the policy as JSON, `cluster-role` the role as YAML.

    Raises UnknownFormat.
    """
    from irsa_doctor.reports import permissions as report

    renderers = {
        "text": report.render_permissions_text,
        "json": report.render_permissions_json,
        "iam-policy": report.render_iam_policy,
        "cluster-role": report.render_cluster_role,
    }
    return _chosen(renderers, output_format)(permissions)
