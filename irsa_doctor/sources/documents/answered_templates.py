"""Takes a template out of what CloudFormation answers."""

from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.json import read_json

_BODY = "TemplateBody"
_BESIDE = frozenset((_BODY, "StagesAvailable", "ResponseMetadata", "ResultMetadata"))


def answered_template(page: Page, reading: DocumentReading) -> Page:
    """The template in an answer of GetTemplate, any other page as it is. One in YAML is a text in the answer
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html)."""
    members = page.value
    if not isinstance(members, dict) or _BODY not in members or not members.keys() <= _BESIDE:
        return page
    body, place = members[_BODY], page.place.at(_BODY)
    if not isinstance(body, str):
        return Page(body, place, page.duplicates)
    value = _value_of(body)
    if isinstance(value, TextError):
        reading.broken.append((place, f"{value.why} (in the template, {value.line}:{value.column})"))
        return Page(None, place)
    return Page(value, place)


def _value_of(text: str) -> object:
    content = text.encode("utf-8", "surrogatepass")
    if content.lstrip()[:1] == b"{":
        scan = read_json(content)
        return scan if isinstance(scan, TextError) else scan.value
    from irsa_doctor.text.yaml import yaml_documents

    document = next(iter(yaml_documents(content)), None)
    return document if document is None or isinstance(document, TextError) else document.value
