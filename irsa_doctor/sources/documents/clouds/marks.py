"""Recognises documents of Azure and Google Cloud by their members."""

from collections.abc import Callable, Mapping

_Members = Mapping[str, object]
CREDENTIAL_TYPE = "federatedidentitycredentials"
IDENTITY_TYPE = "userassignedidentities"


def _type_of(members: _Members) -> str:
    kind = members.get("type")
    return kind.lower() if isinstance(kind, str) else ""


def properties_of(members: _Members) -> _Members:
    """The properties of a resource: those of the REST API are below `properties`, the Azure CLI prints them beside the name."""
    inner = members.get("properties")
    return {**members, **inner} if isinstance(inner, dict) else members


def is_credential(members: _Members) -> bool:
    """A federated identity credential of an identity or an app."""
    if _type_of(members).endswith(CREDENTIAL_TYPE):
        return True
    values = properties_of(members)
    trusts = "issuer" in values and ("subject" in values or "claimsMatchingExpression" in values)
    return trusts and isinstance(values.get("audiences"), list)


def is_azure_identity(members: _Members) -> bool:
    """A user-assigned identity."""
    values = properties_of(members)
    named = all(isinstance(values.get(name), str) for name in ("clientId", "principalId"))
    return _type_of(members).endswith(IDENTITY_TYPE) or (named and "tenantId" in values and "type" not in members)


def is_application(members: _Members) -> bool:
    """An app registration; a service principal has a type of its own."""
    return isinstance(members.get("appId"), str) and "servicePrincipalType" not in members and "id" in members


def is_aks_cluster(members: _Members) -> bool:
    """A managed cluster of AKS."""
    return _type_of(members).endswith("managedclusters") or "oidcIssuerProfile" in properties_of(members)


def is_azure_list(members: _Members) -> bool:
    """An answer of the REST API or of Microsoft Graph with resources that are read."""
    items = members.get("value")
    if not isinstance(items, list):
        return False
    if not items:
        return CREDENTIAL_TYPE in str(members.get("@odata.context", "")).lower()
    return any(isinstance(item, dict) and azure_kind_of(item) for item in items)


def azure_kind_of(members: _Members) -> str:
    """The kind of a resource of Azure that an answer lists, "" where it is none that is read."""
    return next((kind for kind, mark in _AZURE_MARKS.items() if mark(members)), "")


def is_arm_template(members: _Members) -> bool:
    """A template of Azure Resource Manager."""
    schema = members.get("$schema")
    return isinstance(schema, str) and "deploymentTemplate.json" in schema and "resources" in members


def is_gke_cluster(members: _Members) -> bool:
    """A cluster of GKE."""
    link = members.get("selfLink")
    return isinstance(link, str) and "container.googleapis.com" in link and "/clusters/" in link


def is_google_account(members: _Members) -> bool:
    """A service account of Google Cloud."""
    return isinstance(members.get("email"), str) and ("uniqueId" in members or "projectId" in members)


_OF_POLICY = {"bindings", "etag", "version", "auditConfigs"}


def is_iam_policy(members: _Members) -> bool:
    """An IAM policy of Google Cloud, which does not name its resource; where nobody has a role, it is an etag."""
    is_empty = set(members) in ({"etag"}, {"etag", "version"}) and isinstance(members["etag"], str)
    return is_empty or (_has_bindings(members) and "kind" not in members) or _is_broken_policy(members)


def _is_broken_policy(members: _Members) -> bool:
    """An IAM policy by everything but its bindings, which are no list."""
    has_no_list = "bindings" in members and not isinstance(members["bindings"], list)
    return (
        has_no_list and isinstance(members.get("etag"), str) and set(members) <= {"bindings", "etag", "version", "auditConfigs"}
    )


def is_policy_search(members: _Members) -> bool:
    """A policy with its resource, as a search in Cloud Asset Inventory finds it."""
    policy = members.get("policy") or members.get("iamPolicy")
    return ("resource" in members or "name" in members) and isinstance(policy, dict) and "bindings" in policy


def _has_bindings(members: _Members) -> bool:
    items = members.get("bindings")
    if not isinstance(items, list):
        return False
    return all(isinstance(item, dict) and "role" in item for item in items) and (bool(items) or "etag" in members)


def is_pool(members: _Members) -> bool:
    """A workload identity pool, or a provider of one."""
    name = members.get("name")
    return isinstance(name, str) and name.startswith("projects/") and "/workloadIdentityPools/" in name


def has_search_results(members: _Members) -> bool:
    """What the API of Cloud Asset Inventory answers, with its results in a member."""
    items = members.get("results")
    return isinstance(items, list) and any(isinstance(item, dict) and is_policy_search(item) for item in items)


_AZURE_MARKS: Mapping[str, Callable[[_Members], bool]] = {
    "azure-federated-credential": is_credential,
    "azure-identity": is_azure_identity,
    "azure-application": is_application,
    "aks-cluster": is_aks_cluster,
}
CLOUD_MARKS: Mapping[str, Callable[[_Members], bool]] = {
    "azure-list": is_azure_list,
    **_AZURE_MARKS,
    "gke-cluster": is_gke_cluster,
    "google-service-account": is_google_account,
    "google-policy-search": is_policy_search,
    "google-policy-results": has_search_results,
    "google-iam-policy": is_iam_policy,
    "google-pool": is_pool,
}
"""kind -> whether a document is of it, in the order in which they are recognised"""
