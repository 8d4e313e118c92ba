import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from irsa_doctor.diagnosis import NoToken, diagnose, read_token, token_links
from irsa_doctor.model import Place, SigningKey
from tests.diagnosis.worlds import case_of

NOW = 1_800_000_000
CLAIMS = {
    "iss": "https://oidc.eks.eu-west-1.amazonaws.com/id/5D2A7C1E9B8F4036A1C4E7D20B93F865",
    "sub": "system:serviceaccount:payments:checkout",
    "aud": ["sts.amazonaws.com"],
    "iat": NOW - 60,
    "nbf": NOW - 60,
    "exp": NOW + 3600,
}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def public(key, kid, algorithm):
    kind = jwt.algorithms.RSAAlgorithm if algorithm.startswith("RS") else jwt.algorithms.ECAlgorithm
    jwk = {k: v for k, v in json.loads(kind.to_jwk(key.public_key())).items() if isinstance(v, str)}
    return SigningKey("", kid, jwk["kty"], algorithm, Place("keys.json"), {**jwk, "kid": kid, "alg": algorithm})


KEYS = (public(RSA, "rsa", "RS256"), public(EC, "ec", "ES256"))


def token(key=RSA, algorithm="RS256", kid="rsa", **claims):
    return jwt.encode(CLAIMS | claims, key, algorithm=algorithm, headers={"kid": kid}).encode()


def links(raw, keys=KEYS, now=NOW):
    return {link.id: link for link in token_links(read_token(raw), keys, now)}


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA, "RS256", "rsa"), (RSA, "RS512", "rsa"), (EC, "ES256", "ec")])
def test_a_token_of_a_key_that_is_there_is_good(key, algorithm, kid):
    keys = tuple(public(key, kid, algorithm) for _ in (1,))
    found = links(token(key, algorithm, kid), keys)
    assert {link.verdict for link in found.values()} == {"pass"}


def test_a_token_of_another_key_is_not():
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert links(token(other))["signature"].verdict == "fail"
    assert links(token(kid="gone"))["signature"].verdict == "fail"


def test_without_keys_nobody_knows():
    assert links(token(), ())["signature"].verdict == "unknown"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_algorithm_that_sts_does_not_take_fails(algorithm):
    key = None if algorithm == "none" else "x" * 64
    raw = jwt.encode(CLAIMS, key, algorithm=algorithm, headers={"kid": "rsa"}).encode()
    assert links(raw)["signature"].verdict == "fail"


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ({}, "pass"),
        ({"exp": NOW - 1}, "fail"),
        ({"exp": NOW}, "fail"),
        ({"nbf": NOW + 100}, "fail"),
        ({"exp": None}, "fail"),
    ],
)
def test_a_token_has_its_time(claims, verdict):
    assert links(token(**claims))["lifetime"].verdict == verdict


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" \n",
        b"/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        b"k8s-aws-v1.aHR0cHM6Ly9zdHM",
        b"a.b",
        b"a.b.c",
        b"." * 30_000,
        b"\xff\xfe\x00",
        base64.urlsafe_b64encode(b"[]") + b"." + base64.urlsafe_b64encode(b"[]") + b".x",
    ],
)
def test_what_is_no_token_is_said_without_showing_it(raw):
    with pytest.raises(NoToken) as caught:
        read_token(raw)
    assert raw.decode(errors="replace").strip() not in str(caught.value) or not raw.strip()


def test_a_token_is_never_shown():
    raw = token()
    assert raw.decode() not in repr(read_token(raw))
    assert raw.decode().rpartition(".")[2] not in repr(read_token(raw))


def test_the_claims_speak_for_the_case():
    raw = read_token(token(aud=["https://kubernetes.default.svc"]))
    found = diagnose(case_of({}, claims=dict(raw.claims)), (), token_links(raw, KEYS, NOW))
    assert next(link.id for link in found.links if link.verdict == "fail") == "audience"
    assert found.predicted_error is not None
    assert found.predicted_error.message == "Incorrect token audience"


def test_the_clock_is_that_of_the_caller():
    assert links(token(exp=int(time.time()) + 500, nbf=int(time.time()) - 5), now=time.time())["lifetime"].verdict == "pass"
