import pytest

from irsa_doctor.model.kinds import PLURALS, UnknownKind, kind_named
from irsa_doctor.sources.documents.kubernetes import _READERS
from irsa_doctor.sources.live.operations import KUBERNETES


@pytest.mark.parametrize("word", ["serviceaccounts", "ServiceAccount", "serviceaccount", "sa", "SA"])
def test_every_name_of_a_kind_is_that_kind(word):
    assert kind_named(word) == "serviceaccounts"


def test_a_custom_resource_is_named_with_its_group():
    assert kind_named("rollouts.argoproj.io") == "rollouts"


def _plural(kind):
    if kind.endswith("y"):
        return f"{kind[:-1]}ies"
    return f"{kind}es" if kind.endswith("s") else f"{kind}s"


def test_every_kind_that_is_read_can_be_complete():
    # the configuration of a node is a file, and no object that a cluster lists
    listed = [kind.lower() for kind in _READERS if kind != "NodeConfig"]
    assert {_plural(kind) for kind in listed} <= set(PLURALS)
    assert {resource.plural for resource in KUBERNETES} <= set(PLURALS)


@pytest.mark.parametrize(("word", "near"), [("serviceacounts", "serviceaccounts"), ("pod-s", "pods"), ("", "Kinds are")])
def test_an_unknown_kind_names_the_nearest_or_all(word, near):
    with pytest.raises(UnknownKind, match=near):
        kind_named(word)
