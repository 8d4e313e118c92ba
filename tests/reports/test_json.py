import json

import msgspec
import pytest

from irsa_doctor.reports import Style
from irsa_doctor.reports.json import json_text, render_json
from irsa_doctor.text.surrogates import without_surrogates
from tests.reports.saying import REPORTS, hostile, world


@pytest.mark.parametrize("name", REPORTS)
def test_it_is_json_whatever_is_in_it(name):
    report = REPORTS[name]()
    document = json.loads(render_json(report, Style()))
    assert len(document["findings"]) == len(report.findings)
    assert len(document["documents"]) == len(report.documents)


def test_nothing_of_a_hostile_text_is_lost():
    findings = json.loads(render_json(hostile(), Style()))["findings"]
    assert [found["message"] for found in findings] == [without_surrogates(each.message) for each in hostile().findings]


def test_lines_of_documents_are_not_in_it():
    report = world("shop")
    text = render_json(report, Style())
    assert not any("source" in place for found in json.loads(text)["findings"] for place in found["locations"])


def test_the_summary_counts_what_is_there():
    report = world("shop")
    summary = json.loads(render_json(report, Style()))["summary"]
    assert sum(summary["findings"].values()) == len(report.findings)
    assert summary["unknown"] == len(report.unknown)


@pytest.mark.parametrize("value", ["plain", "é\U0001d482", "\x00\x7f\u2028", r"\u{dcff}"])
def test_json_is_ascii_whatever_the_stream_is_and_loses_nothing(value):
    text = json_text({"name": value})
    assert text.isascii()
    assert json.loads(text) == {"name": value}


def test_a_lone_surrogate_which_few_readers_take_is_a_number():
    assert msgspec.json.decode(json_text({"caf\udce9": ["\ud800 alone"]})) == {r"caf\u{dce9}": [r"\u{d800} alone"]}


def test_places_carry_all_that_is_known_of_them():
    report = world("shop")
    places = json.loads(render_json(report, Style()))["findings"][0]["locations"]
    first = report.findings[0].locations[0]
    assert places[0] == {
        "file": first.file,
        "line": first.line,
        "column": first.column,
        "pointer": first.pointer,
        "says": first.says,
        "primary": True,
        "end_line": first.end_line,
        "end_column": first.end_column,
    }


def test_a_finding_about_a_role_lists_the_service_accounts_that_it_keeps_out():
    findings = json.loads(render_json(world("shop"), Style()))["findings"]
    mismatch = next(each for each in findings if each["rule"] == "trust-aud-mismatch" and each["subject"]["kind"] == "grant")
    assert mismatch["service_accounts"] == ["shop/billing/invoices"]
    assert mismatch["service_account_count"] == 1
