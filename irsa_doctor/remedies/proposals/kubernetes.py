"""Ways to fix Kubernetes objects and what eksctl makes of them: annotations, variables, labels and token volumes."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from irsa_doctor.facts import Evidence
from irsa_doctor.facts.service_accounts.annotations import is_near_key
from irsa_doctor.facts.workloads.webhook import FILE_VARIABLE, LONGEST, ROLE_VARIABLE, SHORTEST
from irsa_doctor.model import Place, ServiceAccount, Workload, is_role_arn, may_be_role_arn, text_of
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.model.edits import EditKind, Safety
from irsa_doctor.remedies.commands import annotate
from irsa_doctor.remedies.edits.records import Wish
from irsa_doctor.remedies.naming import annotation
from irsa_doctor.remedies.proposals.records import FixCase, Proposal, Unfixable
from irsa_doctor.remedies.trust_policy import provider_for
from irsa_doctor.trust import admitted

_TRUE = frozenset({"true", "yes", "y", "on", "1", "enabled", "t"})
_FALSE = frozenset({"false", "no", "n", "off", "0", "disabled", "f"})
_QUOTES = "\"'`\u201c\u201d\u2018\u2019"
_OWN_WORDS = "the author of the object wrote this; only its form changes"
_OTHER_VALUES = "other values of the release, which are not read, may name another role by the right key"


def _account(case: FixCase) -> ServiceAccount:
    """The service account that a finding is about, or what values say of one that is rendered later."""
    evidence = case.judged.evidence()
    place = _place(evidence)
    named = case.view.accounts_called.get(str(evidence.names.get("account")), ())
    for account in (*named, *case.view.inventory.account_templates):
        if _is_at(account, place):
            return account
    raise Unfixable("not-in-source", "the service account is not in the input")


def _is_at(account: ServiceAccount, place: Place) -> bool:
    own = account.place.at("metadata")
    return (own.document, own.part) == (place.document, place.part) and place.pointer.startswith(own.pointer)


def _place(evidence: Evidence) -> Place:
    return evidence.place("annotation" if "annotation" in evidence.places else "account")


def _above(place: Place, levels: int = 1) -> Place:
    return Place(place.document, place.pointer.rsplit("/", levels)[0], place.part)


def _change(place: Place, transform: Callable[[Any], Any]) -> Wish:
    return Wish(place, None, None, transform=transform)


def _one(wish: Wish, safety: Safety, because: str) -> Iterator[Proposal]:
    yield Proposal(wishes=(wish,), safety=safety, because=because)


def _naming(case: FixCase, account: ServiceAccount, role: str, wish: Wish, **said: Any) -> Iterator[Proposal]:
    """A role named on a service account, in its source and by a command."""
    command = annotate(account.namespace, account.name, role)
    commands = (command,) if command else ()
    offered = annotation(case.view, account.namespace, account.name, role) if account.namespace else None
    yield Proposal(wishes=(wish,), commands=commands, offered=offered, **said)


# ---- annotations of service accounts


def _annotation_key(case: FixCase) -> Iterator[Proposal]:
    """The key that is nearly that of the role annotation becomes it."""
    account = _account(case)
    near = [key for key in account.annotations if is_near_key(key)]
    if len(near) != 1 or ROLE_ARN in account.annotations:
        raise Unfixable("ambiguous", "several annotations may be meant to be that of the role")
    value = text_of(account.annotations[near[0]])
    wish = _change(account.place.at("metadata", "annotations"), partial(_renamed, near[0], ROLE_ARN))
    safety, because = ("unsafe", _OTHER_VALUES) if account.layered else ("safe", _OWN_WORDS)
    yield from _naming(case, account, value, wish, safety=safety, because=because)


def _renamed(old: str, new: str, members: Any) -> Any:
    """Members with another name for one. Raises KeyError where it is not written there, as of values that are set by a path."""
    if old not in members:
        raise KeyError(old)
    return {(new if name == old else name): value for name, value in members.items()}


def _role_value(case: FixCase) -> tuple[ServiceAccount, Place, str]:
    account = _account(case)
    value = account.annotations.get(ROLE_ARN)
    if not isinstance(value, str):
        raise Unfixable("value-unknown", "the value is known only to a template")
    return account, account.place.at("metadata", "annotations", ROLE_ARN), value


def _annotation_value(case: FixCase) -> Iterator[Proposal]:
    """The role ARN without white space, quotes and superfluous colons."""
    account, place, value = _role_value(case)
    trimmed = re.sub(r"\s+", "", value).strip(_QUOTES)
    head, mark, rest = trimmed.partition("role/")
    parts = [part for part in head.split(":") if part]
    right = ":".join([*parts[:3], "", *parts[3:]]) + ":" + mark + rest if len(parts) == 4 else trimmed
    if not is_role_arn(right):
        raise Unfixable("ambiguous", "which role is meant does not follow from the value")
    yield from _naming(case, account, right, Wish(place, value, right), safety="safe", because=_OWN_WORDS)


def _role_arn(case: FixCase) -> Iterator[Proposal]:
    """The ARN of the one role of the same name that admits the service account."""
    account, place, value = _role_value(case)
    issuer = case.view.issuer_of(account.cluster)
    named = value.strip().rpartition("/")[2].lower()
    right = []
    for arn in case.view.arns_by_name.get(named, ()):
        each = case.view.role_by_arn[arn]
        if issuer and each.policy is not None and not each.policy.refused and each.role.arn != value:
            language = admitted(each.policy, provider_for(each.role, issuer), issuer)
            audiences = case.view.default_audiences(issuer)
            if any(language.admits(account.subject, audience) for audience in audiences):
                right.append(each.role.arn)
    if not right:
        raise Unfixable("value-unknown", "no role of this name in the input admits the service account")
    if len(set(right)) > 1:
        raise Unfixable("ambiguous", f"several roles of this name admit it: {', '.join(sorted(set(right)))}")
    because = "the only role of this name that admits the service account"
    yield from _naming(case, account, right[0], Wish(place, value, right[0]), safety="safe", because=because)


def _role_elsewhere(case: FixCase) -> Iterator[Proposal]:
    """The ARN of the one role that admits the service account, in the place of one that does not."""
    account, place, value = _role_value(case)
    roles = [arn for arn in str(case.judged.evidence().names.get("elsewhere") or "").split(", ") if may_be_role_arn(arn)]
    if len(roles) != 1:
        raise Unfixable("ambiguous", f"several roles admit the service account: {', '.join(roles)}")
    if case.view.inventory.is_disputed("service_accounts", account):
        raise Unfixable("ambiguous", "another document has this service account with another role: which counts is not known")
    because = f"pods then get what {roles[0]} may do, and no longer what {value} may do"
    command = annotate(account.namespace, account.name, roles[0])
    commands = (command,) if command else ()
    yield Proposal(wishes=(Wish(place, value, roles[0]),), safety="unsafe", because=because, commands=commands)


def _annotation_added(case: FixCase) -> Iterator[Proposal]:
    account, right = _account(case), str(case.judged.evidence().names.get("right") or "")
    if not right:
        raise Unfixable("ambiguous", "not exactly one role admits the service account")
    because = "that a role admits the service account does not prove that it is meant to have the role"
    wish = _change(account.place.at("metadata"), partial(_annotated, right))
    yield from _naming(case, account, right, wish, safety="unsafe", because=because)


def _annotation_right(case: FixCase) -> Iterator[Proposal]:
    """The only role that admits the service account named on it, by a command: which role the source means is not known."""
    account, right = _account(case), str(case.judged.evidence().names.get("right") or "")
    offered = annotation(case.view, account.namespace, account.name, right)
    if offered is None:
        raise Unfixable("ambiguous", "not exactly one role admits the service account")
    because = "that a role admits the service account does not prove that it is meant to have the role"
    yield Proposal(
        wishes=(), safety="unsafe", because=because, commands=offered.commands, offered=offered, unwritten="no-remedy"
    )


def _annotated(role: str, metadata: Any) -> Any:
    known = metadata.get("annotations") or {}
    return {**metadata, "annotations": {**known, ROLE_ARN: role}}


def _annotation_moved(case: FixCase) -> Iterator[Proposal]:
    """The role goes from the annotations of pods to those of their service account."""
    place = case.judged.evidence().place("annotation_on_pod")
    workload = _annotated_workload(case, place)
    account = case.view.workload_lookups.account_of(workload) if workload else None
    role = text_of(workload.annotations.get(ROLE_ARN) or "") if workload else ""
    if not isinstance(account, ServiceAccount) or not is_role_arn(role):
        raise Unfixable("ambiguous", "the service account of the pods, or the role, is not known")
    present = account.annotations.get(ROLE_ARN)
    if present not in (None, role):
        raise Unfixable("ambiguous", "the service account names another role")
    removed = _change(_above(place, 2), partial(_without, "annotations", ROLE_ARN))
    added = () if present else (_change(account.place.at("metadata"), partial(_annotated, role)),)
    because = "every pod of the service account gets the role"
    yield Proposal(wishes=(removed, *added), safety="unsafe", because=because)


def _annotated_workload(case: FixCase, place: Place) -> Workload | None:
    """The workload that has an annotation at a place."""
    for workload in case.view.inventory.workloads:
        own = workload.place
        if (own.document, own.part) == (place.document, place.part) and place.pointer.startswith(own.pointer):
            return workload
    return None


def _without(block: str, key: str, members: Any) -> Any:
    """An object whose block has a key no more; an empty block goes."""
    left = {name: value for name, value in members[block].items() if name != key}
    if left:
        return {**members, block: left}
    return {name: value for name, value in members.items() if name != block}


# ---- values that the webhook understands


def _understood(case: FixCase) -> Iterator[Proposal]:
    """An annotation gets the value that the webhook understands and that is meant."""
    evidence = case.judged.evidence()
    for name, (kinds, change) in _MEANINGS.items():
        if name in evidence.places and case.judged.kind in kinds:
            place = evidence.place(name)
            yield from _one(_change(_above(place), partial(change, _last(place))), "safe", "it is the value that is meant")


def _last(place: Place) -> str:
    return place.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def _with_value(key: str, meaning: Callable[[str], str], members: Any) -> Any:
    if not isinstance(members, Mapping) or key not in members:
        return members
    new = meaning(str(members[key]))
    return {**members, key: new} if new else members


def _boolean(value: str) -> str:
    word = value.strip().strip(_QUOTES).lower()
    return "true" if word in _TRUE else "false" if word in _FALSE else ""


def _seconds(value: str) -> str:
    text = value.strip().strip(_QUOTES)
    match = re.fullmatch(r"(-?[0-9]{1,12})(?:\.0+)?s?", text)
    return str(min(max(int(match[1]), SHORTEST), LONGEST)) if match else ""


def _names_listed(value: str) -> str:
    return ",".join(name.strip() for name in value.split(",") if name.strip())


_MEANINGS: Mapping[str, tuple[tuple[str, ...], Callable[[str, Any], Any]]] = {
    "regional": (("service-account",), lambda key, members: _with_value(key, _boolean, members)),
    "expiration": (("service-account", "workload"), lambda key, members: _with_value(key, _seconds, members)),
    "skip_containers": (("service-account", "workload"), lambda key, members: _with_value(key, _names_listed, members)),
}
"""the place in the evidence of an annotation -> the kinds of subjects, and what makes the value one that is understood"""


def _annotation_removed(case: FixCase) -> Iterator[Proposal]:
    evidence = case.judged.evidence()
    place = evidence.place("audience" if case.judged.kind == "service-account" else "skip_containers")
    because = "somebody wrote the annotation, perhaps for another reader"
    yield from _one(_change(_above(place, 2), partial(_without, "annotations", _last(place))), "unsafe", because)


# ---- workloads


def _label_removed(case: FixCase) -> Iterator[Proposal]:
    place = case.judged.evidence().place("labels")
    because = "somebody wrote the label to keep the webhook away"
    yield from _one(_change(_above(place, 2), partial(_without, "labels", _last(place))), "unsafe", because)


def _longer_token(case: FixCase) -> Iterator[Proposal]:
    place = case.judged.evidence().place("short_token")
    yield from _one(_change(place, _at_least), "safe", f"{SHORTEST} seconds are the least that the API server takes")


def _at_least(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: SHORTEST if _is_short(name, item) else _at_least(item) for name, item in value.items()}
    return [_at_least(item) for item in value] if isinstance(value, list) else value


def _is_short(name: str, item: Any) -> bool:
    return name == "expirationSeconds" and isinstance(item, int) and item < SHORTEST


def _environment(case: FixCase) -> Iterator[Proposal]:
    """The variables of web identity that somebody wrote by hand go: the webhook sets both."""
    evidence = case.judged.evidence()
    name = next((name for name in ("environment", "role") if name in evidence.places), "")
    annotated = str(evidence.names.get("role") or "")
    if not name or not is_role_arn(annotated):
        raise Unfixable("ambiguous", "the service account names no role that the webhook would set instead")
    place = evidence.place(name)
    by_hand = _roles_by_hand(case, place)
    same = by_hand <= {annotated}
    others = ", ".join(sorted(by_hand))
    because = "the webhook sets the same" if same else f"the container would use {annotated}, not {others}"
    yield from _one(_change(place, _without_variables), "safe" if same else "unsafe", because)


def _roles_by_hand(case: FixCase, place: Place) -> set[str]:
    containers = [c for workload in case.view.inventory.workloads for c in workload.containers if c.place == place]
    return {text_of(value) for container in containers if (value := container.env.get(ROLE_VARIABLE))}


def _without_variables(container: Any) -> Any:
    names = (ROLE_VARIABLE, FILE_VARIABLE)
    left = [item for item in container.get("env") or [] if not (isinstance(item, dict) and item.get("name") in names)]
    if left:
        return {**container, "env": left}
    return {name: value for name, value in container.items() if name != "env"}


def _node_selector(case: FixCase) -> Iterator[Proposal]:
    evidence = case.judged.evidence()
    place = evidence.place("workload")
    workload = next((w for w in case.view.inventory.workloads if w.place.at("metadata", "name") == place), None)
    if workload is None:
        raise Unfixable("not-in-source", "the workload is not in the input")
    because = "pods then run on Windows nodes alone"
    yield from _one(_change(workload.template.at("spec"), _on_windows), "unsafe", because)


def _on_windows(spec: Any) -> Any:
    return {**spec, "nodeSelector": {**(spec.get("nodeSelector") or {}), "kubernetes.io/os": "windows"}}


KUBERNETES_WAYS: Mapping[EditKind, Callable[[FixCase], Iterator[Proposal]]] = {
    "annotation-key": _annotation_key,
    "annotation-value": _annotation_value,
    "annotation-understood": _understood,
    "annotation-added": _annotation_added,
    "annotation-right": _annotation_right,
    "annotation-moved": _annotation_moved,
    "annotation-removed": _annotation_removed,
    "role-arn": _role_arn,
    "annotation-elsewhere": _role_elsewhere,
    "label-removed": _label_removed,
    "environment": _environment,
    "token-volume": _longer_token,
    "node-selector": _node_selector,
}
"""the ways to change Kubernetes objects, by name"""
