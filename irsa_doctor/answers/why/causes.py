"""Causes: the failure modes of links that fail and those that fit what was seen, with fixes and the commands that tell."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.circumstances import is_possible
from irsa_doctor.answers.why.fixes import fix_of
from irsa_doctor.answers.why.modes import Mode, modes
from irsa_doctor.answers.why.ranking import ranked
from irsa_doctor.answers.why.records import Cause, Certainty, WrongFix, sights
from irsa_doctor.answers.why.step import Named, Step, link_of
from irsa_doctor.answers.why.symptoms import Symptom
from irsa_doctor.model import Issuer
from irsa_doctor.model.findings import Fix
from irsa_doctor.remedies import FixKind
from irsa_doctor.rulebook.causes import all_causes

_SHOWN = 8
# what is mended here reaches no pod that runs already
_NEW_PODS = frozenset({"service-account", "webhook", "token-volume", "token-file", "workload", "pod-identity"})
_OF_ANNOTATION = frozenset(
    {
        "role-arn-malformed",
        "role-arn-is-policy-arn",
        "role-arn-unresolved-template",
        "role-arn-bare-name",
        "role-arn-wrong-partition",
        "role-arn-path-dropped",
        "role-arn-wrong-account",
        "role-missing",
        "aud-annotation-custom",
        "two-sas-one-annotation",
        "podid-wins",
    }
)
_OF_PROVIDER = frozenset({"oidc-provider-missing", "oidc-url-mismatch", "oidc-url-dualstack", "oidc-provider-other-account"})
_OF_AUDIENCE = frozenset(
    {"aud-not-in-clientids", "aud-china-suffix", "aud-regional-endpoint-confusion", "aud-invisible-char", "aud-kops-amazonaws"}
)
_NOT_THE_STATEMENT = frozenset(
    {"two-sas-one-annotation", "trust-eventual-consistency", "trust-overwritten-by-controller", "trust-size-limit"}
)


def causes_of(case: Case, steps: Sequence[Step], symptoms: Sequence[Symptom], proved: Mapping[str, str]) -> tuple[Cause, ...]:
    """Certain ones first; then those of the link that was seen to fail, of links that fail, of links that may, as the request
    meets them. `proved` are the verdicts of the files alone."""
    found = [cause for step in steps for cause in _of_step(case, step)]
    known = {cause.id for cause in found}
    for symptom in symptoms:
        if symptom.proves and symptom.proves not in known:
            known.add(symptom.proves)
            found.append(_cause(case, Named(symptom.proves, "certain", f"the message itself says it: {symptom.says}")))
    found += _fitting(case, steps, found, symptoms, proved)
    seen_to_fail = {link for symptom in symptoms if not symptom.weak for link in symptom.links}
    failing = {step.id for step in steps if step.verdict == "fail"}
    order = ("certain", "likely", "possible")

    def rank(cause: Cause) -> tuple[int, bool, bool]:
        return order.index(cause.certainty), cause.link not in seen_to_fail, cause.link not in failing

    return tuple(sorted(found, key=rank))


def _of_step(case: Case, step: Step) -> Iterator[Cause]:
    """The causes of a link that fails, or that may; each mode once."""
    if step.verdict not in ("fail", "unknown"):
        return
    seen: set[str] = set()
    for named in step.causes:
        if named.id not in seen:
            seen.add(named.id)
            yield _cause(case, named, step.id)


def _cause(case: Case, named: Named, link: str = "") -> Cause:
    mode = modes().get(named.id) or Mode(named.id, named.id, "")
    finding = named.finding
    link = link or link_of(named.id)
    places = (*named.places, *(finding.locations if finding else ()))
    sure = named.certainty == "certain"
    fix = _fix(case, named, link)
    return Cause(
        named.id,
        named.certainty,
        named.because or mode.title,
        (finding.remedy.strip() if finding else "") or mode.remedy,
        "" if sure else settled(mode.settle, case),
        (finding.url if finding else "") or mode.url,
        fix.commands if fix else (),
        mode.title,
        link,
        tuple(dict.fromkeys(sights(places))),
        fix,
    )


# ---- what mends it


def _fix(case: Case, named: Named, link: str) -> Fix | None:
    """What mends a cause that is likely at least."""
    if named.certainty == "possible":
        return None
    restarts = link in _NEW_PODS or named.id in _OF_ANNOTATION
    return fix_of(case, named, link, _kinds(named, link), restarts=restarts)


def _kinds(named: Named, link: str) -> tuple[FixKind, ...]:
    """What can be corrected, by cause and link."""
    kinds: list[FixKind] = []
    if link == "trust-policy" and named.certainty == "certain" and named.id not in _NOT_THE_STATEMENT:
        kinds.append("policy")
    kinds += ["provider"] if named.id in _OF_PROVIDER else []
    kinds += ["client-id"] if named.id in _OF_AUDIENCE else []
    kinds += ["service-account"] if named.id == "service-account-missing" else []
    kinds += ["annotation"] if named.id == "sa-annotation-missing" else []
    return tuple(kinds)


# ---- what fits


def _fitting(
    case: Case, steps: Sequence[Step], found: Sequence[Cause], symptoms: Sequence[Symptom], proved: Mapping[str, str]
) -> Iterator[Cause]:
    """Modes that fit what was seen, and that nothing given rules out; none where what is proved explains it."""
    known = {cause.id for cause in found}
    explained = {cause.link for cause in found if cause.certainty == "certain"}
    likely = any(cause.certainty != "possible" for cause in found)
    given = 0
    for symptom in symptoms:
        if explained & set(symptom.links) or (symptom.proves and len(symptom.candidates) == 1):
            continue
        for ident in ranked(symptom, case, proved):
            cause = all_causes()[ident]
            ruled_out = (proved.get(cause.link) == "pass" and not cause.transient) or ident in case.ruled_out
            if ident in known or given >= _SHOWN or ruled_out or not is_possible(cause, case):
                continue
            known.add(ident)
            certainty: Certainty = "possible" if likely or given else "likely"
            yield _cause(case, Named(ident, certainty))
            given += 1


# ---- words in commands


_WORD = re.compile(r"\b[A-Z_]{3,}\b")


def settled(template: str, case: Case) -> str:
    """A command with what is known of the case put in; what is not known stays a word in capitals."""
    cluster = case.cluster
    words = {
        "NAMESPACE": case.namespace,
        "SERVICE_ACCOUNT": case.service_account,
        "POD": next((w.name for w in case.workloads if w.kind == "Pod"), ""),
        "ROLE_NAME": case.role_name,
        "ROLE_ARN": case.role,
        "ACCOUNT": case.role_arn.account if case.role_arn else "",
        "CLUSTER": cluster.name if cluster else "",
        "REGION": (cluster.region if cluster else "") or Issuer.of(case.issuer).region,
        "PROVIDER_ARN": case.provider_arn,
        "ISSUER": case.issuer,
    }
    return _WORD.sub(lambda match: shlex.quote(words.get(match[0]) or match[0]), template)


# ---- remedies that are none

_INSTEAD: Mapping[str, str] = {
    "open-no-sub": "List the subjects that need the role under StringEquals.",
    "open-aud-only": "List the subjects that need the role under StringEquals, beside the audience.",
    "open-sub-star": "List the subjects one by one; one namespace at most, where everybody who may create in it is trusted.",
    "open-forallvalues": "Use the plain operator: ForAllValues also holds where the key is absent.",
    "open-ifexists": "Use the plain operator: IfExists also holds where the key is absent.",
    "open-key-typo-ifexists-or-null": "Correct the key, and use the plain operator.",
    "open-not-equals": "Say who may, not who may not.",
    "open-principal-mixed": "Let the role trust the OIDC provider alone; a node that may assume it lends it to every pod.",
    "static-keys-shadow": "Remove the keys: they come before the role, and stay when it works again.",
    "aud-regional-endpoint-confusion": "An audience is a name, not an endpoint: use sts.amazonaws.com, and the annotation "
    "eks.amazonaws.com/sts-regional-endpoints for the endpoint.",
    "aud-china-suffix": "The audience is sts.amazonaws.com in China too.",
    "oidc-url-dualstack": "Register the issuer that tokens carry.",
}


def wrong_fixes(case: Case) -> tuple[WrongFix, ...]:
    """What looks like a remedy that somebody has tried: it mends nothing, or at a price (it is told beside the causes)."""
    found = []
    for rule, instead in _INSTEAD.items():
        if finding := case.finding(rule):
            found.append(WrongFix(rule, finding.message, instead, sights(finding.locations)))
    policy = case.analysed.policy if case.analysed else None
    if policy and any("ec2.amazonaws.com" in statement.service and statement.allow for statement in policy.statements):
        says = "the role trusts EC2: a node that has it lends it to every pod, which hides what is wrong here"
        found.append(WrongFix("trust-service-ec2", says, "Let the role trust the OIDC provider alone."))
    roots = [c.name for w in case.workloads for c in w.containers if (w.user if c.user is None else c.user) == 0]
    if roots and any(cause == "token-file-perm-denied" for cause in case.findings):
        found.append(WrongFix("run-as-root", f"{roots[0]} runs as root", "Set securityContext.fsGroup to 65534."))
    return tuple(found)
