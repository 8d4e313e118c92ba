"""Reads the trust policies that patches of kustomize write for roles of controllers: after a patch, a policy is what it says.
A patch may also delete the role.

https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches/
"""

from collections.abc import Iterator, Mapping

from irsa_doctor.model import Place
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text import shapes

_FIELDS: Mapping[tuple[str, ...], str] = {
    ("spec", "assumeRolePolicyDocument"): "iam.services.k8s.aws/v1alpha1",
    ("spec", "forProvider", "assumeRolePolicy"): "iam.aws.upbound.io/v1beta1",
    ("spec", "forProvider", "assumeRolePolicyDocument"): "iam.aws.crossplane.io/v1beta1",
}
"""the field of a policy, and the version of the role that has it"""
_SELECTORS = ("labelSelector", "annotationSelector")


def read_patched_role(patch: Mapping[str, object], target: object, place: Place, reading: DocumentReading) -> bool:
    """Read the role whose policy a patch writes or that it deletes, or an operation of a JSON patch of a target; False where it
    does nothing of that."""
    if patch.get("$patch") == "delete":
        reading.deleted += roles_meant(target if isinstance(target, dict) else patch)
        return True
    role = _of_operation(patch, target) if "op" in patch else _of_object(patch)
    if role is None:
        return False
    from irsa_doctor.sources.templates.controllers.managed import read_managed

    read_managed(Page(role, place), reading)
    return True


def read_deletion(page: Page, reading: DocumentReading) -> None:
    """Read a patch in a file of its own that deletes an object."""
    read_patched_role(shapes.mapping(page.value, page.place), None, page.place, reading)
    reading.passed.append("a patch that deletes an object")


def roles_meant(meant: Mapping[str, object]) -> Iterator[str]:
    """The role that an object is, or that a target asks for by its name: by its address, or without a namespace by its name
    alone. Which objects a target selects by their labels is not known."""
    metadata = meant.get("metadata")
    named = metadata if isinstance(metadata, dict) else meant
    group = shapes.as_text(meant.get("group") or str(meant.get("apiVersion") or "").rpartition("/")[0])
    name, namespace = shapes.as_text(named.get("name") or ""), shapes.as_text(named.get("namespace") or "")
    if not name or meant.get("kind") not in (None, "Role") or (group and not group.startswith("iam.")):
        return
    if any(meant.get(selector) for selector in _SELECTORS):
        return
    address = f"Role {namespace}/{name}" if namespace else name if named is meant else f"Role {name}"
    yield role_of_controller(address, "services.k8s.aws" not in group) if group or named is not meant else address


def role_of_controller(address: str, is_of_crossplane: bool) -> str:
    """A role by its address and its controller: Crossplane and ACK may each have one of a name."""
    return f"{address} of {'Crossplane' if is_of_crossplane else 'ACK'}"


def _of_object(patch: Mapping[str, object]) -> Mapping[str, object] | None:
    return patch if patch.get("kind") == "Role" and any(_at(patch, field) for field in _FIELDS) else None


def _at(value: object, steps: tuple[str, ...]) -> bool:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return isinstance(value, str)


def _of_operation(patch: Mapping[str, object], target: object) -> Mapping[str, object] | None:
    """The role that an operation makes, whether it writes the policy itself or more of the role around it."""
    if patch.get("op") not in ("add", "replace"):
        return None
    value = patch.get("value")
    for step in reversed(shapes.as_text(patch.get("path") or "").split("/")[1:]):
        value = {step: value}
    version = next((version for field, version in _FIELDS.items() if _at(value, field)), None)
    if version is None or not isinstance(value, dict):
        return None
    named = target.get("name") if isinstance(target, dict) else None
    metadata = {"name": shapes.as_text(named or "that a patch changes")}
    return {**value, "apiVersion": version, "kind": "Role", "metadata": metadata}
