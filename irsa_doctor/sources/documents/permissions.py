"""Reads the permission policies of roles, as IAM answers them."""

from collections.abc import Iterator, Mapping

from irsa_doctor.model import Place, RolePermissions, TrustPolicy
from irsa_doctor.sources.documents.policies import policy_of_value
from irsa_doctor.sources.documents.reading import AnsweredPolicy, DocumentReading, Page
from irsa_doctor.text import shapes

_Members = Mapping[str, object]
ManagedPolicies = Mapping[str, tuple[object, Place]]
"""ARN of a managed policy -> (the document of its default version, its place)"""


def managed_policies(members: _Members, place: Place) -> ManagedPolicies:
    """The managed policies of an answer of get-account-authorization-details
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_ManagedPolicyDetail.html)."""
    return {arn: version for policy, at in _objects(members, "Policies", place) for arn, version in _default(policy, at)}


def _default(policy: _Members, place: Place) -> Iterator[tuple[str, tuple[object, Place]]]:
    arn = policy.get("Arn")
    for version, at in _objects(policy, "PolicyVersionList", place):
        if isinstance(arn, str) and version.get("IsDefaultVersion") is True and "Document" in version:
            yield arn, (version["Document"], at.at("Document"))


def role_permissions(members: _Members, place: Place, page: Page, managed: ManagedPolicies) -> RolePermissions | None:
    """The permission policies of a role; None where the answer does not list them, as those of GetRole and ListRoles
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleDetail.html)."""
    if not all(isinstance(members.get(name), list) for name in ("RolePolicyList", "AttachedManagedPolicies")):
        return None
    documents = [(p.get("PolicyDocument"), at.at("PolicyDocument")) for p, at in _objects(members, "RolePolicyList", place)]
    arns = [text for p, _ in _objects(members, "AttachedManagedPolicies", place) if (text := str(p.get("PolicyArn", "")))]
    documents += [managed[arn] for arn in arns if arn in managed]
    boundary = members.get("PermissionsBoundary")
    return RolePermissions(
        policies=tuple(_policy(document, at, page) for document, at in documents),
        unread=tuple(arn for arn in arns if arn not in managed),
        boundary=str(boundary.get("PermissionsBoundaryArn", "")) if isinstance(boundary, dict) else "",
    )


def _policy(document: object, place: Place, page: Page) -> TrustPolicy:
    """A policy as it is written; the size of an object is not counted, for few of them are ever judged."""
    if isinstance(document, str) or page.duplicates:
        return policy_of_value(document, place, page.duplicates)
    return TrustPolicy(document, place)


def _objects(members: _Members, name: str, place: Place) -> Iterator[tuple[_Members, Place]]:
    listed = members.get(name)
    for number, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, dict):
            yield item, place.at(name, number)


def read_role_policy(page: Page, reading: DocumentReading) -> None:
    """`aws iam get-role-policy`: one inline policy of a role
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html)."""
    members, place = shapes.mapping(page.value, page.place), page.place
    name = shapes.required(members, "RoleName", place)
    reading.role_policies.append(AnsweredPolicy(name, _policy(members["PolicyDocument"], place.at("PolicyDocument"), page)))
