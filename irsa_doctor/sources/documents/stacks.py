"""Templates of CloudFormation among other documents: how they are recognised, and taken out of what CloudFormation answers."""

from collections.abc import Mapping, Sequence

from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.policies import says_duplicate
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.json import read_json
from irsa_doctor.text.scanner import Duplicate

_STACK_TYPE = regex(r"Custom::\w|[A-Z]\w*::\w+::\w")
_BODY = "TemplateBody"
_BESIDE = frozenset((_BODY, "StagesAvailable", "ResponseMetadata", "ResultMetadata"))
_STACKS = ("AWS::CloudFormation::Stack", "AWS::Serverless::Application")


def is_template(members: Mapping[str, object]) -> bool:
    """Whether an object is a template: it says so, or has a resource with a type of CloudFormation."""
    resources = members.get("Resources")
    if "AWSTemplateFormatVersion" in members:
        return True
    return isinstance(resources, dict) and any(
        isinstance(item, dict) and _STACK_TYPE.match(str(item.get("Type"))) is not None for item in resources.values()
    )


def waits(value: object) -> bool:
    """Whether a document is a template of which something may be in another document: the values of parameters, outputs of a
    stack, or what a stack around it takes of its outputs."""
    if not isinstance(value, dict) or not is_template(value):
        return False
    resources = value.get("Resources")
    listed = resources.values() if isinstance(resources, dict) else ()
    makes_stacks = any(isinstance(item, dict) and item.get("Type") in _STACKS for item in listed)
    return makes_stacks or any(isinstance(value.get(section), dict) for section in ("Parameters", "Outputs"))


def is_stack_configuration(members: Mapping[str, object]) -> bool:
    """Whether an object is a template configuration file of CodePipeline, which gives parameters their values
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html)."""
    values = members.get("Parameters")
    others = set(members) - {"Parameters", "Tags", "StackPolicy"}
    return isinstance(values, dict) and not others and not any(isinstance(value, dict | list) for value in values.values())


def answered_template(page: Page, reading: DocumentReading) -> Page:
    """The template in an answer of GetTemplate, any other page as it is. One in YAML is a text in the answer
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html)."""
    members = page.value
    if not isinstance(members, dict) or _BODY not in members or not members.keys() <= _BESIDE:
        return page
    body, place = members[_BODY], page.place.at(_BODY)
    reading.kinds.append("cloudformation-get-template")
    if not isinstance(body, str):
        return Page(body, place, page.duplicates)
    read = _read(body)
    if isinstance(read, TextError):
        reading.broken.append((place, f"{read.why} (in the template, {read.line}:{read.column})"))
        return Page(None, place)
    value, duplicates = read
    twice = [f"{says_duplicate(item)} of the template; the last one is read" for item in duplicates]
    reading.broken += [(place, why) for why in twice]
    return Page(value, place)


def _read(text: str) -> tuple[object, Sequence[Duplicate]] | TextError:
    """The value of a template and the members that are twice in it."""
    content = text.encode("utf-8", "surrogatepass")
    if content.lstrip()[:1] == b"{":
        scan = read_json(content)
        return scan if isinstance(scan, TextError) else (scan.value, scan.duplicates)
    from irsa_doctor.text.yaml import yaml_documents

    document = next(iter(yaml_documents(content)), None)
    if document is None or isinstance(document, TextError):
        return document or (None, ())
    return document.value, document.duplicates
