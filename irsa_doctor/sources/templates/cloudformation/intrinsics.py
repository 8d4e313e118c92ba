"""Evaluates the intrinsic functions of a CloudFormation template, as far as they can be known before it is deployed.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from irsa_doctor.model import Hole, Place, Text, joined, text_of
from irsa_doctor.sources.templates.cloudformation.conditions import combined_conditions
from irsa_doctor.sources.templates.cloudformation.other_arns import other_arn
from irsa_doctor.sources.templates.cloudformation.steps import TemplateSteps
from irsa_doctor.sources.templates.cloudformation.unexpanded import named_argument, unexpanded
from irsa_doctor.sources.templates.splitting import part_of
from irsa_doctor.sources.templates.values import (
    Fragment,
    TemplateValue,
    hole,
    scalar_text,
    template_provider_arn,
    text_in,
    with_placeholders,
    written_json,
)
from irsa_doctor.text.errors import WrongShape
from irsa_doctor.text.positions import Anchor
from irsa_doctor.text.scanner import escaped

_VARIABLE = re.compile(r"\$\{(!?)([^{}]*)\}")
_LONGEST = 1 << 20
_MOST = 10_000
_PROVIDERS = ("AWS::IAM::OIDCProvider", "Custom::AWSCDKOpenIdConnectProvider")
_CLUSTERS = ("AWS::EKS::Cluster", "AWSQS::EKS::Cluster", "Custom::AWSCDK-EKS-Cluster")
_NOTHING = object()
"""stands for AWS::NoValue: the member is left out"""


class Template:
    """One template. `undecided` collects the conditions that were evaluated and cannot be decided before deployment."""

    def __init__(
        self,
        members: Mapping[str, object],
        place: Place,
        assumed: Mapping[str, bool] = {},
        parameters: Mapping[str, str | Text] = {},
        paths: Mapping[str, tuple[str | int, ...]] = {},
        outputs: Callable[["Template", str, str], str | Text | None] | None = None,
    ) -> None:
        self.members = members
        self.place = place
        self.assumed = assumed
        self.parameters = parameters
        self.paths = paths
        self.outputs = outputs
        self.undecided: set[str] = set()
        self.steps = TemplateSteps()
        self.decided: dict[str, bool | None] = {}
        """what was found of conditions by name"""
        self.deciding = 0
        self.open: set[str] = set()

    def assuming(self, assumed: Mapping[str, bool]) -> "Template":
        """Return the same template with some conditions assumed to be true or false."""
        return Template(self.members, self.place, assumed, self.parameters, self.paths, self.outputs)

    def place_of(self, name: str) -> Place:
        """Return where a resource is written; those of a loop are written once."""
        return self.place.at(*self.paths.get(name, ("Resources", name)))

    def exists(self, name: str) -> bool:
        """Whether a resource may be made: not where its condition is known not to hold."""
        condition = self._resource(name).get("Condition")
        return not isinstance(condition, str) or self.decide({"Condition": condition}, 0) is not False

    def property(self, name: str, member: str) -> TemplateValue | None:
        """Return a property of a resource, None where the template has none."""
        properties = self._resource(name).get("Properties")
        if not isinstance(properties, dict) or member not in properties:
            return None
        pointer = self.place_of(name).at("Properties", member).pointer
        self.steps.of_property = 0
        resolved = self.value(properties[member], pointer, 0)
        return None if resolved.value is _NOTHING else resolved

    def text(self, name: str, member: str) -> str | Text:
        """Return a property that is text, perhaps with holes; "" where the template has none."""
        written = self.property(name, member)
        return (scalar_text(written.value) or hole(f"{name}.{member}")) if written else ""

    def _section(self, name: str) -> Mapping[str, object]:
        section = self.members.get(name)
        return section if isinstance(section, dict) else {}

    def _resource(self, name: str) -> Mapping[str, object]:
        resource = self._section("Resources").get(name)
        return resource if isinstance(resource, dict) else {}

    def _kind(self, name: str) -> str:
        kind = self._resource(name).get("Type")
        return kind if isinstance(kind, str) else ""

    def value(self, value: object, pointer: str, depth: int) -> TemplateValue:
        """Return a value with its functions evaluated; `pointer` leads to it from the root of the document.

        Raises WrongShape where functions are nested too deeply.
        """
        self.steps.spend(pointer, depth)
        if isinstance(value, dict):
            if len(value) == 1:
                ((name, argument),) = value.items()
                if name == "Ref" or (isinstance(name, str) and name.startswith("Fn::")):
                    return self._function(name, argument, f"{pointer}/{escaped(name)}", depth)
            members = (self._member(name, item, f"{pointer}/{escaped(name)}", depth + 1) for name, item in value.items())
            kept: dict[object, TemplateValue] = {name: item for name, item in members if item.value is not _NOTHING}
            return self._at(kept, pointer)
        if isinstance(value, list):
            items = (self.value(item, f"{pointer}/{number}", depth + 1) for number, item in enumerate(value))
            return self._at(tuple(item for item in items if item.value is not _NOTHING), pointer)
        return self._at(self._plain(value), pointer)

    def _member(self, name: object, value: object, pointer: str, depth: int) -> tuple[object, TemplateValue]:
        """A member; of a loop that is not expanded the name is not known, nor the value."""
        if isinstance(name, str) and name.startswith("Fn::ForEach::"):
            return hole(name), self._at(hole(name), pointer)
        return self._plain(name), self.value(value, pointer, depth)

    def _plain(self, value: object) -> object:
        """A scalar, or the name of a member, as it is written."""
        return value if not isinstance(value, str) or "${AWS::" in value else unexpanded(value, self.declares)

    def declares(self, name: str) -> bool:
        """Whether a name is that of a parameter or a resource."""
        return name in self._section("Parameters") or name.partition(".")[0] in self._section("Resources")

    def _at(self, value: object, pointer: str) -> TemplateValue:
        return TemplateValue(value, Anchor(pointer), self.place.document)

    def _function(self, name: str, argument: object, pointer: str, depth: int) -> TemplateValue:
        function = _FUNCTIONS.get(name)
        result = function(self, argument, pointer, depth + 1) if function else None
        if result is None:
            return self._at(hole(f"{name} {named_argument(argument)}"), pointer)
        if isinstance(result.value, str | Text) and len(text_of(result.value)) > _LONGEST:
            raise WrongShape(pointer, f"a text of more than {_LONGEST:,} characters")
        if isinstance(result.value, tuple):
            if len(result.value) > _MOST:
                raise WrongShape(pointer, f"a collection of more than {_MOST:,} items")
            self.steps.spend(pointer, depth, len(result.value))
        return result

    def ref(self, argument: object, pointer: str, depth: int) -> TemplateValue | None:
        """`Ref`: the value of a parameter, the id of a resource, or a hole of the name."""
        if not isinstance(argument, str):
            return None
        if argument == "AWS::NoValue":
            return self._at(_NOTHING, pointer)
        if argument in self._section("Parameters"):
            return self._at(self._parameter(argument), pointer)
        kind = self._kind(argument)
        if kind in _PROVIDERS:
            return self._at(self._provider_arn(argument, depth), pointer)
        if kind in _CLUSTERS[:2]:
            return self._at(self._text_of(argument, "Name", depth) or hole(argument), pointer)
        arn = other_arn(kind, argument) if kind == "AWS::IAM::ManagedPolicy" else None
        return self._at(arn or hole(argument), pointer)

    def _parameter(self, name: str) -> object:
        """The value that a file of parameters sets, else the default.

        Not the default of a secret (NoEcho), nor of an SSM parameter, whose default is a name. A default decides no
        condition: conditions are there for other values than the default.
        """
        parameter = self._section("Parameters").get(name)
        is_set = name in self.parameters
        if not isinstance(parameter, dict) or not (is_set or "Default" in parameter) or (self.deciding and not is_set):
            return hole(name)
        kind, default = str(parameter.get("Type")), self.parameters[name] if is_set else parameter["Default"]
        if kind.startswith("AWS::SSM::") or parameter.get("NoEcho") in (True, "true"):
            return hole(name)
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            if isinstance(default, Text):
                return hole(name)
            return tuple(TemplateValue(self._plain(item.strip())) for item in str(default).split(","))
        text = scalar_text(default)
        # an empty default is usually a placeholder
        return hole(name) if text is None or (text == "" and not is_set) else self._plain(text)

    def _text_of(self, name: str, member: str, depth: int) -> str | Text | None:
        """A property of another resource, if it is text; None where it refers to itself."""
        key = f"{name}.{member}"
        properties = self._resource(name).get("Properties")
        if key in self.open or not isinstance(properties, dict) or member not in properties:
            return None
        self.open.add(key)
        try:
            resolved = self.value(properties[member], self.place_of(name).at("Properties", member).pointer, depth + 1)
        finally:
            self.open.discard(key)
        return resolved.value if isinstance(resolved.value, str | Text) else None

    def _provider_arn(self, name: str, depth: int) -> Text:
        url = self._text_of(name, "Url", depth)
        return template_provider_arn(name, url) if url else hole(name)

    def get_att(self, argument: object, pointer: str, depth: int) -> TemplateValue | None:
        """`Fn::GetAtt`, in both forms."""
        if isinstance(argument, list) and len(argument) == 2 and all(isinstance(item, str) for item in argument):
            argument = ".".join(argument)
        if not isinstance(argument, str):
            return None
        name, _, attribute = argument.partition(".")
        kind = self._kind(name)
        if kind in _PROVIDERS and attribute == "Arn":
            return self._at(self._provider_arn(name, depth), pointer)
        if kind in _CLUSTERS and attribute in ("OpenIdConnectIssuerUrl", "OIDCIssuerURL"):
            return self._at(joined(("https://", self._issuer_of(name, depth))), pointer)
        if kind in _CLUSTERS and attribute == "OpenIdConnectIssuer":
            return self._at(joined((self._issuer_of(name, depth),)), pointer)
        if kind == "Custom::AWSCDKCfnJson" and attribute == "Value":
            return self._json_of(name, pointer, depth)
        if attribute.startswith("Outputs.") and self.outputs:
            output = self.outputs(self, name, attribute.removeprefix("Outputs."))
            return self._at(hole(argument) if output is None else output, pointer)
        arn = other_arn(kind, name) if attribute in ("Arn", "PolicyArn") else None
        return self._at(arn or hole(argument), pointer)

    def _issuer_of(self, name: str, depth: int) -> Hole:
        """The issuer of a cluster, named by the cluster's name where the template has it."""
        called = self._text_of(name, "Name", depth)
        return Hole(f"${{issuer of {called if isinstance(called, str) and called else name}}}")

    def _json_of(self, name: str, pointer: str, depth: int) -> TemplateValue:
        """The decoded value of the JSON that the CDK writes because names of members cannot be functions."""
        text = self._text_of(name, "Value", depth)
        decoded = written_json(text) if text is not None else None
        return self._at(hole(f"{name}.Value") if decoded is None else decoded.value, pointer)

    def sub(self, argument: object, pointer: str, depth: int) -> TemplateValue | None:
        """`Fn::Sub`, alone or with variables of its own."""
        variables: Mapping[str, object] = {}
        own = pointer
        text: object = argument
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
            text, variables, pointer = argument[0], argument[1], f"{pointer}/0"
        if isinstance(text, dict) and not any(str(name).startswith("Fn::") for name in text):
            # https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1090
            raise WrongShape(pointer, "CloudFormation refuses Fn::Sub of an object, it has to be text")
        if not isinstance(text, str):
            return None
        pieces: list[Fragment] = []
        done = 0
        for match in _VARIABLE.finditer(text):
            pieces.append(Fragment(text[done : match.start()], done))
            done = match.end()
            pieces += self._variable(match, variables, own, depth)
        pieces.append(Fragment(text[done:], done))
        # placeholders of another program may appear beside CloudFormation's own
        pieces = [part for piece in pieces if piece.part for part in _with_placeholders(piece)]
        return TemplateValue(text_in(pieces), Anchor(pointer), self.place.document, tuple(pieces))

    def _variable(self, match: re.Match[str], variables: Mapping[str, object], pointer: str, depth: int) -> Iterator[Fragment]:
        is_literal, name, at = match[1], match[2].strip(), match.start()
        if is_literal:
            yield Fragment(f"${{{name}}}")
            return
        if name in variables:
            resolved = self.value(variables[name], f"{pointer}/1/{escaped(name)}", depth)
        elif "." in name and name not in self._section("Parameters"):
            resolved = self.get_att(name, pointer, depth) or self._at(hole(name), pointer)
        else:
            resolved = self.ref(name, pointer, depth) or self._at(hole(name), pointer)
        text = scalar_text(resolved.value)
        if text is None:
            text = hole(name)
        for part in text.parts if isinstance(text, Text) else (text,):
            yield Fragment(part, at if isinstance(part, Hole) else -1)

    def join(self, argument: object, pointer: str, depth: int) -> TemplateValue | None:
        """`Fn::Join`."""
        if not (isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str)):
            return None
        items = self.value(argument[1], f"{pointer}/1", depth)
        if not isinstance(items.value, tuple):
            return None
        texts = [scalar_text(item.value) for item in items.value]
        if any(text is None for text in texts):
            return None
        parts: list[str | Text] = []
        for number, text in enumerate(texts):
            parts += [argument[0], text or ""] if number else [text or ""]
        return self._at(joined(parts), pointer)

    def select(self, argument: object, pointer: str, depth: int) -> TemplateValue | None:
        """`Fn::Select`; of `Fn::Split` it is a part of a text."""
        if not (isinstance(argument, list) and len(argument) == 2):
            return None
        index = argument[0] if isinstance(argument[0], int) else int(argument[0]) if str(argument[0]).isdecimal() else -1
        split = argument[1].get("Fn::Split") if isinstance(argument[1], dict) else None
        if isinstance(split, list) and len(split) == 2 and isinstance(split[0], str):
            text = self.value(split[1], f"{pointer}/1/Fn::Split/1", depth).value
            if isinstance(text, str | Text) and (part := part_of(text, split[0], index)) is not None:
                return self._at(part, pointer)
            return None
        items: object = self.value(argument[1], f"{pointer}/1", depth).value
        if not isinstance(items, tuple) or not 0 <= index < len(items):
            return None
        item: TemplateValue = items[index]
        return item

    def split(self, argument: object, pointer: str, depth: int) -> TemplateValue | None:
        """`Fn::Split` of a text without holes."""
        if not (isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str) and argument[0]):
            return None
        text = self.value(argument[1], f"{pointer}/1", depth).value
        return (
            self._at(tuple(TemplateValue(part) for part in text.split(argument[0])), pointer) if isinstance(text, str) else None
        )

    def choose(self, argument: object, pointer: str, depth: int) -> TemplateValue | None:
        """`Fn::If`."""
        if not (isinstance(argument, list) and len(argument) == 3 and isinstance(argument[0], str)):
            return None
        holds = self.decide({"Condition": argument[0]}, depth)
        if holds is None:
            self.undecided.add(argument[0])
            return None
        number = 1 if holds else 2
        return self.value(argument[number], f"{pointer}/{number}", depth)

    def find_in_map(self, argument: object, pointer: str, depth: int) -> TemplateValue | None:
        """`Fn::FindInMap`."""
        if not (isinstance(argument, list) and len(argument) >= 3):
            return None
        entry: object = self._section("Mappings")
        for number, key in enumerate(argument[:3]):
            name = self.value(key, f"{pointer}/{number}", depth).value
            entry = entry.get(name) if isinstance(entry, dict) and isinstance(name, str) else None
        return None if entry is None else self.value(entry, pointer, depth)

    def to_json(self, argument: object, pointer: str, depth: int) -> TemplateValue | None:
        """`Fn::ToJsonString`."""
        inner = self.value(argument, pointer, depth)
        return TemplateValue(
            hole(f"Fn::ToJsonString {named_argument(argument)}"), Anchor(pointer), self.place.document, made=inner
        )

    def decide(self, condition: object, depth: int) -> bool | None:
        """Return whether a condition holds, None where that cannot be known before deployment."""
        self.steps.spend("", depth)
        if not (isinstance(condition, dict) and len(condition) == 1):
            return None
        ((name, argument),) = condition.items()
        if name == "Condition" and isinstance(argument, str):
            if argument in self.assumed:
                return self.assumed[argument]
            if argument not in self.decided:
                # one that refers to itself is not decided
                self.decided[argument] = None
                self.decided[argument] = self.decide(self._section("Conditions").get(argument), depth + 1)
            return self.decided[argument]
        if not isinstance(argument, list):
            return None
        if name == "Fn::Equals" and len(argument) == 2:
            return self._equal(argument, depth)
        return combined_conditions(name, [self.decide(item, depth + 1) for item in argument])

    def _equal(self, arguments: Sequence[object], depth: int) -> bool | None:
        """Compare as strings; None where a side has holes."""
        self.deciding += 1
        try:
            first, second = (self.value(item, "", depth + 1).value for item in arguments)
        finally:
            self.deciding -= 1
        left, right = scalar_text(first), scalar_text(second)
        if left is None or right is None or isinstance(left, Text) or isinstance(right, Text):
            return None
        return left == right


def _with_placeholders(piece: Fragment) -> Iterable[Fragment]:
    """Of all placeholders only `{{ .Name }}`: a dollar is CloudFormation's own."""
    return with_placeholders(piece) if isinstance(piece.part, str) and "{{" in piece.part else (piece,)


_Function = Callable[[Template, object, str, int], TemplateValue | None]
_FUNCTIONS: Mapping[str, _Function] = {
    "Ref": Template.ref,
    "Fn::GetAtt": Template.get_att,
    "Fn::Sub": Template.sub,
    "Fn::Join": Template.join,
    "Fn::Select": Template.select,
    "Fn::Split": Template.split,
    "Fn::If": Template.choose,
    "Fn::FindInMap": Template.find_in_map,
    "Fn::ToJsonString": Template.to_json,
}
