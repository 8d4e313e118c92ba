"""Texts that are neither JSON nor YAML of a known kind: how each dialect is recognised and who reads it.

A dialect is one row of `DIALECTS`; the first that recognises a text has it.
"""

import re
from collections.abc import Callable
from typing import Literal

import msgspec

from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.policies import is_like_policy
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.documents.rendered_texts import note_terraform_template
from irsa_doctor.text.errors import TextError

_JWT = regex(rb"\s*eyJ[\w-]+\.[\w-]+\.[\w-]*\s*\Z")
# a block at the beginning of a line: `resource "aws_iam_role" "app" {`
_HCL = regex(
    rb"^[ \t]*(?:/\*.*?\*/[ \t]*)?(?:resource|data|module|variable|provider|terraform|locals|output)"
    rb"(?:[ \t]+(?:\"[^\"\n]*\"|[\w-]+)|[ \t]*/\*[^*\n]*\*/)*[ \t]*\{",
    re.MULTILINE,
)
# Grafana Alloy (https://grafana.com/docs/alloy/latest/get-started/configuration-syntax/syntax/): blocks of components with dots
_ALLOY = regex(rb"^[a-z_]\w*(?:\.\w+)+(?:[ \t]+\"[^\"\n]*\")?[ \t]*\{", re.MULTILINE)
# in a page that only quotes such blocks, prose comes first
_PROSE_FIRST = regex(rb"(?:\s+|(?:#|//)[^\n]*\n|/\*.*?\*/)*+(?![a-z_]+(?:[ \t]+(?:\"[^\"\n]*\"|[\w-]+))*[ \t]*\{)", re.DOTALL)
# a section first, then a setting: such lines inside a config map are the config map's business
_AWS_CONFIG = regex(
    rb"(?:\s*[#;][^\n]*\n)*\s*\[[^\]\n]+\]\s*\n(?:[^\n]*\n){0,200}?"
    rb"\s*(?:aws_access_key_id|aws_secret_access_key|credential_process|sso_start_url|role_arn|region)\s*="
)
_JSON = regex(
    rb'\s*\{\s*"(?:resource|data|module|variable|provider|terraform|locals|output|import|moved|removed|check|//)"\s*:'
)
_JSON_BLOCK = regex(
    rb'"(?:resource|data)"\s*:\s*(?:\[\s*)?\{\s*"[a-z0-9]+_[a-z0-9_]+"\s*:\s*(?:\[\s*)?\{'
    rb'|"module"\s*:\s*(?:\[\s*)?\{\s*"[^"]*"\s*:\s*(?:\[\s*)?\{[^{}]*"source"\s*:'
)
_VARIABLES = regex(r"\.tfvars(?:\.json)?$")
"""Files of Terraform's variables: the only ones that are recognised by their names, as Terraform does."""
_CONFIGURATION = (".tf", ".tofu", "terragrunt.hcl", ".tfcomponent.hcl", ".tfstack.hcl")
"""Ends of the names of configuration, with that of Stacks
(https://developer.hashicorp.com/terraform/language/files/stack)"""
_SET_ASIDE = regex(r"\.(?:tf|tofu)(?:\.json)?[.~_-][^/]*$", re.IGNORECASE)
"""`main.tf.bak`, `main.tf-old`, `main.tf~`: Terraform reads the files of a folder by the ends of their names
(https://developer.hashicorp.com/terraform/language/files)"""
_RENDERED = regex(
    r"\.(?:json|tftpl|g?tpl|tmpl|template|gotmpl|in|j2|jinja2?|njk|liquid|erb|ejs|eta|mako|vm|ftl|mustache|hbs|handlebars)$",
    re.IGNORECASE,
)
"""Ends of templates, of which the configuration is still to be made"""
ONLY_FROM_ITS_PLACE = "read only from the file that an option names for it, never from a scanned folder"


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """A dialect of text: `read` fills a reading and returns what is wrong with the text, or `why` says why it is not read.

    `recognises` gets the text and the path of the file; `form` is that of the text, for places in it.
    """

    name: str
    recognises: Callable[[bytes, str], bool]
    read: Callable[[bytes, DocumentReading], TextError | None] | None = None
    why: str = ""
    form: Literal["hcl", "other"] = "other"
    unless_named: bool = False
    """whether that is said of a file of a folder only, not of one that the user names"""


def dialect_of(text: bytes, path: str, *, named: bool) -> Dialect | None:
    """Return the dialect of a text, None where it may be JSON or YAML; `named`: the user named the file."""
    dialects = (dialect for dialect in DIALECTS if not (named and dialect.unless_named))
    return next((dialect for dialect in dialects if dialect.recognises(text, path)), None)


def _is_token(text: bytes, path: str) -> bool:
    return _JWT.match(text[:65536]) is not None


def _is_aws_config(text: bytes, path: str) -> bool:
    head = text[:65536]
    return head.lstrip()[:1] not in (b"{", b"-") and _AWS_CONFIG.match(head) is not None


def _is_terraform_variables(text: bytes, path: str) -> bool:
    return _VARIABLES.search(path) is not None


def _is_stack_deployment(text: bytes, path: str) -> bool:
    return path.endswith(".tfdeploy.hcl")


def _is_terraform(text: bytes, path: str) -> bool:
    """Terraform's configuration language; a `.tf` file with a syntax error is too."""
    head = text[:65536]
    if head.lstrip()[:1] in (b"{", b"-"):
        return False
    is_named = path.endswith(_CONFIGURATION)
    return is_named or (_HCL.search(head) is not None and _PROSE_FIRST.match(head) is None and _ALLOY.search(head) is None)


def _is_set_aside(text: bytes, path: str) -> bool:
    """Configuration in a file that Terraform does not read for its name, and that nothing renders."""
    return _SET_ASIDE.search(path) is not None and _RENDERED.search(path) is None and _is_terraform(text, path)


def _is_terraform_template(text: bytes, path: str) -> bool:
    """A template of Terraform that is no JSON by itself: what is nothing but an expression, or has directives."""
    return path.endswith((".tftpl", ".tpl")) and text.lstrip()[:2] in (b"${", b"%{") and is_like_policy(text)


def _is_terraform_json(text: bytes, path: str) -> bool:
    """Terraform's configuration in JSON: an object of its blocks. A resource has a type with the name of its provider."""
    if text.lstrip()[:1] != b"{":
        return False
    return path.endswith((".tf.json", ".tofu.json")) or (_JSON.match(text) is not None and _JSON_BLOCK.search(text) is not None)


def _read_terraform(text: bytes, reading: DocumentReading) -> TextError | None:
    from irsa_doctor.sources.templates.terraform import configuration

    return configuration.read_file(text, reading)


def _read_terraform_template(text: bytes, reading: DocumentReading) -> TextError | None:
    note_terraform_template(reading)
    return None


def _read_stack_deployments(text: bytes, reading: DocumentReading) -> TextError | None:
    from irsa_doctor.sources.templates.terraform.stack_deployments import read_stack_deployments

    return read_stack_deployments(text, reading)


def _read_terraform_variables(text: bytes, reading: DocumentReading) -> TextError | None:
    from irsa_doctor.sources.templates.terraform.variable_files import read_variables

    return read_variables(text, reading)


DIALECTS: tuple[Dialect, ...] = (
    Dialect(name="token", recognises=_is_token, why=f"a token is {ONLY_FROM_ITS_PLACE}"),
    Dialect(name="aws-config", recognises=_is_aws_config, why=f"AWS configuration is {ONLY_FROM_ITS_PLACE}"),
    Dialect(name="terraform-variables", recognises=_is_terraform_variables, read=_read_terraform_variables, form="hcl"),
    Dialect(name="terraform-deployments", recognises=_is_stack_deployment, read=_read_stack_deployments, form="hcl"),
    Dialect(name="terraform-template", recognises=_is_terraform_template, read=_read_terraform_template, form="hcl"),
    Dialect(
        name="terraform",
        recognises=_is_set_aside,
        why="configuration that is set aside: Terraform reads no file of this name",
        unless_named=True,
    ),
    Dialect(name="terraform", recognises=_is_terraform, read=_read_terraform, form="hcl"),
    Dialect(name="terraform", recognises=_is_terraform_json, read=_read_terraform, form="hcl"),
)
