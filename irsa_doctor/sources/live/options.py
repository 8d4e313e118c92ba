"""What the user says about the live sources, and what a command wants of them."""

from collections.abc import Callable

import msgspec

from irsa_doctor.sources.live.calls import AT_ONCE


def _silent(text: str) -> None:
    """Reports no progress."""


class LiveOptions(msgspec.Struct, frozen=True):
    """Which sources to ask, and how.

    `contexts` are kubeconfig contexts, none: the current one; `profiles` AWS profiles, one an account, none: the default
    credentials; `assume` ARNs of roles to read as, one an account; `regions` where clusters are looked for, none: where there
    is reason to. `secrets`: the names of Secrets are read too, and which of them hold a token. `timeout` is the limit of
    everything and `call_timeout` that of a single call, in seconds.
    """

    aws: bool = False
    kube: bool = False
    contexts: tuple[str, ...] = ()
    kubeconfig: str = ""
    profiles: tuple[str, ...] = ()
    assume: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    timeout: float = 120.0
    call_timeout: float = 10.0
    fetch_issuer: bool = False
    secrets: bool = False
    external_id: str = ""
    """what the trust policies of the roles of `assume` require of sts:ExternalId"""
    at_once: int = AT_ONCE
    """calls of one account that are under way at the same time"""
    alone: bool = True
    """whether the account is read by itself: among others of an organisation its policies are read once for all"""
    pace: Callable[[str], None] = _silent
    """is called with the name of a service before each call to it, and may wait"""
    progress: Callable[[str], None] = _silent

    @property
    def any(self) -> bool:
        """Whether any live source is to be read."""
        return self.aws or self.kube or self.fetch_issuer

    def telling(self, tell: Callable[[str], None]) -> "LiveOptions":
        """The same options with a function that is called with the progress, in texts that are safe for a terminal."""

        def plainly(text: str) -> None:
            tell("".join(character if character.isprintable() and character not in "[]" else "?" for character in text))

        return msgspec.structs.replace(self, progress=plainly)

    def with_external_id(self, ident: str) -> "LiveOptions":
        """With an external id for the roles that are assumed."""
        return msgspec.structs.replace(self, external_id=ident)

    def with_timeout(self, seconds: float) -> "LiveOptions":
        """With another limit for everything."""
        return msgspec.structs.replace(self, timeout=seconds)


class Target(msgspec.Struct, frozen=True):
    """A service account, or a workload whose service account is meant (`kind` as in manifests, `Pod`)."""

    namespace: str
    name: str
    kind: str = "ServiceAccount"


class Plan(msgspec.Struct, frozen=True):
    """What a command needs: everything, or only what is about a target, or only roles.

    `roles` are ARNs or names of roles that are needed in any case; `cluster` is the name, ARN or issuer of the only cluster
    that matters, "" where the sources tell; `issuers` (without scheme) are those of tokens at hand; `everything`: all that
    there is, where there is no target.
    """

    command: str
    target: Target | None = None
    roles: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()
    cluster: str = ""
    everything: bool = True
