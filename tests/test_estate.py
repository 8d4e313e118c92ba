import json

from tests.estate import cases, generate


def test_the_same_options_give_the_same_bytes(tmp_path):
    first, second = generate(tmp_path / "a", 50), generate(tmp_path / "b", 50)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_every_role_has_one_service_account_that_names_it(tmp_path):
    read = {path.relative_to(tmp_path).as_posix(): json.loads(path.read_text()) for path in generate(tmp_path, 200)}
    roles = [role["Arn"] for role in read["account-authorization-details.json"]["RoleDetailList"]]
    accounts = [item for path, document in read.items() if path.endswith("serviceaccounts.json") for item in document["items"]]
    assert len(roles) == 200
    assert sorted(item["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] for item in accounts) == roles


def test_about_seven_of_ten_roles_are_right():
    right = sum(is_right for _, is_right, _ in cases(2000, 7))
    assert 1300 < right < 1500
