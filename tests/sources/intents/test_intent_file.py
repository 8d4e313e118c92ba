"""Intent files: what they mean, and the one line that names what is wrong with them."""

import json

import jsonschema
import pytest
import yaml

from irsa_doctor.model.intents import IntendedSubject
from irsa_doctor.reports.schemas import schema_text
from irsa_doctor.sources.intents import IntentError, intent_of, read_intent

ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
POLICY = "arn:aws:iam::aws:policy/X"
HEAD = f'intent: 1\naccount: "111122223333"\nclusters:\n  shop: {ISSUER}\n  lab: {ISSUER[:-1]}0\nroles:\n'


def read(text):
    return intent_of("intent.yaml", text.encode())


def only(roles):
    (role,) = read(HEAD + roles).roles
    return role


def test_a_name_and_a_service_account_are_a_role_in_all_clusters():
    role = only("  cart: shop/cart\n")
    assert role.arn == "arn:aws:iam::111122223333:role/cart"
    assert role.subjects == (IntendedSubject("shop", "shop", "cart"), IntendedSubject("lab", "shop", "cart"))


def test_service_accounts_may_differ_by_cluster():
    role = only("  cart:\n    service-accounts: {shop: shop/cart, lab: [qa/cart, qa/load]}\n")
    assert [(s.cluster, s.account) for s in role.subjects] == [("shop", "shop/cart"), ("lab", "qa/cart"), ("lab", "qa/load")]


def test_a_mapping_without_options_is_not_taken_for_service_accounts_by_cluster():
    with pytest.raises(IntentError, match='unknown key "shop"'):
        only("  cart: {shop: shop/cart}\n")


def test_a_whole_namespace_is_a_subject_with_a_wildcard_and_a_reason():
    role = only("  cart:\n    clusters: [lab]\n    namespaces: {ci: made on demand}\n")
    assert [s.subject for s in role.subjects] == ["system:serviceaccount:ci:*"]
    assert role.reasons == {"ci": "made on demand"}


def test_path_account_and_partition_are_those_of_an_arn():
    role = only("  arn:aws-cn:iam::222233334444:role/team/data/loader: data/loader\n")
    assert (role.partition, role.account, role.path, role.name) == ("aws-cn", "222233334444", "/team/data/", "loader")
    assert role.arn == "arn:aws-cn:iam::222233334444:role/team/data/loader"


def test_the_partition_of_a_cluster_is_that_of_roles_without_an_arn():
    text = 'intent: 1\naccount: "111122223333"\nclusters: {cn: arn:aws-cn:eks:cn-north-1:111122223333:cluster/cn}\n'
    assert read(text + "roles: {cart: shop/cart}\n").roles[0].partition == "aws-cn"


@pytest.mark.parametrize("indent", [None, "\t", 2])
def test_json_is_read_as_well(indent):
    value = yaml.safe_load(HEAD + "  cart: [shop/cart]\n")
    assert read(json.dumps(value, indent=indent)).roles[0].subjects == only("  cart: shop/cart\n").subjects


WRONG = {
    "unquoted account with a zero": ("intent: 1\naccount: 012345678901\nclusters: {}\nroles: {}\n", 2, "quotes"),
    "account of eleven digits": ('intent: 1\naccount: "12345678901"\nclusters: {}\nroles: {}\n', 2, "twelve digits"),
    "version as a truth value": ("intent: true\nclusters: {}\nroles: {}\n", 1, "version"),
    "no clusters": ("intent: 1\nroles: {}\n", 1, "clusters"),
    "two documents": (HEAD + "  a: b/c\n---\n---\n# more\nintent: 1\n", 11, "2 documents"),
    "slash at the end of an issuer": (HEAD.replace("F\n  lab", "F/\n  lab") + "  a: b/c\n", 4, "slash"),
    "wildcard of one letter": (HEAD + "  a: b/c?\n", 7, "namespaces"),
    "service account twice": (HEAD + "  a:\n    - b/c\n    - b/c\n", 9, "twice"),
    "cluster twice": (HEAD + "  a: {service-accounts: b/c, clusters: [lab, lab]}\n", 7, "twice"),
    "clusters beside service accounts by cluster": (
        HEAD + "  a:\n    clusters: [lab]\n    service-accounts: {lab: b/c}\n",
        8,
        "by cluster",
    ),
    "role name with a blank": (HEAD + '  "a b": b/c\n', 7, "no name of a role"),
    "arn that ends in a slash": (HEAD + "  arn:aws:iam::111122223333:role/: b/c\n", 7, "no ARN of a role"),
    "arn of a user": (HEAD + "  arn:aws:iam::111122223333:user/a: b/c\n", 7, "no ARN of a role"),
    "one name in two cases": (HEAD + "  Cart: b/c\n  cart: b/d\n", 8, "one role"),
    "via": (HEAD + "  a: {service-accounts: b/c, via: podidentity}\n", 7, "pod-identity"),
    "session of a minute": (HEAD + "  a: {service-accounts: b/c, max-session: 60}\n", 7, "3600"),
    "reason that is blank": (HEAD + '  a: {namespaces: {ci: " "}}\n', 7, "reason"),
    "empty service accounts": (HEAD + "  a: {service-accounts: []}\n", 7, "nobody"),
    "number as a service account": (HEAD + "  a: 7\n", 7, "NAMESPACE/NAME"),
    "audience with a wildcard": (HEAD + '  a: {service-accounts: b/c, audience: "*"}\n', 7, "wildcard"),
    "policy that is none": (HEAD + "  a: {service-accounts: b/c, policies: [AdministratorAccess]}\n", 7, "managed policy"),
    "partition": ("intent: 1\npartition: aws-us\nclusters: {}\nroles: {}\n", 2, "aws-us-gov"),
    "policy with odd characters": (
        HEAD + "  a: {service-accounts: b/c, policies: ['arn:aws:iam::aws:policy/X$']}\n",
        7,
        "managed policy",
    ),
    "policy twice": (HEAD + f"  a: {{service-accounts: b/c, policies: [{POLICY}, {POLICY}]}}\n", 7, "listed twice"),
    "policies that are no list": (HEAD + f"  a: {{service-accounts: b/c, policies: {POLICY}}}\n", 7, "list"),
    "clusters that are no list": (HEAD + "  a: {service-accounts: b/c, clusters: lab}\n", 7, "[lab]"),
    "long description": (HEAD + f"  a: {{service-accounts: b/c, description: {'d' * 1001}}}\n", 7, "1001"),
    "control character": (HEAD + '  a: {service-accounts: b/c, description: "a\\x07"}\n', 7, "control character"),
    "NUL in a tag": (HEAD + '  a: {service-accounts: b/c, tags: {t: "a\\0"}}\n', 7, "value that IAM refuses"),
    "tag with a quote": (HEAD + '  a: {service-accounts: b/c, tags: {t: "it\'s"}}\n', 7, "value that IAM refuses"),
    "tag with a line end": (HEAD + '  a: {service-accounts: b/c, tags: {t: "a\\nb"}}\n', 7, "value that IAM refuses"),
    "long tag": (HEAD + f"  a: {{service-accounts: b/c, tags: {{t: {'v' * 257}}}}}\n", 7, "256"),
    "key of a tag with a star": (HEAD + '  a: {service-accounts: b/c, tags: {"t*": v}}\n', 7, "no key of a tag"),
    "key of a tag of AWS": (HEAD + '  a: {service-accounts: b/c, tags: {"AWS:x": v}}\n', 7, "for AWS alone"),
    "tag twice": (HEAD + "  a: {service-accounts: b/c, tags: {team: v, Team: w}}\n", 7, "case of a key"),
    "long path": (HEAD + f"  {'p' * 600}/a: b/c\n", 7, "path"),
    "variable as an audience": (HEAD + "  a: {service-accounts: b/c, audience: 'a${aws:x}'}\n", 7, "variable"),
    "audience with a blank": (HEAD + "  a: {service-accounts: b/c, audience: 'https://a b'}\n", 7, "a blank"),
    "audience with a character that nobody sees": (
        HEAD + '  a: {service-accounts: b/c, audience: "a\\u200b"}\n',
        7,
        "nobody sees",
    ),
    "long audience": (HEAD + f"  a: {{service-accounts: b/c, audience: {'a' * 256}}}\n", 7, "256"),
    "variable in an issuer": (HEAD.replace("amazonaws.com/id", "${x}/id", 1) + "  a: b/c\n", 4, "URL"),
    "placeholder in an issuer": (HEAD.replace("oidc.eks.", "oidc.xxxx.", 1) + "  a: b/c\n", 4, "placeholder"),
    "issuer of a vendor": (HEAD.replace(ISSUER, "https://token.actions.githubusercontent.com", 1) + "  a: b/c\n", 4, "GitHub"),
    "issuer that is built in": (HEAD.replace(ISSUER, "https://accounts.google.com", 1) + "  a: b/c\n", 4, "Google"),
    "placeholder for a service account": (HEAD + "  a: xxxx/xxxx\n", 7, "placeholder"),
    "placeholder for a role": (HEAD + "  YOUR-ROLE: b/c\n", 7, "placeholder"),
    "placeholder for an audience": (HEAD + "  a: {service-accounts: b/c, audience: a$HOME}\n", 7, "placeholder"),
    "user in an issuer": (HEAD.replace("oidc", "u:p@oidc", 1) + "  a: b/c\n", 4, "URL"),
    "via as a list": (HEAD + "  a: {service-accounts: b/c, via: [irsa]}\n", 7, "not a list"),
    "nothing": ("", 1, "no intent"),
    "another document": ("apiVersion: v1\nkind: ServiceAccount\n", 1, "no intent"),
    "a list": ("- intent\n", 1, "no intent"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_line(name):
    text, line, words = WRONG[name]
    with pytest.raises(IntentError) as caught:
        read(text)
    assert caught.value.line == line
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"intent: 1\n\x00", b"[" * 100_000, b"intent: &a [*a]\n", b"{", b"\t- a"])
def test_hostile_bytes_are_an_error_of_the_file(raw):
    with pytest.raises(IntentError):
        intent_of("intent.yaml", raw)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(IntentError, match="cannot be read"):
        read_intent(str(tmp_path / "none.yaml"))


GOOD = [
    "  cart: shop/cart\n",
    "  team/data/loader:\n    service-accounts: [a/b]\n    clusters: [lab]\n    policies: [arn:aws:iam::aws:policy/A]\n",
    "  runner: {namespaces: {builds: on demand}, via: irsa, max-session: 7200, tags: {a: b}, description: d, split: true}\n",
    "  a: {service-accounts: {lab: b/c}, audience: x, max-policy-size: 4096, account: '222233334444'}\n",
]


@pytest.mark.parametrize("roles", GOOD)
def test_the_schema_takes_what_the_reader_takes(roles):
    assert read(HEAD + roles).roles
    jsonschema.validate(yaml.safe_load(HEAD + roles), json.loads(schema_text("intent")))


def test_a_tag_may_be_empty():
    assert only("  cart: {service-accounts: shop/cart, tags: {t: ''}}\n").tags == {"t": ""}


def test_a_service_account_stands_for_all_clusters_before_the_next_so_that_what_is_added_comes_last():
    role = only("  cart: [shop/cart, shop/web]\n")
    assert [f"{s.cluster}/{s.name}" for s in role.subjects] == ["shop/cart", "lab/cart", "shop/web", "lab/web"]


def test_five_hundred_roles_are_read_in_order():
    text = HEAD + "".join(f"  role-{number}: ns-{number}/app\n" for number in range(500))
    assert [role.name for role in read(text).roles] == [f"role-{number}" for number in range(500)]
