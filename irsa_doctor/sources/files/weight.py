"""Whether a file that cannot be read may be one that a review needs: by its name, and by the words in it."""

import os
import re

from irsa_doctor.model.regex import regex

_NAME = regex(
    r"role|oidc|irsa|trust|assume|web.?identity|service.?account|pod.?identity|(?:^|[._-])iam(?:[._-]|$)"
    r"|\.(?:tf|tofu|tfvars)(?:\.json)?$",
    re.IGNORECASE,
)
_WORDS = regex(
    rb"assume.?role|web.?identity|federated|oidc|open_?id|iam[_-]?role|role[-_]?(?:arn|name)|arn:aws[a-z-]*:(?:iam|sts):"
    rb"|system:serviceaccount|eks\.amazonaws\.com|eksctl\.io|pod.?identity|service_?account|aws_(?:iam|eks)_|aws::(?:iam|eks)::"
    rb"|awstemplateformatversion|\biam\.(?:aws\.|services\.)|\beks\.(?:aws\.|services\.)|[\"']?roles?[\"']?\s*:\s*[\[{]"
    rb"|planned_values|terraform_version|^\s*(?:resource|data|module)\s+\"",
    re.IGNORECASE | re.MULTILINE,
)
_ESCAPES = regex(rb"\\u00([0-7][0-9a-fA-F])|\\x([0-7][0-9a-fA-F])|%([0-7][0-9a-fA-F])|&#x0*([0-7][0-9a-fA-F]);")


def speaks_of_roles(path: str, content: bytes) -> bool:
    """Whether the name or the content of a file speaks of roles, OIDC providers, service accounts, or is a template of them.

    Words count as well where they are written in escapes of JSON, YAML, URLs or XML, or in UTF-16.
    """
    if _NAME.search(os.path.basename(path)):
        return True
    text = content.replace(b"\0", b"")
    return _WORDS.search(text) is not None or _has_escaped_words(text)


_LONGEST_PLAIN = 1 << 20
"""bytes of a text whose escapes are undone to look for words in it"""
_TRUST = regex(rb"AssumeRoleWithWebIdentity")
_TRUSTED = regex(rb"(?<!\\)[\"']?\bFederated[\"']?\s*[:=]")
_TRUSTED_IN_TEXT = regex(rb"\bFederated\b")


def writes_trust(content: bytes, in_texts: bool) -> bool:
    """Whether a text writes a trust policy for web identities, in escapes too; `in_texts`: also inside of a text in it."""
    plain = content
    if b"\\" in content and len(content) <= _LONGEST_PLAIN:
        plain = _ESCAPES.sub(lambda match: bytes([int(next(filter(None, match.groups())), 16)]), content)
    return _TRUST.search(plain) is not None and (_TRUSTED_IN_TEXT if in_texts else _TRUSTED).search(plain) is not None


_FIELD = regex(rb"assumeRolePolicy")
_REPLACING = regex(rb"\bfieldPaths\b|\bfieldpath\b|\bfieldSpecs\b")


def changes_trust(content: bytes, is_kustomized: bool) -> bool:
    """Whether a kustomization, or a file of replacements of one, names the trust policy of roles that others write."""
    return _FIELD.search(content) is not None and (is_kustomized or _REPLACING.search(content) is not None)


def _has_escaped_words(text: bytes) -> bool:
    plain = _ESCAPES.sub(lambda match: bytes([int(next(filter(None, match.groups())), 16)]), text)
    return plain != text and _WORDS.search(plain) is not None
