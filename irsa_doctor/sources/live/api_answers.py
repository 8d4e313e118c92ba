"""Reads the answers of an API server: a document, or what its status means."""

import re
from typing import Any

import msgspec

from irsa_doctor.sources.live.calls import shortened
from irsa_doctor.sources.live.errors import CallError

_USER = re.compile(r'User "([^"]{1,300})"')
_decode = msgspec.json.Decoder().decode


def served_answer(status: int, content: bytes, context: str) -> dict[str, Any] | CallError:
    """The decoded answer, or what its status means
    (https://kubernetes.io/docs/reference/using-api/api-concepts/#standard-api-terminology)."""
    try:
        value = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    if status == 200:
        return value if isinstance(value, dict) else CallError("other", "the answer is not a JSON object")
    message = shortened(str(value.get("message", ""))) if isinstance(value, dict) else ""
    if status == 401:
        return CallError(
            "credentials", f"the API server does not accept the credentials of context {context} (401): sign in again"
        )
    if status == 403:
        user = _USER.search(message)
        return CallError("denied", f"denied to {user[1]}" if user else f"denied (403{': ' if message else ''}{message})")
    if 300 <= status < 400:
        return CallError("other", f"the API server answered {status}, which leads elsewhere: is this a page to sign in?")
    kind = {404: "absent", 410: "gone", 429: "throttled"} if isinstance(value, dict) and value.get("kind") == "Status" else {}
    return CallError(kind.get(status, "other"), f"the API server answered {status}{': ' if message else ''}{message}")  # type: ignore[arg-type]
