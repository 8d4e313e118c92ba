"""Works out the outputs of nested stacks whose templates are in the input, with what the stack around each gives to it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html (`Fn::GetAtt`
`LogicalNameOfNestedStack.Outputs.OutputName`)
"""

from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from irsa_doctor.model import Text, only_hole
from irsa_doctor.sources.documents.reading import Page
from irsa_doctor.sources.templates.cloudformation.intrinsics import Template
from irsa_doctor.sources.templates.cloudformation.stacks import stack_parameters, template_of_stack
from irsa_doctor.sources.templates.values import TemplateValue, scalar_text

FindTemplate = Callable[[str, str], Sequence[Page]]
"""the path of a template as a stack names it, and that of the template around it -> what is written there"""
_MOST = 10_000
"""outputs of one run that are worked out"""
_DEEP = 8
"""stacks in stacks"""


class NestedOutputs:
    """The outputs of stacks, each worked out when something refers to it."""

    def __init__(self, find: FindTemplate) -> None:
        self._find = find
        self._left = _MOST
        self._open: list[tuple[str, str, str]] = []
        self._stacks: WeakKeyDictionary[Template, dict[str, Template | None]] = WeakKeyDictionary()

    def value(self, template: Template, stack: str, output: str) -> str | Text | None:
        """The value of an output of a stack that a template makes; None where its template is not in the input, or the output
        is not known before deployment."""
        key = (template.place.document, stack, output)
        if self._left <= 0 or len(self._open) >= _DEEP or key in self._open:
            return None
        self._left -= 1
        self._open.append(key)
        try:
            inside = self._template(template, stack)
            written = _output(inside, output) if inside else None
        finally:
            self._open.pop()
        text = scalar_text(written.value) if written else None
        return None if text is None or only_hole(text) else text

    def _template(self, around: Template, stack: str) -> Template | None:
        """The template of a stack with the parameters that it is given."""
        known = self._stacks.setdefault(around, {})
        if stack not in known:
            known[stack] = None
            source = template_of_stack(around, stack, around.place.document)
            pages = self._find(source, around.place.document) if source else ()
            if len(pages) == 1 and isinstance(members := pages[0].value, dict):
                known[stack] = Template(members, pages[0].place, parameters=stack_parameters(around, stack), outputs=self.value)
        return known[stack]


def _output(template: Template, name: str) -> TemplateValue | None:
    """The value of an output, None where the template has none of the name."""
    outputs = template.members.get("Outputs")
    entry = outputs.get(name) if isinstance(outputs, dict) else None
    if not isinstance(entry, dict) or "Value" not in entry:
        return None
    return template.value(entry["Value"], template.place.at("Outputs", name, "Value").pointer, 0)
