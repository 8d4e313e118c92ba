"""One credential to be diagnosed: whose it is, which role it is for, and what the rules say of everything on its way."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec

from irsa_doctor.engine import Locate, evaluate
from irsa_doctor.facts import AnalysedRole, Judged, View, binding_facts, cluster_facts, provider_facts
from irsa_doctor.facts.bindings import service_account_facts
from irsa_doctor.facts.documents import document_facts
from irsa_doctor.facts.surroundings import ROLE_ARN
from irsa_doctor.facts.workloads import workload_facts
from irsa_doctor.findings import Finding, Missing
from irsa_doctor.model import (
    Arn,
    Cluster,
    OidcProvider,
    PodIdentityAssociation,
    ServiceAccount,
    Unknown,
    Workload,
    parse_arn,
    text_of,
)
from irsa_doctor.rulebook import shipped_rules

STS = "sts.amazonaws.com"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
_ROLE = re.compile(r"arn:[a-z0-9-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+")
AUDIENCE = "eks.amazonaws.com/audience"


class Asked(msgspec.Struct, frozen=True):
    """What is asked about: a service account, or one workload (kind in lower case); `role` where the user names one."""

    namespace: str
    name: str
    kind: str = ""
    role: str = ""


class Case(msgspec.Struct, frozen=True, dict=True):
    """One credential, with the tables that its links look at."""

    view: View
    locate: Locate
    cluster_id: str
    namespace: str
    service_account: str
    workload: Workload | None = None
    stated_role: str = ""
    claims: Mapping[str, object] = {}
    """those of a token that was given, {} without one"""

    @property
    def subject(self) -> str:
        """The `sub` of the token."""
        return f"system:serviceaccount:{self.namespace}:{self.service_account}"

    @cached_property
    def cluster(self) -> Cluster | None:
        """The cluster, where it was given."""
        return self.view.inventory.cluster_by_id.get(self.cluster_id)

    @cached_property
    def issuer(self) -> str:
        """Issuer without scheme: of the token, else of the cluster; "" where neither is known."""
        said = self.claims.get("iss")
        if isinstance(said, str):
            return said.removeprefix("https://")
        return self.view.issuer_of(self.cluster_id)

    @cached_property
    def account(self) -> ServiceAccount | None:
        """The service account."""
        key = (self.cluster_id, self.namespace, self.service_account)
        return self.view.inventory.service_account_by_key.get(key)

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """The workload asked about, else those that use the service account."""
        if self.workload is not None:
            return (self.workload,)
        key = (self.cluster_id, self.namespace, self.service_account)
        return self.view.inventory.workloads_by_service_account.get(key, ())

    @cached_property
    def association(self) -> PodIdentityAssociation | None:
        """The Pod Identity association of the service account."""
        return self.view.inventory.association_by_key.get((self.cluster_id, self.namespace, self.service_account))

    @cached_property
    def annotation(self) -> str:
        """The role that the service account names, as it is written."""
        return text_of(self.account.annotations.get(ROLE_ARN, "")) if self.account else ""

    @cached_property
    def role(self) -> str:
        """The role that is asked for: the one stated, else that of the pod, else that of the annotation."""
        if self.stated_role:
            return self.stated_role
        values = {
            value
            for workload in self.workloads
            for container in workload.containers
            if isinstance(value := container.env.get("AWS_ROLE_ARN"), str)
        }
        return values.pop() if len(values) == 1 else self.annotation

    @cached_property
    def role_arn(self) -> Arn | None:
        """The parts of the role's ARN, None where it is none."""
        return parse_arn(self.role) if _ROLE.fullmatch(self.role) else None

    @cached_property
    def analysed(self) -> AnalysedRole | None:
        """The role with its policy taken apart, where it was given."""
        return self.view.role_by_arn.get(self.role)

    @cached_property
    def audience(self) -> str | Unknown:
        """The audience of the token: what it says, else what the annotation asks for, else the default of the webhook."""
        said = self.claims.get("aud")
        listed = said if isinstance(said, list) else [said]
        if said is not None and all(isinstance(item, str) for item in listed):
            return str(listed[0]) if listed else ""
        asked = {a for w in self.workloads for v, a in w.token_audiences.items() if v == "aws-iam-token" and a}
        if len(asked) == 1:
            return asked.pop()
        if self.account is None:
            return Unknown("the service account", "kubectl get serviceaccounts -A -o yaml")
        return text_of(self.account.annotations.get(AUDIENCE, STS))

    @cached_property
    def provider_arn(self) -> str:
        """The provider that STS looks for: of the token's issuer, in the account of the role."""
        if not self.role_arn or not self.issuer:
            return ""
        return f"arn:{self.role_arn.partition}:iam::{self.role_arn.account}:oidc-provider/{self.issuer}"

    @cached_property
    def provider(self) -> OidcProvider | None:
        """That provider, where it was given."""
        return self.view.inventory.provider_by_arn.get(self.provider_arn)

    @cached_property
    def _said(self) -> tuple[Mapping[str, tuple[Finding, ...]], tuple[Missing, ...]]:
        outcome = evaluate(shipped_rules(), list(self._judged()), self.locate)
        found: dict[str, list[Finding]] = {}
        for finding in outcome.findings:
            found.setdefault(finding.rule, []).append(finding)
        return {rule: tuple(findings) for rule, findings in found.items()}, tuple(outcome.unknown)

    @property
    def findings(self) -> Mapping[str, tuple[Finding, ...]]:
        """What the rules find wrong of everything on the way, by rule."""
        return self._said[0]

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What the rules could not judge."""
        return self._said[1]

    def _is_about(self, grant: Judged) -> bool:
        """Whether a grant is for the provider that STS looks for, or for none that there is."""
        if getattr(grant.facts, "principal", "") != "provider":
            return True
        return not self.provider_arn or grant.evidence().names.get("principal") == self.provider_arn

    def _judged(self) -> Iterable[Judged]:
        view = self.view
        if self.account is not None:
            yield service_account_facts(view, self.account)
            named = self.account
            if self.stated_role:
                named = msgspec.structs.replace(named, annotations={**named.annotations, ROLE_ARN: self.stated_role})
            if binding := binding_facts(view, named):
                yield binding
        if self.analysed:
            yield from (grant for grant in self.analysed.grants if self._is_about(grant))
            yield self.analysed.judged
        ident = self.issuer.rpartition("/")[2]
        for provider in view.inventory.providers:
            if provider.issuer == self.issuer or (ident and ident in provider.issuer):
                yield provider_facts(view, provider)
        if self.cluster:
            yield cluster_facts(view, self.cluster)
        if self.workloads:
            name = view.name_of(self.cluster_id)
            mine = {f"{name}/{w.namespace}/{w.kind.lower()}/{w.name}" for w in self.workloads}
            yield from (judged for judged in workload_facts(view) if judged.id in mine)
        if view.inventory.rcps:
            mine = {r.place.document for r in view.inventory.rcps if self.role_arn and r.account in ("", self.role_arn.account)}
            yield from (document_facts(view, d) for d in view.inventory.documents if d.path in mine)
