"""Tables over an inventory: each is one of all shards in an audit, or says why its own shard is enough."""

from functools import cached_property

from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.shards.inventory import ShardInventory
from irsa_doctor.facts.shards.view import ShardView
from irsa_doctor.model import Inventory

OF_ONE_SHARD = {
    "accounts_called": "found by the place of a finding, which is in the own shard",
    "annotated_workloads": "the service accounts of the own clusters alone",
    "cases_by_id": "roles of templates: what is connected with them is one shard",
    "chains": "shards with role chains are joined",
    "clouds": "shards with identities of other clouds are joined",
    "contradictions_of": "documents about one thing are in one shard",
    "expected_tokens": "remembers what was worked out",
    "facts_of_ordinary": "remembers what was worked out",
    "first_of_account": "an account is in one shard",
    "installations": "the nodes and add-ons of all shards are in each",
    "corrections": "remembers what was proved",
    "mentions": "over `roles`; those of others are looked up by subject",
    "misnamed_associations": "an association and its cluster are of one account",
    "names_of_accounts": "of RBAC, with which shards are joined",
    "publications": "the signing keys and discovery documents of all shards are in each",
    "refused_associations": "the gaps and clusters of all shards are in each",
    "role_by_id": "the subjects of the own shard",
    "roles": "the subjects of the own shard",
    "roles_by_principal": "of role chains, with which shards are joined",
    "shapes": "remembers what was worked out",
    "template_roles": "templates are joined with what they are connected with",
    "unjudged": "the documents of the own shard",
    "users_by_reference": "templates are joined with what they are connected with",
    "uses_clouds": "shards with identities of other clouds are joined",
    "work": "what the own shard may cost",
    "workload_lookups": "the workloads of the own clusters",
}
RECORDS_OF_ALL = {
    "cluster_by_id": "the clusters of all shards are in each",
    "clusters_by_issuer": "the clusters of all shards are in each",
    "clusters_with_mappings": "the config maps of the own clusters, asked of their own service accounts",
    "has_access": "shards with RBAC are joined",
    "mappings_by_account": "the mapped accounts of all shards are in each",
    "node_by_key": "the nodes of the own clusters",
    "service_account_by_key": "the service accounts of the own clusters",
}


def tables(kind: type) -> set[str]:
    """The public tables of a class of ours."""
    return {
        name
        for each in kind.__mro__
        if each.__module__.startswith("irsa_doctor")
        for name, value in vars(each).items()
        if isinstance(value, cached_property | property) and not name.startswith("_")
    }


def test_every_table_of_a_view_looks_into_all_shards_or_says_why_not():
    assert tables(View) - set(vars(ShardView)) == set(OF_ONE_SHARD)


def test_every_table_of_an_inventory_looks_into_all_shards_or_says_why_not():
    assert tables(Inventory) - set(vars(ShardInventory)) == set(RECORDS_OF_ALL)
