"""Each command as a function, with every record that it returns and every exception that it raises.

Functions load what they need when they are called, and records when they are first named, so that importing this costs little.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from irsa_doctor.api.check import baseline_text, check, controls, frameworks
from irsa_doctor.api.collect import collect, snapshot_text, write_snapshot
from irsa_doctor.api.diff import diff
from irsa_doctor.api.explain import UnknownId, explain
from irsa_doctor.api.load import NothingRead, load
from irsa_doctor.api.permissions import NotLive, permissions
from irsa_doctor.api.render import (
    FORMATS,
    UnknownFormat,
    for_terminal,
    render_diff,
    render_explanation,
    render_permissions,
    render_report,
    render_rules,
    render_simulations,
    render_who_can,
    render_why,
    render_why_all,
    style_for,
)
from irsa_doctor.api.rules import RulePage, list_rules, show_rule, verify_rules
from irsa_doctor.api.schema import UnknownSchema, schema
from irsa_doctor.api.settings import load_settings, settings_at
from irsa_doctor.api.simulate import read_policy, read_requests, simulate, simulate_lines
from irsa_doctor.api.who_can import who_can
from irsa_doctor.api.why import Symptoms, read_symptoms, why, why_all
from irsa_doctor.governance.settings import FAIL_ON, Settings, SettingsError, Waiver
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES, DocumentRow, Report
from irsa_doctor.reports.style import Style
from irsa_doctor.text.errors import LiveError

if TYPE_CHECKING:
    from irsa_doctor.answers.check.choice import UnknownRule
    from irsa_doctor.answers.check.examples import ExamplesResult
    from irsa_doctor.answers.diff import RoleChange
    from irsa_doctor.answers.simulate import Simulation, Unanswerable, Unanswered
    from irsa_doctor.answers.who_can import NoSuchRole, WhoCan
    from irsa_doctor.answers.why import Diagnosis, NoEvents, NoTarget
    from irsa_doctor.governance.baseline import BaselineError
    from irsa_doctor.governance.revision import NoRevision
    from irsa_doctor.rulebook.causes import Cause
    from irsa_doctor.rulebook.frameworks import FrameworkReport
    from irsa_doctor.rulebook.rules import Rule, RuleError
    from irsa_doctor.sources import Loaded
    from irsa_doctor.sources.files.evidence import NoEvidence
    from irsa_doctor.sources.files.requests import Unreadable
    from irsa_doctor.sources.live import Options
    from irsa_doctor.sources.live.permissions import Permissions
    from irsa_doctor.sources.snapshot.snapshot import Snapshot

_LOADED_WHEN_NAMED = {
    "BaselineError": "governance.baseline",
    "Cause": "rulebook.causes",
    "Diagnosis": "answers.why",
    "FrameworkReport": "rulebook.frameworks",
    "Loaded": "sources",
    "NoEvents": "answers.why",
    "NoEvidence": "sources.files.evidence",
    "NoRevision": "governance.revision",
    "NoSuchRole": "answers.who_can",
    "NoTarget": "answers.why",
    "Options": "sources.live",
    "ExamplesResult": "answers.check.examples",
    "Permissions": "sources.live.permissions",
    "RoleChange": "answers.diff",
    "Rule": "rulebook.rules",
    "RuleError": "rulebook.rules",
    "Simulation": "answers.simulate",
    "Snapshot": "sources.snapshot.snapshot",
    "Unanswerable": "answers.simulate",
    "Unanswered": "answers.simulate",
    "UnknownRule": "answers.check.choice",
    "Verification": "answers.check.examples",
    "Unreadable": "sources.files.requests",
    "WhoCan": "answers.who_can",
}

__all__ = [
    "CONFIDENCES",
    "FAIL_ON",
    "FORMATS",
    "SEVERITIES",
    "BaselineError",
    "Cause",
    "Diagnosis",
    "DocumentRow",
    "ExamplesResult",
    "FrameworkReport",
    "IrsaDoctorError",
    "LiveError",
    "Loaded",
    "NoEvents",
    "NoEvidence",
    "NoRevision",
    "NoSuchRole",
    "NoTarget",
    "NotLive",
    "NothingRead",
    "Options",
    "Permissions",
    "Report",
    "RoleChange",
    "Rule",
    "RuleError",
    "RulePage",
    "Settings",
    "SettingsError",
    "Simulation",
    "Snapshot",
    "Style",
    "Symptoms",
    "Unanswerable",
    "Unanswered",
    "UnknownFormat",
    "UnknownId",
    "UnknownRule",
    "UnknownSchema",
    "Unreadable",
    "Verification",
    "Waiver",
    "WhoCan",
    "baseline_text",
    "check",
    "collect",
    "controls",
    "diff",
    "explain",
    "for_terminal",
    "frameworks",
    "list_rules",
    "load",
    "load_settings",
    "permissions",
    "read_policy",
    "read_requests",
    "read_symptoms",
    "render_diff",
    "render_explanation",
    "render_permissions",
    "render_report",
    "render_rules",
    "render_simulations",
    "render_who_can",
    "render_why",
    "render_why_all",
    "schema",
    "settings_at",
    "show_rule",
    "simulate",
    "simulate_lines",
    "snapshot_text",
    "style_for",
    "verify_rules",
    "who_can",
    "why",
    "why_all",
    "write_snapshot",
]


def __getattr__(name: str) -> Any:
    if name not in _LOADED_WHEN_NAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"irsa_doctor.{_LOADED_WHEN_NAMED[name]}"), name)
