"""What permission policies of a role or user (inline and managed) say of one action on one resource.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from irsa_doctor.model import Text, TrustPolicy, text_of
from irsa_doctor.trust.holding import RequestContext, all_of, holds
from irsa_doctor.trust.patterns import Glob, Piece, Plain, Variable, Wild, pieces_of, widest
from irsa_doctor.trust.policy import Condition, Statement, Value, covering, read_policy

_ANYBODY = {"AWS": "*"}
_ARN_PARTS = 6
# problems that leave it open what a statement says; those of actions and of size are of trust policies alone
_STRUCTURE = frozenset(
    {
        *("bad-condition", "bad-effect", "bad-operator", "bad-statement", "bad-value", "bad-version", "duplicate-member"),
        *("action-and-not-action", "no-action", "no-statement", "not-an-object", "unknown-element"),
    }
)
_MULTI = frozenset({"aws:tagkeys", "sts:transitivetagkeys", "aws:principalservicenameslist"})

PermissionAnswer = Literal["allowed", "denied", "not-allowed"]
"""what permission policies say: an Allow matches and no Deny; a Deny matches; neither matches"""


class PermissionStatement(msgspec.Struct, frozen=True):
    """One statement of a permission policy; `resources` are its Resource or, with `excludes`, its NotResource."""

    statement: Statement
    resources: tuple[Value, ...]
    excludes: bool = False


class PermissionPolicy(msgspec.Struct, frozen=True):
    """A permission policy. `readable` is False where its document is not a policy: what it says is then not known."""

    statements: tuple[PermissionStatement, ...]
    variables: bool
    readable: bool = True


class PermissionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One action (`sts:AssumeRole`) on one resource (the ARN of a role).

    `context` is what is known of the request, keys in lower case, as for `holding.holds`: a condition on any other key leaves
    the answer open. `present` are keys that are surely there with a value that is not known.
    """

    action: str
    resource: str
    context: RequestContext = {}
    present: frozenset[str] = frozenset()


def read_permissions(source: TrustPolicy) -> PermissionPolicy:
    """The permission policy of a document. Never raises: where the text is not a policy, `readable` is False.

    Effect, actions and conditions have the form that they have in a trust policy, and are read by the same reader.
    """
    document = source.document
    if source.flaws or not isinstance(document, dict):
        return PermissionPolicy((), True, False)
    listed = document.get("Statement")
    raws: Sequence[object] = listed if isinstance(listed, list) else [listed]
    statements = [_as_of_trust(raw) for raw in raws]
    policy = read_policy(msgspec.structs.replace(source, document={**document, "Statement": statements}))
    readable = bool(raws) and not any(problem.refused and problem.code in _STRUCTURE for problem in policy.problems)
    return PermissionPolicy(tuple(_statement(raws[s.index], s) for s in policy.statements), policy.variables, readable)


def allows_everything(source: TrustPolicy) -> bool:
    """Whether a statement of a permission policy allows every action on every resource, under no condition."""
    # hardly any policy names every resource, and most accounts have one for each role
    return _names_everything(source.document) and any(
        s.statement.allow
        and not s.statement.conditions
        and not s.statement.not_actions
        and not s.excludes
        and "*" in s.resources
        and not {"*", "*:*"}.isdisjoint(map(text_of, s.statement.actions))
        for s in read_permissions(source).statements
    )


def _names_everything(document: object) -> bool:
    """Whether the text `*` stands somewhere in a document; what cannot be encoded is looked at closely."""
    try:
        return b'"*"' in msgspec.json.encode(document)
    except (TypeError, ValueError, RecursionError):
        return True


def _as_of_trust(raw: object) -> object:
    """A statement as the reader of trust policies takes it."""
    if not isinstance(raw, dict):
        return raw
    return {name: value for name, value in raw.items() if name not in ("Resource", "NotResource")} | {"Principal": _ANYBODY}


def _statement(raw: object, statement: Statement) -> PermissionStatement:
    members: Mapping[str, object] = raw if isinstance(raw, dict) else {"Resource": raw}
    excludes = "NotResource" in members
    listed = members.get("NotResource" if excludes else "Resource")
    values = listed if isinstance(listed, list) else [listed]
    return PermissionStatement(statement, tuple(v for v in values if isinstance(v, str | Text)), excludes)


def permission_answer(policies: Iterable[PermissionPolicy], request: PermissionRequest) -> PermissionAnswer | None:
    """What all permission policies of a principal together say of a request; None where it is not known.

    A Deny of any policy decides first. "allowed" and "not-allowed" are right only where `policies` are all that the principal
    has; "denied" is right in any case. Permissions boundaries, session policies and policies of Organizations are not part of
    it. In one account a trust policy that names the principal itself needs no Allow here, and "not-allowed" is then no refusal
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-resource.html).
    """
    listed = list(policies)
    answers = [(s.statement, _matches(policy, s, request)) for policy in listed for s in policy.statements]
    allows = [answer for statement, answer in answers if statement.allow or not statement.effect_seen]
    denies = [answer for statement, answer in answers if not statement.allow]
    if True in denies:
        return "denied"
    if None in denies or not all(policy.readable for policy in listed):
        return None
    return "allowed" if True in allows else None if None in allows else "not-allowed"


def deciding_policies(policies: Sequence[PermissionPolicy], request: PermissionRequest) -> tuple[int, ...]:
    """The numbers of the policies that decide a request: those that deny it, else those that allow it."""
    answers = [permission_answer([policy], request) for policy in policies]
    kind = "denied" if "denied" in answers else "allowed"
    return tuple(number for number, answer in enumerate(answers) if answer == kind)


def _matches(policy: PermissionPolicy, listed: PermissionStatement, request: PermissionRequest) -> bool | None:
    statement = listed.statement
    conditions = [_holds(policy, condition, request) for condition in statement.conditions]
    hidden: list[bool | None] = [None] if statement.unseen or not statement.effect_seen else []
    return all_of([covering(statement, request.action), _covers_resource(policy, listed, request), *conditions, *hidden])


def _holds(policy: PermissionPolicy, condition: Condition, request: PermissionRequest) -> bool | None:
    context = request.context
    if condition.use.operator.family == "null" and condition.key in request.present:
        context = {**context, condition.key: ("present",)}
    return holds(condition, context, variables=policy.variables, multi=_MULTI)


def _covers_resource(policy: PermissionPolicy, listed: PermissionStatement, request: PermissionRequest) -> bool | None:
    if not listed.resources:
        return None
    answers = [_is_resource(value, policy.variables, request) for value in listed.resources]
    hit = True if True in answers else None if None in answers else False
    return hit if not listed.excludes or hit is None else not hit


def _is_resource(value: Value, variables: bool, request: PermissionRequest) -> bool | None:
    """Whether a value of Resource is the resource; None for placeholders, variables without a known value, and where it depends
    on whether a wildcard reaches past a colon, on which AWS's page and its examples differ
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html)."""
    if value == "*":
        return True
    pieces = tuple(_filled(piece, request.context) for piece in pieces_of(value, wildcards=True, variables=variables))
    whole = Glob(widest(pieces)).matches(request.resource)
    if not whole:
        return False
    open_pieces = any(not isinstance(piece, str | Wild) for piece in pieces)
    return True if not open_pieces and _by_component(pieces, request.resource) else None


def _filled(piece: Piece, context: RequestContext) -> Piece:
    """A policy variable with the value that it has in the request, where that is known."""
    values = context.get(piece.key, ()) if isinstance(piece, Variable) else ()
    return values[0] if len(values) == 1 else piece


def _by_component(pieces: Sequence[Piece], resource: str) -> bool:
    """Whether the pieces fit with wildcards that stay within a component of the ARN, but for the last that is written."""
    plain = [piece for piece in pieces if isinstance(piece, str | Wild)]
    colons = sum(piece.count(":") for piece in plain if isinstance(piece, str))
    components: list[list[Plain]] = [[]]
    for piece in plain:
        first, *others = piece.split(":", _ARN_PARTS - len(components)) if isinstance(piece, str) else (piece,)
        components[-1].append(first)
        components += [[other] for other in others]
    values = resource.split(":", min(colons, _ARN_PARTS - 1))
    return len(values) == len(components) and all(
        Glob(tuple(component)).matches(value) for component, value in zip(components, values, strict=True)
    )
