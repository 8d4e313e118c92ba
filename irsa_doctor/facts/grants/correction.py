"""The statement as it should be: what was written, with what is wrong put right and everything else kept."""

from collections.abc import Iterable, Mapping, Sequence

from irsa_doctor.facts.grants.claims import oddity
from irsa_doctor.facts.grants.principals import Form
from irsa_doctor.facts.lookups.surroundings import Surroundings
from irsa_doctor.issuers import Profile
from irsa_doctor.model import Issuer, Role, parse_arn, text_of
from irsa_doctor.model.findings import Snippet
from irsa_doctor.remedies import corrected_statement
from irsa_doctor.trust import SUBJECT_PREFIX, Grant, is_subject
from irsa_doctor.trust.policy import Condition

# they may stand beside sts:AssumeRoleWithWebIdentity (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html)
_COMPANIONS = frozenset({"sts:tagsession", "sts:setsourceidentity"})
_WELL_FORMED: tuple[Form, ...] = ("provider", "hole", "absent")


def correction(
    role: Role, grant: Grant, form: Form, principal: str, meant: str, *, profile: Profile, around: Surroundings
) -> tuple[Snippet, ...]:
    """The corrected statement of a grant for one principal; none where nothing shows which provider it should name."""
    subs, auds = _asking(grant, "sub"), _asking(grant, "aud")
    keyed = list(dict.fromkeys(text_of(condition.raw_key).rpartition(":")[0] for condition in (*subs, *auds)))
    provider = meant or (principal if form in _WELL_FORMED else _from_keys(role, keyed))
    arn = parse_arn(provider)
    issuer = arn.name if arn else next(iter(keyed), "")
    if not provider or not issuer:
        return ()
    subjects, patterns = _subjects(role, subs, around, profile=profile)
    return (
        corrected_statement(
            provider,
            issuer,
            subjects,
            _audience(issuer, auds, around, profile=profile),
            patterns=patterns,
            kept=_kept(grant),
            companions=[text_of(a) for a in grant.statement.actions if text_of(a).lower() in _COMPANIONS],
            one_of_several=len(grant.statement.federated) > 1,
        ),
    )


def _asking(grant: Grant, claim: str) -> list[Condition]:
    """The conditions that ask for values of a claim, under whatever issuer; not those that only exclude some."""
    return [
        condition
        for condition in grant.statement.conditions
        if text_of(condition.raw_key).lower().rpartition(":")[2] == claim
        and condition.use.operator.family in ("string", "arn")
        and not condition.use.operator.negated
    ]


def _from_keys(role: Role, issuers: Sequence[str]) -> str:
    """The provider (ARN) of the one EKS issuer that the condition keys name, "" where there is none."""
    named = Issuer.of(issuers[0]) if len(issuers) == 1 else None
    if named is None or named.form != "eks" or not named.partition or not role.account:
        return ""
    return f"arn:{named.partition}:iam::{role.account}:oidc-provider/{named.name}"


def _subjects(
    role: Role, conditions: Iterable[Condition], around: Surroundings, *, profile: Profile
) -> tuple[list[str], list[str]]:
    """(subjects, patterns): those that are written, put right; else those of the service accounts that name the role."""
    subjects: list[str] = []
    patterns: list[str] = []
    left_out = False
    for condition in conditions:
        for value in map(text_of, condition.values):
            wild = condition.use.operator.has_wildcards and ("*" in value or "?" in value)
            if not profile.is_cluster or (wild and not oddity(condition, value)):
                (patterns if wild else subjects).append(value)
            elif right := _put_right(value):
                subjects.append(right)
            else:
                left_out = True
    if left_out or not (subjects or patterns):
        subjects += filter(is_subject, around.naming.get(role.arn, ()))
    return subjects, patterns


def _put_right(sub: str) -> str:
    """The subject that a written one was meant to be, "" where that cannot be told."""
    for attempt in (sub, sub.strip(), sub.strip().lower(), SUBJECT_PREFIX + sub.strip().replace("/", ":")):
        if is_subject(attempt):
            return attempt
    return ""


def _audience(issuer: str, conditions: Iterable[Condition], around: Surroundings, *, profile: Profile) -> list[str]:
    """The audiences that are written, as far as tokens can have them; else the one that they have."""
    written = [text_of(value) for condition in conditions for value in condition.values]
    known = around.audiences_of(issuer)
    return [value for value in written if not profile.is_cluster or value in known] or [around.audience_of(issuer)]


def _kept(grant: Grant) -> Mapping[str, Mapping[str, list[str]]]:
    """Conditions on anything but the token: operator -> key -> values, as written."""
    kept: dict[str, dict[str, list[str]]] = {}
    for condition, limit in zip(grant.statement.conditions, grant.limits, strict=True):
        if limit.effect == "depends":
            values = [text_of(value) for value in condition.values]
            kept.setdefault(str(condition.use), {})[text_of(condition.raw_key)] = values
    return kept
