"""What is written, read back, inferred and verified is one and the same language."""

import json

import pytest
from hypothesis import given

from irsa_doctor.answers.intents.dialects import INTENT_FORMATS, Choices
from irsa_doctor.answers.intents.estate import Estate
from irsa_doctor.answers.intents.generation import Objection, Unproved, generated
from irsa_doctor.answers.intents.inference import inferred
from irsa_doctor.answers.intents.verification import verified
from irsa_doctor.answers.who_can import find_role, who_can
from irsa_doctor.facts import View
from irsa_doctor.sources import load
from tests.answers.intents.drawing import ACCOUNTS, arn, estate, intents, issuer, plan
from tests.trust.drawing import examples

READ = [name for name, row in INTENT_FORMATS.items() if row.is_read]


def nowhere(place, key):
    return (0, 0, 0, 0, "", 0)


def read_back(texts):
    return load((), memory=texts).inventory


def meant(made):
    """(provider, subject) -> audience, of every role by its ARN."""
    return {
        role.role: {(role.intended.provider(pair.cluster.issuer), pair.subject.subject): pair.audience for pair in role.pairs}
        for role in made.roles
    }


def admitted_by(view, name):
    """The same of a role that is read."""
    answer = who_can(view, find_role(view, name))
    return {
        (grant.provider, pattern): ",".join(grant.audiences.values)
        for grant in answer.grants
        for pattern in grant.subjects.patterns
    }


@examples(60)
@given(intents())
def test_every_dialect_admits_exactly_whom_the_intent_means(intent):
    is_written_as_it_is_meant(intent)


def is_written_as_it_is_meant(intent):
    """Every dialect of an intent, read back."""
    made = plan(intent)
    assert made.problems == ()
    for name in READ:
        answer = generated(made, [name], Choices(), read_back)
        writing = INTENT_FORMATS[name].write(made, Choices())
        view = View(read_back({file.path: file.text.encode() for file in answer.files}))
        assert {role: admitted_by(view, writing.addresses[role]) for role in meant(made)} == meant(made)


@examples(60)
@given(intents(whole_namespaces=False))
def test_an_estate_that_follows_an_intent_has_no_difference_and_tells_the_same_intent(intent):
    is_inferred_again(intent)


def is_inferred_again(intent):
    """An intent, held against the one that its estate tells."""
    made = plan(intent)
    inventory = estate(made)
    view = View(inventory)
    answer = verified(made, Estate(view, made), nowhere)
    # providers were not listed
    assert (answer.differences, answer.same) == ((), len(made.roles))
    again = inferred(view)
    assert again.questions == ()
    remade = plan({"account": "111122223333", **again.intent}, inventory)
    assert meant(remade) == meant(made)
    assert inferred(View(estate(remade))).intent == again.intent


def test_service_accounts_of_one_role_may_ask_for_different_audiences():
    cluster = {"arn": arn("shop"), "issuer": issuer(0)}
    by_audience = {"shop": "shop/cart", "vault": "shop/vault"}
    clusters = {"shop": cluster, "vault": {**cluster, "audience": "vault.example.net"}}
    roles = {f"arn:aws:iam::{ACCOUNTS[0]}:role/cart": {"service-accounts": by_audience}}
    made = plan({"intent": 1, "account": ACCOUNTS[0], "clusters": clusters, "roles": roles})
    texts = {file.path: file.text for file in generated(made, ["trust-policy", "kubernetes"], Choices(), read_back).files}
    (policy,) = [text for path, text in texts.items() if path.startswith("trust-policy")]
    role = {"Arn": made.roles[0].role, "RoleName": "cart", "AssumeRolePolicyDocument": json.loads(policy)}
    described = {"name": "shop", "arn": arn("shop"), "identity": {"oidc": {"issuer": issuer(0)}}}
    estate_of = {"cluster.json": json.dumps({"cluster": described}), "role.json": json.dumps({"Role": role})}
    memory = {path: text.encode() for path, text in {**texts, **estate_of}.items() if not path.startswith("trust-policy")}
    view = View(load((), memory=memory, complete=("serviceaccounts",)).inventory)
    again = inferred(view)
    for meaning in (made, plan({"account": ACCOUNTS[0], **again.intent}, view.inventory)):
        answer = verified(meaning, Estate(view, meaning), nowhere)
        assert (again.questions, answer.differences, answer.same) == ((), (), 1)
        assert {pair.subject.account: pair.audience for pair in meaning.roles[0].pairs} == {
            "shop/cart": "sts.amazonaws.com",
            "shop/vault": "vault.example.net",
        }


@examples(40)
@given(intents())
def test_the_same_intent_gives_the_same_bytes(intent):
    formats = [name for name in INTENT_FORMATS if name not in ("pod-identity",)]
    texts = [{file.path: file.text for file in generated(plan(intent), formats, Choices(), read_back).files} for _ in range(2)]
    assert texts[0] == texts[1]
    assert not any("\r" in text or not text.endswith("\n") for text in texts[0].values())


@pytest.mark.parametrize("about_reach", [False, True])
@pytest.mark.parametrize("of", ["wide", "tight", ""])
def test_a_text_in_which_something_grave_is_found_is_never_given_unless_the_intent_asks_for_it(of, about_reach):
    roles = {"wide": {"namespaces": {"builds": "on demand"}}, "tight": "shop/cart"}
    made = plan({"intent": 1, "account": ACCOUNTS[0], "clusters": {"shop": f"{issuer(0)}"}, "roles": roles})

    def judge(inventory):
        ident = next((role.id for role in inventory.roles if of and role.id.endswith(of)), "")
        return [Objection(role=ident, about_reach=about_reach, says=f"it admits too many: {of}")]

    if (of, about_reach) == ("wide", True):
        assert generated(made, ["terraform"], Choices(), read_back, judge).files
        return
    with pytest.raises(Unproved, match="it admits too many"):
        generated(made, ["terraform"], Choices(), read_back, judge)
