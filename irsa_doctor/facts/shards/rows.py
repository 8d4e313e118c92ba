"""What the shards of an organisation look up in each other: the records of one, each under the keys by which it is looked up.

The keys of a trust policy are those of everything that it may mean: what it means is worked out by whoever looks it up.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from irsa_doctor.facts.grants.principals import kin
from irsa_doctor.facts.workloads.token_paths import audiences_by_hand
from irsa_doctor.model import (
    Inventory,
    PodIdentityAssociation,
    Role,
    ServiceAccount,
    TrustPolicy,
    Workload,
    parse_arn,
)
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN
from irsa_doctor.trust.subjects import PREFIX

ANY_SUBJECT = "*"
"""stands for the subject of a policy of which no text says which subjects it names"""
_GENERAL = (
    *("clusters", "planned_clusters", "closed", "gaps", "organization", "discoveries", "signing_keys"),
    *("addons", "node_roles", "mapped_accounts"),
)
"""the collections of which every shard has all records"""
_DEEP = (
    *("account_templates", "chained_roles", "access_roles", "access_bindings", "associated_access", "auth_maps"),
    *("planned_providers", "alternatives"),
)
"""the collections that are followed over many records"""


def key_of(table: str, *names: str) -> int:
    """The number of a key in a table; keys of other names may have the same, so that what is there has to be compared."""
    text = "\0".join((table, *names)).encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)


class ShardRecord(msgspec.Struct, frozen=True):
    """A record with the keys under which others look it up."""

    keys: tuple[int, ...]
    record: object


class ClusterSubjectList(msgspec.Struct, frozen=True):
    """The subjects of the service accounts of one cluster: most who ask, ask for these alone."""

    cluster: str
    subjects: tuple[str, ...]


class ClusterAccounts(msgspec.Struct, frozen=True):
    """The service accounts of one cluster."""

    accounts: tuple[ServiceAccount, ...]


class ClusterWorkloads(msgspec.Struct, frozen=True):
    """The workloads of one cluster."""

    workloads: tuple[Workload, ...]


class SharedFacts(msgspec.Struct, frozen=True):
    """What every shard has of another: the records of small collections, and sums.

    `audiences` are those that service accounts request by annotation, and manifests that set up a web identity themselves, by
    cluster; `requested` those of all projected tokens.
    `users_of` are the clusters of its service accounts. `deep`: it has records that are followed over many others.
    """

    inventory: Inventory
    audiences: Mapping[str, tuple[str, ...]]
    requested: Mapping[str, tuple[str, ...]]
    users_of: tuple[str, ...]
    owners: tuple[str, ...]
    """the accounts and clusters that it has something of, and the issuers of these clusters"""
    deep: bool
    associated: bool
    """it has Pod Identity associations"""
    repeating: tuple[str, ...]
    """documents in which a member is repeated"""


def shared_facts(inventory: Inventory, repeating: Iterable[str] = ()) -> SharedFacts:
    """What all other shards have of the inventory of one; `repeating` are its documents in which a member is repeated."""
    named: dict[str, set[str]] = {}
    for account in inventory.service_accounts:
        if account.annotations and isinstance(value := account.annotations.get(AUDIENCE_ANNOTATION), str):
            named.setdefault(account.cluster, set()).add(value)
    requested = {cluster: set(values) for cluster, values in named.items()}
    for workload in inventory.workloads:
        if workload.tokens:
            by_hand = {audience for _, audience in audiences_by_hand(workload) if audience}
            if by_hand:
                named.setdefault(workload.cluster, set()).update(by_hand)
            requested.setdefault(workload.cluster, set()).update(token.audience for token in workload.tokens)
    return SharedFacts(
        Inventory(**{name: getattr(inventory, name) for name in _GENERAL}),
        {cluster: tuple(sorted(values)) for cluster, values in named.items()},
        {cluster: tuple(sorted(values)) for cluster, values in requested.items()},
        tuple(sorted({account.cluster for account in inventory.service_accounts})),
        tuple(sorted(set(_owners(inventory)))),
        is_deep(inventory),
        bool(inventory.associations),
        tuple(repeating),
    )


def _owners(inventory: Inventory) -> Iterator[str]:
    accounts = [role.account for role in inventory.roles] + [provider.account for provider in inventory.providers]
    for account in dict.fromkeys((*accounts, *(cluster.account for cluster in inventory.clusters))):
        if account:
            yield f"account {account}"
    for cluster in inventory.clusters:
        yield f"issuer {cluster.issuer}" if isinstance(cluster.issuer, str) else f"cluster {cluster.id}"
    names = [account.cluster for account in inventory.service_accounts] + [each.cluster for each in inventory.workloads]
    for name in dict.fromkeys(names):
        arn = parse_arn(name)
        yield f"account {arn.account}" if arn else f"cluster {name}"


def links_of(inventory: Inventory, of_policies: Iterable[str]) -> Iterator[str]:
    """The accounts and issuers that trust policies, service accounts, workloads, associations and mappings of principals name;
    the policies have these texts."""
    texts = set(of_policies)
    for user in _users(inventory):
        texts.update(role_arns_named(user))
    for item in inventory.associations:
        texts.update(value for value in (item.role_arn, item.target_role_arn) if isinstance(value, str))
    texts.update(row.arn for auth_map in inventory.auth_maps for row in auth_map.rows)
    texts.update(entry.principal for entry in inventory.access_entries)
    texts.update(access.principal for access in inventory.associated_access)
    for text in texts:
        arn = parse_arn(text)
        if arn and arn.account:
            yield f"account {arn.account}"
        if arn and arn.kind == "oidc-provider":
            yield f"issuer {arn.name}"


def is_deep(inventory: Inventory) -> bool:
    """Whether an inventory has records that are followed over many others: then what is connected is judged together."""
    templates = any(role.address or not role.arn for role in inventory.roles)
    loose = any(not each.cluster or each.unplaced for each in inventory.service_accounts)
    if loose or any(not rcp.account for rcp in inventory.rcps):
        return True
    return templates or not inventory.clouds.is_empty or any(getattr(inventory, name) for name in _DEEP)


def shard_records(inventory: Inventory, named: set[str]) -> Iterator[ShardRecord]:
    """The records of a shard that others look up one by one. The texts of trust policies are added to `named`."""
    for role in inventory.roles:
        texts = _texts(role.policy.document) if isinstance(role.policy, TrustPolicy) else set[str]()
        named.update(texts)
        if role.arn:
            yield ShardRecord(tuple(dict.fromkeys(_role_keys(role, texts))), role)
    for provider in inventory.providers:
        account, arn = provider.account, provider.arn
        keys = (key_of("provider", arn), key_of("kin", account, kin(arn)), key_of("providers", account))
        yield ShardRecord((*keys, key_of("issuer", provider.issuer)), provider)
    for user in _users(inventory):
        if roles := list(dict.fromkeys(role_arns_named(user))):
            accounts = dict.fromkeys(account_and_name(role)[0] for role in roles)
            of_accounts = (key_of("user-of", account) for account in accounts)
            yield ShardRecord((*(key_of("user", role) for role in roles), *of_accounts), user)
    for association in inventory.associations:
        yield ShardRecord(tuple(_association_keys(association)), association)
    yield from _blocks(inventory)


def _role_keys(role: Role, texts: set[str]) -> Iterator[int]:
    name = role.name.lower()
    yield from (key_of("role", role.account, name), key_of("name", name))
    if (names := account_and_name(role.arn)) != (role.account, name):
        yield key_of("role", *names)
    issuers = {trusted_issuer(text) for text in texts if ":oidc-provider/" in text}
    if not issuers:
        return
    subjects = {text for text in texts if text.startswith(PREFIX) and _HARD.isdisjoint(text)}
    together = "\0".join(texts)
    if "$" in together or "ignorecase" in together.lower():
        subjects.add(ANY_SUBJECT)
    yield from (key_of("trusted-issuer", issuer) for issuer in issuers)
    yield from (key_of("subject", issuer, subject) for issuer in issuers for subject in subjects)


def account_and_name(arn: str) -> tuple[str, str]:
    """The account and the name (in lower case) in the ARN of a role: no two roles of an account have one name, whatever their
    paths (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html)."""
    return "".join(arn.split(":", 5)[4:5]), arn.rpartition("/")[2].lower()


def trusted_issuer(provider: str) -> str:
    """The issuer in the ARN of a provider; a text that is no ARN stands for itself."""
    arn = parse_arn(provider)
    return arn.name if arn else provider


_HARD = frozenset("*?$")


def _texts(value: object) -> set[str]:
    """Every text in a JSON value, names of members too."""
    texts: set[str] = set()
    waiting = [[value]]
    while waiting:
        for each in waiting.pop():
            # most values are texts, and there are very many
            if isinstance(each, str):
                texts.add(each)
            elif isinstance(each, dict):
                texts.update(each)
                waiting.append(list(each.values()))
            elif isinstance(each, list | tuple):
                waiting.append(list(each))
    return texts


def role_arns_named(user: ServiceAccount | Workload) -> Iterable[str]:
    """The role ARNs that a service account names by annotation, or a workload in its environment."""
    values = (
        [user.annotations.get(ROLE_ARN)]
        if isinstance(user, ServiceAccount)
        else [container.env.get("AWS_ROLE_ARN") for container in user.containers]
    )
    return [value for value in values if isinstance(value, str) and value]


def _users(inventory: Inventory) -> Iterator[ServiceAccount | Workload]:
    yield from inventory.service_accounts
    yield from inventory.workloads


def _association_keys(item: PodIdentityAssociation) -> Iterator[int]:
    namespace, name = item.namespace, item.service_account
    if isinstance(item.role_arn, str) and item.role_arn:
        yield key_of("role-association", item.role_arn)
    if isinstance(item.target_role_arn, str) and item.target_role_arn:
        yield key_of("target-association", item.target_role_arn)
    if isinstance(namespace, str) and isinstance(name, str):
        yield key_of("association-name", namespace, name)
        if isinstance(item.cluster, str):
            yield key_of("association", item.cluster, namespace, name)


def _blocks(inventory: Inventory) -> Iterator[ShardRecord]:
    """The service accounts and workloads of each cluster, and the names of the roles of each account."""
    accounts: dict[str, list[ServiceAccount]] = {}
    workloads: dict[str, list[Workload]] = {}
    names: dict[str, list[str]] = {}
    for account in inventory.service_accounts:
        accounts.setdefault(account.cluster, []).append(account)
    for workload in inventory.workloads:
        workloads.setdefault(workload.cluster, []).append(workload)
    for role in inventory.roles:
        if role.arn:
            names.setdefault(role.account, []).append(role.arn)
    for cluster, several in accounts.items():
        subjects = ClusterSubjectList(cluster, tuple(dict.fromkeys(account.subject for account in several)))
        yield ShardRecord((key_of("cluster-subjects", cluster),), subjects)
        yield ShardRecord((key_of("cluster-accounts", cluster),), ClusterAccounts(tuple(several)))
    for cluster, running in workloads.items():
        yield ShardRecord((key_of("cluster-workloads", cluster),), ClusterWorkloads(tuple(running)))
    for owner, arns in names.items():
        yield ShardRecord((key_of("names", owner), key_of("all-names")), (owner, tuple(arns)))
