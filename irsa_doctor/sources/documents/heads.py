"""Tells from the beginning of a file whether it can be anything that is read."""

import re

from irsa_doctor.model.regex import regex
from irsa_doctor.text.encoding import BinaryContent, is_in_wide_encoding, settle

HEAD = 1 << 16
"""bytes by which a file is known whose name says nothing"""
_KINDS = regex(r"\.(?:json|jsonl|ndjson|ya?ml|gz|tf|tofu|hcl|tfvars|tftpl|tpl|tfstate|tfplan|template|toml)$", re.IGNORECASE)
_GZIP = b"\x1f\x8b"
# objects and lists, members of YAML, blocks of Terraform, sections of configuration, a token
_SIGNS = regex(
    rb"""\s*+[{\["%]|^(?:-\s+)?["']?[A-Za-z][\w./-]*["']?[ \t]*:(?:[ \t]|$)"""
    rb"""|^[ \t]*[a-z_]+(?:[ \t]+\S+){0,2}[ \t]*\{|^---|\s*eyJ""",
    re.MULTILINE,
)


def why_unread(head: bytes, path: str, named: bool) -> str:
    """Why a file is nothing that is read, by its first `HEAD` bytes; "" where it may be, or its name says that it is."""
    if named or _KINDS.search(path) or head.startswith(_GZIP) or is_in_wide_encoding(head):
        return ""
    # the end of the head may stand within a character
    text = settle(head[: head.rfind(b"\n") + 1] or head[:-3])
    if isinstance(text, BinaryContent):
        return text.why
    if isinstance(text, bytes) and not _SIGNS.search(text):
        return "neither JSON nor YAML of a known kind"
    return ""
