"""Where the token file of a container lies, and which audience a manifest that mounts its own token asks for."""

import re
from collections.abc import Iterator

from irsa_doctor.facts.workloads.webhook import FILE_VARIABLE, ROLE_VARIABLE, VOLUME
from irsa_doctor.model import Container, Mount, Text, Workload

_DRIVE = r"[A-Za-z]:[\\/]"


def is_absolute(path: str) -> bool:
    """Whether a path begins at the root, or at a drive of Windows."""
    return path.startswith("/") or re.match(_DRIVE, path) is not None


def unix_path(path: str) -> str:
    """A path without drive letter, with slashes, and without the link /run that most images have."""
    path = path[2:] if re.match(_DRIVE, path) else path
    path = path.replace("\\", "/").rstrip("/")
    return "/var" + path if path.startswith("/run/") else path


def mount_of(container: Container, path: str) -> Mount | None:
    """The mount in which a path (as `unix_path` gives it) lies, the innermost."""
    mounts = [
        mount for mount in container.mounted if path == unix_path(mount.path) or path.startswith(unix_path(mount.path) + "/")
    ]
    return max(mounts, key=lambda mount: len(unix_path(mount.path)), default=None)


def projected_audience(workload: Workload, container: Container) -> str:
    """The audience of the token that a manifest mounts where AWS_WEB_IDENTITY_TOKEN_FILE points; "" without one, and for the
    volume of the webhook."""
    stated = container.env.get(FILE_VARIABLE)
    if not isinstance(stated, str) or not workload.tokens:
        return ""
    path = unix_path(stated)
    mount = mount_of(container, path)
    if mount is None or mount.volume == VOLUME or mount.part:
        return ""
    name = path[len(unix_path(mount.path)) :].lstrip("/")
    own = (token.audience for token in workload.tokens if (token.volume, token.path) == (mount.volume, name))
    return next(own, "")


def audiences_by_hand(workload: Workload) -> Iterator[tuple[str | Text, str]]:
    """The roles that containers of a manifest set themselves, each with the audience of the token that they mount for it; ""
    where they mount none."""
    for container in workload.containers:
        role = container.env.get(ROLE_VARIABLE)
        if role and FILE_VARIABLE in container.env:
            yield role, projected_audience(workload, container)
