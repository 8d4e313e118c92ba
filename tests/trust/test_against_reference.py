"""`decide` and the naive evaluator agree on random policies and requests, in every reading of what is contested."""

from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.trust import Request, decide
from tests.trust import drawing, reference
from tests.trust.drawing import examples

READINGS = list(reference.all_readings())


@examples(4000)
@given(drawing.policies(drawing.ANYTHING), drawing.calls, st.sampled_from(READINGS))
def test_decisions_are_those_of_the_reference_in_every_reading(document, call, reading):
    context, multi = call
    decision = decide(drawing.policy_of(document), Request(drawing.ACCOUNT, drawing.ARN, context, multi))
    plain = reference.Call(drawing.ARN, {key: list(values) for key, values in context.items()}, multi)
    assert decision.outcome == reference.decide(document, plain)
    if not decision.contested:
        assert decision.outcome == reference.decide(document, plain, reading)
        assert decision.otherwise is None
        return
    outcomes = {reference.decide(document, plain, reading) for reading in READINGS}
    assert decision.is_certain == (len(outcomes) == 1)
    assert decision.is_certain or decision.otherwise in outcomes - {decision.outcome}
