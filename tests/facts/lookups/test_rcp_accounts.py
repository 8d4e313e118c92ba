import msgspec
import pytest

from irsa_doctor.answers.check.examples import base_world, documents_of, named, patched
from irsa_doctor.facts import View
from irsa_doctor.facts.lookups.guardrails import Guards
from irsa_doctor.rulebook.files import read_rule_files, rules_folder
from irsa_doctor.sources import load

EXAMPLE = next(f for f in read_rule_files(rules_folder()) if f.rule.id == "rcp-trusted-oidc-providers").examples.bad[0]


@pytest.mark.parametrize(
    ("account", "listed"), [("", "not-listed"), ("111122223333", "not-listed"), ("444455556666", "not-asked")]
)
def test_a_policy_that_stands_over_one_account_says_nothing_of_another(account, listed):
    world = named(patched(base_world(), EXAMPLE.patch))
    inventory = load((), memory=documents_of(world), complete=("serviceaccounts",)).inventory
    rcps = tuple(msgspec.structs.replace(rcp, account=account) for rcp in inventory.rcps)
    inventory = msgspec.structs.replace(inventory, rcps=rcps)
    found = Guards(View(inventory)).listed(inventory.providers[0])
    assert found == listed or (listed == "not-asked" and found == "listed")
