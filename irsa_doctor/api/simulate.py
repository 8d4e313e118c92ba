"""Decides AssumeRoleWithWebIdentity requests against trust policies."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from irsa_doctor.answers.simulate import Simulation, Unanswered

_AUDIENCE = "sts.amazonaws.com"


def simulate(
    policy: bytes,
    *,
    issuer: str,
    account: str,
    sub: str,
    aud: str = _AUDIENCE,
    partition: str = "",
    context: Mapping[str, Iterable[str]] = {},
    ident: str | None = None,
) -> "Simulation":
    """The decision of IAM's policy evaluation about a token of `issuer` with `sub` and `aud`, for a role of `account`.

    `policy` is the text of the trust policy; `partition` by default that of the issuer; `context` has further condition keys;
    `ident` is the `id` of the answer. Raises Unanswerable where these make no request.
    """
    from irsa_doctor.answers.simulate import request_of
    from irsa_doctor.answers.simulate import simulate as decided

    name = issuer.removeprefix("https://")
    values = {f"{name}:sub": [sub], f"{name}:aud": [aud]}
    spellings = {key.lower(): key for key in values}
    for key, more in context.items():
        values.setdefault(spellings.setdefault(key.lower(), key), []).extend(more)
    request = {"account": account, "issuer": issuer, "context": values} | ({"partition": partition} if partition else {})
    return decided(policy, request_of(request), ident)


def simulate_lines(lines: bytes) -> "Iterator[Simulation | Unanswered]":
    """The answers to requests that are JSON, one a line, in their order; a line that is not a request has an `error`."""
    from irsa_doctor.answers.simulate import simulate_lines as answers

    return answers(lines)


def read_requests(path: str) -> bytes:
    """The lines of a file of requests, or of standard input (`-`). Raises Unreadable."""
    from irsa_doctor.sources.files.requests import read_lines

    return read_lines(path)


def read_policy(path: str) -> bytes:
    """The text of a file with one trust policy, or of standard input (`-`), as UTF-8. Raises Unreadable."""
    from irsa_doctor.sources.files.requests import read_policy_file

    return read_policy_file(path)
