"""Asks parliament, a linter, which policies IAM would refuse; it decides no request, so that everything else is `undecided`."""

import json
import sys

import parliament

SHAPE = frozenset({"MALFORMED", "INVALID_ARN", "UNKNOWN_OPERATOR", "UNKNOWN_PRINCIPAL", "UNKNOWN_ACTION", "UNKNOWN_PREFIX"})
"""findings about what IAM would not save"""

for line in sys.stdin:
    vector = json.loads(line)
    policy = parliament.analyze_policy_string(json.dumps(vector["policy"]))
    refused = any(finding.issue in SHAPE for finding in policy.findings)
    print(json.dumps({"id": vector["id"], "decision": "invalid" if refused else "undecided"}), flush=True)
