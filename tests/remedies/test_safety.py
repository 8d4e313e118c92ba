"""What is said of a changed policy that takes a role from somebody."""

from irsa_doctor.facts.lookups.users import RoleUser
from irsa_doctor.remedies.safety import losing


def test_who_has_tokens_of_an_unknown_audience_may_lose_a_role_and_does_not_for_certain():
    known = RoleUser("system:serviceaccount:a:web", "issuer.example", "sts.amazonaws.com")
    unknown = RoleUser("system:serviceaccount:a:app", "issuer.example", "")
    assert list(losing([unknown, known])) == [
        "system:serviceaccount:a:web would lose the role",
        "system:serviceaccount:a:app may lose the role: the audience of the tokens is not in the input",
    ]
