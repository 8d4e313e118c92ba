"""Holds an estate against an intent, and says which intent an estate follows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from irsa_doctor.api.load import NO_SETTINGS, has_read, load, nothing_read, refuse_unread
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.faults import judged_or_named

if TYPE_CHECKING:
    from irsa_doctor.answers.intents.inference import Inference
    from irsa_doctor.answers.intents.verification import Verification
    from irsa_doctor.sources import Loaded
    from irsa_doctor.sources.live import LiveOptions


def verify(
    intent: str,
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = NO_SETTINGS,
    live: "LiveOptions | None" = None,
    base: Sequence[str] = (),
) -> "Verification":
    """How documents and live sources differ from an intent file. Raises IntentError, NothingRead, NotJudged and LiveError."""
    from irsa_doctor.answers.intents.estate import Estate
    from irsa_doctor.answers.intents.plan import plan_of
    from irsa_doctor.answers.intents.verification import verified
    from irsa_doctor.answers.places import Locator
    from irsa_doctor.facts import View
    from irsa_doctor.sources.intents import IntentError, read_intent

    meant = read_intent(intent)
    loaded = _loaded(paths, stdin, settings, live, base)
    plan = plan_of(meant, loaded.inventory)
    if plan.problems:
        problem = plan.problems[0]
        raise IntentError(intent, problem.line, problem.says)

    def compared() -> "Verification":
        view = View(loaded.inventory, *settings.of_issuers)
        return verified(plan, Estate(view, plan), Locator(loaded.documents, loaded.inventory.documents))

    return judged_or_named(intent, compared)


def infer(
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = NO_SETTINGS,
    live: "LiveOptions | None" = None,
) -> "Inference":
    """The intent that documents and live sources follow, with the questions that they leave.

    Raises NothingRead, NotJudged and LiveError.
    """
    from irsa_doctor.answers.intents.inference import inferred
    from irsa_doctor.facts import View

    loaded = _loaded(paths, stdin, settings, live, ())
    return judged_or_named("the intent", lambda: inferred(View(loaded.inventory, *settings.of_issuers)))


def _loaded(
    paths: Sequence[str], stdin: bytes | None, settings: Settings, live: "LiveOptions | None", base: Sequence[str]
) -> "Loaded":
    loaded = load(paths, stdin=stdin, settings=settings, live=live, base=base)
    if not has_read(loaded):
        raise nothing_read(loaded, paths)
    refuse_unread(loaded)
    return loaded
