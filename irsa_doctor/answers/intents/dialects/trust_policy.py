"""The trust policies alone, one JSON file a role."""

from irsa_doctor.answers.intents.dialects.written import Choices, Writing, indented_json, made_file
from irsa_doctor.answers.intents.plan import IntentPlan

_NAME = "trust-policy"


def trust_policy(plan: IntentPlan, choices: Choices) -> Writing:
    """A document for `aws iam create-role --assume-role-policy-document file://...` for each role."""
    files = [made_file(f"{_NAME}/{role.account}/{role.name}.json", _NAME, indented_json(role.policy)) for role in plan.roles]
    pieces = {file.path: [(role.role, file.text)] for role, file in zip(plan.roles, files, strict=True)}
    return Writing(files=tuple(files), addresses={parts[0][0]: path for path, parts in pieces.items()}, pieces=pieces)
