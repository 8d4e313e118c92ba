import pytest

from tests.facts.situations import KEY, account, aws, found, manifests, role_arn
from tests.sources.worlds import role


def fired(key, value):
    """What is said of the service account whose only annotation this is."""
    written = account()
    written["metadata"]["annotations"] = {key: value}
    return {rule for rule, _ in found(aws(**{"o.yaml": manifests(written)}), "serviceaccounts")}


@pytest.mark.parametrize(
    "key",
    [
        "eks.amazonaws.com/role_arn",
        "eks.amazonaws.com/roleArn",
        "eks.amazonaws.com/role-arns",
        "eks.amazonaws.com/role-arm",
        "eks.amazonaws.com/role",
        "eks.amazonaws.com/iam-role-arn",
        "eks.amazoneaws.com/role-arn",
        "eks.amazon.com/role-arn",
        "eks.aws.com/role-arn",
        "eks.amazonaws.com.cn/role-arn",
        "amazonaws.com/role-arn",
        "EKS.amazonaws.com/role-arn",
        "role-arn",
        "iam.amazonaws.com/role",
    ],
)
def test_a_key_that_is_nearly_right_is_called_so(key):
    assert fired(key, role_arn()) == {"sa-annotation-key-typo"}


@pytest.mark.parametrize(
    "key", ["meta.helm.sh/release-name", "eks.amazonaws.com/audience", "example.com/role", "vault.io/role"]
)
def test_other_keys_are_not_taken_for_it(key):
    assert "sa-annotation-key-typo" not in fired(key, "x")


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("arn:aws:iam::$(ACCOUNT):role/app", "role-arn-unresolved-template"),
        ("arn:aws:iam::%ACCOUNT%:role/app", "role-arn-unresolved-template"),
        ("arn:aws:iam::@@ACCOUNT@@:role/app", "role-arn-unresolved-template"),
        ("arn:aws:iam::accountId:role/app", "role-arn-unresolved-template"),
        ("arn:aws:iam::111122223333:role/YOUR_ROLE_NAME", "role-arn-unresolved-template"),
        ("TODO", "role-arn-unresolved-template"),
        ("IAM_ROLE_ARN", "role-arn-unresolved-template"),
        ("CONTROLLER_ROLE_NAME", "role-arn-unresolved-template"),
        ("SET_BY_TERRAFORM", "role-arn-unresolved-template"),
        ("APP_IRSA_V2", "role-arn-unresolved-template"),
        ("null", "role-arn-unresolved-template"),
        ("arn:aws:iam::111122223333:oidc-provider/example.com", "role-arn-is-policy-arn"),
        ("arn:aws:eks:eu-west-1:111122223333:cluster/prod", "role-arn-is-policy-arn"),
        ("arn:aws:sts::111122223333:assumed-role/app/session", "role-arn-is-policy-arn"),
        ("arn:aws:iam::111122223333:roles/app", "role-arn-malformed"),
        ("arn:aws:iam:eu-west-1:111122223333:role/app", "role-arn-malformed"),
        ("arn:aws::iam::111122223333:role/app", "role-arn-malformed"),
        ("arn:aws:::111122223333:role/app", "role-arn-malformed"),
        ("arn:aws:111122223333:role/app", "role-arn-malformed"),
    ],
)
def test_a_value_that_is_no_role_arn_is_told_by_what_it_is(value, rule):
    assert rule in fired(KEY, value)


@pytest.mark.parametrize("path", ["a[1]", "a|b", "(eu)", "it's", "~x", "team:blue", "[PROD]"])
def test_a_path_may_have_any_visible_sign(path):
    """The pattern of API_CreateRole. What also marks a placeholder is one until a role has the name."""
    expected = "role-arn-unresolved-template" if path == "[PROD]" else "role-missing"
    assert fired(KEY, f"arn:aws:iam::111122223333:role/{path}/own") == {expected}


@pytest.mark.parametrize("path", ["[PROD]", "{team_x}", "{EU_WEST}"])
def test_what_looks_like_a_placeholder_in_the_path_of_a_role_is_its_name_where_a_role_has_it(path):
    arn = f"arn:aws:iam::111122223333:role/{path}/app"
    written = account()
    written["metadata"]["annotations"] = {KEY: arn}
    documents = aws(**{"o.yaml": manifests(written)})
    renamed = {
        **documents,
        "roles.json": {"RoleDetailList": [{**role(), "Arn": arn, "Path": f"/{path}/"}], "UserDetailList": []},
    }
    assert {rule for rule, _ in found(documents, "serviceaccounts")} == {"role-arn-unresolved-template"}
    assert {rule for rule, _ in found(renamed, "serviceaccounts")} == set()


@pytest.mark.parametrize("path", ["", "arn:aws:iam::111122223333:role/"])
def test_what_is_no_path_leaves_no_role_arn(path):
    assert fired(KEY, f"arn:aws:iam::111122223333:role/{path}app ") == {"role-arn-malformed"}
    assert fired(KEY, f"arn:aws:iam::111122223333:role/{path or '{'}app[1]") == {"role-arn-malformed"}


@pytest.mark.parametrize("name", ["app-role", "ROLE-1", "roleArn", "Team_ROLE_ARN"])
def test_a_name_of_a_role_is_no_placeholder(name):
    assert fired(KEY, name) == {"role-arn-bare-name"}


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_value_is_none_where_a_role_admits_the_account_and_is_called_empty_elsewhere(value):
    assert fired(KEY, value) == {"sa-annotation-missing"}
    other = account()
    other["metadata"] |= {"name": "other", "annotations": {KEY: value}}
    assert {rule for rule, _ in found({"o.yaml": manifests(other)})} == {"role-arn-empty"}


@pytest.mark.parametrize("value", [" ", "\t"])
def test_a_blank_value_is_no_empty_one_since_it_reaches_the_pods(value):
    assert fired(KEY, value) == {"role-arn-malformed"}


@pytest.mark.parametrize("name", ["content-replacer", "s3-replace-me-not", "your-shop", "xxxx-large", "team/change_mentor"])
def test_a_role_whose_name_contains_a_placeholder_word_is_a_role(name):
    assert fired(KEY, role_arn(name)) == {"role-missing"}
