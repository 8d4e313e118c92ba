"""Decisions about simulated requests: a line of JSON each for other programs, and for people."""

from collections.abc import Iterable, Iterator

import msgspec

from irsa_doctor.answers.simulate import Simulation, Unanswered
from irsa_doctor.reports.escape import for_terminal

Answers = Iterable[Simulation | Unanswered]


def render_simulations_json(answers: Answers) -> str:
    """JSON lines, one an answer."""
    encode = msgspec.json.Encoder().encode
    return b"".join(encode(answer) + b"\n" for answer in answers).decode()


def render_simulations_text(answers: Answers) -> str:
    """Each decision with the statements and problems that it depends on."""
    return "".join(for_terminal(line) + "\n" for answer in answers for line in _lines(answer))


def _lines(answer: Simulation | Unanswered) -> Iterator[str]:
    name = msgspec.json.decode(answer.id) if isinstance(answer.id, msgspec.Raw) else answer.id
    head = "?" if name is None else name
    if isinstance(answer, Unanswered):
        yield f"{head}: {answer.error}"
        return
    yield f"{head}: {_words(answer.decision)}"
    yield from (f"  statement {reason.statement}: {reason.says}" for reason in answer.because)
    yield from (f"  line {problem.line}, column {problem.column}: {problem.message}" for problem in answer.problems)
    if answer.depends_on:
        yield f"  depends on {', '.join(answer.depends_on)}, which the request was taken to lack: --context KEY=VALUE gives it"
    if answer.contested:
        other = f"; it may be {_words(answer.decision_otherwise)}" if answer.decision_otherwise else ""
        yield f"  AWS's documentation is silent on {', '.join(answer.contested)}{other}"


def _words(decision: str) -> str:
    return decision.replace("_", " ")
