"""The answer of `who-can`, as text and as JSON."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from irsa_doctor.answers.missing import MissingInput
from irsa_doctor.answers.reach.records import ReachRow
from irsa_doctor.answers.who_can import OtherPrincipal, ProviderGrant, WhoCan
from irsa_doctor.model import parse_arn
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns, on_one_line, wrapped
from irsa_doctor.reports.json import ToolRecord, json_text, tool
from irsa_doctor.reports.reach import reach_lines
from irsa_doctor.reports.style import Style
from irsa_doctor.reports.ways import way_lines
from irsa_doctor.trust import SUBJECT_PREFIX, is_subject
from irsa_doctor.trust.contested import POINTS

_SHOWN = 20
_LABEL = 14
_STRONG, _FAINT, _UNKNOWN = "1", "2", "1;35"
_COLOURS = {
    "nobody": "2",
    "one": "32",
    "several": "32",
    "namespace": "33",
    "namespaces": "31",
    "cluster": "1;31",
    "pattern": "33",
    "anyone": "1;31",
    "unknown": _UNKNOWN,
}

_RING_COLOURS = {"nobody": "2", "workload": "32", "ref": "32", "platform": "1;31", "world": "1;31", "unknown": _UNKNOWN}
_WHOSE = {
    "yours": "declared as yours",
    "outsider": "not declared as yours",
    "mixed": "some are declared as yours, some are not",
}


class WhoCanDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor who-can -f json`."""

    schema: str
    tool: ToolRecord
    role: str
    grants: Sequence[ProviderGrant]
    others: Sequence[OtherPrincipal]
    problem: str | None
    unknown: Sequence[MissingInput]
    ring: str
    reach_complete: bool
    reach: Sequence[ReachRow] | None


def render_who_can_json(answer: WhoCan, style: Style) -> str:
    """Returns the document; it does not depend on the style."""
    document = WhoCanDocument(
        schema="irsa-doctor.who-can/1",
        tool=tool(),
        role=answer.role,
        grants=answer.grants,
        others=answer.others,
        problem=answer.problem,
        unknown=answer.unknown,
        ring=answer.ring,
        reach_complete=answer.reach.complete,
        reach=answer.reach.rows,
    )
    return json_text(document)


def render_who_can_text(answer: WhoCan, style: Style) -> str:
    """Returns the role and the reach of each provider in words, with the exact patterns; then other principals."""
    lines = list(_colored(f"{_role(answer.role)} can be assumed by", style, "", _STRONG))
    for grant in answer.grants:
        lines += ["", *_grant(grant, style)]
    lines += reach_lines(answer.reach.rows, style)
    if answer.unknown:
        lines += ["", *_colored("undetermined, because inputs are missing", style, "", _UNKNOWN)]
    for missing in answer.unknown:
        lines += _field("missing", missing.missing, style)
        lines += way_lines(missing.how, missing.addition, style, "who-can")
    if not answer.grants and not answer.unknown:
        lines += ["", *_colored("no service account", style, "", _COLOURS["nobody"])]
    if answer.others:
        lines += ["", *_colored("other principals, as far as the conditions of their statements allow", style, "", _STRONG)]
        for other in answer.others:
            lines += _colored(_other(other), style)
    if answer.problem:
        lines += ["", *_colored(f"IAM refuses to save this policy: {answer.problem}", style, "", _UNKNOWN)]
    return "\n".join(lines) + "\n"


def _colored(text: str, style: Style, indent: str = "  ", colour: str = "") -> Iterator[str]:
    for line in wrapped(on_one_line(text, for_terminal), style.width - len(indent)):
        yield indent + (style.paint(line, colour) if colour else line)


def _role(ident: str) -> str:
    arn = parse_arn(ident)
    if arn and arn.kind == "role":
        return f"role {arn.name} in account {arn.account}"
    return f"the role of policy {ident}"


def _head(grant: ProviderGrant, style: Style) -> Iterator[str]:
    """How far the grant reaches, and whose the admitted are."""
    if grant.issuer_kind == "other" and grant.reaches and not grant.why:
        yield from _colored(grant.reaches, style, "", _RING_COLOURS.get(grant.ring, "33"))
        yield from _field("admitted", _scope(grant), style)
    else:
        yield from _colored(_scope(grant), style, "", _COLOURS[grant.subjects.scope])
    if grant.whose != "unknown":
        yield from _field("whose", _WHOSE[grant.whose], style)


def _grant(grant: ProviderGrant, style: Style) -> Iterator[str]:
    yield from _head(grant, style)
    if grant.why:
        yield from _field("reason", grant.why, style)
    label = "possibly" if grant.why else "subjects" if grant.subjects.exact else "at most"
    yield from _list(label, _patterns(grant), style)
    yield from _list("except", grant.subjects.without, style)
    if "${*}" in "".join(grant.subjects.patterns) or "${?}" in "".join(grant.subjects.patterns):
        yield from _field("", "${*} and ${?} are literal characters, which no name contains", style)
    witness = grant.subjects.witness
    if witness and witness not in grant.subjects.patterns:
        yield from _field("for example", witness, style)
    if grant.audiences.any:
        yield from _field("audiences", "every client id of the provider", style)
    else:
        yield from _list("audiences", grant.audiences.values, style)
    for pair in grant.by_audience or ():
        yield from _field("", f"with {', '.join(pair.audiences)}: {_shortened(pair.subjects)}", style)
    yield from _field("issuer", grant.issuer or "unknown", style)
    if grant.clusters:
        yield from _field("in the input", _in_input(grant), style)
    if grant.depends_on:
        yield from _field("only if", f"the conditions on {', '.join(grant.depends_on)} are true", style)
    for point in grant.contested:
        text = f"AWS does not document {POINTS.get(point, point)} ({point}); the widest reading is shown"
        yield from _field("not certain", text, style)


def _scope(grant: ProviderGrant) -> str:
    """The reach of a grant in words."""
    if grant.issuer_kind == "other":
        who, whose = "subject", f"of {grant.issuer}"
        many = {"pattern": f"any subject {whose} that matches a pattern", "anyone": f"every subject {whose}"}
    else:
        named = f"cluster {', '.join(grant.clusters)}" if grant.clusters else "the cluster with the issuer below"
        who, whose = "service account", f"of {named}"
        many = {
            "namespace": f"any number of service accounts in namespace {_namespace(grant)} {whose}",
            "namespaces": f"any number of service accounts in more than one namespace {whose}",
            "cluster": f"every service account {whose}",
        }
    scope = grant.subjects.scope
    several = _counted_by_name(grant)
    reach = {
        "nobody": f"no {who} {whose}",
        "one": f"one {who} {whose}",
        "several": f"{several or 'several'} {who}s {whose}",
        "unknown": f"undetermined {who}s {whose}",
        **many,
    }[scope]
    if scope in ("nobody", "unknown"):
        return reach
    # the widest reach is shown
    return f"{'possibly ' if grant.contested else ''}{reach}{', if further conditions are true' if grant.depends_on else ''}"


def _namespace(grant: ProviderGrant) -> str:
    """The only admitted namespace: that of the witness."""
    return (grant.subjects.witness or "").removeprefix(SUBJECT_PREFIX).partition(":")[0]


def _counted_by_name(grant: ProviderGrant) -> int:
    """The number of subjects if all are literals, else 0."""
    patterns = grant.subjects.patterns
    if grant.subjects.without or not grant.subjects.exact or any(char in "*?$" for text in patterns for char in text):
        return 0
    return len(patterns) if grant.issuer_kind == "other" else sum(map(is_subject, patterns))


def _patterns(grant: ProviderGrant) -> Sequence[str]:
    if grant.subjects.patterns == ("*",):
        return ("all of them",) if grant.subjects.exact else ("all of them, as an upper bound",)
    return grant.subjects.patterns


def _in_input(grant: ProviderGrant) -> str:
    count, names = len(grant.service_accounts), grant.service_accounts
    if not grant.known:
        return "no service account of this cluster"
    return f"{count} of {grant.known} service accounts" + (f": {_shortened(names)}" if names else "")


def _other(other: OtherPrincipal) -> str:
    if other.type == "Service":
        extra = " (EKS Pod Identity)" if other.value == "pods.eks.amazonaws.com" else ""
        return f"service {other.value}{extra}"
    if other.type == "Federated":
        return f"identity provider {other.value}"
    return "every AWS principal of any account" if other.value == "*" else f"AWS principal {other.value}"


def _shortened(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _list(label: str, values: Sequence[str], style: Style) -> Iterator[str]:
    more = (f"and {len(values) - _SHOWN} more",) if len(values) > _SHOWN else ()
    for number, value in enumerate((*values[:_SHOWN], *more)):
        yield from _field(label if number == 0 else "", value, style)


def _field(label: str, text: str, style: Style) -> Iterable[str]:
    """A value behind its label, or below it on a narrow terminal."""
    narrow = style.width < 4 * _LABEL
    hang = "    " if narrow else " " * (_LABEL + 2)
    lines = wrapped(on_one_line(text, for_terminal), style.width - columns(hang))
    head = f"  {style.paint(f'{label:<{_LABEL}}'.rstrip() if narrow else f'{label:<{_LABEL}}', _FAINT)}"
    if narrow:
        return ([head] if label else []) + [hang + line for line in lines]
    first, *rest = lines or [""]
    return [f"{head}{first}".rstrip(), *(hang + line for line in rest)]
