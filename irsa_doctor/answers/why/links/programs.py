"""What the images of containers show of the SDK in them: programs whose tag is their version, and the first that knows EKS Pod
Identity."""

import re
from collections.abc import Iterator

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links.state import LinkState, Sign, undecided
from irsa_doctor.answers.why.placeholders import fill_command

PROGRAM_SIGN = "program-without-pod-identity"
_VERSION = re.compile(r"v?(?P<numbers>\d{1,4}(?:\.\d{1,4}){1,2})(?![\d.])")
_CHECK = "kubectl exec -n {namespace} {pod} -- aws --version"


class Program(msgspec.Struct, frozen=True):
    """A program by the last part of the name of its image; `first` has for each major version the first one that knows EKS Pod
    Identity."""

    image: str
    title: str
    first: tuple[tuple[int, int, int], ...]


PROGRAMS = (
    # https://docs.aws.amazon.com/eks/latest/userguide/pod-id-minimum-sdk.html, read 2026-11-28
    Program(image="aws-cli", title="AWS CLI", first=((1, 30, 0), (2, 15, 0))),
)


def without_pod_identity(case: Case) -> LinkState | None:
    """The state where a container runs a program that is too old for EKS Pod Identity by the tag of its image. A tag may be
    anything, so that this is likely and no more."""
    says = next(_old_programs(case), "")
    if not says:
        return None
    return undecided(says, Sign(PROGRAM_SIGN, says, at_most="likely"), settle=fill_command(_CHECK, case))


def _old_programs(case: Case) -> Iterator[str]:
    for workload in case.workloads:
        for container in workload.containers:
            program, version = program_of(container.image)
            first = next((first for first in program.first if first[0] == version[0]), None) if program else None
            if program and first and version < first:
                needed = ".".join(map(str, first))
                yield (
                    f"the container {container.name} has the image {container.image}, and the {program.title} knows EKS Pod"
                    f" Identity from version {needed}"
                )


def program_of(image: str) -> tuple[Program | None, tuple[int, ...]]:
    """The program of an image and its version; none where the name or the tag says neither."""
    path, _, tag = image.partition("@")[0].rpartition(":")
    program = next((item for item in PROGRAMS if path.rpartition("/")[2] == item.image), None)
    version = _VERSION.match(tag)
    if program is None or version is None:
        return None, (0,)
    numbers = tuple(map(int, version["numbers"].split(".")))
    return program, (*numbers, 0)[:3]
