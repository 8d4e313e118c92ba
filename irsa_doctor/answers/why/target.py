"""Finds the case of a target: from the words of the command line to one credential of one cluster."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.answers.check.engine import Locate
from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.case_evidence import CaseEvidence, DiagnosisTarget
from irsa_doctor.answers.why.evidence.tokens import WebIdentityToken, service_account_of
from irsa_doctor.answers.why.runs import is_of_run, issuer_of_run
from irsa_doctor.facts import View
from irsa_doctor.facts.workloads.webhook import FILE_VARIABLE, ROLE_VARIABLE
from irsa_doctor.issuers import profile_of
from irsa_doctor.model import ServiceAccount, Workload, is_provider_of, parse_arn
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.kinds import SHORT_NAMES
from irsa_doctor.model.nearness import nearest

_LISTED = 10
_FORMS = "NAMESPACE/SERVICEACCOUNT, pod/NAMESPACE/POD or KIND/NAMESPACE/NAME"
_SHORT: Mapping[str, str] = {short: plural.removesuffix("s") for short, plural in SHORT_NAMES.items()}
_GROUPS = ("apps", "batch")
_ACCOUNTS = ("sa", "serviceaccount")
_NO_EVIDENCE = CaseEvidence()


class NoTarget(IrsaDoctorError):
    """A target that is not valid, or that exists several times; the text names those that exist."""


def parse_target(text: str) -> DiagnosisTarget:
    """The target in `NAMESPACE/SERVICEACCOUNT`, `KIND/NAMESPACE/NAME` or the subject of a token; raises NoTarget."""
    if account := service_account_of(text):
        return DiagnosisTarget(*account)
    parts = text.rsplit("/", 2) if parse_arn(text) else text.split("/")
    if len(parts) == 2 and all(parts):
        return DiagnosisTarget(parts[0], parts[1])
    if len(parts) == 3 and all(parts):
        kind = parts[0] if parse_arn(parts[0]) else _kind(parts[0])
        return DiagnosisTarget(parts[1], parts[2], "" if kind in _ACCOUNTS else kind)
    # as `kubectl auth can-i --as` and Helm write it
    meant = text.replace(":", "/") if text.count(":") == 1 and "/" not in text and all(text.split(":")) else ""
    hint = f'. Did you mean "{meant}"?' if meant else ""
    raise NoTarget(f"{text} is not a target; expected {_FORMS}{hint}")


def _kind(word: str) -> str:
    """The kind of a target, also as kubectl writes it with its group: `deployment.apps`."""
    head, _, group = word.lower().partition(".")
    name = head if group in _GROUPS or group.partition(".")[2] in _GROUPS else word.lower()
    singular = name.removesuffix("s") if name not in _SHORT else name
    return _SHORT.get(name) or _SHORT.get(singular) or singular


def target_of(target: str, role: str, evidence: CaseEvidence) -> DiagnosisTarget | None:
    """The target that the user names, else the service account of the token, else the only one whose calls failed in the log.

    None where the evidence names none. Raises NoTarget where the log has several.
    """
    if target:
        return msgspec.structs.replace(parse_target(target), role=role)
    if isinstance(evidence.token, WebIdentityToken) and evidence.token.subject:
        return DiagnosisTarget(*evidence.token.subject, role=role)
    calls = evidence.trail.calls if evidence.trail else ()
    roles: dict[tuple[str, str], set[str]] = {}
    for call in [call for call in calls if call.error] or calls:
        if account := call.service_account:
            roles.setdefault(account, set()).add(call.role)
    return _only_caller(roles, role)


def _only_caller(roles: Mapping[tuple[str, str], Collection[str]], role: str) -> DiagnosisTarget | None:
    if len(roles) > 1:
        names = sorted("/".join(account) for account in roles)
        raise NoTarget(f"the log has calls of several service accounts; name one of {', '.join(names[:_LISTED])}")
    for account, called in roles.items():
        return DiagnosisTarget(*account, role=role or (next(iter(called)) if len(called) == 1 else ""))
    return None


def case_for(
    view: View, locate: Locate, target: DiagnosisTarget | None, cluster: str, evidence: CaseEvidence, *, role: str = ""
) -> Case:
    """The case of a target; without one, of the only service account that it can be, of the token of another issuer, else of
    none. `role` is the one that the user names."""
    issuer = evidence.token.issuer if isinstance(evidence.token, WebIdentityToken) and not cluster else ""
    if issuer and target is None and is_of_no_cluster(view, evidence):
        named = role or _only_role_for(view, issuer)
        return Case(view=view, locate=locate, evidence=evidence, stated_issuer=issuer, stated_role=named)
    if target is None and is_of_run(view, evidence, role or _only_role(view)):
        role = role or _only_role(view)
        own = issuer_of_run(view, evidence, role)
        return Case(view=view, locate=locate, evidence=evidence, stated_issuer=own, stated_role=role, of_run=True)
    if only := target or _only_account(view, evidence):
        return find_case(view, locate, only, cluster, evidence, stated_issuer=issuer)
    ids, issuer = _clusters(view, cluster, issuer)
    ident, role = ids[0] if len(ids) == 1 else "", role or _only_role(view)
    return Case(view=view, locate=locate, cluster_id=ident, evidence=evidence, stated_issuer=issuer, stated_role=role)


def _only_role(view: View) -> str:
    """The role that a message without a service account is about: the only one of the input."""
    return view.roles[0].role.arn if len(view.roles) == 1 else ""


def is_of_no_cluster(view: View, evidence: CaseEvidence) -> bool:
    """Whether the token of the input is of an issuer that is no cluster."""
    token = evidence.token
    if not isinstance(token, WebIdentityToken) or token.subject or not token.sub:
        return False
    known = profile_of(token.issuer)
    return token.issuer not in view.inventory.clusters_by_issuer and not (known and known.is_cluster)


def _only_role_for(view: View, issuer: str) -> str:
    """The only role of the input that names a provider for an issuer, "" where there are none or several."""
    named = [role.role.arn for role in view.roles if any(is_provider_of(arn, issuer) for arn in role.by_provider)]
    return named[0] if len(named) == 1 else ""


def _only_account(view: View, evidence: CaseEvidence) -> DiagnosisTarget | None:
    """The service account that a message without a target is about: the one whose role the message names, else the only one
    that names a role."""
    annotated = [account for account in view.inventory.service_accounts if account.annotations.get(ROLE_ARN)]
    roles = {symptom.details["role"] for symptom in evidence.symptoms if symptom.details.get("role")}
    of_role = [a for a in annotated if str(a.annotations[ROLE_ARN]).rpartition("/")[2] in roles]
    possible = of_role if roles and len(of_role) == 1 else annotated
    return DiagnosisTarget(possible[0].namespace, possible[0].name) if len(possible) == 1 else None


def find_case(
    view: View,
    locate: Locate,
    target: DiagnosisTarget,
    cluster: str = "",
    evidence: CaseEvidence = _NO_EVIDENCE,
    *,
    stated_issuer: str = "",
) -> Case:
    """The case of one target; raises NoTarget where several clusters have it."""
    if not cluster and not stated_issuer and target.kind and not _is_kind(view, target.kind):
        # `CLUSTER/NAMESPACE/SERVICEACCOUNT`, as findings name a service account
        cluster = next((c.id for c in view.inventory.clusters if target.kind in (_kind(c.name), _kind(c.label), c.arn)), "")
        target = DiagnosisTarget(target.namespace, target.name, "", target.role) if cluster else target
    ids, issuer = _clusters(view, cluster, stated_issuer)
    base = Case(view=view, locate=locate, namespace=target.namespace, stated_role=target.role, evidence=evidence)
    if target.kind:
        return _of_workload(base, target, ids)
    ident = _cluster_of_account(view, target, ids)
    return msgspec.structs.replace(base, cluster_id=ident, service_account=target.name, stated_issuer=issuer)


def _is_kind(view: View, kind: str) -> bool:
    return kind in _SHORT.values() or kind == "job" or any(w.kind.lower() == kind for w in view.inventory.workloads)


def _cluster_of_account(view: View, target: DiagnosisTarget, ids: Sequence[str]) -> str:
    """The cluster that has a service account, its workloads, or an association for it; "" where it may be several."""
    key, inventory = (target.namespace, target.name), view.inventory
    tables = (inventory.service_account_by_key, inventory.workloads_by_service_account, inventory.association_by_key)
    having = next(filter(None, ([ident for ident in ids if (ident, *key) in table] for table in tables)), [])
    if len(having) > 1:
        names = ", ".join(sorted(view.label_of(ident) for ident in having))
        raise NoTarget(f"{'/'.join(key)} exists in several clusters; name one with --cluster: {names}")
    return having[0] if having else ids[0] if len(ids) == 1 else ""


def _clusters(view: View, cluster: str, stated_issuer: str) -> tuple[list[str], str]:
    """Ids of the clusters that may be meant: the named one, that of the token's issuer, else all with the unknown one; and the
    issuer, where only that is known."""
    inventory = view.inventory
    if cluster:
        return _named_clusters(view, cluster)
    if stated_issuer and (of_issuer := [c.id for c in inventory.clusters_by_issuer.get(stated_issuer, ())]):
        return of_issuer, ""
    known = [*(c.id for c in inventory.clusters), *(a.cluster for a in inventory.service_accounts)]
    return list(dict.fromkeys([*known, *(w.cluster for w in inventory.workloads)])) or [""], ""


def _named_clusters(view: View, cluster: str) -> tuple[list[str], str]:
    """The clusters of a name, ARN, id or issuer; the issuer itself where no cluster is in the input."""
    clusters, issuer = view.inventory.clusters, cluster.removeprefix("https://")
    if ids := [c.id for c in clusters if cluster in (c.id, c.name, c.arn, c.entry, c.label) or c.issuer == issuer]:
        return ids, ""
    if not clusters:
        return [""], issuer if "/" in issuer and not parse_arn(issuer) else ""
    names = sorted(view.name_of(c.id) for c in clusters)
    raise NoTarget(f"--cluster {cluster}: no such cluster; known clusters: {', '.join(names[:_LISTED])}")


def _of_workload(base: Case, target: DiagnosisTarget, ids: Sequence[str]) -> Case:
    name = (target.kind, target.namespace, target.name)
    workloads = base.view.inventory.workloads
    having = [w for w in workloads if w.cluster in ids and (w.kind.lower(), w.namespace, w.name) == name]
    if len(having) > 1:
        names = ", ".join(sorted(base.view.label_of(w.cluster) for w in having))
        raise NoTarget(f"{'/'.join(name)} exists in several clusters; name one with --cluster: {names}")
    if having:
        return _with_workload(base, having[0])
    if not _is_kind(base.view, target.kind) and (near := nearest(target.kind, _SHORT.values())):
        others = _hint(nearest_targets(base.view, target)) or _hint(near)
        raise NoTarget(f"{'/'.join(name)}: no Kubernetes kind {target.kind}.{others}")
    cluster = ids[0] if len(ids) == 1 else ""
    return msgspec.structs.replace(base, cluster_id=cluster, absent=_absent(base.view, "/".join(name), cluster))


def _with_workload(base: Case, workload: Workload) -> Case:
    return msgspec.structs.replace(
        base,
        cluster_id=workload.cluster,
        namespace=workload.namespace,
        service_account=workload.service_account,
        workload=workload,
    )


def _absent(view: View, name: str, cluster: str) -> str:
    """The sentence that a workload is not in the input, with the nearest that are."""
    kind, *key = name.split("/")
    near = nearest_targets(view, DiagnosisTarget(key[0], key[1], kind), cluster)
    same = [other for other in _workload_names(view, cluster) if other.startswith(f"{kind}/")]
    listed = f" The input has {', '.join(same[:_LISTED])}." if same else ""
    return f"{name} is not in the input.{_hint(near) or listed}"


def _hint(near: Sequence[str]) -> str:
    """Names as a question with a space before it, or ""."""
    quoted = " or ".join(f'"{name}"' for name in near)
    return f" Did you mean {quoted}?" if near else ""


def _workload_names(view: View, cluster: str) -> list[str]:
    workloads = (w for w in view.inventory.workloads if cluster in ("", w.cluster))
    return sorted({f"{w.kind.lower()}/{w.namespace}/{w.name}" for w in workloads})


def _account_names(view: View, cluster: str) -> list[str]:
    accounts = (a for a in view.inventory.service_accounts if cluster in ("", a.cluster))
    return sorted({f"{a.namespace}/{a.name}" for a in accounts})


def nearest_targets(view: View, target: DiagnosisTarget, cluster: str = "") -> tuple[str, ...]:
    """The targets of the input that somebody may have meant: of another kind, of another namespace, or spelt otherwise."""
    key = f"{target.namespace}/{target.name}"
    accounts, workloads = _account_names(view, cluster), _workload_names(view, cluster)
    own = workloads if target.kind else accounts
    other_kinds = [name for name in (*accounts, *workloads) if name == key or name.endswith(f"/{key}")]
    namesakes = [name for name in own if name.rpartition("/")[2] == target.name and _kind_of(name) == target.kind]
    spelt = nearest(f"{target.kind}/{key}" if target.kind else key, own, _NEAR)
    return tuple(dict.fromkeys((*other_kinds, *namesakes, *spelt)))[:_NEAR]


def _kind_of(name: str) -> str:
    return name.partition("/")[0] if name.count("/") == 2 else ""


_NEAR = 3
"""names that a question holds"""


def hint_for(case: Case, target: DiagnosisTarget) -> str:
    """The nearest targets as a question where nothing of the input knows a service account, else ""."""
    if target.kind or case.workload or case.account or case.association or case.workloads or not case.service_account:
        return ""
    return _hint(nearest_targets(case.view, target, case.cluster_id))


def is_misspelt(case: Case, target: DiagnosisTarget) -> bool:
    """Whether a service account can be a slip of the command line alone: no role trusts it either, the input may lack service
    accounts, and it has one with a name that is nearly the same."""
    view, key = case.view, f"{target.namespace}/{target.name}"
    closed = view.inventory.closed.has_kind(case.cluster_id, "serviceaccounts", target.namespace)
    trusted = any(subject == case.own_subject for _, subject in view.trusted_by_name)
    return not closed and not trusted and bool(nearest(key, _account_names(view, case.cluster_id)))


def cases_of(view: View, locate: Locate, cluster: str = "", evidence: CaseEvidence = _NO_EVIDENCE) -> Iterator[Case]:
    """Every service account and workload that has to do with a role: by annotation, association, trust, or its environment."""
    ids, _ = _clusters(view, cluster, "")
    base = Case(view=view, locate=locate, evidence=evidence)
    keys: set[tuple[str, str, str]] = set()
    for account in view.inventory.service_accounts:
        key = (account.cluster, account.namespace, account.name)
        if account.cluster in ids and _concerns(view, account):
            keys.add(key)
            yield msgspec.structs.replace(base, cluster_id=key[0], namespace=key[1], service_account=key[2])
    for workload in view.inventory.workloads:
        key = (workload.cluster, workload.namespace, workload.service_account)
        if workload.cluster in ids and key not in keys and not workload.over and not workload.owner and _sets_a_role(workload):
            yield _with_workload(base, workload)


def _concerns(view: View, account: ServiceAccount) -> bool:
    key = (account.cluster, account.namespace, account.name)
    trusted = view.trusted_by_name.get((view.issuer_of(account.cluster), account.subject))
    return bool(account.annotations or trusted) or key in view.inventory.association_by_key


def _sets_a_role(workload: Workload) -> bool:
    annotated = ROLE_ARN in workload.annotations or ROLE_ARN in workload.own_annotations
    return annotated or any(
        ROLE_VARIABLE in container.env or FILE_VARIABLE in container.env for container in workload.containers
    )
