"""What is true of subjects by the standards of a project; where none is set, nothing is asked."""

from collections.abc import Callable, Iterator, Mapping

from irsa_doctor.facts.lifetimes.durations import StandardState, duration_words, moment_named
from irsa_doctor.facts.lifetimes.keys import key_age, thumbprint_age
from irsa_doctor.facts.lifetimes.records import StandardFacts
from irsa_doctor.facts.lifetimes.tokens import (
    account_lifetime,
    denied_keys,
    legacy_token_state,
    role_of,
    workload_lifetime,
)
from irsa_doctor.facts.lifetimes.use import provider_use, role_use
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.roles.role import AnalysedRole
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.facts.workloads.workload import judged_workload
from irsa_doctor.model import Place, ServiceAccount, Unknown
from irsa_doctor.model.commands import shell_command
from irsa_doctor.model.standards import Standards


def standard_facts(view: View) -> Iterator[Judged]:
    """The facts of every subject but roles that a standard is about."""
    standards = view.standards
    yield from _of_accounts(view, standards)
    yield from _of_workloads(view, standards)
    yield from _of_providers(view, standards)
    yield from _of_clusters(view, standards)


def is_of_web_identities(analysed: AnalysedRole) -> bool:
    """Whether web identities assume a role, as far as its trust policy is in the input."""
    return bool(analysed.by_provider) or isinstance(analysed.role.policy, Unknown)


def role_standard(view: View, analysed: AnalysedRole) -> Judged:
    """The facts of a role."""
    role, standards = analysed.role, view.standards
    facts = StandardFacts(
        session_duration=_session(analysed, standards),
        role_unused=role_use(role, standards.max_role_unused, moment_named(view.standards_context.as_of)),
    )
    names = {
        "role": role.name,
        "longest": duration_words(role.max_session),
        "standard": duration_words(standards.max_session_duration),
        "used": f"was last used on {role.last_used[:10]}" if role.last_used else "was never used in the last 400 days",
        "unused_standard": duration_words(standards.max_role_unused),
    }
    return _judged("role", role.id, facts, names, role.place)


def _session(analysed: AnalysedRole, standards: Standards) -> StandardState | Unknown:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html: a caller may ask for up to
    MaxSessionDuration."""
    role, longest = analysed.role, standards.max_session_duration
    if not longest:
        return "not-asked"
    if not role.max_session:
        return Unknown(f"MaxSessionDuration of {role.name}", shell_command("aws iam get-role --role-name {}", role.name))
    return "missed" if role.max_session > longest else "met"


def _of_accounts(view: View, standards: Standards) -> Iterator[Judged]:
    for account in view.inventory.service_accounts:
        lifetime, seconds = account_lifetime(view, account, standards.max_token_lifetime)
        legacy, secret = legacy_token_state(view, account) if standards.legacy_tokens else ("not-asked", None)
        role = role_of(view, account)
        facts = StandardFacts(token_lifetime=lifetime, legacy_token=legacy, role_there="named" if role else "unseen")
        names = {
            "account": f"{account.namespace}/{account.name}",
            "lifetime": duration_words(seconds),
            "standard": duration_words(standards.max_token_lifetime),
            "secret": secret.name if secret else "",
        }
        ident = f"{view.label_of(account.cluster)}/{account.namespace}/{account.name}"
        yield _judged("service-account", ident, facts, names, secret.place if secret else account.place)


def _of_workloads(view: View, standards: Standards) -> Iterator[Judged]:
    if not (standards.max_token_lifetime or standards.static_keys):
        return
    for workload in view.inventory.workloads:
        owner = view.workload_lookups.owner_of(workload) if workload.owner else None
        if workload.over or (owner is not None and not workload.admitted):
            continue
        judged = judged_workload(view, workload, owner)
        lifetime, seconds = workload_lifetime(workload, standards.max_token_lifetime)
        account = view.workload_lookups.account_of(workload)
        known = isinstance(account, ServiceAccount) and role_of(view, account) is not None
        facts = StandardFacts(
            token_lifetime=lifetime,
            static_keys=denied_keys(judged.facts, standards.static_keys),
            role_there="named" if known else "unseen",
        )
        names = {
            "account": f"{workload.namespace}/{workload.kind.lower()}/{workload.name}",
            "lifetime": duration_words(seconds),
            "standard": duration_words(standards.max_token_lifetime),
        }
        yield _judged("workload", judged.id, facts, names, workload.place)


def _of_providers(view: View, standards: Standards) -> Iterator[Judged]:
    for provider in view.inventory.providers:
        now = moment_named(view.standards_context.as_of)
        facts = StandardFacts(
            provider_unused=provider_use(view, provider, standards.max_provider_unused, now),
            thumbprint_age=thumbprint_age(view, provider, standards.max_thumbprint_age),
        )
        names = {
            "provider": provider.arn,
            "unused_standard": duration_words(standards.max_provider_unused),
            "standard": duration_words(standards.max_thumbprint_age),
        }
        yield _judged("provider", provider.arn, facts, names, provider.place)


def _of_clusters(view: View, standards: Standards) -> Iterator[Judged]:
    if standards.max_signing_key_age:
        for cluster in view.own_clusters:
            facts = StandardFacts(signing_key_age=key_age(view, cluster, standards.max_signing_key_age))
            names = {"cluster": cluster.name, "standard": duration_words(standards.max_signing_key_age)}
            yield _judged("cluster", cluster.subject, facts, names, cluster.place)


def _judged(kind: str, ident: str, facts: StandardFacts, names: Mapping[str, str | Callable[[], str]], place: Place) -> Judged:
    return Judged(kind, ident, ident, facts, lambda: Evidence(names, {"subject": place}))
