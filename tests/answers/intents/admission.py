"""Evaluates the admission policy of an intent with a library for CEL: the API server of these tests is older than admission
policies (its cost is counted as https://github.com/google/cel-go, interpreter/runtimecost.go, counts it)."""

import math
import re
from typing import Any

import celpy
from celpy import celtypes
from celpy.adapter import json_to_cel

PER_CALL, BUDGET = 1_000_000, 10_000_000
"""units of cost, for one expression and for all of a policy: https://kubernetes.io/docs/reference/using-api/cel/"""

_ENVIRONMENT = celpy.Environment()
"""made before any test draws examples: it raises the limit on recursion, which Hypothesis wants left alone"""


def decision(policy: dict[str, Any], service_account: dict[str, Any]) -> tuple[bool, str]:
    """Whether an object is admitted, and the message where it is not."""
    known = celtypes.MapType()
    activation = {"object": json_to_cel(service_account), "variables": known}

    def evaluated(expression: str) -> Any:
        return _ENVIRONMENT.program(_ENVIRONMENT.compile(expression)).evaluate(activation)

    for variable in policy["spec"]["variables"]:
        known[celtypes.StringType(variable["name"])] = evaluated(variable["expression"])
    for validation in policy["spec"]["validations"]:
        if not evaluated(validation["expression"]):
            text = validation.get("message") or str(evaluated(validation["messageExpression"]))
            return False, text
    return True, ""


def cost(expression: str, keys: list[str], names: list[str]) -> int:
    """More than an expression can cost: every step that it has, and `matches` for each key."""
    steps = len(re.findall(r"variables\.|object\.|metadata\.| in |[!=]=|\?|\|\||&&|\+|\[", expression)) * 2
    literals = 30 * expression.count("{") + 10 * expression.count("['")
    patterns = re.findall(r"matches\('([^']*)'\)", expression)
    searched = sum(math.ceil((len(key) + 1) * 0.1) * math.ceil(len(p) * 0.25) for key in keys for p in patterns)
    return steps + literals + searched + sum(math.ceil(len(name) * 0.1) for name in names) * 4
