"""Reads answers of IAM, EKS and Organizations as the AWS CLI prints them; `kinds.KINDS` names the reader of each answer."""

from collections.abc import Mapping

from irsa_doctor.model import (
    Cluster,
    Issuer,
    OidcProvider,
    Place,
    PodIdentityAssociation,
    ResourceControlPolicy,
    Role,
    TrustPolicy,
    Unknown,
    parse_arn,
)
from irsa_doctor.model.aws import DEFAULT_MODE
from irsa_doctor.model.commands import shell_command
from irsa_doctor.sources.documents.managing import manager_of_tags
from irsa_doctor.sources.documents.permissions import ManagedPolicies, managed_policies, role_permissions
from irsa_doctor.sources.documents.policies import policy_of_value, read_policy_text
from irsa_doctor.sources.documents.reading import DocumentReading, Listing, NamelessProvider, Page
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import WrongShape

_NO_POLICIES: ManagedPolicies = {}


def is_whole(members: Mapping[str, object]) -> bool:
    """Whether a list answer has no marker of further pages
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html)."""
    marks = (members.get(name) for name in ("NextToken", "nextToken", "Marker"))
    return not any(marks) and members.get("IsTruncated") not in (True, "true", "True")


def policy_missing(arn: str, name: str) -> Unknown:
    """Return the unknown trust policy of a role that was listed without it."""
    return Unknown(f"trust policy of {arn}", shell_command("aws iam get-role --role-name {}", _word(name, "NAME")))


def client_ids_missing(arn: str) -> Unknown:
    """What the list of providers does not tell."""
    how = shell_command("aws iam get-open-id-connect-provider --open-id-connect-provider-arn {}", _word(arn, "ARN"))
    return Unknown(f"client ids of {arn}", how)


def thumbprints_missing(arn: str) -> Unknown:
    """What the list of providers does not tell."""
    how = shell_command("aws iam get-open-id-connect-provider --open-id-connect-provider-arn {}", _word(arn, "ARN"))
    return Unknown(f"thumbprints of {arn}", how)


def issuer_missing(name: str) -> Unknown:
    """Return the unknown issuer of a cluster of which only the name is known."""
    return Unknown(f"issuer of cluster {name}", shell_command("aws eks describe-cluster --name {}", _word(name, "CLUSTER")))


def _word(name: str, stand_in: str) -> str:
    """A name as a word of a command; what a template has yet to fill in is a word in capitals."""
    return stand_in if "${" in name else name


def account_of(arn: str) -> str:
    """Return the account of an ARN, "" where the text is not an ARN."""
    parts = parse_arn(arn)
    return parts.account if parts else ""


def read_role(
    item: object,
    place: Place,
    page: Page,
    reading: DocumentReading,
    managed: ManagedPolicies = _NO_POLICIES,
    written_at: Place | None = None,
) -> None:
    """Read a role of any answer; a policy that is a string is IAM's URL-encoded form or JSON. `written_at` is where the policy
    is, if not in the member that IAM calls `AssumeRolePolicyDocument`."""
    members = shapes.mapping(item, place)
    arn = shapes.required(members, "Arn", place)
    if parse_arn(arn) is None:
        raise WrongShape(place.at("Arn").pointer, "not a valid ARN")
    name = shapes.text(members, "RoleName", place) or arn.rsplit("/", 1)[-1]
    written = members.get("AssumeRolePolicyDocument")
    policy: TrustPolicy | Unknown = policy_missing(arn, name)
    if written is not None:
        policy = policy_of_value(written, written_at or place.at("AssumeRolePolicyDocument"), page.duplicates)
        if policy.flaws and isinstance(written, str):
            reading.apart.append(policy.place)
    longest = shapes.number(members, "MaxSessionDuration")
    created = shapes.moment(members, "CreateDate")
    tags = members.get("Tags")
    tool = manager_of_tags(tags if isinstance(tags, list) else ())
    permissions = role_permissions(members, place, page, managed)
    reading.roles.append(
        Role(
            arn,
            name,
            account_of(arn),
            policy,
            place,
            longest,
            created,
            managed_by=tool,
            permissions=permissions,
            last_used=_last_used(members, place),
        )
    )


def _last_used(members: Mapping[str, object], place: Place) -> str | None:
    """When a role was used last, "" where IAM remembers no use of it, None where the answer does not say: ListRoles does not
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html)."""
    if not isinstance(members.get("RoleLastUsed"), dict):
        return None
    return shapes.moment(shapes.inner(members, "RoleLastUsed", place), "LastUsedDate")


def read_get_role(page: Page, reading: DocumentReading) -> None:
    """`aws iam get-role`."""
    members = shapes.mapping(page.value, page.place)
    read_role(members["Role"], page.place.at("Role"), page, reading)


def read_bare_role(page: Page, reading: DocumentReading) -> None:
    """The inside of an answer of get-role (`--query Role`), or one item of a list."""
    read_role(page.value, page.place, page, reading)


def read_list_roles(page: Page, reading: DocumentReading) -> None:
    """`aws iam list-roles`."""
    _read_roles(page, reading, "Roles")


def read_account(page: Page, reading: DocumentReading) -> None:
    """`aws iam get-account-authorization-details`."""
    _read_roles(page, reading, "RoleDetailList")


def _read_roles(page: Page, reading: DocumentReading, name: str) -> None:
    members = shapes.mapping(page.value, page.place)
    before = len(reading.roles), len(reading.broken)
    items = shapes.many(members, name, page.place)
    managed = managed_policies(members, page.place) if "Policies" in members else _NO_POLICIES
    reading.each(items, page.place.at(name), lambda item, place: read_role(item, place, page, reading, managed))
    whole = is_whole(members) and len(reading.broken) == before[1] and not _filtered(members, name)
    arns = frozenset(role.arn for role in reading.roles[before[0] :])
    reading.answers.append(Listing("roles", arns, whole, page.place))


def _filtered(members: Mapping[str, object], name: str) -> bool:
    """Whether the answer is one of `--filter User` or the like: then the empty list of roles is not complete."""
    others = ("UserDetailList", "GroupDetailList", "Policies")
    return name == "RoleDetailList" and not members.get(name) and any(members.get(other) for other in others)


def read_list_providers(page: Page, reading: DocumentReading) -> None:
    """`aws iam list-open-id-connect-providers`; the API has no pages for it."""
    members = shapes.mapping(page.value, page.place)
    name = "OpenIDConnectProviderList"
    before = len(reading.providers), len(reading.broken)
    items = shapes.many(members, name, page.place)
    reading.each(items, page.place.at(name), lambda item, place: _read_listed(item, place, reading))
    arns = frozenset(provider.arn for provider in reading.providers[before[0] :])
    whole = is_whole(members) and len(reading.broken) == before[1]
    reading.answers.append(Listing("providers", arns, whole, page.place))


def _read_listed(item: object, place: Place, reading: DocumentReading) -> None:
    arn = shapes.required(shapes.mapping(item, place), "Arn", place)
    if parse_arn(arn) is None:
        raise WrongShape(place.at("Arn").pointer, "not a valid ARN")
    reading.providers.append(OidcProvider(arn, place, client_ids_missing(arn), thumbprints_missing(arn)))


def read_get_provider(page: Page, reading: DocumentReading) -> None:
    """`aws iam get-open-id-connect-provider`; a missing member was removed from the answer and is unknown, not empty."""
    members, place = shapes.mapping(page.value, page.place), page.place
    url = shapes.required(members, "Url", place).removeprefix("https://")
    client_ids, thumbprints = _lists_of_provider(members, url, place)
    created, tags = shapes.moment(members, "CreateDate"), members.get("Tags")
    tool = manager_of_tags(tags if isinstance(tags, list) else ())
    reading.nameless_providers.append(NamelessProvider(url, client_ids, thumbprints, created, place, managed_by=tool))


def _lists_of_provider(
    members: Mapping[str, object], name: str, place: Place
) -> tuple[tuple[str, ...] | Unknown, tuple[str, ...] | Unknown]:
    client_ids: tuple[str, ...] | Unknown = client_ids_missing(name)
    thumbprints: tuple[str, ...] | Unknown = thumbprints_missing(name)
    if "ClientIDList" in members:
        client_ids = shapes.texts(members, "ClientIDList", place)
    if "ThumbprintList" in members:
        thumbprints = shapes.texts(members, "ThumbprintList", place)
    return client_ids, thumbprints


def read_provider(members: Mapping[str, object], place: Place, reading: DocumentReading) -> None:
    """A provider with its ARN, as IAM's own answers never have both ARN and members."""
    arn = shapes.required(members, "Arn", place)
    if parse_arn(arn) is None:
        raise WrongShape(place.pointer, "`Arn` is not a valid ARN")
    client_ids, thumbprints = _lists_of_provider(members, arn, place)
    created = shapes.moment(members, "CreateDate")
    reading.providers.append(OidcProvider(arn, place, client_ids, thumbprints, created=created))


def read_list_clusters(page: Page, reading: DocumentReading) -> None:
    """`aws eks list-clusters`: names only."""
    members = shapes.mapping(page.value, page.place)
    names = shapes.texts(members, "clusters", page.place)
    at = page.place.at("clusters")
    reading.cluster_names.extend((name, at.at(number)) for number, name in enumerate(names))
    reading.answers.append(Listing("clusters", frozenset(names), is_whole(members), page.place))


def read_describe_cluster(page: Page, reading: DocumentReading) -> None:
    """`aws eks describe-cluster` (https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html)."""
    place = page.place.at("cluster")
    read_cluster(shapes.mapping(shapes.mapping(page.value, page.place)["cluster"], place), place, reading)


def read_cluster(members: Mapping[str, object], place: Place, reading: DocumentReading) -> None:
    """A cluster with the members that DescribeCluster answers."""
    arn = shapes.text(members, "arn", place)
    name = shapes.text(members, "name", place) or arn.rsplit("/", 1)[-1]
    if not name:
        raise WrongShape(place.pointer, "neither `name` nor `arn`")
    identity = shapes.inner(members, "identity", place)
    written = shapes.text(shapes.inner(identity, "oidc", place.at("identity")), "issuer", place.at("identity", "oidc"))
    issuer: str | Unknown = Issuer.of(written).name if written else issuer_missing(name)
    version, created = shapes.text(members, "version", place), shapes.moment(members, "createdAt")
    outpost, compute = members.get("outpostConfig") is not None, members.get("computeConfig")
    auto_mode = isinstance(compute, dict) and compute.get("enabled") is True
    mode = _mode(members, place)
    if not mode and "accessConfig" not in members and "status" in members:
        reading.default_modes.append((arn or name, DEFAULT_MODE))
    reading.clusters.append(Cluster(name, arn, issuer, place, version, created, outpost, auto_mode, mode=mode))


def _mode(members: Mapping[str, object], place: Place) -> str:
    """The authentication mode, "" where the answer has none.

    A whole answer without `accessConfig` is from before there were modes, when aws-auth was the only way in. An excerpt, which
    lacks the `status` that every answer has, shows nothing of it, so that the mode is unknown
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html).
    """
    access = shapes.inner(members, "accessConfig", place)
    return shapes.text(access, "authenticationMode", place.at("accessConfig"))


def read_list_associations(page: Page, reading: DocumentReading) -> None:
    """`aws eks list-pod-identity-associations`: the service accounts, without their roles."""
    members = shapes.mapping(page.value, page.place)
    before = len(reading.associations), len(reading.broken)
    items = shapes.many(members, "associations", page.place)
    at = page.place.at("associations")
    reading.each(items, at, lambda item, place: read_pod_association(item, place, reading))
    keys = (f"{item.cluster}/{item.namespace}/{item.service_account}" for item in reading.associations[before[0] :])
    whole = is_whole(members) and len(reading.broken) == before[1]
    reading.answers.append(Listing("associations", frozenset(keys), whole, page.place))


def read_describe_association(page: Page, reading: DocumentReading) -> None:
    """`aws eks describe-pod-identity-association`."""
    members = shapes.mapping(page.value, page.place)
    read_pod_association(members["association"], page.place.at("association"), reading)


def read_pod_association(item: object, place: Place, reading: DocumentReading) -> None:
    """An association (https://docs.aws.amazon.com/eks/latest/APIReference/API_PodIdentityAssociation.html)."""
    members = shapes.mapping(item, place)
    association = PodIdentityAssociation(
        shapes.required(members, "clusterName", place),
        shapes.required(members, "namespace", place),
        shapes.required(members, "serviceAccount", place),
        place,
        shapes.text(members, "roleArn", place),
        shapes.text(members, "targetRoleArn", place),
        members.get("disableSessionTags") is not True,
        shapes.text(members, "associationId", place),
        shapes.text(members, "externalId", place),
        shapes.text(members, "associationArn", place),
        shapes.moment(members, "createdAt"),
        bool(members.get("policy")),
    )
    reading.associations.append(association)


def read_organizations_policy(page: Page, reading: DocumentReading) -> None:
    """`aws organizations describe-policy` of a resource control policy; `Content` is its text
    (https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribePolicy.html)."""
    place = page.place.at("Policy")
    members = shapes.mapping(shapes.mapping(page.value, page.place)["Policy"], place)
    summary = shapes.inner(members, "PolicySummary", place)
    kind = shapes.text(summary, "Type", place.at("PolicySummary"))
    if kind != "RESOURCE_CONTROL_POLICY":
        reading.passed.append(f"an Organizations policy of type {kind or '(none)'}: only resource control policies are read")
        return
    content = members.get("Content")
    at = place.at("Content")
    document = read_policy_text(content, at) if isinstance(content, str) else policy_of_value(content, at, page.duplicates)
    if document.flaws and isinstance(content, str):
        reading.apart.append(at)
    name = shapes.text(summary, "Id", place.at("PolicySummary")) or shapes.text(summary, "Arn", place.at("PolicySummary"))
    reading.rcps.append(ResourceControlPolicy(name, document, place))
