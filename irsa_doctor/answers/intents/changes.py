"""Compares two intents: who is newly meant to be a role, and who no longer."""

from collections.abc import Iterator, Mapping, Sequence

from irsa_doctor.answers.diff import ChangedSubjects, ChangeKind, Difference, RoleChange
from irsa_doctor.issuers import cluster_profile
from irsa_doctor.model.intents import IntendedCluster, IntendedRole, IntendedSubject, Intent

_Meant = Mapping[tuple[str, str], IntendedSubject]
"""(subject, audience) -> who is meant, of one role and cluster"""


def intent_changes(old: Intent, new: Intent) -> tuple[RoleChange, ...]:
    """The changes of two intents, by role (its ARN) and by provider, or by cluster where the issuer is not written.

    A new name of a cluster is no change: clusters are joined by issuer and ARN. A service account of a namespace that is meant
    as a whole is not new.
    """
    arns = {
        cluster.issuer: cluster.arn for intent in (old, new) for cluster in intent.clusters if cluster.issuer and cluster.arn
    }
    issuers = {arn: issuer for issuer, arn in arns.items()}
    before, after = _by_role(old, issuers), _by_role(new, issuers)
    return tuple(change for role in sorted({*before, *after}) for change in _changes(role, before.get(role), after.get(role)))


def _by_role(intent: Intent, issuers: Mapping[str, str]) -> dict[str, dict[str, _Meant]]:
    clusters = {cluster.name: cluster for cluster in intent.clusters}
    return {role.arn: _by_provider(role, clusters, issuers) for role in intent.roles}


def _by_provider(role: IntendedRole, clusters: Mapping[str, IntendedCluster], issuers: Mapping[str, str]) -> dict[str, _Meant]:
    meant: dict[str, dict[tuple[str, str], IntendedSubject]] = {}
    for subject in role.subjects:
        cluster = clusters[subject.cluster]
        issuer = cluster.issuer or issuers.get(cluster.arn, "")
        place = role.provider(issuer) if issuer else cluster.arn
        if role.via == "pod-identity":
            place, audience = f"EKS Pod Identity of {cluster.arn or issuer}", ""
        else:
            audience = role.audience or cluster.audience or cluster_profile(issuer).audience.default[0]
        meant.setdefault(place, {})[subject.subject, audience] = subject
    return dict(meant)


def _changes(role: str, before: dict[str, _Meant] | None, after: dict[str, _Meant] | None) -> Iterator[RoleChange]:
    kind: ChangeKind | None = "added" if before is None else "removed" if after is None else None
    for place in sorted({*(before or ()), *(after or ())}):
        was, now = (before or {}).get(place, {}), (after or {}).get(place, {})
        gained, lost = _beyond(now, was), _beyond(was, now)
        change: ChangeKind = "widened" if gained else "narrowed" if lost else "same"
        yield RoleChange(
            role=role,
            provider=place,
            change=kind or ("changed" if gained and lost else change),
            gained=_subjects(gained, was),
            lost=_subjects(lost, now),
            audiences=Difference(_audiences(now, was), _audiences(was, now)),
        )


def _beyond(meant: _Meant, other: _Meant) -> list[tuple[str, str]]:
    """The (subject, audience) of one side that the other does not have, nor a whole namespace with them in it."""
    return [key for key, subject in meant.items() if key not in other and (_whole(subject), key[1]) not in other]


def _whole(subject: IntendedSubject) -> str:
    return IntendedSubject(subject.cluster, subject.namespace, "").subject


def _subjects(keys: Sequence[tuple[str, str]], other: _Meant) -> ChangedSubjects:
    patterns = tuple(dict.fromkeys(subject for subject, _ in keys))
    if not patterns:
        return ChangedSubjects()
    same = patterns[0] in {subject for subject, _ in other}
    return ChangedSubjects(
        patterns=patterns, witness=patterns[0].replace("*", "a"), witness_audience=keys[0][1] if same else None
    )


def _audiences(meant: _Meant, other: _Meant) -> tuple[str, ...]:
    known = {audience for _, audience in other}
    return tuple(dict.fromkeys(audience for _, audience in meant if audience and audience not in known))
