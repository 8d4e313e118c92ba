"""Reads how a container is to get credentials from an agent on its node; no value of a variable is kept."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from irsa_doctor.model import AgentSettings, Mount, ProjectedToken
from irsa_doctor.model.regex import regex

_ADDRESS = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
_EXEMPTIONS = ("NO_PROXY", "no_proxy")
# https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html#pod-id-considerations
AGENT_ADDRESSES = (ipaddress.ip_address("169.254.170.23"), ipaddress.ip_address("fd00:ec2::23"))
_OF_AGENT = regex(r"http://(169\.254\.170\.23|\[fd00:ec2::23\])(:80)?/v1/credentials/?", re.IGNORECASE)
AgentAddress = Literal["pod-identity", "other", "unseen"]
_HOLE = regex(r"\$\(|\$\{|\{\{")


def agent_settings(
    variables: Mapping[str, str | None], mounted: Sequence[Mount], tokens: Sequence[ProjectedToken]
) -> AgentSettings | None:
    """The settings of a container by its literal variables, those whose value is not literal being None; None where no
    variable is about an agent or a proxy."""
    if not variables.keys() & {_ADDRESS, _TOKEN_FILE, *_EXEMPTIONS}:
        return None
    address, path = variables.get(_ADDRESS), variables.get(_TOKEN_FILE)
    named: AgentAddress = "other"
    if not address or _HOLE.search(address):
        named = "unseen"
    elif _OF_AGENT.fullmatch(address):
        named = "pod-identity"
    exempt = _exempt([variables[name] for name in _EXEMPTIONS if name in variables], address or "")
    return AgentSettings(
        address=named,
        audience=_audience(path or "", mounted, tokens),
        token_mounted=_is_mounted(path or "", mounted),
        exempt=exempt,
    )


def _audience(path: str, mounted: Sequence[Mount], tokens: Sequence[ProjectedToken]) -> str | None:
    """The audience of the projected token at a path, None where no volume of the pod is known to have one there."""
    for mount in sorted(mounted, key=lambda mount: -len(mount.path)):
        if _is_under(path, mount) and not mount.part:
            name = _plain(path)[len(_plain(mount.path)) + 1 :]
            inside = (token for token in tokens if token.volume == mount.volume and token.path == name)
            return next((token.audience for token in inside), None)
    return None


def _is_mounted(path: str, mounted: Sequence[Mount]) -> bool | None:
    """Whether some volume is mounted over a path; a container without any mount is not shown whole, for each has one of its
    service account's own token."""
    return any(_is_under(path, mount) for mount in mounted) if path and mounted and not _HOLE.search(path) else None


def _is_under(path: str, mount: Mount) -> bool:
    return f"{_plain(path)}/".startswith(f"{_plain(mount.path)}/")


def _plain(path: str) -> str:
    """A path without the link /run that most images have."""
    return "/var" + path.rstrip("/") if path.startswith("/run/") else path.rstrip("/")


def _exempt(lists: Sequence[str | None], address: str) -> bool | None:
    """Whether NO_PROXY has the agent, in either spelling of its name; which one counts differs between programs."""
    if not lists:
        return None
    answers = [None if text is None or _HOLE.search(text) else _names_agent(text, address) for text in lists]
    return True if True in answers else None if None in answers else False


def _names_agent(text: str, address: str) -> bool:
    """Whether a list of hosts has the address of the agent, or a network that it is in."""
    hosts = [entry.strip() for entry in text.split(",")]
    required = [agent for agent in AGENT_ADDRESSES if str(agent) in address] or list(AGENT_ADDRESSES)
    return "*" in hosts or any(_covers(host, agent) for host in hosts for agent in required)


def _covers(host: str, agent: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    bare = host.removesuffix(":80").strip("[]")
    try:
        return agent in ipaddress.ip_network(bare, strict=False)
    except ValueError:
        # some programs take a prefix or a suffix of the address
        return bare.endswith("*") and bare.rstrip("*") != "" and str(agent).startswith(bare.rstrip("*"))
