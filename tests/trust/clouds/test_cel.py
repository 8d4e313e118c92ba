"""What is read of CEL means what cel-python makes of it."""

import itertools

import pytest

from irsa_doctor.trust.clouds.cel import Junction, Opaque, always_holds, claim_comparisons, read_condition

CLAIMS = {"owner": ("acme", "evil", "7"), "ref": ("refs/heads/main", "x")}


def meaning(condition, claims):
    """The value of a condition for claims that are texts, computed from what was read; None where it is not known."""
    if isinstance(condition, Opaque):
        return None
    if isinstance(condition, Junction):
        parts = [meaning(part, claims) for part in condition.parts]
        decisive = condition.operator == "||"
        whole = decisive if decisive in parts else None if None in parts else not decisive
        return (None if whole is None else not whole) if condition.operator == "!" else whole
    value, literals = claims[condition.claim.name], condition.literals.values
    first = str(literals[0])
    return {
        "==": value == literals[0],
        "!=": value != literals[0],
        "in": value in literals,
        "startsWith": value.startswith(first),
        "endsWith": value.endswith(first),
        "contains": first in value,
    }[condition.operator]


def evaluated(program, claims):
    """What cel-python makes of a condition, None where it refuses to compare types."""
    from celpy.adapter import json_to_cel
    from celpy.evaluation import CELEvalError

    try:
        return bool(program.evaluate({"assertion": json_to_cel(claims)}))
    except CELEvalError:
        return None


@pytest.mark.parametrize(
    "text",
    [
        "assertion.owner == 'acme'",
        "'acme' == assertion.owner",
        "assertion['owner'] != \"evil\" && assertion.ref.startsWith('refs/heads/')",
        "!(assertion.owner in ['evil', 'other']) || assertion.ref.endsWith('main')",
        "assertion.owner == 7",
        "assertion.owner != 7 && assertion.ref.contains('main')",
        "assertion.owner == 'evil' || assertion.owner == 'acme' && assertion.ref == 'x'",
        "assertion.owner == 'evil' ? assertion.ref == 'x' : assertion.owner in ['acme']",
        "assertion.owner == '\\x61cme' || assertion.ref == r'refs\\heads'",
        "!!(assertion.owner == 'acme') // only ours",
        "true && assertion.owner == 'acme' || false",
        "!assertion.owner.startsWith('ac') && !!assertion.ref.contains('main')",
        "!assertion.owner == 'acme' || assertion.ref == 'x'",
        "(" * 20 + "assertion.owner == 'acme'" + ")" * 20,
    ],
)
def test_a_condition_means_what_the_reference_makes_of_it(text):
    is_read_as_by_the_reference(text)


def is_read_as_by_the_reference(text):
    """What is read of a condition, computed for every claim, held against cel-python."""
    import celpy

    condition = read_condition(text)
    environment = celpy.Environment()
    program = environment.program(environment.compile(text))
    for values in itertools.product(*CLAIMS.values()):
        claims = dict(zip(CLAIMS, values, strict=True))
        expected = evaluated(program, claims)
        read = meaning(condition, claims)
        # cel-python does not compare values of two types; in CEL they are not equal
        assert read in (None, expected) or (expected is None and has_other_types(condition)), (text, claims)


def has_other_types(condition):
    """Whether a claim, which is a text, is compared with something else."""
    return any(not isinstance(value, str) for each in claim_comparisons(condition) for value in each.literals.values)


@pytest.mark.parametrize(
    "text",
    [
        "assertion.owner",
        "assertion.owner.matches('a.*')",
        "assertion.owner.extract('{x}/') == 'acme'",
        "assertion.owner == '\\101cme'",
        "other.owner == 'a'",
        "'acme' in assertion.owners",
        "assertion.a.b == 'acme'",
        "size(assertion.owner) > 2",
        "!" * 3001 + "assertion.owner",
        "!(" * 1000 + "assertion.owner == 'a'" + ")" * 1000,
    ],
)
def test_what_is_not_worked_out_is_never_taken_for_nothing(text):
    condition = read_condition(text)
    while isinstance(condition, Junction):
        condition = condition.parts[0]
    assert isinstance(condition, Opaque)
    assert always_holds(read_condition(text), of_texts=True) is None


@pytest.mark.parametrize("text", ["", "assertion.owner == 'a' &&", "assertion.owner = 'a'", "'" * 5000, "x" * 5000])
def test_what_is_not_cel_is_not_read(text):
    assert read_condition(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("assertion.id == 7", False),
        ("assertion.id != true", True),
        ("assertion.id in [1, 2]", False),
        ("assertion.id in [1, '2']", None),
        ("assertion.id == 7 || assertion.owner == 'acme'", None),
        ("assertion.id != 7 || assertion.owner == 'acme'", True),
        ("!(assertion.id == 7)", True),
    ],
)
def test_a_text_is_never_equal_to_a_number(text, answer):
    assert always_holds(read_condition(text), of_texts=True) is answer
