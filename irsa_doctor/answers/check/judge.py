"""Judges an inventory: rules are evaluated, and what the project has decided is applied to their findings."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain

import msgspec

from irsa_doctor.answers.check.alternatives import joined_with
from irsa_doctor.answers.check.engine import Evaluation, JudgedSubjects, RuleAnswers, answers, evaluate
from irsa_doctor.answers.check.fetching import missing_input
from irsa_doctor.answers.check.lost import only_of
from irsa_doctor.answers.check.order import sort_findings
from irsa_doctor.answers.check.role_accounts import AccountsOfRoles
from irsa_doctor.answers.check.shares import Division, in_shares
from irsa_doctor.answers.places import Locator
from irsa_doctor.facts import Judged, Share, View, derive
from irsa_doctor.facts.inputs.documents import document_facts, without_judgement
from irsa_doctor.governance import comments, waivers
from irsa_doctor.governance.baseline import Entry, NewFindings, without
from irsa_doctor.governance.excused import Excused
from irsa_doctor.governance.governing import Governing
from irsa_doctor.governance.settings import Settings, Waiver
from irsa_doctor.model import PASSED_OVER, Document, Gap, Inventory, Unknown
from irsa_doctor.model.faults import without_breaking
from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES, Counts, DocumentRow, Finding, Missing, Report, Tally, Waived
from irsa_doctor.model.limits import renew
from irsa_doctor.model.moments import rfc3339
from irsa_doctor.model.standards import KeyRun, StandardsContext
from irsa_doctor.remedies import Offers
from irsa_doctor.rulebook.rules import Rule, digest
from irsa_doctor.text.positions import Documents
from irsa_doctor.version import __version__

ShardViewOf = Callable[..., View]
"""what makes a view of an inventory, with what the settings say of issuers"""


class Input(msgspec.Struct, frozen=True):
    """What is judged: an inventory, the texts of its documents, and the paths of those that a change is laid over."""

    inventory: Inventory
    documents: Documents
    base: Collection[str] = ()


class BaseChange(msgspec.Struct, frozen=True):
    """What is known of the change that is judged: the findings of the base alone, what becomes of the settings, and the waivers
    that it proposes, which waive nothing. `at_base` is what the base excused, where that is the most that is excused, and
    `unbounded` the trust policies of which it is newly unknown how far they reach."""

    base_findings: Sequence[Entry] = ()
    settings: Sequence[Judged] = ()
    proposed_waivers: Sequence[Waiver] = ()
    at_base: Excused | None = None
    unbounded: Sequence[Judged] = ()


_NO_CHANGE = BaseChange()


def judge(  # noqa: PLR0913 - what is judged, by what, and what of it is kept
    judged: Input,
    governing: Governing,
    today: date,
    *,
    change: BaseChange = _NO_CHANGE,
    comments_of: comments.TextOf | None = None,
    processes: int = 1,
    lean: bool = False,
    record: JudgedSubjects | None = None,
    key_runs: Mapping[str, tuple[KeyRun, ...]] | None = None,
    shard_view: ShardViewOf | None = None,
) -> Report:
    """The report of `check`; `today`, a day or a moment, decides which waivers have expired. A large inventory is judged in so
    many processes, in one where every subject is added to a `record`. `key_runs` are the keys that earlier audits saw.

    A `lean` report lacks what few readers need: the lines of documents, which text and HTML quote, and the extents of findings,
    which a baseline keeps.

    With a `shard_view` the inventory is one shard: nothing is said of what belongs to the run as a whole, its settings and
    what was not read.
    """
    as_of, today = (rfc3339(today), today.astimezone(UTC).date()) if isinstance(today, datetime) else (today.isoformat(), today)
    settings, inventory = governing.settings, judged.inventory
    written = _written_comments(judged, settings, comments_of)
    all_waivers = (*settings.waivers, *change.proposed_waivers)
    locate = Locator(judged.documents, inventory.documents, all_waivers, written, quotes=not lean)
    division = Division(1 if record else processes, extents=not lean or bool(governing.known or change.base_findings))
    told = (record, StandardsContext(as_of, key_runs or {}), shard_view or View)
    outcome, inventory = _evaluated(inventory, governing, locate, change.unbounded, division, *told)
    ids = ({rule.id for rule in governing.rules}, governing.rule_ids)
    waived = waivers.apply_waivers(outcome.findings, settings.waivers, *ids, today, change.at_base, inventory.gaps)
    commented = comments.apply_comments(waived.findings, written, *ids, change.at_base)
    about = (*waived.waivers, *commented.comments, *change.settings) if shard_view is None else ()
    governed = evaluate(_about_governance(governing), about, locate)
    weakened = evaluate(governing.unfiltered, change.settings, locate)
    rows = tuple([_document_row(row, judged.base) for row in inventory.documents])
    new = without(commented.findings, rows, governing.known, governing.least_severities)
    because = _because_of_change(new.findings, judged.base, rows, change.base_findings)
    filtered = _graded((*because.findings, *governed.findings), settings)
    shown = sort_findings((*filtered, *weakened.findings))
    aside = (*waived.waived, *commented.ignored)
    return Report(
        version=__version__,
        rules_digest=digest(),
        counts=_counts(inventory),
        findings=shown,
        unknown=(*(_of_run(judged, inventory, outcome.unknown) if shard_view is None else ()), *outcome.unknown),
        tallies=_tallies((*outcome.tallies, *_beside(weakened, outcome)), (*governed.tallies, *weakened.tallies), aside),
        waived=aside,
        documents=rows,
        baselined=new.accepted + because.accepted,
        hidden=len(because.findings) + len(governed.findings) - len(filtered),
        limit=next((row.why or "" for row in inventory.documents if row.limited), ""),
        unshown=_by_rule((*commented.findings, *governed.findings)) - _by_rule(filtered),
        subjects=record.listed() if record else (),
        fitting_waivers=waived.used,
        as_of=as_of,
        lean=lean,
    )


def _written_comments(judged: Input, settings: Settings, text_of: comments.TextOf | None) -> Sequence[comments.IgnoreComment]:
    """The comments of the documents that were read, but for those that a change is laid over."""
    own = [row.path for row in judged.inventory.documents if row.status == "read" and row.path not in judged.base]
    return comments.comments_of(own, text_of or commented_texts(judged.documents, settings))


def _of_run(judged: Input, inventory: Inventory, known: Iterable[Missing]) -> tuple[Missing, ...]:
    """What a whole run has not seen, beside what rules have named."""
    return (*_without_base(judged), *unread(inventory, known))


def _document_row(row: Document, base: Collection[str]) -> DocumentRow:
    return DocumentRow(row.path, row.kind, row.status, row.why, row.sha256, row.path in base)


def _evaluated(
    inventory: Inventory,
    governing: Governing,
    locate: Locator,
    unbounded: Sequence[Judged],
    division: Division,
    record: JudgedSubjects | None,
    context: StandardsContext,
    view_of: ShardViewOf,
) -> tuple[Evaluation, Inventory]:
    """What the rules say of an inventory. Where an unexpected error comes of a document, that one is unreadable and the others
    are judged."""
    lost: dict[str, str] = {}

    def evaluated(paths: Sequence[str]) -> tuple[Evaluation, Inventory]:
        left = inventory if len(paths) == len(everything) else only_of(inventory, paths, lost)
        view = view_of(left, *governing.settings.of_issuers, context)
        return _within_limits(view, governing.rules, locate, unbounded, division, record)

    everything = tuple(dict.fromkeys(row.path for row in inventory.documents))
    return without_breaking(everything, evaluated, lost.__setitem__)


def _within_limits(
    view: View,
    rules: Sequence[Rule],
    locate: Locator,
    unbounded: Sequence[Judged],
    division: Division,
    record: JudgedSubjects | None,
) -> tuple[Evaluation, Inventory]:
    """What the rules say of every subject, and the inventory; where the run reaches a limit, the documents of subjects that
    were not judged are unreadable in it, and those findings that there are count."""
    renew()
    offers, accounts = Offers(view), AccountsOfRoles(view)

    def evaluated(share: Share) -> RuleAnswers:
        subjects = chain(derive(view, share), unbounded if share.number == 0 else ())
        return answers(rules, subjects, locate, offers, accounts, view.work, record)

    with view.work.on(""):
        divided = in_shares(view, evaluated, division)
        if divided is None:
            return _within_limits(msgspec.structs.replace(view), rules, locate, unbounded, Division(), record)
        outcome = divided.evaluation(rules)
        for inventory in view.inventory.by_document():
            seen_so = view.over(inventory)
            alone = evaluate(rules, derive(seen_so), locate, Offers(seen_so), AccountsOfRoles(seen_so), seen_so.work)
            outcome = joined_with(outcome, alone)
    rows = [_as_judged(row, view, outcome.limit) for row in view.inventory.documents]
    inventory = msgspec.structs.replace(view.inventory, documents=tuple(rows))
    if outcome.limit:
        renew()
        seen = {(finding.rule, finding.subject.id) for finding in outcome.findings}
        late = evaluate(rules, [document_facts(view, row) for row in rows], locate).findings
        new = [finding for finding in late if (finding.rule, finding.subject.id) not in seen]
        outcome = msgspec.structs.replace(outcome, findings=(*outcome.findings, *new))
    return outcome, inventory


def _as_judged(row: Document, view: View, limit: str) -> Document:
    """A document as its row tells it, after a limit of the run may have left it unjudged."""
    why = view.unjudged.get(row.path) or (limit if row.status == "read" else "")
    return without_judgement(row, why) if why else row


def judge_governance(
    governing: Governing, used: Collection[str], today: datetime, gaps: Sequence[Gap]
) -> tuple[tuple[Finding, ...], list[Tally]]:
    """The findings about waivers, of a run over many shards, and the tallies of these rules; `used` are the ids of the waivers
    that fit a finding of some shard, `gaps` what the shards lack."""
    settings = governing.settings
    ids = ({rule.id for rule in governing.rules}, governing.rule_ids)
    about = waivers.judged_waivers(settings.waivers, used, *ids, today.astimezone(UTC).date(), gaps)
    outcome = evaluate(_about_governance(governing), about, Locator(Documents(), (), settings.waivers))
    return sort_findings(_graded(outcome.findings, settings)), outcome.tallies


def _about_governance(governing: Governing) -> list[Rule]:
    """The rules about waivers and settings, which are evaluated when it is known what the waivers waive."""
    unfiltered = {rule.id for rule in governing.unfiltered}
    return [rule for rule in governing.rules if {"waiver", "settings"} & set(rule.subject) and rule.id not in unfiltered]


def _beside(weakened: Evaluation, outcome: Evaluation) -> list[Tally]:
    """The tallies of rules that were evaluated though no setting chooses them."""
    chosen = {tally.id for tally in outcome.tallies}
    return [tally for tally in weakened.tallies if tally.id not in chosen]


def _by_rule(findings: Iterable[Finding]) -> Counter[str]:
    return Counter(finding.rule for finding in findings)


def _because_of_change(
    findings: Iterable[Finding], base: Collection[str], rows: Sequence[DocumentRow], known: Sequence[Entry]
) -> NewFindings:
    """The findings that a change has or causes in the base, and the number of those that the base had before."""
    own: list[Finding] = []
    of_base: list[Finding] = []
    for finding in findings:
        (of_base if base and all(place.file in base for place in finding.locations) else own).append(finding)
    caused = without(of_base, rows, known)
    return NewFindings((*own, *caused.findings), caused.accepted)


_TEMPLATES_ALONE = Missing(
    "OIDC providers and clusters that the templates rely on: add --base",
    "irsa-doctor collect -o live.json",
    (),
    0,
    "--base live.json",
)


def _without_base(judged: Input) -> tuple[Missing, ...]:
    """A template is a part of something: that what it relies on is not in the input is reported once."""
    inventory = judged.inventory
    templates = any(role.address and not role.arn for role in inventory.roles)
    alone = templates and not judged.base and not (inventory.providers and inventory.clusters)
    return (_TEMPLATES_ALONE,) if alone else ()


def unread(inventory: Inventory, known: Iterable[Missing]) -> list[Missing]:
    """What a live source did not give, where no rule has named it."""
    named = {missing.missing for missing in known}
    unread = {gap.missing: gap.how for gap in inventory.gaps if gap.missing not in named}
    return [missing_input(Unknown(missing, how), (), 0) for missing, how in sorted(unread.items())]


def commented_texts(documents: Documents, settings: Settings) -> comments.TextOf:
    """The texts in which comments may ignore findings: JSON has none, so an export cannot excuse itself."""

    def text_of(path: str) -> bytes | None:
        has_comments = settings.inline_ignores and documents.form(path) not in ("", "json")
        return documents.text(path) if has_comments else None

    return text_of


def _counts(inventory: Inventory) -> Counts:
    return Counts(
        documents=len({document.path for document in inventory.documents if document.kind != PASSED_OVER}),
        roles=len({role.id for role in inventory.roles if not role.is_bare}),
        policies=sum(role.is_bare for role in inventory.roles),
        providers=len(inventory.providers) + len(inventory.planned_providers),
        clusters=len(inventory.clusters) + len(inventory.planned_clusters),
        service_accounts=len(inventory.service_accounts) + sum(account.planned for account in inventory.account_templates),
        workloads=len(inventory.workloads),
        associations=len(inventory.associations),
    )


def _graded(findings: Iterable[Finding], settings: Settings) -> list[Finding]:
    """Those at or above the least severity and confidence that are to be shown."""
    severities = SEVERITIES[: SEVERITIES.index(settings.min_severity or SEVERITIES[-1]) + 1]
    confidences = CONFIDENCES[: CONFIDENCES.index(settings.min_confidence or CONFIDENCES[-1]) + 1]
    return [finding for finding in findings if finding.severity in severities and finding.confidence in confidences]


def _tallies(subjects: Iterable[Tally], governance: Iterable[Tally], waived: Iterable[Waived]) -> tuple[Tally, ...]:
    aside = Counter(entry.finding.rule for entry in waived)
    of_governance = {tally.id: tally for tally in governance}
    return tuple(msgspec.structs.replace(of_governance.get(tally.id, tally), waived=aside[tally.id]) for tally in subjects)
