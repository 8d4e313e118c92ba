"""Who can assume a role: for people, and for other programs."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from irsa_doctor.answers.who_can import Open, Other, ProviderGrant, WhoCan
from irsa_doctor.model import parse_arn
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns, on_one_line, wrapped
from irsa_doctor.reports.json import Tool, tool, written
from irsa_doctor.reports.style import Style
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


class WhoCanDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor who-can -f json`."""

    schema: str
    tool: Tool
    role: str
    grants: Sequence[ProviderGrant]
    others: Sequence[Other]
    problem: str | None
    unknown: Sequence[Open]


def render_who_can_json(answer: WhoCan, style: Style) -> str:
    """The document; nothing in it depends on how it is shown."""
    document = WhoCanDocument(
        "irsa-doctor.who-can/1", tool(), answer.role, answer.grants, answer.others, answer.problem, answer.unknown
    )
    return written(document)


def render_who_can(answer: WhoCan, style: Style) -> str:
    """The answer first, role and reach in words; then what the words stand for, provider by provider; then other principals."""
    lines = list(_said(f"{_role(answer.role)} can be assumed by", style, "", _STRONG))
    for grant in answer.grants:
        lines += ["", *_grant(grant, style)]
    if answer.unknown:
        lines += ["", *_said("nobody knows whom", style, "", _UNKNOWN)]
    for missing in answer.unknown:
        lines += _field("missing", missing.missing, style)
        lines += [f"  {style.paint('get it:', '32')}", f"    {for_terminal(missing.how)}"] if missing.how else []
    if not answer.grants and not answer.unknown:
        lines += ["", *_said("nobody who has a token of a service account", style, "", _COLOURS["nobody"])]
    if answer.others:
        lines += ["", *_said("these too, without such a token, where their statements allow it", style, "", _STRONG)]
        for other in answer.others:
            lines += _said(_other(other), style)
    if answer.problem:
        lines += ["", *_said(f"IAM would not save this policy: {answer.problem}", style, "", _UNKNOWN)]
    return "\n".join(lines) + "\n"


def _said(text: str, style: Style, indent: str = "  ", colour: str = "") -> Iterator[str]:
    for line in wrapped(on_one_line(text, for_terminal), style.width - len(indent)):
        yield indent + (style.paint(line, colour) if colour else line)


def _role(ident: str) -> str:
    arn = parse_arn(ident)
    if arn and arn.kind == "role":
        return f"role {arn.name} in account {arn.account}"
    return f"the role of policy {ident}"


def _grant(grant: ProviderGrant, style: Style) -> Iterator[str]:
    yield from _said(_scope(grant), style, "", _COLOURS[grant.subjects.scope])
    if grant.why:
        yield from _field("because", grant.why, style)
    label = "perhaps" if grant.why else "subjects" if grant.subjects.exact else "at most"
    yield from _list(label, _patterns(grant), style)
    yield from _list("but not", grant.subjects.without, style)
    if "${*}" in "".join(grant.subjects.patterns) or "${?}" in "".join(grant.subjects.patterns):
        yield from _field("", "${*} and ${?} are the characters themselves, which no name has", style)
    witness = grant.subjects.witness
    if witness and witness not in grant.subjects.patterns:
        yield from _field("for example", witness, style)
    if grant.audiences.any:
        yield from _field("audiences", "any that the provider accepts", style)
    else:
        yield from _list("audiences", grant.audiences.values, style)
    for pair in grant.by_audience or ():
        yield from _field("", f"with {', '.join(pair.audiences)}: {_some(pair.subjects)}", style)
    yield from _field("issuer", grant.issuer or "not known", style)
    if grant.clusters:
        yield from _field("given now", _given(grant), style)
    if grant.depends_on:
        yield from _field("only if", f"the conditions on {', '.join(grant.depends_on)} hold", style)
    for point in grant.contested:
        said = f"AWS does not document {POINTS.get(point, point)} ({point}); shown is the widest reading"
        yield from _field("not certain", said, style)


def _scope(grant: ProviderGrant) -> str:
    """How far it reaches, in words."""
    if grant.issuer_kind == "other":
        who, whose = "subject", f"of {grant.issuer}"
        many = {"pattern": f"any subject {whose} that fits a pattern", "anyone": f"everybody with a token {whose}"}
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
    said = {
        "nobody": f"no {who} {whose}",
        "one": f"one {who} {whose}",
        "several": f"{several or 'several'} {who}s {whose}",
        "unknown": f"it cannot be told which {who}s {whose}",
        **many,
    }[scope]
    if scope in ("nobody", "unknown"):
        return said
    # what is shown is the widest that it can come to
    return f"{'perhaps ' if grant.contested else ''}{said}{', where further conditions hold' if grant.depends_on else ''}"


def _namespace(grant: ProviderGrant) -> str:
    """The only namespace from which anybody gets in: that of the witness."""
    return (grant.subjects.witness or "").removeprefix(SUBJECT_PREFIX).partition(":")[0]


def _counted_by_name(grant: ProviderGrant) -> int:
    """How many subjects there are where all are spelt out, else 0."""
    patterns = grant.subjects.patterns
    if grant.subjects.without or not grant.subjects.exact or any(char in "*?$" for text in patterns for char in text):
        return 0
    return len(patterns) if grant.issuer_kind == "other" else sum(map(is_subject, patterns))


def _patterns(grant: ProviderGrant) -> Sequence[str]:
    if grant.subjects.patterns == ("*",):
        return ("all of them",) if grant.subjects.exact else ("all of them, for all that can be written down",)
    return grant.subjects.patterns


def _given(grant: ProviderGrant) -> str:
    count, names = len(grant.service_accounts), grant.service_accounts
    if not grant.known:
        return "none: no service accounts of this cluster were given"
    return f"{count} of {grant.known} service accounts" + (f": {_some(names)}" if names else "")


def _other(other: Other) -> str:
    if other.type == "Service":
        extra = " (EKS Pod Identity)" if other.value == "pods.eks.amazonaws.com" else ""
        return f"service {other.value}{extra}"
    if other.type == "Federated":
        return f"identity provider {other.value}"
    return "everybody who has any AWS account" if other.value == "*" else f"AWS principal {other.value}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _list(label: str, values: Sequence[str], style: Style) -> Iterator[str]:
    more = (f"and {len(values) - _SHOWN} more",) if len(values) > _SHOWN else ()
    for number, value in enumerate((*values[:_SHOWN], *more)):
        yield from _field(label if number == 0 else "", value, style)


def _field(label: str, text: str, style: Style) -> Iterable[str]:
    """A value behind its label; below it where the terminal is too narrow for both."""
    narrow = style.width < 4 * _LABEL
    hang = "    " if narrow else " " * (_LABEL + 2)
    lines = wrapped(on_one_line(text, for_terminal), style.width - columns(hang))
    head = f"  {style.paint(f'{label:<{_LABEL}}'.rstrip() if narrow else f'{label:<{_LABEL}}', _FAINT)}"
    if narrow:
        return ([head] if label else []) + [hang + line for line in lines]
    first, *rest = lines or [""]
    return [f"{head}{first}".rstrip(), *(hang + line for line in rest)]
