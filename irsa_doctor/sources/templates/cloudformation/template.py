"""Reads CloudFormation templates, also those of the CDK. A kind of resource is one function and one row of `_READERS`.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import product

from irsa_doctor.model import (
    UNREAD_TRUST,
    Gap,
    Place,
    PodIdentityAssociation,
    Role,
    Text,
    TrustPolicy,
    Unknown,
    text_of,
    without_scheme,
)
from irsa_doctor.model.access import AssociatedPolicy
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.access import AccessTemplate
from irsa_doctor.sources.templates.addons import Addon, add_account, add_association, is_policy, session_tags_of
from irsa_doctor.sources.templates.cloudformation.conditions import compared_parameter
from irsa_doctor.sources.templates.cloudformation.in_cluster import read_chart, read_kubernetes_resource
from irsa_doctor.sources.templates.cloudformation.intrinsics import Template
from irsa_doctor.sources.templates.cloudformation.loops import without_loops
from irsa_doctor.sources.templates.cloudformation.stacks import read_nested_stack, read_stack_set
from irsa_doctor.sources.templates.cloudformation.unread import unread_parts, unread_trust
from irsa_doctor.sources.templates.clusters import add_cluster, written_mode
from irsa_doctor.sources.templates.providers import add_provider
from irsa_doctor.sources.templates.values import Spots, TemplateValue, hole, known, policy_of, scalar_text
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import WrongShape
from irsa_doctor.text.positions import Anchor

_CASES = 3
"""Undecided conditions of a role up to which every combination is read."""


def read_template(page: Page, reading: DocumentReading) -> None:
    """Read every resource of a template that has to do with roles of service accounts."""
    members = shapes.mapping(page.value, page.place)
    resources = shapes.inner(members, "Resources", page.place)
    looped = without_loops(members, reading.parameters)
    members, resources = looped.members, shapes.inner(looped.members, "Resources", page.place)
    template = Template(members, page.place, parameters=reading.parameters, paths=looped.paths, outputs=reading.stack_outputs)
    for name, item in resources.items():
        kind = item.get("Type") if isinstance(item, dict) else None
        reader = _READERS.get(kind) if isinstance(kind, str) else None
        if reader:
            reading.attempt(name, template.place_of(str(name)), partial(_read, reader, template, reading))
    for name, missing in dict.fromkeys(unread_trust(members)):
        if name in reading.resolved:
            continue
        reading.gaps.append(Gap(UNREAD_TRUST, reading.path, name, missing, "the template as it is deployed"))
    once = [f"{name} is read once: its collection is known only when the template is deployed" for name in looped.once]
    unread = [note for note in unread_parts(members, page.place, _READERS.keys()) if note not in reading.resolved]
    notes = list(dict.fromkeys([*unread, *once]))
    reading.notes += notes
    if not reading.gave_something():
        reading.passed += notes or ["a template without role, OIDC provider, cluster or Pod Identity association"]


Reader = Callable[[Template, str, Place, DocumentReading], None]


def _read(reader: Reader, template: Template, reading: DocumentReading, name: object, place: Place) -> None:
    if template.exists(str(name)):
        reader(template, str(name), place, reading)


def _read_role(template: Template, name: str, place: Place, reading: DocumentReading) -> None:
    """The role; where an undecided condition changes its policy, once for each case that there can be."""
    deployment = reading.deployment
    policy, anchors = _policy(template, name, place, f"({deployment})" if deployment else "")
    undecided = sorted(template.undecided)
    if not undecided or len(undecided) > _CASES:
        reading.anchors.update(anchors)
        _add_role(template, name, f"({deployment})" if deployment else "", policy, place, reading)
        return
    for case in product((True, False), repeat=len(undecided)):
        assumed = dict(zip(undecided, case, strict=True))
        if not _can_be(template, assumed):
            continue
        cases = [word if holds else f"not {word}" for word, holds in assumed.items()]
        words = ", ".join([*cases, deployment] if deployment else cases)
        policy, anchors = _policy(template.assuming(assumed), name, place, f"({words})")
        reading.anchors.update(anchors)
        _add_role(template, name, f"({words})", policy, place, reading)


def _can_be(template: Template, assumed: Mapping[str, bool]) -> bool:
    """Whether conditions can have these values together, as far as their definitions are about one another."""
    for name in assumed:
        others = template.assuming({other: holds for other, holds in assumed.items() if other != name})
        if others.decide({"Condition": name}, 0) not in (None, assumed[name]):
            return False
    values: dict[str, object] = {}
    conditions = shapes.inner(template.members, "Conditions", template.place)
    compared = (conditions.get(name) for name, holds in assumed.items() if holds)
    # a parameter has one value
    return all(values.setdefault(subject, value) == value for subject, value in filter(None, map(compared_parameter, compared)))


def _read_function(template: Template, name: str, place: Place, reading: DocumentReading) -> None:
    """The role that SAM makes for a function, where the function has a trust policy of its own
    (https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html)."""
    if template.property(name, "AssumeRolePolicyDocument") is not None:
        _read_role(template, name, place, reading)


def _policy(template: Template, name: str, place: Place, case: str = "") -> tuple[TrustPolicy | Unknown, Spots]:
    """The policy; with a `case` its place is its own, because the places in it depend on the case."""
    template.undecided.clear()
    at = place.at("Properties", "AssumeRolePolicyDocument", *([case] if case else []))
    missing = Unknown(
        f"trust policy of {name}, which is known only after deployment", "check the role when the stack is deployed"
    )
    written = template.property(name, "AssumeRolePolicyDocument")
    if written is None:
        raise WrongShape(place.pointer, "`AssumeRolePolicyDocument` is missing")
    return policy_of(written, at, missing)


def _add_role(
    template: Template, name: str, case: str, policy: TrustPolicy | Unknown, place: Place, reading: DocumentReading
) -> None:
    longest = template.property(name, "MaxSessionDuration")
    seconds = shapes.number({"": longest.value}, "") if longest else 0
    if isinstance(policy, TrustPolicy) and policy.flaws:
        reading.apart.append(policy.place)
    role_name, path = template.property(name, "RoleName"), template.property(name, "Path")
    planned = known(role_name.value) if role_name else ""
    planned = f"{(known(path.value) if path else '') or '/'}{planned}".lstrip("/") if planned else ""
    reading.roles.append(Role("", name, "", policy, place, seconds, "", name, planned, case))


def _read_provider(template: Template, name: str, place: Place, reading: DocumentReading) -> None:
    url = template.property(name, "Url")
    text = scalar_text(url.value) if url else None
    issuer = without_scheme(text) if text else hole(f"issuer of {name}")
    client_ids = None
    for member in ("ClientIdList", "ClientIDList"):
        if (listed := _texts(template.property(name, member))) is not None:
            client_ids = listed
            at = place.at("client_id_list")
            reading.anchors[(at.part, at.pointer)] = Anchor(place.at("Properties", member).pointer)
    add_provider(reading, issuer, (name, place), client_ids, _texts(template.property(name, "ThumbprintList")))


def _texts(written: TemplateValue | None) -> tuple[str, ...] | None:
    """A list of strings, None where it is not a list or a part of it is not known."""
    if written is None or not isinstance(written.value, tuple):
        return None
    values = [known(item.value) for item in written.value]
    return tuple(values) if all(values) else None


def _read_cluster(template: Template, name: str, place: Place, reading: DocumentReading) -> None:
    called, mode = template.property(name, "Name"), written_mode(template.property(name, "AccessConfig"), "AuthenticationMode")
    add_cluster(reading, known(called.value) if called else "", (name, place), mode)


def _read_cdk_cluster(template: Template, name: str, place: Place, reading: DocumentReading) -> None:
    """A cluster of the CDK's own kind, which has the members of `eks:CreateCluster` in `Config`."""
    config = template.property(name, "Config")
    members = config.value if config and isinstance(config.value, dict) else {}
    called = known(members["name"].value) if "name" in members else ""
    add_cluster(reading, called, (name, place), written_mode(members.get("accessConfig"), "authenticationMode"))
    maker = template.property(name, "AssumeRoleArn")
    creator = scalar_text(maker.value) if maker else None
    if creator:
        # the role that makes the cluster, which is its administrator where there are no entries
        reading.creators.append((called, text_of(creator)))


def _read_association(template: Template, name: str, place: Place, reading: DocumentReading) -> None:
    cluster, namespace, account = (template.text(name, member) for member in ("ClusterName", "Namespace", "ServiceAccount"))
    if not (cluster and namespace and account):
        raise WrongShape(place.pointer, "an association without `ClusterName`, `Namespace` or `ServiceAccount`")
    role, target = template.property(name, "RoleArn"), template.property(name, "TargetRoleArn")
    tags, policy = template.property(name, "DisableSessionTags"), template.property(name, "Policy")
    reading.associations.append(
        PodIdentityAssociation(
            cluster,
            namespace,
            account,
            place,
            role.value if role and isinstance(role.value, str | Text) else "",
            target.value if target and isinstance(target.value, str | Text) else "",
            session_tags_of(tags),
            narrowed=is_policy(policy.value if policy else None),
        )
    )


def _read_addon(template: Template, name: str, place: Place, reading: DocumentReading) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-eks-addon.html"""
    role = template.property(name, "ServiceAccountRoleArn")
    namespace = template.property(name, "NamespaceConfig")
    members = namespace.value if namespace and isinstance(namespace.value, dict) else {}
    addon = Addon(
        name=template.text(name, "AddonName"),
        cluster=template.text(name, "ClusterName"),
        place=place,
        namespace=known(members["Namespace"].value) if "Namespace" in members else "",
        role=scalar_text(role.value) or "" if role else "",
        role_pointer=place.at("Properties", "ServiceAccountRoleArn").pointer,
    )
    add_account(addon, reading)
    associations = template.property(name, "PodIdentityAssociations")
    for number, item in enumerate(associations.value if associations and isinstance(associations.value, tuple) else ()):
        inside = item.value if isinstance(item.value, dict) else {}
        account, arn = (
            scalar_text(inside[member].value) if member in inside else None for member in ("ServiceAccount", "RoleArn")
        )
        at = place.at("Properties", "PodIdentityAssociations", number)
        add_association(addon, account or hole(f"{name}.ServiceAccount"), arn or "", at, reading)


def _read_entry(template: Template, name: str, place: Place, reading: DocumentReading) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-eks-accessentry.html"""
    access = AccessTemplate(name, place, reading)
    members = ("ClusterName", "PrincipalArn", "KubernetesGroups", "Username", "Type")
    cluster, principal, groups, user, kind = (template.property(name, member) for member in members)
    access.add_entry(cluster, principal, groups, user, kind)
    listed = template.property(name, "AccessPolicies")
    policies: list[AssociatedPolicy] = []
    for item in listed.value if listed and isinstance(listed.value, tuple) else ():
        inner = item.value if isinstance(item.value, dict) else {}
        scope = inner["AccessScope"].value if "AccessScope" in inner else {}
        parts = scope if isinstance(scope, dict) else {}
        policies += access.policy(inner.get("PolicyArn"), parts.get("Type"), parts.get("Namespaces"))
    access.add_policies(cluster, principal, policies)


_READERS: Mapping[str, Reader] = {
    "AWS::IAM::Role": _read_role,
    "AWS::Serverless::Function": _read_function,
    "AWS::CloudFormation::Stack": read_nested_stack,
    "AWS::CloudFormation::StackSet": partial(read_stack_set, read_template),
    "AWS::Serverless::Application": read_nested_stack,
    "AWS::IAM::OIDCProvider": _read_provider,
    "Custom::AWSCDKOpenIdConnectProvider": _read_provider,
    "AWS::EKS::Cluster": _read_cluster,
    "AWSQS::EKS::Cluster": _read_cluster,
    "Custom::AWSCDK-EKS-Cluster": _read_cdk_cluster,
    "AWS::EKS::PodIdentityAssociation": _read_association,
    "AWS::EKS::Addon": _read_addon,
    "AWS::EKS::AccessEntry": _read_entry,
    "Custom::AWSCDK-EKS-KubernetesResource": read_kubernetes_resource,
    "Custom::AWSCDK-EKS-HelmChart": read_chart,
    "AWSQS::Kubernetes::Resource": read_kubernetes_resource,
    "AWSQS::Kubernetes::Helm": read_chart,
}
