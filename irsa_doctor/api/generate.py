"""Writes an intent out in the dialects of the field."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from irsa_doctor.api.load import NO_SETTINGS, load_files, load_plan, refuse_unread
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.errors import NotJudged
from irsa_doctor.model.faults import judged_or_named

if TYPE_CHECKING:
    from irsa_doctor.answers.intents.generation import Generation
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

    Each text is read back and proved to admit exactly whom the intent means. `keep_issuers` (URLs) are left alone by the
    guardrails rcp and scp; with `audit` the admission policy only audits. Nothing is written. Raises IntentError, LiveError
    and NotJudged.
    """
    from irsa_doctor.answers.intents.dialects import Choices
    from irsa_doctor.answers.intents.generation import Unproved, generated
    from irsa_doctor.answers.intents.plan import plan_of
    from irsa_doctor.sources.intents import read_intent

    read = read_intent(intent)
    kept = tuple([issuer.removeprefix("https://").rstrip("/") for issuer in keep_issuers])
    plan = plan_of(read, _inventory(paths, stdin, settings, live))
    try:
        return judged_or_named(intent, lambda: generated(plan, formats, Choices(kept, audit), _read_back))
    except NotJudged as error:
        if isinstance(error.__cause__, Unproved):
            raise error.__cause__ from None
        raise


def _inventory(paths: Sequence[str], stdin: bytes | None, settings: Settings, live: "LiveOptions | None") -> "Inventory":
    """What the documents and live sources say of clusters."""
    if live is None:
        return _whole(load_files(paths, stdin=stdin, settings=settings))
    from irsa_doctor.sources.live import Plan

    return _whole(load_plan(Plan("collect"), live, paths, stdin=stdin, settings=settings))


def _read_back(texts: Mapping[str, bytes]) -> "Inventory":
    return _whole(load_files((), memory=texts))


def _whole(loaded: "Loaded") -> "Inventory":
    """The inventory of documents, all of which were read."""
    refuse_unread(loaded)
    return loaded.inventory
