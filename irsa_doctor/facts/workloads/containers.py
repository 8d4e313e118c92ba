"""What single containers of a workload show: their environment, and the token file that they are to read."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from irsa_doctor.facts.lookups.workloads import WorkloadLookups
from irsa_doctor.facts.workloads.records import PLACEHOLDERS, TokenFile
from irsa_doctor.facts.workloads.token_paths import is_absolute, mount_of, unix_path
from irsa_doctor.facts.workloads.webhook import (
    CONTAINER_CREDENTIALS,
    FILE_VARIABLE,
    MOUNT_PATH,
    ROLE_VARIABLE,
    TOKEN_PATH,
    VOLUME,
    skipped_containers,
)
from irsa_doctor.model import Container, ProjectedToken, Text, Unknown, Workload

CredentialPair = Literal["both", "none", "role-only", "token-only"]
_SESSION_NAME = Unknown("value of AWS_ROLE_SESSION_NAME", "run printenv AWS_ROLE_SESSION_NAME in a container of the workload")
# RoleSessionName (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html)
_SESSION_CHARACTERS = r"[A-Za-z0-9_+=,.@-]*"
_SHORTEST_NAME, _LONGEST_NAME = 2, 64
# Kubernetes fills these in when it starts the container; `$$(NAME)` is text
_REFERENCE = r"(?<!\$)\$\([A-Za-z_.-][\w.-]*\)"
_AWS_FOLDER = r"/\.aws(/(credentials|config))?/?"
_PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE")
_OF_KUBERNETES = "/var/run/secrets/kubernetes.io/serviceaccount"
# the agent is reached by http; whether a program reads the one or the other spelling differs
_PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_RELATIVE_ADDRESS = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
_EXEMPTIONS = ("NO_PROXY", "no_proxy")
_EXEMPT = Unknown("value of NO_PROXY", "run printenv NO_PROXY in a container of the workload")
_OF_POD_IDENTITY = "/var/run/secrets/pods.eks.amazonaws.com"
AGENT_AUDIENCE = "pods.eks.amazonaws.com"


def pair_of(container: Container) -> CredentialPair:
    """Which of the two variables of web identity a container sets by name; all that the webhook looks at."""
    role, file = ROLE_VARIABLE in container.env, FILE_VARIABLE in container.env
    return "both" if role and file else "role-only" if role else "token-only" if file else "none"


def half_set(
    lookups: WorkloadLookups, workload: Workload, container: Container
) -> Literal["no", "role-only", "token-only"] | Unknown:
    """Whether one of the two variables is set without the other, wherever it comes from."""
    pair = pair_of(container)
    if pair not in ("role-only", "token-only"):
        return "no"
    other = lookups.takes(workload, container, FILE_VARIABLE if pair == "role-only" else ROLE_VARIABLE)
    return other if isinstance(other, Unknown) else "no" if other else pair


def has_container_credentials(container: Container) -> bool:
    """Whether EKS Pod Identity was set up for a container."""
    return any(name in container.env for name in CONTAINER_CREDENTIALS) and not has_other_agent(container)


def has_other_agent(container: Container) -> bool:
    """Whether a container requests credentials from something else than the agent of EKS Pod Identity; the relative address
    counts before the full one (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html)."""
    return _RELATIVE_ADDRESS in container.env or (container.agent is not None and container.agent.address == "other")


def lacks_container_credentials(workload: Workload) -> bool:
    """Whether no container of a Pod has anything of EKS Pod Identity or of a web identity, though the webhook was to add it."""
    reached = [c for c in workload.containers if c.name not in (skipped_containers(workload.annotations) or ())]
    bare = not any(has_container_credentials(c) or has_other_agent(c) or pair_of(c) != "none" for c in reached)
    return workload.admitted and not workload.windows and not workload.fargate and bool(reached) and bare


def has_static_keys(lookups: WorkloadLookups, workload: Workload, container: Container) -> bool | Unknown:
    """Whether long-lived keys come before the role in the credential chain of every SDK
    (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html)."""
    if "AWS_ACCESS_KEY_ID" in container.env:
        return True
    return lookups.takes(workload, container, "AWS_ACCESS_KEY_ID")


def has_shared_config(container: Container) -> bool:
    """Whether a profile or a mounted configuration file may come before the role."""
    if any(name in container.env for name in _PROFILES):
        return True
    return any(
        re.fullmatch(_AWS_FOLDER, mount.path[mount.path.find("/.aws") :])
        for mount in container.mounted
        if "/.aws" in mount.path
    )


def lacks_region(lookups: WorkloadLookups, workload: Workload, container: Container) -> bool | Unknown:
    """Whether neither variable says which region's STS to call."""
    missing: list[Unknown] = []
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        there = name in container.env or lookups.takes(workload, container, name)
        if isinstance(there, Unknown):
            missing.append(there)
        elif there:
            return False
    return missing[0] if missing else True


def session_name(container: Container) -> Literal["fine", "bad"] | Unknown:
    """Whether STS takes the session name that a container sets."""
    name = container.env.get("AWS_ROLE_SESSION_NAME", "")
    if name is None:
        return _SESSION_NAME
    if isinstance(name, Text):
        return PLACEHOLDERS
    if not name:
        return "fine"
    literal, references = re.subn(_REFERENCE, "", name)
    if not re.fullmatch(_SESSION_CHARACTERS, literal) or len(literal) > _LONGEST_NAME:
        return "bad"
    if references:
        return _SESSION_NAME
    return "fine" if len(name) >= _SHORTEST_NAME else "bad"


def token_file(
    lookups: WorkloadLookups,
    workload: Workload,
    container: Container,
    tokens: Mapping[str, Sequence[ProjectedToken]],
    expected: frozenset[str],
    mutated: bool | Unknown,
) -> TokenFile | Unknown:
    """What a container finds where AWS_WEB_IDENTITY_TOKEN_FILE points.

    `tokens` are those of each volume, `wanted` the audiences that its token should have; `mutated`: the webhook has set up
    the container, or will.
    """
    stated = container.env.get(FILE_VARIABLE, TOKEN_PATH)
    if stated is None or isinstance(stated, Text):
        return "fine"
    if not is_absolute(stated):
        return "relative"
    path = unix_path(stated)
    mount = mount_of(container, path)
    if mount is None:
        return _unmounted(workload, container, path, mutated)
    inside = tokens.get(mount.volume, ())
    if not inside:
        return "fine"
    if mount.part:
        return "sub-path"
    name = path[len(unix_path(mount.path)) :].lstrip("/")
    audiences = [token.audience for token in inside if token.path == name]
    if not audiences:
        return "missing"
    return "fine" if mount.volume == VOLUME else _audience(lookups, workload, audiences[0], expected)


def _audience(lookups: WorkloadLookups, workload: Workload, audience: str, expected: frozenset[str]) -> TokenFile | Unknown:
    """Whether STS takes a token of an audience; an empty one is the API server's."""
    if not audience:
        return "kubernetes"
    if audience == AGENT_AUDIENCE:
        return "pod-identity"
    if audience in expected:
        return "fine"
    accepted = lookups.accepted(workload.cluster)
    if isinstance(accepted, Unknown):
        return accepted
    return "fine" if audience in accepted else "other-audience"


def _unmounted(workload: Workload, container: Container, path: str, mutated: bool | Unknown) -> TokenFile | Unknown:
    if path.startswith(_OF_KUBERNETES + "/"):
        return "kubernetes"
    if path.startswith(_OF_POD_IDENTITY + "/"):
        return "pod-identity"
    if VOLUME in container.mounts:
        # the webhook adds no mount where one of this name is there already, wherever it leads
        return "collision"
    if workload.admitted:
        return "not-mounted" if VOLUME in workload.volumes else "missing"
    if path == TOKEN_PATH:
        return mutated if isinstance(mutated, Unknown) else "fine" if mutated else "missing"
    return "missing"


def will_collide(container: Container) -> bool:
    """Whether the webhook's own path leads nowhere, since its volume is mounted at another place."""
    return VOLUME in container.mounts and unix_path(container.mounts[VOLUME]) != MOUNT_PATH


def has_linux_path(container: Container) -> bool:
    """Whether the token file of a container is a path of Linux; programs on Windows read it on the current drive, or refuse it
    (https://github.com/aws/amazon-eks-pod-identity-webhook/issues/57)."""
    path = container.env.get(FILE_VARIABLE)
    return isinstance(path, str) and path.startswith("/")


def may_read_token(workload: Workload, container: Container) -> bool:
    """Whether the user of a container can read a file of mode 0600 that belongs to root, as before Kubernetes 1.19
    (https://github.com/aws/amazon-eks-pod-identity-webhook/issues/8)."""
    user = workload.user if container.user is None else container.user
    non_root = workload.non_root if container.non_root is None else container.non_root
    return workload.fs_group is not None or not (user or (user is None and non_root))


def is_proxied(lookups: WorkloadLookups, workload: Workload, container: Container) -> bool | Unknown:
    """Whether a container sends requests for the agent of EKS Pod Identity to a proxy, which cannot reach a node's own address
    (https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html#pod-id-considerations)."""
    # what a ConfigMap that is not in the input gives to a container may be anything: that alone is no sign of a proxy
    proxied = any(name in container.env or lookups.takes(workload, container, name) is True for name in _PROXIES)
    exempt = container.agent.exempt if container.agent else None
    if not proxied or exempt:
        return False
    if exempt is None:
        named = [name in container.env or lookups.takes(workload, container, name) for name in _EXEMPTIONS]
        return _EXEMPT if any(isinstance(item, Unknown) or item for item in named) else True
    return True


def calls_global_sts(container: Container) -> bool:
    """Whether the SDK is configured to call the global endpoint of STS.
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html"""
    return container.env.get("AWS_STS_REGIONAL_ENDPOINTS") == "legacy"


def has_custom_endpoint(container: Container) -> bool:
    """One endpoint for all services, that of STS among them
    (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html)."""
    return "AWS_ENDPOINT_URL" in container.env and "AWS_ENDPOINT_URL_STS" not in container.env
