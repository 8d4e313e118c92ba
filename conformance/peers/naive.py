"""An evaluator in its simplest form, written from the protocol alone: an example of an adapter, and what is easily missed."""

import fnmatch
import json
import sys
from collections.abc import Callable
from typing import Any

TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, pattern: value == pattern,
    "StringEqualsIgnoreCase": lambda value, pattern: value.lower() == pattern.lower(),
    "StringLike": fnmatch.fnmatchcase,
}


def listed(value: Any) -> list[Any]:
    """A value as a list."""
    return value if isinstance(value, list) else [value]


def holds(operator: str, key: str, patterns: Any, context: dict[str, list[str]]) -> bool:
    """Whether a condition holds. KeyError for an operator that is not known."""
    values = {name.lower(): of_key for name, of_key in context.items()}.get(key.lower())
    quantifier, _, operator = operator.rpartition(":")
    negated, test = "Not" in operator, operator.removesuffix("IfExists").replace("Not", "")
    if test == "Null":
        return (values is None) == (str(listed(patterns)[0]).lower() == "true")
    if values is None:
        return operator.endswith("IfExists") or quantifier == "ForAllValues" or negated
    hits = [any(TESTS[test](value, pattern) for pattern in listed(patterns)) for value in values]
    return (all(hits) if quantifier == "ForAllValues" else any(hits)) is not negated


def decision(policy: dict[str, Any], request: dict[str, Any]) -> str:
    """What the policy decides of the request."""
    name = request["issuer"].removeprefix("https://")
    provider = f"arn:{request['partition']}:iam::{request['account']}:oidc-provider/{name}"
    effects = set()
    for statement in listed(policy["Statement"]):
        is_about = provider in listed(statement["Principal"]["Federated"]) and request["action"] in listed(statement["Action"])
        conditions = [
            (operator, key, patterns)
            for operator, keys in statement.get("Condition", {}).items()
            for key, patterns in keys.items()
        ]
        if is_about and all(holds(*condition, request["context"]) for condition in conditions):
            effects.add(statement["Effect"])
    return "explicit_deny" if "Deny" in effects else "allow" if "Allow" in effects else "implicit_deny"


for line in sys.stdin:
    vector = json.loads(line)
    try:
        answer = decision(vector["policy"], vector["request"])
    except (KeyError, TypeError, AttributeError):
        answer = "not known"
    print(json.dumps({"id": vector["id"], "decision": answer}), flush=True)
