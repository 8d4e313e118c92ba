"""`decide` and the naive evaluator agree on random policies and requests, in every reading of what is contested."""

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.trust import Request, decide
from tests.trust import drawing, reference
from tests.trust.drawing import examples

READINGS = list(reference.all_readings())
USUAL = asdict(READINGS[0])
FIELDS = {"P5": "everyone_is_denied", "C11": "empty_list", "K2": "two_spellings"}


def readings_of(points):
    """Those that differ from the usual one in some of the points."""
    fields = {FIELDS[point] for point in points}
    return [
        reading
        for reading in READINGS
        if all(USUAL[name] == value or name in fields for name, value in asdict(reading).items())
    ]


@examples(5000)
@given(drawing.policies(drawing.ANYTHING), drawing.calls, st.sampled_from(READINGS))
def test_decisions_are_those_of_the_reference_in_every_reading(document, call, reading):
    is_decided_as_by_the_reference(document, *call, reading)


def is_decided_as_by_the_reference(document, context, multi, reading):
    """One call, decided in one reading of what is contested."""
    decision = decide(drawing.policy_of(document), Request(drawing.ACCOUNT, drawing.ARN, context, multi))
    plain = reference.Call(drawing.ARN, {key: list(values) for key, values in context.items()}, multi)
    outcomes = {reference.decide(document, plain, reading) for reading in readings_of(decision.contested)}
    assert decision.outcome == reference.decide(document, plain)
    assert reference.decide(document, plain, reading) in outcomes
    assert decision.is_certain == (len(outcomes) == 1)
    assert decision.is_certain or decision.otherwise in outcomes - {decision.outcome}
