"""Parses a trust policy: statements, principals, actions and conditions, with its problems.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from irsa_doctor.model import Text, TrustPolicy, has_hole, holes_in, text_of
from irsa_doctor.model.once import once
from irsa_doctor.trust.guards import guard_for, guard_problem
from irsa_doctor.trust.operators import OperatorUse, parse_operator
from irsa_doctor.trust.patterns import Glob, pieces_of, widest
from irsa_doctor.trust.refusals import DEFAULT_QUOTA, Problem, Problems, Steps, Value, document_size, pointer_steps, shown

__all__ = [
    "DEFAULT_QUOTA",
    "WEB_IDENTITY",
    "Condition",
    "Policy",
    "Problem",
    "Statement",
    "Value",
    "covering",
    "covers",
    "names_of_holes",
    "read_policy",
]

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"


class Condition(msgspec.Struct, frozen=True):
    """One key under one operator. `key` is in lower case ("" where it has a hole); `steps` lead to it in the document.

    Values are texts, numbers and Booleans by their string form (G4), and `Text` where a template left holes.
    """

    use: OperatorUse
    key: str
    raw_key: Value
    values: tuple[Value, ...]
    steps: Steps
    listed: bool = False
    """Whether the values are written as a list"""

    def steps_to(self, number: int) -> Steps:
        """The place of one of its values."""
        return (*self.steps, number) if self.listed else self.steps


class Statement(msgspec.Struct, frozen=True):
    """One statement; principals by type, actions as written.

    `unseen` names the holes of its structure (Effect, a whole Condition, ...) that leave open what it says; without
    `effect_seen` not even whether it allows or denies is known. Holes in values stay in the values. `points` are the contested
    ones that its writing raises: K2, G1.
    """

    index: int
    allow: bool
    federated: tuple[Value, ...]
    aws: tuple[Value, ...]
    service: tuple[Value, ...]
    actions: tuple[Value, ...]
    not_actions: tuple[Value, ...] | None
    conditions: tuple[Condition, ...]
    steps: Steps
    points: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    effect_seen: bool = True

    @property
    def hides_conditions(self) -> bool:
        """Whether it has conditions of unknown content, so that it may admit less than the others say."""
        return bool(self.unseen) or "" in [condition.key for condition in self.conditions]

    @property
    def covers_web_identity(self) -> bool:
        """Whether its actions, as far as they are known, include sts:AssumeRoleWithWebIdentity."""
        return _covering(self.actions, self.not_actions, WEB_IDENTITY) is True


class Policy(msgspec.Struct, frozen=True, dict=True):
    """A whole document. `variables`: its version has policy variables; `size` counts the characters that IAM counts."""

    variables: bool
    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...]
    size: int

    @property
    def refused(self) -> bool:
        """Whether IAM would not save it, as far as the text alone decides that."""
        return True in [problem.refused for problem in self.problems]

    @once
    def has_deny(self) -> bool:
        """Whether a statement surely denies something."""
        return any(statement.effect_seen and not statement.allow for statement in self.statements)

    def statements_on(self, provider_arn: str) -> Sequence[Statement]:
        """The statements that may speak of web identities of a provider, in order: that name it, have a hole for a principal,
        or deny everybody something."""
        return self._by_provider.get(provider_arn, self._on_any)

    @once
    def _on_any(self) -> Sequence[Statement]:
        return [statement for statement in self.statements if _may_name_any(statement)]

    @once
    def _by_provider(self) -> Mapping[str, Sequence[Statement]]:
        named: dict[str, list[Statement]] = {}
        for statement in self.statements:
            for provider in dict.fromkeys(value for value in statement.federated if isinstance(value, str)):
                named.setdefault(provider, []).append(statement)
        if not self._on_any:
            return named
        return {
            provider: sorted({id(s): s for s in (*listed, *self._on_any)}.values(), key=lambda s: s.index)
            for provider, listed in named.items()
        }


def _may_name_any(statement: Statement) -> bool:
    """Whether principals that it does not name may be meant all the same."""
    others = () if statement.allow else statement.aws
    return "*" in others or Text in [type(value) for value in (*statement.federated, *others)]


def covers(statement: Statement, action: str) -> bool:
    """Whether Action (or NotAction) of a statement, as far as it is known, includes an action."""
    return covering(statement, action) is True


def covering(statement: Statement, action: str) -> bool | None:
    """Whether Action (or NotAction) of a statement includes an action, None where that depends on a hole. Names are
    case-insensitive, with wildcards (A1)."""
    return _covering(statement.actions, statement.not_actions, action)


@lru_cache(maxsize=4096)
def _covering(actions: tuple[Value, ...], not_actions: tuple[Value, ...] | None, action: str) -> bool | None:
    matches = [_action_matches(entry, action) for entry in (actions if not_actions is None else not_actions)]
    hit = True if True in matches else None if None in matches else False
    return hit if not_actions is None or hit is None else not hit


def _action_matches(listed: Value, action: str) -> bool | None:
    fits = Glob(widest(pieces_of(listed, wildcards=True, variables=False)), ignore_case=True).matches(action)
    return None if fits and has_hole(listed) else fits


def names_of_holes(values: Iterable[object]) -> tuple[str, ...]:
    """The holes in values, as the document writes them."""
    return tuple(hole.name for value in values for hole in holes_in(value))


_TOP = frozenset({"Version", "Id", "Statement"})
_ELEMENTS = frozenset({"Sid", "Effect", "Principal", "Action", "NotAction", "Condition"})
_PRINCIPAL_TYPES = ("AWS", "Federated", "Service", "CanonicalUser")
_VERSIONS = ("2012-10-17", "2008-10-17")
_NAMELESS = '""'
"""a key that is an empty text is in no request; it is not one that has a hole"""
_Conditions = tuple[tuple[Condition, ...], bool, tuple[str, ...]]


def read_policy(source: TrustPolicy) -> Policy:
    """The policy of a document; whatever is wrong with it is a problem in the answer, never an exception.

    A duplicate member (a flaw of the source) is refused: which of the two IAM takes is not documented (G6). Template holes
    are not refused.
    """
    return _Reader(source).policy()


class _Reader:
    """Reads one document."""

    def __init__(self, source: TrustPolicy) -> None:
        self.source = source
        self.problems = Problems(source.flaws)
        for member in source.replaced:
            why = f"member `{member.name}` appears twice in one object, and Terraform takes the last one"
            self.problems.note("member-replaced", why, *pointer_steps(member.pointer))

    def policy(self) -> Policy:
        document = self.source.document
        if not isinstance(document, dict):
            if not self.source.flaws:
                self.problems.refuse("not-an-object", "a policy is a JSON object")
            return Policy(False, (), tuple(self.problems.listed), self.source.size)
        version = document.get("Version", "2008-10-17")
        if version not in _VERSIONS and not has_hole(version):
            self.problems.refuse("bad-version", f"Version is {shown(version)}, IAM knows 2012-10-17 and 2008-10-17", "Version")
        for name in () if _TOP.issuperset(document) else document:
            if name not in _TOP and not has_hole(name):
                self.problems.refuse("unknown-element", f"Syntax errors in policy: no element {shown(name)}", text_of(name))
        raws = self._raw_statements(document)
        statements = tuple(filter(None, [self._statement(raw, n, steps) for n, (raw, steps) in enumerate(raws)]))
        self.problems.of_sids(
            [(raw["Sid"], (*steps, "Sid")) for raw, steps in raws if isinstance(raw, dict) and raw.get("Sid") is not None]
        )
        size = self.source.size if self.source.size >= 0 else document_size(document)
        self.problems.of_text(document, size, plain=self.source.plain)
        if isinstance(version, Text):
            statements = tuple(_of_unknown_version(statement, version) for statement in statements)
        return Policy(version == "2012-10-17", statements, tuple(self.problems.listed), size)

    def _raw_statements(self, document: Mapping[str, object]) -> list[tuple[object, Steps]]:
        listed = document.get("Statement")
        if isinstance(listed, dict | Text):
            return [(listed, ("Statement",))]
        if isinstance(listed, list) and listed:
            return [(raw, ("Statement", n)) for n, raw in enumerate(listed)]
        self.problems.refuse("no-statement", "Syntax errors in policy: no Statement", "Statement")
        return []

    def _statement(self, raw: object, index: int, steps: Steps) -> Statement | None:
        if isinstance(raw, Text):
            hidden = names_of_holes((raw,))
            return Statement(index, False, (raw,), (), (), (raw,), None, (), steps, unseen=hidden, effect_seen=False)
        if not isinstance(raw, dict):
            self.problems.refuse("bad-statement", "a statement is a JSON object", *steps)
            return None
        self._elements(raw, steps)
        effect = raw.get("Effect")
        hidden = names_of_holes((effect,)) if has_hole(effect) else ()
        word = "" if hidden else self.problems.of_effect(effect, (*steps, "Effect"))
        principals = self._principals(raw, steps)
        conditions, two_spellings, unseen = self._conditions(raw, (*steps, "Condition"))
        if not word and not hidden:  # it neither gives nor takes anything
            return None
        statement = Statement(
            index,
            word == "Allow",
            principals.get("Federated", ()),
            principals.get("AWS", ()),
            principals.get("Service", ()),
            self._actions(raw, "Action", steps),
            self._actions(raw, "NotAction", steps) if "NotAction" in raw else None,
            conditions,
            steps,
            ("K2",) * two_spellings + ("G1",) * (word not in (effect, "")),
            (*hidden, *unseen),
            not hidden,
        )
        self._guards(statement)
        return statement

    def _guards(self, statement: Statement) -> None:
        """What the guards of shared issuers refuse; what is not seen may be what they ask for."""
        if not statement.allow or statement.hides_conditions:
            return
        for principal in statement.federated:
            guard = guard_for(principal) if isinstance(principal, str) else None
            if guard is None or not isinstance(principal, str) or not statement.covers_web_identity:
                continue
            checks = [(c.use, text_of(c.raw_key), c.values) for c in statement.conditions]
            if refusal := guard_problem(guard, principal, checks):
                self.problems.note(*refusal, *statement.steps, "Principal")

    def _elements(self, raw: Mapping[str, object], steps: Steps) -> None:
        for name in () if _ELEMENTS.issuperset(raw) else raw:
            if name in ("Resource", "NotResource"):
                self.problems.refuse("prohibited-resource", f"Has prohibited field {name}", *steps, name)
            elif name == "NotPrincipal":
                self.problems.refuse("not-principal", "Has prohibited field NotPrincipal", *steps, name)
            elif name not in _ELEMENTS and not has_hole(name):
                why = f"Syntax errors in policy: no element {shown(name)}"
                self.problems.refuse("unknown-element", why, *steps, text_of(name))
        if "NotAction" in raw and "Action" in raw:
            why = "Syntax errors in policy: Action and NotAction"
            self.problems.refuse("action-and-not-action", why, *steps, "NotAction")
        elif "NotAction" in raw:
            why = "whether IAM saves NotAction in a trust policy is not documented"
            self.problems.note("not-action", why, *steps, "NotAction")
        elif "Action" not in raw:
            self.problems.refuse("no-action", "Missing required field Action", *steps)

    def _principals(self, raw: Mapping[str, object], steps: Steps) -> dict[str, tuple[Value, ...]]:
        principal, place = raw.get("Principal"), (*steps, "Principal")
        if isinstance(principal, Text):
            return {"Federated": (principal,)}
        if isinstance(principal, dict):
            return self._principals_by_type(principal, place)
        if "Principal" not in raw:
            if "NotPrincipal" not in raw:
                self.problems.refuse("no-principal", "Missing required field Principal", *steps)
        elif principal == "*":
            why = 'AssumeRolepolicy contained an invalid principal: "STAR":"*".'
            self.problems.refuse("star-principal", why, *place)
        else:
            self.problems.refuse("bad-principal", "Principal is an object of principal types", *place)
        return {}

    def _principals_by_type(self, principal: Mapping[str, object], steps: Steps) -> dict[str, tuple[Value, ...]]:
        by_type: dict[str, tuple[Value, ...]] = {}
        for kind, listed in principal.items():
            place = (*steps, text_of(kind))
            if isinstance(kind, Text):
                # which type it is cannot be told, so it may be the one that matters
                by_type["Federated"] = (*by_type.get("Federated", ()), kind)
            elif kind not in _PRINCIPAL_TYPES:
                self.problems.refuse("bad-principal-type", f"no principal type {shown(kind)}", *place)
            else:
                values = self._values(listed, place)
                by_type[kind] = (*by_type.get(kind, ()), *values)
                self.problems.of_principals(kind, values, place)
        if not any(by_type.values()):
            why = "The passed in policy has a statement with no principals!"
            # that of a list is known from AWS's answers; an empty object has no effect where it is stored (P9)
            (self.problems.refuse if by_type else self.problems.note)("empty-principal", why, *steps)
        return by_type

    def _values(self, listed: object, steps: Steps) -> tuple[Value, ...]:
        """A scalar or a list of scalars, as text: true -> "true", 5 -> "5" (G4)."""
        if isinstance(listed, str):
            return (listed,)
        if isinstance(listed, list) and {type(item) for item in listed} == {str}:
            return tuple(listed)
        values: list[Value] = []
        kinds = set()
        for item in listed if isinstance(listed, list) else [listed]:
            if isinstance(item, str | Text):
                values.append(item)
            elif isinstance(item, bool):
                values.append("true" if item else "false")
            elif isinstance(item, int | float):
                values.append(str(item))
            else:
                self.problems.refuse("bad-value", "a value is text, a number or a boolean, or a list of these", *steps)
                continue
            kinds.add(bool if isinstance(item, bool) else str if isinstance(item, str | Text) else float)
        if len(kinds) > 1:
            why = "values of different JSON types in one list; each is taken by its text, which is not documented"
            self.problems.note("mixed-types", why, *steps)
        return tuple(values)

    def _actions(self, raw: Mapping[str, object], name: str, steps: Steps) -> tuple[Value, ...]:
        if name not in raw:
            return ()
        actions = self._values(raw[name], (*steps, name))
        self.problems.of_actions(actions, (*steps, name))
        return actions

    def _conditions(self, raw: Mapping[str, object], steps: Steps) -> _Conditions:
        """(the conditions, whether a key is written twice under one operator, holes in place of operators or their keys)"""
        block = raw.get("Condition", {})
        if not isinstance(block, dict):
            if not isinstance(block, Text):
                self.problems.refuse("bad-condition", "Condition is an object of operators", *steps)
            return (), False, names_of_holes((block,))
        conditions: list[Condition] = []
        unseen: list[str] = []
        two_spellings = False
        for name, keys in block.items():
            place = (*steps, text_of(name))
            use = parse_operator(name) if isinstance(name, str) else None
            if use is not None and isinstance(keys, dict):
                two_spellings |= self._keys(use, keys, place, conditions)
            elif has_hole(name) or has_hole(keys):
                unseen += names_of_holes((name, keys) if has_hole(keys) else (name,))
            elif use is None:
                self.problems.refuse("bad-operator", f"Invalid Condition type : {text_of(name)}", *place)
            else:
                self.problems.refuse("bad-condition", f"{text_of(name)} is an object of condition keys", *place)
        return tuple(conditions), two_spellings, tuple(unseen)

    def _keys(self, use: OperatorUse, keys: Mapping[Value, object], steps: Steps, conditions: list[Condition]) -> bool:
        """Add the conditions under one operator; returns whether a key is written in two spellings (K2)."""
        seen: set[str] = set()
        two_spellings = False
        for key, listed in keys.items():
            low = key.lower() or _NAMELESS if isinstance(key, str) else ""
            place = (*steps, text_of(key))
            if low and low in seen:
                two_spellings = True
                self.problems.note("two-spellings", f"{shown(key)} is there twice, in two spellings", *place)
            seen.add(low)
            values = self._values(listed, place)
            if use.operator.family != "string":
                self.problems.of_typed_values(use, values, place)
            conditions.append(Condition(use, low, key, values, place, isinstance(listed, list)))
        return two_spellings


def _of_unknown_version(statement: Statement, version: Text) -> Statement:
    """Whether `${...}` is a variable depends on the version (V6): where that is unknown, so is what it matches."""

    def seen(value: Value) -> Value:
        return version if "${" in text_of(value) else value

    conditions = tuple(
        msgspec.structs.replace(condition, values=tuple(map(seen, condition.values))) for condition in statement.conditions
    )
    return msgspec.structs.replace(statement, conditions=conditions)
