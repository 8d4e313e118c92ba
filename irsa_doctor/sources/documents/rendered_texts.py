"""Texts that a program renders before they are applied: what is said of one that cannot be read as it is."""

import re

from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.text.errors import TextError

_TEMPLATE = "a template (Helm, Jinja or the like)"
_ENDINGS = (".gotmpl", ".tmpl", ".gotpl", ".tpl", ".tftpl", ".j2", ".jinja", ".jinja2", ".erb", ".mustache", ".hbs", ".ftl")
"""Endings of templates that only another program reads"""
# `{{resolve:...}}` is CloudFormation's own; `<%` begins an action of ERB and EJS
_ACTION = regex(rb"\{\{(?!resolve:)|\{%|<%")
_LINE_OF_ACTION = regex(rb"^[ \t]*(?:-[ \t]+)?(?:\{\{(?!resolve:)|\{%|<%)", re.MULTILINE)
_STATEMENT = regex(rb"^[ \t]*(?:\{%|<%)", re.MULTILINE)
# https://developer.hashicorp.com/terraform/language/expressions/strings#directives
_DIRECTIVE = regex(rb"^[ \t]*%\{~?[ \t]*(?:if|for|else|endif|endfor)\b", re.MULTILINE)


def error_of_template(text: bytes, text_error: TextError, language: str) -> TextError:
    """The error of a text with the words for a template, where it has actions of one."""
    if text.lstrip()[:2] in (b"{{", b"{%"):
        return TextError(f"{_TEMPLATE}, which is not read before it is rendered", text_error.line, text_error.column)
    if not _ACTION.search(text):
        return text_error
    why = f"{_TEMPLATE} that is not valid {language} before it is rendered: {text_error.why}"
    return TextError(why, text_error.line, text_error.column)


def is_template_file(path: str) -> bool:
    """Whether a file is one that another program renders, by its name."""
    return path.lower().endswith(_ENDINGS)


def has_statements(text: bytes) -> bool:
    """Whether a line of a text begins with a statement of a template, `{% for x in y %}`."""
    return _STATEMENT.search(text) is not None


def is_of_template(text_error: TextError) -> bool:
    """Whether an error is that of a template."""
    return text_error.why.startswith(_TEMPLATE)


def needs_rendering(text: bytes, text_error: TextError) -> bool:
    """Whether a text cannot be read because a program renders it first: lines of it begin with actions of a template, or one
    stands where the text cannot be read."""
    return _LINE_OF_ACTION.search(text) is not None or is_at_action(text, text_error)


def is_at_action(text: bytes, text_error: TextError) -> bool:
    """Whether an action of a template stands in the line of an error, or the line before."""
    near = b"\n".join(text.split(b"\n")[max(0, text_error.line - 2) : text_error.line])
    return _ACTION.search(near) is not None or _DIRECTIVE.search(near) is not None


def is_terraform_template(text: bytes, text_error: TextError) -> bool:
    """Whether a text cannot be read because Terraform fills it in first: it has lines that are directives, or an interpolation
    stands where a value should (https://developer.hashicorp.com/terraform/language/functions/templatefile)."""
    if _DIRECTIVE.search(text):
        return True
    lines = text.split(b"\n")
    line = lines[text_error.line - 1].decode(errors="replace") if 0 < text_error.line <= len(lines) else ""
    return line[text_error.column - 1 :].startswith(("${", "%{")) if text_error.column else False


def note_terraform_template(reading: DocumentReading) -> None:
    """Note that a document says nothing by itself: what it becomes is judged where configuration reads it."""
    reading.kinds.append("terraform-template")
    reading.passed.append("a template, which is judged where Terraform configuration of the input reads it")
