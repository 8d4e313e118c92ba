from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.facts.lookups.accounts import Accounts
from irsa_doctor.model import Cluster, Inventory, Place, ServiceAccount
from irsa_doctor.trust.languages import EVERYTHING, complement, contains, difference, intersection, literal, union
from irsa_doctor.trust.languages import Like as Pattern
from irsa_doctor.trust.patterns import Glob, pieces_of

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/A"
PLACE = Place("here")
PAIRS = [(namespace, name) for namespace in ("a", "ab", "b", "team-a") for name in ("a", "ab", "b.c", "default")]


def inventory() -> Inventory:
    cluster = Cluster("shop", "", ISSUER, PLACE)
    other = Cluster("other", "", "oidc.eks.eu-west-1.amazonaws.com/id/B", PLACE)
    accounts = [ServiceAccount("shop", namespace, name, PLACE) for namespace, name in PAIRS]
    accounts.append(ServiceAccount("other", "a", "a", PLACE))
    return Inventory(clusters=(cluster, other), service_accounts=tuple(accounts))


def like(text: str) -> Pattern:
    return Pattern(Glob(pieces_of(text, wildcards=True, variables=False)))


texts = st.lists(
    st.sampled_from(["system:serviceaccount:", "a", "b", ":", "*", "?", "team-", ".c", "default"]), min_size=1, max_size=6
)
patterns = texts.map("".join).filter(lambda text: "*" in text or "?" in text).map(like)
literals = st.sampled_from(PAIRS).map(lambda pair: literal(f"system:serviceaccount:{pair[0]}:{pair[1]}"))
languages = st.recursive(
    patterns | literals | st.just(EVERYTHING),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(union)
        | st.lists(inner, min_size=1, max_size=3).map(intersection)
        | inner.map(complement)
        | st.tuples(inner, inner).map(lambda pair: difference(*pair))
    ),
    max_leaves=5,
)


@given(languages)
def test_look_ups_find_the_same_as_trying_every_one(language):
    accounts = Accounts(inventory())
    one_by_one = sorted(
        a.subject for a in inventory().service_accounts if a.cluster == "shop" and contains(language, a.subject)
    )
    assert [a.subject for a in accounts.admitted(ISSUER, language)] == one_by_one
    assert accounts.count(ISSUER, language) == len(one_by_one)


def test_an_issuer_without_a_cluster_has_no_service_accounts():
    accounts = Accounts(inventory())
    assert (accounts.known("elsewhere"), accounts.count("elsewhere", EVERYTHING)) == (0, 0)
    assert accounts.known(ISSUER) == len(PAIRS)
