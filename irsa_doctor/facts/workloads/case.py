"""One workload with what belongs to it, while its facts are derived."""

from collections.abc import Callable
from posixpath import dirname
from typing import Literal

from irsa_doctor.facts.lookups.installations import Installations
from irsa_doctor.facts.lookups.workloads import WorkloadLookups
from irsa_doctor.facts.workloads.containers import (
    AGENT_AUDIENCE,
    half_set,
    has_container_credentials,
    has_other_agent,
    has_static_keys,
    is_proxied,
    lacks_container_credentials,
    lacks_region,
    may_read_token,
    pair_of,
    session_name,
    token_file,
    will_collide,
)
from irsa_doctor.facts.workloads.records import (
    PLACEHOLDERS,
    Admission,
    AgentAccess,
    AgentToken,
    Identity,
    PodIdentitySetUp,
    TokenFile,
)
from irsa_doctor.facts.workloads.webhook import (
    OPT_OUT_LABEL,
    ROLE_VARIABLE,
    VOLUME,
    kubernetes_version,
    names_a_role,
    seconds_between,
    skipped_containers,
)
from irsa_doctor.model import Container, Issuer, ProjectedToken, ServiceAccount, Text, Unknown, Workload
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.model.commands import shell_command

_PROPAGATION = 60.0
"""seconds after its association in which a pod may have been too early for the webhook"""
_RACE = 10.0
"""seconds after its service account in which a pod may have been too early for the webhook's cache"""
_FILE_MODE_FIXED = (1, 19)
"""the Kubernetes version that made the token readable to users other than root"""
# proxies of service meshes, injected after the webhook, that need no role of AWS
_PROXIES = frozenset({"istio-proxy", "istio-init", "istio-validation", "linkerd-proxy", "linkerd-init"})
_ROLE_VALUE = Unknown("value of AWS_ROLE_ARN", "run printenv AWS_ROLE_ARN in a container of the workload")


class WorkloadCase:
    """One workload with what belongs to it, while its facts are derived. Methods that find a container at fault give it too."""

    def __init__(self, lookups: WorkloadLookups, installed: Installations, workload: Workload, owner: Workload | None) -> None:
        self.lookups, self.installed, self.workload, self.owner = lookups, installed, workload, owner
        self._by_volume: dict[str, list[ProjectedToken]] | None = None
        self.account = lookups.account_of(workload)
        self.association = lookups.association_of(workload)
        self.left_out = skipped_containers(workload.annotations) or frozenset()
        self.reached = [container for container in workload.containers if container.name not in self.left_out]
        self.written = {container.name: container for container in owner.containers} if owner else {}
        self.identity = self._identity()
        self.opted_out = OPT_OUT_LABEL in workload.labels and installed.honours_opt_out(workload.cluster)

    # ---- who the workload is

    def _identity(self) -> Identity | Unknown:
        if self.association is not None:
            return "pod-identity"
        if isinstance(self.account, ServiceAccount) and names_a_role(self.account):
            return "irsa"
        pairs = any(pair_of(container) == "both" for container in self.workload.containers)
        if isinstance(self.account, Unknown):
            injected = self.workload.admitted and VOLUME in self.workload.volumes
            return ("irsa" if injected else "by-hand") if pairs else self.account
        return "by-hand" if pairs else "none"

    def where_used(self, is_used: bool) -> bool | Unknown:
        """Something is at fault only where the workload gets to AWS at all."""
        if not is_used:
            return False
        return self.identity if isinstance(self.identity, Unknown) else self.identity != "none"

    def first(self, at_fault: Callable[[Container], bool]) -> Container | None:
        """The first container that the webhook reaches and that a test finds at fault."""
        return next((container for container in self.reached if at_fault(container)), None)

    def service_account(self) -> Literal["right", "other"] | Unknown:
        """`other` where the workload runs without a role, and an account of its own name that has one is used by nobody."""
        if isinstance(self.identity, str) and self.identity != "none":
            return "right"
        if self.annotation_on_pod() is True or self.meant_account() is None:
            return "right"
        return self.identity if isinstance(self.identity, Unknown) else "other"

    def account_exists(self) -> bool | Unknown:
        """Whether pods are admitted under its service account; a pod that runs was. Kubernetes makes `default` by itself
        (https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/)."""
        if self.workload.admitted or self.workload.service_account == "default" or isinstance(self.account, ServiceAccount):
            return True
        return False if self.account is None else self.account

    def meant_account(self) -> ServiceAccount | None:
        """The service account that a workload was most likely meant to run as, None where none is near."""
        workload = self.workload
        prepared = self.lookups.prepared.get((workload.cluster, workload.namespace), {})
        labels = (workload.labels.get(name, "") for name in ("app.kubernetes.io/name", "app", "k8s-app"))
        for name in (workload.name, *labels):
            account = prepared.get(name)
            if account is None or account.name == workload.service_account:
                continue
            unused = not self.lookups.users.get((workload.cluster, workload.namespace, account.name))
            if unused and (workload.cluster or dirname(account.place.document) == dirname(workload.place.document)):
                return account
        return None

    def annotation_on_pod(self) -> bool | Unknown:
        """Whether the role annotation is on the workload, where the webhook does not read it."""
        if ROLE_ARN not in self.workload.annotations and ROLE_ARN not in self.workload.own_annotations:
            return False
        if isinstance(self.account, Unknown):
            return self.account
        return not (isinstance(self.account, ServiceAccount) and names_a_role(self.account)) and self.association is None

    # ---- what the manifest or the webhook wrote into containers

    def _by_hand(self, container: Container) -> bool:
        """Whether variables of web identity come from the manifest, not from the webhook."""
        if pair_of(container) == "none":
            return False
        if not self.workload.admitted:
            return True
        if self.owner is None:
            return VOLUME not in self.workload.volumes
        written = self.written.get(container.name)
        return written is not None and pair_of(written) != "none"

    def environment(self) -> tuple[Literal["whole", "role-only", "token-only"] | Unknown, Container | None]:
        """Whether one of the two variables is set without the other, and in which container."""
        halves = [(half_set(self.lookups, self.workload, container), container) for container in self.workload.containers]
        # AWS_ROLE_ARN alone does not keep an SDK from the credentials of EKS Pod Identity
        for wanted in ("role-only", "token-only") if self.association is None else ("token-only",):
            for half, container in halves:
                if half == wanted:
                    return half, container
        return next(((half, container) for half, container in halves if isinstance(half, Unknown)), ("whole", None))

    def role(self) -> tuple[Literal["same", "drifted", "by-hand-differs"] | Unknown, Container | None]:
        """Whether the role of the environment is that of the service account, and in which container it is not."""
        if isinstance(self.identity, str) and self.identity != "irsa":
            return "same", None
        unseen: tuple[Unknown, Container] | None = None
        for container in self.workload.containers:
            by_hand = self._by_hand(container)
            if pair_of(container) != "both" or (by_hand and self.owner is not None):
                continue
            same = self._names_annotated(container)
            if isinstance(same, Unknown):
                unseen = unseen or (same, container)
            elif not same:
                return "by-hand-differs" if by_hand else "drifted", container
        return unseen or ("same", None)

    def _names_annotated(self, container: Container) -> bool | Unknown:
        """Whether a container names the role of its service account's annotation."""
        if isinstance(self.account, Unknown):
            return self.account
        value = container.env[ROLE_VARIABLE]
        annotated = self.account.annotations.get(ROLE_ARN, "") if self.account else ""
        if value is None:
            return _ROLE_VALUE
        if value == annotated:
            return True
        return PLACEHOLDERS if isinstance(value, Text) or isinstance(annotated, Text) else False

    def admission(self) -> tuple[Admission | Unknown, Container | None]:
        """What became of the webhook's work on a Pod of an account that names a role; or will become of it."""
        if isinstance(self.identity, str) and self.identity not in ("irsa", "pod-identity"):
            return "not-wanted", None
        lacking = [container for container in self.reached if pair_of(container) == "none"]
        regular = [container for container in self.workload.containers if not container.init]
        left_out = [c for c in regular if c.name in self.left_out and pair_of(c) == "none"]
        blocked: Admission | None = None
        if self.opted_out and lacking and not self._is_set_up():
            blocked = "opted-out"
        elif regular and len(left_out) == len(regular):
            blocked = "all-skipped"
        if blocked:
            return (self.identity if isinstance(self.identity, Unknown) else blocked), None
        if not self.workload.admitted:
            return "expected", None
        if self.identity == "pod-identity" or not lacking:
            return "complete", None
        if isinstance(self.identity, Unknown):
            return self.identity, lacking[0]
        return self._admitted(lacking), next((c for c in lacking if c.name not in _PROXIES), lacking[0])

    def _is_set_up(self) -> bool:
        """Whether the webhook was at a Pod."""
        if not self.workload.admitted:
            return False
        set_up = (c for c in self.workload.containers if has_container_credentials(c) or pair_of(c) != "none")
        return any(not self._by_hand(container) for container in set_up)

    def _admitted(self, lacking: list[Container]) -> Admission:
        if self._is_set_up():
            return "complete" if all(container.name in _PROXIES for container in lacking) else "late-container"
        if self.workload.mirror:
            return "mirror"
        cluster = self.lookups.inventory.cluster_by_id.get(self.workload.cluster)
        if self.installed.webhook(self.workload.cluster) in ("missing", "altered") or (cluster and cluster.on_outpost):
            return "explained"
        born = self.account.created if isinstance(self.account, ServiceAccount) else ""
        later = seconds_between(born, self.workload.created)
        return "race" if later is not None and 0 <= later <= _RACE else "older"

    def pod_identity(
        self,
    ) -> tuple[PodIdentitySetUp | Unknown, Container | None]:
        """How a workload is related to the association of its service account."""
        if self.association is None:
            return "none", None
        if self.installed.agents.is_unsupported(self.workload):
            return ("unsupported-node" if self.owner is None else "fine"), None
        if (lacking := self.installed.agents.lacks_hybrid_agent(self.workload)) is not False:
            return (lacking if isinstance(lacking, Unknown) else "hybrid-node"), None
        regular = [container for container in self.reached if not container.init]
        first = next(filter(self._is_before_association, regular), None)
        # where only some containers have variables of their own, that may be meant
        if first and all(map(self._is_before_association, regular)):
            return ("chain-order", first) if self.owner is None else ("fine", None)
        set_up = any(has_container_credentials(c) or has_other_agent(c) for c in self.reached)
        if not self.workload.admitted or self.opted_out or set_up:
            return "fine", None
        if not self.reached:
            return "fine", None
        after = seconds_between(self.association.created, self.workload.created)
        bare = lacks_container_credentials(self.workload)
        passed_over = bare and after is not None and after > _PROPAGATION
        return ("passed-over" if passed_over else "not-set-up"), self.reached[0]

    def _is_before_association(self, container: Container) -> bool:
        """Whether a container finds a web identity before the credentials of an association."""
        return pair_of(container) == "both" and (self._by_hand(container) or has_container_credentials(container))

    def agent_access(self) -> tuple[AgentAccess | Unknown, Container | None]:
        """Whether something keeps the containers of a workload from the agent of EKS Pod Identity, and which one it is."""
        if self.association is None or self.pod_identity()[0] not in ("fine", "passed-over", "not-set-up"):
            return "open", None
        if self.owner is None and self.installed.agents.egress_denial(self.workload):
            return "denied", None
        unseen: tuple[Unknown, Container] | None = None
        for container in self.reached if self.owner is None else ():
            sent = is_proxied(self.lookups, self.workload, container)
            if isinstance(sent, Unknown):
                unseen = unseen or (sent, container)
            elif sent:
                return "proxied", container
        return unseen or ("open", None)

    def agent_token(self) -> tuple[AgentToken, Container | None]:
        """What the containers send to the agent in place of its token, and which one does."""
        for container in self.reached if self.association is not None and self.owner is None else ():
            agent = container.agent
            if agent is None or has_other_agent(container) or pair_of(container) == "both":
                continue
            if agent.audience not in (None, AGENT_AUDIENCE):
                return "other-audience", container
            if agent.token_mounted is False and self.workload.admitted:
                return "not-mounted", container
        return "right", None

    # ---- the token

    def expected_audiences(self) -> frozenset[str]:
        """The audiences that its token should have."""
        return self.lookups.expected_audiences(self.workload, self.account)

    def _mutated(self) -> bool | Unknown:
        """Whether the webhook will set up the containers of a template."""
        if self.opted_out:
            return False
        if isinstance(self.account, Unknown):
            return self.account
        return self.identity == "irsa"

    def token_file(self) -> tuple[TokenFile | Unknown, Container | None]:
        """What is wrong with the token file that the environment names, and in which container."""
        unseen: tuple[Unknown, Container] | None = None
        for container in self.workload.containers if self.association is None else ():
            state = self._token_file(container)
            if isinstance(state, Unknown):
                unseen = unseen or (state, container)
            elif state != "fine":
                return state, container
        return unseen or ("fine", None)

    def _token_file(self, container: Container) -> TokenFile | Unknown:
        is_reached = container.name not in self.left_out
        if pair_of(container) != "both":
            will_be = not self.workload.admitted and is_reached and pair_of(container) == "none" and will_collide(container)
            return "collision" if will_be and self._mutated() is True else "fine"
        written = self.written.get(container.name)
        if written and (pair_of(written) != "none" or will_collide(written)):
            return "fine"
        mutated = self._mutated() if is_reached else False
        return token_file(self.lookups, self.workload, container, self._tokens(), self.expected_audiences(), mutated)

    def _tokens(self) -> dict[str, list[ProjectedToken]]:
        if self._by_volume is None:
            self._by_volume = {}
            for token in self.workload.tokens:
                self._by_volume.setdefault(token.volume, []).append(token)
        return self._by_volume

    def token_volume(self) -> Literal["fine", "other-audience", "no-token"] | Unknown:
        """The content of the volume that the webhook would have made: it keeps a volume that exists already."""
        volume_is_written = self.owner is not None and VOLUME in self.owner.volumes
        if VOLUME not in self.workload.volumes or volume_is_written or self.identity in ("none", "pod-identity"):
            return "fine"
        audiences = {token.audience for token in self.workload.tokens if token.volume == VOLUME}
        if not audiences:
            return self.identity if isinstance(self.identity, Unknown) else "no-token"
        if audiences <= self.expected_audiences():
            return "fine"
        if isinstance(self.account, Unknown):
            return self.account
        accepted = self.lookups.accepted(self.workload.cluster)
        if isinstance(accepted, Unknown):
            return "other-audience" if self.identity == "irsa" else accepted
        return "fine" if audiences <= accepted else "other-audience"

    def token_readable(self) -> tuple[bool | Unknown, Container | None]:
        """Whether the process may read the token, and which container may not."""
        container = self.first(lambda c: not may_read_token(self.workload, c))
        if container is None or self.workload.windows:
            return True, None
        cluster = self.lookups.inventory.cluster_by_id.get(self.workload.cluster)
        version = kubernetes_version(cluster.version if cluster else "")
        if version is None:
            used = self.where_used(True)
            name = self.lookups.lookups.name_of(self.workload.cluster)
            unseen = Unknown(f"Kubernetes version of {name}", shell_command("aws eks describe-cluster --name {}", name))
            return (unseen if used is True else True if used is False else used), container
        if version >= _FILE_MODE_FIXED:
            return True, None
        used = self.where_used(True)
        return (used if isinstance(used, Unknown) else not used), container

    # ---- what comes before the role, or keeps the SDK from using it

    def static_keys(self) -> tuple[bool | Unknown, Container | None]:
        """Whether static keys come before the web identity, and in which container."""
        if self.identity == "none":
            return False, None
        unseen: tuple[Unknown, Container] | None = None
        for container in self.reached:
            state = has_static_keys(self.lookups, self.workload, container)
            if isinstance(state, Unknown):
                unseen = unseen or (state, container)
            elif state:
                return (self.identity if isinstance(self.identity, Unknown) else True), container
        if unseen and isinstance(self.identity, Unknown):
            return self.identity, unseen[1]
        return unseen or (False, None)

    def region_missing(self) -> tuple[bool | Unknown, Container | None]:
        """Whether the region is missing where it matters: outside of the partition `aws`, an SDK without a region calls the
        STS of another partition."""
        if not self.workload.admitted or self._partition() in ("", "aws"):
            return False, None
        for container in self.reached:
            if pair_of(container) == "both" and (state := lacks_region(self.lookups, self.workload, container)) is not False:
                return state, container
        return False, None

    def _partition(self) -> str:
        issuer = self.lookups.lookups.issuer_of(self.workload.cluster)
        return Issuer.of(issuer).partition if issuer else ""

    def session_name(self) -> tuple[Literal["fine", "bad"] | Unknown, Container | None]:
        """Whether the session name of the environment is valid, and in which container it is not."""
        for container in self.reached:
            state = session_name(container)
            if state != "fine":
                used = self.where_used(True)
                return (used if isinstance(used, Unknown) else state if used else "fine"), container
        return "fine", None

    def skips_nothing(self) -> bool:
        """Whether the annotation that leaves out containers is not as the webhook reads it: it trims no blanks."""
        names = skipped_containers(self.workload.annotations)
        return names is None or any(name != name.strip() for name in names)
