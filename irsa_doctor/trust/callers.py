"""Whether a trust policy lets a role of AWS assume another, as the next link of a chain of roles.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_aws-accounts.html
"""

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from irsa_doctor.model import Text, parse_arn
from irsa_doctor.trust.holding import RequestContext, all_of, holds
from irsa_doctor.trust.policy import Policy, Statement, covering

CallerForm = Literal["role", "session", "account", "anyone", "deleted", "other", "hole"]
"""how an AWS principal names a caller; `deleted`: the unique id of a role or user that IAM no longer has"""

_MULTI = frozenset({"aws:tagkeys", "sts:transitivetagkeys", "aws:principalorgpaths"})
_UNIQUE_ID = re.compile(r"A(?:ROA|IDA)[A-Z0-9]{6,}")
_ACCOUNT = re.compile(r"\d{12}")


class RoleCaller(msgspec.Struct, frozen=True):
    """A session of a role that calls STS: the role's ARN, the name of the session ("" where it is not known), and what is known
    of the request, as for `holding.holds`."""

    role: str
    session: str = ""
    context: RequestContext = {}

    @property
    def account(self) -> str:
        """The account of the role, "" where its ARN is not valid."""
        arn = parse_arn(self.role)
        return arn.account if arn else ""

    @property
    def name(self) -> str:
        """The name of the role without its path."""
        return self.role.rpartition("/")[2]


class CallerAnswer(msgspec.Struct, frozen=True):
    """The answer of a trust policy to one caller and one action.

    `allowed`: None where it depends on what is not known of the request. `form` is how the statement that allows it names the
    caller: where that is its account, the policies of the caller have to allow the action too, in the same account as well.
    `denied`: a Deny statement forbids it.
    """

    allowed: bool | None
    form: CallerForm | None = None
    denied: bool = False


def caller_may(policy: Policy, action: str, caller: RoleCaller) -> CallerAnswer:
    """Whether the policy allows a session of a role an action such as sts:AssumeRole or sts:TagSession."""
    context = {**_context(caller), **caller.context}
    answers = [(s, _matches(policy, s, action, caller, context)) for s in policy.statements]
    denies = [answer for statement, answer in answers if not statement.allow]
    allows = {id(statement): answer for statement, answer in answers if statement.allow}
    form = next((form_of_caller(s, caller) for s, answer in answers if s.allow and answer is not False), None)
    if True in denies:
        return CallerAnswer(False, denied=True)
    if True in allows.values():
        direct = next(form_of_caller(s, caller) for s, answer in answers if s.allow and answer)
        return CallerAnswer(None if None in denies else True, direct)
    return CallerAnswer(None if None in allows.values() else False, form)


def form_of_caller(statement: Statement, caller: RoleCaller) -> CallerForm | None:
    """How a statement names a caller, the narrowest form first; None where it names others only."""
    forms = {_form(value, caller) for value in statement.aws} - {"other", "deleted"}
    return next((form for form in ("role", "session", "account", "anyone", "hole") if form in forms), None)


def names_deleted(policy: Policy) -> bool:
    """Whether a principal is the unique id of a role or user: IAM shows it where that was deleted, even if it was created
    again."""
    return any(isinstance(v, str) and _UNIQUE_ID.fullmatch(v) for s in policy.statements for v in s.aws)


def _form(value: object, caller: RoleCaller) -> CallerForm:
    if isinstance(value, Text) or not isinstance(value, str):
        return "hole"
    if value == "*":
        return "anyone"
    if value == caller.role:
        return "role"
    if value == caller.account or value.endswith(f"::{caller.account}:root"):
        return "account"
    if caller.account and f":sts::{caller.account}:assumed-role/{caller.name}/" in value:
        own = not caller.session or value.endswith(f"/{caller.session}")
        return "session" if own else "other"
    return "deleted" if _UNIQUE_ID.fullmatch(value) else "other"


def _context(caller: RoleCaller) -> RequestContext:
    """What is in every request of a role's session
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html)."""
    return {
        "aws:principalarn": (caller.role,),
        "aws:principalaccount": (caller.account,),
        "aws:principaltype": ("AssumedRole",),
        "aws:principalisawsservice": ("false",),
        "aws:securetransport": ("true",),
    }


def _matches(policy: Policy, statement: Statement, action: str, caller: RoleCaller, context: RequestContext) -> bool | None:
    form = form_of_caller(statement, caller)
    principal = None if form == "hole" else form is not None
    # the name of the session decides, and is not known
    if form == "session" and not caller.session:
        principal = None
    parts = [covering(statement, action), principal, None if statement.unseen else True]
    conditions: Iterable[bool | None] = (
        holds(c, context, variables=policy.variables, multi=_MULTI) for c in statement.conditions
    )
    return all_of([*parts, *conditions])
