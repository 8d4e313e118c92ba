"""Masks secrets in text that people paste: whatever is shown of an error, a log or an event goes through here."""

import re

_STARS = "***"
_SECRETS = (
    # a token: header and claims of a JWT are JSON, and so begin with `eyJ`; what `aws eks get-token` prints
    re.compile(r"eyJ[\w-]{6,}(?:\.[\w-]*){1,4}"),
    re.compile(r"k8s-aws-v1\.[\w-]+"),
    # access key ids of users and sessions
    re.compile(r"(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{12,}"),
    re.compile(r"(?i)\bbearer\s+[\w.~+/=-]{4,}"),
    # a name that means a secret, with the value after it
    re.compile(
        r"(?i)(?:secret[_-]?(?:access[_-]?)?key|session[_-]?token|security[_-]?token|password|authorization"
        r"|x-amz-security-token|web[_-]?identity[_-]?token(?![_-]?file))[\"']?\s*[:=]\s*[\"']?[^\s\"',;&]+"
    ),
    # the same as a pair, for example a tag or an environment variable
    re.compile(
        r"(?i)\b(?:key|name)[\"']?\s*[:=]\s*[\"']?[\w./-]{0,60}(?:secret|password|passwd|credential|token(?![_-]?file))[\w./-]{0,60}"
        r"[\"']?\s*,\s*[\"']?value[\"']?\s*[:=]\s*[\"']?[^\s\"',;&}]+"
    ),
)
# forty characters of base64: a secret access key; more than a hundred: a session token
_BLOB = re.compile(r"(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/]{40}|[A-Za-z0-9+/=]{100,})(?![A-Za-z0-9+/=])")


def masked(text: str) -> str:
    """Return the text with `***` for whatever looks like a token, a key or a password."""
    for pattern in _SECRETS:
        text = pattern.sub(_STARS, text)
    return _BLOB.sub(lambda match: _STARS if _is_mixed(match[0]) else match[0], text)


def _is_mixed(word: str) -> bool:
    """Whether upper case, lower case and digits are mixed as in a key; a path or a digest in hexadecimal is not."""
    return any(map(str.isupper, word)) and any(map(str.islower, word)) and any(map(str.isdigit, word))


def excerpt(text: str, longest: int = 240) -> str:
    """Return the text in one line of at most `longest` characters, with secrets masked."""
    line = " ".join(masked(text).split())
    return line if len(line) <= longest else line[: longest - 4].rstrip() + " ..."
