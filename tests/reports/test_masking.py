"""An answer is masked whole before it is rendered; a fix with a secret in it is not offered."""

import json
import typing
from pathlib import Path

import msgspec
import pytest

from irsa_doctor import api
from irsa_doctor.model.findings import NO_OFFER, AccountList, DocumentRow, Finding, Fix, Location, Offer, RoleAccounts, Subject
from irsa_doctor.reports import masking
from irsa_doctor.reports.masking import masked_answer
from tests.text.test_mask import SECRETS

WORLDS = Path(__file__).parents[2] / "fixtures" / "worlds"
SECRET, CORE = SECRETS["token"]


def finding(text: str = "x", offer: Offer = NO_OFFER) -> Finding:
    place = Location(f"{text}.json", 1, 1, f"/{text}", text, True, 1, 2, text)
    accounts = RoleAccounts(lambda: AccountList((f"c/n/{text}",), 1))
    return Finding(
        "open-no-sub",
        "high",
        "high",
        "t",
        f"says {text}",
        Subject("role", text),
        (place,),
        "r",
        {},
        "",
        "f",
        text,
        offer,
        accounts,
    )


def test_every_text_of_an_answer_is_masked():
    (shown,) = masked_answer((finding(SECRET),))
    assert CORE not in str(shown)
    assert CORE not in str(shown.role_accounts.accounts)
    assert shown.message == "says ***"


TEXTS = ["rule", "title", "message", "remedy", "group"]


@pytest.mark.parametrize("name", TEXTS)
def test_each_text_of_a_finding_is_masked(name):
    assert CORE not in str(masked_answer(msgspec.structs.replace(finding(), **{name: SECRET})))


@pytest.mark.parametrize("name", ["file", "pointer", "says", "source"])
def test_each_text_of_a_place_is_masked(name):
    (place,) = finding().locations
    holding = msgspec.structs.replace(place, **{name: SECRET})
    assert CORE not in str(masked_answer(msgspec.structs.replace(finding(), locations=(place, holding))))


def test_these_are_all_texts_of_the_records_that_are_looked_at_together():
    def texts(kind):
        hints = typing.get_type_hints(kind)
        return {name for name, hint in hints.items() if hint is str} - masking._SAFE

    assert texts(Finding) == set(TEXTS)
    assert texts(Location) == {"file", "pointer", "says", "source"}
    assert texts(Fix) == {"diff", "managed_by"}
    assert texts(Subject) == {"kind", "id"}


def test_the_kind_that_a_document_says_it_has_is_masked():
    row = DocumentRow("a.json", SECRET, "read", None, "", False)
    assert CORE not in str(masked_answer(row))


def test_an_answer_without_secrets_is_the_same_object():
    answer = (finding("plain"), {"a": ["b", 1, None]})
    assert masked_answer(answer)[1] is answer[1]
    assert masked_answer(answer)[0].locations is answer[0].locations


@pytest.mark.parametrize("output_format", sorted(api.ANSWER_FORMATS["check"]))
def test_lines_of_documents_are_looked_at_wherever_they_are_shown(output_format, tmp_path):
    line = '{"Statement": [{"Effect": "Allow", "Principal": "*", "password": "' + SECRET + '"}]}'
    (tmp_path / "policy.json").write_text(line)
    report = api.check([str(tmp_path)])
    assert any(place.source for finding in report.findings for place in finding.locations)
    assert SECRET not in api.render_report(report, output_format)


def test_without_quotes_the_lines_of_documents_are_left_out():
    (place,) = masked_answer(finding("plain"), quotes=False).locations
    assert place == msgspec.structs.replace(finding("plain").locations[0], source="")


@pytest.mark.parametrize(
    "fix",
    [
        Fix({"Statement": [{"Condition": {"StringEquals": {"a:sub": SECRET}}}]}),
        Fix({"Statement": [{SECRET: "x"}]}),
        Fix(None, (f"aws iam x --name {SECRET}",)),
        Fix(None, ("x",), 0, (SECRET,)),
        Fix(None, ("x",), diff=SECRET),
        Fix(None, ("x",), managed_by=SECRET),
        Fix({"Statement": [{"Sid": f"\n{SECRET}"}]}),
        Fix({"Statement": [{"Sid": "a", "Resource": f'"sig":\t"{CORE}"'}]}),
    ],
)
def test_a_fix_that_holds_a_secret_is_not_offered(fix):
    assert masked_answer(finding(offer=Offer(lambda: fix))).fix is None


def test_another_fix_stays_as_it_is():
    fix = Fix({"Statement": [{"Sid": "a", "Effect": "Allow"}, {"Sid": "a", "Effect": "Allow"}]}, ("aws iam x",), 1, ("s",), "d")
    assert masked_answer(finding(offer=Offer(lambda: fix))).fix is fix


@pytest.mark.parametrize("world", sorted(path.name for path in WORLDS.iterdir() if path.is_dir()))
def test_nothing_in_the_report_about_a_world_is_masked(world):
    assert "***" not in api.render_report(api.check([str(WORLDS / world)]), "json")


TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2VjcmV0LXNpZ25hdHVyZQ"


def answered(ident):
    line = json.dumps({"id": ident, "policy": {}}).encode()
    return api.render_simulations(list(api.simulate_lines(line)), "json")


@pytest.mark.parametrize("ident", [TOKEN, {"name": TOKEN}, [TOKEN, 1]])
def test_the_id_of_a_request_is_masked_though_it_is_handed_on_as_it_came(ident):
    assert TOKEN not in answered(ident)
    assert "***" in json.dumps(json.loads(answered(ident))["id"])


def test_another_id_stays_as_it_came():
    assert json.loads(answered([1, "a"]))["id"] == [1, "a"]
