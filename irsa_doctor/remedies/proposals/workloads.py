"""Ways to fix pod templates: what a manifest copied from the webhook, where a token is, and variables of containers."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from irsa_doctor.facts.lookups.associations import cluster_of
from irsa_doctor.facts.workloads.webhook import FILE_VARIABLE, ROLE_VARIABLE, VOLUME
from irsa_doctor.model import Container, Place, Workload, is_role_arn, parse_arn
from irsa_doctor.model.edits import EditKind, Safety
from irsa_doctor.remedies.commands import delete_association, restart
from irsa_doctor.remedies.edits.records import Wish
from irsa_doctor.remedies.policy_fix import command_fix
from irsa_doctor.remedies.proposals.records import FixCase, Proposal, Unfixable

_REGION, _STS, _ENDPOINT, _SESSION = "AWS_REGION", "AWS_STS_REGIONAL_ENDPOINTS", "AWS_ENDPOINT_URL", "AWS_ROLE_SESSION_NAME"
_NOBODY = 65534
"""the group that https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html names"""


def _workload(case: FixCase) -> Workload:
    """The workload that a finding is about."""
    place = case.judged.evidence().place("workload")
    workload = next((w for w in case.view.inventory.workloads if w.place.at("metadata", "name") == place), None)
    if workload is None:
        raise Unfixable("not-in-source", "the workload is not in the input")
    return workload


def _container(case: FixCase, workload: Workload, name: str) -> Container:
    """The container that is at fault, by the name that it has in the evidence."""
    places = case.judged.evidence().places
    container = next((c for c in workload.containers if name in places and c.place == places[name]), None)
    if container is None:
        raise Unfixable("not-in-source", "the container is not in the input")
    return container


def _proposed(place: Place, transform: Callable[[Any], Any], because: str) -> Iterator[Proposal]:
    wish = Wish(place, None, None, transform=transform)
    yield Proposal(wishes=(wish,), safety="unsafe", because=because)


def _is_injected(case: FixCase) -> bool:
    """Whether the webhook sets what the manifest no longer does: the service account names a role or has an association."""
    names = case.judged.evidence().names
    return is_role_arn(str(names.get("role") or "")) or bool(names.get("association_role"))


# ---- variables


def _variables(case: FixCase, fault: str, change: Callable[[Any], Any], because: str) -> Iterator[Proposal]:
    container = _container(case, _workload(case), fault)
    yield from _proposed(container.place, change, because)


def _with_variable(name: str, value: str, container: Any) -> Any:
    """A container that sets a variable."""
    listed = list(container.get("env") or [])
    changed = [{"name": name, "value": value} if _is_named(item, name) else item for item in listed]
    more = [] if any(_is_named(item, name) for item in listed) else [{"name": name, "value": value}]
    return {**container, "env": [*changed, *more]}


def _without(names: tuple[str, ...], container: Any) -> Any:
    """A container that does not set these variables."""
    left = [item for item in container.get("env") or [] if not any(_is_named(item, name) for name in names)]
    if left:
        return {**container, "env": left}
    return {name: value for name, value in container.items() if name != "env"}


def _is_named(item: Any, name: str) -> bool:
    return isinstance(item, Mapping) and item.get("name") == name


def _region_set(case: FixCase) -> Iterator[Proposal]:
    """The region of the cluster, where it is known."""
    workload = _workload(case)
    cluster = case.view.inventory.cluster_by_id.get(workload.cluster)
    arn = parse_arn(cluster.arn) if cluster else None
    region = (cluster.region if cluster else "") or (arn.region if arn else "")
    if not region:
        raise Unfixable("value-unknown", "the region of the cluster is not known")
    because = f"requests then go to {region}, where the cluster is"
    yield from _variables(case, "region", partial(_with_variable, _REGION, region), because)


def _variable_set(case: FixCase) -> Iterator[Proposal]:
    """The variable at fault gets the value that works, or goes where none is determined."""
    places = case.judged.evidence().places
    if "region" in places:
        yield from _region_set(case)
    elif "sts" in places:
        because = "the SDK then calls the endpoint of its region, which the network has to let through"
        yield from _variables(case, "sts", partial(_with_variable, _STS, "regional"), because)
    elif "endpoint" in places:
        because = "calls to other services then no longer go to this endpoint either"
        yield from _variables(case, "endpoint", partial(_without, (_ENDPOINT,)), because)
    elif "session_name" in places:
        because = "the SDK then makes a name of its own, which CloudTrail shows"
        yield from _variables(case, "session_name", partial(_without, (_SESSION,)), because)


# ---- volumes and mounts


def _copied_volume(case: FixCase) -> Iterator[Proposal]:
    """The volume of the webhook that a manifest has copied goes, with its mounts."""
    workload = _workload(case)
    if VOLUME not in workload.volumes and not any(VOLUME in container.mounts for container in workload.containers):
        raise Unfixable("ambiguous", "the manifest has no volume that could be taken away; whether pods are old is not known")
    if not _is_injected(case):
        raise Unfixable("value-unknown", "the service account names no role, so that the webhook would add no volume")
    because = f"the webhook then adds the volume {VOLUME} and its mounts by itself"
    yield from _proposed(workload.template.at("spec"), _without_volume, because)


def _without_volume(spec: Any) -> Any:
    made = _without_item(spec, "volumes", VOLUME)
    for kind in ("initContainers", "containers"):
        if isinstance(made.get(kind), list):
            made = {**made, kind: [_without_item(container, "volumeMounts", VOLUME) for container in made[kind]]}
    return made


def _without_item(owner: Any, block: str, name: str) -> Any:
    """An object whose list has an item of a name no more; an empty list goes."""
    listed = owner.get(block)
    if not isinstance(listed, list) or not any(_is_named(item, name) for item in listed):
        return owner
    left = [item for item in listed if not _is_named(item, name)]
    return {key: left if key == block else value for key, value in owner.items() if left or key != block}


def _token_path(case: FixCase) -> Iterator[Proposal]:
    """The variable names the file of the one token for AWS that the container mounts; else the webhook is to set it."""
    workload = _workload(case)
    container = _container(case, workload, "token_file")
    audiences = str(case.judged.evidence().names.get("wanted") or "").split(", ")
    files = _files(workload, container, audiences)
    if len(files) == 1:
        because = "the SDK then reads another file"
        yield from _proposed(container.place, partial(_with_variable, FILE_VARIABLE, files[0]), because)
    if _is_injected(case):
        because = "the webhook then sets both variables, and mounts the token, when pods are created anew"
        yield from _proposed(container.place, partial(_without, (ROLE_VARIABLE, FILE_VARIABLE)), because)
    elif not files:
        raise Unfixable("ambiguous", "no volume has a token for AWS, and the service account names no role")
    elif len(files) > 1:
        raise Unfixable("ambiguous", f"several files may be meant: {', '.join(files)}")


def _files(workload: Workload, container: Container, audiences: list[str]) -> list[str]:
    """The files of tokens for AWS in a container."""
    mounted = [(token, mount) for token in workload.tokens for mount in container.mounted if mount.volume == token.volume]
    return sorted({f"{mount.path.rstrip('/')}/{t.path}" for t, mount in mounted if t.audience in audiences and not mount.part})


def _whole_volume(case: FixCase) -> Iterator[Proposal]:
    """The whole volume is mounted where one file of it was, and the variable names the file in it."""
    workload = _workload(case)
    container = _container(case, workload, "token_file")
    tokens = {token.volume: token for token in workload.tokens}
    parts = [mount for mount in container.mounted if mount.part and mount.volume in tokens]
    if len(parts) != 1:
        raise Unfixable("ambiguous", "which mount has the token is not known")
    path, token = parts[0].path.rstrip("/"), tokens[parts[0].volume]
    because = f"{path} is then a folder, and whoever else reads it has to read {path}/{token.path}"
    yield from _proposed(container.place, partial(_mounted_whole, parts[0].volume, f"{path}/{token.path}"), because)


def _mounted_whole(volume: str, file: str, container: Any) -> Any:
    mounts = [_without_part(mount) if _is_named(mount, volume) else mount for mount in container["volumeMounts"]]
    return _with_variable(FILE_VARIABLE, file, {**container, "volumeMounts": mounts})


def _without_part(mount: Any) -> Any:
    return {name: value for name, value in mount.items() if name != "subPath"}


def _group(case: FixCase) -> Iterator[Proposal]:
    because = f"files of other volumes then belong to the group {_NOBODY}, too"
    yield from _proposed(_workload(case).template.at("spec"), _with_group, because)


def _with_group(spec: Any) -> Any:
    return {**spec, "securityContext": {**(spec.get("securityContext") or {}), "fsGroup": _NOBODY}}


# ---- commands


def _restarted(case: FixCase) -> Iterator[Proposal]:
    """Pods are created anew: no manifest says that, but a command does."""
    workload = _workload(case)
    command = restart(workload.namespace, workload.kind, workload.name)
    if not command:
        raise Unfixable("no-remedy", "what creates the pods is not known")
    is_alone = workload.kind == "Pod" and not workload.owner
    because = "nothing creates the pod again by itself" if is_alone else "the webhook acts when pods are created"
    safety: Safety = "unsafe" if is_alone else "safe"
    offered = command_fix(command) if safety == "safe" else None
    yield Proposal(wishes=(), safety=safety, because=because, commands=(command,), offered=offered, unwritten="no-remedy")


def _association_removed(case: FixCase) -> Iterator[Proposal]:
    """The association goes, so that the annotation of the service account counts."""
    place = case.judged.evidence().place("association")
    association = next((known for known in case.view.inventory.associations if known.place == place), None)
    cluster = cluster_of(association, case.view) if association else None
    command = delete_association(cluster.name, cluster.region, association.id) if association and cluster else ""
    if not command:
        raise Unfixable("no-remedy", "which of the two is meant takes a decision")
    because = "pods then get the role of the annotation; which of the two is meant takes a decision"
    yield Proposal(wishes=(), safety="unsafe", because=because, commands=(command,), unwritten="no-remedy")


WORKLOAD_WAYS: Mapping[EditKind, Callable[[FixCase], Iterator[Proposal]]] = {
    "variable-set": _variable_set,
    "copied-volume": _copied_volume,
    "token-path": _token_path,
    "whole-volume": _whole_volume,
    "file-group": _group,
    "restart": _restarted,
    "association-removed": _association_removed,
}
"""the ways to change pod templates, by name"""
