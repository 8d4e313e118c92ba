"""Names the parts of a CloudFormation template that are not read: nested stacks, macros, resources without reader.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html
"""

import re
from collections.abc import Collection, Iterator, Mapping

from irsa_doctor.model import Place
from irsa_doctor.sources.templates.signs import role_sign

_STACKS = ("AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet", "AWS::Serverless::Application")
_SOURCES = ("TemplateURL", "TemplateBody", "Location")
_OF_AWS = ("AWS::Serverless", "AWS::LanguageExtensions", "AWS::SecretsManager", "AWS::CodeDeploy", "AWS::ServiceCatalog")
"""macros of AWS that make no role but those that are read"""
_ROLES = re.compile(r"AWS::IAM::Role\b|AssumeRole|AWS::Serverless::|\biam\b|::IAM::|[Rr]ole::MODULE$")
_TRUSTED = re.compile(r"oidc|irsa|service.?account|pod.?identity", re.IGNORECASE)
_DEEP, _MOST = 40, 100_000


def unread_parts(members: Mapping[str, object], place: Place, kinds: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each part that is not read, in the order of the template; `kinds` of resources are read."""
    transforms = members.get("Transform")
    for macro in transforms if isinstance(transforms, list) else [transforms]:
        if (name := _name_of(macro)) and name != "AWS::LanguageExtensions":
            yield f"the macro {name} changes the template when it is deployed: what it makes is not read"
    resources = members.get("Resources")
    for name, item in resources.items() if isinstance(resources, dict) else ():
        yield from _of_resource(str(name), item, kinds)
    for name, pointer in _inside(resources, place.at("Resources")):
        yield f"Fn::Transform {name} at {pointer} is not read: it is known only when the template is deployed"


def unread_trust(members: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the name of each part that may make a role and is not read, with what is missing in a sentence."""
    transforms = members.get("Transform")
    for macro in transforms if isinstance(transforms, list) else [transforms]:
        if (name := _name_of(macro)) and not name.startswith(_OF_AWS):
            yield f"Transform {name}", f"roles that the macro {name} makes or changes"
    resources = members.get("Resources")
    for name, item in resources.items() if isinstance(resources, dict) else ():
        if name == "Fn::Transform" or (isinstance(item, dict) and "Fn::Transform" in item):
            yield str(name), f"roles that Fn::Transform puts in at {name}"
        elif _may_make_roles(str(name), item):
            yield str(name), f"roles that {name} makes when the template is deployed"


def _may_make_roles(name: str, item: object) -> bool:
    """Whether a part that is not read speaks of roles, or of those whom they let in."""
    kind = item.get("Type") if isinstance(item, dict) else None
    if name.startswith("Fn::ForEach::"):
        return any(_ROLES.search(text) for text in _texts(item)) or any("${" in text for text in _texts(item, "Type"))
    if isinstance(kind, str) and (kind.endswith("::MODULE") or kind in _STACKS):
        return any(_ROLES.search(text) or _TRUSTED.search(text) for text in _texts(item))
    return False


def _texts(value: object, member: str = "") -> Iterator[str]:
    """The texts and names in a value, or the texts of one member alone; bounded, as hostile ones are."""
    waiting, left = [(value, "", 0)], _MOST
    while waiting and left:
        left -= 1
        item, name, depth = waiting.pop()
        if isinstance(item, str) and (not member or name == member):
            yield item
        elif isinstance(item, dict) and depth <= _DEEP:
            yield from () if member else map(str, item)
            waiting += [(inner, str(key), depth + 1) for key, inner in item.items()]
        elif isinstance(item, list) and depth <= _DEEP:
            waiting += [(inner, name, depth + 1) for inner in item]


def _name_of(macro: object) -> str:
    name = macro.get("Name") if isinstance(macro, dict) else macro
    return name if isinstance(name, str) else ""


def _of_resource(name: str, item: object, kinds: Collection[str]) -> Iterator[str]:
    if name.startswith("Fn::ForEach::"):
        yield f"{name} makes resources when the template is deployed, which are not read"
        return
    kind = item.get("Type") if isinstance(item, dict) else None
    properties = item.get("Properties") if isinstance(item, dict) else None
    if isinstance(kind, str) and kind.endswith("::MODULE"):
        yield f"the module {kind} of {name} is not read: its template is not in the input"
    elif kind in _STACKS:
        yield stack_note(name, properties if isinstance(properties, dict) else {})
    elif isinstance(kind, str) and kind not in kinds and not kind.endswith("Policy") and (sign := _sign_in(properties)):
        yield f"{name} names {sign}, but resources of kind {kind} are not read"


def stack_note(name: str, properties: Mapping[str, object]) -> str:
    """Return the sentence about a stack whose template is not read."""
    source = next((properties[key] for key in _SOURCES if isinstance(properties.get(key), str)), "")
    words = str(source) if isinstance(source, str) and len(source) <= _LONG_SOURCE else ""
    return f"the nested stack {name} is not read by itself: {words or 'its template is known when it is deployed'}"


_LONG_SOURCE = 1_024
"""characters of a URL; a body is longer"""


def _sign_in(properties: object) -> str:
    """What shows that a resource has to do with roles of service accounts, "" where nothing does."""
    waiting, left = [(properties, 0)], _MOST
    while waiting and left:
        left -= 1
        item, depth = waiting.pop()
        if isinstance(item, str) and (sign := role_sign(item)):
            return sign
        if depth < _DEEP:
            inner = (*item, *item.values()) if isinstance(item, dict) else item if isinstance(item, list) else ()
            waiting += [(part, depth + 1) for part in inner]
    return ""


def _inside(value: object, place: Place) -> Iterator[tuple[str, str]]:
    """The names and pointers of what `Fn::Transform` puts in."""
    waiting, left = [(value, place, 0)], _MOST
    while waiting and left:
        left -= 1
        item, at, depth = waiting.pop()
        if depth > _DEEP:
            continue
        if isinstance(item, dict):
            if "Fn::Transform" in item:
                yield _name_of(item["Fn::Transform"]) or "?", at.pointer
            waiting += [(inner, at.at(str(key)), depth + 1) for key, inner in reversed(item.items())]
        elif isinstance(item, list):
            waiting += [(inner, at.at(number), depth + 1) for number, inner in reversed(list(enumerate(item)))]
