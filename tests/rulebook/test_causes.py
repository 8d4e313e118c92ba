from irsa_doctor.rulebook.cause_files import causes_folder, index_of_causes
from irsa_doctor.rulebook.causes import Cause, Causes, all_causes, shipped_causes
from irsa_doctor.rulebook.rules import shipped_rules


def cause(ident: str, **fields) -> Cause:
    return Cause(id=ident, title="T", remedy="R", link=fields.pop("link", "role"), **fields)


def test_the_shipped_index_is_that_of_the_files():
    index = causes_folder().parent / "irsa_doctor" / "rulebook" / "causes_index.json"
    assert index.read_bytes() == index_of_causes(causes_folder())


def test_causes_come_from_rules_and_from_files_of_their_own():
    known = all_causes()
    of_rules = {rule.id for rule in shipped_rules() if rule.cause}
    assert of_rules == {ident for ident, one in known.items() if one.rule}
    assert {"vpce-policy", "clock-skew"} <= {ident for ident, one in known.items() if not one.rule}


def test_every_cause_breaks_a_link_and_a_fact_breaks_none():
    for known in all_causes().values():
        assert bool(known.link) != known.fact, known.id


def test_a_cause_comes_after_those_that_take_precedence():
    known = Causes((), [cause("a", after=("z",)), cause("z"), cause("m")])
    assert list(known.by_id).index("z") < list(known.by_id).index("a")


def test_a_sign_leads_to_its_causes_in_order():
    known = Causes((), [cause("a", after=("z",), signs={"s": "likely"}), cause("z", signs={"s": "certain"}), cause("m")])
    assert [one.id for one in known.by_sign["s"]] == ["z", "a"]


def test_the_general_cause_of_an_audience_is_named_last():
    assert shipped_causes().by_link["audience"][-1].id == "aud-not-in-clientids"


def test_an_id_that_is_no_cause_breaks_no_link():
    assert shipped_causes().link_of("nothing") == ""
