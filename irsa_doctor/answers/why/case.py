"""One credential to be diagnosed: whose it is, which role it is for, and what the rules report of everything on its way."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from irsa_doctor.answers.check.engine import Locate
from irsa_doctor.answers.why.case_evidence import NO_EVIDENCE, CaseEvidence
from irsa_doctor.answers.why.evidence.events import StsCall
from irsa_doctor.answers.why.evidence.tokens import WebIdentityToken
from irsa_doctor.answers.why.rulebook import Rulebook, RuleFindings, shipped_rulebook
from irsa_doctor.facts import AnalysedRole, Judged, View, binding_facts, cluster_facts, provider_facts
from irsa_doctor.facts.grants.exclusion import profile_of_token
from irsa_doctor.facts.service_accounts.requests import requesting
from irsa_doctor.facts.service_accounts.service_account import service_account_facts
from irsa_doctor.facts.workloads.containers import has_container_credentials, pair_of
from irsa_doctor.facts.workloads.token_paths import projected_audience
from irsa_doctor.facts.workloads.webhook import ROLE_VARIABLE
from irsa_doctor.facts.workloads.workload import judged_workload
from irsa_doctor.issuers import EKS, Profile, cluster_profile
from irsa_doctor.model import (
    Arn,
    Cluster,
    Container,
    Issuer,
    OidcProvider,
    Place,
    PodIdentityAssociation,
    ServiceAccount,
    Text,
    Unknown,
    Workload,
    arn_of_provider,
    may_be_role_arn,
    parse_arn,
    text_of,
)
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN
from irsa_doctor.model.findings import Finding, Location

_AUDIENCE_OF_CLUSTER = Unknown("the audience of the tokens of this cluster", "kubectl get pods -A -o yaml")
_ONE_AUDIENCE = Unknown("the audience that is meant: STS refuses a token of several without azp", "")


class Case(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One credential, with the lookups that its links use.

    `stated_role` and `stated_issuer` are those that the user or a token names. `assumed_policy` is the path of a bare policy
    taken for the role's, because it is the only one; `absent` says that a target is not in the input; `of_run`, that it is the
    credential of a pipeline's run, whose token is not in the input.
    """

    view: View
    locate: Locate
    cluster_id: str = ""
    namespace: str = ""
    service_account: str = ""
    workload: Workload | None = None
    stated_role: str = ""
    evidence: CaseEvidence = NO_EVIDENCE
    stated_issuer: str = ""
    assumed_policy: str = ""
    absent: str = ""
    of_run: bool = False
    rulebook: Rulebook = msgspec.field(default_factory=shipped_rulebook)

    def judged_by(self, rulebook: Rulebook) -> "Case":
        """The case with other rules and causes than the built-in ones."""
        return msgspec.structs.replace(self, rulebook=rulebook)

    @cached_property
    def commands(self) -> dict[str, str]:
        """The commands that were filled with its values, by template: several links want the same."""
        return {}

    # ---- who it is

    @property
    def name(self) -> str:
        """The service account as NAMESPACE/NAME."""
        return f"{self.namespace}/{self.service_account}"

    @property
    def subject(self) -> str:
        """The `sub` of the token of the input, else that of the service account."""
        return (self.token.sub if self.token else "") or self.own_subject

    @property
    def own_subject(self) -> str:
        """The `sub` of the service account's tokens."""
        return f"system:serviceaccount:{self.namespace}:{self.service_account}"

    @property
    def token(self) -> WebIdentityToken | None:
        """The token of the input, None where there is none or it is not valid."""
        return self.evidence.token if isinstance(self.evidence.token, WebIdentityToken) else None

    @cached_property
    def calls(self) -> tuple[StsCall, ...]:
        """The calls of this subject in the log, the last one first."""
        calls = self.evidence.trail.of(self.subject) if self.evidence.trail else ()
        return tuple(call for call in calls if not self.stated_role or call.role in ("", self.stated_role))

    @property
    def reports_failure(self) -> bool:
        """Whether the evidence shows a refusal, recognised or not: an error message, or a last call that failed."""
        return self.evidence.failing or bool(self.evidence.symptoms) or bool(self.calls and self.calls[0].error)

    @cached_property
    def cluster(self) -> Cluster | None:
        """The cluster, None where it is not in the input."""
        return self.view.inventory.cluster_by_id.get(self.cluster_id)

    @cached_property
    def cluster_issuer(self) -> str:
        """The issuer of the cluster without scheme, "" where it is not known."""
        return self.view.issuer_of(self.cluster_id) or self.stated_issuer

    @cached_property
    def issuer(self) -> str:
        """The issuer of the token without scheme: its own, else that of the cluster, of a message, of a call."""
        named = (self.token.issuer if self.token else "") or self.cluster_issuer or self.issuer_of_message
        return named or next((call.issuer for call in self.calls if call.issuer), "")

    @cached_property
    def issuer_of_message(self) -> str:
        """The issuer that STS names in a message without scheme, "" where none or several: it is that of the token."""
        named = {symptom.details["issuer"] for symptom in self.evidence.symptoms if symptom.details.get("issuer")}
        return Issuer.of(named.pop()).name if len(named) == 1 else ""

    @property
    def issuer_unseen(self) -> Unknown:
        """Why the issuer is not known, where it is not."""
        refused = self.view.inventory.refused("discovery", self.cluster_id)
        if refused is not None:
            return refused
        if self.cluster and isinstance(self.cluster.issuer, Unknown):
            return self.cluster.issuer
        return Unknown("the issuer of the cluster", "kubectl get --raw /.well-known/openid-configuration")

    @property
    def profile(self) -> Profile:
        """The profile of the issuer, that of EKS where the issuer is not known."""
        if not self.is_of_cluster:
            return profile_of_token(self.issuer, self.subject, self.view)
        return cluster_profile(self.issuer) if self.issuer else EKS

    @property
    def is_of_cluster(self) -> bool:
        """Whether it is about a service account, and not about the token of another issuer."""
        is_accounts = self.service_account or self.workload is not None or (self.token and self.token.subject is not None)
        return bool(is_accounts) or not (self.of_run or self.token)

    @cached_property
    def _key(self) -> tuple[str, str, str]:
        return self.cluster_id, self.namespace, self.service_account

    @cached_property
    def account(self) -> ServiceAccount | None:
        """The service account, None where it is not in the input."""
        return self.view.inventory.service_account_by_key.get(self._key)

    @cached_property
    def association(self) -> PodIdentityAssociation | None:
        """The Pod Identity association of the service account."""
        return self.view.inventory.association_by_key.get(self._key)

    @cached_property
    def supplied(self) -> AnalysedRole | None:
        """The role that the association hands out, None where there is none or it is not in the input."""
        association = self.association
        if association is None or not association.role_arn:
            return None
        if isinstance(association.role_arn, str) and (known := self.view.role_by_arn.get(association.role_arn)):
            return known
        return self._made_by_template(association.role_arn, association)

    @cached_property
    def target(self) -> AnalysedRole | None:
        """The target role of the association, None where it has none or it is not in the input."""
        association = self.association
        if association is None or not association.target_role_arn:
            return None
        known = self.view.role_by_arn.get(self.target_role)
        return known or self._made_by_template(association.target_role_arn, association)

    def _made_by_template(self, arn: str | Text, association: PodIdentityAssociation) -> AnalysedRole | None:
        made = self.view.template_roles.of(arn, association.place)
        return self.view.role_by_id.get(made.id) if made else None

    @property
    def cloud_names(self) -> Mapping[str, str]:
        """What commands of other clouds name, by placeholder; nothing of AWS."""
        return {}

    @cached_property
    def target_role(self) -> str:
        """The ARN of the association's target role, "" where it has none."""
        return text_of(self.association.target_role_arn) if self.association else ""

    @cached_property
    def has_no_association(self) -> bool:
        """Whether the service account certainly has none."""
        return self.association is None and (self.profile is not EKS or self.view.inventory.closed.has_association(*self._key))

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """The target with its owner and its pods, else every workload that uses the service account."""
        lookup, users = self.view.workload_lookups, self.view.inventory.workloads_by_service_account.get(self._key, ())
        if self.workload is None:
            return tuple(w for w in users if not w.over and (w.admitted or not w.owner or lookup.owner_of(w) is None))
        owner = lookup.owner_of(self.workload) if self.workload.owner else None
        pods = tuple(w for w in users if w.admitted and not w.over and w.owner and lookup.owner_of(w) is self.workload)
        return (self.workload, *pods, *((owner,) if owner else ()))

    @property
    def shows_pod_identity(self) -> bool:
        """Whether a pod is set up for EKS Pod Identity, and not for web identity, though no association is known."""
        regular = [c for w in self.workloads if w.admitted for c in w.containers if not c.init]
        known = self.association is not None or self.token or self.calls
        return not known and any(has_container_credentials(c) and ROLE_VARIABLE not in c.env for c in regular)

    @property
    def containers(self) -> Iterator[Container]:
        """The containers of all these workloads."""
        return (container for workload in self.workloads for container in workload.containers)

    # ---- the role

    @cached_property
    def annotation(self) -> str:
        """The role of the annotation, as it is written."""
        return text_of(self.account.annotations.get(ROLE_ARN, "")) if self.account else ""

    @cached_property
    def by_hand(self) -> str:
        """The role that the environment of the workloads names, "" where none or several."""
        values = {
            value for container in self.containers if isinstance(value := container.env.get(ROLE_VARIABLE), str) and value
        }
        return values.pop() if len(values) == 1 else ""

    @cached_property
    def role(self) -> str:
        """The requested role: as the user names it, else of the workload's environment, the annotation, or a call."""
        written = (self.by_hand, self.annotation) if self.workload else (self.annotation, self.by_hand)
        return self.stated_role or next((role for role in (*written, *(call.role for call in self.calls)) if role), "")

    @property
    def role_is_made_by_template(self) -> bool:
        """Whether a template, of Terraform say, fills the role's ARN into the annotation."""
        account = self.account
        filled = account is not None and account.template and isinstance(account.annotations.get(ROLE_ARN), Text)
        return filled and self.role == self.annotation

    @cached_property
    def role_arn(self) -> Arn | None:
        """The parts of the role's ARN, None where it is not the ARN of a role."""
        return parse_arn(self.role) if may_be_role_arn(self.role) else None

    @property
    def role_name(self) -> str:
        """The role's name without path, "" where the ARN is not valid."""
        return self.role_arn.name.rpartition("/")[2] if self.role_arn else ""

    @cached_property
    def analysed(self) -> AnalysedRole | None:
        """The role with its policy analysed, None where it is not in the input."""
        return self.view.role_by_arn.get(self.role)

    @cached_property
    def lone_policy(self) -> AnalysedRole | None:
        """The only policy of the input, without its role, where nothing else is known: what a message is about."""
        known = self.role or self.namespace or len(self.view.roles) != 1
        return self.view.roles[0] if not known and self.view.roles[0].role.is_bare else None

    @cached_property
    def template_roles(self) -> Sequence[AnalysedRole]:
        """The role that a template makes and the account names, in every case; none where the input has the role itself."""
        if self.analysed is not None or self.account is None or self.role != self.annotation:
            return ()
        if self.role_is_made_by_template:
            return self.view.cases_of_template(self.account)
        return self.view.cases_by_arn(self.role)

    @property
    def uses_pod_identity(self) -> bool:
        """Whether EKS Pod Identity supplies the role, so that no token is sent to STS: evidence of a request excludes it,
        and so does a pod that has a web identity."""
        return self.association is not None and not self.sends_requests

    @property
    def sends_requests(self) -> bool:
        """Whether the credential is certainly a token that STS gets."""
        requested = bool(self.stated_role or self.token or self.calls or self.sends_web_identity)
        return requested or any(s.passed for s in self.evidence.symptoms)

    @cached_property
    def sends_web_identity(self) -> bool:
        """Whether the target is a pod that was set up for a web identity, whatever its service account has by now."""
        workload = self.workload
        if workload is None or not workload.admitted:
            return False
        regular = [container for container in workload.containers if not container.init]
        return any(pair_of(c) == "both" for c in regular) and not any(has_container_credentials(c) for c in regular)

    # ---- the provider and the audience

    @cached_property
    def provider_arn(self) -> str:
        """The provider that STS looks for: of the token's issuer, in the account of the role."""
        if not self.role_arn or not self.issuer:
            return ""
        return arn_of_provider(self.role_arn.partition, self.role_arn.account, self.issuer)

    @cached_property
    def provider(self) -> OidcProvider | None:
        """That provider, None where it is not in the input."""
        return self.view.inventory.provider_by_arn.get(self.provider_arn)

    @cached_property
    def audience(self) -> str | Unknown:
        """The audience of the token: its own, else that of a call, of the token file of the environment, of the annotation."""
        if self.token:
            listed = self.token.audiences
            return listed[0] if len(listed) == 1 else "" if not listed else _ONE_AUDIENCE
        if called := next((call.audience for call in self.calls if call.audience), ""):
            return called
        if own := self._own_audience:
            return own
        annotated = self.account.annotations.get(AUDIENCE_ANNOTATION) if self.account else None
        if isinstance(annotated, Text):
            return Unknown("values of the template's placeholders")
        return annotated if annotated is not None else self._usual_audience()

    @property
    def _own_audience(self) -> str:
        """The audience of the tokens that manifests mount themselves, "" where there is none or several."""
        own = {audience for w in self.workloads for c in w.containers if (audience := projected_audience(w, c))}
        return own.pop() if len(own) == 1 else ""

    def _usual_audience(self) -> str | Unknown:
        usual = self.view.default_audiences(self.issuer) if self.issuer else frozenset(EKS.audience.default)
        if len(usual) == 1:
            return next(iter(usual))
        ids = self.provider.client_ids if self.provider else ()
        known = usual & set(ids if isinstance(ids, tuple) else ())
        return next(iter(known)) if len(known) == 1 else _AUDIENCE_OF_CLUSTER

    # ---- what the rules report

    @cached_property
    def findings(self) -> RuleFindings:
        """What the rules report of everything on the way."""
        return RuleFindings(self.rulebook, self._judged(), self.locate)

    def finding(self, rule: str, subject: str = "") -> Finding | None:
        """A finding of a rule; of the subject, where one is named."""
        return next((f for f in self.findings.by_rule.get(rule, ()) if subject in ("", f.subject.id)), None)

    def finding_of(self, sign: str) -> Finding | None:
        """The first finding of a rule whose cause a sign speaks for."""
        return next(iter(self.findings.of_sign(sign)), None)

    def _judged(self) -> Iterable[Judged]:
        view = self.view
        if self.account is not None:
            yield service_account_facts(view, self.account)
            named, requested = self.account, self.role not in ("", self.annotation)
            if requested:
                named = requesting(named, self.role, self._own_audience)
            if binding := binding_facts(view, named, requested=requested):
                yield binding
        if role := self.analysed or self.lone_policy:
            yield from (grant for grant in role.grants if self._is_about(grant))
            yield role.judged
        for made in self.template_roles:
            yield from made.grants
            yield made.judged
        ident = self.issuer.rstrip("/").rpartition("/")[2].lower()
        for provider in view.inventory.providers:
            if provider.issuer == self.issuer or (ident and ident in provider.issuer.lower()):
                yield provider_facts(view, provider)
        if self.cluster:
            yield cluster_facts(view, self.cluster)
        for workload in self.workloads:
            owner = view.workload_lookups.owner_of(workload) if workload.owner else None
            yield judged_workload(view, workload, owner)

    def _is_about(self, grant: Judged) -> bool:
        """Whether a grant is for the provider that STS looks for, or for one that does not exist."""
        if getattr(grant.facts, "principal", "") != "provider":
            return True
        return not self.provider_arn or grant.evidence().names.get("principal") == self.provider_arn

    def located(self, place: Place, says: str, *, key: bool = False) -> Location:
        """A place with its line and column."""
        line, column, end_line, end_column, source, offset = self.locate(place, key)
        return Location(place.document, line, column, place.pointer, says, True, end_line, end_column, source, offset)
