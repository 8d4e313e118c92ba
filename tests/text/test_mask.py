"""What looks like a token, a key or a password is masked, in whatever surrounds it; names and digests are not."""

import string
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.text import mask
from irsa_doctor.text.mask import _CASED, _NAMED, _SIGNS, _may_name_secret, masked, needs_no_mask
from tests.trust.drawing import examples

MIXED = "q7Wb2Kx9Lm4Tz8Rv1Yc5Nd3Hf6Gs0Pj"
SECRETS = {
    "token": ("eyJ" + "hbGciOiJSUzI1NiJ9" + ".eyJ" + "zdWIiOiJhIn0." + MIXED, MIXED),
    "encrypted token": ("eyJ" + "hbGciOiJSU0EifQ." + ".".join([MIXED] * 4), MIXED),
    "token of aws eks get-token": ("k8s-aws-" + "v1." + MIXED, MIXED),
    "access key id": ("AK" + "IA" + "QRSTUVWX23456789", "QRSTUVWX"),
    "session key id": ("AS" + "IA" + "QRSTUVWX23456789", "QRSTUVWX"),
    "secret access key": ((MIXED + "/a+B9cD8e")[:40], MIXED[:30]),
    "session token": ("IQoJb3" + (MIXED + "/+") * 5 + "==", MIXED),
    "bearer": ("Bearer " + MIXED, MIXED),
    "basic": ("Authorization: Basic " + "dXNlcjpwYXNz", "dXNlcjpw"),
    "GitHub": ("gh" + "p_" + MIXED + "abcd", MIXED),
    "GitHub, fine": ("github" + "_pat_" + MIXED, MIXED),
    "GitLab": ("gl" + "pat-" + MIXED[:20], MIXED[:20]),
    "Slack": ("xo" + "xb-12345678-" + MIXED[:24], MIXED[:24]),
    "npm": ("np" + "m_" + MIXED + "abcd", MIXED),
    "PyPI": ("py" + "pi-AgE" + MIXED, MIXED),
    "Stripe": ("sk" + "_live_" + MIXED[:24], MIXED[:24]),
    "Vault": ("hv" + "s." + MIXED, MIXED),
    "Google": ("AI" + "za" + MIXED + "abc", MIXED),
    "Azure, secret of a client": ("abc8" + "Q~" + MIXED + "ab.", MIXED),
    "Azure, key of a storage account": ("AccountKey=" + MIXED + "/+" + MIXED + "==", MIXED),
    "Google, secret of a client": ("GOC" + "SPX-" + MIXED, MIXED),
    "Google, refresh token": ("1/" + "/0" + MIXED, MIXED),
    "Docker": ("dckr" + "_pat_" + MIXED, MIXED),
    "HCP Terraform": ("aB3dE5gH7jK9mN" + ".atlas" + "v1." + MIXED, MIXED),
    "Buildkite": ("bk" + "ua_" + MIXED, MIXED),
    "CircleCI": ("CC" + "IPAT_" + MIXED, MIXED),
    "Atlassian": ("AT" + "ATT3xFf" + MIXED + MIXED, MIXED),
    "Databricks": ("da" + "pi" + "0123456789abcdef" * 2, "0123456789abcdef"),
    "DigitalOcean": ("do" + "p_v1_" + "0123456789abcdef" * 4, "0123456789abcdef"),
    "Doppler": ("dp" + ".pt." + MIXED, MIXED),
    "Grafana": ("gl" + "sa_" + MIXED, MIXED),
    "Pulumi": ("pu" + "l-" + "0123456789" * 4, "0123456789"),
    "SendGrid": ("S" + "G." + MIXED[:22] + "." + MIXED, MIXED),
    "Shopify": ("shp" + "at_" + "0123456789abcdef" * 2, "0123456789abcdef"),
    "Tailscale": ("ts" + "key-auth-" + MIXED, MIXED),
    "Slack, webhook": ("https://hooks.slack" + ".com/services/T0/B0/" + MIXED, MIXED),
    "Sentry": ("sntry" + "s_" + MIXED, MIXED),
    "bootstrap token": ("token: " + "abc123.0123456789abcdef", "0123456789abcdef"),
    "bootstrap token of letters": ("kubeadm join --token " + "abcdef.qwertyuiopasdfgh", "qwertyuiopasdfgh"),
    "bootstrap token of letters in a manifest": ("bootstrap-token: " + "abcdef.qwertyuiopasdfgh", "qwertyuiopasdfgh"),
    "bootstrap token of letters in JSON": ('{"token": "' + 'abcdef.qwertyuiopasdfgh"}', "qwertyuiopasdfgh"),
    "bootstrap token without a name": ("kubeadm join --discovery-token " + "abcdef.0123456789abcdef", "0123456789abcdef"),
    "Azure DevOps": ("a2b3c4d5e6f7g2h3i4j5k6l7m2n3" + "o4p5q6r7s2t3u4v5w6x7y2z3", "k6l7m2n3"),
    "PagerDuty": ("u" + "+" + MIXED[:18], MIXED[:18]),
    "PagerDuty, of an integration": ("routing_key: " + "0123456789abcdef" * 2, "0123456789abcdef"),
    "cookies": ("Cookie: theme=dark; app=" + "Zm9vYmFyYmF6", "Zm9vYmFyYmF6"),
    "cookie in a header of an answer": ("Set-Cookie: JSESSIONID=" + "0123ABCDEF45678; Path=/; HttpOnly", "0123ABCDEF45678"),
    "cookie in a list": ("cookie=[app=" + "Zm9vYmFyYmF6; theme=dark]", "Zm9vYmFyYmF6"),
    "cookie of a session": ("PHPSESSID=" + "abcdef0123456789", "abcdef0123456789"),
    "cookie of a session, of ASP.NET": ("ASP.NET_SessionId=" + "abcdef0123456789", "abcdef0123456789"),
    "cookie of a session, of Rails": ("_shop_session=" + MIXED, MIXED),
    "cookie of a session, of CodeIgniter": ("ci_session=" + "a1b2c3d4" * 4, "a1b2c3d4"),
    "cookies in quotes": ("Cookie: theme=dark; app=" + '"Zm9vYmFyYmF6"; lang=en', "Zm9vYmFyYmF6"),
    "cookies in escaped quotes": ("cookie: app=" + '\\"Zm9vYmFyYmF6\\"', "Zm9vYmFyYmF6"),
    "cookies as an object": ('"cookie": {"sid": "' + 'Zm9vYmFyYmF6", "path": "/"}', "Zm9vYmFyYmF6"),
    "cookies as an escaped object": ('\\"cookies\\":{\\"sid\\":\\"' + 'Zm9vYmFyYmF6\\"}', "Zm9vYmFyYmF6"),
    "cookies in an escaped text": ('"{\\"cookie\\": \\"app=' + 'Zm9vYmFyYmF6\\"}"', "Zm9vYmFyYmF6"),
    "cookies of names without quotes": ("cookies: {sid: '" + "Zm9vYmFyYmF6', path: '/cart'}", "Zm9vYmFyYmF6"),
    "cookies as an object of Python": ("cookies={'sid': '" + "Zm9vYmFyYmF6'}", "Zm9vYmFyYmF6"),
    "PagerDuty, of a service": ("serviceKey: " + "0123456789abcdef" * 2, "0123456789abcdef"),
    "token of parts": ("auth_token=" + "gamkhfvjxg.2ul9gxgemnux.fbheabhfdf", "2ul9gxgemnux"),
    "token behind the word for a role": ("role/gl" + "pat-" + MIXED[:20], MIXED[:20]),
    "token of a run": ("ACTIONS_ID_TOKEN_REQUEST_TOKEN=" + MIXED, MIXED),
    "private key": ("-----BEGIN " + "PRIVATE KEY-----\n" + MIXED + "\n-----END PRIVATE KEY-----", MIXED),
    "password in a URL": ("postgres://app:" + "hunter22" + "@db.example.com/x", "hunter22"),
    "password": ("DB_PASSWORD=" + "correct-horse", "correct-horse"),
    "quoted password": ("'db_password': '" + "correct-horse" + "'", "correct-horse"),
    "variable": ('{"name": "API_TOKEN", "value": "' + "correct-horse" + '"}', "correct-horse"),
    "signature": ("https://x.example/a?X=1&sig=" + "Zm9vYmFyYmF6", "Zm9vYmFyYmF6"),
}
PLAIN = [
    "arn:aws:iam::111122223333:role/MyTeam/ProductionWorkloads/ExternalSecretsOperator2Role",
    "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64",
    "oidc.eks.us-east-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64:sub",
    "oidc.eks.us-east-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64/:sub",
    "https://oidc.eks.us-east-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64/keys/0123456789abcdef0123",
    "arn:aws:iam::111122223333:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/id/8C41D5E09A7B4F2368D1A0F5C93E7B64/",
    "arn:aws:iam::111122223333:role/AmazonEKSClusterAutoscalerRole2024ProdEuWest1B",
    "arn:aws:sts::111122223333:assumed-role/aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV/botocore-session-1675698641",
    "/Resources/AWSLoadBalancerControllerRole2A1B/Properties/AssumeRolePolicyDocument/Statement/0/Condition/StringEquals/oidc.eks",
    "AmazonEKSClusterAutoscalerRoleProductionEuWest1",
    "system:serviceaccount:external-secrets:external-secrets",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "9e99a48a9960b14926bb7f3b02e22da2b0ab7280",
    "the token: the audience is sts.amazonaws.com",
    "AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
    "secretName: payments-tls",
    "external-secrets: external-secrets",
    "basic checks of bearer tokens",
    "the issuer of the token: oidc.eks.us-east-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64",
    "bound-token: system:serviceaccount:payments:api2",
    "repo:acme/dapi-shop:ref:refs/heads/bk-1",
    "https://sts.amazonaws.com:443/path@v2",
    "token: sts.eu-west-1.amazonaws.com",
    "id_token: sts.cn-north-1.amazonaws.com.cn",
    "Mountable secrets:   my-serviceaccount-token-9g9v4",
    "arn:aws:iam::111122223333:role/PM" + "AK-0123456789abcdef0123456789",
    "arn:aws:sts::111122223333:assumed-role/team/PM" + "AK-0123456789abcdef0123456789/session",
    "role/PM" + "AK-0123456789abcdef0123456789",
    "values.production2024x",
    "worker.deploymentmanage",
    "the token worker.deploymentmanage",
    "--token-audience worker.deploymentmanage",
    "lambda.productionclust2",
    "routing_key: orders.created",
    "Set-Cookie: Path=/; SameSite=Lax; Max-Age=86400",
    'cookie: {"name": "theme", "path": "/cart", "sameSite": "strict"}',
    'cookie: {name: "theme", path: "/cart", sameSite: "strict"}',
    "cluster_session=prod-eu-west-1-main",
    "cluster_session=2026-11-28T12:00",
    "Warning  FailedMount  webapp.17a8b9c0d1e2f3a4",
    "events.events.k8s.io 'worker.18ec02d4a1b3c5d7' not found",
]


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("around", ["{}", "x {} y", "'{}'", '"{}"', "a\n{}\nb", "<b>{}</b>", "({}),"])
def test_a_secret_is_masked_in_whatever_surrounds_it(kind, around):
    text, core = SECRETS[kind]
    shown = masked(around.format(text))
    assert core not in shown
    assert "***" in shown


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_secret_stays(text):
    assert masked(text) == text


def test_a_text_that_is_nothing_but_a_secret_keeps_a_range_of_its_length():
    text, _ = SECRETS["token"]
    assert masked(text) == "***(64 to 255 characters)"


@examples(300)
@given(st.text(alphabet=string.ascii_letters + string.digits + " :/.-_=\"'{},\n", max_size=80))
def test_what_is_masked_is_not_masked_again(text):
    once = masked(text)
    assert masked(once) == once


PIECES = [
    *("password", "PASSWD", "pwd", "secret", "secretName", "token", "token_file", "id-token", "api_key", "apikey", "sig"),
    *("Authorization", "private_key", "client-key-data", "x", "key", "=", ":", " ", '"', "abcd1234", "\n", "-", "_", "."),
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_name_of_a_secret_is_overlooked_for_want_of_its_words(text):
    found = _NAMED.search(text)
    assert not found or _may_name_secret(text.casefold())


def test_what_a_text_is_searched_for_first_stands_in_every_sign_of_its_group():
    groups = [(first, sign) for first, signs in (*_CASED, *_SIGNS) for sign in signs]
    assert [(first, sign) for first, sign in groups if first not in sign] == [(":/", "@")]


FRAGMENTS = [
    *PIECES,
    *(text for text, _ in SECRETS.values()),
    *(text[: len(text) // 2] for text, _ in SECRETS.values()),
    *(
        "basic ",
        "Bearer ",
        "value",
        "name",
        ",",
        "'",
        "@",
        "://",
        "arn:aws:iam::1:role/x",
        "K",
        "\u017f",
        "\u0131",
        "é",
        "\udc80",
    ),
]
drawn = st.lists(st.sampled_from(FRAGMENTS), max_size=10).map("".join)


def in_full(text: str) -> str:
    """What `masked` says where every expression is tried on every text that has a sign."""
    low = text.lower()
    signs = [sign in text for _, group in _CASED for sign in group] + [sign in low for _, group in _SIGNS for sign in group]
    shown = text
    if any(signs) or mask._has_sign(text):
        shown = mask._WHOLE.sub(mask._unless_name, text)
        shown = mask._AUTHORIZATION.sub(mask._behind, mask._IN_URL.sub(mask._behind, shown))
        if ":" in shown or "=" in shown:
            shown = mask._without_cookies(shown, "cookie sess")
            shown = mask._KEY_OF_32.sub(mask._behind, shown)
            shown = _NAMED.sub(mask._behind_name, mask._PAIR.sub(mask._behind, shown))
        shown = mask._OF_TOKEN.sub(mask._behind_name, shown)
    return mask._BLOB.sub(mask._unless_plain, shown)


@examples(500)
@given(drawn)
def test_the_quick_way_masks_what_all_expressions_mask(text):
    assert masked(f"x {text}\nplain line") == in_full(f"x {text}\nplain line")


@examples(500)
@given(drawn, st.data())
def test_nothing_is_masked_in_any_part_of_a_plain_text(text, data):
    if needs_no_mask(text):
        line = data.draw(st.sampled_from(text.split("\n")))
        start = data.draw(st.integers(0, len(line)))
        assert in_full(text) == text
        assert masked(line[start:]) == line[start:] or "-----" in line


def test_words_that_follow_each_other_behind_token_take_no_long_time():
    text = "token=abcdef.abcdefghijklmnop" * 20_000
    began = monotonic()
    assert masked(text)
    assert monotonic() - began < 5


def test_a_permission_of_a_workflow_is_no_token():
    for text in (
        "permissions: {id-token: write, contents: read}",
        "is requesting 'id-token: write', but is only allowed 'id-token: none'",
    ):
        assert masked(text) == text
    assert masked("id-token: write-4f8a and id-token: nonesuch") == "id-token: *** and id-token: ***"
