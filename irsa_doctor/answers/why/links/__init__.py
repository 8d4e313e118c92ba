"""The links on the way of a credential, in the order in which it travels; a new link is one record in this list."""

from irsa_doctor.answers.why.links.guardrails import GUARDRAILS
from irsa_doctor.answers.why.links.issuer import ISSUER, ISSUER_KEYS, LIFETIME, SIGNATURE
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.pod_identity import POD_IDENTITY
from irsa_doctor.answers.why.links.pods import TOKEN_FILE, TOKEN_VOLUME, WEBHOOK, WORKLOAD
from irsa_doctor.answers.why.links.provider import AUDIENCE, PROVIDER
from irsa_doctor.answers.why.links.request import PERMISSIONS, REQUEST, SESSION
from irsa_doctor.answers.why.links.role import ROLE
from irsa_doctor.answers.why.links.sdk import SDK, STS_ENDPOINT
from irsa_doctor.answers.why.links.service_account import SERVICE_ACCOUNT
from irsa_doctor.answers.why.links.trust_policy import TRUST_POLICY

LINKS: tuple[Link, ...] = (
    ISSUER,
    SERVICE_ACCOUNT,
    WORKLOAD,
    WEBHOOK,
    TOKEN_VOLUME,
    TOKEN_FILE,
    SDK,
    STS_ENDPOINT,
    REQUEST,
    PROVIDER,
    ISSUER_KEYS,
    SIGNATURE,
    AUDIENCE,
    LIFETIME,
    ROLE,
    TRUST_POLICY,
    GUARDRAILS,
    SESSION,
    PERMISSIONS,
    POD_IDENTITY,
)
