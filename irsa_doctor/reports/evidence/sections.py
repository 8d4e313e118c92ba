"""The sections of a page of evidence after its controls: accounts, waivers, what was not checked, method and hashes."""

import shlex
from collections.abc import Iterator, Mapping

from irsa_doctor.answers.audit.evidence import AuditEvidence
from irsa_doctor.reports.counting import counted
from irsa_doctor.reports.escape import for_xml
from irsa_doctor.reports.evidence.page import ITEM_LIMIT
from irsa_doctor.reports.evidence.wording import by_severity_words, population_statement, rule_title, sampling_statement
from irsa_doctor.reports.html_tables import html_row, html_table


def accounts_section(evidence: AuditEvidence, address: Mapping[str, str]) -> Iterator[str]:
    """Returns the accounts with their unit, state and open findings."""
    yield '<h2 id="accounts" class="page">Accounts and units</h2>'
    counts = account_counts(evidence)
    head = ("account", "name", "unit", "read", "open findings", "waived")
    rows = []
    for account in evidence.scope.accounts:
        if evidence.account in ("", account.id):
            severities, waived = counts.get(account.id, ({}, 0))
            ident = for_xml(account.id)
            rows.append(
                (
                    f'<a href="{address[account.id]}">{ident}</a>' if account.id in address else ident,
                    for_xml(account.name),
                    for_xml("/".join(account.units)),
                    for_xml("in full" if account.state == "read" else account.state),
                    for_xml(by_severity_words(severities)),
                    f"{waived:,}",
                )
            )
    lines = "".join(html_row(head, row) for row in rows)
    yield f"<table><thead><tr>{''.join(f'<th>{word}</th>' for word in head)}</tr></thead><tbody>{lines}</tbody></table>"


def account_counts(evidence: AuditEvidence) -> Mapping[str, tuple[dict[str, int], int]]:
    """Returns the open findings by severity and the number of waived ones, of each account (twelve digits)."""
    from irsa_doctor.model import parse_arn

    table: dict[str, tuple[dict[str, int], int]] = {}
    last = evidence.period.last
    for (_, subject), notes in evidence.notes.items():
        arn = parse_arn(subject.partition("#")[0])
        for note in notes:
            if arn and note.last_seen == last:
                severities, waived = table.get(arn.account, ({}, 0))
                if note.status == "open":
                    severities[note.severity] = severities.get(note.severity, 0) + 1
                table[arn.account] = (severities, waived + (note.status == "waived"))
    return table


def waivers_section(evidence: AuditEvidence) -> Iterator[str]:
    """Returns every waiver of the last run: who owns it, who accepted it, why and until when."""
    yield '<h2 id="waivers" class="page">Waivers</h2>'
    if not evidence.waivers:
        yield "<p>The settings of the run have no waivers.</p>"
        return
    head = ("rule", "subject", "owner", "accepted by", "reason", "until", "in use")
    rows = (
        (
            w["rule"],
            w["subject"],
            w["owner"],
            w["accepted_by"] or "nobody",
            w["reason"],
            w["expires"],
            "yes" if w["used"] else "no",
        )
        for w in sorted(evidence.waivers, key=lambda waiver: waiver["expires"])
    )
    yield html_table(head, rows)


def uncontrolled_section(evidence: AuditEvidence) -> Iterator[str]:
    """Returns the findings that no control of a framework names."""
    for framework in evidence.frameworks:
        if framework.uncontrolled:
            number = counted(len(framework.uncontrolled), "open finding")
            yield f"<h3>No control of {for_xml(framework.title)} names this</h3>"
            yield f"<details><summary>{number}</summary>"
            rows = ((u.note.severity, rule_title(u.note.rule), u.subject) for u in framework.uncontrolled[:ITEM_LIMIT])
            yield html_table(("severity", "finding", "subject"), rows)
            yield "</details>"


def scope_section(evidence: AuditEvidence) -> Iterator[str]:
    """Returns what was not checked: accounts, clusters, missing inputs, controls that no rule bears on."""
    scope = evidence.scope
    yield '<h2 id="scope" class="page">What was not checked</h2>'
    yield "<p>Nothing on this page passed or failed. What was open before and could not be checked now is still open.</p>"
    yield "<h3>Accounts</h3>"
    rows = [(a.id, a.name, a.state, a.why or "-", a.taken or "-") for a in scope.unread_accounts]
    head = ("account", "name", "state", "why", "read or tried at")
    yield html_table(head, rows) if rows else "<p>Every account was read in full.</p>"
    yield "<h3>Clusters</h3>"
    clusters = [(c.arn, c.state, c.why or "-") for c in scope.unread_clusters]
    yield html_table(("cluster", "state", "why"), clusters) if clusters else "<p>Every known cluster was read in full.</p>"
    yield "<h3>Regions</h3>"
    regions = [(r.account, r.name, r.why or "-") for r in scope.unread_regions]
    none = "<p>The clusters of every region that was to be read were listed.</p>"
    yield html_table(("account", "region", "why"), regions) if regions else none
    yield "<h3>Inputs that rules need</h3>"
    missing = [
        (str(m["missing"]), f"{m['subjects']:,}", ", ".join(m["rules"]) or "-", str(m["how"]) or "-") for m in scope.missing
    ]
    yield html_table(("missing input", "subjects", "rules", "to get it"), missing) if missing else "<p>None is missing.</p>"
    for framework in evidence.frameworks:
        names = ", ".join(f"{c.id} {c.title or ''}".strip() for c in framework.controls if not c.is_covered)
        if names:
            yield f"<h3>Controls of {for_xml(framework.title)} that no rule bears on</h3><p>{for_xml(names)}.</p>"


def method_section(evidence: AuditEvidence) -> Iterator[str]:
    """Returns how the populations were made, and how anybody verifies that nobody has changed them."""
    run = evidence.run
    yield '<h2 id="method" class="page">Method and hashes</h2>'
    yield f"<p>{for_xml(population_statement(evidence))}</p>"
    if sampling := sampling_statement(evidence):
        yield f"<p>{for_xml(sampling)}</p>"
    rows = {
        "Store": evidence.store,
        "Run": f"{run['id']}, started {run['started']}, finished {run['finished']}, as of {run['as_of']}",
        "Hash of the run (head)": run["hash"],
        "Hash of the run before": run["previous"] or "none: it is the first",
        "Inputs": run["inputs"],
        "Settings": run["settings"],
        "Rules": run["rules_digest"],
        "Program": f"irsa-doctor {run['tool']}",
    }
    yield (
        "<dl>"
        + "".join(f"<dt>{name}</dt><dd><code>{for_xml(str(value))}</code></dd>" for name, value in rows.items())
        + "</dl>"
    )
    yield "<p>To verify that nobody has changed the store since, keep the head elsewhere and run:</p>"
    command = shlex.join(["irsa-doctor", "audit", "verify", "--store", evidence.store, "--head", str(run["hash"])])
    yield f"<pre>{for_xml(command)}</pre>"
