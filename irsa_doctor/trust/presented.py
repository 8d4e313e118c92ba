"""A token as STS presents it to a trust policy, with what else is known of the request."""

from collections.abc import Mapping, Sequence

import msgspec

from irsa_doctor.trust.holding import variables_of
from irsa_doctor.trust.keys import known_context, presence
from irsa_doctor.trust.policy import Condition


class PresentedToken(msgspec.Struct, frozen=True):
    """A token: its provider (ARN) in the role's account, its issuer without scheme, its claims.

    `request` is what else is known of the request: keys in lower case -> values, () where the key is surely absent.
    `generated`: the name of the service account may come from a chart; a template that writes it out generates none.
    """

    account: str
    provider: str
    issuer: str
    subject: str
    audience: str
    request: Mapping[str, tuple[str, ...]] = {}
    generated: bool = True

    def context(self) -> dict[str, tuple[str, ...]]:
        """The keys of the request that are known, in lower case -> their values."""
        issuer = self.issuer.lower()
        claims = {f"{issuer}:sub": (self.subject,), f"{issuer}:aud": (self.audience,)}
        return {**known_context(self.provider, self.issuer), **self.request, **claims}

    def context_of(self, conditions: Sequence[Condition]) -> dict[str, tuple[str, ...]]:
        """The same, with the keys that conditions name and that such a request never has."""
        issuer = self.issuer.lower()
        keys = {key for c in conditions for key in (c.key, *variables_of(c, True)) if key}
        absent: dict[str, tuple[str, ...]] = {key: () for key in keys if presence(key, issuer) == "never"}
        return {**absent, **self.context()}
