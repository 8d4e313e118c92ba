"""Simulated requests: JSON in, the decision of `trust` out, one answer for one request."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from irsa_doctor.issuers import OTHER, profile_of
from irsa_doctor.model import Issuer, Place, Verdict
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.faults import fault_words
from irsa_doctor.model.limits import reached
from irsa_doctor.sources.documents.policies import read_policy_bytes, unwrapped
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.json import read_json
from irsa_doctor.text.positions import Documents, Source
from irsa_doctor.trust import Decision, Policy, Problem, Request, admitted, decide, provider_arn_of, read_policy
from irsa_doctor.trust.keys import known_values, presence


class Unanswerable(IrsaDoctorError):
    """A line that is no request; the text says what is wrong with it."""


Id = msgspec.Raw | str | None
"""of a request: as it is in its line, undecoded; the name of a policy; or none"""


class StatementOutcome(msgspec.Struct, frozen=True):
    """What one statement of a policy (its index) does to a request, and why."""

    statement: int
    outcome: str
    says: str


class LocatedProblem(msgspec.Struct, frozen=True):
    """What IAM refuses in a policy, or what would be refused elsewhere; line and column are 1-based."""

    code: str
    message: str
    pointer: str
    line: int
    column: int


class Simulation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to one request.

    `decision` is allow, implicit_deny, explicit_deny or invalid. `contested` are points on which AWS's documentation is silent,
    `decision_otherwise` is the decision by the other reading of them, "" where it is the same. `depends_on` are keys that
    requests may have and that this one was taken to lack: with them it may be decided otherwise.
    """

    id: Id
    decision: str
    because: tuple[StatementOutcome, ...]
    problems: tuple[LocatedProblem, ...]
    contested: tuple[str, ...] = ()
    decision_otherwise: str = ""
    depends_on: tuple[str, ...] = ()


class Unanswered(msgspec.Struct, frozen=True):
    """The answer to a line that is not a request, with what is wrong with it."""

    id: Id
    error: str


class _Row(msgspec.Struct):
    """One line of `simulate --vectors`. What is echoed, or read strictly later, stays as it is."""

    id: msgspec.Raw = msgspec.Raw(b"null")
    policy: msgspec.Raw = msgspec.Raw()
    policy_text: Any = None
    request: Any = None


_OF_NAMES = frozenset(
    {
        "action-and-not-action",
        "bad-operator",
        "bad-principal-type",
        "not-action",
        "not-principal",
        "prohibited-resource",
        "two-spellings",
        "unknown-element",
    }
)
"""problems for which a member's name is to blame, not its value"""

_decode_row = msgspec.json.Decoder(_Row).decode
_decode = msgspec.json.Decoder().decode


def simulate_lines(lines: bytes) -> Iterator[Simulation | Unanswered]:
    """The answers to JSON lines, in order; lines of white space are left out."""
    yield from (simulate_line(line) for line in lines.split(b"\n") if line.strip())


def simulate_line(line: bytes) -> Simulation | Unanswered:
    """The answer to one line."""
    if limit := reached():
        return Unanswered(None, f"not answered: {limit}")
    if not line.lstrip(b" \t\r").startswith(b"{"):
        return Unanswered(None, "a request is a JSON object")
    try:
        row = _decode_row(line)
        _decode(row.id)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Unanswered(None, _why_no_row(line))
    try:
        return simulate(_policy_text(row), request_of(row.request), row.id)
    except Unanswerable as error:
        return Unanswered(row.id, str(error))
    except Exception as error:  # noqa: BLE001 - an error of ours costs one answer
        return Unanswered(row.id, fault_words(error))


def _why_no_row(line: bytes) -> str:
    scan = read_json(line)
    if not isinstance(scan, TextError):
        return "not valid JSON"
    return f"not valid JSON: {scan.why.removeprefix('not valid JSON: ')}, column {scan.column or 1}"


def simulate_token(text: bytes, request: Request, issuer: str, ident: Id = None) -> Simulation:
    """The decision about a token of an issuer (without scheme), of whose request not every key is given.

    Keys that are the same for every such token are known.
    """
    policy = _policy(text)
    known = known_values(request.provider_arn, profile_of(issuer) or OTHER)
    context = {**_present(policy, issuer), **{key: (value,) for key, value in known.items()}, **request.context}
    answer = answer_of(decide(policy, msgspec.structs.replace(request, context=context)), text, ident)
    depends_on = () if answer.decision == "invalid" else _not_given(policy, request, issuer)
    return msgspec.structs.replace(answer, depends_on=depends_on)


def _present(policy: Policy, issuer: str) -> dict[str, tuple[str, ...]]:
    """Keys that every request has, and that the policy requires to be there or not: their values are not known."""
    profile = profile_of(issuer) or OTHER
    conditions = (condition for statement in policy.statements for condition in statement.conditions)
    required = {condition.key for condition in conditions if condition.use.operator.family == "null"}
    return {key: ("",) for key in sorted(required) if presence(key, issuer.lower(), profile) == "always"}


def _not_given(policy: Policy, request: Request, issuer: str) -> tuple[str, ...]:
    """The keys on which the decision depends, which a request may have and this one does not."""
    subjects, audiences = (request.context.get(f"{issuer}:{claim}".lower(), ()) for claim in ("sub", "aud"))
    if len(subjects) != 1 or len(audiences) != 1:
        return ()
    admits = admitted(policy, request.provider_arn, issuer, profile=profile_of(issuer) or OTHER)
    if admits.verdict(subjects[0], audiences[0]) is not Verdict.UNKNOWN:
        return ()
    return tuple(key for key in admits.depends_on if key.lower() not in request.context)


def simulate(text: bytes, request: Request, ident: Id = None) -> Simulation:
    """The decision about a request against the text of a policy."""
    return answer_of(decide(_policy(text), request), text, ident)


def answer_of(decision: Decision, text: bytes, ident: Id = None) -> Simulation:
    """A decision as it is answered; positions of problems are those in the text."""
    return Simulation(
        id=ident,
        decision=decision.outcome,
        because=tuple(StatementOutcome(r.statement, r.outcome, r.says) for r in decision.reasons),
        problems=tuple(_located(decision.problems, text)) if decision.problems else (),
        contested=tuple(decision.contested),
        decision_otherwise=decision.otherwise or "",
    )


@lru_cache(maxsize=1024)
def _policy(text: bytes) -> Policy:
    return read_policy(read_policy_bytes(text, Place("-")))


_PROBLEMS = 200
"""of one document that are reported each with its place"""


def _located(problems: Sequence[Problem], text: bytes) -> Iterator[LocatedProblem]:
    """Problems with their places; where a member is there twice, the second is meant."""
    text = unwrapped(text)
    documents = Documents({"-": Source(text, "json", [(0, len(text))], repeats=True)})
    for problem in problems[:_PROBLEMS]:
        place = Place("-").at(*problem.steps)
        line, column = problem.line, problem.column
        if not line:
            span = documents.locate(place, key=problem.code in _OF_NAMES)
            line, column = span.line or 1, span.column or 1
        yield LocatedProblem(problem.code, problem.message, place.pointer, line, column)
    if len(problems) > _PROBLEMS:
        yield LocatedProblem("further-problems", f"{len(problems) - _PROBLEMS} more problems", "", 1, 1)


def _policy_text(row: _Row) -> bytes:
    """The policy of a line, `policy` or `policy_text`."""
    if row.policy_text is not None:
        return _text(row.policy_text, "policy_text").removeprefix("\ufeff").encode()
    if not bytes(row.policy):
        raise Unanswerable("policy is missing")
    return bytes(row.policy)


def request_of(raw: object) -> Request:
    """The request of one line, its JSON decoded (see the README); raises Unanswerable."""
    if not isinstance(raw, dict):
        raise Unanswerable("request is missing or no object")
    context = raw.get("context", {})
    if not isinstance(context, dict):
        raise Unanswerable("request.context is no object")
    multi = raw.get("multi", [])
    if not isinstance(multi, list) or not all(isinstance(key, str) for key in multi):
        raise Unanswerable("request.multi is no list of condition keys")
    account = _text(raw.get("account", ""), "request.account")
    return Request(
        account,
        _text(raw["provider_arn"], "request.provider_arn") if "provider_arn" in raw else _provider_arn(raw, account),
        _context(context),
        frozenset(key.lower() for key in multi),
        _text(raw.get("action", "sts:AssumeRoleWithWebIdentity"), "request.action"),
    )


def _provider_arn(raw: Mapping[str, object], account: str) -> str:
    issuer = Issuer.of(_text(raw.get("issuer"), "request.issuer"))
    if not account:
        raise Unanswerable("request.account is missing")
    return provider_arn_of(_text(raw.get("partition", issuer.partition or "aws"), "request.partition"), account, issuer.name)


def _context(raw: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    context: dict[str, tuple[str, ...]] = {}
    for key, value in raw.items():
        if key.lower() in context:
            raise Unanswerable(f"request.context has {key} twice, in two spellings")
        context[key.lower()] = _values(value, key)
    return context


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise Unanswerable(f"{what} is missing" if value is None else f"{what} is no text")
    return value


def _values(value: object, key: str) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str | bool | int | float) for item in listed):
        raise Unanswerable(f"the values of {key} are not text")
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in listed)
