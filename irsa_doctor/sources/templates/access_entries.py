"""Reads access entries of EKS that are written with the members of its API, in whatever case: by Pulumi, ACK and Crossplane.

https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html and API_AssociateAccessPolicy.html
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from irsa_doctor.model import Text
from irsa_doctor.model.access import AssociatedPolicy, AuthRow
from irsa_doctor.sources.documents.access import auth_row
from irsa_doctor.sources.templates.access import AccessTemplate
from irsa_doctor.sources.templates.values import TemplateValue, written_of
from irsa_doctor.text.placeholders import value_with_holes

_Members = Mapping[str, object]
_Words = str | Text
_MAPPINGS: tuple[tuple[str, Literal["mapRoles", "mapUsers"], str], ...] = (
    ("rolemappings", "mapRoles", "rolearn"),
    ("usermappings", "mapUsers", "userarn"),
)


def read_entry(access: AccessTemplate, members: _Members, cluster: _Words, principal: _Words) -> None:
    """An entry; where policies are written in it, also what they give."""
    own = _lower(members)
    kind = "" if own.get("type") is None else _written(own["type"])
    # `{{SessionName}}` of a user name is no placeholder of a template
    user = own.get("username")
    access.add_entry(cluster, principal, _written(own.get("kubernetesgroups")), user if isinstance(user, str) else "", kind)
    if own.get("accesspolicies") is not None:
        access.add_policies(cluster, principal, list(_policies(access, own["accesspolicies"])))


def read_association(access: AccessTemplate, members: _Members, cluster: _Words, principal: _Words) -> None:
    """One access policy of a principal."""
    access.add_policies(cluster, principal, list(_policies(access, [members])))


def read_component_access(access: AccessTemplate, properties: _Members) -> None:
    """What the cluster of Pulumi's package `eks` has inside: entries by name, and rows of aws-auth
    (https://www.pulumi.com/registry/packages/eks/api-docs/cluster/)."""
    own = _lower(properties)
    cluster = _text(own.get("name"))
    entries = own.get("accessentries")
    for entry in entries.values() if isinstance(entries, dict) else ():
        if isinstance(entry, dict):
            read_entry(access, {"accessPolicies": [], **entry}, cluster, _text(_lower(entry).get("principalarn")))
    rows = list(_rows(access, own))
    if rows:
        access.add_auth_map(rows)


def _rows(access: AccessTemplate, own: _Members) -> Iterator[AuthRow]:
    for name, listed, arn in _MAPPINGS:
        written = own.get(name)
        for number, item in enumerate(written if isinstance(written, list) else ()):
            if isinstance(item, dict):
                yield auth_row(listed, number, {**item, arn: _lower(item).get(arn)}, access.place)


def _policies(access: AccessTemplate, written: object) -> Iterator[AssociatedPolicy]:
    """Policies in a list, or by name; the scope is an object, or a list of one."""
    listed = written.values() if isinstance(written, dict) else written if isinstance(written, list) else ()
    for item in listed:
        members = _lower(item)
        scope = members.get("accessscope")
        parts = _lower(scope[0] if isinstance(scope, list) and scope else scope)
        yield from access.policy(
            _written(members.get("policyarn")), _written(parts.get("type")), _written(parts.get("namespaces"))
        )


def _lower(members: object) -> dict[str, object]:
    """Members by their names in lower case: `principalARN` of ACK is `principalArn` of the others."""
    return {str(name).lower(): value for name, value in members.items()} if isinstance(members, Mapping) else {}


def _written(value: object) -> TemplateValue:
    """A value with holes for what is filled in; a function of the program is known only when it runs."""
    return written_of(value_with_holes(value))


def _text(value: object) -> _Words:
    text = value_with_holes(value)
    return text if isinstance(text, str | Text) else ""
