"""Each command as a function: what other programs call, and all that the command line calls."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from irsa_doctor.engine import evaluate
from irsa_doctor.facts import View, derive
from irsa_doctor.findings import Counts, DocumentRow, Finding, Location, Report, Subject
from irsa_doctor.model import Document, Inventory, Place, parse_arn
from irsa_doctor.rulebook import digest, shipped_rules
from irsa_doctor.sources import load
from irsa_doctor.trust.languages import EVERYTHING, Finite, contains, spell
from irsa_doctor.trust.subjects import PREFIX
from irsa_doctor.version import __version__


class NoSuchRole(Exception):
    """The role asked for is not there, or its name is not enough."""


def check(
    paths: Sequence[str],
    *,
    stdin: bytes | None = None,
    roles: Mapping[str, str] = {},
    clusters: Mapping[str, str] = {},
    account: str | None = None,
    complete: Collection[str] = (),
    select: Collection[str] = (),
    ignore: Collection[str] = (),
) -> Report:
    """Load, derive, evaluate. `select` and `ignore` are rule ids; the rest as for `sources.load`."""
    loaded = load(paths, stdin=stdin, roles=roles, clusters=clusters, account=account, complete=complete)
    rules = [rule for rule in shipped_rules() if (not select or rule.id in select) and rule.id not in ignore]

    def locate(place: Place) -> tuple[int, int, int, int, str]:
        span = loaded.documents.locate(place)
        return span.line, span.column, span.end_line, span.end_column, span.source

    view = View(loaded.inventory)
    outcome = evaluate(rules, derive(view), locate)
    unreadable = [_unreadable(document) for document in loaded.inventory.documents if document.status == "unreadable"]
    return Report(
        __version__,
        digest(),
        _counts(loaded.inventory),
        tuple((*unreadable, *outcome.findings)),
        tuple(outcome.unknown),
        tuple(outcome.tallies),
        (),
        tuple(DocumentRow(d.path, d.kind, d.status, d.why, d.sha256) for d in loaded.inventory.documents),
    )


def _unreadable(document: Document) -> Finding:
    why = document.why or "it could not be read"
    place = Location(document.path, document.line, document.column, "", why, True)
    return Finding(
        "input-unreadable",
        "high" if document.named or document.like_policy else "medium",
        "high",
        "A document could not be read",
        f"{document.path}: {why}",
        Subject("document", document.path),
        (place,),
        "Mend the document, or leave it out of the paths given.",
        {},
        "",
        msgspec.json.encode(["input-unreadable", document.path, why]).hex()[:32],
        (),
        document.path,
    )


def _counts(inventory: Inventory) -> Counts:
    return Counts(
        len({document.path for document in inventory.documents}),
        sum(bool(role.arn) for role in inventory.roles),
        sum(not role.arn for role in inventory.roles),
        len(inventory.providers),
        len(inventory.clusters),
        len(inventory.service_accounts),
        len(inventory.workloads),
    )


def who_can(role: str, paths: Sequence[str], *, stdin: bytes | None = None) -> dict[str, object]:
    """Who can assume a role (ARN, name, or path of a bare policy): the document of cli.md; raises NoSuchRole."""
    loaded = load(paths, stdin=stdin)
    view = View(loaded.inventory)
    found = [a for a in view.roles if role in (a.role.arn, a.role.id)] or [a for a in view.roles if a.role.name == role]
    if len(found) != 1:
        raise NoSuchRole(
            f"{role}: " + (f"{len(found)} roles have this name, give the ARN" if found else "no such role in what was given")
        )
    analysed = found[0]
    grants = []
    for provider, admitted in sorted(analysed.by_provider.items()):
        arn = parse_arn(provider)
        issuer = arn.name if arn else ""
        spelt, audiences = spell(admitted.subjects), spell(admitted.audiences)
        kind = "other" if not admitted.kubernetes else "eks" if issuer.startswith("oidc.eks.") else "kubernetes"
        pairs = [{"audiences": list(spell(a).patterns), "subjects": list(spell(s).patterns)} for a, s in admitted.cells]
        grants.append(
            {
                "provider": provider,
                "issuer": "https://" + issuer,
                "issuer_kind": kind,
                "audiences": {"any": admitted.audiences == EVERYTHING, "values": list(audiences.patterns)},
                "subjects": {
                    "scope": admitted.reach.scope or "unknown",
                    "patterns": list(spelt.patterns),
                    "except": list(spelt.without),
                    "witness": admitted.reach.witness,
                },
                "by_audience": pairs if len(pairs) > 1 else None,
                "service_accounts": _admitted_accounts(view, issuer, admitted.subjects),
                "depends_on": list(admitted.depends_on),
                "contested": list(admitted.contested),
            }
        )
    others = []
    for statement in analysed.policy.statements if analysed.policy else ():
        if statement.allow:
            others += [{"type": "AWS", "value": str(v)} for v in statement.aws]
            others += [{"type": "Service", "value": str(v)} for v in statement.service]
    return {
        "schema": "irsa-doctor.who-can/1",
        "tool": {"version": __version__, "rules_digest": digest()},
        "role": analysed.role.id,
        "grants": grants,
        "others": sorted(others, key=lambda o: (o["type"], o["value"])),
    }


def _admitted_accounts(view: View, issuer: str, subjects: object) -> list[str]:
    ids = []
    for cluster in view.inventory.clusters_by_issuer.get(issuer, ()):
        if isinstance(subjects, Finite):
            keys = [(cluster.id, *s.removeprefix(PREFIX).split(":", 1)) for s in subjects.values if s.startswith(PREFIX)]
            there = [view.inventory.service_account_by_key[key] for key in keys if key in view.inventory.service_account_by_key]  # type: ignore[index]
        else:
            there = [a for a in view.inventory.service_accounts if a.cluster == cluster.id and contains(subjects, a.subject)]  # type: ignore[arg-type]
        ids += [f"{cluster.name}/{a.namespace}/{a.name}" for a in there]
    return sorted(ids)
