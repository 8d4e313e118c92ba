"""Who can assume a role: for people, and for other programs."""

from collections.abc import Iterator, Sequence

import msgspec

from irsa_doctor.grantees import Other, ProviderGrant, WhoCan
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.json import Tool, tool, written
from irsa_doctor.reports.style import Style

_SHOWN = 20
_SCOPES = {
    "nobody": ("nobody", "2"),
    "one": ("one service account", "32"),
    "several": ("some service accounts by name", "32"),
    "namespace": ("service accounts of one namespace, by a pattern", "33"),
    "namespaces": ("service accounts of many namespaces, by a pattern", "31"),
    "cluster": ("every service account of the cluster", "1;31"),
    "pattern": ("every subject that fits a pattern", "33"),
    "anyone": ("every subject", "1;31"),
    "unknown": ("cannot be told", "35"),
}


class WhoCanDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor who-can -f json`."""

    schema: str
    tool: Tool
    role: str
    grants: Sequence[ProviderGrant]
    others: Sequence[Other]
    problem: str | None


def render_who_can_json(answer: WhoCan, style: Style) -> str:
    """The document; nothing in it depends on how it is shown."""
    document = WhoCanDocument("irsa-doctor.who-can/1", tool(), answer.role, answer.grants, answer.others, answer.problem)
    return written(document)


def render_who_can(answer: WhoCan, style: Style) -> str:
    """The role, then each provider with whom it lets in, the widest word first."""
    lines = [style.paint(for_terminal(answer.role), "1")]
    if answer.problem:
        lines.append(f"  {style.paint('not to be trusted:', '35')} {for_terminal(answer.problem)}")
    for grant in answer.grants:
        lines += ["", *_grant(grant, style)]
    if not answer.grants:
        lines.append("  nobody by web identity")
    if answer.others:
        lines += ["", "  also, without a web identity:"]
        lines += [f"    {for_terminal(other.type)} {for_terminal(other.value)}" for other in answer.others]
    return "\n".join(lines) + "\n"


def _grant(grant: ProviderGrant, style: Style) -> Iterator[str]:
    words, colour = _SCOPES[grant.subjects.scope]
    if grant.issuer_kind == "other":
        words = words.replace("service account", "subject")
    yield f"  {style.paint(words, colour)}"
    clusters = f" (cluster {', '.join(grant.clusters)})" if grant.clusters else ""
    yield f"    tokens of   {for_terminal(grant.issuer)}{for_terminal(clusters)}"
    yield from _listed("subject", grant.subjects.patterns)
    yield from _listed("but not", grant.subjects.without)
    witness = grant.subjects.witness
    if witness and witness not in grant.subjects.patterns:
        yield f"    for example {for_terminal(witness)}"
    yield from _listed("audience", ("any that the provider lets through",) if grant.audiences.any else grant.audiences.values)
    if grant.by_audience:
        for pair in grant.by_audience:
            yield f"      {for_terminal(', '.join(pair.audiences))}: {for_terminal(', '.join(pair.subjects))}"
    if grant.clusters:
        count = len(grant.service_accounts)
        yield f"    {count} of the service accounts given{': ' if count else ''}{for_terminal(_some(grant.service_accounts))}"
    if grant.depends_on:
        yield f"    only where the conditions on {for_terminal(', '.join(grant.depends_on))} hold"
    if grant.contested:
        yield f"    AWS's documentation is silent on a point that decides here: {', '.join(grant.contested)}"
    if grant.unseen:
        yield f"    hangs on values that are not known: {for_terminal(', '.join(grant.unseen))}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _listed(label: str, values: Sequence[str]) -> Iterator[str]:
    for number, value in enumerate(values[:_SHOWN]):
        yield f"    {label if number == 0 else '':<11} {for_terminal(value)}"
    if len(values) > _SHOWN:
        yield f"    {'':<11} and {len(values) - _SHOWN} more"
