"""The inputs of links, with the commands that supply them."""

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links.link import Need
from irsa_doctor.model import Unknown


def _issuer(case: Case, command: str) -> Unknown | None:
    return None if case.issuer or (case.cluster and case.cluster.on_outpost) else case.issuer_unseen


def _service_account(case: Case, command: str) -> Unknown | None:
    inventory, place = case.view.inventory, (case.cluster_id, case.namespace)
    if case.account or inventory.lacks_account(*place, case.service_account):
        return None
    return inventory.unknown("serviceaccounts", *place, f"the service account {case.name}", command)


def _pods(case: Case, command: str) -> Unknown | None:
    """A cluster that refuses to list pods; without one, no workload is no unknown."""
    return None if case.workloads else case.view.inventory.refused("pods", case.cluster_id, case.namespace)


def _role(case: Case, command: str) -> Unknown | None:
    if not case.role_arn or (case.analysed and not case.assumed_policy) or _has_no_role(case):
        return None
    owner = (case.role_arn.account, case.role_name.lower())
    return case.view.inventory.unknown("roles", *owner, f"the role {case.role}", command)


def _has_no_role(case: Case) -> bool:
    """Whether it is certain that the account has no role of this name."""
    account = case.role_arn.account if case.role_arn else ""
    return case.view.inventory.closed.has_role(account, case.role_name) and not case.finding_of("role-in-other-account")


def _trust_policy(case: Case, command: str) -> Unknown | None:
    if not case.role_arn or (case.analysed and case.analysed.policy):
        return None
    owner = (case.role_arn.account, case.role_name.lower())
    return case.view.inventory.unknown("roles", *owner, "the trust policy of the role", command)


def _providers(case: Case, command: str) -> Unknown | None:
    account = case.role_arn.account if case.role_arn else ""
    if case.provider or account in case.view.inventory.closed.providers:
        return None
    return case.view.inventory.unknown("providers", account, "", f"the OIDC providers of account {account}", command)


def _client_ids(case: Case, command: str) -> Unknown | None:
    ids = case.provider.client_ids if case.provider else ()
    return ids if isinstance(ids, Unknown) else None


def _audience(case: Case, command: str) -> Unknown | None:
    return case.audience if isinstance(case.audience, Unknown) else None


def _token_of_run(case: Case, command: str) -> Unknown | None:
    return None if case.is_of_cluster or case.token else Unknown("the token of the run", command)


def _guardrails(case: Case, command: str) -> Unknown | None:
    return case.view.inventory.refused("rcps", case.role_arn.account if case.role_arn else "")


def _role_of_template(case: Case, command: str) -> Unknown | None:
    says = f"the ARN of {case.role}, which is known once the template is applied"
    return Unknown(says, command) if case.role_is_made_by_template else None


ISSUER_INPUT = Need(name="the issuer of the cluster", command="aws eks describe-cluster --name {cluster}", missing=_issuer)
SERVICE_ACCOUNT_INPUT = Need(
    name="the service account",
    command="kubectl get serviceaccount -n {namespace} {service_account} -o yaml",
    missing=_service_account,
)
PODS_INPUT = Need(name="the pods of the namespace", command="kubectl get pods -n {namespace} -o yaml", missing=_pods)
ROLE_INPUT = Need(name="the role", command="aws iam get-role --role-name {role_name}", missing=_role)
TRUST_POLICY_INPUT = Need(name="the trust policy", command="aws iam get-role --role-name {role_name}", missing=_trust_policy)
PROVIDERS_INPUT = Need(name="the OIDC providers", command="aws iam list-open-id-connect-providers", missing=_providers)
CLIENT_IDS_INPUT = Need(
    name="the client ids of the provider",
    command="aws iam get-open-id-connect-provider --open-id-connect-provider-arn {provider_arn}",
    missing=_client_ids,
)
RUN_TOKEN_INPUT = Need(
    name="the token of the run", command="irsa-doctor why --token TOKEN --role {role_arn}", missing=_token_of_run
)
AUDIENCE_INPUT = Need(name="the audience of the token", command="kubectl get pods -A -o yaml", missing=_audience)
GUARDRAILS_INPUT = Need(
    name="the resource control policies",
    command="aws organizations list-policies --filter RESOURCE_CONTROL_POLICY",
    missing=_guardrails,
)
TEMPLATE_ROLE_INPUT = Need(
    name="the ARN of the role",
    command="apply the template, then check its state",
    missing=_role_of_template,
)
