"""Writes an intent out in the dialects of the field."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from irsa_doctor.api.load import NO_SETTINGS, load, load_files, refuse_unread
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.errors import NotJudged
from irsa_doctor.model.faults import judged_or_named

if TYPE_CHECKING:
    from irsa_doctor.answers.intents.generation import Generation, TextJudge
    from irsa_doctor.answers.intents.plan import IntentPlan
    from irsa_doctor.model import Inventory
    from irsa_doctor.sources import Loaded
    from irsa_doctor.sources.live import LiveOptions

GENERATE_FORMATS: tuple[str, ...] = (
    *("trust-policy", "terraform", "cloudformation", "eksctl", "kubernetes", "crossplane", "ack", "cli", "pod-identity"),
    *("vap", "rcp", "scp"),
)
"""the dialects, without `json`, which shows the answer itself"""


def generate(
    intent: str,
    paths: Sequence[str] = (),
    formats: Sequence[str] = ("trust-policy",),
    *,
    stdin: bytes | None = None,
    settings: Settings = NO_SETTINGS,
    live: "LiveOptions | None" = None,
    keep_issuers: Sequence[str] = (),
    audit: bool = False,
) -> "Generation":
    """The files that an intent file comes to, in every format; `paths` and `live` supply issuers of clusters.

    Each text is read back, proved to admit exactly whom the intent means, and checked. `keep_issuers` (URLs) are left alone by
    the guardrails rcp and scp; with `audit` the admission policy only audits. Nothing is written. Raises IntentError, LiveError
    and NotJudged.
    """
    from irsa_doctor.answers.intents.dialects import Choices
    from irsa_doctor.answers.intents.generation import Unproved, generated
    from irsa_doctor.answers.intents.plan import plan_of
    from irsa_doctor.sources.intents import read_intent

    read = read_intent(intent)
    kept = tuple([issuer.removeprefix("https://").rstrip("/") for issuer in keep_issuers])
    plan = plan_of(read, _whole(load(paths, stdin=stdin, settings=settings, live=live)))
    try:
        return judged_or_named(intent, lambda: generated(plan, formats, Choices(kept, audit), _read_back, _judge(plan)))
    except NotJudged as error:
        if isinstance(error.__cause__, Unproved):
            raise error.__cause__ from None
        raise


def _read_back(texts: Mapping[str, bytes]) -> "Inventory":
    return _whole(load_files((), memory=texts))


def _judge(plan: "IntentPlan") -> "TextJudge":
    """What says of texts of ours what `check` finds in them of severity high or more.

    The rules are those that are shipped. What audiences the tokens of a cluster carry is what the intent says of them.
    """
    from irsa_doctor.answers.check.judge import Input, judge
    from irsa_doctor.answers.intents.generation import Objection
    from irsa_doctor.api.governed import governing_of, today_here
    from irsa_doctor.sources import Documents

    audiences: dict[str, tuple[str, ...]] = {}
    for pair in (pair for role in plan.roles for pair in role.pairs):
        audiences[pair.cluster.issuer] = tuple(dict.fromkeys((*audiences.get(pair.cluster.issuer, ()), pair.audience)))
    governing = governing_of(Settings(audiences=audiences))
    families = {rule.id: rule.family for rule in governing.rules}

    def objections(read_back: "Inventory") -> list[Objection]:
        findings = judge(Input(read_back, Documents()), governing, today_here()).findings
        return [
            Objection(
                role=finding.group,
                about_reach=families.get(finding.rule) == "open",
                says=f"{finding.subject.id}: {finding.rule}: {finding.message}",
            )
            for finding in findings
            if finding.severity in ("high", "critical")
        ]

    return objections


def _whole(loaded: "Loaded") -> "Inventory":
    """The inventory of documents, all of which were read."""
    refuse_unread(loaded)
    return loaded.inventory
