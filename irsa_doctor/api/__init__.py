"""Each command as a function, with every record that it returns and every exception that it raises.

EXPORTS is the one list of them. Each is loaded when it is first named, and functions load what they need when they are
called, so that importing this costs little. Type checkers read `__init__.pyi`, which `make generated` writes from the list.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

EXPORTS: Mapping[str, str] = {
    "answers.audit.audited_scope": "AuditedAccount AuditedCluster AuditedRegion EvidenceScope LostList",
    "answers.audit.evidence": "AuditEvidence ControlEvidence EvidencePeriod "
    "FindingEvent FrameworkEvidence RuleRelation RunGap Sampling UncontrolledFinding",
    "answers.audit.items": "EvidenceItem",
    "answers.check.choice": "UnknownRule",
    "answers.check.examples": "ExamplesResult Failure",
    "answers.diff": "ChangedSubjects Difference RingChange RoleChange",
    "answers.fix.records": "ChangedFile FindingFix FixCommand Fixing Remaining Unfixed",
    "answers.intents.clusters": "ResolvedCluster",
    "answers.intents.dialects.written": "MadeFile",
    "answers.intents.generation": "Generation",
    "answers.intents.inference": "Inference Question",
    "answers.intents.plan": "IntentPlan IntentProblem MadeAnnotation MadeAssociation MadeProvider MadeRole",
    "answers.intents.policies": "Pair",
    "answers.intents.verification": "IntentDifference Verification",
    "answers.missing": "MissingInput",
    "answers.reach.subject": "NoSuchSubject SubjectReach",
    "answers.reach.records": "AdminReach MappedFrom PathObject ReachPath ReachRow ReachSubject ReachedRole RoleReach TakenStep",
    "answers.simulate": "LocatedProblem Simulation StatementOutcome Unanswerable Unanswered simulate_lines",
    "answers.who_can": "AdmittedAudiences AdmittedClaim AdmittedSubjects AdmittedTenant AudiencePair NoSuchRole "
    "OtherPrincipal ProviderGrant WhoCan",
    "answers.why": "NoEvents NoTarget",
    "answers.why.records": "ContainerIdentity DiagnosedCause DiagnosedLink Diagnosis LinkNeed MistakenRemedy "
    "LeakedRole PredictedError QuotedPlace RoleChain TokenLeak WorkloadIdentity",
    "api.audit": "AuditOutcome AuditRun audit audit_changes audit_history audit_prune audit_show audit_verify audit_waivers",
    "api.evidence": "audit_report",
    "api.check": "baseline_of check controls framework_ids",
    "api.collect": "collect collect_organization",
    "api.diff": "diff",
    "api.intent_diff": "diff_intents is_intent",
    "api.explain": "UnknownId explain",
    "api.fix": "FixAnswer Written fix write_fixes",
    "api.generate": "GENERATE_FORMATS generate",
    "api.intents": "infer verify",
    "api.load": "NothingRead load",
    "api.permissions": "NotLive permissions permissions_of_organization",
    "api.render": "ANSWER_FORMATS COUNTED_FORMATS QUOTING_FORMATS SUGGESTING_FORMATS "
    "Presentation UnknownFormat for_terminal render_audit render_changes render_diff render_explanation "
    "render_evidence render_evidence_pages render_history render_store_verification render_waivers "
    "render_generation render_fix render_fix_commands "
    "render_unified_diff render_inference masked "
    "render_organization_permissions render_permissions render_reach render_report render_rules render_simulations "
    "render_verification render_who_can render_why render_why_all style_for without_commands",
    "api.reach": "reach",
    "api.rules": "RulePage list_rules show_rule verify_rules",
    "api.schema": "UnknownSchema initial_files schema schema_line",
    "api.simulate": "simulate",
    "api.who_can": "who_can",
    "api.why": "Symptoms read_symptoms why why_all",
    "governance.baseline": "BaselineError",
    "governance.revision": "NoRevision",
    "governance.settings": "FAIL_ON GATE_UNKNOWN Settings SettingsError Waiver load_settings",
    "governance.settings_at": "is_in_repository_of settings_at",
    "model": "AgentSettings Alternative ChainedRole Closed Cluster ClusterAddon ClusterCapability ClusterNode ConfigMap "
    "Container Contradiction Discovery Document EgressPolicy EnvSource Flaw Gap Hole HybridNodeConfig Inventory LabelSelector "
    "MappedAccount Mount NO_KIND Namespace NodeMetadata NodeRole OidcProvider Place PlannedCluster PlannedProvider "
    "PodIdentityAssociation ProjectedToken OrganizationAccount RENDERED_KINDS ReplacedMember ScopeState "
    "ResourceControlPolicy Role RolePermissions ServiceAccount SigningKey Text TrustPolicy Unknown Webhook Workload",
    "model.clouds": "AzureIdentity CloudCluster CloudListing Clouds FederatedCredential GoogleAccount NodePool PoolProvider "
    "RoleBinding",
    "model.audited": "RunVerdicts StoredSubject FindingNote RunTrend",
    "model.access": "AccessBinding AccessEntry AccessRole AccessRule AccessSubject AssociatedAccess AssociatedPolicy AuthMap "
    "AuthRow ExpectedAccess WebhookConfiguration",
    "model.edits": "FileEdit Proof SubjectSet Suggestion TextPosition",
    "model.errors": "IrsaDoctorError NotJudged",
    "model.extents": "Extent LazyExtent",
    "model.findings": "CONFIDENCES SEVERITIES Counts DocumentRow Finding Fix Location Missing Offer Report RoleAccounts "
    "JudgedSubject Subject Tally Waived",
    "model.intents": "IntendedCluster IntendedRole IntendedSubject Intent",
    "model.kinds": "UnknownKind kind_named",
    "model.limits": "MAX_MEMORY MAX_SECONDS alarms bytes_of ever_reached limited",
    "model.moments": "moment_of",
    "model.nearness": "suggestion",
    "model.standards": "KeyRun Standards StandardsContext",
    "reports.style": "Style",
    "rulebook.cause_block": "CauseBlock RunWords StsError",
    "rulebook.causes": "Cause",
    "rulebook.edit_block": "EditBlock",
    "rulebook.files": "Illustration",
    "rulebook.frameworks": "Bearing ControlResult FrameworkReport",
    "rulebook.rules": "Clause Control Graded Reference Rule RuleError",
    "sources": "Loaded",
    "sources.intents": "IntentError",
    "sources.files.evidence": "NoEvidence",
    "sources.files.requests": "Unreadable read_policy_file read_requests",
    "sources.live": "LiveOptions",
    "sources.live.collection": "OrganizationOptions",
    "sources.live.permissions": "OrganizationPermissions Permissions",
    "sources.snapshot.manifest": "Manifest ManifestAccount ManifestShard",
    "sources.snapshot.snapshot": "Answered Origin Query Snapshot SnapshotTool snapshot_text write_snapshot",
    "store.integrity": "StoreVerification Tampering",
    "store.reading": "ChangeRow RunHeader",
    "store.tables": "NoStore StoreError",
    "shards.units": "AuditError",
    "text.errors": "LiveError",
    "text.os_errors": "os_error_reason",
    "text.positions": "Documents",
    "text.written_files": "refuse_target write_pieces write_whole",
}
"""module -> the names that it gives"""

_HOMES: Mapping[str, str] = {name: f"irsa_doctor.{module}" for module, names in EXPORTS.items() for name in names.split()}
__all__ = list(_HOMES)


class _Api(ModuleType):
    """Keeps modules of the package from hiding the functions that are called like them."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Api


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
