"""Reads the containers of pods and the tokens that are projected into them."""

from collections.abc import Mapping, Sequence
from functools import partial

from irsa_doctor.model import Container, EnvSource, Mount, Place, ProjectedToken, Text
from irsa_doctor.sources.documents.agents import agent_settings
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes

# the only variables whose values are kept: none of them is secret
_KEPT_VALUES = frozenset(
    (
        *("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_REGION", "AWS_DEFAULT_REGION"),
        *("AWS_STS_REGIONAL_ENDPOINTS", "AWS_PROFILE", "AWS_ROLE_SESSION_NAME"),
        *("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"),
    )
)


def inside(members: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return a member that is an object, an empty one for any other type: the rest of the workload is still read."""
    value = members.get(name)
    return value if isinstance(value, dict) else {}


def mappings_of(items: object) -> list[dict[str, object]]:
    """Return the objects of a list, none where it is no list."""
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def containers_of(spec: Mapping[str, object], place: Place, reading: DocumentReading) -> tuple[Container, ...]:
    """Return the containers of a pod; a broken one is noted and the next one read."""
    containers: list[Container] = []
    for name, init in (("initContainers", True), ("containers", False)):
        items = shapes.many(spec, name, place)
        reading.each(items, place.at(name), partial(_add_container, containers, init, projected_tokens(spec, place)))
    return tuple(containers)


def _add_container(
    containers: list[Container], init: bool, tokens: Sequence[ProjectedToken], item: object, place: Place
) -> None:
    containers.append(_container(item, place, init, tokens))


def _container(item: object, place: Place, init: bool, tokens: Sequence[ProjectedToken]) -> Container:
    members = shapes.mapping(item, place)
    env: dict[str, str | Text | None] = {}
    for number, variable in enumerate(shapes.many(members, "env", place)):
        at = place.at("env", number)
        entry = shapes.mapping(variable, at)
        env[shapes.text(entry, "name", at)] = _env_value(entry)
    mounted: list[Mount] = []
    for number, mount in enumerate(shapes.many(members, "volumeMounts", place)):
        at = place.at("volumeMounts", number)
        entry = shapes.mapping(mount, at)
        part = shapes.text(entry, "subPath", at) or shapes.text(entry, "subPathExpr", at)
        mounted.append(Mount(shapes.text(entry, "name", at), shapes.text(entry, "mountPath", at), part))
    name, image = shapes.text(members, "name", place), shapes.text(members, "image", place)
    security = inside(members, "securityContext")
    user, non_root = shapes.whole(security, "runAsUser"), shapes.flag(security, "runAsNonRoot")
    literal = {shapes.as_text(entry.get("name")): _literal(entry) for entry in mappings_of(members.get("env"))}
    agent = agent_settings(literal, mounted, tokens)
    return Container(name, place, image, env, tuple(mounted), init, _env_from(members), user, non_root, agent)


def _literal(entry: Mapping[str, object]) -> str | None:
    """The value that a manifest writes for a variable, None where it comes from elsewhere or was left out."""
    return None if entry.get("value") is None else shapes.as_text(entry["value"])


def _env_from(members: Mapping[str, object]) -> tuple[EnvSource, ...]:
    """https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/"""
    return tuple(
        EnvSource(kind, shapes.as_text(inside(entry, member).get("name", "")), str(entry.get("prefix") or ""))
        for entry in mappings_of(members.get("envFrom"))
        for kind, member in (("ConfigMap", "configMapRef"), ("Secret", "secretRef"))
        if member in entry
    )


def _env_value(entry: Mapping[str, object]) -> str | Text | None:
    if shapes.as_text(entry.get("name")) not in _KEPT_VALUES or "valueFrom" in entry:
        return None
    value = entry.get("value")
    return "" if value is None else with_holes(shapes.as_text(value), verbs=False)


def projected_tokens(spec: Mapping[str, object], place: Place) -> tuple[ProjectedToken, ...]:
    """Projected service account tokens
    (https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken)."""
    tokens: list[ProjectedToken] = []
    for number, item in enumerate(shapes.many(spec, "volumes", place)):
        at = place.at("volumes", number)
        volume = shapes.mapping(item, at)
        name = shapes.text(volume, "name", at)
        projected = shapes.inner(volume, "projected", at)
        for order, source in enumerate(shapes.many(projected, "sources", at.at("projected"))):
            token = source.get("serviceAccountToken") if isinstance(source, dict) else None
            if isinstance(token, dict):
                token_place = at.at("projected", "sources", order, "serviceAccountToken")
                audience, path = shapes.text(token, "audience", token_place), shapes.text(token, "path", token_place)
                tokens.append(ProjectedToken(name, audience, path, shapes.number(token, "expirationSeconds"), token_place))
    return tuple(tokens)
