"""The roles of an inventory, each analysed when it is first looked at, and tables of them that analyse none."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar, overload

from irsa_doctor.facts.roles.mentions import Mentions
from irsa_doctor.facts.roles.role import AnalysedRole
from irsa_doctor.model import Role, parse_arn
from irsa_doctor.trust.languages import Finite
from irsa_doctor.trust.subjects import PREFIX

_Key = TypeVar("_Key")
_Other = TypeVar("_Other")


class AnalysedRoles(Sequence[AnalysedRole]):
    """The roles of an inventory in order of reading: where several processes share them, each analyses those that it judges and
    those that these hang on."""

    def __init__(self, roles: Sequence[Role], analysed: Callable[[Role], AnalysedRole]) -> None:
        self._roles = roles
        self._analysed = analysed
        self._known: list[AnalysedRole | None] = [None] * len(roles)

    @overload
    def __getitem__(self, index: int) -> AnalysedRole: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[AnalysedRole, ...]: ...

    def __getitem__(self, index: int | slice) -> AnalysedRole | tuple[AnalysedRole, ...]:
        if isinstance(index, slice):
            return tuple([self[number] for number in range(len(self))[index]])
        known = self._known[index]
        if known is None:
            known = self._known[index] = self._analysed(self._roles[index])
        return known

    def __iter__(self) -> Iterator[AnalysedRole]:
        return map(self.__getitem__, range(len(self)))

    def __len__(self) -> int:
        return len(self._roles)


class RoleByKey(Mapping[_Key, AnalysedRole]):
    """Roles by a key that one role alone has."""

    def __init__(self, roles: Sequence[AnalysedRole], numbers: Mapping[_Key, int]) -> None:
        self._roles = roles
        self.numbers = numbers
        """key -> the number of the role in order of reading"""

    def __getitem__(self, key: _Key) -> AnalysedRole:
        return self._roles[self.numbers[key]]

    @overload
    def get(self, key: _Key, /) -> AnalysedRole | None: ...

    @overload
    def get(self, key: _Key, /, default: AnalysedRole | _Other) -> AnalysedRole | _Other: ...

    def get(self, key: _Key, /, default: object = None) -> object:
        """The role of a key, `default` where there is none."""
        number = self.numbers.get(key)
        return default if number is None else self._roles[number]

    def __contains__(self, key: object) -> bool:
        return key in self.numbers

    def __iter__(self) -> Iterator[_Key]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


class RolesByKey(Mapping[_Key, Sequence[AnalysedRole]]):
    """Roles by a key that several may have."""

    def __init__(self, roles: Sequence[AnalysedRole], numbers: Mapping[_Key, Sequence[int]]) -> None:
        self._roles = roles
        self._numbers = numbers

    def __getitem__(self, key: _Key) -> Sequence[AnalysedRole]:
        return [self._roles[number] for number in self._numbers[key]]

    def __contains__(self, key: object) -> bool:
        return key in self._numbers

    def __iter__(self) -> Iterator[_Key]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class TrustedByName(Mapping[tuple[str, str], Sequence[AnalysedRole]]):
    """(issuer, subject of a service account) -> the roles that admit exactly this subject by name, one that does so by two
    providers twice. Only roles that may do so are analysed for it."""

    def __init__(self, roles: Sequence[AnalysedRole], mentions: Mentions) -> None:
        self._roles = roles
        self._mentions = mentions

    def __getitem__(self, key: tuple[str, str]) -> Sequence[AnalysedRole]:
        if trusting := self.get(key):
            return trusting
        raise KeyError(key)

    def get(self, key: tuple[str, str], default: Sequence[AnalysedRole] = ()) -> Sequence[AnalysedRole]:  # type: ignore[override]
        """The roles, by their ids, so that it hangs on no file which is the first; `default` where there are none."""
        mentioning = self._mentions.by_subject.get(key[1], ())
        numbers = [number for number in mentioning for _ in range(_times_admitted(self._roles[number], *key))]
        if computing := self._computing.get(key):
            numbers += computing
        return sorted([self._roles[number] for number in numbers], key=id_of) or default

    @cached_property
    def _computing(self) -> Mapping[tuple[str, str], Sequence[int]]:
        """What is looked up, of the roles whose text does not say it."""
        table: dict[tuple[str, str], list[int]] = {}
        for number in self._mentions.computing:
            for named in _admitted_by_name(self._roles[number]):
                table.setdefault(named, []).append(number)
        return table

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(dict.fromkeys(named for role in self._roles for named in _admitted_by_name(role)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def id_of(analysed: AnalysedRole) -> str:
    """The id of a role."""
    return analysed.role.id


def _times_admitted(analysed: AnalysedRole, issuer: str, subject: str) -> int:
    """By how many of its providers a role admits a service account of an issuer by name."""
    times = 0
    modelled, issuer, subject = analysed.modelled(issuer, subject)
    for provider, admits in modelled.by_provider.items():
        if isinstance(admits.subjects, Finite) and subject in admits.subjects.values and subject.startswith(PREFIX):
            arn = parse_arn(provider)
            times += arn is not None and arn.name == issuer
    return times


def _admitted_by_name(analysed: AnalysedRole) -> Iterator[tuple[str, str]]:
    """(issuer, subject) of the service accounts that a role admits by name, by each of its providers."""
    for provider, admits in analysed.by_provider.items():
        arn = parse_arn(provider)
        if arn and isinstance(admits.subjects, Finite):
            for subject in admits.subjects.values:
                if subject.startswith(PREFIX):
                    yield arn.name, subject
