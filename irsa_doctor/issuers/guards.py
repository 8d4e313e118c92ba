"""What IAM asks, on save, of trust policies for issuers that many of its customers share.

The guards are the file `irsa_doctor/issuers/guards.yaml`, which `python -m tools.generate` turns into `guards.json`.
"""

from functools import cache
from pathlib import Path

import msgspec

_INDEX = Path(__file__).parent / "guards.json"


class Guard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked of a statement for one issuer (without scheme).

    One of `keys` has to be limited; a key without colon is a claim of the issuer. `built_in`: its principal is the bare host.
    `application`: an id of an application is asked for, whatever its value. `begins`: every issuer that begins so is asked.
    `blank_is_all`: what is blank or begins with a star limits nothing. `names_arn`: the refusal names the ARN of the provider.
    `without_condition`: the refusal of a statement without conditions, where it has one of its own.
    """

    title: str
    issuer: str
    keys: tuple[str, ...]
    built_in: bool = False
    application: bool = False
    begins: bool = False
    blank_is_all: bool = False
    names_arn: bool = False
    without_condition: str = ""

    def keys_of(self, issuer: str) -> tuple[str, ...]:
        """The condition keys for an issuer that begins like its own."""
        return tuple(key if ":" in key else f"{issuer}:{key}" for key in self.keys)


class GuardFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of all guards: the page that lists them, where their details were recorded, the day on which both were read."""

    source: str
    recorded: str
    read: str
    guards: tuple[Guard, ...]


@cache
def _guards() -> tuple[dict[str, Guard], tuple[Guard, ...]]:
    listed = msgspec.json.decode(_INDEX.read_bytes(), type=GuardFile).guards
    return {guard.issuer: guard for guard in listed}, tuple(guard for guard in listed if guard.begins)


def guard_of(issuer: str, *, built_in: bool) -> Guard | None:
    """The guard of an issuer without scheme, None where IAM asks for nothing; `built_in`: the principal is a bare host."""
    by_issuer, by_begin = _guards()
    guard = by_issuer.get(issuer) or next((guard for guard in by_begin if issuer.startswith(guard.issuer)), None)
    return guard if guard and guard.built_in is built_in else None
