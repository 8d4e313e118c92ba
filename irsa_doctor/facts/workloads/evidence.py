"""What messages say of a workload: its names and values, and which containers are at fault."""

from collections.abc import Callable, Mapping

from irsa_doctor.facts.subject import Evidence
from irsa_doctor.facts.workloads.case import WorkloadCase
from irsa_doctor.facts.workloads.containers import calls_global_sts, has_custom_endpoint, has_shared_config
from irsa_doctor.facts.workloads.webhook import (
    EXPIRATION,
    FILE_VARIABLE,
    OPT_OUT_LABEL,
    ROLE_VARIABLE,
    SHORTEST,
    SKIP_CONTAINERS,
    VOLUME,
    skipped_containers,
)
from irsa_doctor.model import Container, Place, ProjectedToken, ServiceAccount, text_of
from irsa_doctor.model.annotations import ROLE_ARN

_FLAWS = {False: "a name has spaces around it, which are not trimmed", True: "it is not a list of names separated by commas"}


def workload_evidence(case: WorkloadCase) -> Evidence:
    """The evidence of one workload: names and values, and the places where containers are at fault."""
    at_fault = _at_fault(case)
    return Evidence(_names(case, at_fault), _places(case, at_fault))


def _at_fault(case: WorkloadCase) -> dict[str, Container | None]:
    """The container at fault by what is wrong with it, None where none is."""
    finders: dict[str, Callable[[], Container | None]] = {
        "environment": lambda: case.environment()[1],
        "role": lambda: case.role()[1],
        "admission": lambda: case.admission()[1],
        "pod_identity": lambda: case.pod_identity()[1],
        "agent_access": lambda: case.agent_access()[1],
        "agent_token": lambda: case.agent_token()[1],
        "token_file": lambda: case.token_file()[1],
        "token_readable": lambda: case.token_readable()[1],
        "static_keys": lambda: case.static_keys()[1],
        "shared_config": lambda: case.first(has_shared_config),
        "region": lambda: case.region_missing()[1],
        "sts": lambda: case.first(calls_global_sts),
        "endpoint": lambda: case.first(has_custom_endpoint),
        "session_name": lambda: case.session_name()[1],
    }
    return {name: find() for name, find in finders.items()}


def _account(case: WorkloadCase) -> ServiceAccount | None:
    return case.account if isinstance(case.account, ServiceAccount) else None


def _places(case: WorkloadCase, at_fault: Mapping[str, Container | None]) -> dict[str, Place]:
    workload, known = case.workload, _account(case)
    metadata = workload.template.at("metadata")
    places = {
        "workload": workload.place.at("metadata", "name"),
        "account_name": workload.template.at("spec", "serviceAccountName"),
        "labels": metadata.at("labels", OPT_OUT_LABEL),
        "skip_containers": metadata.at("annotations", SKIP_CONTAINERS),
        "expiration": metadata.at("annotations", EXPIRATION),
        "annotation_on_pod": _annotation_place(case),
        "volume": _token_place(case, lambda token: token.volume == VOLUME),
        "short_token": _token_place(case, lambda token: 0 != token.expiration < SHORTEST),
    }
    places |= {name: container.place for name, container in at_fault.items() if container}
    if denial := case.installed.agents.egress_denial(workload):
        places["network_policy"] = denial.place
    if known:
        places["account"] = known.place.at("metadata", "annotations", ROLE_ARN)
    return places


def _names(case: WorkloadCase, at_fault: Mapping[str, Container | None]) -> dict[str, str]:
    workload, known, meant = case.workload, _account(case), case.meant_account()
    role, file, sent = at_fault["role"], at_fault["token_file"], at_fault["agent_token"]
    denial = case.installed.agents.egress_denial(workload)
    return {
        "workload": f"{workload.kind.lower()} {workload.namespace}/{workload.name}",
        "account": f"{workload.namespace}/{workload.service_account}",
        "carrier": f"{workload.kind.lower()} {workload.namespace}/{workload.name}",
        "flaw": _FLAWS[skipped_containers(workload.annotations) is None],
        "network_policy": f"{denial.kind} {denial.namespace}/{denial.name}".replace(" /", " ") if denial else "",
        "agent_audience": (sent.agent.audience if sent and sent.agent else "") or "that of the API server",
        "role": text_of(known.annotations.get(ROLE_ARN, "")) if known else "",
        "env_role": text_of(role.env.get(ROLE_VARIABLE) or "") if role else "",
        "path": text_of(file.env.get(FILE_VARIABLE) or "") if file else "",
        "meant": f"{meant.namespace}/{meant.name}" if meant else "",
        "session_name": _value(at_fault["session_name"], "AWS_ROLE_SESSION_NAME"),
        "association_role": text_of(case.association.role_arn) if case.association else "",
        "ephemeral": ", ".join(workload.ephemeral),
        "expiration": text_of(workload.annotations.get(EXPIRATION, "")),
        "seconds": ", ".join(str(token.expiration) for token in workload.tokens if 0 != token.expiration < SHORTEST),
        "volume_audiences": ", ".join(sorted({t.audience for t in workload.tokens if t.volume == VOLUME})) or "no token",
        "wanted": ", ".join(sorted(case.expected_audiences())),
        "association_created": (case.association.created if case.association else "") or "at an unknown time",
        "created": workload.created or "at an unknown time",
        "account_created": (known.created if known else "") or "at an unknown time",
        **{f"{name}_container": container.name for name, container in at_fault.items() if container},
    }


def _annotation_place(case: WorkloadCase) -> Place:
    on_template = ROLE_ARN in case.workload.annotations
    return (case.workload.template if on_template else case.workload.place).at("metadata", "annotations", ROLE_ARN)


def _token_place(case: WorkloadCase, meant: Callable[[ProjectedToken], bool]) -> Place:
    token = next((token for token in case.workload.tokens if meant(token)), None)
    return token.place if token else case.workload.template.at("spec", "volumes")


def _value(container: Container | None, name: str) -> str:
    return text_of(container.env.get(name) or "") if container else ""
