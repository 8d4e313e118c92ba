"""Reads the deployments of a Terraform Stack: each gives the variables of its components their values.

https://developer.hashicorp.com/terraform/language/block/stack/tfdeploy/deployment
"""

from collections.abc import Mapping

from irsa_doctor.model import text_of
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.terraform.expressions import expression_value
from irsa_doctor.sources.templates.terraform.resources import block_place
from irsa_doctor.sources.templates.terraform.scopes import Budget, EvaluationScope, PathStep
from irsa_doctor.sources.templates.terraform.syntax import Argument, Syntax, syntax_of
from irsa_doctor.sources.templates.values import TemplateValue
from irsa_doctor.text.errors import TextError, WrongShape


def read_stack_deployments(text: bytes, reading: DocumentReading) -> TextError | None:
    """Read a file of deployments. Returns what is wrong with it."""
    syntax = syntax_of(text, reading.path)
    if isinstance(syntax, TextError):
        return syntax
    reading.kinds.append("terraform-deployments")
    reading.passed.append("deployments of a stack whose components are not in the input")
    reading.text_errors += [syntax.text_error] if syntax.text_error else []
    scope = EvaluationScope(_Locals(syntax).lookup, Budget())
    for block in syntax.blocks:
        argument = block.body.arguments.get("inputs") if block.kind == "deployment" and block.labels else None
        if argument is None:
            continue
        try:
            _read_inputs(block.labels[0], expression_value(syntax, argument.value, scope).value, reading)
        except WrongShape as wrong:
            reading.broken.append((block_place(block, f"deployment.{block.labels[0]}", reading), wrong.why))
    syntax.release()
    return None


def _read_inputs(deployment: str, inputs: object, reading: DocumentReading) -> None:
    if isinstance(inputs, Mapping):
        reading.stack_deployments[deployment] = {text_of(name): value for name, value in inputs.items()}
    else:
        reading.notes.append(f"deployment {deployment} is not read: its inputs are not written as an object")


class _Locals:
    """The locals of a file of deployments, each one evaluated where it is used."""

    def __init__(self, syntax: Syntax) -> None:
        self._values: Mapping[str, Argument] = {
            name: argument
            for block in syntax.blocks
            if block.kind == "locals"
            for name, argument in block.body.arguments.items()
        }
        self._open: set[str] = set()

    def lookup(self, name: str, steps: list[PathStep], scope: EvaluationScope) -> TemplateValue | None:
        """What a reference stands for (scopes.Lookup); nothing else is known before a deployment."""
        called = steps[0] if name == "local" and steps else None
        argument = self._values.get(called) if isinstance(called, str) and called not in self._open else None
        if argument is None or not isinstance(called, str):
            return None
        steps.pop(0)
        self._open.add(called)
        try:
            return expression_value(argument.syntax, argument.value, scope)
        finally:
            self._open.discard(called)
