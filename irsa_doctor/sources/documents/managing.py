"""Reads which tool an object or a role is managed by, from the marks that the tools leave: it undoes what others change.

The names of field managers: https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers, owners:
https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/.
Helm: https://helm.sh/docs/chart_best_practices/labels/, Argo CD: https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/,
Flux: https://fluxcd.io/flux/components/kustomize/kustomizations/, CloudFormation:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-resource-tags.html.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

_LABEL = "app.kubernetes.io/managed-by"
_NAMED: tuple[tuple[str, str], ...] = (
    ("helm.toolkit.fluxcd.io/name", "the HelmRelease {} of Flux"),
    ("kustomize.toolkit.fluxcd.io/name", "the Kustomization {} of Flux"),
    ("argocd.argoproj.io/instance", "the application {} of Argo CD"),
    ("argocd.argoproj.io/tracking-id", "the application {} of Argo CD"),
    ("meta.helm.sh/release-name", "the Helm release {}"),
    ("olm.owner", "{} of the Operator Lifecycle Manager"),
)
"""marks of Kubernetes objects, the tool that writes last first"""
_MARKS = frozenset(name for name, _ in _NAMED)
_TAGS: tuple[tuple[str, str], ...] = (
    ("aws:cloudformation:stack-name", "the CloudFormation stack {}"),
    ("alpha.eksctl.io/cluster-name", "eksctl, for the cluster {}"),
    ("crossplane-name", "the Crossplane resource {}"),
    ("services.k8s.aws/controller-version", "the ACK controller {}"),
)
_TAG_NAMES = ("managedby", "managed-by", "managed_by", "provisioner", "createdby", "created-by", "iac")
_TERRAFORM = ("terraform", "opentofu", "tofu", "terragrunt")
_WRITERS: tuple[tuple[str, str], ...] = (
    ("argocd", "Argo CD"),
    ("kustomize-controller", "Flux"),
    ("helm-controller", "Flux"),
    ("terraform", "Terraform"),
    ("hashicorp", "Terraform"),
    ("opentofu", "Terraform"),
    ("pulumi", "Pulumi"),
    ("crossplane", "Crossplane"),
    ("helm", "Helm"),
    ("eks", "an add-on of EKS"),
)
"""how the names of field managers begin, and the tool; kubectl and controllers of Kubernetes undo nothing"""
_PULUMI = "pulumi:"
_LONGEST = 200


def manager_of_object(labels: Mapping[str, object], annotations: Mapping[str, object]) -> str:
    """The tool that a Kubernetes object is managed by, in words; "" where no mark shows one."""
    marks = {**annotations, **labels}
    for name, words in () if _MARKS.isdisjoint(marks) else _NAMED:
        if isinstance(value := marks.get(name), str) and value:
            return words.format(value.partition(":")[0][:_LONGEST])
    value = labels.get(_LABEL)
    return value[:_LONGEST] if isinstance(value, str) and value.lower() not in ("", "kubectl") else ""


def manager_of_writers(owners: object, fields: object) -> str:
    """The tool by the owner of a Kubernetes object that controls it (`metadata.ownerReferences`), and by who wrote its fields
    (`metadata.managedFields`); "" where neither shows one."""
    for owner in _objects(owners):
        if owner.get("controller") is True and isinstance(name := owner.get("name"), str):
            return f"{owner.get('kind')} {name}"[:_LONGEST]
    names = tuple([str(entry.get("manager", "")).lower() for entry in _objects(fields)])
    return _tool_of(names) if names else ""


@lru_cache(maxsize=1024)
def _tool_of(writers: tuple[str, ...]) -> str:
    return next((tool for start, tool in _WRITERS if any(name.startswith(start) for name in writers)), "")


def _objects(value: object) -> Iterable[Mapping[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def shows_manager(name: str) -> bool:
    """Whether a tag of this name may show the tool that its object is managed by."""
    folded = name.lower()
    return name in dict(_TAGS) or folded in (*_TAG_NAMES, *_TERRAFORM) or folded.startswith(("terraform", _PULUMI))


@lru_cache(maxsize=1024)
def _show_manager(names: tuple[str, ...]) -> bool:
    return any(map(shows_manager, names))


def manager_of_tags(tags: Iterable[object]) -> str:
    """The tool that a role is managed by, from its tags (`Key`, `Value`); "" where none shows one."""
    named = {tag["Key"]: tag["Value"] for tag in tags if isinstance(tag, dict) and _is_tag(tag)}
    if not _show_manager(tuple(named)):
        return ""
    for name, words in _TAGS:
        if name in named:
            return words.format(named[name][:_LONGEST])
    folded = {name.lower(): value for name, value in named.items()}
    if any(name in _TERRAFORM or name.startswith("terraform") for name in folded):
        return "Terraform"
    if any(name.startswith(_PULUMI) for name in folded):
        return "Pulumi"
    return next((folded[name][:_LONGEST] for name in _TAG_NAMES if folded.get(name)), "")


def _is_tag(tag: Mapping[str, object]) -> bool:
    return isinstance(tag.get("Key"), str) and isinstance(tag.get("Value"), str)
