"""The kinds of JSON and YAML documents: how each is recognised by its content and who reads it.

A kind is one row of `KINDS`, its reader one function in a module of this room or of `templates`.
"""

from collections.abc import Callable, Mapping

import msgspec

from irsa_doctor.model import Place
from irsa_doctor.sources.documents import (
    access,
    aws,
    cluster_parts,
    issuer,
    kubernetes,
    organization,
    recorded,
    stacks,
    template_readers,
)
from irsa_doctor.sources.documents.bare_policies import (
    is_bare_policy,
    is_resource_control_policy,
    read_bare_policy,
    read_resource_control_policy,
)
from irsa_doctor.sources.documents.clouds import marks
from irsa_doctor.sources.documents.dialects import ONLY_FROM_ITS_PLACE
from irsa_doctor.sources.documents.permissions import read_role_policy
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.snapshot.snapshot import ANSWER_KINDS
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import WrongShape

Members = Mapping[str, object]


class Kind(msgspec.Struct, frozen=True):
    """A kind of document: `read` fills a reading, or `why` says why it is passed over."""

    name: str
    recognises: Callable[[Members], bool]
    read: Callable[[Page, DocumentReading], None] | None = None
    why: str = ""


def _has(*names: str) -> Callable[[Members], bool]:
    return lambda members: all(name in members for name in names)


def _has_list(name: str) -> Callable[[Members], bool]:
    return lambda members: isinstance(members.get(name), list)


def _has_items(name: str, *inside: str) -> Callable[[Members], bool]:
    """A list with an object that has one of the members."""

    def test(members: Members) -> bool:
        items = members.get(name)
        return isinstance(items, list) and any(isinstance(item, dict) and any(key in item for key in inside) for item in items)

    return test


_PAGES = frozenset(["NextToken", "nextToken", "Marker", "IsTruncated", "ResponseMetadata"])


def _is_empty_answer(name: str) -> Callable[[Members], bool]:
    """An empty list and nothing that AWS would not answer beside it."""
    return lambda members: members.get(name) == [] and set(members) <= _PAGES | {name}


def _either(*tests: Callable[[Members], bool]) -> Callable[[Members], bool]:
    return lambda members: any(test(members) for test in tests)


def _both(*tests: Callable[[Members], bool]) -> Callable[[Members], bool]:
    return lambda members: all(test(members) for test in tests)


def _is_list_of_names(member: str) -> Callable[[Members], bool]:
    def test(members: Members) -> bool:
        names = members.get(member)
        return isinstance(names, list) and all(isinstance(name, str) for name in names) and set(members) <= _PAGES | {member}

    return test


def _has_object(name: str, *inside: str) -> Callable[[Members], bool]:
    def test(members: Members) -> bool:
        value = members.get(name)
        return isinstance(value, dict) and (not inside or any(key in value for key in inside))

    return test


def _is_kubernetes(members: Members) -> bool:
    if isinstance(members.get("kind"), str) and isinstance(members.get("apiVersion"), str):
        return True
    items = members.get("items")
    return isinstance(items, list) and any(isinstance(item, dict) and "kind" in item for item in items)


def _of_group(*groups: str) -> Callable[[Members], bool]:
    """Kubernetes objects whose API group ends in one of these."""

    def test(members: Members) -> bool:
        group = str(members.get("apiVersion")).partition("/")[0]
        return "kind" in members and group.endswith(groups)

    return test


def _is_of_kind(*kinds: str) -> Callable[[Members], bool]:
    return lambda members: "apiVersion" in members and members.get("kind") in kinds


def _has_chain(members: Members) -> bool:
    """Whether it configures roles that a provider of Crossplane assumes one after the other."""
    spec = members.get("spec")
    steps = isinstance(spec, dict) and bool({"assumeRoleChain", "assumeRoleARN"} & spec.keys())
    return steps and _is_of_kind("ProviderConfig")(members) and _of_group("crossplane.io", "upbound.io")(members)


def _is_kubeconfig(members: Members) -> bool:
    return members.get("kind") == "Config" and ("users" in members or "current-context" in members)


def _is_event(members: Members) -> bool:
    is_event = "eventName" in members and ("userIdentity" in members or "eventSource" in members)
    return is_event or _has_items("Records", "eventName")(members) or _has_items("Events", "EventName")(members)


def _is_terraform(members: Members) -> bool:
    return "terraform_version" in members or ("planned_values" in members and "resource_changes" in members)


def _is_decoded_token(members: Members) -> bool:
    payload = members.get("payload")
    if "header" in members and isinstance(payload, dict):
        return _is_decoded_token(payload)
    return "iss" in members and "sub" in members and ("exp" in members or "aud" in members)


def _is_kustomization(members: Members) -> bool:
    """A kustomization; kustomize needs neither its kind nor its version."""
    if _of_group("kustomize.config.k8s.io")(members):
        return True
    listed = [members[name] for name in ("resources", "bases", "patchesStrategicMerge") if name in members]
    texts = [isinstance(items, list) and {*map(type, items)} == {str} for items in listed]
    return "kind" not in members and bool(texts) and all(texts)


def _is_json_patch(members: Members) -> bool:
    return isinstance(members.get("op"), str) and isinstance(members.get("path"), str)


_CONTROLLERS = (
    *("aws.crossplane.io", "aws.upbound.io", "aws.m.upbound.io"),
    *("services.k8s.aws", "kro.run", "crossplane.io", "upbound.io"),
)
"""Groups of objects from which controllers make resources of AWS"""
_OTHERS = (
    *("eksctl.io", "fluxcd.io", "cattle.io", "argoproj.io", "azure.com", "cnrm.cloud.google.com"),
    *("kustomize.config.k8s.io", "cluster.x-k8s.io", "kops.k8s.io"),
)
"""Groups of which some objects have a reader of their own"""
has_controller = _of_group(*_CONTROLLERS, *_OTHERS)


def _read_kubernetes(page: Page, reading: DocumentReading) -> None:
    """An object or a list; objects in a list that have a reader of their own are read as what they are."""
    kubernetes.read_object(page, reading)
    for item, place in kubernetes.listed_objects(page.value, page.place):
        read_listed(Page(item, place, page.duplicates), reading)


def read_listed(page: Page, reading: DocumentReading) -> None:
    """Read an object of a list as what it is, where it has another reader than those of Kubernetes have."""
    members = shapes.mapping(page.value, page.place)
    kind = next((kind for kind in KINDS if kind.recognises(members)), None) if has_controller(members) else None
    if kind and kind.read is not _read_kubernetes:
        read_page(page, reading)


def _read_any(page: Page, reading: DocumentReading) -> None:
    read_page(page, reading)


def _read_items(page: Page, reading: DocumentReading) -> None:
    members = shapes.mapping(page.value, page.place)
    like = {"apiVersion": members["apiVersion"], "kind": str(members["kind"]).removesuffix("List")}
    items, at = shapes.many(members, "items", page.place), page.place.at("items")
    reading.each(
        items, at, lambda item, of: read_page(Page({**like, **shapes.mapping(item, of)}, of, page.duplicates), reading)
    )


KINDS: tuple[Kind, ...] = (
    # its items may leave out of which kind they are
    Kind("kubernetes", _both(has_controller, _has_list("items")), _read_items),
    Kind("organization-manifest", organization.is_manifest, organization.read_organization),
    Kind("iam-get-account-authorization-details", _has_list("RoleDetailList"), aws.read_account),
    Kind("iam-get-role-policy", _has("RoleName", "PolicyName", "PolicyDocument"), read_role_policy),
    Kind("iam-list-roles", _either(_has_items("Roles", "Arn", "RoleName"), _is_empty_answer("Roles")), aws.read_list_roles),
    Kind("iam-get-role", _has_object("Role", "Arn", "RoleName", "AssumeRolePolicyDocument"), aws.read_get_role),
    Kind("iam-list-open-id-connect-providers", _has_list("OpenIDConnectProviderList"), aws.read_list_providers),
    Kind(
        "iam-get-open-id-connect-provider",
        lambda members: "Url" in members and ("ClientIDList" in members or "ThumbprintList" in members),
        aws.read_get_provider,
    ),
    Kind("kubeconfig", _is_kubeconfig, why=f"a kubeconfig is {ONLY_FROM_ITS_PLACE}"),
    Kind("eks-describe-cluster", _has_object("cluster", "arn", "identity"), aws.read_describe_cluster),
    Kind("eks-list-clusters", _is_list_of_names("clusters"), aws.read_list_clusters),
    Kind("eks-list-addons", _is_list_of_names("addons"), cluster_parts.read_list_addons),
    Kind("eks-describe-addon", _has_object("addon", "addonName"), cluster_parts.read_describe_addon),
    Kind("eks-describe-capability", _has_object("capability", "roleArn"), cluster_parts.read_describe_capability),
    Kind("eks-describe-nodegroup", _has_object("nodegroup", "nodeRole"), cluster_parts.read_describe_nodegroup),
    Kind(
        "ec2-describe-launch-template-versions",
        _has_list("LaunchTemplateVersions"),
        cluster_parts.read_launch_template_versions,
    ),
    Kind("eks-describe-access-entry", _has_object("accessEntry", "principalArn"), cluster_parts.read_describe_access_entry),
    Kind("eks-list-access-entries", _is_list_of_names("accessEntries"), access.read_list_access_entries),
    Kind(
        "eks-list-associated-access-policies",
        lambda members: isinstance(members.get("associatedAccessPolicies"), list) and "principalArn" in members,
        access.read_associated_policies,
    ),
    Kind(
        "eks-list-pod-identity-associations",
        _either(_has_items("associations", "clusterName", "associationId"), _is_empty_answer("associations")),
        aws.read_list_associations,
    ),
    Kind("eks-describe-pod-identity-association", _has_object("association", "clusterName"), aws.read_describe_association),
    Kind("organizations-describe-policy", _has_object("Policy", "PolicySummary"), aws.read_organizations_policy),
    Kind("iam-get-role", _has("RoleName", "Arn", "AssumeRolePolicyDocument"), aws.read_bare_role),
    Kind("iam-get-role", _has("RoleName", "Arn", "RoleId"), aws.read_bare_role),
    Kind("eksctl", _of_group("eksctl.io"), template_readers.load_eksctl),
    Kind("kops", _both(_of_group("kops.k8s.io"), _is_of_kind("Cluster")), template_readers.load_kops),
    Kind(
        "flux-kustomization",
        _both(_of_group("kustomize.toolkit.fluxcd.io"), _is_of_kind("Kustomization")),
        template_readers.load_flux_kustomization,
    ),
    Kind("kustomization", _is_kustomization, template_readers.load_kustomization),
    Kind(
        "helm-release",
        _both(
            _of_group("fluxcd.io", "cattle.io", "crossplane.io", "cluster.x-k8s.io"),
            _is_of_kind("HelmRelease", "HelmChart", "HelmChartConfig", "Release", "HelmChartProxy"),
        ),
        template_readers.load_helm_release,
    ),
    Kind("helmfile", _has_items("releases", "chart", "name"), template_readers.load_helmfile),
    Kind(
        "argo-application",
        _both(_of_group("argoproj.io"), _is_of_kind("Application", "ApplicationSet")),
        template_readers.load_application,
    ),
    Kind("json-patch", _is_json_patch, template_readers.load_json_patch),
    Kind("kustomize-patch", lambda members: members.get("$patch") == "delete", template_readers.load_deletion),
    Kind("cdk", template_readers.is_cdk_app, template_readers.load_cdk_app),
    Kind("pulumi", template_readers.is_pulumi_document, template_readers.load_pulumi),
    Kind("crossplane", _has_chain, _read_kubernetes),
    Kind("crossplane", _of_group(*_CONTROLLERS[:3]), template_readers.load_managed),
    Kind("crossplane", _of_group("crossplane.io", "upbound.io"), template_readers.load_composed(_read_any)),
    Kind("kro", _of_group("kro.run"), template_readers.load_composed(_read_any)),
    Kind("ack", _of_group("services.k8s.aws"), template_readers.load_managed),
    Kind(
        "cluster-api",
        _is_of_kind("AWSManagedControlPlane", "AWSManagedControlPlaneTemplate"),
        template_readers.load_control_plane,
    ),
    Kind("azure-service-operator", _of_group("managedidentity.azure.com"), template_readers.load_cloud_object),
    Kind("config-connector", _of_group("iam.cnrm.cloud.google.com"), template_readers.load_cloud_object),
    Kind("arm-template", marks.is_arm_template, template_readers.load_arm_template),
    Kind("token", _is_of_kind("TokenRequest", "TokenReview", "ExecCredential"), why=f"a token is {ONLY_FROM_ITS_PLACE}"),
    Kind("kubernetes-status", _is_of_kind("Status"), why="an error that the API server answered, no object"),
    Kind("kubernetes", _is_kubernetes, _read_kubernetes),
    Kind("openid-configuration", _has("issuer", "jwks_uri"), issuer.read_discovery),
    Kind(
        "jwks",
        lambda members: (
            isinstance(keys := members.get("keys"), list)
            and (not keys or any(isinstance(key, dict) and "kty" in key for key in keys))
        ),
        issuer.read_keys,
    ),
    Kind("kubernetes-version", _has("major", "minor", "gitVersion"), kubernetes.read_version),
    Kind("cloudtrail", _is_event, template_readers.load_events),
    Kind("terraform", _is_terraform, template_readers.load_terraform),
    Kind("cloudformation", stacks.is_template, template_readers.load_cloudformation),
    Kind("serverless", template_readers.is_serverless_document, template_readers.load_serverless),
    Kind("ansible", template_readers.is_ansible_document, template_readers.load_ansible),
    Kind("cloudformation-parameters", _has("ParameterKey"), template_readers.load_parameter),
    Kind("cloudformation-parameters", stacks.is_stack_configuration, template_readers.load_template_configuration),
    Kind("token", _is_decoded_token, why=f"a token's claims are {ONLY_FROM_ITS_PLACE}"),
    Kind("resource-control-policy", is_resource_control_policy, read_resource_control_policy),
    Kind("trust-policy", is_bare_policy, read_bare_policy),
    Kind("aws-config", recorded.is_config_items, recorded.read_config_items),
    Kind("cloud-control", recorded.is_cloud_control, recorded.read_cloud_control),
    Kind("eksctl-get-podidentityassociation", recorded.is_eksctl_association, recorded.read_eksctl_association),
    Kind("inventory", recorded.is_inventory, recorded.read_inventory),
    *(Kind(name, mark, template_readers.load_cloud_document(name, _read_any)) for name, mark in marks.CLOUD_MARKS.items()),
)


_READERS: dict[str, Callable[[Page, DocumentReading], None]] = {
    kind.name: kind.read for kind in reversed(KINDS) if kind.read not in (None, _read_items) and kind.name in ANSWER_KINDS
}
"""of each kind of live answers; of two entries of one name the first reads what an API answers, unless it is for lists alone"""


_ANSWERED_IN = {
    "iam-list-roles": "Roles",
    "iam-get-role": "Role",
    "iam-list-open-id-connect-providers": "OpenIDConnectProviderList",
    "iam-get-open-id-connect-provider": "Url",
    "eks-list-clusters": "clusters",
    "eks-describe-cluster": "cluster",
    "eks-list-addons": "addons",
    "eks-describe-addon": "addon",
    "eks-describe-nodegroup": "nodegroup",
    "eks-list-access-entries": "accessEntries",
    "eks-describe-access-entry": "accessEntry",
    "eks-list-associated-access-policies": "associatedAccessPolicies",
    "eks-list-pod-identity-associations": "associations",
    "eks-describe-pod-identity-association": "association",
    "organizations-describe-policy": "Policy",
    "openid-configuration": "issuer",
    "jwks": "keys",
}
"""kind -> the member that its answers have: without it a list is not an empty one, which would prove absence"""


def read_answer(kind: str, page: Page, reading: DocumentReading) -> None:
    """Read a live answer as the kind that was requested, whatever it looks like; KeyError for a kind that none has."""

    def read(value: object, place: Place) -> None:
        member = _ANSWERED_IN.get(kind)
        if member and member not in shapes.mapping(value, place):
            raise WrongShape(place.pointer, f"`{member}` is missing")
        _READERS[kind](page, reading)

    reading.kinds.append(kind)
    reading.attempt(page.value, page.place, read)


def read_page(page: Page, reading: DocumentReading) -> None:
    """Read one decoded value as what it is; a list item by item."""
    if isinstance(page.value, list):
        for number, item in enumerate(page.value):
            if isinstance(item, dict):
                _read_members(item, Page(item, page.place.at(number), page.duplicates), reading)
        if not page.place.document.endswith(".tf.json"):  # an empty list is no answer of anybody there
            template_readers.note_cloud_list(page.value, page, reading)
        return
    if isinstance(page.value, dict):
        _read_members(page.value, page, reading)


def _read_members(members: dict[str, object], page: Page, reading: DocumentReading) -> None:
    for kind in KINDS:
        if not kind.recognises(members):
            continue
        if kind.name not in reading.kinds:
            reading.kinds.append(kind.name)
        if kind.read is None:
            reading.passed.append(kind.why)
        else:
            _attempt(kind.read, page, reading)
        return
    if template_readers.load_values(page, reading) and "values" not in reading.kinds:
        reading.kinds.append("values")


def _attempt(read: Callable[[Page, DocumentReading], None], page: Page, reading: DocumentReading) -> None:
    reading.attempt(page.value, page.place, lambda value, place: read(page, reading))
