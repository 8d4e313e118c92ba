"""Diagnoses why a workload does not get the credentials of its role."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from irsa_doctor.api.governed import all_rules
from irsa_doctor.api.load import NO_SETTINGS, has_read, load_files, load_plan, nothing_read, refuse_unread
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.errors import NotJudged
from irsa_doctor.model.faults import judged_or_named
from irsa_doctor.model.moments import rfc3339
from irsa_doctor.model.standards import StandardsContext
from irsa_doctor.text.errors import LiveError
from irsa_doctor.text.pasted_documents import pasted_documents

if TYPE_CHECKING:
    from irsa_doctor.answers.places import Locator
    from irsa_doctor.answers.why import Case, CaseEvidence, Diagnosis, DiagnosisTarget, Rulebook
    from irsa_doctor.facts import View
    from irsa_doctor.model import Inventory
    from irsa_doctor.sources import Loaded
    from irsa_doctor.sources.live import LiveOptions, Plan


class Symptoms(msgspec.Struct, frozen=True):
    """What a user gives beside files: an error message, a token, and in pieces a CloudTrail log and a log with messages.

    "", None and () where there is none.
    """

    error: str = ""
    token: bytes | None = None
    event: Iterable[bytes] = ()
    log: Iterable[bytes] = ()


_NO_SYMPTOMS = Symptoms()


def read_symptoms(*, error: str = "", token: str = "", event: str = "") -> Symptoms:
    """Symptoms as the command line takes them: an error message or `@FILE`, and the files of a token and of a log.

    `-` is standard input, "" none. Logs are read when they are needed. Raises NoEvidence.
    """
    from irsa_doctor.sources.files.evidence import chunks, content

    log = chunks(error[1:]) if error.startswith("@") else ()
    text = "" if error.startswith("@") else error
    return Symptoms(text, content(token) if token else None, chunks(event) if event else (), log)


def why(  # noqa: PLR0913 - all that can be known of one credential
    target: str = "",
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = NO_SETTINGS,
    role: str = "",
    cluster: str = "",
    symptoms: Symptoms = _NO_SYMPTOMS,
    live: "LiveOptions | None" = None,
    lookup: bool = False,
    now: float | None = None,
) -> "Diagnosis":
    """The diagnosis of one service account or workload; without a target, the symptoms name it.

    `target` is NAMESPACE/SERVICEACCOUNT or KIND/NAMESPACE/NAME. `role` and `cluster` name what the input leaves open. `lookup`:
    the last calls are looked up in CloudTrail, where AWS is read live. `now` (seconds since 1970) is the time by which a token
    is judged.

    Rules are those of the settings, private ones included. Each of them judges the links, so that a selection never makes a
    broken credential work: a rule that the settings leave out is named only where it proves that a link is broken. Raises
    NoTarget, NoEvents, NoEvidence, NothingRead, NotJudged, LiveError, RuleError and UnknownRule.
    """
    from irsa_doctor.answers.why import NoTarget, case_for, diagnose, hint_for, is_misspelt, target_of

    rulebook = _rulebook(settings)
    text = _text_of(symptoms, rulebook)
    pasted = {} if paths or live else pasted_documents(text)
    evidence = _evidence(symptoms, text, now, rulebook, pasted=bool(pasted))
    asked = target_of(target, role, evidence)
    loaded = _load(_plan(asked, cluster, evidence), paths, stdin, settings, live, pasted)

    def diagnosed() -> "Diagnosis":
        view, locate = _view(loaded.inventory, settings, evidence.now), _locator(loaded)
        case = case_for(view, locate, asked, cluster, evidence, role=role)
        hint = hint_for(case, asked) if target and asked else ""
        if hint and asked and not (symptoms != _NO_SYMPTOMS or role or live) and is_misspelt(case, asked):
            raise NoTarget(f"{case.name} is not in the input.{hint}")
        if case.analysed is None and case.role_arn and (bare := _only_bare_policy(loaded.inventory)):
            # the only policy without a role, and a role without its policy: most likely they belong together
            view = _view(_with_role_of_policy(loaded.inventory, bare, case.role), settings, evidence.now)
            case = msgspec.structs.replace(case_for(view, locate, asked, cluster, evidence, role=role), assumed_policy=bare)
        case = case.judged_by(rulebook)
        diagnosis = _diagnosed_with_events(case, live) if lookup and live else diagnose(case)
        return _noted(diagnosis, f"{case.name} is not in the input.{hint}") if hint else diagnosis

    return judged_or_named(target or "the credential", diagnosed)


def why_all(
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = NO_SETTINGS,
    cluster: str = "",
    symptoms: Symptoms = _NO_SYMPTOMS,
    live: "LiveOptions | None" = None,
    now: float | None = None,
    processes: int = 1,
) -> "list[Diagnosis]":
    """The diagnoses of all service accounts and workloads that have to do with a role, the broken first.

    Parameters and exceptions are those of `why`; `processes` as in `check`.
    """
    from irsa_doctor.answers.why import cases_of
    from irsa_doctor.model.processes import in_processes, shares_of
    from irsa_doctor.sources.live import Plan

    rulebook = _rulebook(settings)
    evidence = _evidence(symptoms, _text_of(symptoms, rulebook), now, rulebook)
    loaded = _load(Plan("why"), paths, stdin, settings, live)
    view = _view(loaded.inventory, settings, evidence.now)
    cases = judged_or_named("the input", lambda: list(cases_of(view, _locator(loaded), cluster, evidence)))
    shares = shares_of([case.judged_by(rulebook) for case in cases], processes, _WORTH)
    diagnoses = in_processes([partial(_all_diagnosed, share) for share in shares])
    return sorted(chain.from_iterable(diagnoses), key=_rank)


_WORTH = 200
"""cases for which another process is worth its beginning"""


def _all_diagnosed(cases: "Iterable[Case]") -> "list[Diagnosis]":
    return list(map(_diagnosed, cases))


def _diagnosed(case: "Case") -> "Diagnosis":
    """The diagnosis of a case; where an error of ours or a limit has cost it, it is unknown, and those of others stand."""
    from irsa_doctor.answers.why import diagnose, undiagnosed

    try:
        return judged_or_named(case.name, lambda: diagnose(case))
    except NotJudged as error:
        return undiagnosed(case, str(error))


def _rulebook(settings: Settings) -> "Rulebook":
    """The rules and causes that the settings lead to, read first, so that a wrong setting is reported at once."""
    from irsa_doctor.answers.why import private_files, rulebook_of, shipped_rulebook

    changed = settings.rules or settings.severity or settings.select or settings.ignore
    return rulebook_of(all_rules(settings), settings, private_files(settings.rules)) if changed else shipped_rulebook()


_ORDER = ("broken", "unknown", "works")


def _rank(diagnosis: "Diagnosis") -> tuple[int, str, str, str]:
    subject = diagnosis.subject
    return _ORDER.index(diagnosis.verdict), subject.cluster, subject.namespace, subject.service_account


def _text_of(symptoms: Symptoms, rulebook: "Rulebook") -> str:
    """The message, or of a log what can be one; a log is read once."""
    from irsa_doctor.answers.why import log_excerpt

    return symptoms.error or log_excerpt(symptoms.log, rulebook.messages)


def _evidence(
    symptoms: Symptoms, text: str, now: float | None, rulebook: "Rulebook", *, pasted: bool = False
) -> "CaseEvidence":
    from irsa_doctor.answers.why import CaseEvidence, mentions_in, read_events, read_token, symptoms_in

    trail = None if symptoms.event == () else read_events(symptoms.event)
    messages = symptoms_in(text, rulebook.messages) if text else ()
    token = read_token(symptoms.token) if symptoms.token is not None else None
    others = trail.others if trail else ()
    moment = time.time() if now is None else now
    return CaseEvidence(
        symptoms=(*messages, *others),
        token=token,
        trail=trail,
        failing=bool(text.strip()),
        now=moment,
        mentions=mentions_in(text),
        pasted=pasted,
    )


def _plan(asked: "DiagnosisTarget | None", cluster: str, evidence: "CaseEvidence") -> "Plan":
    """What is to be read live."""
    from irsa_doctor.answers.why import WebIdentityToken
    from irsa_doctor.sources.live import Plan, Target

    issuer = evidence.token.issuer if isinstance(evidence.token, WebIdentityToken) else ""
    return Plan(
        "why",
        target=Target(asked.namespace, asked.name, asked.kind or "ServiceAccount") if asked else None,
        roles=(asked.role,) if asked and asked.role else (),
        issuers=(issuer,) if issuer else (),
        cluster=cluster,
        everything=asked is None,
    )


def _load(
    plan: "Plan",
    paths: Sequence[str],
    stdin: bytes | None,
    settings: Settings,
    live: "LiveOptions | None",
    pasted: Mapping[str, bytes] = {},
) -> "Loaded":
    if live is not None:
        loaded = load_plan(plan, live, paths, stdin=stdin, settings=settings)
    else:
        loaded = load_files(paths, stdin=stdin, settings=settings, memory=pasted)
    refuse_unread(loaded)
    if live is None and paths and not has_read(loaded):
        raise nothing_read(loaded, paths)
    return loaded


def _view(inventory: "Inventory", settings: Settings, now: float) -> "View":
    from irsa_doctor.facts import View

    moment = datetime.fromtimestamp(now, tz=UTC)
    return View(inventory, *settings.of_issuers, StandardsContext(rfc3339(moment)))


def _locator(loaded: "Loaded") -> "Locator":
    from irsa_doctor.answers.places import Locator

    return Locator(loaded.documents, loaded.inventory.documents)


def _only_bare_policy(inventory: "Inventory") -> str:
    bare = [role for role in inventory.roles if role.is_bare]
    return bare[0].place.document if len(bare) == 1 else ""


def _with_role_of_policy(inventory: "Inventory", path: str, arn: str) -> "Inventory":
    """The inventory in which the bare policy of a path is that of a role."""
    from irsa_doctor.model import parse_arn

    parts = parse_arn(arn)
    roles = tuple(
        msgspec.structs.replace(role, arn=arn, name=arn.rpartition("/")[2], account=parts.account if parts else "")
        if role.is_bare and role.place.document == path
        else role
        for role in inventory.roles
    )
    return msgspec.structs.replace(inventory, roles=roles)


def _diagnosed_with_events(case: "Case", live: "LiveOptions") -> "Diagnosis":
    """The diagnosis with the last calls in CloudTrail; that it cannot be read changes nothing but the notes."""
    from irsa_doctor.answers.why import NoEvents, Trail, diagnose, read_events
    from irsa_doctor.model import Issuer
    from irsa_doctor.sources.live import lookup_events

    # logged in the region of the endpoint that was called: that of the cluster, or of the global one
    region = (case.cluster.region if case.cluster else "") or Issuer.of(case.issuer).region
    try:
        trail = read_events([lookup_events(live, case.role, dict.fromkeys(filter(None, (region, "us-east-1"))))])
    except NoEvents:
        trail = Trail((), 0)
    except LiveError as error:
        return _noted(diagnose(case), f"CloudTrail was not asked: {error}.")
    with_trail = msgspec.structs.replace(case, evidence=msgspec.structs.replace(case.evidence, trail=trail))
    last = next(iter(with_trail.calls), None)
    if last is None or (last.error and _age(last.time, case.evidence.now) < _FRESH):
        return diagnose(with_trail)
    # an answer of the past proves nothing about the current state
    return _noted(diagnose(case), f"The last call in CloudTrail, at {last.time}: {last.error or 'it succeeded'}.")


def _noted(diagnosis: "Diagnosis", note: str) -> "Diagnosis":
    return msgspec.structs.replace(diagnosis, notes=(*diagnosis.notes, note))


_FRESH = 3600.0
"""seconds for which a call that failed is evidence of the current state"""


def _age(moment: str, now: float) -> float:
    """Seconds since a time of CloudTrail; without end where it is not a time."""
    try:
        return now - datetime.fromisoformat(moment).timestamp()
    except (ValueError, OverflowError):
        return float("inf")
