"""Turns the exceptions of botocore into values (https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html)."""

import re
from collections.abc import Mapping

from irsa_doctor.sources.live.calls import Clock, shortened
from irsa_doctor.sources.live.errors import CallError, ErrorKind
from irsa_doctor.sources.live.network_errors import NO_ANSWER_IN_TIME, network_reason, unreadable_file, untrusted_certificate

ATTEMPTS = 4
"""How often botocore tries a call that is throttled."""
# `because no identity-based policy allows ...`, `with an explicit deny in a service control policy`
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html)
_REASON = re.compile(r"(?:because |with (?=an explicit deny))(?P<why>[^\n]{1,200})")
_CLOCK = re.compile(r"signature (?:expired|not yet current)|is now (?:earlier|later) than", re.IGNORECASE)

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
    "IncompleteSignature": "credentials",
    "MissingAuthenticationToken": "credentials",
    "MissingAuthenticationTokenException": "credentials",
    "RequestTimeTooSkewed": "credentials",
    "AuthFailure": "credentials",
    # what botocore tries again (https://docs.aws.amazon.com/boto3/latest/guide/retries.html)
    "Throttling": "throttled",
    "ThrottlingException": "throttled",
    "ThrottledException": "throttled",
    "RequestThrottled": "throttled",
    "RequestThrottledException": "throttled",
    "TooManyRequestsException": "throttled",
    "RequestLimitExceeded": "throttled",
    "LimitExceededException": "throttled",
    "BandwidthLimitExceeded": "throttled",
    "SlowDown": "throttled",
    "EC2ThrottledException": "throttled",
}
_NO_CREDENTIALS = (
    (RuntimeError, "they have expired, and new ones as well"),
    (EOFError, "they need a code of an MFA device, and nobody is there to enter it"),
)
_DISABLED_REGION = frozenset({"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "OptInRequired"})
"""what a region answers that an account has not enabled
(https://docs.aws.amazon.com/general/latest/gr/rande-manage.html)"""


class BadEndpoint(Exception):
    """The endpoint of a service, as the configuration has it, is not a URL."""


def no_answer(action: str, key: str) -> CallError:
    """Return the error of an answer without the member `key`, which every answer of AWS has."""
    return CallError("other", f"{action}: the answer is not one of AWS: it has no {key}")


def cut_short(action: str) -> CallError:
    """Return the error of a list that says that it goes on, and not where."""
    return CallError("other", f"{action}: the list is cut short: it has no Marker for the next page")


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
    if caller and code in _DISABLED_REGION:
        return CallError("other", f"{about}the region is not enabled for the account, or has other credentials ({code})")
    if kind == "credentials":
        return CallError(kind, f"{about}AWS does not accept the credentials, {_hint(code, message)} ({code}: {message})")
    if kind == "throttled":
        return CallError(kind, f"{about}throttled, {ATTEMPTS} times in a row ({code})")
    if code.isdecimal():
        return CallError("other", f"{about}HTTP {code}: not an answer of AWS")
    return CallError(kind, f"{about}{code}: {message}")


def no_credentials(error: Exception) -> CallError:
    """Return what went wrong where a program or a file of the configuration was to provide credentials."""
    reason = unreadable_file(error) or next((says for kind, says in _NO_CREDENTIALS if isinstance(error, kind)), "")
    return CallError("credentials", f"no credentials can be had: {reason or 'what provides them gives an answer that is none'}")


def _hint(code: str, message: str) -> str:
    """What to do about credentials that AWS does not accept."""
    if code == "RequestTimeTooSkewed" or _CLOCK.search(message):
        return "set the clock of this machine"
    return "sign in again" if "xpired" in code else "check them with aws sts get-caller-identity"


def _transport_error(error: Exception, about: str) -> CallError:
    """A failure on the way to AWS or back."""
    from botocore import exceptions

    details: Mapping[str, object] = getattr(error, "kwargs", {})
    if says := _of_configuration(error, details):
        return CallError("credentials", says)
    if isinstance(error, exceptions.InvalidRegionError):
        return CallError("other", f"{about}no region is called {shortened(str(details.get('region_name')))}")
    if isinstance(error, BadEndpoint):
        return CallError("unreachable", f"{about}the endpoint in the configuration of AWS (AWS_ENDPOINT_URL) is not a URL")
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return CallError("unreachable", f"{about}{_unreachable(error, details)}")
    if isinstance(error, exceptions.PaginationError):
        return CallError("other", f"{about}the same page was answered again")
    if not isinstance(error, exceptions.BotoCoreError):
        return CallError("other", f"{about}the answer is not one of AWS ({type(error).__name__})")
    return CallError("other", f"{about}botocore makes no call of it ({type(error).__name__})")


def _of_configuration(error: Exception, details: Mapping[str, object]) -> str:
    """Why no credentials come of the configuration, "" where the failure is another."""
    from botocore import exceptions

    source = f" from {details['provider']}" if "provider" in details else ""
    # LoginError: `aws login`, which older versions do not have
    login = getattr(exceptions, "LoginError", exceptions.SSOError)
    expired = (exceptions.TokenRetrievalError, exceptions.SSOError, exceptions.CredentialRetrievalError, login)
    of_files = (exceptions.ConfigParseError, exceptions.ConfigNotFound)
    part = "a profile, a session or a role is missing in it, or leads back to itself"
    sentences: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
        (
            (exceptions.NoCredentialsError, exceptions.PartialCredentialsError),
            "no credentials were found: name a --profile, or set them up as for the AWS CLI",
        ),
        (expired, f"no credentials can be had{source}: sign in again"),
        ((exceptions.ProfileNotFound,), f"no profile {details.get('profile', '')} in the configuration of AWS"),
        (of_files, f"the configuration {details.get('path', '')} cannot be read"),
        ((exceptions.InvalidConfigError,), f"the configuration of AWS leads to no credentials: {part}"),
    )
    says = next((says for kinds, says in sentences if isinstance(error, kinds)), "")
    if says or not isinstance(error, exceptions.HTTPClientError) or not isinstance(details.get("error"), ValueError):
        return says
    if type(details["error"]) is ValueError:
        return "a key or a token of the credentials has a character that no header can have, a line break for example"
    return "a URL of the configuration is not one (HTTPS_PROXY, AWS_ENDPOINT_URL)"


def _unreachable(error: Exception, details: Mapping[str, object]) -> str:
    url = shortened(str(details.get("endpoint_url") or details.get("proxy_url") or "the endpoint of AWS"))
    if reason := untrusted_certificate(error):
        return f"the certificate of {url} is not trusted: {reason}"
    reason = network_reason(error)
    if reason == NO_ANSWER_IN_TIME or "Timeout" in type(error).__name__:
        return f"no answer in time from {url}"
    return f"{url} cannot be reached: {reason}"
