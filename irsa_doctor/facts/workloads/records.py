"""What is true of a Pod or a pod template."""

from typing import Literal

import msgspec

from irsa_doctor.model import Unknown

Identity = Literal["irsa", "pod-identity", "by-hand", "none"]
Admission = Literal[
    "not-wanted",
    "expected",
    "complete",
    "explained",
    "opted-out",
    "all-skipped",
    "mirror",
    "older",
    "race",
    "late-container",
]
PodIdentitySetUp = Literal["none", "fine", "chain-order", "not-set-up", "passed-over", "unsupported-node", "hybrid-node"]
AgentAccess = Literal["open", "denied", "proxied"]
AgentToken = Literal["right", "other-audience", "not-mounted"]
TokenFile = Literal[
    "fine", "relative", "kubernetes", "pod-identity", "other-audience", "sub-path", "collision", "not-mounted", "missing"
]
PLACEHOLDERS = Unknown("values of the template's placeholders")


class WorkloadFacts(msgspec.Struct, frozen=True):
    """What is true of a Pod or a pod template; what a manifest states is a fact of its topmost owner in the input alone."""

    identity: Identity | Unknown
    """How its containers get credentials: by IRSA, by Pod Identity, by variables that the manifest has, or not at all"""
    service_account: Literal["right", "other"] | Unknown
    account_looked_for: bool
    """Whether its service account is in the input, or would be: all of its namespace are, or were requested"""
    account_exists: bool | Unknown
    """Whether its service account exists, by which pods that are made of it are admitted"""
    annotation_on_pod: bool | Unknown
    environment: Literal["whole", "role-only", "token-only"] | Unknown
    role: Literal["same", "drifted", "by-hand-differs"] | Unknown
    admission: Admission | Unknown
    """What the webhook did to the pod, or will do"""
    pod_identity: PodIdentitySetUp | Unknown
    agent_access: AgentAccess | Unknown
    agent_token: AgentToken
    token_file: TokenFile | Unknown
    token_volume: Literal["fine", "other-audience", "no-token"] | Unknown
    expiration_too_short: bool
    expiration_ignored: bool | Unknown
    skip_containers: bool | Unknown
    token_readable: bool | Unknown
    static_keys: bool | Unknown
    shared_config: bool | Unknown
    region_missing: bool | Unknown
    global_sts: bool | Unknown
    custom_endpoint: bool | Unknown
    session_name: Literal["fine", "bad"] | Unknown
    windows_by_affinity: bool | Unknown
    ephemeral: bool | Unknown
