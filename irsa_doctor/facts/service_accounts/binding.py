"""Facts of service accounts, and of bindings: a service account and the role that it names."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from irsa_doctor.facts.grants.evidence import never_holding
from irsa_doctor.facts.grants.exclusion import Presented, exclusions, other_subject
from irsa_doctor.facts.grants.grant import AUDIENCE_OF_ISSUER
from irsa_doctor.facts.lookups.associations import NO_ISSUER, Override, association_seen, overridden
from irsa_doctor.facts.lookups.near import did_you_mean, is_one_letter_off
from irsa_doctor.facts.lookups.surroundings import ROLE_ARN
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.roles.role import AnalysedRole, Shuts
from irsa_doctor.facts.service_accounts.annotations import Annotation, annotation_form, is_near_key, is_role_arn
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.facts.workloads.containers import PLACEHOLDERS
from irsa_doctor.facts.workloads.webhook import AUDIENCE, EXPIRATION, SKIP_CONTAINERS, is_ignored_expiration
from irsa_doctor.issuers import profile_of
from irsa_doctor.model import Arn, Issuer, Place, ServiceAccount, Text, Unknown, issuer_in, parse_arn, text_of
from irsa_doctor.trust import Admitted, Policy, Statement, admitted, spell
from irsa_doctor.trust.defects import DefectKind
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.languages import Finite, contains
from irsa_doctor.trust.symbols import policy_seen_through

_FILLED_IN = Unknown("role ARNs that a template fills in")
_BOOL = frozenset(["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"])
REGIONAL = "eks.amazonaws.com/sts-regional-endpoints"

AskedAudience = Literal["default", "explained", "accepted", "refused"]
NamedRole = Literal["there", "missing", "other-path", "other-account", "other-partition"]
Trust = Literal[
    "role-not-there",
    "explained",
    "admits",
    "trusted-elsewhere",
    "stale-cluster",
    "other-cluster",
    "pod-identity-only",
    "ec2-only",
    "no-web-identity",
    "other-namespace",
    "release-name",
    "other-subject",
    "other-audience",
    "denied",
    "denied-by-missing-key",
]
_SHUT_OUT: dict[object, Shuts] = {"denied": "matches", "denied-by-missing-key": "missing-key"}


class ServiceAccountFacts(msgspec.Struct, frozen=True):
    """What a service account alone shows, and whether some role expects it to name it."""

    annotation: Annotation | Unknown
    wanted: bool
    partition_differs: bool
    regional_endpoints_ignored: bool
    skip_containers: bool
    expiration_ignored: bool
    subject_too_long: bool
    audience: AskedAudience | Unknown
    overridden: Override | Unknown
    pod_identity: Literal["none", "seen"] | Unknown


class BindingFacts(msgspec.Struct, frozen=True):
    """How a service account stands to the role that it names."""

    role: NamedRole | Unknown
    trust: Trust | Unknown
    audience: Literal["expected", "mismatch"] | Unknown
    deny: Shuts | Unknown
    """Whether a Deny statement shuts out this account alone"""


def _annotation(view: View, account: ServiceAccount, form: Annotation) -> Annotation | Unknown:
    """As it will be: Terraform and the like put in what they make."""
    if not account.template or not isinstance(account.annotations.get(ROLE_ARN), Text):
        return form
    return "ok" if view.role_of_template(account) else _FILLED_IN


def service_account_facts(view: View, account: ServiceAccount) -> Judged:
    """The facts of one service account."""
    issuer = view.issuer_of(account.cluster)
    trusting = view.trusted_by_name.get((issuer, account.subject), ())
    form = annotation_form(account)
    value = account.annotations.get(ROLE_ARN)
    arn = parse_arn(value) if isinstance(value, str) and form == "ok" else None
    partition = Issuer.of(issuer).partition if issuer else ""
    regional = account.annotations.get(REGIONAL)
    expiration = account.annotations.get(EXPIRATION)
    key = (account.cluster, account.namespace, account.name)
    associated = key in view.inventory.association_by_key
    facts = ServiceAccountFacts(
        annotation=_annotation(view, account, form),
        wanted=bool(trusting) and not associated and key not in view.annotated_workloads,
        partition_differs=bool(arn and partition and arn.partition != partition),
        regional_endpoints_ignored=isinstance(regional, str) and regional not in _BOOL,
        skip_containers=SKIP_CONTAINERS in account.annotations,
        expiration_ignored=is_ignored_expiration(expiration),
        subject_too_long=len(account.subject) > 255 and value is not None,
        audience=_audience(view, account, issuer, arn),
        overridden=overridden(account, view),
        pod_identity=association_seen(account, view),
    )
    ident = f"{view.name_of(account.cluster)}/{account.namespace}/{account.name}"
    return Judged("service-account", ident, ident, facts, lambda: _account_evidence(view, account, trusting))


def _audience(view: View, account: ServiceAccount, issuer: str, role: Arn | None) -> AskedAudience | Unknown:
    """Whether STS takes tokens with the audience that a service account asks for."""
    asked = account.annotations.get(AUDIENCE)
    if asked is None or role is None:
        return "default"
    if isinstance(asked, Text):
        return PLACEHOLDERS
    if not issuer:
        return NO_ISSUER
    if asked in view.default_audiences(issuer):
        return "default"
    arn = f"arn:{role.partition}:iam::{role.account}:oidc-provider/{issuer}"
    provider = view.inventory.provider_by_arn.get(arn)
    if provider is None:
        if role.account in view.inventory.closed.providers:
            return "explained"
        how = "aws iam list-open-id-connect-providers"
        return view.inventory.unknown("providers", role.account, "", f"OIDC providers of account {role.account}", how)
    if isinstance(provider.client_ids, Unknown):
        return provider.client_ids
    return "accepted" if asked in provider.client_ids else "refused"


def _account_evidence(view: View, account: ServiceAccount, trusting: tuple[AnalysedRole, ...]) -> Evidence:
    near = [key for key in account.annotations if is_near_key(key)]
    meant = next((v for k in near if isinstance(v := account.annotations[k], str) and is_role_arn(v)), "")
    role = meant or (trusting[0].role.arn if trusting else "")
    value = text_of(account.annotations.get(ROLE_ARN, ""))
    keys = ", ".join(near)
    association = view.inventory.association_by_key.get((account.cluster, account.namespace, account.name))
    names = {
        "account": f"{account.namespace}/{account.name}",
        "carrier": f"{account.namespace}/{account.name}",
        "flaw": "it is read on pods only",
        "value": value,
        "key": keys,
        "partition": Issuer.of(view.issuer_of(account.cluster)).partition,
        "role": role or "ROLE_ARN",
        "right": meant or (trusting[0].role.arn if len(trusting) == 1 else ""),
        "audience": text_of(account.annotations.get(AUDIENCE, "")),
        "client_ids": _client_ids(view, account),
        "regional": text_of(account.annotations.get(REGIONAL, "")),
        "expiration": text_of(account.annotations.get(EXPIRATION, "")),
        "length": str(len(account.subject)),
        "association_role": (text_of(association.role_arn) if association else "") or "a role that is not in the input",
    }
    place = account.place.at("metadata")
    at = place.at("annotations", ROLE_ARN) if ROLE_ARN in account.annotations else place.at("name")
    if near:
        at = place.at("annotations", near[0])
    asked = {"audience": AUDIENCE, "skip_containers": SKIP_CONTAINERS, "expiration": EXPIRATION, "regional": REGIONAL}
    places = {"annotation": at, "annotation_key": at, "name": place.at("name")} | {
        name: place.at("annotations", key) for name, key in asked.items()
    }
    if association:
        places["association"] = association.place
    return Evidence(names, places)


def _client_ids(view: View, account: ServiceAccount) -> str:
    """What the provider of the account's cluster, in the account of its role, accepts."""
    role = parse_arn(text_of(account.annotations.get(ROLE_ARN, "")))
    issuer = view.issuer_of(account.cluster)
    provider = (
        view.inventory.provider_by_arn.get(f"arn:{role.partition}:iam::{role.account}:oidc-provider/{issuer}") if role else None
    )
    return ", ".join(provider.client_ids) if provider and not isinstance(provider.client_ids, Unknown) else "unknown"


def binding_facts(view: View, account: ServiceAccount) -> Judged | None:
    """The facts of a binding, None where the account names no role."""
    value = account.annotations.get(ROLE_ARN)
    if isinstance(value, Text) and (made := view.role_of_template(account)):
        return _binding_of_template(view, account, made)
    arn = parse_arn(value) if isinstance(value, str) else None
    if not isinstance(value, str) or arn is None or annotation_form(account) != "ok":
        return None
    named = view.role_by_arn.get(value)
    sa_id = f"{view.name_of(account.cluster)}/{account.namespace}/{account.name}"
    return Judged(
        "binding",
        f"{sa_id} -> {value}",
        value if named else sa_id,
        _facts("there", _trust(view, account, named)) if named else _facts(_absence(view, account, arn), "role-not-there"),
        lambda: _binding_evidence(view, account, value, named),
    )


def _facts(role: NamedRole | Unknown, trust: Trust | Unknown) -> BindingFacts:
    if isinstance(trust, Unknown):
        return BindingFacts(role, trust, trust, trust)
    audience: Literal["expected", "mismatch"] = "mismatch" if trust == "other-audience" else "expected"
    return BindingFacts(role, trust, audience, _SHUT_OUT.get(trust, "none"))


def _binding_of_template(view: View, account: ServiceAccount, named: AnalysedRole) -> Judged:
    """A service account and a role that a template makes, the one for the other."""
    ident = f"{view.name_of(account.cluster)}/{account.namespace}/{account.name} -> {named.role.id}"
    facts = _facts("there", _trust_of_template(view, account, named))
    return Judged("binding", ident, named.role.id, facts, lambda: _binding_evidence(view, account, named.role.name, named))


def _trust_of_template(view: View, account: ServiceAccount, named: AnalysedRole) -> Trust | Unknown:
    """What can be told without the issuer: a policy that names other subjects keeps this one out, whatever the cluster is."""
    key = (account.cluster, account.namespace, account.name)
    policy = named.policy
    if policy is None or policy.refused or named.blocked or named.blocked_issuers or key in view.inventory.association_by_key:
        return "explained"
    principals = _principals(policy)
    if not principals and all(statement.effect_seen for statement in policy.statements):
        return _other_principals(policy)
    if principals and view.issuer_of(account.cluster) and all(isinstance(value, str) for value in principals):
        return _trust(view, account, named)
    return _seen_through_holes(account, policy)


def _principals(policy: Policy) -> set[str | Text]:
    """The providers whose tokens some statement lets in, known or not."""
    return {value for statement in policy.statements if statement.allow for value in statement.federated}


def _seen_through_holes(account: ServiceAccount, policy: Policy) -> Trust | Unknown:
    """What can be told of providers that are not known: whoever they are, a policy may name other subjects."""
    if any(not statement.effect_seen for statement in policy.statements):
        return PLACEHOLDERS
    found = [
        admitted(policy_seen_through(policy, value), text_of(value), text_of(issuer_in(value)) or text_of(value))
        for value in _principals(policy)
    ]
    if any(one.unseen for one in found):
        return PLACEHOLDERS
    if any(contains(one.subjects, account.subject) for one in found):
        return NO_ISSUER
    return _of_others(account, [v for one in found if isinstance(one.subjects, Finite) for v in sorted(one.subjects.values)])


def _absence(view: View, account: ServiceAccount, arn: Arn) -> NamedRole | Unknown:
    name = arn.name.rpartition("/")[2]
    if same := view.roles_by_name.get((arn.account, name.lower())):
        if _is_of_another_partition(view, account, arn):
            return "other-partition"
        return "other-path" if same[0].role.name == name else "missing"
    elsewhere = _namesakes_elsewhere(view, account, arn)
    if view.inventory.closed.has_role(arn.account, name):
        return "other-account" if elsewhere else "missing"
    if any(is_one_letter_off(arn.account, other.role.account) for other in elsewhere):
        return "other-account"
    how = "aws iam get-account-authorization-details --filter Role"
    return view.inventory.unknown("roles", arn.account, name.lower(), f"roles of account {arn.account}", how)


def _is_of_another_partition(view: View, account: ServiceAccount, arn: Arn) -> bool:
    """Whether the partition of the annotation cannot be that of the cluster: then that is what is wrong with it."""
    issuer = view.issuer_of(account.cluster)
    return bool(issuer) and Issuer.of(issuer).partition not in ("", arn.partition)


def _namesakes_elsewhere(view: View, account: ServiceAccount, arn: Arn) -> list[AnalysedRole]:
    """Roles of the name that trust this very service account, where the named account has no provider for its issuer."""
    issuer = view.issuer_of(account.cluster)
    if not issuer or arn.account in view.accounts_of_issuer.get(issuer, frozenset()):
        return []
    name = arn.name.rpartition("/")[2].lower()
    return [found for found in view.trusted_by_name.get((issuer, account.subject), ()) if found.role.name.lower() == name]


def _trust(view: View, account: ServiceAccount, named: AnalysedRole) -> Trust | Unknown:
    """Whether the policy of the role that it names admits a service account; if not, which way it misses."""
    key = (account.cluster, account.namespace, account.name)
    if named.policy is None or named.policy.refused or key in view.inventory.association_by_key:
        return "explained"
    issuer = view.issuer_of(account.cluster)
    if not issuer:
        return NO_ISSUER
    here = [found for provider, found in named.by_provider.items() if provider.endswith(":oidc-provider/" + issuer)]
    audiences = _audiences_of(view, account, issuer)
    if any(found.admits(account.subject, audience) for found in here for audience in audiences):
        return "admits"
    if any(isinstance(value, Text) for value in _principals(named.policy)):
        # whatever fills the holes, it may be the provider of this cluster
        seen = _seen_through_holes(account, named.policy)
        return PLACEHOLDERS if seen is NO_ISSUER else seen
    is_own = issuer not in named.blocked_issuers or _names_others(view, account, named, issuer, audiences)
    if named.blocked or not is_own or any(found.unseen for found in here) or _is_for_miswritten(view, named, issuer):
        return "explained"
    if any(contains(found.subjects, account.subject) for found in here):
        return _of_audience(view, account, issuer)
    if here:
        shutting = [statement for found in here for statement in _shutting(found, account.subject, audiences)]
        return _kept_out(view, account, named, here, shutting)
    return _elsewhere(view, named) if named.by_provider else _other_principals(named.policy)


def _names_others(view: View, account: ServiceAccount, named: AnalysedRole, issuer: str, audiences: frozenset[str]) -> bool:
    """Whether a policy with a defect that keeps somebody out was meant for other subjects than this account."""
    provider = next((arn for arn in named.by_provider if arn.endswith(":oidc-provider/" + issuer)), "")
    if named.policy is None or not provider or not audiences:
        return False
    token = Presented(named.role.account, provider, issuer, account.subject, min(audiences))
    return any(check.kind in _OTHER_SUBJECTS for check in exclusions(named.policy, token, view)[:1])


def _kept_out(
    view: View, account: ServiceAccount, named: AnalysedRole, here: list[Admitted], shutting: list[Statement]
) -> Trust:
    """Of a role that lets in others of the account's own cluster: by Deny, or since it names others."""
    issuer = view.issuer_of(account.cluster)
    if shutting:
        return "denied-by-missing-key" if _absent_keys(shutting, issuer) else "denied"
    if any(other is not named for other in view.trusted_by_name.get((issuer, account.subject), ())):
        return "trusted-elsewhere"
    return _of_others(account, [v for found in here if isinstance(found.subjects, Finite) for v in found.subjects.values])


def _of_audience(view: View, account: ServiceAccount, issuer: str) -> Trust | Unknown:
    """Of a subject that is let in, though not with the audience of its tokens."""
    asked = account.annotations.get(AUDIENCE)
    if isinstance(asked, Text):
        return PLACEHOLDERS
    if asked is None and issuer not in view.expected and profile_of(issuer) is None:
        return AUDIENCE_OF_ISSUER
    role = parse_arn(text_of(account.annotations.get(ROLE_ARN, "")))
    return "explained" if _audience(view, account, issuer, role) == "refused" else "other-audience"


def _audiences_of(view: View, account: ServiceAccount, issuer: str) -> frozenset[str]:
    """What the token of an account may have as audience; none where a template leaves it open."""
    asked = account.annotations.get(AUDIENCE)
    if isinstance(asked, Text):
        return frozenset()
    return frozenset([asked]) if asked else view.default_audiences(issuer)


def _is_for_miswritten(view: View, named: AnalysedRole, issuer: str) -> bool:
    """Whether the role trusts a provider that was meant for the issuer and is written otherwise: that is the finding."""
    principals = view.principals
    trusted = [
        arn.name
        for provider in named.by_provider
        if provider in view.inventory.provider_by_arn and (arn := parse_arn(provider))
    ]
    return any(other != issuer and principals.meant_issuer(other) == issuer for other in trusted)


def _shutting(found: Admitted, subject: str, audiences: frozenset[str]) -> list[Statement]:
    """The Deny statements without which a subject would be let in."""
    let_in = [audience for audience in audiences if any(part.may(subject, audience) for part in found.allows)]
    return [part.grant.statement for part in found.denies if any(part.may(subject, audience) for audience in let_in)]


def _absent_keys(statements: list[Statement], issuer: str) -> list[str]:
    """Keys of conditions that are in no token's request."""
    conditions = [condition for statement in statements for condition in statement.conditions]
    return [text_of(c.raw_key) for c in conditions if presence(c.key, issuer.lower()) == "never"]


def _elsewhere(view: View, named: AnalysedRole) -> Trust:
    """The policy speaks of other issuers only: of clusters that are there, or of none that is."""
    issuers = [arn.name for provider in named.by_provider if (arn := parse_arn(provider))]
    gone = all(Issuer.of(issuer).form == "eks" and issuer not in view.inventory.clusters_by_issuer for issuer in issuers)
    return "stale-cluster" if gone else "other-cluster"


def _other_principals(policy: Policy) -> Trust:
    services = {text_of(v).removesuffix(".cn") for s in policy.statements if s.allow for v in s.service}
    if "pods.eks.amazonaws.com" in services:
        return "pod-identity-only"
    return "ec2-only" if "ec2.amazonaws.com" in services else "no-web-identity"


_OTHER_SUBJECTS: Mapping[DefectKind, Trust] = {
    "subject-namespace": "other-namespace",
    "subject-release": "release-name",
    "subject-other": "other-subject",
}


def _of_others(account: ServiceAccount, trusted: list[str]) -> Trust:
    """How the subjects that a policy admits differ from that of an account."""
    return _OTHER_SUBJECTS[other_subject(trusted, account.subject)]


def _binding_evidence(view: View, account: ServiceAccount, value: str, named: AnalysedRole | None) -> Evidence:
    trusted = sorted(_trusted(view, account, named)) if named else []
    issuers = [arn.name for provider in (named.by_provider if named else ()) if (arn := parse_arn(provider))]
    clusters = [cluster.name for issuer in issuers for cluster in view.inventory.clusters_by_issuer.get(issuer, ())]
    right = _namesake(view, value)
    trusting = view.trusted_by_name.get((view.issuer_of(account.cluster), account.subject), ())
    names = {
        "account": f"{account.namespace}/{account.name}",
        "role": value,
        "subject": account.subject,
        "home": view.called(view.issuer_of(account.cluster)),
        "trusted": ", ".join(shown for _, shown in trusted[:6]) or f"nobody{_why_nobody(named)}",
        "issuer": view.issuer_of(account.cluster),
        "cluster": view.name_of(account.cluster),
        "issuers": ", ".join(issuers),
        "clusters": ", ".join(clusters) or "no cluster of the input",
        "right": right,
        "elsewhere": ", ".join(other.role.arn for other in trusting if other is not named),
        "hint": did_you_mean(account.subject, [subject for subject, _ in trusted]) if named else _near_role(view, value, right),
    }
    places = {"annotation": account.place.at("metadata", "annotations", ROLE_ARN)}
    if named and not isinstance(named.role.policy, Unknown):
        places["policy"] = places["aud"] = places["denial"] = named.role.policy.place
        _say_of_here(view, account, named, names, places)
    return Evidence(names, places)


def _why_nobody(named: AnalysedRole | None) -> str:
    """Conditions of the role that never hold, behind a colon."""
    grants = [grant for found in named.by_provider.values() for grant in found.grants if grant.statement.allow] if named else []
    return "".join(f": {said}" for said in dict.fromkeys(never_holding(grant) for grant in grants) if said)


def _say_of_here(
    view: View, account: ServiceAccount, named: AnalysedRole, names: dict[str, str], places: dict[str, Place]
) -> None:
    """What the policy says of the account's own issuer: which audiences it asks for, and which Deny shuts the account out."""
    issuer = view.issuer_of(account.cluster)
    audiences = _audiences_of(view, account, issuer)
    here = [found for provider, found in named.by_provider.items() if provider.endswith(":oidc-provider/" + issuer)]
    asked = [found.audiences.values for found in here if isinstance(found.audiences, Finite)]
    names["auds"] = ", ".join(sorted(frozenset().union(*asked))) or "others"
    names["carried"] = f"tokens of {account.namespace}/{account.name} carry {', '.join(sorted(audiences))}"
    names["whom"] = f"{account.namespace}/{account.name}, which its Allow statements admit"
    shutting = [statement for found in here for statement in _shutting(found, account.subject, audiences)]
    names["absent_keys"] = ", ".join(_absent_keys(shutting, issuer))
    if AUDIENCE in account.annotations:
        places["aud"] = account.place.at("metadata", "annotations", AUDIENCE)
    if shutting:
        places["denial"] = places["policy"].at(*shutting[0].steps, "Effect")


def _trusted(view: View, account: ServiceAccount, named: AnalysedRole) -> set[tuple[str, str]]:
    """The subjects that a role admits, and how a message calls them: with their cluster where it is another one."""
    found: set[tuple[str, str]] = set()
    for provider, let_in in named.by_provider.items():
        issuer = arn.name if (arn := parse_arn(provider)) else provider
        other = "" if issuer == view.issuer_of(account.cluster) else f" of {view.called(issuer)}"
        if isinstance(let_in.subjects, Finite):
            found |= {(subject, subject + other) for subject in let_in.subjects.values}
        elif not let_in.unseen:
            found |= {(pattern, pattern + other) for pattern in spell(let_in.subjects, let_in.profile.grammar).patterns}
    return found


def _namesake(view: View, value: str) -> str:
    """The role of the same account and name, whatever its path and case; else the only one of that name in another account."""
    arn = parse_arn(value)
    if arn is None:
        return ""
    name = arn.name.rpartition("/")[2].lower()
    if same := view.roles_by_name.get((arn.account, name)):
        return same[0].role.arn
    elsewhere = view.arns_by_name.get(name, ())
    return elsewhere[0] if len(elsewhere) == 1 else ""


def _near_role(view: View, value: str, namesake: str) -> str:
    if namesake:
        return f' Did you mean "{namesake}"?'
    arn = parse_arn(value)
    known = view.role_names.get(arn.account) if arn else None
    return did_you_mean(value, known) if known else ""
