"""Each command as a function, with every record that it returns and every exception that it raises.

EXPORTS is the one list of them. Functions load what they need when they are called, and records when they are first named, so
that importing this costs little. Type checkers read `__init__.pyi`, which `make generated` writes from the list.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

EXPORTS: Mapping[str, str] = {
from irsa_doctor.api.check import baseline_of, check, controls, framework_ids
from irsa_doctor.api.collect import collect
from irsa_doctor.api.diff import diff
from irsa_doctor.api.explain import UnknownId, explain
from irsa_doctor.api.load import NothingRead, load
from irsa_doctor.api.permissions import NotLive, permissions
from irsa_doctor.api.render import (
    ANSWER_FORMATS,
    COUNTED_FORMATS,
    Presentation,
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
from irsa_doctor.api.simulate import simulate
from irsa_doctor.api.who_can import who_can
from irsa_doctor.api.why import Symptoms, read_symptoms, why, why_all
from irsa_doctor.governance.settings import FAIL_ON, Settings, SettingsError, Waiver
from irsa_doctor.model import (
    Closed,
    Cluster,
    ConfigMap,
    Container,
    Contradiction,
    Discovery,
    Document,
    EnvSource,
    Flaw,
    Gap,
    Hole,
    Inventory,
    Mount,
    Namespace,
    OidcProvider,
    Place,
    PlannedCluster,
    PlannedProvider,
    PodIdentityAssociation,
    ProjectedToken,
    ResourceControlPolicy,
    Role,
    ServiceAccount,
    SigningKey,
    Text,
    TrustPolicy,
    Unknown,
    Webhook,
    Workload,
)
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.findings import (
    CONFIDENCES,
    SEVERITIES,
    Counts,
    DocumentRow,
    Finding,
    Fix,
    Location,
    Missing,
    Offer,
    Report,
    RoleAccounts,
    Subject,
    Tally,
    Waived,
)
from irsa_doctor.model.kinds import UnknownKind, kind_named
from irsa_doctor.model.nearness import suggestion
from irsa_doctor.reports.style import Style
from irsa_doctor.text.errors import LiveError
from irsa_doctor.text.os_errors import os_error_reason

if TYPE_CHECKING:
    from irsa_doctor.answers.check.choice import UnknownRule
    from irsa_doctor.answers.check.examples import ExamplesResult, Failure
    from irsa_doctor.answers.diff import ChangedSubjects, Difference, RoleChange
    from irsa_doctor.answers.simulate import (
        LocatedProblem,
        Simulation,
        StatementOutcome,
        Unanswerable,
        Unanswered,
        simulate_lines,
    )
    from irsa_doctor.answers.who_can import (
        AdmittedAudiences,
        AdmittedSubjects,
        AudiencePair,
        MissingInput,
        NoSuchRole,
        OtherPrincipal,
        ProviderGrant,
        WhoCan,
    )
    from irsa_doctor.answers.why import NoEvents, NoTarget
    from irsa_doctor.answers.why.records import (
        DiagnosedCause,
        DiagnosedLink,
        Diagnosis,
        LinkNeed,
        MistakenRemedy,
        PredictedError,
        QuotedPlace,
        WorkloadIdentity,
    )
    from irsa_doctor.governance.baseline import BaselineError
    from irsa_doctor.governance.revision import NoRevision
    from irsa_doctor.governance.settings import load_settings
    from irsa_doctor.governance.settings_at import settings_at
    from irsa_doctor.rulebook.cause_block import CauseBlock, StsError
    from irsa_doctor.rulebook.causes import Cause
    from irsa_doctor.rulebook.files import Illustration
    from irsa_doctor.rulebook.frameworks import Bearing, ControlResult, FrameworkReport
    from irsa_doctor.rulebook.rules import Clause, Control, Graded, Reference, Rule, RuleError
    from irsa_doctor.sources import Loaded
    from irsa_doctor.sources.files.evidence import NoEvidence
    from irsa_doctor.sources.files.requests import Unreadable, read_policy_file, read_requests
    from irsa_doctor.sources.live import Options
    from irsa_doctor.sources.live.permissions import Permissions
    from irsa_doctor.sources.snapshot.snapshot import (
        Answered,
        Origin,
        Query,
        Snapshot,
        SnapshotTool,
        snapshot_text,
        write_snapshot,
    )
    from irsa_doctor.text.positions import Documents

_LOADED_WHEN_NAMED = {
    "answers.check.choice": "UnknownRule",
    "answers.check.examples": "ExamplesResult Failure",
    "answers.diff": "ChangedSubjects Difference RoleChange",
    "answers.simulate": "LocatedProblem Simulation StatementOutcome Unanswerable Unanswered simulate_lines",
    "answers.who_can": "AdmittedAudiences AdmittedSubjects AudiencePair MissingInput NoSuchRole OtherPrincipal ProviderGrant "
    "WhoCan",
    "answers.why": "NoEvents NoTarget",
    "answers.why.records": "DiagnosedCause DiagnosedLink Diagnosis LinkNeed MistakenRemedy PredictedError QuotedPlace "
    "WorkloadIdentity",
    "api.check": "baseline_of check controls framework_ids",
    "api.collect": "collect",
    "api.diff": "diff",
    "api.explain": "UnknownId explain",
    "api.load": "NothingRead load",
    "api.permissions": "NotLive permissions",
    "api.render": "ANSWER_FORMATS Presentation UnknownFormat for_terminal render_diff render_explanation render_permissions "
    "render_report render_rules render_simulations render_who_can render_why render_why_all style_for",
    "api.rules": "RulePage list_rules show_rule verify_rules",
    "api.schema": "UnknownSchema schema",
    "api.simulate": "simulate",
    "api.who_can": "who_can",
    "api.why": "Symptoms read_symptoms why why_all",
    "governance.baseline": "BaselineError",
    "governance.revision": "NoRevision",
    "governance.settings": "FAIL_ON Settings SettingsError Waiver load_settings",
    "governance.settings_at": "settings_at",
    "model": "Closed Cluster ConfigMap Container Contradiction Discovery Document EnvSource Flaw Gap Hole Inventory "
    "Mount Namespace OidcProvider Place PlannedCluster PlannedProvider PodIdentityAssociation ProjectedToken "
    "ResourceControlPolicy Role ServiceAccount SigningKey Text TrustPolicy Unknown Webhook Workload",
    "model.errors": "IrsaDoctorError",
    "model.findings": "CONFIDENCES SEVERITIES Counts DocumentRow Finding Fix Location Missing Offer Report RoleAccounts "
    "Subject Tally Waived",
    "model.kinds": "UnknownKind kind_named",
    "model.nearness": "suggestion",
    "reports.style": "Style",
    "rulebook.cause_block": "CauseBlock StsError",
    "rulebook.causes": "Cause",
    "rulebook.files": "Illustration",
    "rulebook.frameworks": "Bearing ControlResult FrameworkReport",
    "rulebook.rules": "Clause Control Graded Reference Rule RuleError",
    "sources": "Loaded",
    "sources.files.evidence": "NoEvidence",
    "sources.files.requests": "Unreadable read_policy_file read_requests",
    "sources.live": "LiveOptions",
    "sources.live.permissions": "Permissions",
    "sources.snapshot.snapshot": "Answered Origin Query Snapshot SnapshotTool snapshot_text write_snapshot",
    "text.errors": "LiveError",
    "text.os_errors": "os_error_reason",
    "text.positions": "Documents",
}
"""module -> the names that it gives"""

_HOMES: Mapping[str, str] = {name: f"irsa_doctor.{module}" for module, names in EXPORTS.items() for name in names.split()}
__all__ = list(_HOMES)

# the modules of this package are called like their functions, which would hide a function that is loaded later
for _module in (module for module in EXPORTS if module.startswith("api.")):
    globals().update({name: getattr(import_module(f"irsa_doctor.{_module}"), name) for name in EXPORTS[_module].split()})
__all__ = [
    "ANSWER_FORMATS",
    "CONFIDENCES",
    "COUNTED_FORMATS",
    "FAIL_ON",
    "SEVERITIES",
    "AdmittedAudiences",
    "AdmittedSubjects",
    "Answered",
    "AudiencePair",
    "BaselineError",
    "Bearing",
    "Cause",
    "CauseBlock",
    "ChangedSubjects",
    "Clause",
    "Closed",
    "Cluster",
    "ConfigMap",
    "Container",
    "Contradiction",
    "Control",
    "ControlResult",
    "Counts",
    "DiagnosedCause",
    "DiagnosedLink",
    "Diagnosis",
    "Difference",
    "Discovery",
    "Document",
    "DocumentRow",
    "Documents",
    "EnvSource",
    "ExamplesResult",
    "Failure",
    "Finding",
    "Fix",
    "Flaw",
    "FrameworkReport",
    "Gap",
    "Graded",
    "Hole",
    "Illustration",
    "Inventory",
    "IrsaDoctorError",
    "LinkNeed",
    "LiveError",
    "Loaded",
    "LocatedProblem",
    "Location",
    "Missing",
    "MissingInput",
    "MistakenRemedy",
    "Mount",
    "Namespace",
    "NoEvents",
    "NoEvidence",
    "NoRevision",
    "NoSuchRole",
    "NoTarget",
    "NotLive",
    "NothingRead",
    "Offer",
    "OidcProvider",
    "Options",
    "Origin",
    "OtherPrincipal",
    "Permissions",
    "Place",
    "PlannedCluster",
    "PlannedProvider",
    "PodIdentityAssociation",
    "PredictedError",
    "Presentation",
    "ProjectedToken",
    "ProviderGrant",
    "Query",
    "QuotedPlace",
    "Reference",
    "Report",
    "ResourceControlPolicy",
    "Role",
    "RoleAccounts",
    "RoleChange",
    "Rule",
    "RuleError",
    "RulePage",
    "ServiceAccount",
    "Settings",
    "SettingsError",
    "SigningKey",
    "Simulation",
    "Snapshot",
    "SnapshotTool",
    "StatementOutcome",
    "StsError",
    "Style",
    "Subject",
    "Symptoms",
    "Tally",
    "Text",
    "TrustPolicy",
    "Unanswerable",
    "Unanswered",
    "Unknown",
    "UnknownFormat",
    "UnknownId",
    "UnknownKind",
    "UnknownRule",
    "UnknownSchema",
    "Unreadable",
    "Waived",
    "Waiver",
    "Webhook",
    "WhoCan",
    "Workload",
    "WorkloadIdentity",
    "baseline_of",
    "check",
    "collect",
    "controls",
    "diff",
    "explain",
    "for_terminal",
    "framework_ids",
    "kind_named",
    "list_rules",
    "load",
    "load_settings",
    "os_error_reason",
    "permissions",
    "read_policy_file",
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
    "suggestion",
    "verify_rules",
    "who_can",
    "why",
    "why_all",
    "write_snapshot",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
