"""How far the members of policies of Google Cloud reach: those of pools of one's own by their providers, those of clusters by
what they name."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from irsa_doctor.facts.clouds.lookup import CloudLookups
from irsa_doctor.facts.clouds.projects import outsider_names, whose_project
from irsa_doctor.facts.clouds.reaches import CloudReach, reach_of_member
from irsa_doctor.facts.grants.reach import ReachKind
from irsa_doctor.model import RoleBinding, Unknown
from irsa_doctor.trust.clouds.members import MemberForm, PolicyMember

_ENDS = re.compile(r"\s*request\.time\s*<=?\s*timestamp\(\s*['\"]([0-9TZ:.+-]{1,40})['\"]\s*\)\s*")
_OF_CLUSTERS: Mapping[MemberForm, ReachKind] = {"namespace": "group", "cluster": "group", "pool": "organisation"}

_PUBLIC: Mapping[str, Mapping[str, str]] = {
    "allUsers": {"vendor": "Google Cloud", "reaches": "everybody on the internet", "stranger": "a caller without credentials"},
    "allAuthenticatedUsers": {"vendor": "Google", "reaches": "everybody with an account", "stranger": "a new account"},
}
"""what messages say of members who are everybody"""


@lru_cache(maxsize=4096)
def ends(condition: str) -> datetime | None:
    """When a binding ends whose condition is about its end alone, None for any other condition."""
    match = _ENDS.fullmatch(condition)
    try:
        moment = datetime.fromisoformat(match[1]) if match else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def member_reach_facts(lookups: CloudLookups, binding: RoleBinding, member: PolicyMember) -> Mapping[str, Any]:
    """Field of the facts of a member -> its value; of a binding that is over nothing is said."""
    end = ends(binding.condition)
    if member.has_project_id or (end is not None and end < lookups.now):
        return {}
    if member.form == "public":
        return {"ring_counts": True, "reach": "world"}
    is_outsider = whose_project(member, lookups.common.owner) == "outsider"
    if member.is_of_clusters:
        kind = _OF_CLUSTERS.get(member.form, "none")
        return {"ring_counts": True, "reach": kind, "outsider": is_outsider} if kind != "none" or is_outsider else {}
    reach = reach_of_member(lookups, member)
    if isinstance(reach, Unknown):
        return {"ring_counts": True, "reach": reach, "outsider": is_outsider}
    if reach is None:
        return {}
    facts = reach.facts(Unknown(f"what {member.text} means: a condition or a mapping of its pool is not worked out"))
    return {
        **facts,
        "ring_seen": facts["ring_seen"] and not binding.condition,
        "outsider": facts["outsider"] or is_outsider,
    }


def member_reach_names(lookups: CloudLookups, member: PolicyMember) -> Mapping[str, str]:
    """What messages name of how far a member reaches."""
    if member.form == "public":
        return _PUBLIC[member.text]
    outsider = outsider_names(member, lookups.common.owner)
    if member.is_of_clusters:
        return {**_of_clusters(member), **outsider}
    reach = reach_of_member(lookups, member)
    return {**(reach.names() if isinstance(reach, CloudReach) else {}), **outsider}


def _of_clusters(member: PolicyMember) -> Mapping[str, str]:
    reaches = {
        "namespace": f"every service account of the namespace {member.namespace} in every cluster of {member.pool}",
        "cluster": f"every service account of the cluster {member.value}",
        "pool": f"every service account of every cluster of {member.pool}",
    }
    return {
        "vendor": "GKE",
        "reaches": reaches.get(member.form, member.text),
        "open_pattern": member.text.rpartition("/workloadIdentityPools/")[2].partition("/")[2] or member.text,
        "segment": "service account",
        "stranger": f"system:serviceaccount:{member.namespace or 'x'}:x",
    }
