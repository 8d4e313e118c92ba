"""Which changes of the tenants that are one's own require less."""

import pytest

from irsa_doctor.governance.governing import Governing
from irsa_doctor.governance.settings import Settings
from irsa_doctor.governance.weaker_owners import weaker_owners


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ({}, {"github": ("acme",)}, []),
        ({"github": ("acme",)}, {}, ["owner declares no tenant of github any more"]),
        ({"github": ("acme",)}, {"github": ("acme", "evil")}, ["owner declares evil of github as well"]),
        ({"github": ("acme", "labs")}, {"github": ("acme",)}, []),
        ({"github": ("acme",)}, {"github": ("acme@7",)}, []),
        ({"github": ("acme@7",)}, {"github": ("acme",)}, ["owner declares acme of github as well"]),
        ({"github": ("acme@7",)}, {"github": ("acme@8",)}, ["owner declares acme@8 of github as well"]),
        ({"azure-tenants": ("t-1",)}, {"entra": ("t-1",)}, []),
        ({"gitlab": ("9913",)}, {"gitlab": ("9913",), "github": ("acme",)}, []),
    ],
)
def test_an_owner_more_is_weaker_and_a_closer_one_is_not(before, after, says):
    old, new = (Governing(Settings(owner=owner), ()) for owner in (before, after))
    assert list(weaker_owners(old, new)) == says
