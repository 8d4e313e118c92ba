"""Reads network policies of Calico: whether the pods that one selects may connect to STS, and to the agent of EKS Pod Identity.

Rules are taken in order, the first that matches decides, and what no rule allows is denied
(https://docs.tigera.io/calico/latest/reference/resources/networkpolicy,
https://docs.tigera.io/calico/latest/reference/resources/globalnetworkpolicy).
"""

from collections.abc import Callable, Mapping, Sequence

from irsa_doctor.model import EgressPolicy, LabelSelector, Place
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.network import contains_agent
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.text import shapes

_Members = Mapping[str, object]
_GROUPS = ("projectcalico.org/", "crd.projectcalico.org/")
_AGENT_PORT, _HTTPS = 80, 443
_TERM = regex(
    r"""\s*(?P<not>!?)\s*(?:has\(\s*(?P<has>[\w./-]+)\s*\)"""
    r"""|(?P<key>[\w./-]+)\s*(?:(?P<sign>==|!=)\s*(?P<value>"[^"]*"|'[^']*')|(?P<in>(?:not\s+)?in)\s*\{(?P<values>[^}]*)\}))\s*"""
)
_OWN_LABELS = "projectcalico.org/"
"""labels that Calico itself gives to pods; no manifest has them"""
_NAMES_OF_NAMESPACES = ("projectcalico.org/name", "kubernetes.io/metadata.name")
_LONGEST = 2_000
_PODS = ("selector", "notSelector", "namespaceSelector", "serviceAccounts", "services")
"""destinations that are pods, not addresses outside the cluster"""


def is_of_calico(members: _Members) -> bool:
    """Whether an object is one of Calico's; of the kind NetworkPolicy Kubernetes has one too."""
    return str(members.get("apiVersion") or "").startswith(_GROUPS)


def read_calico_policy(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    """A policy of one namespace or of all; one that does not limit egress is left out, as is one of which it cannot be known
    which pods it selects, which the notes of the document name."""
    if not is_of_calico(members):
        return
    metadata, spec = shapes.inner(members, "metadata", place), shapes.inner(members, "spec", place)
    name, rules = shapes.required(metadata, "name", place.at("metadata")), _objects(spec.get("egress"))
    types = spec.get("types")
    if not ("Egress" in types if isinstance(types, list) else bool(rules)):
        return
    selector = pods_selected(str(spec.get("selector") or "all()"))
    namespace = _namespace(kind, metadata, spec)
    if selector is None or namespace is None or spec.get("serviceAccountSelector"):
        reading.passed.append(f"which pods {kind} {name} selects is not evaluated")
        return
    reading.egress_policies.append(
        EgressPolicy(
            kind=kind,
            namespace=namespace,
            name=name,
            selector=selector,
            reaches_agent=_decided(rules, _is_to_agent),
            reaches_sts=_decided(rules, _may_be_to_sts),
            place=place.at("spec"),
        )
    )


def _namespace(kind: str, metadata: _Members, spec: _Members) -> str | None:
    """The namespace of the pods, "" for all, None where labels of namespaces decide."""
    if not kind.startswith("Global"):
        return str(metadata.get("namespace") or "default")
    written = str(spec.get("namespaceSelector") or "all()")
    if written.strip() in ("", "all()"):
        return ""
    term = _TERM.fullmatch(written) if len(written) <= _LONGEST else None
    is_name = term and term["key"] in _NAMES_OF_NAMESPACES and term["sign"] == "==" and not term["not"]
    return term["value"][1:-1] if term and is_name else None


def pods_selected(expression: str) -> LabelSelector | None:
    """The selector of an expression whose terms are joined by `&&`; None for one that is more than that, or about labels that
    Calico makes itself."""
    written = expression.strip()
    if written in ("", "all()"):
        return LabelSelector()
    labels: dict[str, str] = {}
    expressions: list[tuple[str, str, tuple[str, ...]]] = []
    for part in written.split("&&") if len(written) <= _LONGEST else ("",):
        term = _TERM.fullmatch(part)
        key = (term["has"] or term["key"]) if term else ""
        if term is None or key.startswith(_OWN_LABELS) or (term["not"] and not term["has"]):
            return None
        if term["has"]:
            expressions.append((key, "DoesNotExist" if term["not"] else "Exists", ()))
        elif term["sign"] == "==" and key not in labels:
            labels[key] = term["value"][1:-1]
        else:
            values = tuple(value.strip().strip("'\"") for value in (term["values"] or term["value"]).split(","))
            is_in = term["sign"] == "==" or term["in"] == "in"
            expressions.append((key, "In" if is_in else "NotIn", values))
    return LabelSelector(labels, tuple(expressions))


def _decided(rules: Sequence[_Members], fits: Callable[[_Members], bool | None]) -> bool | None:
    """Whether the first rule that fits allows it; None where one that may fit is not the last word, or hands on to others."""
    doubt = False
    for rule in rules:
        action, fit = str(rule.get("action") or "").lower(), fits(rule)
        if action == "log" or fit is False:
            continue
        if action == "pass" or fit is None:
            doubt = True
            continue
        return None if doubt else action == "allow"
    return None if doubt else False


def _is_to_agent(rule: _Members) -> bool | None:
    to = _inside(rule, "destination")
    if any(name in to for name in _PODS):
        return False
    nets, without = to.get("nets"), to.get("notNets")
    if isinstance(nets, list) and not any(contains_agent(net) for net in nets):
        return False
    if isinstance(without, list) and any(contains_agent(net) for net in without):
        return False
    return None if "domains" in to or rule.get("source") else _has_port(rule, to, _AGENT_PORT)


def _may_be_to_sts(rule: _Members) -> bool | None:
    """Whether a rule is about HTTPS to addresses that no pod has; which of them are those of STS is not known."""
    to = _inside(rule, "destination")
    if any(name in to for name in _PODS):
        return False
    port = _has_port(rule, to, _HTTPS)
    some = "nets" in to or "notNets" in to or "domains" in to or bool(rule.get("source"))
    return None if port and some else port


def _has_port(rule: _Members, to: _Members, number: int) -> bool | None:
    """Whether a rule is about a TCP port; None for a port with a name."""
    protocol = str(rule.get("protocol") or "TCP").upper()
    if protocol not in ("TCP", "6") or rule.get("notProtocol"):
        return False if not rule.get("notProtocol") else None
    if _listed(to, "notPorts", number) is not False:
        return False if _listed(to, "notPorts", number) else None
    return _listed(to, "ports", number) if "ports" in to else True


def _listed(to: _Members, member: str, number: int) -> bool | None:
    ports = to.get(member)
    answers = [_is_port(port, number) for port in ports] if isinstance(ports, list) else []
    return True if True in answers else None if None in answers else False


def _is_port(port: object, number: int) -> bool | None:
    first, _, last = str(port).partition(":")
    if not (first.isdecimal() and (last or first).isdecimal()) or len(str(port)) > 11:
        return None
    return int(first) <= number <= int(last or first)


def _inside(members: _Members, name: str) -> _Members:
    value = members.get(name)
    return value if isinstance(value, dict) else {}


def _objects(items: object) -> Sequence[_Members]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
