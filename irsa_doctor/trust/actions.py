"""What the actions of a statement are for.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
"""

from collections.abc import Iterator
from typing import Literal

from irsa_doctor.model import text_of
from irsa_doctor.trust.policy import WEB_IDENTITY, Policy, Statement
from irsa_doctor.trust.refusals import action_spelling, is_refused_action

ActionForm = Literal["web-identity", "assume-role", "typo", "other", "hole"]
"""what a statement allows; `other` beside a statement that allows web identity, else `assume-role`"""


def action_form(statement: Statement, policy: Policy) -> ActionForm:
    """What a statement allows."""
    if statement.covers_web_identity:
        return "web-identity"
    if any(not isinstance(action, str) for action in statement.actions):
        return "hole"
    if any(is_refused_action(text_of(action)) for action in statement.actions):
        return "typo"
    of_web_identity = [s for s in policy.statements if s.allow and s.covers_web_identity]
    companions = [other for other in of_web_identity if not set(other.federated).isdisjoint(statement.federated)]
    return "other" if _is_beside(statement, companions) else "assume-role"


OF_SESSIONS = ("sts:TagSession", "sts:SetSourceIdentity")
"""actions without which nobody gets a session with tags or a source identity; they may stand in a statement of their own"""


def _is_beside(statement: Statement, companions: list[Statement]) -> bool:
    """Whether others allow web identity to those that a statement names, so that nobody misses it there."""
    named = _subjects(statement)
    if statement.not_actions is None and {text_of(action).lower() for action in statement.actions} <= set(
        map(str.lower, OF_SESSIONS)
    ):
        named = frozenset(subject for subject in named if "*" not in subject and "?" not in subject)
    return any(not (others := _subjects(other)) or named <= others for other in companions)


def _subjects(statement: Statement) -> frozenset[str]:
    """The subjects that a statement asks for; nothing where it names none."""
    asked = [c for c in statement.conditions if c.key.endswith(":sub") and not c.use.operator.negated]
    return frozenset(text_of(value) for condition in asked for value in condition.values)


ActionDefect = Literal["action-other", "action-unknown", "action-spelling"]
_RIGHT = (WEB_IDENTITY,)


def action_defects(statement: Statement, form: ActionForm) -> Iterator[tuple[ActionDefect, str, str]]:
    """(what is wrong, the action, the element that it is in) for the actions of a statement that is for web identity, or was
    meant to be; of other spellings than that of the service those count that IAM is known to refuse."""
    if form == "web-identity" and statement.actions != _RIGHT:
        for action in statement.actions:
            if isinstance(action, str) and action_spelling(action) == "refused":
                yield "action-spelling", action, "Action"
    if form not in ("typo", "assume-role"):
        return
    listed = [text_of(action) for action in (statement.not_actions or statement.actions)]
    wrong = next((action for action in listed if form == "typo" and is_refused_action(action)), "")
    element = "Action" if statement.not_actions is None else "NotAction"
    yield ("action-unknown" if form == "typo" else "action-other"), wrong or ", ".join(listed), element
