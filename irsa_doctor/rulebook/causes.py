"""Causes: why a credential is refused or wrong, from the rule files and from `causes/`."""

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from graphlib import TopologicalSorter
from pathlib import Path

import msgspec

from irsa_doctor.rulebook.cause_block import CauseBlock
from irsa_doctor.rulebook.rules import Reference, Rule, shipped_rules

_INDEX = Path(__file__).parent / "causes_index.json"


class Cause(CauseBlock, frozen=True, kw_only=True):
    """One cause. `rule`: a rule finds it in files, and its finding has the better words."""

    id: str
    title: str
    remedy: str
    why: str = ""
    references: tuple[Reference, ...] = ()
    rule: bool = False

    @property
    def url(self) -> str:
        """The first reference, "" where there is none."""
        return self.references[0].url if self.references else ""

    @property
    def for_runs(self) -> "Cause":
        """The cause in its words for the token of a run."""
        words = {name: value for name in self.run.__struct_fields__ if (value := getattr(self.run, name))}
        return msgspec.structs.replace(self, **words)


def cause_of(rule: Rule) -> Cause | None:
    """What a rule knows of the cause that it finds, None where it says nothing of why a credential fails."""
    if rule.cause is None:
        return None
    fields = {name: getattr(rule.cause, name) for name in rule.cause.__struct_fields__}
    return Cause(
        id=rule.id,
        title=rule.title,
        why=rule.why.strip(),
        remedy=rule.remedy.strip(),
        references=tuple(rule.references),
        rule=True,
        **fields,
    )


class Causes:
    """Causes by id, by sign and by link, in the order in which they are named; shipped ones and those of private rules."""

    def __init__(self, rules: Iterable[Rule], own: Iterable[Cause] = ()) -> None:
        named = [cause for rule in rules if (cause := cause_of(rule))]
        self.by_id: Mapping[str, Cause] = ordered([*named, *own])

    @cached_property
    def by_sign(self) -> Mapping[str, tuple[Cause, ...]]:
        """The causes that a sign speaks for."""
        listed: dict[str, list[Cause]] = {}
        for cause in self.by_id.values():
            for sign in cause.signs:
                listed.setdefault(sign, []).append(cause)
        return {sign: tuple(causes) for sign, causes in listed.items()}

    @cached_property
    def by_link(self) -> Mapping[str, tuple[Cause, ...]]:
        """The causes that break a link."""
        listed: dict[str, list[Cause]] = {}
        for cause in self.by_id.values():
            listed.setdefault(cause.link, []).append(cause)
        return {link: tuple(causes) for link, causes in listed.items()}

    def link_of(self, ident: str) -> str:
        """The link that a cause breaks, "" where the id is that of no cause."""
        return self.by_id[ident].link if ident in self.by_id else ""


def ordered(causes: Iterable[Cause]) -> dict[str, Cause]:
    """Causes by id, each after those that it comes `after`, else alphabetically; raises graphlib.CycleError."""
    known = {cause.id: cause for cause in sorted(causes, key=lambda cause: cause.id)}
    sorter = TopologicalSorter({ident: [other for other in cause.after if other in known] for ident, cause in known.items()})
    return {ident: known[ident] for ident in sorter.static_order()}


@cache
def shipped_causes() -> Causes:
    """The built-in causes, from the indexes that were verified when they were made."""
    return Causes(shipped_rules(), msgspec.json.decode(_INDEX.read_bytes(), type=list[Cause]))


def all_causes() -> Mapping[str, Cause]:
    """Every built-in cause by id."""
    return shipped_causes().by_id


def causes_of_sign(sign: str) -> tuple[Cause, ...]:
    """The built-in causes that a sign speaks for, in order."""
    return shipped_causes().by_sign.get(sign, ())
