"""Reads the values for the parameters of a CloudFormation template from their own files, and finds the template.

https://docs.aws.amazon.com/cli/latest/reference/cloudformation/create-stack.html (`--parameters`) and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html
"""

import os
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from irsa_doctor.sources.documents.reading import MOST_DEPLOYMENTS, Deployment, DocumentReading, Page
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


def give_parameters(readings: Sequence[DocumentReading], stated: Mapping[str, str] = MappingProxyType({})) -> None:
    """Give every waiting template its parameters and its deployments.

    `stated` are the files that the user names by their templates: each takes the place of the defaults. Any other file that
    fits gives what has no default, the first one that does, and is one more deployment.
    """
    templates = {reading.path: _declared(reading) for reading in readings if reading.waiting}
    files = [reading for reading in readings if reading.parameters and not reading.waiting]
    by_path = {os.path.normpath(file.path): file for file in files}
    of_user = {os.path.normpath(template): by_path.get(os.path.normpath(path)) for template, path in stated.items()}
    fitting = {file.path: _fitting(file, templates) for file in files if file not in of_user.values()}
    for reading in readings:
        if reading.waiting:
            own = [file for file in files if reading.path in fitting.get(file.path, ())]
            _give(reading, of_user.get(os.path.normpath(reading.path)), own)
    for file in files:
        file.empty = file.empty or bool(fitting.get(file.path))
        if not fitting.get(file.path, templates):
            _report_misfit(file, templates)


def _give(reading: DocumentReading, of_user: DocumentReading | None, files: Sequence[DocumentReading]) -> None:
    """Set what a template is given, and what may be given to it instead."""
    defaults = _declared(reading, with_default=True)
    first = files[0].parameters if files else {}
    reading.parameters = {name: value for name, value in first.items() if name not in defaults}
    if of_user:
        reading.parameters.update(of_user.parameters)
        of_user.empty = True
        _report_undeclared(of_user, _declared(reading), reading.path)
    for file in files[:MOST_DEPLOYMENTS]:
        if file.parameters != reading.parameters:
            reading.deployments.append(Deployment(f"with {os.path.basename(file.path)}", dict(file.parameters)))
    if len(files) > MOST_DEPLOYMENTS:
        reading.faults.append((reading.place, f"more than {MOST_DEPLOYMENTS} files of parameters"))


def _report_undeclared(file: DocumentReading, declared: Collection[str], template: str) -> None:
    """CloudFormation refuses a parameter that the template does not have."""
    if extra := sorted(file.parameters.keys() - set(declared)):
        has = ", ".join(sorted(declared)[:8]) or "none"
        file.broken.append((file.place, f"parameter {extra[0]} is not declared in {template}, which declares {has}"))


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
    """The templates that declare all of the parameters: those in the same folder, else all."""
    fit = [path for path, declared in templates.items() if file.parameters.keys() <= set(declared)]
    return [path for path in fit if os.path.dirname(path) == os.path.dirname(file.path)] or fit


def _report_misfit(file: DocumentReading, templates: Mapping[str, Collection[str]]) -> None:
    """Report the file against the template of which it has the most parameters, where that has half of those of the file. Any
    other is for a template that is not in the input."""
    near = max(templates, key=lambda path: len(file.parameters.keys() & set(templates[path])), default="")
    shared = len(file.parameters.keys() & set(templates.get(near, ())))
    if shared and 2 * shared >= len(file.parameters):
        _report_undeclared(file, templates[near], near)
    else:
        file.passed.append("parameters of a template that is not in the input")
