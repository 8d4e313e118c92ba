"""Words and places for findings about a service account and the role that it names."""

from irsa_doctor.facts.grants.evidence import never_holding
from irsa_doctor.facts.lookups.names import did_you_mean
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.roles.role import AnalysedRole, are_one_role
from irsa_doctor.facts.roles.shutting import shutting_of
from irsa_doctor.facts.service_accounts.denials import audiences_of, denying_statements, sure_denials
from irsa_doctor.facts.service_accounts.through_holes import admitted_through_holes
from irsa_doctor.facts.subject import Evidence
from irsa_doctor.model import Place, ServiceAccount, Unknown, is_provider_of, parse_arn, text_of
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN
from irsa_doctor.trust import spell
from irsa_doctor.trust.languages import Finite


def binding_evidence(
    view: View, account: ServiceAccount, value: str, named: AnalysedRole | None, *, requested: bool = False
) -> Evidence:
    """Return what the messages of findings say of a binding, and where; `value` is the annotation, or with `requested` the
    role that something else names."""
    trusted = sorted(_trusted(view, account, named)) if named else []
    issuers = [arn.name for provider in (named.by_provider if named else ()) if (arn := parse_arn(provider))]
    clusters = [cluster.name for issuer in issuers for cluster in view.inventory.clusters_by_issuer.get(issuer, ())]
    right = _namesake(view, value)
    trusting = view.trusted_by_name.get((view.issuer_of(account.cluster), account.subject), ())
    own = f"{account.namespace}/{account.name}"
    names = {
        "account": own,
        "naming": f"{own} requests {value}" if requested else f"The annotation of {own} names {value}",
        "named_at": "the service account" if requested else "the annotation of the service account",
        "whose": "which requests the role" if requested else "whose annotation names the role",
        "role": value,
        "subject": account.subject,
        "home": view.called(view.issuer_of(account.cluster)) or _cluster_in_words(view, account.cluster),
        "trusted": ", ".join(shown for _, shown in trusted[:6]) or f"nobody{_why_nobody(named)}",
        "issuer": view.issuer_of(account.cluster),
        "cluster": view.name_of(account.cluster),
        "issuers": ", ".join(issuers),
        "clusters": ", ".join(clusters) or "no cluster of the input",
        "right": right,
        "elsewhere": ", ".join(other.role.arn for other in trusting if named is None or not are_one_role(other, named)),
        "hint": did_you_mean(account.subject, [subject for subject, _ in trusted]) if named else _near_role(view, value, right),
    }
    at = account.place.at("metadata")
    places = {"annotation": at.at("name") if requested else at.at("annotations", ROLE_ARN)}
    if named and not isinstance(named.role.policy, Unknown):
        places["policy"] = places["aud"] = named.role.policy.place
        _describe_own_issuer(view, account, named, names, places)
        if AUDIENCE_ANNOTATION in account.annotations and not requested:
            places["aud"] = account.place.at("metadata", "annotations", AUDIENCE_ANNOTATION)
    return Evidence(names, places)


def _cluster_in_words(view: View, cluster: str) -> str:
    """A cluster whose issuer is not known."""
    name = view.name_of(cluster)
    return f"cluster {name}" if cluster and name else "an unknown cluster"


def _why_nobody(named: AnalysedRole | None) -> str:
    """Conditions of the role that never hold, or whom it trusts in place of identity providers, behind a colon."""
    grants = (
        [grant for answer in named.by_provider.values() for grant in answer.grants if grant.statement.allow] if named else []
    )
    allowing = [statement for statement in named.policy.statements if statement.allow] if named and named.policy else []
    others = [text_of(value) for statement in allowing for value in (*statement.aws, *statement.service)]
    if others and not any(statement.federated for statement in allowing):
        return f": it trusts no identity provider, only {', '.join(others[:6])}"
    return "".join(f": {text}" for text in dict.fromkeys(never_holding(grant) for grant in grants) if text)


def _describe_own_issuer(
    view: View, account: ServiceAccount, named: AnalysedRole, names: dict[str, str], places: dict[str, Place]
) -> None:
    """What the policy requires of the account's own issuer: the audiences, and the Deny that denies the account."""
    issuer = view.issuer_of(account.cluster)
    audiences = audiences_of(view, account, issuer)
    own = [answer for provider, answer in named.by_provider.items() if is_provider_of(provider, issuer)]
    audiences_of_role = [answer.audiences.values for answer in own if isinstance(answer.audiences, Finite)]
    names["auds"] = ", ".join(sorted(frozenset().union(*audiences_of_role))) or "others"
    names["carried"] = f"tokens of {account.namespace}/{account.name} carry {', '.join(sorted(audiences))}"
    shutting = [statement for answer in own for statement in denying_statements(answer, account.subject, audiences)]
    alone = sure_denials(view, account, named.policy, audiences) if named.policy else []
    allowed = "which its Allow statements admit" if shutting else _allowed(named)
    shutting = shutting or alone
    names["whom"] = f"{account.namespace}/{account.name}, {allowed}"
    found = shutting_of(shutting, issuer)
    names |= found.names(names["role"])
    places |= found.places(places["policy"])


def _allowed(named: AnalysedRole) -> str:
    """What the Allow statements have to do with an account that a Deny matches, and that they do not admit."""
    allows = named.policy is not None and any(statement.allow for statement in named.policy.statements)
    return "whatever its Allow statements say" if allows else "and the policy has no Allow statement"


def _trusted(view: View, account: ServiceAccount, named: AnalysedRole) -> set[tuple[str, str]]:
    """The subjects that a role admits, and how a message calls them: with their cluster where it is another one."""
    subjects: set[tuple[str, str]] = set()
    for provider, let_in in (*named.by_provider.items(), *admitted_through_holes(named.policy)):
        issuer = arn.name if (arn := parse_arn(provider)) else provider
        own = issuer in (view.issuer_of(account.cluster), provider)
        other = "" if own else f" of {view.called(issuer)}"
        if isinstance(let_in.subjects, Finite):
            subjects |= {(subject, subject + other) for subject in let_in.subjects.values}
        elif not let_in.unseen:
            subjects |= {(pattern, pattern + other) for pattern in spell(let_in.subjects, let_in.profile.grammar).patterns}
    return subjects


def _namesake(view: View, value: str) -> str:
    """The role of the same account and name, whatever its path and case; else the only one of that name in another account."""
    arn = parse_arn(value)
    if arn is None:
        return ""
    name = arn.name.rpartition("/")[2].lower()
    if same := view.roles_by_name.get((arn.account, name)):
        return same[0].arn
    elsewhere = view.arns_by_name.get(name, ())
    return elsewhere[0] if len(elsewhere) == 1 else ""


def _near_role(view: View, value: str, namesake: str) -> str:
    if namesake:
        return f' Did you mean "{namesake}"?'
    arn = parse_arn(value)
    known = view.role_names.get(arn.account) if arn else None
    return did_you_mean(value, known) if known else ""
