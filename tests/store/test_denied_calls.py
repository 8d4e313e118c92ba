"""What becomes of findings where calls are denied: what is `fixed` or `gone` is so in truth, which is what a run sees to which
nothing is denied; and a call that is always denied keeps nothing from being fixed."""

import pytest

from tests.store.denied import outcome
from tests.store.runs import ACCOUNT, OPEN, RIGHT, named
from tests.store.test_situations import ARN, EMPTY, changes, organisation, run, shard

_DONE = ("fixed", "gone")


@pytest.mark.parametrize("seed", [5, 6, 11, 19, 24, 27])
def test_what_is_fixed_where_calls_are_denied_does_not_fail_where_none_is(tmp_path, seed):
    """These six had 13 findings that were fixed though they stood."""
    found = outcome(tmp_path, seed, lasting=False)
    assert not [key for key, change in found.denied.items() if change in _DONE and key in found.failing]


def test_what_is_fixed_although_calls_are_always_denied_is_fixed_in_truth_and_most_is(tmp_path):
    fixed = missed = 0
    for seed in range(300, 312):
        found = outcome(tmp_path / str(seed), seed, lasting=True)
        assert not [key for key, change in found.denied.items() if change in _DONE and key in found.failing]
        done = {key for key, change in found.whole.items() if change in _DONE and key in found.denied}
        fixed += sum(found.denied[key] in _DONE for key in done)
        missed += sum(found.denied[key] not in _DONE for key in done)
    assert fixed > 50
    assert missed < fixed


def denied(collection, owner=ACCOUNT, name=""):
    return {"collection": collection, "owner": owner, "name": name, "missing": f"{collection}: denied", "how": ""}


def audited_with(folder, *states):
    """One run after another over an account; a state is its roles and what is denied."""
    runs = []
    for day, (roles, missing) in enumerate(states):
        content = {**shard(ACCOUNT, *roles), "missing": missing}
        runs.append(run(folder / "audit.db", day, organisation(folder / str(day), {f"{ACCOUNT}/aws.json": content})))
    return runs


PROVIDERS, REGION = [denied("providers")], [denied("clusters", name="us-east-1")]


@pytest.mark.parametrize("missing", [PROVIDERS, REGION, [*PROVIDERS, *REGION]])
def test_a_role_that_was_put_right_is_fixed_though_a_call_of_its_account_is_always_denied(tmp_path, missing):
    _, after = audited_with(tmp_path, ([named("app", OPEN)], missing), ([named("app", RIGHT)], missing))
    assert [account["state"] for account in after["scope"]["accounts"]] == ["partial"]
    assert changes(after) == {"fixed"}


def test_a_role_is_unseen_where_a_call_is_denied_that_was_not_when_it_failed(tmp_path):
    states = ([named("app", OPEN)], PROVIDERS), ([named("app", RIGHT)], [*PROVIDERS, *REGION]), ([named("app", RIGHT)], [])
    _, narrower, whole = audited_with(tmp_path, *states)
    assert changes(narrower) == {"unseen"}
    assert changes(whole) == {"fixed"}


def test_a_role_that_was_deleted_is_gone_where_all_roles_were_listed(tmp_path):
    _, after = audited_with(tmp_path, ([named("app", OPEN)], []), ([], PROVIDERS))
    assert changes(after) == {"gone"}
    _, after = audited_with(tmp_path / "roles", ([named("app", OPEN)], []), ([], [denied("roles")]))
    assert changes(after) == {"unseen"}


def test_a_role_is_unseen_where_the_cluster_that_it_trusts_could_not_be_described(tmp_path):
    """Of an account that is read whole, too."""
    account = shard(ACCOUNT, named("app", OPEN), clusters=[ARN])
    lost = {**shard(ACCOUNT, named("app", RIGHT)), "missing": [denied("cluster", ARN)]}
    for day, content in enumerate((account, lost)):
        after = run(tmp_path / "audit.db", day, organisation(tmp_path / str(day), {f"{ACCOUNT}/aws.json": content}))
    assert after["changes"]["fixed"] == 0
    assert EMPTY["missing"] == []
