"""What creating and changing objects needs: permissions, and the names of objects that can be created."""

from collections.abc import Iterable

from irsa_doctor.authorisation.decisions import ObjectNames, Permission
from irsa_doctor.authorisation.powers import Powers
from irsa_doctor.authorisation.steps import Use


def to_create(group: str, resource: str) -> Permission:
    """The permission to create objects of a resource."""
    return Permission("create", group, resource)


def to_change(group: str, resource: str) -> tuple[Permission, Permission]:
    """The permissions that each change an object."""
    return Permission("patch", group, resource), Permission("update", group, resource)


def creatable(
    powers: Powers, scope: str, group: str, resource: str, existing: Iterable[str]
) -> tuple[ObjectNames, tuple[Use, ...]]:
    """The names of objects that can be created where those of `existing` are, and what that needs. Server-side apply
    creates a named object by patch and create, both of which are checked with the name."""
    create = to_create(group, resource)
    names = powers.names(scope, create)
    if names.every:
        return names, (Use(create, scope),)
    patch = Permission("patch", group, resource)
    both = (names & powers.names(scope, patch)) if names else names
    fresh = both.listed.difference(existing)
    if not fresh:
        return ObjectNames(), ()
    name = min(fresh)
    return ObjectNames(False, fresh), (Use(create, scope, name), Use(patch, scope, name))
