"""What the tag of an image shows of the SDK in it, where EKS Pod Identity supplies the role."""

import pytest

from irsa_doctor.answers.why.links.programs import PROGRAMS, program_of
from tests.answers.why import world as w
from tests.answers.why.test_pod_identity import pod_identity_world
from tests.answers.why.world import POD, world


def answered(image, documents):
    for container in w.spec(documents)["containers"]:
        container["image"] = image
    return w.why(documents, POD)


@pytest.mark.parametrize(
    "image",
    [
        "amazon/aws-cli:2.13.30",
        "public.ecr.aws/aws-cli/aws-cli:2.0.6",
        "registry.example:5000/tools/aws-cli:v1.29.5",
        "docker.io/amazon/aws-cli:2.14.6-arm64@sha256:" + "0" * 64,
    ],
)
def test_a_program_that_is_too_old_by_its_tag_is_likely_to_be_the_cause(image):
    result = answered(image, pod_identity_world())
    assert (result.verdict, w.causes(result)) == ("unknown", [("podid-sdk-too-old", "likely")])
    assert image in result.causes[0].because


@pytest.mark.parametrize(
    "image",
    [
        "amazon/aws-cli:2.15.0",
        "amazon/aws-cli:2.15",
        "amazon/aws-cli:1.30.1",
        "amazon/aws-cli:latest",
        "amazon/aws-cli",
        "amazon/aws-cli@sha256:" + "0" * 64,
        "example.com:5000/aws-cli",
        "team/my-aws-cli:2.1.0",
        "amazon/aws-cli:2023.10.1",
        "",
    ],
)
def test_any_other_image_shows_nothing(image):
    assert answered(image, pod_identity_world()).verdict == "works"


def test_a_web_identity_needs_no_such_version():
    assert answered("amazon/aws-cli:2.13.30", world()).verdict == "works"


def test_each_program_is_told_by_its_image():
    for program in PROGRAMS:
        assert program_of(f"registry.example/{program.image}:1.2.3")[0] is program
