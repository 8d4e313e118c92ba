"""Holds an estate against an intent: whom roles admit, and what service accounts, providers and associations say."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from irsa_doctor.answers.check.engine import Locate
from irsa_doctor.answers.check.fetching import missing_input
from irsa_doctor.answers.intents.estate import Estate
from irsa_doctor.answers.intents.plan import IntentPlan, MadeAnnotation, MadeAssociation, MadeProvider, MadeRole
from irsa_doctor.answers.intents.trust import Mismatch, RoleBesideIntent, open_to
from irsa_doctor.facts import AnalysedRole
from irsa_doctor.model import OidcProvider, Place, PlannedProvider, ServiceAccount, Text, Unknown, text_of
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN
from irsa_doctor.model.findings import SEVERITIES, Location, Missing, Severity, Subject

DifferenceKind = str
"""wider, narrower, audience, or what is missing, wrong or extra: a role, a provider, an annotation, a service account, an
association"""
MISSING = "missing"
_TOO_COMPLEX = "its policy has more wildcards and exceptions than are worked out"


class IntentDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Something of an estate that is not as its intent says.

    `intended` and `found` are subjects, audiences or ARNs; `witness` is one subject that gets in and should not. `cluster` is
    that of the intent, None where it is about a role.
    """

    kind: DifferenceKind
    severity: Severity
    subject: Subject
    cluster: str | None = None
    intended: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    witness: str | None = None
    says: str
    locations: tuple[Location, ...] = ()
    remedy: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """How an estate differs from an intent: `roles` is the number of roles that are meant, `same` of those that admit exactly
    whom they should. `unknown` is what is undetermined, and what would tell it."""

    roles: int
    same: int
    differences: tuple[IntentDifference, ...]
    unknown: tuple[Missing, ...]


def verified(plan: IntentPlan, estate: Estate, locate: Locate) -> Verification:
    """Every difference, the worst first, then by subject."""
    verifying = _Verifying(plan, estate, locate)
    differences = list(verifying.differences())
    unlike = {d.subject.id for d in differences if d.kind in ("wider", "narrower", "audience", f"role-{MISSING}")}
    unknown = [missing_input(item, (), number) for item, number in verifying.unknown.items()]
    return Verification(
        roles=len(plan.roles),
        same=len([role for role in plan.roles if role.role not in unlike | verifying.unseen]),
        differences=tuple(sorted(differences, key=lambda d: (SEVERITIES.index(d.severity), d.subject.id, d.kind))),
        unknown=tuple(unknown),
    )


class _Verifying:
    """One plan beside one estate; what is not known is gathered on the way."""

    def __init__(self, plan: IntentPlan, estate: Estate, locate: Locate) -> None:
        self.plan = plan
        self.estate = estate
        self.locate = locate
        self.unknown: dict[Unknown, int] = {}
        self.unseen: set[str] = set()

    def differences(self) -> Iterator[IntentDifference]:
        """Every difference, in no order."""
        for role in self.plan.roles:
            yield from self._role(role)
        yield from self._extra_roles()
        for provider in self.plan.providers:
            yield from self._provider(provider)
        for annotation in self.plan.annotations:
            yield from self._annotation(annotation)
        yield from self._extra_annotations()
        for association in self.plan.associations:
            yield from self._association(association)
        yield from self._extra_associations()

    def _is_unknown(self, unknown: Unknown, role: str = "") -> None:
        self.unknown[unknown] = self.unknown.get(unknown, 0) + 1
        self.unseen.update((role,) if role else ())

    def _at(self, place: Place | None, says: str, *, key: bool = False) -> tuple[Location, ...]:
        if place is None:
            return ()
        spot = self.locate(place, key)
        return (Location(place.document, spot[0], spot[1], place.pointer, says, True, *spot[2:]),)

    # ---- roles

    def _role(self, role: MadeRole) -> Iterator[IntentDifference]:
        cases = self.estate.cases_of(role)
        if not cases:
            yield from self._missing_role(role)
        for case in cases:
            if case.policy is None:
                source = case.role.policy
                self._is_unknown(source if isinstance(source, Unknown) else Unknown(f"the policy of {role.role}"), role.role)
                continue
            beside = RoleBesideIntent(case.policy, role, self.estate.view)
            if unseen := beside.unseen:
                missing = f"the values of {', '.join(unseen[:6])}, on which it depends whom {case.role.id} admits"
                self._is_unknown(Unknown(missing, "terraform show -json PLAN > plan.json"), role.role)
                continue
            if beside.is_too_complex:
                self._is_unknown(Unknown(f"whom {case.role.id} admits: {_TOO_COMPLEX}"), role.role)
                continue
            for mismatch in beside.mismatches:
                yield self._mismatch(role, case, mismatch)

    def _missing_role(self, role: MadeRole) -> Iterator[IntentDifference]:
        inventory = self.estate.view.inventory
        if not inventory.closed.has_role(role.account, role.name):
            how = "aws iam get-account-authorization-details --filter Role"
            missing = f"roles of account {role.account}"
            self._is_unknown(inventory.unknown("roles", role.account, role.name.lower(), missing, how), role.role)
            return
        yield IntentDifference(
            kind=f"role-{MISSING}",
            severity="high",
            subject=Subject("role", role.role),
            intended=_subjects(role),
            says=f"{role.role} does not exist",
            remedy=f"Make the role: `irsa-doctor generate {self.plan.intent.file}` writes its trust policy.",
        )

    def _mismatch(self, role: MadeRole, case: AnalysedRole, mismatch: Mismatch) -> IntentDifference:
        place = case.role.policy.place if not isinstance(case.role.policy, Unknown) else case.role.place
        remedy = f"Save the trust policy that `irsa-doctor generate {self.plan.intent.file}` writes, or change the intent."
        return IntentDifference(
            kind=mismatch.kind,
            severity=mismatch.severity,
            subject=Subject("role", role.role),
            intended=mismatch.intended,
            found=mismatch.found,
            witness=mismatch.witness,
            says=f"{role.role} {mismatch.says}",
            locations=self._at(place, "this trust policy"),
            remedy=remedy,
        )

    def _extra_roles(self) -> Iterator[IntentDifference]:
        """Roles that admit somebody of an issuer of the intent, and are not in it."""
        issuers = [cluster.issuer for cluster in self.plan.clusters if cluster.issuer]
        for case in self.estate.other_roles():
            admitted = open_to(case, issuers)
            if admitted is None:
                continue
            if case.role.address and not case.role.planned:
                self._is_unknown(Unknown(f"the name of {case.role.id}", "terraform show -json PLAN > plan.json"))
                continue
            if admitted.reach.scope is None:
                self._is_unknown(Unknown(f"whom {case.role.id} admits: {_TOO_COMPLEX}"))
                continue
            is_whole = admitted.reach.scope in ("cluster", "anyone")
            yield IntentDifference(
                kind="role-extra",
                severity="critical" if is_whole else "medium",
                subject=Subject("role", case.role.id),
                found=admitted.patterns,
                witness=admitted.reach.witness,
                says=f"{case.role.id} admits {admitted.reach.witness or 'service accounts'} and is not in the intent",
                locations=self._at(case.role.place, "this role"),
                remedy="Write the role into the intent with those who may be it, or delete it.",
            )

    # ---- providers

    def _provider(self, provider: MadeProvider) -> Iterator[IntentDifference]:
        inventory = self.estate.view.inventory
        known = inventory.provider_by_arn.get(provider.arn)
        subject = Subject("provider", provider.arn)
        if known is None and provider.account in inventory.closed.providers:
            yield IntentDifference(
                kind="provider-missing",
                severity="high",
                subject=subject,
                cluster=provider.cluster,
                intended=(provider.arn,),
                says=f"account {provider.account} has no OIDC provider for {provider.url}, so STS takes no token of it",
                remedy=f"Create the provider with the client ids {', '.join(provider.client_ids)}.",
            )
            return
        made = (known,) if known else self.estate.planned_providers(provider.url)
        if not made:
            self._is_unknown(self.estate.view.principals.unlisted(provider.account))
        # of which account a template makes its provider may be open
        elif all(_lacking(provider, each) for each in made):
            lacking = ", ".join(_lacking(provider, made[0]))
            yield IntentDifference(
                kind="provider-audience",
                severity="high",
                subject=subject,
                cluster=provider.cluster,
                intended=provider.client_ids,
                found=() if isinstance(made[0].client_ids, Unknown) else made[0].client_ids,
                says=f"{provider.arn} does not accept the audience {lacking}",
                locations=self._at(made[0].place, "this provider"),
                remedy=f"Add {lacking} to the client ids of the provider.",
            )

    # ---- service accounts

    def _annotation(self, annotation: MadeAnnotation) -> Iterator[IntentDifference]:
        account = self.estate.account(annotation.cluster, annotation.namespace, annotation.service_account)
        ident = f"{annotation.cluster}/{annotation.namespace}/{annotation.service_account}"
        if account is None:
            yield from self._missing_account(annotation.cluster, annotation.namespace, annotation.service_account)
            return
        value = account.annotations.get(ROLE_ARN)
        if value == annotation.value:
            yield from self._token_audience(annotation, account, ident)
            return
        if isinstance(value, Text):
            self._is_unknown(Unknown(f"the annotation of {ident}, which is {value} in its template"))
            return
        found = text_of(value) if value else ""
        yield IntentDifference(
            kind="annotation-wrong" if found else "annotation-missing",
            severity="high",
            subject=Subject("service-account", ident),
            cluster=annotation.cluster,
            intended=(annotation.value,),
            found=(found,) if found else (),
            says=f"{ident} names {found} and should name {annotation.value}"
            if found
            else f"{ident} names no role and should name {annotation.value}",
            locations=self._at(account.place, "this service account"),
            remedy=f"Annotate it with {ROLE_ARN}: {annotation.value}, and restart its pods.",
        )

    def _token_audience(self, meant: MadeAnnotation, account: ServiceAccount, ident: str) -> Iterator[IntentDifference]:
        """Where a service account asks for tokens with another audience than the role admits, none of them gets in."""
        audience = meant.audience or self.plan.cluster(meant.cluster).audience
        value = account.annotations.get(AUDIENCE_ANNOTATION)
        if not isinstance(value, str) or value == audience:
            return
        yield IntentDifference(
            kind="annotation-wrong",
            severity="high",
            subject=Subject("service-account", ident),
            cluster=meant.cluster,
            intended=(audience,),
            found=(value,),
            says=f"{ident} asks for tokens with the audience {value} and should ask for {audience}",
            locations=self._at(account.place, "this service account"),
            remedy=f"Set {AUDIENCE_ANNOTATION} to {audience}, or take it away where that is the default; restart its pods.",
        )

    def _missing_account(self, cluster: str, namespace: str, name: str) -> Iterator[IntentDifference]:
        ident = f"{cluster}/{namespace}/{name}"
        unknown = self.estate.unlisted(cluster, namespace)
        if unknown is not None:
            self._is_unknown(unknown)
            return
        yield IntentDifference(
            kind=f"service-account-{MISSING}",
            severity="high",
            subject=Subject("service-account", ident),
            cluster=cluster,
            intended=(f"{namespace}/{name}",),
            says=f"{ident} does not exist",
            remedy="Create the service account, or take it out of the intent.",
        )

    def _extra_annotations(self) -> Iterator[IntentDifference]:
        meant = {(self.estate.first_name(a.cluster), a.namespace, a.service_account) for a in self.plan.annotations}
        whole = {
            (self.estate.first_name(pair.cluster.name), pair.subject.namespace, role.role)
            for role in self.plan.roles
            for pair in role.pairs
            if not pair.subject.name
        }
        roles = {role.role for role in self.plan.roles}
        for account in self.estate.view.inventory.service_accounts:
            value = account.annotations.get(ROLE_ARN)
            cluster = self.estate.cluster_of(account.cluster)
            known = isinstance(value, str) and (value in roles or value in self.estate.view.role_by_arn)
            # in a cluster that is not known it may be the one that is meant
            names = (cluster,) if cluster else {name for name, *_ in (*meant, *whole)}
            named = any((n, account.namespace, account.name) in meant or (n, account.namespace, value) in whole for n in names)
            if known and not named and (cluster or value in roles):
                yield self._extra_annotation(account, cluster, str(value))

    def _extra_annotation(self, account: ServiceAccount, cluster: str, value: str) -> IntentDifference:
        ident = f"{cluster or self.estate.view.name_of(account.cluster)}/{account.namespace}/{account.name}"
        return IntentDifference(
            kind="annotation-extra",
            severity="low",
            subject=Subject("service-account", ident),
            cluster=cluster or None,
            found=(value,),
            says=f"{ident} names {value}, which the intent does not give it",
            locations=self._at(account.place, "this service account"),
            remedy="Take the annotation away, or write the service account into the intent.",
        )

    # ---- Pod Identity

    def _association(self, association: MadeAssociation) -> Iterator[IntentDifference]:
        if self.estate.account(association.cluster, association.namespace, association.service_account) is None:
            yield from self._missing_account(association.cluster, association.namespace, association.service_account)
        ident = f"{association.cluster}/{association.namespace}/{association.service_account}"
        known = self.estate.association(association.cluster, association.namespace, association.service_account)
        if known is not None and known.role_arn == association.role:
            return
        if known is None and (unknown := self.estate.unlisted_associations(association)) is not None:
            self._is_unknown(unknown)
            return
        found = text_of(known.role_arn) if known else ""
        yield IntentDifference(
            kind="association-wrong" if known else "association-missing",
            severity="high",
            subject=Subject("service-account", ident),
            cluster=association.cluster,
            intended=(association.role,),
            found=(found,) if found else (),
            says=f"the association of {ident} hands out {found or 'another role'}, not {association.role}"
            if known
            else f"{ident} has no Pod Identity association, and should get {association.role} by one",
            locations=self._at(known.place, "this association") if known else (),
            remedy=f"Let the association of {ident} hand out {association.role}.",
        )

    def _extra_associations(self) -> Iterator[IntentDifference]:
        meant = {(a.cluster, a.namespace, a.service_account) for a in self.plan.associations}
        for known in self.estate.view.inventory.associations:
            cluster = self.estate.cluster_of(text_of(known.cluster))
            key = (cluster, text_of(known.namespace), text_of(known.service_account))
            if cluster and key not in meant:
                ident = "/".join(key)
                yield IntentDifference(
                    kind="association-extra",
                    severity="medium",
                    subject=Subject("service-account", ident),
                    cluster=cluster,
                    found=(text_of(known.role_arn),) if known.role_arn else (),
                    says=f"{ident} has a Pod Identity association that is not in the intent",
                    locations=self._at(known.place, "this association"),
                    remedy="Delete the association, or write it into the intent with `via: pod-identity`.",
                )


def _lacking(meant: MadeProvider, made: OidcProvider | PlannedProvider) -> Sequence[str]:
    """The audiences that a provider surely does not take."""
    known = made.client_ids
    return () if isinstance(known, Unknown) else [audience for audience in meant.client_ids if audience not in known]


def _subjects(role: MadeRole) -> tuple[str, ...]:
    return _unique(pair.subject.subject for pair in role.pairs)


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
