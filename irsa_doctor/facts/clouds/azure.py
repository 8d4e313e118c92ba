"""Facts of identities of Azure: bindings, credentials, identities, workloads, clusters of AKS."""

from collections.abc import Iterator
from functools import partial
from typing import Literal

from irsa_doctor.facts.clouds.azure_workloads import aks_cluster_facts, azure_workload_facts, expiration_range
from irsa_doctor.facts.clouds.lookup import (
    CLIENT_ID,
    CLIENT_VARIABLE,
    TENANT_ID,
    TOKEN_EXPIRATION,
    CloudLookups,
)
from irsa_doctor.facts.clouds.reaches import reach_of_credential, right_issuer
from irsa_doctor.facts.clouds.records import (
    AzureBindingFacts,
    AzureIdentityFacts,
    AzureTrust,
    ClientId,
    CredentialFacts,
)
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.model import (
    AzureIdentity,
    FederatedCredential,
    Place,
    ServiceAccount,
    Text,
    Unknown,
    text_of,
)
from irsa_doctor.model.commands import shell_command
from irsa_doctor.trust.clouds.credentials import (
    MATCHES,
    MOST_CREDENTIALS,
    SOVEREIGN_AUDIENCES,
    TOKEN_EXCHANGE,
    TokenMatch,
    is_aks_issuer,
    is_subject_of_account,
    lacks_slash,
    match_of,
)
from irsa_doctor.trust.clouds.flexible import expression_form
from irsa_doctor.trust.clouds.matching import PLACEHOLDERS_OF_CLOUD

_NEAR_LIMIT = 18
_TRUST: dict[TokenMatch, AzureTrust] = {
    "matches": "matches",
    "audience": "audience",
    "flexible": "explained",
    "case": "case",
    "swapped": "swapped",
    "impossible": "impossible",
    "subject": "subject",
    "slash": "issuer",
    "issuer": "issuer",
}


class AzureBinding:
    """A service account with the identity whose client id it names, and what is worked out between them."""

    def __init__(self, lookups: CloudLookups, account: ServiceAccount) -> None:
        self.lookups, self.account = lookups, account
        self.users = lookups.users_of(account)
        self.client_id = account.annotations.get(CLIENT_ID) or self._client_of_workloads()
        self.identity = lookups.identity_of(self.client_id) if self.client_id else None
        issuer = lookups.common.issuer_of(account.cluster)
        self.issuer = f"https://{issuer}" if issuer else ""
        self.credentials = lookups.credentials_of(self.identity) if self.identity else []

    def _client_of_workloads(self) -> str | Text:
        values = {value for w in self.users for c in w.containers if (value := c.env.get(CLIENT_VARIABLE))}
        return values.pop() if len(values) == 1 else ""

    @property
    def audience(self) -> str:
        """The audience of the token: that of a projected volume of its pods, else the webhook's."""
        projected = {
            token.audience
            for workload in self.users
            for token in workload.tokens
            if token.audience.startswith("api://") or token.volume == "azure-identity-token"
        }
        return projected.pop() if len(projected) == 1 else TOKEN_EXCHANGE

    def client(self) -> ClientId | Unknown:
        """Whose client id it is."""
        written = text_of(self.client_id).strip().lower()
        others = [other for other in self.trusting() if other is not self.identity]
        if self.identity is not None:
            return "other-trusts" if others and not self._is_trusted() else "fine"
        if written in self.lookups.identity_by_principal:
            return "principal-id"
        if isinstance(self.client_id, Text):
            return PLACEHOLDERS_OF_CLOUD
        if others:
            return "other-trusts"
        listed = {x.owner for x in self.lookups.clouds.listings if x.collection == "identities"}
        if "applications" in listed and any("/resourcegroups/" not in owner for owner in listed - {"applications"}):
            return "unknown"
        return Unknown(f"identity with the client id {written}", "az identity list")

    def trusting(self) -> list[AzureIdentity]:
        """The identities that trust the service account."""
        return self.lookups.trusting(self.issuer, self.account.subject) if self.issuer else []

    def _is_trusted(self) -> bool:
        return any(match == "matches" for match, _ in self.matches())

    def matches(self) -> list[tuple[TokenMatch, FederatedCredential]]:
        """How near each credential of the identity is to the token, the nearest first."""
        issuer, subject = self.issuer, self.account.subject
        rated = [(match_of(credential, issuer, subject, self.audience), credential) for credential in self.credentials]
        return sorted(rated, key=lambda pair: MATCHES.index(pair[0]))

    def trust(self) -> AzureTrust | Unknown:
        """What the credentials of the identity make of the token."""
        if self.identity is None or self.client() != "fine":
            return "not-examined"
        if not self.credentials:
            return "nobody" if self.has_no_credential else self._credentials_missing()
        if not self.issuer:
            cluster = self.lookups.cluster_of(self.account.cluster)
            if cluster and cluster.issues_tokens is False:
                return "not-examined"
            return self._issuer_missing()
        nearest, credential = self.matches()[0]
        if nearest == "open":
            return PLACEHOLDERS_OF_CLOUD
        explained = nearest == "impossible" and _is_impossible(self.lookups, credential) is True
        return "explained" if explained else _TRUST[nearest]

    @property
    def has_no_credential(self) -> bool:
        """Whether lists of the input show that the identity has none."""
        known = self.identity
        return known is not None and (
            self.lookups.has_all("credentials", known.key) or self.lookups.empty_list_beside(known.place.document)
        )

    @property
    def is_certain(self) -> bool:
        """Whether the credentials of the input are all that the identity has."""
        return self.identity is not None and (
            self.lookups.has_all("credentials", self.identity.key) or any(c.address for c in self.credentials)
        )

    def _credentials_missing(self) -> Unknown:
        name = self.identity.label if self.identity else ""
        return Unknown(
            f"federated credentials of {name}", shell_command("az identity federated-credential list --identity-name {}", name)
        )

    def _issuer_missing(self) -> Unknown:
        known = self.lookups.common.inventory.cluster_by_id.get(self.account.cluster)
        if known and isinstance(known.issuer, Unknown):
            return known.issuer
        return Unknown("issuer of the cluster", "az aks list")

    def tenant(self) -> Literal["same", "differs"] | Unknown:
        """Whether the tenant of the annotation is that of the identity."""
        written = self.account.annotations.get(TENANT_ID)
        if written is None or self.identity is None or not self.identity.tenant:
            return "same"
        if isinstance(written, Text):
            return PLACEHOLDERS_OF_CLOUD
        return "same" if written.lower() == self.identity.tenant.lower() else "differs"


def binding_of_azure(lookups: CloudLookups, account: ServiceAccount) -> Judged | None:
    """The facts between a service account and its identity, None where it names none."""
    binding = AzureBinding(lookups, account)
    if not binding.client_id:
        return None
    facts = AzureBindingFacts(
        client_id=binding.client(),
        tenant=binding.tenant(),
        trust=binding.trust(),
        expiration=expiration_range(account.annotations.get(TOKEN_EXPIRATION)),
    )
    ident = f"{lookups.common.label_of(account.cluster)}/{account.namespace}/{account.name}"
    certain = not (facts.trust == "nobody" and not binding.is_certain)
    name = f"{ident} -> {text_of(binding.client_id)}"
    return Judged("binding", name, ident, facts, partial(_binding_evidence, binding), certain=certain)


def _binding_evidence(binding: AzureBinding) -> Evidence:
    rated = binding.matches() if binding.issuer else [("issuer", credential) for credential in binding.credentials]
    nearest = rated[0][1] if rated else None
    account, identity = binding.account, binding.identity
    principal = binding.lookups.identity_by_principal.get(text_of(binding.client_id).lower())
    trusting = [other for other in binding.trusting() if other is not identity]
    slash = bool(rated) and rated[0][0] == "slash"
    names = {
        "account": f"{account.namespace}/{account.name}",
        "subject": account.subject,
        "client_id": text_of(binding.client_id),
        "identity": identity.label if identity else "",
        "right": text_of(next((i.client_id for i in (principal, *trusting) if i), "")),
        "other": ", ".join(sorted(other.label for other in trusting)),
        "tenant": text_of(account.annotations.get(TENANT_ID, "")),
        "identity_tenant": identity.tenant if identity else "",
        "issuer": binding.issuer,
        "issuers": ", ".join(sorted({text_of(credential.issuer) for credential in binding.credentials})),
        "hint": " Only the slash at the end differs." if slash else "",
        "credential": nearest.name if nearest else "",
        "credential_subject": text_of(nearest.subject) if nearest else "",
        "audiences": ", ".join(map(text_of, nearest.audiences)) if nearest else "",
        "audience": binding.audience,
        "expiration": text_of(account.annotations.get(TOKEN_EXPIRATION, "")),
    }
    at = account.place.at("metadata")
    annotations = at.at("annotations")
    places: dict[str, Place] = {
        "annotation": annotations.at(CLIENT_ID) if CLIENT_ID in account.annotations else at.at("name"),
        "tenant": annotations.at(TENANT_ID),
        "expiration": annotations.at(TOKEN_EXPIRATION),
    }
    for name, record in (("identity", identity), ("credential", nearest)):
        places[name] = record.place if record else places["annotation"]
    return Evidence(names, places)


# ---- credentials and identities


def _is_of_cluster(lookups: CloudLookups, credential: FederatedCredential) -> bool:
    issuer = credential.issuer
    if not isinstance(issuer, str):
        return False
    return is_aks_issuer(issuer) or issuer.removeprefix("https://") in lookups.common.inventory.clusters_by_issuer


def _is_impossible(lookups: CloudLookups, credential: FederatedCredential) -> bool:
    subject = credential.subject
    if not isinstance(subject, str) or not subject or credential.expression:
        return False
    written = subject.lower()
    is_account = _is_of_cluster(lookups, credential) or (
        isinstance(credential.issuer, Text) and written.startswith("system:serviceaccount")
    )
    return is_account and not is_subject_of_account(written)


def credential_facts(lookups: CloudLookups, credential: FederatedCredential) -> Judged:
    """The facts of one credential."""
    reach = reach_of_credential(lookups, credential)
    facts = CredentialFacts(
        **(reach.facts(_expression_unread(credential)) if reach else {}),
        default_account=_is_default(credential),
        subject="impossible" if _is_impossible(lookups, credential) else "fine",
        trust="issuer" if _lacks_slash(lookups, credential) else "fine",
        issuer="misnamed" if right_issuer(lookups, credential) != text_of(credential.issuer) else "fine",
        audience=_audience_form(lookups, credential),
        expression=_expression_state(lookups, credential),
    )
    return Judged("credential", credential.label, credential.label, facts, partial(_credential_evidence, lookups, credential))


def _expression_unread(credential: FederatedCredential) -> Unknown:
    return Unknown(f"what the expression {text_of(credential.expression)} of {credential.name} means")


def _is_default(credential: FederatedCredential) -> bool:
    subject = text_of(credential.subject)
    return is_subject_of_account(subject) and subject.endswith(":default")


def _lacks_slash(lookups: CloudLookups, credential: FederatedCredential) -> bool:
    owner = lookups.owner_of(credential)
    named = owner is not None and lookups.is_named(owner)
    return isinstance(credential.issuer, str) and lacks_slash(credential.issuer) and not named


def _audience_form(lookups: CloudLookups, credential: FederatedCredential) -> Literal["usual", "unusual"] | Unknown:
    if any(isinstance(value, Text) for value in credential.audiences):
        return PLACEHOLDERS_OF_CLOUD
    usual = {TOKEN_EXCHANGE, *SOVEREIGN_AUDIENCES}
    if not credential.audiences or usual & set(credential.audiences):
        return "usual"
    owner = lookups.owner_of(credential)
    return "usual" if owner is not None and lookups.is_named(owner) else "unusual"


def _expression_state(
    lookups: CloudLookups, credential: FederatedCredential
) -> Literal["none", "fine", "cluster-issuer", "with-subject", "unreadable"] | Unknown:
    if not credential.expression:
        return "none"
    if _is_of_cluster(lookups, credential):
        return "cluster-issuer"
    if credential.subject:
        return "with-subject"
    return expression_form(credential.expression)


def _credential_evidence(lookups: CloudLookups, credential: FederatedCredential) -> Evidence:
    owner = lookups.owner_of(credential)
    names = {
        "credential": credential.name,
        "identity": owner.label if owner else credential.identity.rpartition("/")[2] or "an app that is not in the input",
        "issuer": f"{text_of(credential.issuer)}/" if _lacks_slash(lookups, credential) else text_of(credential.issuer),
        "issuers": text_of(credential.issuer),
        "right_issuer": right_issuer(lookups, credential) or "the issuer of one tenant",
        "account": "its service accounts",
        "hint": " Only the slash at the end differs.",
        "subject": text_of(credential.subject),
        "audiences": ", ".join(map(text_of, credential.audiences)),
        "expression": text_of(credential.expression),
    }
    names["grantor"] = f"The credential {names['credential']} of {names['identity']}"
    names["default_accounts"] = names["subject"]
    if reach := reach_of_credential(lookups, credential):
        names = {**names, **reach.names()}
    at = credential.place
    members = {name: at.at(name) for name in ("issuer", "subject", "audiences")}
    condition = at.at("claimsMatchingExpression" if credential.expression else "subject")
    limits = dict.fromkeys(("unlimited_key", "pattern", "sub_key", "default"), condition)
    others = {"credential": at, "expression": at.at("claimsMatchingExpression"), "principal": at.at("issuer")}
    return Evidence(names, {**members, **others, **limits})


def azure_identity_facts(lookups: CloudLookups, identity: AzureIdentity) -> Judged:
    """The facts of one identity or app."""
    count = len(lookups.credentials_of(identity))
    state: Literal["fine", "near-limit", "over-limit"] = "over-limit" if count > MOST_CREDENTIALS else "fine"
    if state == "fine" and count >= _NEAR_LIMIT:
        state = "near-limit"
    ident = text_of(identity.client_id) or identity.label
    names = {"identity": identity.label, "count": str(count), "limit": str(MOST_CREDENTIALS)}
    facts = AzureIdentityFacts(state)
    return Judged("azure-identity", ident, ident, facts, lambda: Evidence(names, {"identity": identity.place}))


def azure_facts(lookups: CloudLookups) -> Iterator[Judged]:
    """Every subject of Azure with its facts."""
    clouds, inventory = lookups.clouds, lookups.common.inventory
    yield from filter(None, (binding_of_azure(lookups, account) for account in inventory.service_accounts))
    yield from filter(None, (azure_workload_facts(lookups, w) for w in lookups.current_workloads()))
    yield from (credential_facts(lookups, credential) for credential in clouds.credentials)
    yield from (azure_identity_facts(lookups, identity) for identity in clouds.identities)
    yield from (aks_cluster_facts(lookups, cluster) for cluster in clouds.clusters if cluster.cloud == "azure")
