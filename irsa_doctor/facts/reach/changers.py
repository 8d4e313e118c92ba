"""Who may change the link between a service account and a role: annotations, associations, trust policies, aws-auth.

Objects of ACK and Crossplane become IAM roles and associations: whoever may write them writes trust policies
(https://aws-controllers-k8s.github.io/docs/, https://marketplace.upbound.io/providers/upbound/provider-aws-iam).
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from irsa_doctor.authorisation import ClusterIdentity, Permission, allows
from irsa_doctor.authorisation.decisions import EVERYWHERE
from irsa_doctor.authorisation.identities import POLICY, HeldGrant
from irsa_doctor.authorisation.objects import AWS_AUTH
from irsa_doctor.facts.reach.listing import Reachability, subject_name
from irsa_doctor.facts.reach.through import EnablingObject, objects_of
from irsa_doctor.model.access import AccessBinding

ChangedPart = Literal["annotation", "aws-auth", "association", "trust-policy"]
PART_WORDS: Mapping[ChangedPart, str] = {
    "annotation": "annotate the service account",
    "aws-auth": "edit aws-auth",
    "association": "write Pod Identity associations through ACK or Crossplane",
    "trust-policy": "write trust policies through ACK or Crossplane",
}
"""what somebody can do to the link, in words"""
_SHOWN = 5
_WRITES = ("patch", "update")
_OBJECTS: Mapping[ChangedPart, tuple[tuple[str, str], ...]] = {
    "association": (
        ("eks.services.k8s.aws", "podidentityassociations"),
        ("eks.aws.upbound.io", "podidentityassociations"),
        ("eks.aws.m.upbound.io", "podidentityassociations"),
    ),
    "trust-policy": (
        ("iam.services.k8s.aws", "roles"),
        ("iam.aws.upbound.io", "roles"),
        ("iam.aws.m.upbound.io", "roles"),
        ("iam.aws.crossplane.io", "roles"),
    ),
}


class LinkChanger(msgspec.Struct, frozen=True):
    """Somebody who may change a part of the link, and the objects that let them."""

    part: ChangedPart
    identity: ClusterIdentity
    through: tuple[EnablingObject, ...]


def link_changers(reachability: Reachability, cluster: str, namespace: str, account: str) -> Iterator[LinkChanger]:
    """Everybody who is not expected and whom a binding or an access policy itself lets change the link of a service account."""
    standings = reachability.graph.clusters.get(cluster)
    if standings is None:
        return
    for identity in standings.candidates:
        if reachability.is_expected(identity):
            continue
        seen: set[ChangedPart] = set()
        for held in standings.access.own(identity):
            for part in _parts(reachability, cluster, held, namespace, account):
                if part not in seen:
                    seen.add(part)
                    yield LinkChanger(part, identity, tuple(objects_of(standings.access, held)))


def words_of_changers(reachability: Reachability, cluster: str, namespace: str, account: str) -> str:
    """Those who may change the link of a service account, each with what and by which binding; "" where there is nobody."""
    rows: dict[ClusterIdentity, list[LinkChanger]] = {}
    for changer in link_changers(reachability, cluster, namespace, account):
        rows.setdefault(changer.identity, []).append(changer)
    words = [
        f"{subject_name(identity)} ({', '.join(PART_WORDS[item.part] for item in items)}, by {items[0].through[0].words})"
        for identity, items in rows.items()
        if items[0].through
    ]
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def changed_parts(reachability: Reachability, identity: ClusterIdentity, namespace: str, account: str) -> list[ChangedPart]:
    """What somebody may change of the link of a service account, with what the groups give that they are in."""
    access = reachability.graph.clusters[identity.cluster].access
    parts = {
        part for held in access.held(identity) for part in _parts(reachability, identity.cluster, held, namespace, account)
    }
    return [part for part in PART_WORDS if part in parts]


def _parts(reachability: Reachability, cluster: str, held: HeldGrant, namespace: str, account: str) -> Iterator[ChangedPart]:
    standings = reachability.graph.clusters[cluster]
    rules, scope = standings.access.rules(held.grant.role), held.grant.scope
    if not rules or (not isinstance(held.source, AccessBinding) and held.grant.role.kind != POLICY):
        return
    writes_accounts = any(allows(rules, Permission(verb, "", "serviceaccounts"), account) for verb in _WRITES)
    if writes_accounts and scope in (EVERYWHERE, namespace):
        yield "annotation"
    writes_map = any(allows(rules, Permission(verb, "", "configmaps"), AWS_AUTH[1]) for verb in _WRITES)
    if writes_map and scope in (EVERYWHERE, AWS_AUTH[0]) and standings.objects.mode != "API":
        yield "aws-auth"
    for part, objects in _OBJECTS.items():
        if any(allows(rules, Permission(verb, *kind)) for kind in objects for verb in ("create", *_WRITES)):
            yield part
