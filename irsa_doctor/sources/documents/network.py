"""Reads network policies: whether the pods that one selects may connect to STS, and to the agent of EKS Pod Identity on their
node.

The agent listens at a link-local address of the node, port 80 (https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html).
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from irsa_doctor.model import EgressPolicy, LabelSelector, Place
from irsa_doctor.sources.documents.agents import AGENT_ADDRESSES
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.text import shapes

_Members = Mapping[str, object]
_PORT = 80
_HTTPS = 443
# https://docs.cilium.io/en/stable/security/policy/language/#entities-based
_ENTITIES = frozenset({"host", "all"})
_OUTSIDE = frozenset({"world", "world-ipv4", "world-ipv6", "all"})
_INSIDE_ONLY = ("toEndpoints", "toNodes")
"""destinations of Cilium that are pods and nodes"""


def read_network_policy(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    """A NetworkPolicy of Kubernetes (https://kubernetes.io/docs/concepts/services-networking/network-policies/); one that does
    not limit egress is left out."""
    spec, rules = shapes.inner(members, "spec", place), shapes.inner(members, "spec", place).get("egress")
    types = spec.get("policyTypes")
    limits = "Egress" in types if isinstance(types, list) else bool(rules)
    if not limits or not _is_of_kubernetes(members, spec):
        return
    policy = _policy(kind, members, place, _selector(_inside(spec, "podSelector")), _any(map(_reaches, _listed(rules))))
    everywhere = any(not rule.get("to") and _has_port(rule.get("ports")) is not False for rule in _listed(rules))
    sts = _any(map(_reaches_sts, _listed(rules)))
    reading.egress_policies.append(msgspec.structs.replace(policy, by_address=not everywhere, reaches_sts=sts))


def _is_of_kubernetes(members: _Members, spec: _Members) -> bool:
    """Whether a NetworkPolicy is that of Kubernetes, not that of Calico, which has no podSelector; the items of a list that an
    API server answers have no apiVersion."""
    version = str(members.get("apiVersion") or "")
    return version.startswith(("networking.k8s.io/", "extensions/")) if version else "podSelector" in spec


def read_cilium_policy(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    """A policy of Cilium, for which the agent is the entity `host`, whatever its address
    (https://github.com/cilium/cilium/issues/34387)."""
    several = [_inside(members, "spec"), *_listed(members.get("specs"))]
    for spec in several:
        rules, denying = spec.get("egress"), spec.get("egressDeny")
        if not isinstance(rules, list) and not isinstance(denying, list):
            continue
        selector = _selector(_inside(spec, "endpointSelector"), prefixed=True)
        # a policy of rules that deny limits what no rule allows too, unless it turns that off
        # (https://docs.cilium.io/en/stable/security/policy/language/#rule-basics)
        unlimited = _inside(spec, "enableDefaultDeny").get("egress") is False
        reaches = True if unlimited else _any(map(_reaches_host, _listed(rules)))
        policy = _policy(kind, members, place, selector, reaches)
        forbids = _any(map(_reaches_host, _listed(denying))) is True
        sts = True if unlimited else _any(map(_reaches_world, _listed(rules)))
        reading.egress_policies.append(msgspec.structs.replace(policy, forbids_agent=forbids, reaches_sts=sts))


def _policy(kind: str, members: _Members, place: Place, selector: LabelSelector, reaches_agent: bool | None) -> EgressPolicy:
    metadata = shapes.inner(members, "metadata", place)
    namespace = "" if "Clusterwide" in kind else shapes.text(metadata, "namespace", place) or "default"
    name = shapes.required(metadata, "name", place.at("metadata"))
    return EgressPolicy(
        kind=kind, namespace=namespace, name=name, selector=selector, reaches_agent=reaches_agent, place=place.at("spec")
    )


def _any(answers: Iterable[bool | None]) -> bool | None:
    listed = list(answers)
    return True if True in listed else None if None in listed else False


def _reaches(rule: _Members) -> bool | None:
    """Whether a rule of egress allows the agent: by its ports, and by a network; selectors of pods never mean a node."""
    peers = rule.get("to")
    to = not peers or any(_holds(_inside(peer, "ipBlock")) for peer in _listed(peers) if "ipBlock" in peer)
    return _has_port(rule.get("ports")) if to else False


def _reaches_sts(rule: _Members) -> bool | None:
    """Whether a rule of egress may allow STS: any block of addresses may be that of an endpoint in the VPC."""
    peers = rule.get("to")
    to = not peers or any("ipBlock" in peer for peer in _listed(peers))
    return _has_port(rule.get("ports"), _HTTPS) if to else False


def _holds(block: _Members) -> bool:
    """Whether a block of addresses has an address of the agent."""
    excepted = block.get("except")
    return any(
        _contains(block.get("cidr"), agent)
        and not any(_contains(cidr, agent) for cidr in (excepted if isinstance(excepted, list) else ()))
        for agent in AGENT_ADDRESSES
    )


def contains_agent(cidr: object) -> bool:
    """Whether a block of addresses has an address of the agent, or may have it."""
    return any(_contains(cidr, agent) for agent in AGENT_ADDRESSES)


def _contains(cidr: object, agent: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return agent in ipaddress.ip_network(str(cidr).strip(), strict=False)
    except ValueError:
        # a placeholder, which may be anything
        return True


def _has_port(ports: object, number: int = _PORT) -> bool | None:
    """Whether a rule allows a TCP port; None for a port with a name."""
    listed = _listed(ports)
    return _any(_is_port(port, number) for port in listed) if listed else True


def _is_port(port: _Members, number: int) -> bool | None:
    if str(port.get("protocol") or "TCP").upper() not in ("TCP", "ANY"):
        return False
    first, last = port.get("port"), port.get("endPort")
    if first in (None, "", "0", 0):
        return True
    if not str(first).isdecimal():
        return None
    return int(str(first)) <= number <= (last if isinstance(last, int) else int(str(first)))


def _reaches_host(rule: _Members) -> bool | None:
    """Whether a rule of Cilium allows the node of the pod; a rule without destination allows every one."""
    entities = rule.get("toEntities")
    to = isinstance(entities, list) and bool(_ENTITIES & set(map(str, entities)))
    if not to and any(name.startswith("to") and name != "toPorts" for name in rule):
        return False
    return _has_port(_cilium_ports(rule))


def _cilium_ports(rule: _Members) -> list[_Members]:
    return [port for entry in _listed(rule.get("toPorts")) for port in _listed(entry.get("ports"))]


def _reaches_world(rule: _Members) -> bool | None:
    """Whether a rule of Cilium may allow an address outside the cluster; a rule without destination allows every one."""
    entities = rule.get("toEntities")
    named = set(map(str, entities)) if isinstance(entities, list) else set[str]()
    others = {name for name in rule if name.startswith("to") and name not in ("toPorts", "toEntities", *_INSIDE_ONLY)}
    limited = bool(named) or any(name in rule for name in _INSIDE_ONLY)
    return _has_port(_cilium_ports(rule), _HTTPS) if others or named & _OUTSIDE or not limited else False


def _selector(members: _Members, *, prefixed: bool = False) -> LabelSelector:
    labels = {_label(key, prefixed): shapes.as_text(value) for key, value in _inside(members, "matchLabels").items()}
    expressions = tuple(
        (_label(str(e.get("key", "")), prefixed), str(e.get("operator", "")), _texts(e.get("values")))
        for e in _listed(members.get("matchExpressions"))
    )
    return LabelSelector(labels, expressions)


def _label(key: str, prefixed: bool) -> str:
    """A key of Cilium without the source of the label."""
    return key.removeprefix("k8s:").removeprefix("any:") if prefixed else key


def _texts(values: object) -> tuple[str, ...]:
    return tuple(map(shapes.as_text, values)) if isinstance(values, list) else ()


def _inside(members: _Members, name: str) -> _Members:
    value = members.get(name)
    return value if isinstance(value, dict) else {}


def _listed(items: object) -> Sequence[_Members]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
