"""Whose the projects of Google Cloud are that have the pools of members, as far as settings say which are one's own."""

from collections.abc import Mapping, Sequence

from irsa_doctor.facts.grants.ownership import Whose, is_one_of, nearest_of, whose, written
from irsa_doctor.model.clouds import GOOGLE_PROJECTS
from irsa_doctor.trust.clouds.members import POOL_SUFFIX, PolicyMember
from irsa_doctor.trust.ring import Tenant

Owner = Mapping[str, Sequence[str]]


def pool_project(member: PolicyMember) -> Tenant | None:
    """The project of a member's pool: its id of the pool of its clusters, its number where that is written; None where neither
    is known."""
    name = member.pool.removesuffix(POOL_SUFFIX) if member.pool.endswith(POOL_SUFFIX) else None
    name = name if name and "$" not in name else None
    number = member.project if member.project.isdecimal() else None
    return Tenant(name=name, id=number) if name or number else None


def whose_project(member: PolicyMember, owner: Owner) -> Whose:
    """Whose the project is; unknown where settings name projects by what the member does not say: the id or the number."""
    project, declared = pool_project(member), tuple(owner.get(GOOGLE_PROJECTS, ()))
    if project is None or (not is_one_of(project, declared) and not _is_comparable(project, declared)):
        return "unknown"
    return whose((project,), declared)


def _is_comparable(project: Tenant, declared: Sequence[str]) -> bool:
    """Whether every entry says of a project what is known of it."""
    parts = [entry.rpartition("@") for entry in declared]
    has_ids = all(at or ident.isdecimal() for _, at, ident in parts)
    has_names = all(at or not ident.isdecimal() for _, at, ident in parts)
    return (project.id is not None and has_ids) or (project.name is not None and has_names)


def outsider_names(member: PolicyMember, owner: Owner) -> Mapping[str, str]:
    """What messages name of a project that is not one's own; nothing of any other."""
    project, declared = pool_project(member), tuple(owner.get(GOOGLE_PROJECTS, ()))
    if project is None or whose_project(member, owner) != "outsider":
        return {}
    near = nearest_of(project, declared)
    name = f"project {written(project)}"
    return {
        "vendor": "Google Cloud",
        "outsiders": f"{name} (not {near})" if near else name,
        "owner": ", ".join(declared),
    }
