"""Simulated requests: JSON in, the decision of `trust` out, one answer for one request."""

from collections.abc import Mapping

import msgspec

from irsa_doctor.model import Issuer, Place, TrustPolicy
from irsa_doctor.sources import read_policy as read_text
from irsa_doctor.trust import Decision, Problem, Request, decide, provider_arn_of, read_policy


class Unanswerable(Exception):
    """A line that is no request; the text says what is wrong with it."""


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise Unanswerable(f"{what} is missing or no text")
    return value


def _values(value: object, key: str) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str | bool | int | float) for item in listed):
        raise Unanswerable(f"the values of {key} are not text")
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in listed)


def request_of(row: Mapping[str, object]) -> Request:
    """The request of one line of `simulate --vectors` (see the README); raises Unanswerable."""
    raw = row.get("request")
    if not isinstance(raw, dict):
        raise Unanswerable("request is missing or no object")
    context = raw.get("context", {})
    if not isinstance(context, dict):
        raise Unanswerable("request.context is no object")
    account = str(raw.get("account", ""))
    arn = raw.get("provider_arn") or provider_arn_of(
        str(raw.get("partition", "aws")), account, Issuer.of(_text(raw.get("issuer"), "request.issuer")).name
    )
    return Request(
        account,
        _text(arn, "request.provider_arn"),
        {key.lower(): _values(value, key) for key, value in context.items()},
        frozenset(key.lower() for key in raw.get("multi", ()) if isinstance(key, str)),
        _text(raw.get("action", "sts:AssumeRoleWithWebIdentity"), "request.action"),
    )


def policy_of(row: Mapping[str, object]) -> TrustPolicy:
    """The policy of one line, `policy` or `policy_text`."""
    if "policy_text" in row:
        return read_text(_text(row["policy_text"], "policy_text"), Place("-"))
    if "policy" not in row:
        raise Unanswerable("policy is missing")
    policy = row["policy"]
    return read_text(policy if isinstance(policy, str) else msgspec.json.encode(policy), Place("-"))


def _problem(problem: Problem) -> dict[str, object]:
    pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in problem.steps)
    row = {"code": problem.code, "message": problem.message, "pointer": pointer}
    return row | ({"line": problem.line, "column": problem.column} if problem.line else {})


def answer_of(ident: object, decision: Decision) -> dict[str, object]:
    """One answer line (cli.md, `simulate`)."""
    answer: dict[str, object] = {
        "id": ident,
        "decision": decision.outcome,
        "because": [{"statement": r.statement, "outcome": r.outcome, "says": r.says} for r in decision.reasons],
        "problems": [_problem(problem) for problem in decision.problems],
    }
    if decision.contested:
        answer["contested"] = list(decision.contested)
    if decision.otherwise:
        answer["decision_otherwise"] = decision.otherwise
    return answer


def simulate_line(line: bytes) -> dict[str, object]:
    """Answer one line; what cannot be answered says why."""
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        return {"id": None, "error": f"not JSON: {error}"}
    if not isinstance(row, dict):
        return {"id": None, "error": "a request is a JSON object"}
    try:
        return answer_of(row.get("id"), decide(read_policy(policy_of(row)), request_of(row)))
    except Unanswerable as error:
        return {"id": row.get("id"), "error": str(error)}
