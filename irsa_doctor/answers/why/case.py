"""One credential to be diagnosed: whose it is, which role it is for, and what the rules say of everything on its way."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec

from irsa_doctor.answers.check.engine import Locate
from irsa_doctor.answers.why.evidence.events import Event, Trail
from irsa_doctor.answers.why.evidence.tokens import BadToken, Token
from irsa_doctor.answers.why.rulebook import Rulebook, RuleFindings, shipped_rulebook
from irsa_doctor.answers.why.symptoms import Symptom
from irsa_doctor.facts import AnalysedRole, Judged, View, binding_facts, cluster_facts, provider_facts
from irsa_doctor.facts.lookups.surroundings import ROLE_ARN
from irsa_doctor.facts.service_accounts.binding import service_account_facts
from irsa_doctor.facts.workloads.webhook import AUDIENCE, CONTAINER_CREDENTIALS, FILE, ROLE, VOLUME
from irsa_doctor.facts.workloads.workload import judged_workload
from irsa_doctor.issuers import EKS
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
    parse_arn,
    text_of,
)
from irsa_doctor.model.findings import Finding, Location

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
_ROLE = re.compile(r"arn:[a-z0-9-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+")
_AUDIENCE_OF_CLUSTER = Unknown("the audience of the tokens of this cluster", "kubectl get pods -A -o yaml")
_ONE_AUDIENCE = Unknown("what STS does with a token of several audiences, which AWS does not document", "")


class Asked(msgspec.Struct, frozen=True):
    """What is asked about: a service account, or one workload (kind in lower case); `role` where the user names one."""

    namespace: str
    name: str
    kind: str = ""
    role: str = ""


class Evidence(msgspec.Struct, frozen=True):
    """What is at hand beside the inventory: what somebody saw, a token, a log; `now` in seconds since 1970.

    `failing`: somebody says that it does not work, in whatever words.
    """

    symptoms: tuple[Symptom, ...] = ()
    token: Token | BadToken | None = None
    trail: Trail | None = None
    failing: bool = False
    now: float = 0.0


_NOTHING = Evidence()


class Case(msgspec.Struct, frozen=True, dict=True):
    """One credential, with the tables that its links look at."""

    view: View
    locate: Locate
    cluster_id: str
    namespace: str
    service_account: str
    workload: Workload | None = None
    stated_role: str = ""
    evidence: Evidence = _NOTHING
    stated_issuer: str = ""
    assumed_policy: str = ""
    """path of a bare policy that is taken for the role's, for it is the only one"""
    absent: str = ""
    """of a target that is not in the input: the sentence that says so"""
    rulebook: Rulebook = msgspec.field(default_factory=shipped_rulebook)

    def judged_by(self, rulebook: Rulebook) -> "Case":
        """The case with other rules and causes than the built-in ones."""
        return msgspec.structs.replace(self, rulebook=rulebook)

    # ---- who it is

    @property
    def name(self) -> str:
        """The service account as people write it."""
        return f"{self.namespace}/{self.service_account}"

    @property
    def subject(self) -> str:
        """The `sub` of the token: as the token itself says, else that of the service account."""
        return (self.token.sub if self.token else "") or self.own_subject

    @property
    def own_subject(self) -> str:
        """The `sub` of the service account's tokens."""
        return f"system:serviceaccount:{self.namespace}:{self.service_account}"

    @property
    def token(self) -> Token | None:
        """The token that was given, where it is one."""
        return self.evidence.token if isinstance(self.evidence.token, Token) else None

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The calls of this subject in the log that was given, the last one first."""
        found = self.evidence.trail.of(self.subject) if self.evidence.trail else ()
        return tuple(event for event in found if not self.stated_role or event.role in ("", self.stated_role))

    @cached_property
    def cluster(self) -> Cluster | None:
        """The cluster, where it was given."""
        return self.view.inventory.cluster_by_id.get(self.cluster_id)

    @cached_property
    def cluster_issuer(self) -> str:
        """The issuer of the cluster without scheme, "" where it is not known."""
        return self.view.issuer_of(self.cluster_id) or self.stated_issuer

    @cached_property
    def issuer(self) -> str:
        """The issuer of the token without scheme: as it says, else that of the cluster, else as an event says."""
        named = self.token.issuer if self.token else ""
        return named or self.cluster_issuer or next((event.issuer for event in self.events if event.issuer), "")

    @property
    def issuer_unseen(self) -> Unknown:
        """Why the issuer is not known, where it is not."""
        refused = self.view.inventory.refused("discovery", self.cluster_id)
        if refused is not None:
            return refused
        if self.cluster and isinstance(self.cluster.issuer, Unknown):
            return self.cluster.issuer
        return Unknown("the issuer of the cluster", "aws eks describe-cluster --name CLUSTER")

    @property
    def is_eks(self) -> bool:
        """Whether the cluster is one of EKS, as far as that is known."""
        return not self.issuer or Issuer.of(self.issuer).form != "other"

    @cached_property
    def _key(self) -> tuple[str, str, str]:
        return self.cluster_id, self.namespace, self.service_account

    @cached_property
    def account(self) -> ServiceAccount | None:
        """The service account, where it was given."""
        return self.view.inventory.service_account_by_key.get(self._key)

    @cached_property
    def association(self) -> PodIdentityAssociation | None:
        """The Pod Identity association of the service account."""
        return self.view.inventory.association_by_key.get(self._key)

    @cached_property
    def has_no_association(self) -> bool:
        """Whether it is sure that there is none."""
        return self.association is None and (not self.is_eks or self.view.inventory.closed.has_association(*self._key))

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """The workload asked about with what it was made of and what was made of it, else all that use the service account."""
        near, users = self.view.neighbours, self.view.inventory.workloads_by_service_account.get(self._key, ())
        if self.workload is None:
            return tuple(w for w in users if not w.over and (w.admitted or not w.owner or near.owner_of(w) is None))
        above = near.owner_of(self.workload) if self.workload.owner else None
        made = tuple(w for w in users if w.admitted and not w.over and w.owner and near.owner_of(w) is self.workload)
        return (self.workload, *made, *((above,) if above else ()))

    @property
    def shows_pod_identity(self) -> bool:
        """Whether a pod is set up for EKS Pod Identity, and not for web identity, though no association is known."""
        names = [{name for c in w.containers if not c.init for name in c.env} for w in self.workloads if w.admitted]
        set_up = any(CONTAINER_CREDENTIALS[0] in one and ROLE not in one for one in names)
        return set_up and self.association is None and not self.token and not self.events

    @property
    def containers(self) -> Iterator[Container]:
        """The containers of all these workloads."""
        return (container for workload in self.workloads for container in workload.containers)

    @property
    def meant_account(self) -> ServiceAccount | None:
        """The only account of the namespace that has a role and is not used, where the workload runs as one without."""
        if self.workload is None or (self.account and self.account.annotations.get(ROLE_ARN)) or self.association:
            return None
        near, place = self.view.neighbours, (self.cluster_id, self.namespace)
        spare = [one for one in near.prepared.get(place, {}).values() if not near.users.get((*place, one.name))]
        return spare[0] if len(spare) == 1 and self.service_account == "default" else None

    # ---- the role

    @cached_property
    def annotation(self) -> str:
        """The role that the service account names, as it is written."""
        return text_of(self.account.annotations.get(ROLE_ARN, "")) if self.account else ""

    @cached_property
    def by_hand(self) -> str:
        """The role that the environment of the workloads names, "" where none or several."""
        values = {value for container in self.containers if isinstance(value := container.env.get(ROLE), str) and value}
        return values.pop() if len(values) == 1 else ""

    @cached_property
    def role(self) -> str:
        """The role that is asked for: as stated, else of the workload's environment, else the annotation, else of an event."""
        said = (self.by_hand, self.annotation) if self.workload else (self.annotation, self.by_hand)
        seen = next((event.role for event in self.events if event.role), "")
        return self.stated_role or next((role for role in said if role), "") or seen

    @property
    def role_is_made_by_template(self) -> bool:
        """Whether the role's ARN is one that Terraform or the like puts into the annotation."""
        made = self.account is not None and self.account.template and isinstance(self.account.annotations.get(ROLE_ARN), Text)
        return made and self.role == self.annotation

    @cached_property
    def role_arn(self) -> Arn | None:
        """The parts of the role's ARN, None where it is none."""
        return parse_arn(self.role) if _ROLE.fullmatch(self.role) else None

    @property
    def role_name(self) -> str:
        """The role's name without path, "" where the ARN is none."""
        return self.role_arn.name.rpartition("/")[2] if self.role_arn else ""

    @cached_property
    def analysed(self) -> AnalysedRole | None:
        """The role with its policy taken apart, where it was given."""
        return self.view.role_by_arn.get(self.role)

    @property
    def uses_pod_identity(self) -> bool:
        """Whether EKS Pod Identity hands out the role, so that no token goes to STS: unless somebody shows that one does."""
        asked = bool(self.stated_role or self.token or self.events)
        return self.association is not None and not asked and not any(s.passed for s in self.evidence.symptoms)

    # ---- the provider and the audience

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
    def audience(self) -> str | Unknown:
        """The audience of the token: as it says, else of the token that the environment points at, else as the account asks."""
        if self.token:
            listed = self.token.audiences
            return listed[0] if len(listed) == 1 else "" if not listed else _ONE_AUDIENCE
        if seen := next((event.audience for event in self.events if event.audience), ""):
            return seen
        own = set(self._own_audiences())
        if len(own) == 1:
            return own.pop()
        asked = self.account.annotations.get(AUDIENCE) if self.account else None
        if isinstance(asked, Text):
            return Unknown("values of the template's placeholders")
        return asked if asked is not None else self._usual_audience()

    def _own_audiences(self) -> Iterator[str]:
        """Audiences of tokens that a manifest mounts itself, under another name than the webhook's volume."""
        for workload in self.workloads:
            for container in workload.containers:
                path = container.env.get(FILE)
                mounts = {
                    mount.volume
                    for mount in container.mounted
                    if isinstance(path, str) and path.startswith(mount.path.rstrip("/") + "/") and mount.volume != VOLUME
                }
                yield from (token.audience for token in workload.tokens if token.volume in mounts and token.audience)

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
            named = self.account
            if self.role and self.role != self.annotation:
                named = msgspec.structs.replace(named, annotations={**named.annotations, ROLE_ARN: self.role})
            if binding := binding_facts(view, named):
                yield binding
        if self.analysed:
            yield from (grant for grant in self.analysed.grants if self._is_about(grant))
            yield self.analysed.judged
        ident = self.issuer.rstrip("/").rpartition("/")[2].lower()
        for provider in view.inventory.providers:
            if provider.issuer == self.issuer or (ident and ident in provider.issuer.lower()):
                yield provider_facts(view, provider)
        if self.cluster:
            yield cluster_facts(view, self.cluster)
        for workload in self.workloads:
            owner = view.neighbours.owner_of(workload) if workload.owner else None
            yield judged_workload(view, workload, owner)

    def _is_about(self, grant: Judged) -> bool:
        """Whether a grant is for the provider that STS looks for, or for none that there is."""
        if getattr(grant.facts, "principal", "") != "provider":
            return True
        return not self.provider_arn or grant.evidence().names.get("principal") == self.provider_arn

    def located(self, place: Place, says: str, *, key: bool = False) -> Location:
        """A place, found."""
        line, column, end_line, end_column, source, offset = self.locate(place, key)
        return Location(place.document, line, column, place.pointer, says, True, end_line, end_column, source, offset)
