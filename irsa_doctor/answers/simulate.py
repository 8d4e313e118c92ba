"""Simulated requests: JSON in, the decision of `trust` out, one answer for one request."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from irsa_doctor.model import Issuer, Place
from irsa_doctor.sources.documents.policies import read_policy_bytes, unwrapped
from irsa_doctor.sources.files.walk import walk
from irsa_doctor.text.encoding import NoText, settle
from irsa_doctor.text.errors import Trouble
from irsa_doctor.text.positions import Documents, Source
from irsa_doctor.trust import Decision, Policy, Problem, Request, decide, provider_arn_of, read_policy


class Unanswerable(Exception):
    """A line that is no request; the text says what is wrong with it."""


class Unreadable(Exception):
    """A file that cannot be read as text; the text says which and why."""


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
_encode = msgspec.json.Encoder().encode


def simulate_lines(lines: bytes) -> Iterator[dict[str, object]]:
    """The answers to JSON lines, in order; lines of white space are none."""
    yield from (simulate_line(line) for line in lines.split(b"\n") if line.strip())


def simulate_line(line: bytes) -> dict[str, object]:
    """Answer one line: `{"id", "decision", "because", "problems", ...}`, or `{"id", "error"}` for what is no request."""
    if not line.lstrip(b" \t\r").startswith(b"{"):
        return {"id": None, "error": "a request is a JSON object"}
    try:
        row = _decode_row(line)
        _decode(row.id)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return {"id": None, "error": f"no JSON: {error}"}
    try:
        text = _policy_text(row)
        request = request_of(row.request)
    except Unanswerable as error:
        return {"id": row.id, "error": str(error)}
    return {"id": row.id, **simulate(text, request)}


def simulate(text: bytes, request: Request) -> dict[str, object]:
    """Decide a request against the text of a policy: `decision`, `because`, `problems` and, where they are, `contested` and
    `decision_otherwise` (strings as in `trust.Decision`)."""
    policy = _policy(text)
    return answer_of(decide(policy, request), text)


def answer_of(decision: Decision, text: bytes) -> dict[str, object]:
    """A decision as JSON; positions of problems are those in the text, 1-based."""
    answer: dict[str, object] = {
        "decision": decision.outcome,
        "because": [{"statement": r.statement, "outcome": r.outcome, "says": r.says} for r in decision.reasons],
        "problems": list(_located(decision.problems, text)) if decision.problems else [],
    }
    if decision.contested:
        answer["contested"] = list(decision.contested)
    if decision.otherwise:
        answer["decision_otherwise"] = decision.otherwise
    return answer


@lru_cache(maxsize=1024)
def _policy(text: bytes) -> Policy:
    return read_policy(read_policy_bytes(text, Place("-")))


_PROBLEMS = 200
"""how many of one document are told each with its place"""


def _located(problems: Sequence[Problem], text: bytes) -> Iterator[dict[str, object]]:
    """Problems as JSON; where a member is there twice, the second is meant."""
    text = unwrapped(text)
    documents = Documents({"-": Source(text, "json", [(0, len(text))], repeats=True)})
    for problem in problems[:_PROBLEMS]:
        place = Place("-").at(*problem.steps)
        line, column = problem.line, problem.column
        if not line:
            span = documents.locate(place, key=problem.code in _OF_NAMES)
            line, column = span.line or 1, span.column or 1
        yield {
            "code": problem.code,
            "message": problem.message,
            "pointer": place.pointer,
            "line": line,
            "column": column,
        }
    if len(problems) > _PROBLEMS:
        more = f"{len(problems) - _PROBLEMS} more problems"
        yield {"code": "further-problems", "message": more, "pointer": "", "line": 1, "column": 1}


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


def read_lines(path: str) -> bytes:
    """Requests of a file, or of standard input (`-`); raises Unreadable. Lines that are no text are answered as such."""
    raw = _bytes_of(path)
    text = settle(raw)
    if isinstance(text, NoText):
        raise Unreadable(f"{path}: {text.why}")
    found = raw if isinstance(text, Trouble) else text
    if not found.strip():
        raise Unreadable(f"{path}: no request in it")
    return found


def read_policy_file(path: str) -> bytes:
    """The text of a policy as UTF-8, whatever its encoding; raises Unreadable."""
    text = settle(_bytes_of(path))
    if isinstance(text, Trouble):
        raise Unreadable(f"{path}: {text.why}")
    if not text.strip():
        raise Unreadable(f"{path}: empty")
    if _is_answer(text):
        raise Unreadable(f"{path}: the answer of aws iam get-role: save the AssumeRolePolicyDocument in it, and give that")
    return text


class _Role(msgspec.Struct):
    AssumeRolePolicyDocument: msgspec.Raw


class _GetRole(msgspec.Struct):
    Role: _Role


def _is_answer(text: bytes) -> bool:
    """Whether a text is the answer of GetRole, with a policy in it."""
    try:
        msgspec.json.decode(text, type=_GetRole)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _bytes_of(path: str) -> bytes:
    if os.path.isdir(path):
        raise Unreadable(f"{path}: a folder, not a file")
    given = next(walk([path], None))
    if given.why is not None:
        raise Unreadable(f"{path}: {given.why}")
    return given.content
