"""What trust policies have in common that differ in their service accounts and in the cluster of EKS that they name."""

import msgspec

from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.roles.policy_shape import PolicyShape
from irsa_doctor.issuers import EKS, profile_of
from irsa_doctor.model import Unknown, issuer_of_provider
from irsa_doctor.model.regex import regex

_PROVIDER = regex(rb'"(arn:[a-z0-9-]+:iam::[0-9]{12}:oidc-provider/[a-z0-9.-]+/id/([0-9A-F]{32}))"')
_MARK = b"\1"
_HEX = bytes(b"0"[0] if chr(code) in "0123456789abcdefABCDEF" else code for code in range(256))
"""a table that makes all hexadecimal digits one"""
_LIKE_ID = b"0" * 20
"""what a mistyped id of a cluster has in it, by that table"""


class OfIssuer(msgspec.Struct, frozen=True):
    """All that the analysis of a role reads of the cluster that its policy names, beside the text of the policy, whether
    single service accounts exist, and what messages call the cluster.

    The provider is one of the role's account, and the issuer one of EKS by its name and nothing else by the settings: none else
    has an outline.
    """

    provider_exists: bool | Unknown
    audiences: frozenset[str]
    several: bool
    """whether its provider takes more than one audience"""
    listed: bool
    """whether all of its service accounts were given"""


class ClusterOutline(msgspec.Struct, frozen=True):
    """The shape of a policy without the id of its cluster, and what is known of that cluster."""

    pieces: tuple[bytes, ...]
    shape: tuple[tuple[int, ...], str, bool, str]
    """the rest of the shape"""
    issuer: OfIssuer


class ClusterOutlines:
    """The outlines of shapes of one inventory."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._of_issuer: dict[tuple[bytes, str], OfIssuer | None] = {}

    def of(self, shape: PolicyShape) -> tuple[ClusterOutline, str] | None:
        """Returns the outline of a shape and the id of its cluster; None where the policy speaks of none or of several, or of
        one in another way than as the end of the path of its issuer."""
        text = b"\0".join(shape.pieces)
        providers = set(_PROVIDER.findall(text))
        if len(providers) != 1 or not shape.account:
            return None
        ((provider, ident),) = providers
        known = self._known(provider, shape.account) if _is_alone(text, provider, ident) else None
        if known is None:
            return None
        pieces = tuple([piece.replace(ident, _MARK) for piece in shape.pieces])
        return ClusterOutline(pieces, (shape.order, shape.account, shape.named, shape.written), known), ident.decode()

    def _known(self, provider: bytes, account: str) -> OfIssuer | None:
        key = (provider, account)
        if key not in self._of_issuer:
            self._of_issuer[key] = _of_issuer(provider.decode(), account, self._lookups)
        return self._of_issuer[key]


def _is_alone(text: bytes, provider: bytes, ident: bytes) -> bool:
    """Whether a policy, which has no escapes, speaks of one provider and one cluster alone, whose id has letters, and stands
    where ids do."""
    if ident == ident.lower() or text.count(b"oidc-provider/") != text.count(provider):
        return False
    rest = text.replace(b"/id/" + ident, b"")
    return b"/id/" not in rest and _LIKE_ID not in rest.translate(_HEX)


def _of_issuer(provider: str, account: str, lookups: Lookups) -> OfIssuer | None:
    issuer = issuer_of_provider(provider)
    if profile_of(issuer) is not EKS or issuer in lookups.issuers:
        return None
    if lookups.principals.form(provider, account) != "provider":
        return None
    audiences = lookups.audiences_of(issuer)
    if any(_id_of(issuer) in audience.lower() for audience in audiences):
        return None
    return OfIssuer(
        provider_exists=lookups.principals.exists(provider, account),
        audiences=audiences,
        several=lookups.takes_several_audiences(provider),
        listed=issuer in lookups.accounts.listed_whole,
    )


def _id_of(issuer: str) -> str:
    return issuer.rpartition("/")[2].lower()
