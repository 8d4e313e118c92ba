"""Why a server gives no answer, in our words, from the error of the system that libraries wrap."""

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping

from irsa_doctor.sources.live.errors import CallError
from irsa_doctor.text.os_errors import os_error_reason

# https://docs.openssl.org/3.0/man1/openssl-verification-options/ and x509_vfy.h
_VERIFY: Mapping[int, str] = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is signed by itself",
    19: "its root is not among the trusted certificates",
    20: "its issuer is not among the trusted certificates",
    21: "its issuer is not among the trusted certificates",
    23: "it was revoked",
    62: "it is for another host name",
    64: "it is for another address",
}
_SYSTEM: Mapping[int, str] = {
    errno.ECONNREFUSED: "it refuses the connection",
    errno.ECONNRESET: "it closed the connection",
    errno.ECONNABORTED: "it closed the connection",
    errno.EPIPE: "it closed the connection",
    errno.EHOSTUNREACH: "no route leads to it",
    errno.ENETUNREACH: "no route leads to it",
    errno.EADDRNOTAVAIL: "no route leads to it",
}
NO_ANSWER_IN_TIME = "no answer in time"


def untrusted_certificate(error: BaseException) -> str | None:
    """Returns why a certificate is not trusted, None where the error is another."""
    wrapped = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError)), None)
    return _VERIFY.get(wrapped.verify_code, f"OpenSSL refuses it (code {wrapped.verify_code})") if wrapped else None


def unreadable_file(error: BaseException) -> str | None:
    """Returns which file of the credentials cannot be read, and why; None where the error is another."""
    wrapped = next((cause for cause in _causes(error) if isinstance(cause, OSError) and cause.filename), None)
    return f"{wrapped.filename}: {os_error_reason(wrapped)}" if wrapped else None


def network_reason(error: BaseException) -> str:
    """Returns why a connection failed, from the error of the operating system behind those of libraries."""
    for cause in reversed(list(_causes(error))):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {untrusted_certificate(cause)}"
        if isinstance(cause, ssl.SSLError):
            return "it does not answer in TLS"
        if isinstance(cause, socket.gaierror):
            return "its name has no address"
        if isinstance(cause, TimeoutError):
            return NO_ANSWER_IN_TIME
        if isinstance(cause, OSError) and cause.errno:
            return _SYSTEM.get(cause.errno) or os_error_reason(cause)
    return "the connection ended in an answer, or the answer is not HTTP"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it was raised for; urllib3 and botocore keep it in `reason`, `args` or `kwargs`."""
    waiting, seen = [error], set[int]()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        details = getattr(cause, "kwargs", {})
        inner = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args, *details.values())
        waiting += [value for value in inner if isinstance(value, BaseException)]


def on_the_way(error: Exception, server: str) -> CallError:
    """What went wrong before an answer was there."""
    if reason := unreadable_file(error):
        return CallError("credentials", reason)
    if reason := untrusted_certificate(error):
        return CallError("unreachable", f"the certificate of {server} is not trusted: {reason}")
    reason = network_reason(error)
    # the HTTP library may give up before the system does
    if reason == NO_ANSWER_IN_TIME or "Timeout" in type(error).__name__:
        return CallError("unreachable", f"{server} does not answer in time")
    return CallError("unreachable", f"{server} cannot be reached: {reason}")
