"""Reads the values for the parameters of a CloudFormation template from their own files, and finds the template.

https://docs.aws.amazon.com/cli/latest/reference/cloudformation/create-stack.html (`--parameters`) and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html
"""

import os
from collections.abc import Collection, Mapping, Sequence

from irsa_doctor.sources.documents.reading import Deployment, DocumentReading, Page
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import WrongShape


def read_parameter(page: Page, reading: DocumentReading) -> None:
    """One item of the list that the CLI takes: `ParameterKey` and `ParameterValue`."""
    members = shapes.mapping(page.value, page.place)
    name = shapes.required(members, "ParameterKey", page.place)
    value = members.get("ParameterValue")
    if isinstance(value, dict | list):
        raise WrongShape(page.place.at("ParameterValue").pointer, f"{shapes.name_of(value)} where a string was expected")
    if value is not None:
        reading.parameters[name] = shapes.as_text(value)


def read_configuration(page: Page, reading: DocumentReading) -> None:
    """The `Parameters` of a template configuration file."""
    members = shapes.mapping(page.value, page.place)
    for name, value in shapes.inner(members, "Parameters", page.place).items():
        reading.parameters[name] = shapes.as_text(value)


def give_parameters(readings: Sequence[DocumentReading]) -> None:
    """Set the parameters of every waiting template from the file in its folder that fits, else from the only one that fits."""
    templates = {reading.path: _declared(reading) for reading in readings if reading.waiting}
    files = [reading for reading in readings if reading.parameters and not reading.waiting]
    fitting = {file.path: _fitting(file, templates) for file in files}
    for reading in readings:
        if not reading.waiting:
            continue
        own = [file for file in files if reading.path in fitting[file.path]]
        named = [file for file in own if file.named]
        if len(named) == 1:
            reading.parameters = dict(named[0].parameters)
            named[0].empty = True
        elif not named and len(own) == 1:
            _give_beside(reading, own[0])
    for file in files:
        if not fitting[file.path]:
            _report_misfit(file, templates)
        elif not file.empty:
            file.passed.append("parameters of one of several deployments of a template: name the file to use them")


def _give_beside(reading: DocumentReading, file: DocumentReading) -> None:
    """A file that nobody named gives what has no default; what it gives instead of defaults is one more deployment."""
    defaults = _declared(reading, with_default=True)
    reading.parameters = {name: value for name, value in file.parameters.items() if name not in defaults}
    if len(reading.parameters) < len(file.parameters):
        words = f"with {os.path.basename(file.path)}"
        reading.deployments.append(Deployment(words, dict(file.parameters)))
    file.empty = True


def _declared(reading: DocumentReading, *, with_default: bool = False) -> Collection[str]:
    """The parameters that the templates of a document declare, or those of them that have a default."""
    names: set[str] = set()
    for page in reading.waiting:
        declared = page.value.get("Parameters") if isinstance(page.value, dict) else None
        for name, entry in declared.items() if isinstance(declared, dict) else ():
            if not with_default or (isinstance(entry, dict) and "Default" in entry):
                names.add(name)
    return names


def _fitting(file: DocumentReading, templates: Mapping[str, Collection[str]]) -> Collection[str]:
    """The templates that declare all of the parameters: those in the same folder, else the only one."""
    fit = [path for path, declared in templates.items() if file.parameters.keys() <= set(declared)]
    neighbours = [path for path in fit if os.path.dirname(path) == os.path.dirname(file.path)]
    return neighbours or (fit if len(fit) == 1 else ())


def _report_misfit(file: DocumentReading, templates: Mapping[str, Collection[str]]) -> None:
    """CloudFormation refuses a parameter that the template does not have."""
    near = max(templates, key=lambda path: len(file.parameters.keys() & set(templates[path])), default="")
    extra = sorted(file.parameters.keys() - set(templates.get(near, ())))
    if near and len(extra) < len(file.parameters):
        has = ", ".join(sorted(templates[near])[:8])
        file.broken.append((file.place, f"parameter {extra[0]} is not declared in {near}, which declares {has}"))
    else:
        file.passed.append("parameters of a template that is not in the input")
