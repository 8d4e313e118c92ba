"""Decides an AssumeRoleWithWebIdentity request against a trust policy."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from irsa_doctor.model.faults import judged_or_named

if TYPE_CHECKING:
    from irsa_doctor.answers.simulate import Simulation

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

    `policy` is the text of the trust policy; `partition` by default that of the issuer; `context` has further condition keys,
    beside those that are the same in every request of the issuer's tokens; `ident` is the `id` of the answer. Raises
    Unanswerable where these make no request, and NotJudged.
    """
    from irsa_doctor.answers.simulate import request_of, simulate_token

    name = issuer.removeprefix("https://")
    values = {f"{name}:sub": [sub], f"{name}:aud": [aud]}
    spellings = {key.lower(): key for key in values}
    for key, more in context.items():
        values.setdefault(spellings.setdefault(key.lower(), key), []).extend(more)
    request = {"account": account, "issuer": issuer, "context": values} | ({"partition": partition} if partition else {})
    wanted = request_of(request)
    return judged_or_named(ident or "the policy", lambda: simulate_token(policy, wanted, name, ident))
