"""Reads files of Terraform variables.

https://developer.hashicorp.com/terraform/language/values/variables#variable-definitions-tfvars-files
"""

import os
import re
from collections.abc import Mapping

from irsa_doctor.model import text_of
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.documents.rendered_texts import has_statements
from irsa_doctor.sources.templates.terraform.expressions import expression_value
from irsa_doctor.sources.templates.terraform.scopes import Budget, EvaluationScope
from irsa_doctor.sources.templates.terraform.syntax import syntax_of
from irsa_doctor.sources.templates.values import written_json
from irsa_doctor.text.errors import TextError

_VARIABLES = re.compile(r"(?:^|/)(?:terraform|[^/]*\.auto)\.tfvars(?:\.json)?$")


def read_variables(text: bytes, reading: DocumentReading) -> TextError | None:
    """Read a file of variables: arguments and nothing else, or a JSON object. Returns what is wrong with it."""
    reading.loads_itself = _VARIABLES.search(reading.path) is not None
    if reading.path.endswith(".json"):
        decoded = written_json(text.decode(errors="replace"))
        if decoded is None or not isinstance(decoded.value, Mapping):
            return TextError("not a valid file of Terraform variables: a JSON object was expected", 1, 1)
        reading.kinds.append("terraform-variables")
        reading.variables.update({text_of(name): value for name, value in decoded.value.items()})
        return None
    syntax = syntax_of(text, reading.path)
    if isinstance(syntax, TextError):
        return syntax
    if syntax.text_error and has_statements(text) and not reading.loads_itself:
        return syntax.text_error
    reading.kinds.append("terraform-variables")
    reading.text_errors += [syntax.text_error] if syntax.text_error else []
    scope = EvaluationScope(lambda name, steps, scope: None, Budget())
    for name, argument in syntax.arguments.items():
        reading.variables[name] = expression_value(syntax, argument.value, scope)
    syntax.release()
    return None


def precedence(reading: DocumentReading) -> tuple[int, str]:
    """Later files of variables take precedence over earlier ones (https://developer.hashicorp.com/terraform/language/values/variables)."""
    name = os.path.basename(reading.path)
    order = ("terraform.tfvars", "terraform.tfvars.json")
    if name in order:
        return order.index(name), reading.path
    return 2, reading.path
