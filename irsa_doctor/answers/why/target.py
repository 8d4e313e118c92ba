"""Whom is asked about: from the words of the command line to one case of one cluster."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.answers.check.engine import Locate
from irsa_doctor.answers.why.case import Asked, Case, Evidence
from irsa_doctor.answers.why.evidence.tokens import Token, service_account_of
from irsa_doctor.facts import View
from irsa_doctor.facts.lookups.near import did_you_mean
from irsa_doctor.facts.lookups.surroundings import ROLE_ARN
from irsa_doctor.facts.workloads.webhook import FILE, ROLE
from irsa_doctor.model import ServiceAccount, Workload, parse_arn
from irsa_doctor.model.errors import IrsaDoctorError

_LISTED = 10
_FORMS = "NAMESPACE/SERVICEACCOUNT, pod/NAMESPACE/POD or KIND/NAMESPACE/NAME"
_SHORT: Mapping[str, str] = {
    "po": "pod",
    "deploy": "deployment",
    "sts": "statefulset",
    "ds": "daemonset",
    "rs": "replicaset",
    "rc": "replicationcontroller",
    "cj": "cronjob",
}
"""as kubectl abbreviates kinds"""
_ACCOUNTS = ("sa", "serviceaccount")
_NOTHING = Evidence()


class NoTarget(IrsaDoctorError):
    """The name asked for cannot be looked up, or is there several times; the text says which there are."""


def parse_target(text: str) -> Asked:
    """`NAMESPACE/SERVICEACCOUNT`, `KIND/NAMESPACE/NAME` or a subject; raises NoTarget."""
    if named := service_account_of(text):
        return Asked(*named)
    parts = text.split("/")
    if len(parts) == 2 and all(parts):
        return Asked(parts[0], parts[1])
    if len(parts) == 3 and all(parts):
        kind = _kind(parts[0])
        return Asked(parts[1], parts[2], "" if kind in _ACCOUNTS else kind)
    raise NoTarget(f"{text}: expected is {_FORMS}")


def _kind(word: str) -> str:
    low = word.lower()
    one = low.removesuffix("s") if low not in _SHORT else low
    return _SHORT.get(low) or _SHORT.get(one) or one


def find_case(
    view: View, locate: Locate, asked: Asked, cluster: str = "", evidence: Evidence = _NOTHING, *, stated_issuer: str = ""
) -> Case:
    """The case of one target; raises NoTarget where several clusters have it."""
    if not cluster and not stated_issuer and asked.kind and not _is_kind(view, asked.kind):
        # `CLUSTER/NAMESPACE/SERVICEACCOUNT`, as findings call an account
        cluster = next((c.id for c in view.inventory.clusters if asked.kind == c.name.lower()), "")
        asked = Asked(asked.namespace, asked.name, "", asked.role) if cluster else asked
    ids, stated_issuer = _clusters(view, cluster, stated_issuer, evidence)
    if asked.kind:
        return _of_workload(view, locate, asked, ids, evidence)
    key = (asked.namespace, asked.name)
    there = [i for i in ids if (i, *key) in view.inventory.service_account_by_key]
    there = there or [i for i in ids if (i, *key) in view.inventory.workloads_by_service_account]
    there = there or [i for i in ids if (i, *key) in view.inventory.association_by_key]
    if len(there) > 1:
        names = ", ".join(sorted(view.name_of(i) for i in there))
        raise NoTarget(f"{asked.namespace}/{asked.name} is in several clusters, name one with --cluster: {names}")
    chosen = there[0] if there else ids[0] if len(ids) == 1 else ""
    return Case(view, locate, chosen, *key, None, asked.role, evidence, stated_issuer)


def asked_about(target: str, role: str, evidence: Evidence) -> Asked | None:
    """Who is asked about: the target, else whose token it is, else the only one whose calls failed in the log; None where
    nothing says it. Raises NoTarget where the log speaks of several."""
    if target:
        return msgspec.structs.replace(parse_target(target), role=role)
    if isinstance(evidence.token, Token) and evidence.token.subject:
        return Asked(*evidence.token.subject, role=role)
    calls = evidence.trail.calls if evidence.trail else ()
    roles: dict[tuple[str, str], set[str]] = {}
    for event in [event for event in calls if event.error] or calls:
        if account := event.service_account:
            roles.setdefault(account, set()).add(event.role)
    if len(roles) > 1:
        listed = sorted("/".join(account) for account in roles)
        raise NoTarget(f"the log speaks of several service accounts, name one: {', '.join(listed[:_LISTED])}")
    for account, named in roles.items():
        return Asked(*account, role=role or (next(iter(named)) if len(named) == 1 else ""))
    return None


def case_for(view: View, locate: Locate, asked: Asked | None, cluster: str, evidence: Evidence) -> Case:
    """The case of whoever is asked about; where nobody says, of the only service account that it can be, else of none."""
    issuer = evidence.token.issuer if isinstance(evidence.token, Token) and not cluster else ""
    asked = asked or only_account(view, evidence)
    if asked:
        return find_case(view, locate, asked, cluster, evidence, stated_issuer=issuer)
    ids, issuer = _clusters(view, cluster, issuer, evidence)
    return Case(view, locate, ids[0] if len(ids) == 1 else "", "", "", None, "", evidence, issuer)


def _is_kind(view: View, kind: str) -> bool:
    return kind in _SHORT.values() or kind == "job" or any(w.kind.lower() == kind for w in view.inventory.workloads)


def _clusters(view: View, wanted: str, stated_issuer: str, evidence: Evidence) -> tuple[list[str], str]:
    """Ids of the clusters that it may be: the one that is named, that of the token's issuer, else all, the unknown one among
    them; and the issuer, where only that was named."""
    inventory = view.inventory
    if wanted:
        issuer = wanted.removeprefix("https://")
        found = [c.id for c in inventory.clusters if wanted in (c.id, c.name, c.arn) or c.issuer == issuer]
        if found:
            return found, ""
        if not inventory.clusters:
            return [""], issuer if "/" in issuer and not parse_arn(issuer) else ""
        names = sorted(c.name for c in inventory.clusters)
        raise NoTarget(f"--cluster {wanted}: no such cluster; there are {', '.join(names[:_LISTED])}")
    if stated_issuer and (of_issuer := [c.id for c in inventory.clusters_by_issuer.get(stated_issuer, ())]):
        return of_issuer, ""
    known = [*(c.id for c in inventory.clusters), *(a.cluster for a in inventory.service_accounts)]
    everywhere = dict.fromkeys([*known, *(w.cluster for w in inventory.workloads)])
    return list(everywhere) or [""], ""


def _of_workload(view: View, locate: Locate, asked: Asked, ids: Sequence[str], evidence: Evidence) -> Case:
    wanted = (asked.kind, asked.namespace, asked.name)
    found = [w for w in view.inventory.workloads if w.cluster in ids and (w.kind.lower(), w.namespace, w.name) == wanted]
    if len(found) > 1:
        names = ", ".join(sorted(view.name_of(w.cluster) for w in found))
        raise NoTarget(f"{'/'.join(wanted)} is there several times, name a cluster with --cluster: {names}")
    if found:
        return _case(view, locate, found[0], asked.role, evidence)
    cluster = ids[0] if len(ids) == 1 else ""
    return Case(view, locate, cluster, asked.namespace, "", None, asked.role, evidence, absent=_absent(view, asked, cluster))


def _absent(view: View, asked: Asked, cluster: str) -> str:
    """What is said of a workload that is not there."""
    name = f"{asked.kind}/{asked.namespace}/{asked.name}"
    there = sorted({f"{w.kind.lower()}/{w.namespace}/{w.name}" for w in view.inventory.workloads if cluster in ("", w.cluster)})
    same = [one for one in there if one.startswith(f"{asked.kind}/")][:_LISTED]
    hint = did_you_mean(name, there) or (f" There are {', '.join(same)}." if same else "")
    return f"{name} is not among what was given.{hint}"


def _case(view: View, locate: Locate, workload: Workload, role: str = "", evidence: Evidence = _NOTHING) -> Case:
    return Case(view, locate, workload.cluster, workload.namespace, workload.service_account, workload, role, evidence)


def only_account(view: View, evidence: Evidence) -> Asked | None:
    """The service account that a message without a target is about: the one whose role the message names, else the only one
    that names a role."""
    naming = [account for account in view.inventory.service_accounts if account.annotations.get(ROLE_ARN)]
    said = {symptom.details["role"] for symptom in evidence.symptoms if symptom.details.get("role")}
    of_role = [a for a in naming if str(a.annotations[ROLE_ARN]).rpartition("/")[2] in said]
    found = of_role if said and len(of_role) == 1 else naming
    return Asked(found[0].namespace, found[0].name) if len(found) == 1 else None


def cases_of(view: View, locate: Locate, cluster: str = "", evidence: Evidence = _NOTHING) -> Iterator[Case]:
    """Every service account and workload that has to do with a role: by annotation, association, trust, or its environment."""
    ids, _ = _clusters(view, cluster, "", _NOTHING)
    told: set[tuple[str, str, str]] = set()
    for account in view.inventory.service_accounts:
        key = (account.cluster, account.namespace, account.name)
        if account.cluster in ids and _concerns(view, account):
            told.add(key)
            yield Case(view, locate, *key, None, "", evidence)
    for workload in view.inventory.workloads:
        key = (workload.cluster, workload.namespace, workload.service_account)
        if workload.cluster in ids and key not in told and not workload.over and not workload.owner and _sets_a_role(workload):
            yield _case(view, locate, workload, "", evidence)


def _concerns(view: View, account: ServiceAccount) -> bool:
    key = (account.cluster, account.namespace, account.name)
    trusted = view.trusted_by_name.get((view.issuer_of(account.cluster), account.subject))
    return bool(account.annotations or trusted) or key in view.inventory.association_by_key


def _sets_a_role(workload: Workload) -> bool:
    annotated = ROLE_ARN in workload.annotations or ROLE_ARN in workload.own_annotations
    return annotated or any(ROLE in container.env or FILE in container.env for container in workload.containers)
