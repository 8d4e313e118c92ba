"""The accounts of an organisation that were to be read, as the manifest of a collection lists them."""

from typing import Literal, get_args

import msgspec

from irsa_doctor.model.place import Place

AccountState = Literal["read", "partial", "unknown", "excluded", "pending"]
ScopeState = Literal["read", "partial", "unknown", "stale", "excluded"]
"""whether an account or a cluster was read; stale: too long ago"""
ACCOUNT_STATES: tuple[AccountState, ...] = get_args(AccountState)


class OrganizationAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account: its name, the units that it is in (root first), and whether it was read, with the reason where not.

    `taken` is when (RFC 3339), "" where that is not said.
    """

    id: str
    organization: str = ""
    name: str = ""
    units: tuple[str, ...] = ()
    state: AccountState
    why: str = ""
    taken: str = ""
    place: Place
