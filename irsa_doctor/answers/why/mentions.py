"""What an error message names, whether it is known or not: the role, the issuer, the subject, the endpoint, the request."""

import re
from collections.abc import Mapping

from irsa_doctor.text.mask import excerpt
from irsa_doctor.text.pasted import readings

_LONGEST = 1 << 16
_ENDS = ".,:/"
_PATTERNS: Mapping[str, re.Pattern[str]] = {
    "the role": re.compile(r"arn:[\w-]{3,20}:iam::\w{1,20}:role/[\w+=,.@/-]{1,200}"),
    "the session": re.compile(r"assumed-role/[\w+=,.@-]{1,64}/[\w+=,.@-]{2,64}"),
    "the issuer": re.compile(r"https://oidc[\w.-]{1,100}/id/\w{8,64}"),
    "the subject": re.compile(r"system:serviceaccount:[a-z0-9-]{1,63}:[a-z0-9.-]{1,253}"),
    "the endpoint": re.compile(r"\b[a-z0-9-]{2,40}(?:\.[a-z0-9-]{2,30}){0,3}\.amazonaws\.com(?:\.cn)?\b"),
    "the status": re.compile(r"(?i)(?<=status code: )\d{3}|(?<=statuscode: )\d{3}|(?<=httpstatuscode: )\d{3}"),
    "the request": re.compile(r"(?i)(?<=request id: )[\w-]{8,64}|(?<=requestid: )[\w-]{8,64}"),
}


def mentions_in(text: str) -> str:
    """What a text names, as a list in words without secrets; "" where it names nothing."""
    forms = list(readings(text[-_LONGEST:]))
    named = ((what, _last(pattern, forms)) for what, pattern in _PATTERNS.items())
    return ", ".join(f"{what} {excerpt(value.rstrip(_ENDS))}" for what, value in named if value)


def _last(pattern: re.Pattern[str], forms: list[str]) -> str:
    """The last text of a pattern, in the first form of the message that has one."""
    return next((matches[-1] for form in reversed(forms) if (matches := pattern.findall(form))), "")
