"""Facts of workloads: Pods as the API server holds them, and pod templates that no webhook has seen yet."""

from collections.abc import Iterator
from functools import partial

from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.subject import Judged
from irsa_doctor.facts.workloads.case import WorkloadCase
from irsa_doctor.facts.workloads.containers import calls_global_sts, has_custom_endpoint, has_shared_config
from irsa_doctor.facts.workloads.evidence import workload_evidence
from irsa_doctor.facts.workloads.records import WorkloadFacts
from irsa_doctor.facts.workloads.webhook import EXPIRATION, SHORTEST, is_ignored_expiration
from irsa_doctor.model import Workload


def workload_facts(view: View) -> Iterator[Judged]:
    """The facts of every workload that will run, or run again, and is not just made of another one that is here."""
    for workload in view.inventory.workloads:
        owner = view.workload_lookups.owner_of(workload) if workload.owner else None
        if not workload.over and (owner is None or workload.admitted):
            yield judged_workload(view, workload, owner)


def judged_workload(view: View, workload: Workload, owner: Workload | None) -> Judged:
    """One workload with its facts; `owner` is the topmost object of the input that owns it."""
    case = WorkloadCase(view.workload_lookups, view.installations, workload, owner)
    cluster = view.label_of(workload.cluster)
    ident = f"{cluster}/{workload.namespace}/{workload.kind.lower()}/{workload.name}"
    group = f"{cluster}/{workload.namespace}/{workload.service_account}"
    return Judged("workload", ident, group, _facts(case), partial(workload_evidence, case))


def _facts(case: WorkloadCase) -> WorkloadFacts:
    own = case.owner is None
    return WorkloadFacts(
        identity=case.identity,
        service_account=case.service_account() if own else "right",
        account_looked_for=own and case.lookups.has_looked_for(case.account, case.workload),
        account_exists=case.account_exists() if own else True,
        annotation_on_pod=case.annotation_on_pod() if own else False,
        environment=case.environment()[0] if own else "whole",
        role=case.role()[0],
        admission=case.admission()[0],
        pod_identity=case.pod_identity()[0],
        agent_access=case.agent_access()[0],
        agent_token=case.agent_token()[0],
        token_file=case.token_file()[0],
        token_volume=case.token_volume(),
        expiration_too_short=own and any(0 != token.expiration < SHORTEST for token in case.workload.tokens),
        expiration_ignored=own and case.where_used(is_ignored_expiration(case.workload.annotations.get(EXPIRATION))),
        skip_containers=own and case.where_used(case.skips_nothing()),
        token_readable=case.token_readable()[0] if own else True,
        static_keys=case.static_keys()[0] if own else False,
        shared_config=own and case.where_used(case.first(has_shared_config) is not None),
        region_missing=case.region_missing()[0],
        global_sts=own and case.where_used(case.first(calls_global_sts) is not None),
        custom_endpoint=own and case.where_used(case.first(has_custom_endpoint) is not None),
        session_name=case.session_name()[0] if own else "fine",
        windows_by_affinity=own and case.identity != "pod-identity" and case.where_used(case.workload.windows == "affinity"),
        ephemeral=case.workload.admitted and case.where_used(bool(case.workload.ephemeral)),
    )
