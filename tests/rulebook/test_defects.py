"""Every mistake that keeps a token out has one name, and a rule file says which."""

from typing import get_args

import pytest

from irsa_doctor.rulebook.causes import causes_of_sign
from irsa_doctor.trust.defect_kinds import Defect, DefectKind


@pytest.mark.parametrize("kind", [kind for kind in get_args(DefectKind) if Defect(kind=kind).denies_tokens])
def test_each_kind_of_defect_that_keeps_a_token_out_leads_to_one_cause(kind):
    assert len(causes_of_sign(kind)) == 1
