"""Turns the exceptions of botocore into values (https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html)."""

import re
from collections.abc import Mapping

from irsa_doctor.sources.live.calls import Clock, shortened
from irsa_doctor.sources.live.errors import CallError, ErrorKind
from irsa_doctor.sources.live.network_errors import NO_ANSWER_IN_TIME, network_reason, untrusted_certificate

ATTEMPTS = 4
"""How often botocore tries a call that is throttled."""
_REASON = re.compile(r"because (?P<why>[^\n]{1,200})")

_KINDS: Mapping[str, ErrorKind] = {
    "NoSuchEntity": "absent",
    "NoSuchEntityException": "absent",
    "ResourceNotFoundException": "absent",
    "AWSOrganizationsNotInUseException": "absent",
    "PolicyTypeNotEnabledException": "absent",
    "AccessDenied": "denied",
    "AccessDeniedException": "denied",
    "UnauthorizedOperation": "denied",
    "ExpiredToken": "credentials",
    "ExpiredTokenException": "credentials",
    "RequestExpired": "credentials",
    "InvalidClientTokenId": "credentials",
    "UnrecognizedClientException": "credentials",
    "SignatureDoesNotMatch": "credentials",
    "InvalidSignatureException": "credentials",
    "AuthFailure": "credentials",
    "Throttling": "throttled",
    "ThrottlingException": "throttled",
    "ThrottledException": "throttled",
    "TooManyRequestsException": "throttled",
    "RequestLimitExceeded": "throttled",
}


def no_answer(action: str, key: str) -> CallError:
    """Return the error of an answer without the member `key`, which every answer of AWS has."""
    return CallError("other", f"{action}: the answer is not one of AWS: it has no {key}")


def timed_out(clock: Clock) -> str:
    """Return the sentence for a call that has no answer when the time is up."""
    return f"no answer within the {clock.whole:g} s that --timeout gives"


def call_error(error: Exception, action: str = "", caller: str = "") -> CallError:
    """Return an exception of botocore as a value; `action` is the call, `caller` the ARN that made it."""
    from botocore.exceptions import ClientError

    about = f"{action}: " if action else ""
    if not isinstance(error, ClientError):
        return _transport_error(error, about)
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = shortened(str(error.response.get("Error", {}).get("Message", "")))
    kind = _KINDS.get(code, "other")
    if kind == "denied":
        reason = _REASON.search(message)
        to = f" to {caller}" if caller else ""
        return CallError(kind, f"{action} is denied{to}" + (f" because {reason['why']}" if reason else ""))
    if kind == "credentials":
        hint = "sign in again" if "xpired" in code else "check them with aws sts get-caller-identity"
        return CallError(kind, f"{about}AWS does not accept the credentials, {hint} ({code}: {message})")
    if kind == "throttled":
        return CallError(kind, f"{about}throttled, {ATTEMPTS} times in a row ({code})")
    if code.isdecimal():
        return CallError("other", f"{about}HTTP {code}: not an answer of AWS")
    return CallError(kind, f"{about}{code}: {message}")


def _transport_error(error: Exception, about: str) -> CallError:
    """A failure on the way to AWS or back."""
    from botocore import exceptions

    details: Mapping[str, object] = getattr(error, "kwargs", {})
    missing = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError)
    expired = (
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
        exceptions.UnauthorizedSSOTokenError,
        exceptions.CredentialRetrievalError,
    )
    if isinstance(error, missing):
        return CallError("credentials", "no credentials were found: name a --profile, or set them up as for the AWS CLI")
    if isinstance(error, expired):
        source = f" from {details['provider']}" if "provider" in details else ""
        return CallError("credentials", f"no credentials can be had{source}: sign in again")
    if isinstance(error, exceptions.ProfileNotFound):
        return CallError("credentials", f"no profile {details.get('profile', '')} in the configuration of AWS")
    if isinstance(error, exceptions.ConfigParseError | exceptions.ConfigNotFound):
        return CallError("credentials", f"the configuration {details.get('path', '')} cannot be read")
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return CallError("unreachable", f"{about}{_unreachable(error, details)}")
    if not isinstance(error, exceptions.BotoCoreError):
        return CallError("other", f"{about}the answer is not one of AWS ({type(error).__name__})")
    return CallError("other", f"{about}botocore makes no call of it ({type(error).__name__})")


def _unreachable(error: Exception, details: Mapping[str, object]) -> str:
    url = shortened(str(details.get("endpoint_url") or details.get("proxy_url") or "the endpoint of AWS"))
    if reason := untrusted_certificate(error):
        return f"the certificate of {url} is not trusted: {reason}"
    reason = network_reason(error)
    if reason == NO_ANSWER_IN_TIME or "Timeout" in type(error).__name__:
        return f"no answer in time from {url}"
    return f"{url} cannot be reached: {reason}"
