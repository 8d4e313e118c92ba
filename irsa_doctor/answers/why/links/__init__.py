"""The links on the way of a credential, in the order in which it travels; a new link is one record in this list."""

from irsa_doctor.answers.why.links.guardrails import GUARDRAILS_LINK
from irsa_doctor.answers.why.links.issuer import ISSUER_KEYS_LINK, ISSUER_LINK, LIFETIME_LINK, SIGNATURE_LINK
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.pod_identity import POD_IDENTITY_LINK
from irsa_doctor.answers.why.links.pods import TOKEN_FILE_LINK, TOKEN_VOLUME_LINK, WEBHOOK_LINK, WORKLOAD_LINK
from irsa_doctor.answers.why.links.provider import AUDIENCE_LINK, PROVIDER_LINK
from irsa_doctor.answers.why.links.request import PERMISSIONS_LINK, REQUEST_LINK, SESSION_LINK
from irsa_doctor.answers.why.links.role import ROLE_LINK
from irsa_doctor.answers.why.links.sdk import SDK_LINK, STS_ENDPOINT_LINK
from irsa_doctor.answers.why.links.service_account import SERVICE_ACCOUNT_LINK
from irsa_doctor.answers.why.links.target_role import TARGET_ROLE_LINK
from irsa_doctor.answers.why.links.trust_policy import TRUST_POLICY_LINK

LINKS: tuple[Link, ...] = (
    ISSUER_LINK,
    SERVICE_ACCOUNT_LINK,
    WORKLOAD_LINK,
    WEBHOOK_LINK,
    TOKEN_VOLUME_LINK,
    TOKEN_FILE_LINK,
    SDK_LINK,
    STS_ENDPOINT_LINK,
    REQUEST_LINK,
    PROVIDER_LINK,
    ISSUER_KEYS_LINK,
    SIGNATURE_LINK,
    AUDIENCE_LINK,
    LIFETIME_LINK,
    ROLE_LINK,
    TRUST_POLICY_LINK,
    GUARDRAILS_LINK,
    SESSION_LINK,
    PERMISSIONS_LINK,
    POD_IDENTITY_LINK,
    TARGET_ROLE_LINK,
)
