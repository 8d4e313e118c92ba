"""What the role annotation of a service account holds, and which keys are nearly its key."""

import re
from functools import lru_cache
from typing import Literal

from irsa_doctor.facts.lookups.names import is_one_letter_off
from irsa_doctor.model import Arn, ServiceAccount, Text, is_role_arn, may_be_role_arn, parse_arn, text_of
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.model.regex import regex

Annotation = Literal["ok", "none", "empty", "key-typo", "template", "policy-arn", "bare-name", "malformed"]

_MARKUP = regex(r"\$\{|\$\(|\{\{|<[^<>]*>|@@|%[A-Z_]+%|REPLACE|CHANGE_?ME|YOUR[_-]|ACCOUNT_?ID|X{4,}")
_VARIABLE = regex(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::?[-=][^{}]*)?\}")
_LEFT = regex(r"\b(?:YOUR|REPLACE|CHANGE)[_-][A-Z0-9_-]+|\bCHANGEME\b|[Xx]{6,}|(?i::[a-z0-9_-]*acc(?:oun)?t[a-z0-9_-]*:)")
_VARIABLE_NAME = regex(r"ROLE|ARN|[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
"""the whole value is what a variable or a mark is called, as `BACKUP_ROLE_ARN` and `SET_BY_TERRAFORM`"""
# "replace" and the like may be part of a role's own name
_WHOLE_NAME = regex(r"(REPLACE|CHANGE)[_-]?ME|YOUR[_-]([A-Z]+[_-])*(ROLE|NAME|ARN)|(IAM[_-])?ROLE[_-]NAME|X{4,}", re.IGNORECASE)
_NOTHING = frozenset({"todo", "tbd", "fixme", "none", "null", "nil", "undefined"})
_OTHER_IAM = frozenset(
    {"policy", "user", "group", "instance-profile", "oidc-provider", "saml-provider", "server-certificate", "mfa"}
)
# kube2iam and kiam read it (https://github.com/jtblin/kube2iam#iam-roles)
_OTHER_TOOLS = frozenset({"iam.amazonaws.com/role"})
_ROLE = ":role/"
"""what the ARN of a role has, also where a colon of it is missing or too many"""
_OTHER_ARN = regex(r"arn:[^:/]*:iam::[^:/]*:([a-z-]+)/")
_PREFIX, _, _NAME = ROLE_ARN.partition("/")


def annotation_form(account: ServiceAccount) -> Annotation:
    """What a service account has as its role; of a template, before it is filled in."""
    value = account.annotations.get(ROLE_ARN)
    if value is None:
        return "key-typo" if any(map(is_near_key, account.annotations)) else "none"
    return _form_of_text(value) if isinstance(value, Text) else _form_of(value)


def _form_of_text(value: Text) -> Annotation:
    """Whatever its holes hold, an ARN of a policy names no role."""
    match = _OTHER_ARN.match("".join(part if isinstance(part, str) else "*" for part in value.parts))
    return "policy-arn" if match and match[1] in _OTHER_IAM else "template"


def holds_variable(account: ServiceAccount) -> bool:
    """Whether the role of a manifest is written with variables such as `${ACCOUNT_ID}`, which envsubst and the like fill
    before it is applied. In an object of a cluster nothing fills them any more."""
    value = text_of(account.annotations.get(ROLE_ARN, ""))
    if account.template or account.created or not _VARIABLE.search(value):
        return False
    return not _MARKUP.search(_VARIABLE.sub("", value).upper())


def has_left_word(account: ServiceAccount) -> bool:
    """Whether the role of an account that is rendered later is a text with a word that somebody was to replace: where something
    may still put a value in its place, the source has a hole there."""
    value = account.annotations.get(ROLE_ARN)
    return isinstance(value, str) and _LEFT.search(value) is not None


@lru_cache(maxsize=1024)
def _form_of(value: str) -> Annotation:
    if not value:
        return "empty"
    if is_role_arn(value):
        return "template" if _WHOLE_NAME.fullmatch(value.rpartition("/")[2]) else "ok"
    if value.strip().lower() in _NOTHING or _VARIABLE_NAME.fullmatch(value) or _MARKUP.search(value.upper()):
        return "template"
    if may_be_role_arn(value):
        return "ok"
    arn = parse_arn(value.strip())
    if arn and _is_of_something_else(arn):
        return "policy-arn"
    return "bare-name" if re.fullmatch(r"[\w+=,.@/-]{1,120}", value) and ":" not in value else "malformed"


def _is_of_something_else(arn: Arn) -> bool:
    if not arn.partition.startswith("aws") or not arn.service or _ROLE in str(arn):
        return False
    return arn.kind in _OTHER_IAM if arn.service == "iam" else arn.kind != "role"


@lru_cache(maxsize=4096)
def is_near_key(key: str) -> bool:
    """Whether a key was most likely meant to be that of the role annotation."""
    if key == ROLE_ARN:
        return False
    if key in _OTHER_TOOLS or is_one_letter_off(key.lower(), ROLE_ARN):
        return True
    prefix, slash, name = key.lower().rpartition("/")
    letters = re.sub(r"[^a-z]", "", name)
    if not slash:
        return letters in ("rolearn", "eksamazonawscomrolearn")
    known = prefix == _PREFIX or is_one_letter_off(prefix, _PREFIX)
    if known and (letters in ("role", "iamrole") or is_one_letter_off(name, _NAME)):
        return True
    return letters.endswith("rolearn") and (known or "amazon" in prefix or ".aws." in f".{prefix}")
