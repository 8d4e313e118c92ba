"""Links report signs and statements have defects, and causes list them: neither has one that the other does not know."""

import ast
from pathlib import Path
from typing import get_args

import irsa_doctor.answers.why
from irsa_doctor.answers.why.circumstances import CIRCUMSTANCES
from irsa_doctor.answers.why.clouds.tokens import TOKEN_LINKS
from irsa_doctor.answers.why.links import LINKS
from irsa_doctor.rulebook.causes import shipped_causes
from irsa_doctor.rulebook.messages import shipped_messages
from irsa_doctor.trust.defect_kinds import DefectKind

FOLDER = Path(irsa_doctor.answers.why.__file__).parent
CAUSES = shipped_causes()
REPORTING = {"Sign", "observed", "BadToken", "finding_of", "of_sign"}


def texts():
    for path in sorted(FOLDER.rglob("*.py")):
        yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


STRINGS = {node.value for node in texts() if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def reported():
    """Signs that are named where they are reported or looked up."""
    for node in texts():
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            branches = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            yield from (b.value for b in branches if name in REPORTING and isinstance(b, ast.Constant))


def test_every_sign_that_is_reported_speaks_for_a_cause():
    signs = set(reported())
    assert len(signs) >= 35
    assert signs <= CAUSES.by_sign.keys()


def test_a_link_lists_the_signs_that_it_reports():
    of_tokens = {sign for link in TOKEN_LINKS for sign in link.signs}
    listed = of_tokens.union(sign for link in LINKS for sign in link.signs)
    assert set(reported()) <= listed
    assert set(CAUSES.by_sign) <= listed
    assert listed - set(get_args(DefectKind)) <= STRINGS


def test_no_cause_waits_for_a_sign_that_nothing_reports():
    assert set(CAUSES.by_sign) <= STRINGS | set(get_args(DefectKind))


def test_a_sign_is_not_named_like_a_cause():
    assert not CAUSES.by_sign.keys() & CAUSES.by_id.keys()


def test_every_cause_breaks_a_link_that_there_is_and_every_link_has_causes():
    links = {link.id for link in LINKS}
    broken = {cause.link for cause in CAUSES.by_id.values()} - {""}
    assert broken == links


def circumstances():
    """The names that causes require, and those that messages ask of a case."""
    yield from (name for cause in CAUSES.by_id.values() for name in cause.only)
    candidates = (candidate for message in shipped_messages() for candidate in message.candidates)
    conditions = (condition for candidate in candidates for condition in (candidate.first, candidate.unless) if condition)
    yield from (condition.circumstance for condition in conditions if condition.circumstance)


def test_every_circumstance_is_one_that_can_be_checked():
    assert set(circumstances()) == CIRCUMSTANCES.keys()
