"""The lifetimes that an organisation allows, and since when a store of audits has seen keys."""

from collections.abc import Mapping

import msgspec


class Standards(msgspec.Struct, frozen=True):
    """The standards of a project, in seconds; 0 where there is none. `static_keys` and `legacy_tokens`: these are denied."""

    max_token_lifetime: int = 0
    max_session_duration: int = 0
    max_signing_key_age: int = 0
    max_thumbprint_age: int = 0
    max_role_unused: int = 0
    max_provider_unused: int = 0
    static_keys: bool = False
    legacy_tokens: bool = False

    @property
    def are_set(self) -> bool:
        """Whether anything is required."""
        return self != NO_STANDARDS


NO_STANDARDS = Standards()


class KeyRun(msgspec.Struct, frozen=True):
    """The keys that one run saw of a subject: key ids of a cluster, thumbprints of a provider."""

    as_of: str
    keys: frozenset[str]


class StandardsContext(msgspec.Struct, frozen=True):
    """What a judgement by standards depends on beside the input: the time (RFC 3339 or a day), and what the runs of the store
    saw of each subject (ARN of a provider, id of a cluster), oldest first."""

    as_of: str = ""
    key_runs: Mapping[str, tuple[KeyRun, ...]] = {}


NO_CONTEXT = StandardsContext()
