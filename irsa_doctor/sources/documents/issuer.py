"""Reads what a token issuer publishes: its discovery document and its keys."""

from collections.abc import Mapping

from irsa_doctor.model import Cluster, Discovery, Issuer, Place, SigningKey
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes

# what EKS lists; Kubernetes itself lists no claims. Issuers other than clusters (GitHub, GitLab) list many more.
_CLUSTER_CLAIMS = frozenset(["sub", "iss"])


def read_discovery(page: Page, reading: DocumentReading) -> None:
    """`/.well-known/openid-configuration` (https://openid.net/specs/openid-connect-discovery-1_0.html)."""
    members, place = shapes.mapping(page.value, page.place), page.place
    issuer = Issuer.of(shapes.required(members, "issuer", place)).name
    discovery = Discovery(
        "",
        issuer,
        shapes.text(members, "jwks_uri", place),
        shapes.texts(members, "response_types_supported", place),
        shapes.texts(members, "subject_types_supported", place),
        tuple(map(_filled, shapes.texts(members, "id_token_signing_alg_values_supported", place))),
        place,
    )
    reading.discoveries.append(discovery)
    if set(shapes.texts(members, "claims_supported", place)) <= _CLUSTER_CLAIMS:
        reading.clusters.append(Cluster(issuer, "", issuer, place))


_PUBLIC = ("kty", "kid", "alg", "n", "e", "crv", "x", "y")


def read_keys(page: Page, reading: DocumentReading) -> None:
    """A JSON Web Key Set (RFC 7517), public parts only."""
    members = shapes.mapping(page.value, page.place)
    keys = shapes.many(members, "keys", page.place)
    reading.empty = reading.empty or not keys
    reading.each(keys, page.place.at("keys"), lambda item, place: _read_key(item, place, reading))


def _read_key(item: object, place: Place, reading: DocumentReading) -> None:
    members = shapes.mapping(item, place)
    kid, alg = shapes.text(members, "kid", place), _filled(shapes.text(members, "alg", place))
    public = {name: value for name in _PUBLIC if isinstance(value := members.get(name), str)}
    kty = _filled(shapes.required(members, "kty", place))
    reading.signing_keys.append(SigningKey("", kid, kty, alg, place, public, _unusable(members, public)))


def _filled(algorithm: str) -> str:
    """An algorithm or a kind of keys, "" for the placeholder of one, in a template of what an issuer will publish."""
    return algorithm if isinstance(with_holes(algorithm), str) else ""


def _unusable(members: Mapping[str, object], public: Mapping[str, str]) -> str:
    """The member for which STS does not use a key, "" where it does.

    Recorded in September 2026: radkawar/stackd at 9dc356f5, internal/services/sts/testdata/oidc/aws-keys.json.
    """
    if members.get("use") == "enc":
        return "use: enc"
    if "key_ops" in members:
        return "key_ops"
    return "x5c without n and e" if "x5c" in members and "n" not in public and "x" not in public else ""
