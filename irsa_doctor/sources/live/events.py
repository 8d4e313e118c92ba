"""Looks up CloudTrail events of AssumeRoleWithWebIdentity."""

from collections.abc import Iterable
from typing import Any

import msgspec

from irsa_doctor.model import Arn, parse_arn
from irsa_doctor.sources.live.aws import AwsAccount
from irsa_doctor.sources.live.calls import encoded
from irsa_doctor.sources.live.options import LiveOptions
from irsa_doctor.sources.live.sources import LiveSources
from irsa_doctor.sources.snapshot.snapshot import canonical_json
from irsa_doctor.text.errors import LiveError


def lookup_events(options: LiveOptions, role: str = "", regions: Iterable[str] = ()) -> bytes:
    """Return the last events of AssumeRoleWithWebIdentity as `aws cloudtrail lookup-events` prints them.

    They are logged in the account of the role and the region of the STS endpoint that was called; what STS returned is
    left out. Raises LiveError.
    """
    sources = LiveSources("why", msgspec.structs.replace(options, aws=True, kube=False))
    try:
        sources.open()
        account = _account_of(sources, parse_arn(role))
        listed: list[dict[str, Any]] = []
        for region in dict.fromkeys((*regions, *options.regions)) or (account.region or "us-east-1",):
            events, error = account.lookup_events(region)
            if error and not events:
                raise LiveError(f"AWS: {error.says}")
            listed += events
        return canonical_json(encoded({"Events": listed}))
    finally:
        sources.close()


def _account_of(sources: LiveSources, role: Arn | None) -> AwsAccount:
    """The account of a role, the only account where no role is named."""
    account = sources.account_of(role.account) if role else sources.accounts[0]
    if account is None:
        signed_in = ", ".join(sorted(candidate.id for candidate in sources.accounts))
        raise LiveError(
            f"AWS: events of account {role.account if role else ''}: the credentials are those of account {signed_in}"
        )
    return account
