"""The reference evaluator is compared with every operator."""

from irsa_doctor.trust.operators import OPERATORS
from tests.trust import drawing


def test_every_operator_is_drawn_where_the_reference_is_compared():
    typed = {name for names, _, _ in drawing._TYPED for name in names}
    assert {*drawing._STRING, *drawing._ARN, *typed, "Null"} == set(OPERATORS)
