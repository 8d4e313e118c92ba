"""What the members of an IAM policy of Google Cloud mean (https://cloud.google.com/iam/docs/principal-identifiers)."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

import msgspec

from irsa_doctor.model import Text, holes_in
from irsa_doctor.trust.clouds.placeholders import named_text, placeholder_name, placeholder_names, written_text

MemberForm = Literal[
    "account", "subject", "uid", "namespace", "cluster", "pool", "group", "attribute", "person", "public", "malformed", "unseen"
]
"""`account` and `subject` name a service account of Kubernetes, `person` is anything that no pool has: users, groups, service
accounts of Google Cloud; `unseen` is any of these, for a template fills in what would tell"""
MEMBER_ROLES = ("roles/iam.workloadIdentityUser", "roles/iam.serviceAccountTokenCreator", "roles/owner")
"""roles with iam.serviceAccounts.getAccessToken (https://cloud.google.com/iam/docs/understanding-roles)"""
_ACCOUNT = re.compile(r"serviceAccount:(?P<pool>[^\[\]/@]+\.svc\.id\.goog)\[(?P<namespace>[^/\[\]]+)/(?P<name>[^/\[\]]+)\]")
_IN_POOL = re.compile(
    r"(?P<kind>principal|principalSet)://iam\.googleapis\.com/projects/(?P<project>[^/]+)/locations/global"
    r"/workloadIdentityPools/(?P<pool>[^/]+)/(?P<rest>.+)"
)
_PERSON = re.compile(
    r"(?:user|group|serviceAccount|domain|deleted:\w+|projectOwner|projectEditor|projectViewer):[^\[\]]+"
    r"|principal(?:Set)?://(?!iam\.googleapis\.com/projects/).+"
)
_SUBJECT = re.compile(r"subject/ns/([^/]+)/sa/([^/]+)")
_UNSEEN_ACCOUNT = re.compile(r"serviceAccount:(?P<pool>[^\[\]/@]+)\[(?P<namespace>[^/\[\]]+)/(?P<name>[^/\[\]]+)\]")
_PERSON_BEGINS = re.compile(
    r"(?:user|group|serviceAccount|domain|deleted:\w+|projectOwner|projectEditor|projectViewer):[^\[\]]*"
)
_OTHER_PRINCIPAL = re.compile(
    r"principal(?:Set)?://(?:goog|iam\.googleapis\.com/locations|cloudresourcemanager\.googleapis\.com)/"
)
POOL_SUFFIX = ".svc.id.goog"
_OF_CLUSTERS_ALONE = ("account", "uid", "namespace", "cluster")
"""forms that only pools of clusters have"""


class PolicyMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a binding; `project` is what is written where the number of the pool's project belongs, "" in older forms.

    `name` and `namespace` are of a service account of Kubernetes, `value` is a UID, an issuer, a group, a subject, or the value
    of `attribute`. `holes` are the placeholders of a template, each with how the document writes it: their names stand in
    `value` and nowhere else. `project_unseen`: a template fills in the project, perhaps by its id.
    """

    text: str
    form: MemberForm
    pool: str = ""
    project: str = ""
    namespace: str = ""
    name: str = ""
    attribute: str = ""
    value: str = ""
    holes: Mapping[str, str] = {}
    project_unseen: bool = False

    @property
    def is_of_clusters(self) -> bool:
        """Whether it is about the pool of a project's clusters."""
        return self.pool.endswith(POOL_SUFFIX) or self.form in _OF_CLUSTERS_ALONE

    @property
    def has_project_id(self) -> bool:
        """Whether the id of a project is written where only its number counts."""
        return bool(self.project) and not self.project.isdecimal()


@lru_cache(maxsize=16384)
def parse_member(text: str) -> PolicyMember:
    """The meaning of a member; `malformed` where it is of no form that is known."""
    if text in ("allUsers", "allAuthenticatedUsers"):
        return PolicyMember(text=text, form="public")
    if account := _ACCOUNT.fullmatch(text):
        return _of_account(text, account)
    if principal := _IN_POOL.fullmatch(text):
        return _in_pool(text, **principal.groupdict())
    return PolicyMember(text=text, form="person" if _PERSON.fullmatch(text) and POOL_SUFFIX not in text else "malformed")


def _of_account(text: str, account: re.Match[str]) -> PolicyMember:
    return PolicyMember(text=text, form="account", pool=account["pool"], namespace=account["namespace"], name=account["name"])


@lru_cache(maxsize=4096)
def parse_open_member(member: Text) -> PolicyMember:
    """The meaning of a member of a template: what its known parts fix; `unseen` where a placeholder hides the form."""
    holes, named = placeholder_names((member,)), named_text(member)
    parsed = _of_known_form(named)
    if parsed.form == "malformed" or (parsed.attribute and written_text(parsed.attribute, holes) != parsed.attribute):
        return PolicyMember(text=str(member), form="unseen", holes=holes)
    read = {name: written_text(getattr(parsed, name), holes) for name in ("pool", "namespace", "name")}
    value = written_text(parsed.value, holes) if parsed.is_of_clusters else parsed.value
    unseen = [hole for hole in holes_in(member) if placeholder_name(hole) in parsed.project]
    return msgspec.structs.replace(
        parsed,
        text=str(member),
        holes=holes,
        value=value,
        project="" if unseen else parsed.project,
        project_unseen=any("number" not in hole.name for hole in unseen),
        **read,
    )


def _of_known_form(named: str) -> PolicyMember:
    """The meaning of a member with names for its placeholders; a pool of clusters and a person may end in any of them."""
    if account := _UNSEEN_ACCOUNT.fullmatch(named):
        return _of_account(named, account)
    if _PERSON_BEGINS.fullmatch(named) or _OTHER_PRINCIPAL.match(named):
        return PolicyMember(text=named, form="person")
    parsed = parse_member(named)
    return msgspec.structs.replace(parsed, form="malformed") if parsed.form == "person" else parsed


def member_of(member: str | Text) -> PolicyMember:
    """The meaning of a member, whether a template fills in parts of it or not."""
    return parse_open_member(member) if isinstance(member, Text) else parse_member(member)


def _in_pool(text: str, kind: str, project: str, pool: str, rest: str) -> PolicyMember:
    first, slash, value = rest.partition("/")
    if bool(slash) == (first == "*"):
        first = ""  # a whole pool has nothing behind it, and all others have
    read = _PRINCIPALS.get(first) if kind == "principal" else _SETS.get(first)
    if first.startswith("attribute.") and kind == "principalSet" and value:
        fields: Mapping[str, str] | None = {"form": "attribute", "attribute": first, "value": value}
    else:
        fields = read(value) if read else None
    if fields is None:
        fields = {"form": "malformed"}
    return msgspec.convert({"text": text, "pool": pool, "project": project, **fields}, PolicyMember)


def _subject(value: str) -> dict[str, str]:
    named = _SUBJECT.fullmatch(f"subject/{value}")
    names = {"namespace": named[1], "name": named[2]} if named else {}
    return {"form": "subject", "value": value, **names}


def _valued(form: MemberForm) -> Callable[[str], dict[str, str] | None]:
    return lambda value: {"form": form, "value": value} if value else None


_PRINCIPALS: Mapping[str, Callable[[str], Mapping[str, str] | None]] = {
    "subject": _subject,
    "kubernetes.serviceaccount.uid": _valued("uid"),
}
_SETS: Mapping[str, Callable[[str], Mapping[str, str] | None]] = {
    "namespace": lambda value: {"form": "namespace", "namespace": value} if value else None,
    "kubernetes.cluster": _valued("cluster"),
    "*": lambda _: {"form": "pool"},
    "group": _valued("group"),
}


class PodPrincipal(msgspec.Struct, frozen=True, kw_only=True):
    """A service account of Kubernetes as Google Cloud sees it; `pool` is "" where the cluster is not known."""

    pool: str
    namespace: str
    name: str
    uid: str = ""
    issuer: str = ""


MemberMatch = Literal["matches", "project-id", "pool", "name", "malformed", "none"]
MEMBER_NEARNESS: tuple[MemberMatch, ...] = ("matches", "project-id", "malformed", "pool", "name", "none")
"""how near a member is to a service account, the nearest first"""


def member_match(member: PolicyMember, principal: PodPrincipal) -> MemberMatch:
    """Whether a member means a service account; else how near it is to one that does."""
    if member.form == "malformed":
        return "malformed" if principal.name in member.text or POOL_SUFFIX in member.text else "none"
    if member.form in ("person", "public", "group", "attribute", "unseen"):
        return "matches" if member.form == "public" else "none"
    if not _means(member, principal):
        return "name" if member.is_of_clusters and member.form in ("account", "subject", "namespace") else "none"
    if member.pool != principal.pool:
        return "pool" if member.is_of_clusters else "none"
    return "project-id" if member.has_project_id else "matches"


def _means(member: PolicyMember, principal: PodPrincipal) -> bool:
    """Whether the part of a member that is not its pool means a service account."""
    if member.form in ("account", "subject"):
        return (member.namespace, member.name) == (principal.namespace, principal.name)
    if member.form == "namespace":
        return member.namespace == principal.namespace
    if member.form == "uid":
        return bool(principal.uid) and member.value == principal.uid
    if member.form == "cluster":
        return member.value.removeprefix("https://") == principal.issuer
    return member.form == "pool"
