"""Facts of identities of Google Cloud: bindings, members of policies, workloads, clusters of GKE."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Literal

from irsa_doctor.facts.clouds.lookup import GOOGLE_ACCOUNT, CloudLookups
from irsa_doctor.facts.clouds.member_reach import ends, member_reach_facts, member_reach_names
from irsa_doctor.facts.clouds.records import (
    AccountMember,
    GkeClusterFacts,
    GoogleBindingFacts,
    GoogleWorkloadFacts,
    IdentityAnnotation,
    PolicyMemberFacts,
)
from irsa_doctor.facts.lookups.names import is_one_letter_off
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.model import CloudCluster, RoleBinding, ServiceAccount, Text, Unknown, Workload, text_of
from irsa_doctor.model.commands import shell_command
from irsa_doctor.trust.clouds.matching import PLACEHOLDERS_OF_CLOUD
from irsa_doctor.trust.clouds.members import (
    MEMBER_NEARNESS,
    MEMBER_ROLES,
    MemberMatch,
    PodPrincipal,
    PolicyMember,
    member_match,
    member_of,
    parse_member,
)

_EMAIL = re.compile(r"[^@:\s]+@[a-z0-9.-]+\.(?:iam\.)?gserviceaccount\.com")
_SERVED = "GKE_METADATA"
_SERVER_LABEL, _POOL_LABEL = "iam.gke.io/gke-metadata-server-enabled", "cloud.google.com/gke-nodepool"
_NEAR: dict[MemberMatch, AccountMember] = {
    "project-id": "explained",
    "malformed": "explained",
    "pool": "pool",
    "name": "name",
    "none": "nobody",
}


@lru_cache(maxsize=4096)
def is_near_google_key(key: str) -> bool:
    """Whether a key was most likely meant to be that of the annotation for a service account of Google Cloud."""
    if key == GOOGLE_ACCOUNT:
        return False
    letters = re.sub(r"[^a-z]", "", key.lower().rpartition("/")[2])
    about = any(word in key.lower() for word in ("gke.io", "gcp", "google"))
    return is_one_letter_off(key.lower(), GOOGLE_ACCOUNT) or (
        about and letters in ("gcpserviceaccount", "gcpserviceaccounts", "googleserviceaccount", "gsa", "serviceaccount")
    )


class GoogleBinding:
    """A service account of Kubernetes, the one of Google Cloud that it names, and the bindings that it needs."""

    def __init__(self, lookups: CloudLookups, account: ServiceAccount) -> None:
        self.lookups, self.account = lookups, account
        self.cluster = lookups.cluster_of(account.cluster)
        value = account.annotations.get(GOOGLE_ACCOUNT)
        self.email: str | Text = value.strip() if isinstance(value, str) else value or ""
        self.known = lookups.account_by_email.get(text_of(self.email))
        self.principal = PodPrincipal(
            pool=self.cluster.pool if self.cluster else "",
            namespace=account.namespace,
            name=account.name,
            uid=account.uid,
            issuer=lookups.common.issuer_of(account.cluster),
        )

    @property
    def near_key(self) -> str:
        """A key of the service account that is nearly the right one, "" where there is none."""
        return next(filter(is_near_google_key, self.account.annotations), "")

    @property
    def expecting(self) -> list[str]:
        """The service accounts of Google Cloud that name this one, though it names none."""
        rows = self.lookups.direct_bindings.get(self.principal.pool, ())
        named = (b for b, member in rows if _gives_tokens(b) and self.match(member) == "matches")
        return sorted({text_of(binding.resource) for binding in named})

    def match(self, member: str) -> MemberMatch:
        """How near a member is to this service account."""
        return member_match(parse_member(member), self.principal)

    def annotation(self) -> IdentityAnnotation:
        """What the service account has as its identity."""
        if not self.email:
            near = GOOGLE_ACCOUNT not in self.account.annotations and self.near_key
            return "near-key" if near else "malformed" if GOOGLE_ACCOUNT in self.account.annotations else self._without()
        if isinstance(self.email, Text) or _EMAIL.fullmatch(self.email):
            return "fine"
        return "malformed"

    def _without(self) -> IdentityAnnotation:
        return "expected" if self.expecting else "none"

    def state(self) -> Literal["known", "missing", "disabled", "not-examined"] | Unknown:
        """Whether the service account of Google Cloud exists and is enabled."""
        if self.known:
            return "disabled" if self.known.disabled else "known"
        if self.annotation() != "fine":
            return "not-examined"
        if isinstance(self.email, Text):
            return PLACEHOLDERS_OF_CLOUD
        project = self.email.partition("@")[2].partition(".")[0]
        if self.lookups.has_all("google-accounts", project):
            return "missing"
        how = shell_command("gcloud iam service-accounts list --project {} --format json", project)
        return Unknown(f"service account {self.email}", how)

    @property
    def bindings(self) -> list[RoleBinding]:
        """The bindings that count: those on the account; where it names none, those of any resource that it uses as itself."""
        if self.email:
            return self.lookups.bindings_of(self.known, text_of(self.email))
        rows = self.lookups.direct_bindings.get(self.principal.pool, ())
        return [binding for binding, _ in rows if not _gives_tokens(binding)]

    def nearest(self) -> tuple[MemberMatch, str, RoleBinding | None]:
        """The member that is nearest to the service account, with its binding."""
        rated = [
            (self.match(member), member, binding)
            for binding in self.bindings
            for member in binding.members
            if isinstance(member, str)
        ]
        order = sorted(rated, key=lambda row: (MEMBER_NEARNESS.index(row[0]), self._is_weak(row[2]), row[1]))
        return order[0] if order else ("none", "", None)

    def _is_weak(self, binding: RoleBinding) -> bool:
        """Whether a binding gives no token: by its role, or because of its condition."""
        return (bool(self.email) and binding.role not in MEMBER_ROLES) or bool(binding.condition)

    def member(self) -> AccountMember | Unknown:
        """What the policies make of the service account."""
        if self.email and self.annotation() == "malformed":
            return "not-examined"
        match, _, binding = self.nearest()
        if match == "matches" and binding is not None:
            return self._by_role(binding)
        if not self.email:
            return "explained" if match in ("project-id", "malformed") else self._direct_missing()
        if self.state() == "missing":
            return "not-examined"
        if self._has_holes():
            return PLACEHOLDERS_OF_CLOUD
        if match in ("none", "name") and not self._sees_policy() and not self.bindings:
            return self._policy_missing()
        if match == "pool" and not self.principal.pool:
            return "not-examined" if self.cluster else self._pool_missing()
        return _NEAR[match]

    def _has_holes(self) -> bool:
        return any(isinstance(member, Text) for binding in self.bindings for member in binding.members)

    def _by_role(self, binding: RoleBinding) -> AccountMember | Unknown:
        if self.email and binding.role not in MEMBER_ROLES:
            known = isinstance(binding.role, str) and binding.role.startswith("roles/")
            return "role" if known else Unknown(f"permissions of the custom role {binding.role}", "gcloud iam roles describe")
        end = ends(binding.condition)
        if binding.condition and end is None:
            return Unknown(f"whether the condition {binding.condition} holds", "")
        return "expired" if end is not None and end < self.lookups.now else "matches"

    @property
    def is_certain(self) -> bool:
        """Whether the policy of the account is in the input as a whole."""
        return self.lookups.has_whole_policy(self.known, text_of(self.email))

    def _sees_policy(self) -> bool:
        document = self.known.place.document if self.known else ""
        return self.is_certain or self.lookups.is_search or bool(document and self.lookups.empty_list_beside(document))

    def _policy_missing(self) -> Unknown:
        email = text_of(self.email)
        return Unknown(
            f"IAM policy of {email}", shell_command("gcloud iam service-accounts get-iam-policy {} --format json", email)
        )

    def _pool_missing(self) -> Unknown:
        return Unknown("workload identity pool of the cluster", "gcloud container clusters list --format json")

    def _direct_missing(self) -> Unknown:
        how = "gcloud asset search-all-iam-policies --scope projects/$(gcloud config get-value project) --format json"
        return Unknown(f"roles of the principal ns/{self.account.namespace}/sa/{self.account.name}", how)


def _gives_tokens(binding: RoleBinding) -> bool:
    """Whether a binding lets its members have tokens of a service account of Google Cloud."""
    return binding.role in MEMBER_ROLES and "@" in text_of(binding.resource)


def binding_of_google(lookups: CloudLookups, account: ServiceAccount) -> Judged | None:
    """The facts between a service account and the one of Google Cloud, None where nothing is about Google Cloud."""
    binding = GoogleBinding(lookups, account)
    on_gke = binding.cluster is not None and binding.cluster.cloud == "google"
    if not (on_gke or GOOGLE_ACCOUNT in account.annotations or binding.near_key):
        return None
    if on_gke and binding.annotation() == "none" and not binding.nearest()[1]:
        return None
    facts = GoogleBindingFacts(annotation=binding.annotation(), account=binding.state(), member=binding.member())
    ident = f"{lookups.common.label_of(account.cluster)}/{account.namespace}/{account.name}"
    certain = facts.member != "nobody" or binding.is_certain
    kind, name = ("binding", f"{ident} -> {text_of(binding.email)}") if binding.email else ("service-account", ident)
    return Judged(kind, name, ident, facts, partial(_google_evidence, binding), certain=certain)


def _google_evidence(binding: GoogleBinding) -> Evidence:
    match, member, nearest = binding.nearest()
    account, email = binding.account, text_of(binding.email)
    pool = binding.principal.pool or "PROJECT.svc.id.goog"
    key = GOOGLE_ACCOUNT if GOOGLE_ACCOUNT in account.annotations else binding.near_key
    names = {
        "account": f"{account.namespace}/{account.name}",
        "email": email or "an empty text",
        "key": key,
        "expecting": ", ".join(binding.expecting),
        "member": member,
        "right_member": f"serviceAccount:{pool}[{account.namespace}/{account.name}]",
        "role": text_of(nearest.role) if nearest else "",
        "condition": nearest.condition if nearest else "",
        "pool": pool,
        "nearest": match,
    }
    at = account.place.at("metadata")
    places = {"annotation": at.at("annotations", key) if key else at.at("name")}
    places["member"] = nearest.place if nearest else places["annotation"]
    places["google_account"] = binding.known.place if binding.known else places["annotation"]
    return Evidence(names, places)


# ---- members of policies


def member_facts(lookups: CloudLookups, binding: RoleBinding, member: str | Text) -> Judged | None:
    """The facts of a member that is about a pool, or may be, None for any other."""
    parsed = member_of(member)
    if parsed.form == "person" or (parsed.form == "public" and binding.role not in MEMBER_ROLES):
        return None
    facts = PolicyMemberFacts(
        **member_reach_facts(lookups, binding, parsed),
        form="malformed" if parsed.form == "malformed" else _number_form(parsed),
        shared_name=_sharing(lookups, parsed),
        attribute=_mapped(lookups, parsed),
    )
    ident = f"{text_of(binding.resource) or binding.place.document} {text_of(binding.role)} {parsed.text}"
    return Judged("binding", ident, text_of(binding.resource), facts, partial(_member_evidence, lookups, binding, parsed))


def _number_form(parsed: PolicyMember) -> Literal["fine", "project-id"] | Unknown:
    if parsed.project_unseen:
        return PLACEHOLDERS_OF_CLOUD
    return "project-id" if parsed.has_project_id else "fine"


def _sharing(lookups: CloudLookups, parsed: PolicyMember) -> Literal["no", "pool", "clusters"]:
    if parsed.form not in ("account", "subject") or not parsed.is_of_clusters or parsed.has_project_id:
        return "no"
    clusters = lookups.clusters_by_pool.get(parsed.pool, ())
    return "clusters" if len(clusters) > 1 else "pool" if clusters else "no"


def _mapped(lookups: CloudLookups, parsed: PolicyMember) -> Literal["fine", "unmapped"] | Unknown:
    if parsed.form != "attribute":
        return "fine"
    providers = [p for p in lookups.clouds.providers if p.pool == parsed.pool and p.name]
    if any(parsed.attribute in provider.mapping for provider in providers):
        return "fine"
    how = shell_command(
        "gcloud iam workload-identity-pools providers list --workload-identity-pool {} --location global", parsed.pool
    )
    return "unmapped" if providers else Unknown(f"providers of the pool {parsed.pool}", how)


def _member_evidence(lookups: CloudLookups, binding: RoleBinding, parsed: PolicyMember) -> Evidence:
    clusters = lookups.clusters_by_pool.get(parsed.pool, ())
    numbers = {b.project for b in lookups.clouds.bindings if b.project.isdecimal()}
    names = {
        "member": parsed.text,
        "role": text_of(binding.role),
        "resource": text_of(binding.resource) or "a resource that is not known",
        "pool": parsed.pool,
        "project": parsed.project,
        "number": next(iter(numbers)) if len(numbers) == 1 else "its number",
        "subject": f"{parsed.namespace}/{parsed.name}",
        "clusters": ", ".join(sorted(clusters)),
        "attribute": parsed.attribute,
        "grantor": f"The member {parsed.text} of {text_of(binding.resource) or 'a resource that is not known'}",
        **member_reach_names(lookups, parsed),
    }
    limits = ("unlimited_key", "pattern", "sub_key", "principal")
    return Evidence(names, {"member": binding.place, **dict.fromkeys(limits, binding.place)})


# ---- workloads and clusters


def google_workload_facts(lookups: CloudLookups, workload: Workload) -> Judged | None:
    """The facts of pods that use an identity of Google Cloud, None where nothing shows that they do."""
    account = lookups.account_of(workload)
    cluster = lookups.cluster_of(workload.cluster)
    on_pod = GOOGLE_ACCOUNT in workload.annotations or GOOGLE_ACCOUNT in workload.own_annotations
    named = account is not None and GOOGLE_ACCOUNT in account.annotations
    if not (on_pod or named):
        return None
    facts = GoogleWorkloadFacts(
        host_network=workload.host_network,
        annotation_on_pod=on_pod and not named,
        metadata_server=_server_of(cluster, workload),
    )
    label = lookups.common.label_of(workload.cluster)
    ident = f"{label}/{workload.namespace}/{workload.kind.lower()}/{workload.name}"
    group = f"{label}/{workload.namespace}/{workload.service_account}"
    names = {"workload": f"{workload.kind.lower()} {workload.namespace}/{workload.name}"}
    names |= {"account": f"{workload.namespace}/{workload.service_account}", "node_pools": ", ".join(_unserved(cluster))}
    at = workload.template if GOOGLE_ACCOUNT in workload.annotations else workload.place
    places = {
        "annotation": at.at("metadata", "annotations", GOOGLE_ACCOUNT),
        "host_network": workload.template.at("spec", "hostNetwork"),
        "cluster": workload.template.at("spec", "nodeSelector"),
    }
    return Judged("workload", ident, group, facts, lambda: Evidence(names, places))


def _unserved(cluster: CloudCluster | None) -> Sequence[str]:
    return [pool.name for pool in (cluster.pools or ()) if pool.mode != _SERVED] if cluster else ()


def _server_of(cluster: CloudCluster | None, workload: Workload) -> Literal["served", "not-served"] | Unknown:
    """Whether the nodes of a workload serve the metadata of its own identity; where none does, the cluster is reported."""
    unserved = _unserved(cluster)
    if cluster is None or cluster.autopilot or not cluster.pools or len(unserved) in (0, len(cluster.pools)):
        return "served"
    if workload.node_selector.get(_SERVER_LABEL) == "true":
        return "served"
    if chosen := workload.node_selector.get(_POOL_LABEL):
        return "not-served" if chosen in unserved else "served"
    return Unknown(f"on which node pool the pods of {workload.name} run: {', '.join(unserved)} has no metadata server", "")


def gke_cluster_facts(lookups: CloudLookups, cluster: CloudCluster) -> Judged:
    """The facts of a cluster of GKE."""
    name, unserved = lookups.common.name_of(cluster.cluster), _unserved(cluster)
    server: Literal["served", "partly-served", "not-served"] | Unknown
    if cluster.autopilot or not cluster.pool:
        server = "served"
    elif cluster.pools is None:
        server = Unknown(
            f"node pools of the cluster {name}", shell_command("gcloud container clusters describe {} --format json", name)
        )
    else:
        server = "not-served" if unserved and len(unserved) == len(cluster.pools) else "partly-served" if unserved else "served"
    facts = GkeClusterFacts(
        used=lookups.uses_google(cluster.cluster),
        pool="set" if cluster.pool or cluster.autopilot else "none",
        metadata_server=server,
    )
    names = {"cluster": name, "node_pools": ", ".join(unserved), "project": cluster.project}
    at = cluster.place
    places = {"cluster": at, "node_pools": at.at("nodePools")}
    return Judged("cluster", cluster.cluster, cluster.cluster, facts, lambda: Evidence(names, places))


def google_facts(lookups: CloudLookups) -> Iterator[Judged]:
    """Every subject of Google Cloud with its facts."""
    clouds, inventory = lookups.clouds, lookups.common.inventory
    yield from filter(None, (binding_of_google(lookups, account) for account in inventory.service_accounts))
    yield from filter(None, (google_workload_facts(lookups, w) for w in lookups.current_workloads()))
    members = ((binding, member) for binding in clouds.bindings for member in binding.members)
    yield from filter(None, (member_facts(lookups, binding, member) for binding, member in members))
    yield from (gke_cluster_facts(lookups, cluster) for cluster in clouds.clusters if cluster.cloud == "google")
