# Long: tokens of every shape, for one reader
import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from irsa_doctor.answers.why import BadToken, WebIdentityToken, read_token
from irsa_doctor.rulebook.causes import shipped_causes
from tests.answers.why import world as w
from tests.answers.why.world import NOW, TARGET, why, world

CLAIMS = {
    "iss": f"https://{w.ISSUER}",
    "sub": w.SUBJECT,
    "aud": ["sts.amazonaws.com"],
    "iat": NOW - 60,
    "nbf": NOW - 60,
    "exp": NOW + 3600,
    "jti": "0b1f2c3d",
    "kubernetes.io": {
        "namespace": "payments",
        "serviceaccount": {"name": "checkout", "uid": "uid-1"},
        "pod": {"name": "checkout-0", "uid": "uid-2"},
    },
}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK_RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is the point
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
EC = {algorithm: ec.generate_private_key(curve) for algorithm, curve in CURVES.items()}


def token(key=RSA, algorithm="RS256", kid="one", **claims):
    headers = {"kid": kid} if kid else {}
    return jwt.encode(CLAIMS | claims, key, algorithm=algorithm, headers=headers).encode()


def jwk(key=RSA, algorithm="RS256", kid="one", **more):
    kind = jwt.algorithms.RSAAlgorithm if algorithm.startswith("RS") else jwt.algorithms.ECAlgorithm
    public = json.loads(kind.to_jwk(key.public_key()))
    public.pop("key_ops", None)  # with it STS does not use the key
    return {**public, "kid": kid, "use": "sig", "alg": algorithm, **more}


def keys(*found):
    return lambda documents: documents.update({"jwks.json": {"keys": list(found) or [jwk()]}})


def asked(raw, *breaks, target=TARGET, now=NOW):
    return why(world(*breaks), target, token=read_token(raw), now=now)


def link(diagnosis, ident):
    return next(link for link in diagnosis.links if link.id == ident)


# ---- the signature


def test_a_token_of_a_key_that_is_there_makes_the_whole_chain_good():
    found = asked(token(), keys())
    assert (found.verdict, found.causes) == ("works", ())
    assert (link(found, "signature").verdict, link(found, "lifetime").verdict) == ("pass", "pass")


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_every_rsa_algorithm_of_sts_is_verified(algorithm):
    found = asked(token(algorithm=algorithm), keys(jwk(algorithm=algorithm)))
    assert link(found, "signature").verdict == "pass"


@pytest.mark.parametrize("algorithm", sorted(EC))
def test_every_curve_of_sts_is_verified(algorithm):
    found = asked(token(EC[algorithm], algorithm), keys(jwk(EC[algorithm], algorithm)))
    assert link(found, "signature").verdict == "pass"


def test_a_key_that_names_no_algorithm_will_do():
    plain = jwk()
    del plain["alg"]
    assert link(asked(token(), keys(plain)), "signature").verdict == "pass"


def test_one_of_several_keys_is_enough():
    found = asked(token(kid="two"), keys(jwk(OTHER_RSA), jwk(kid="two")))
    assert link(found, "signature").verdict == "pass"


def test_a_token_that_another_key_signed_is_not_good():
    found = asked(token(OTHER_RSA), keys())
    assert w.failed(found) == ["signature"]
    assert found.verdict == "broken"
    assert w.causes(found)[0] == ("token-signature-invalid", "certain")
    assert found.predicted_error.message.startswith("The web identity token provided could not be validated.")


@pytest.mark.parametrize("more", [{"use": "enc"}, {"key_ops": ["verify"]}, {"key_ops": []}])
def test_a_key_that_sts_does_not_use_is_the_cause(more):
    found = asked(token(), keys(jwk(**more)))
    assert ("jwks-unusable-keys", "certain") in w.causes(found)
    assert found.verdict == "broken"


def test_a_token_without_key_id_is_signed_with_the_only_key():
    assert asked(token(kid=""), keys(jwk())).verdict == "works"
    assert asked(token(kid=""), keys(jwk(), jwk(OTHER_RSA, kid="two"))).verdict == "broken"


def test_more_than_a_hundred_rsa_keys_are_too_many():
    many = [jwk(kid=str(number)) for number in range(101)]
    assert link(asked(token(), keys(*many[1:], jwk())), "issuer-keys").verdict == "fail"
    assert link(asked(token(), keys(*many[2:], jwk())), "issuer-keys").verdict != "fail"


def test_a_key_that_is_not_published_is_the_cause():
    found = asked(token(kid="gone"), keys())
    assert w.failed(found) == ["signature"]
    assert w.causes(found)[0] == ("jwks-missing-kid", "certain")
    assert found.predicted_error.code == "InvalidIdentityToken"
    assert "Couldn't retrieve verification key" in found.predicted_error.message


@pytest.mark.parametrize("algorithm", ["none", "HS256", "PS256"])
def test_an_algorithm_that_sts_does_not_take_is_the_cause(algorithm):
    key = None if algorithm == "none" else "x" * 64 if algorithm == "HS256" else RSA
    found = asked(token(key, algorithm), keys())
    assert w.failed(found) == ["signature"]
    assert w.causes(found)[0] == ("alg-unsupported", "certain")


def test_a_key_in_the_token_itself_is_not_believed():
    headers = {"kid": "gone", "jwk": jwk(OTHER_RSA), "jku": "https://example.com/keys"}
    raw = jwt.encode(CLAIMS, OTHER_RSA, algorithm="RS256", headers=headers).encode()
    assert link(asked(raw, keys()), "signature").verdict == "fail"


def test_without_keys_nobody_knows_and_the_command_is_named():
    found = asked(token())
    assert found.verdict == "unknown"
    assert link(found, "signature").verdict == "unknown"
    assert w.ISSUER in link(found, "signature").settle


@pytest.mark.filterwarnings("ignore")  # newer PyJWT warns of the key; which warning it is depends on its version
def test_a_weak_key_is_a_key_all_the_same():
    assert link(asked(token(WEAK_RSA), keys(jwk(WEAK_RSA))), "signature").verdict == "pass"


def test_a_monstrous_key_is_not_used():
    found = asked(token(), keys(jwk(n="A" * 1_000_000)))
    assert link(found, "signature").verdict == "unknown"


def test_a_broken_key_is_not_taken_for_a_broken_token():
    assert link(asked(token(), keys(jwk(n="AQAB", e="!"))), "signature").verdict == "unknown"


_NOT_YET = f"Token not yet valid: current date/time {NOW + 300} must be after or equal to the not-before date/time {NOW + 400}"


# ---- its time


@pytest.mark.parametrize(
    ("claims", "verdict", "cause"),
    [
        ({}, "pass", None),
        # STS has a tolerance of 300 seconds on both ends, and nobody knows that of iat
        ({"exp": NOW - 23}, "pass", None),
        ({"exp": NOW - 299}, "pass", None),
        ({"exp": NOW - 300}, "fail", "token-stale-cached"),
        ({"exp": str(NOW + 60), "iat": str(NOW), "nbf": str(NOW)}, "pass", None),
        ({"nbf": NOW + 300}, "pass", None),
        ({"nbf": NOW + 301}, "fail", "clock-skew"),
        ({"iat": NOW + 276}, "pass", None),
        ({"iat": NOW + 1800}, "unknown", "clock-skew"),
        ({"iat": NOW + 3600}, "fail", "clock-skew"),
        ({"exp": None}, "fail", "token-timestamp-invalid"),
        ({"exp": "soon"}, "fail", "token-timestamp-invalid"),
        ({"exp": True}, "fail", "token-timestamp-invalid"),
        ({"iat": NOW + 0.5}, "fail", "token-timestamp-invalid"),
        ({"nbf": None}, "fail", "token-timestamp-invalid"),
    ],
)
def test_a_token_has_its_time(claims, verdict, cause):
    raw = b".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=")
        for part in (b'{"alg":"RS256","kid":"one"}', json.dumps(CLAIMS | claims).encode(), b"signature")
    )
    found = asked(raw)
    assert link(found, "lifetime").verdict == verdict
    assert cause is None or cause in {c.id for c in found.causes if c.link == "lifetime"}


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        (
            {"exp": NOW - 400},
            f"Token expired: current date/time {NOW - 300} must be before the expiration date/time {NOW - 400}",
        ),
        ({"iat": NOW + 4000}, f"Token issued in the future: {NOW + 4000}"),
        (
            {"nbf": NOW + 400},
            _NOT_YET,
        ),
        ({"iat": NOW - 0.5}, "Invalid timestamp in token claims."),
    ],
)
def test_a_token_of_another_time_gets_the_very_answer_of_sts(claims, message):
    found = asked(token(**claims), keys())
    assert w.failed(found) == ["lifetime"]
    code = "ExpiredTokenException" if "expired" in message else "InvalidIdentityToken"
    assert (found.predicted_error.code, found.predicted_error.message) == (code, message)


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "iat", "exp"])
def test_a_claim_that_sts_requires_is_missed_by_name(claim):
    claims = {name: value for name, value in CLAIMS.items() if name != claim}
    found = asked(jwt.encode(claims, RSA, algorithm="RS256", headers={"kid": "one"}).encode(), keys())
    assert ("token-claim-missing", "certain") in w.causes(found)
    assert found.predicted_error.message == f"Missing a required claim: {claim}" or claim == "iss"


def test_the_end_of_a_token_is_said_with_the_tolerance_and_whatever_becomes_of_its_pod():
    end = link(asked(token(exp=1_800_000_000, iat=1_799_998_000, nbf=1_799_998_000), keys(), now=1_799_999_000), "lifetime")
    assert end.because.endswith("STS takes it until 2027-01-15T08:05:00Z, also after its pod is deleted")


@pytest.mark.parametrize(("longest", "says"), [(3600, "60 minutes"), (43_200, "12 hours")])
def test_the_longest_session_that_a_token_buys_is_that_of_the_role(longest, says):
    found = asked(token(), keys(), lambda world: w.role(world).update(MaxSessionDuration=longest))
    assert link(found, "lifetime").because.endswith(f"a session that it buys can last {says}")


def test_what_fails_goes_before_what_may():
    found = asked(
        token(exp=NOW - 400, aud=["https://kubernetes.default.svc"]), keys(), lambda world: world.pop("provider.json")
    )
    assert [cause for cause, certainty in w.causes(found) if certainty == "likely"] == [
        "token-stale-cached",
        "token-wrong-file",
    ]


def test_the_clock_is_that_of_the_caller():
    now = time.time()
    found = asked(token(exp=int(now) + 500, nbf=int(now) - 5, iat=int(now) - 5), keys(), now=now)
    assert link(found, "lifetime").verdict == "pass"


# ---- whose it is, and for whom


def test_a_token_says_whom_it_is_about():
    found = asked(token(), keys(), target="")
    assert (found.subject.cluster, found.subject.namespace, found.subject.service_account) == ("prod", "payments", "checkout")
    assert found.verdict == "works"


def test_a_token_of_somebody_else_is_told_from_that_of_the_target():
    found = asked(token(sub="system:serviceaccount:payments:default"), keys())
    assert ("pod-wrong-sa", "certain") in w.causes(found)
    assert "workload" in w.failed(found)


def test_a_token_of_another_cluster_is_told():
    found = asked(token(iss=f"https://{w.ELSEWHERE}"))
    assert w.causes(found)[0] == ("token-from-other-cluster", "certain")
    assert w.failed(found)[0] == "issuer"


def test_a_legacy_token_is_told():
    legacy = {"iss": "kubernetes/serviceaccount", "aud": None, "exp": None, "iat": None, "nbf": None}
    found = asked(token(**legacy))
    assert w.causes(found)[0] == ("token-legacy-secret", "certain")
    assert found.predicted_error.code == "InvalidIdentityToken"


@pytest.mark.parametrize(
    ("audience", "cause"),
    [
        (["https://kubernetes.default.svc"], "token-wrong-file"),
        (["https://kubernetes.default.svc.cluster.local"], "token-wrong-file"),
        (["pods.eks.amazonaws.com"], "podid-aud-token-to-sts"),
        (["vault"], "aud-not-in-clientids"),
        ("vault", "aud-not-in-clientids"),
    ],
)
def test_a_token_for_somebody_else_is_told_by_its_audience(audience, cause):
    found = asked(token(aud=audience), keys())
    assert w.failed(found)[0] == "audience"
    assert w.causes(found)[0] == (cause, "certain")
    assert found.predicted_error.message.startswith("The web identity token provided could not be validated.")
    assert found.predicted_error.older_message == "Incorrect token audience"


@pytest.mark.parametrize("audience", [[], "", None])
def test_a_token_without_audience_lacks_a_claim(audience):
    found = asked(token(aud=audience), keys())
    assert w.causes(found)[0] == ("token-claim-missing", "certain")
    empty = "Claim is not allowed to be empty: aud"
    assert found.predicted_error.message == (empty if audience == [] else "Missing a required claim: aud")


def test_a_token_for_the_api_server_that_the_provider_lists_is_no_wrong_file():
    def listed(documents):
        documents["provider.json"]["ClientIDList"].append("https://kubernetes.default.svc")

    found = asked(token(aud=["https://kubernetes.default.svc"]), keys(), listed)
    assert link(found, "audience").verdict == "pass"


@pytest.mark.parametrize("audiences", [["sts.amazonaws.com", "vault"], ["vault", "sts.amazonaws.com"], ["vault", "other"]])
def test_several_audiences_are_refused_without_the_party_that_is_meant(audiences):
    found = asked(token(aud=audiences), keys())
    assert w.failed(found)[0] == "audience"
    assert w.causes(found)[0] == ("token-aud-multiple", "certain")
    assert found.predicted_error.message.startswith("Token audience contains more than one audience")


def test_the_party_that_is_meant_takes_the_place_of_the_audiences():
    assert asked(token(aud=["vault", "other"], azp="sts.amazonaws.com"), keys()).verdict == "works"
    found = asked(token(aud=["sts.amazonaws.com", "other"], azp="vault"), keys())
    assert w.causes(found)[0] == ("aud-not-in-clientids", "certain")


def test_a_text_in_place_of_a_list_is_an_audience():
    assert asked(token(aud="sts.amazonaws.com"), keys()).verdict == "works"


def test_the_claims_are_shown_without_ids_and_the_token_never_is():
    raw = token()
    found = asked(raw, keys())
    assert found.claims["sub"] == w.SUBJECT
    assert found.claims["header"] == {"alg": "RS256", "kid": "one"}
    assert found.claims["kubernetes.io"]["pod"] == "checkout-0"
    assert "uid-1" not in repr(found)
    assert "jti" not in found.claims
    for part in raw.decode().split("."):
        assert part not in repr(found)
        assert part not in repr(read_token(raw))


# ---- what is no token


@pytest.mark.parametrize(
    ("raw", "cause", "says"),
    [
        (b"", "token-malformed", "empty"),
        (b" \n", "token-malformed", "empty"),
        (b"/var/run/secrets/eks.amazonaws.com/serviceaccount/token", "token-env-holds-path-as-token", "path"),
        (b"file:///var/run/secrets/eks.amazonaws.com/serviceaccount/token\n", "token-env-holds-path-as-token", "path"),
        (b"C:\\var\\run\\secrets\\token", "token-env-holds-path-as-token", "path"),
        (b"k8s-aws-v1.aHR0cHM6Ly9zdHM", "token-malformed", "eks get-token"),
        (b"a.b", "token-malformed", "three parts"),
        (b"a.b.c", "token-malformed", "base64"),
        (b"." * 30_000, "token-malformed", "30000"),
        (b"\xff\xfe\x00", "token-malformed", "parts"),
        (base64.urlsafe_b64encode(b"[]") + b"." + base64.urlsafe_b64encode(b"[]") + b".x", "token-malformed", "base64"),
        (base64.urlsafe_b64encode(b"[" * 9_000) + b"." + base64.urlsafe_b64encode(b"{}") + b".x", "token-malformed", "base64"),
        (token() + b" 11:11:49.782386 40364 v3.go:79] EOF", "token-malformed", "blanks"),
        (b"Bearer " + token(), "token-malformed", "blanks"),
        (b"{not json", "token-malformed", "blanks"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_token_is_the_cause_and_is_not_shown(raw, cause, says):
    bad = read_token(raw)
    assert isinstance(bad, BadToken)
    assert [known.id for known in shipped_causes().by_sign[bad.sign] if known.signs[bad.sign] == "certain"] == [cause]
    assert says in bad.says
    found = asked(raw)
    assert w.failed(found) == ["request"]
    assert w.causes(found)[0] == (cause, "certain")
    text = raw.decode(errors="replace").strip()
    assert not text or text not in repr(found)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_line_end_that_tools_add_is_let_pass(end):
    assert isinstance(read_token(token() + end), WebIdentityToken)


def test_the_answer_of_kubectl_holds_a_token():
    answer = {"kind": "TokenRequest", "status": {"token": token().decode(), "expirationTimestamp": "x"}}
    assert read_token(json.dumps(answer).encode()) == read_token(token())


def test_a_bad_token_alone_is_told_without_a_target():
    found = asked(b"/var/run/secrets/token", target="")
    assert found.verdict == "broken"
    assert w.failed(found) == ["request"]


@pytest.mark.parametrize(
    "claims", [{"sub": 5}, {"sub": "a:b"}, {"iss": []}, {"kubernetes.io": "x"}, {"aud": {"a": 1}}, {"exp": 1e300}]
)
def test_odd_claims_are_no_trouble(claims):
    raw = b".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=")
        for part in (b'{"alg":5,"kid":[]}', json.dumps(CLAIMS | claims).encode(), b"signature")
    )
    assert asked(raw).verdict == "broken"


@pytest.mark.parametrize("part", [b'{"k\x8d": 1}', b'{"k": "\xff"}', b"\xff", b"{" * 100_000, b"[1e400]"])
@pytest.mark.parametrize("number", [0, 1])
def test_parts_that_are_no_json_objects_are_no_token(part, number):
    parts = [base64.urlsafe_b64encode(b"{}").decode()] * 3
    parts[number] = base64.urlsafe_b64encode(part).decode().rstrip("=")
    assert isinstance(read_token(".".join(parts).encode()), BadToken)


# ---- a token that has leaked


def test_what_a_leaked_token_buys_and_until_when():
    longer = lambda world: w.role(world).update(MaxSessionDuration=43_200)  # noqa: E731 - one line
    leak = asked(token(exp=1_800_000_000, iat=1_799_998_000, nbf=1_799_998_000), keys(), longer, now=1_799_999_000).leak
    assert leak.taken_until == "2027-01-15T08:05:00Z"
    assert leak.sessions_until == "2027-01-15T20:05:00Z"
    assert leak.bound_to == "checkout-0"
    assert [(role.role, role.certain, role.longest_session) for role in leak.roles] == [(w.ROLE, True, 43_200)]


def test_new_sessions_are_stopped_before_old_ones_are_ended():
    steps = asked(token(), keys()).leak.steps
    assert '"Effect": "Deny"' in steps[0]
    assert w.SUBJECT in steps[0]
    assert "put-role-policy" in steps[1]
    assert "aws:TokenIssueTime" in steps[1]
    assert steps[2].startswith("Keep the trust policies closed to the subject until ")


def test_a_role_that_the_input_does_not_limit_may_give_twelve_hours():
    leak = asked(token(exp=1_800_000_000, iat=1_799_998_000, nbf=1_799_998_000), keys(), now=1_799_999_000).leak
    assert [role.longest_session for role in leak.roles] == [0]
    assert leak.sessions_until == "2027-01-15T20:05:00Z"


def test_a_token_that_no_role_admits_buys_nothing_of_the_input():
    leak = asked(token(sub="system:serviceaccount:payments:other"), keys()).leak
    assert leak.roles == leak.steps == ()


def test_a_token_of_the_past_is_taken_no_longer():
    assert asked(token(exp=NOW - 301), keys()).leak.ended
    assert not asked(token(exp=NOW - 299), keys()).leak.ended


def test_without_a_token_nothing_is_said_of_a_leak():
    assert why(world(), TARGET).leak is None


def test_the_steps_are_shown_in_their_order():
    from irsa_doctor.reports.style import Style
    from irsa_doctor.reports.why import render_why_text

    text = render_why_text(asked(token(), keys()), Style())
    assert "If this token has leaked" in text
    assert text.index("1. Stop new sessions") < text.index("2. Then end the sessions")
    assert "irsa-doctor explain leaked-token" in text
