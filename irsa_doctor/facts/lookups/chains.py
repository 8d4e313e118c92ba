"""Chains of roles that the files configure: who begins each, and its steps, by the role that a step reaches."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property

import msgspec

from irsa_doctor.model import ChainedRole, Inventory, Place, ServiceAccount, Workload, is_role_arn
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.trust.services import RoleCall

_ASSUME, _TAG = "sts:AssumeRole", "sts:TagSession"
_Key = tuple[str, str, str]


class ChainStep(msgspec.Struct, frozen=True, kw_only=True):
    """A role that assumes another: the call, the role that it is for, the actions that both sides have to allow.

    `source` is what configures it, in words, at `place`. `presumed`: it is one of several callers that it may be, or the role
    may be had without it.
    """

    call: RoleCall
    target: str
    actions: tuple[str, ...]
    source: str
    place: Place
    presumed: bool = False


def steps_of(chained: ChainedRole, caller: str, *, tags: bool, presumed: bool = False) -> Iterator[ChainStep]:
    """The steps of a chain that a role begins; a role that assumes itself needs no step where it may. `tags`: the session of
    that role has transitive tags, which every role of the chain gets."""
    caller = chained.first or caller
    actions = (_ASSUME, _TAG) if tags or chained.tagged else (_ASSUME,)
    for number, target in enumerate(chained.chain if is_role_arn(caller) else ()):
        if target != caller:
            call = RoleCall(caller, _known(chained, is_last=number == len(chained.chain) - 1))
            yield ChainStep(
                call=call, target=target, actions=actions, source=chained.source, place=chained.place, presumed=presumed
            )
        caller = target


def _known(chained: ChainedRole, *, is_last: bool) -> Mapping[str, tuple[str, ...]]:
    """What is known of the request: the external id is that of the last step, and an earlier one may have its own."""
    if not is_last or chained.external_id is None:
        return {}
    return {"sts:externalid": (chained.external_id,) if chained.external_id else ()}


def uses_file(chained: ChainedRole, workload: Workload) -> bool:
    """Whether a workload mounts the configuration file of a chain and uses the profile that it is of."""
    if not chained.config_map or chained.config_map not in workload.config_maps:
        return False
    profiles = {value for c in workload.containers if isinstance(value := c.env.get("AWS_PROFILE"), str)}
    return not chained.profile or chained.profile in (profiles or {"default"})


class Chains(msgspec.Struct, frozen=True, dict=True):
    """The chains of one inventory."""

    inventory: Inventory

    @cached_property
    def by_target(self) -> Mapping[str, tuple[ChainStep, ...]]:
        """ARN of a role -> the steps that reach it, each caller once."""
        table: dict[str, dict[tuple[str, tuple[str, ...], bool], ChainStep]] = {}
        for chained in self.inventory.chained_roles:
            callers = sorted(self._callers(chained))
            presumed = chained.by_token or ("*" in chained.accounts and len(callers) > 1)
            for caller, tags in callers:
                for step in steps_of(chained, caller, tags=tags, presumed=presumed):
                    key = step.call.role, step.actions, step.presumed
                    table.setdefault(step.target, {}).setdefault(key, step)
        return {target: tuple(steps.values()) for target, steps in table.items()}

    def _callers(self, chained: ChainedRole) -> set[tuple[str, bool]]:
        """(role that begins a chain, whether its session has tags)."""
        if chained.first:
            return {(chained.first, False)}
        if chained.accounts:
            return self._identities_of(chained.cluster, chained.namespace, chained.accounts)
        using = self._mounting.get((chained.cluster, chained.namespace, chained.config_map), ())
        keys = [(w.cluster, w.namespace, w.service_account) for w in using if uses_file(chained, w)]
        return {identity for key in keys for identity in self._identities(key)}

    def _identities_of(self, cluster: str, namespace: str, pattern: str) -> set[tuple[str, bool]]:
        known = self._by_pattern.get((cluster, namespace, pattern))
        if known is None:
            keys = [key for key in self._keys_of(cluster, namespace, pattern) if fnmatchcase(key[2], pattern)]
            known = {identity for key in keys for identity in self._identities(key)}
            self._by_pattern[cluster, namespace, pattern] = known
        return known

    def _keys_of(self, cluster: str, namespace: str, pattern: str) -> Iterator[_Key]:
        """The service accounts among which those of a pattern are."""
        if namespace and "*" not in pattern:
            yield cluster, namespace, pattern
            return
        keys = self._named.get((cluster, pattern), ()) if "*" not in pattern else self._accounts.get(cluster, ())
        yield from (key for key in keys if namespace in ("", key[1]))

    def _identities(self, key: _Key) -> Iterator[tuple[str, bool]]:
        """The role that a service account gets: of its association, else of its annotation."""
        association = self.inventory.association_by_key.get(key)
        if association is not None:
            supplied = association.target_role_arn or association.role_arn
            if isinstance(supplied, str) and supplied:
                yield supplied, association.session_tags is True
            return
        account = self.inventory.service_account_by_key.get(key)
        role = account.annotations.get(ROLE_ARN) if account else ""
        if isinstance(role, str) and role:
            yield role, False

    @cached_property
    def _by_pattern(self) -> dict[_Key, set[tuple[str, bool]]]:
        return {}

    @cached_property
    def _accounts(self) -> Mapping[str, tuple[_Key, ...]]:
        """Cluster id -> the service accounts of it."""
        table: dict[str, dict[_Key, None]] = {}
        for key in self._all_keys():
            table.setdefault(key[0], {})[key] = None
        return {cluster: tuple(keys) for cluster, keys in table.items()}

    @cached_property
    def _named(self) -> Mapping[tuple[str, str], tuple[_Key, ...]]:
        """(cluster id, name) -> the service accounts of this name."""
        table: dict[tuple[str, str], dict[_Key, None]] = {}
        for key in self._all_keys():
            table.setdefault((key[0], key[2]), {})[key] = None
        return {pair: tuple(keys) for pair, keys in table.items()}

    def _all_keys(self) -> Iterator[_Key]:
        accounts: tuple[ServiceAccount, ...] = self.inventory.service_accounts
        yield from ((account.cluster, account.namespace, account.name) for account in accounts)
        for cluster, namespace, name in self.inventory.association_by_key:
            if isinstance(cluster, str) and isinstance(namespace, str) and isinstance(name, str):
                yield cluster, namespace, name

    @cached_property
    def _mounting(self) -> Mapping[_Key, tuple[Workload, ...]]:
        """(cluster id, namespace, config map) -> the workloads that mount it."""
        table: dict[_Key, list[Workload]] = {}
        for workload in self.inventory.workloads:
            for name in dict.fromkeys(workload.config_maps):
                table.setdefault((workload.cluster, workload.namespace, name), []).append(workload)
        return {key: tuple(workloads) for key, workloads in table.items()}
