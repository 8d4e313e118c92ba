"""Files of `simulate`: requests, and the text of one trust policy."""

import os

import msgspec

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.sources.files.walk import walk
from irsa_doctor.text.encoding import BinaryContent, settle
from irsa_doctor.text.errors import TextError


class Unreadable(IrsaDoctorError):
    """A file that cannot be read as text; the text says which and why."""


def read_requests(path: str) -> bytes:
    """Requests of a file, or of standard input (`-`). Raises Unreadable. Lines that are no text are answered as such."""
    raw = _bytes_of(path)
    text = settle(raw)
    if isinstance(text, BinaryContent):
        raise Unreadable(f"{path}: {text.why}")
    requests = raw if isinstance(text, TextError) else text
    if not requests.strip():
        raise Unreadable(f"{path}: no request in it")
    return requests


def read_policy_file(path: str) -> bytes:
    """The text of a policy as UTF-8, whatever its encoding. Raises Unreadable."""
    text = settle(_bytes_of(path))
    if isinstance(text, TextError):
        raise Unreadable(f"{path}: {text.why}")
    if not text.strip():
        raise Unreadable(f"{path}: empty")
    if _is_answer(text):
        raise Unreadable(f"{path}: the answer of aws iam get-role: save the AssumeRolePolicyDocument in it, and give that")
    return text


class _Role(msgspec.Struct):
    AssumeRolePolicyDocument: msgspec.Raw


class _GetRole(msgspec.Struct):
    Role: _Role


def _is_answer(text: bytes) -> bool:
    """Whether a text is the answer of GetRole, with a policy in it."""
    try:
        msgspec.json.decode(text, type=_GetRole)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _bytes_of(path: str) -> bytes:
    if os.path.isdir(path):
        raise Unreadable(f"{path}: a folder, not a file")
    file = next(walk([path], None))
    if file.why is not None:
        raise Unreadable(f"{path}: {file.why}")
    return file.content
