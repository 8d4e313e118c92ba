"""A census of issuers by others, where it is installed: each of theirs is known here, and belongs to as many tenants.

https://pypi.org/project/cloudarq-issuers/
"""

import re

import pytest

from irsa_doctor.issuers import profile_of

DIFFERENCES = {
    "issuer.enforce.dev": "no page of this vendor about AWS was read: it is an unknown issuer, which is never silent",
}
FILLED = ("acme1", "2a3b4c5d-1111-2222-3333-444455556666")
"""what stands for a tenant, the first that the census takes"""


def matched(census, entry):
    """An issuer (without scheme) of an entry with a tenant filled in, and the tenant that the census reads; None for hosts that
    name no vendor, and for what it has not verified."""
    for text in FILLED:
        url = re.sub("<[^>]+>", text, entry.get("issuer") or "")
        if url and (match := census.match(url)):
            return url.removeprefix("https://"), match[1]
    return None


def test_every_issuer_of_the_census_is_known_with_the_same_tenancy():
    census = pytest.importorskip("cloudarq_issuers")
    differing = {}
    for entry in census.issuers():
        if (read := matched(census, entry)) is None:
            continue
        issuer, tenant = read
        own = profile_of(issuer)
        if own is None or own.own is not bool(tenant):
            differing[issuer] = own and own.id
    assert differing.keys() == DIFFERENCES.keys()
