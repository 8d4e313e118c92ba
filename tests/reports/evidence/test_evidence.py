"""Evidence by control: the same counts in every format, and nothing in a name that a reader would run."""

import csv
import html
import io
import json
import re
import shlex
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from irsa_doctor import api
from irsa_doctor.answers.audit.evidence import gaps_between
from irsa_doctor.answers.audit.items import ITEM_RESULTS
from irsa_doctor.model.audited import RunTrend
from irsa_doctor.reports.evidence.picture import Scale
from irsa_doctor.store.population import Population
from tests.cli.running import OPEN, RIGHT, put
from tests.reports.evidence.stores import HOSTILE, LoadedParts, rendered, three_runs
from tests.store.runs import audited, named

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return three_runs(tmp_path_factory.mktemp("evidence"))


@pytest.fixture(scope="module")
def document(store):
    return json.loads(rendered(store, "json"))


def control(document, ident="CC6.3"):
    return next(c for c in document["controls"] if c["id"] == ident)


def item(document, name, ident="CC6.3"):
    return next(i for i in control(document, ident)["items"] if name in i["subject"] and i["kind"] == "grant")


def test_the_population_of_a_control_is_its_items(document):
    for each in document["controls"]:
        by_result = Counter(i["result"] for i in each["items"])
        assert each["population"] == len(each["items"]) == by_result.total()
        assert {result: each[result.replace("-", "_")] for result in ITEM_RESULTS} == {r: by_result[r] for r in ITEM_RESULTS}


def test_an_item_has_the_worst_of_its_results(document):
    assert item(document, "role/open")["result"] == "failed"
    assert item(document, "role/open")["rules"] == ["open-aud-only"]
    assert item(document, "role/waived")["result"] == "waived"
    # its provider and cluster are not in the input
    assert item(document, "role/right")["result"] == item(document, "role/mended")["result"] == "unknown"
    assert control(document)["verdict"] == "fail"


def test_controls_that_no_rule_covers_stay(document):
    uncovered = [c for c in document["controls"] if c["verdict"] == "not covered"]
    assert uncovered
    assert {c["population"] for c in uncovered} == {0}


def test_a_period_has_the_union_of_its_items_with_the_runs_in_which_they_failed(store):
    document = json.loads(rendered(store, "json", start=BEGIN, end=END))
    assert document["period"]["runs"] == [1, 2, 3]
    mended = item(document, "role/mended")
    assert (mended["result"], mended["last_result"], mended["failed_in"]) == ("failed", "unknown", [1, 2])
    assert mended["examined_in"] == [1, 2, 3]


def test_times_without_runs_are_gaps(store):
    document = json.loads(rendered(store, "json", start=BEGIN, end=END))
    starts = [(gap["from"][:10], gap["to"][:10]) for gap in document["period"]["gaps"]]
    assert starts == [("2026-01-01", "2026-01-05"), ("2026-01-07", "2026-01-31")]
    assert "No run between" in rendered(store, "html", start=BEGIN, end=END)


def test_a_period_without_a_run_is_an_error(store):
    with pytest.raises(api.StoreError, match="no complete run in this period"):
        api.audit_report(store=store, start=datetime(2030, 1, 1, tzinfo=UTC))


def test_runs_that_were_pruned_are_no_gap_and_are_named(tmp_path):
    for day in range(6):
        audited(tmp_path, named("open", OPEN), day=day)
    store = str(tmp_path / "audit.db")
    api.audit_prune(store=store, keep=timedelta(days=2), as_of=BEGIN + timedelta(days=9), keep_last=2)
    for options in ({"start": BEGIN, "end": END}, {}):
        period = json.loads(rendered(store, "json", **options))["period"]
        assert period["runs"] == ([4, 5, 6] if options else [6])
        assert period["pruned"] == [1, 2, 3]
        ends = ["2026-01-01", "2026-01-10"] if options else []
        assert [gap["from"][:10] for gap in period["gaps"]] == ends
        for output_format in ("html", "markdown"):
            assert "The details of run 1 to 3 were pruned" in rendered(store, output_format, **options)
    with pytest.raises(api.StoreError, match="pruned"):
        rendered(store, "json", start=BEGIN, end=BEGIN + timedelta(days=6))


def test_a_subject_out_of_sight_was_not_tested(tmp_path):
    audited(tmp_path, named("app", OPEN), named("other", RIGHT))
    audited(tmp_path, named("other", RIGHT), day=1, truncated=True)
    document = json.loads(rendered(str(tmp_path / "audit.db"), "json"))
    assert item(document, "role/app")["result"] == "not-tested"
    assert document["trend"][-1]["unseen"] >= 1
    assert control(document)["verdict"] == "unknown"


def test_a_subject_that_is_gone_is_in_no_population(tmp_path):
    audited(tmp_path, named("app", OPEN), named("other", RIGHT))
    audited(tmp_path, named("other", RIGHT), day=1)
    audited(tmp_path, named("other", RIGHT), day=2, truncated=True)
    document = json.loads(rendered(str(tmp_path / "audit.db"), "json"))
    assert not [i for i in control(document)["items"] if "role/app" in i["subject"]]


def test_a_sample_is_drawn_again_by_whoever_has_the_store(store):
    def sample(seed):
        drawn = json.loads(rendered(store, "json", sampling=api.Sampling(2, seed)))
        return [i["key"] for i in control(drawn)["sample"]], control(drawn)["population"], drawn["sampling"]["head"]

    keys, population, head = sample("7")
    assert len(keys) == 2 < population
    assert sample("7") == (keys, population, head)
    assert len({tuple(sample(str(seed))[0]) for seed in range(5)}) > 1


def test_one_account_alone(store):
    document = json.loads(rendered(store, "json", account="444455556666"))
    assert [c["population"] for c in document["controls"]] == [0] * len(document["controls"])
    # nor is anything of others in it: it may be handed to whoever owns the account
    numbers = [{name: number for name, number in run.items() if name not in ("run", "as_of")} for run in document["trend"]]
    assert numbers == [{"open": {}, "unseen": 0, "new": 0, "fixed": 0, "waived": 0}] * 3
    assert document["waivers"] == []


def test_the_account_that_has_all_findings_has_the_numbers_of_all(store, document):
    own = json.loads(rendered(store, "json", account="111122223333"))
    without_account = [run["open"] for run in document["trend"]]
    assert [run["open"] for run in own["trend"]] == without_account
    assert own["waivers"] == document["waivers"] != []


def test_csv_has_the_items_of_json_and_no_formula(store, document):
    text = rendered(store, "csv")
    assert text.startswith("\ufeff")
    assert text.count("\r\n") == text.count("\n")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert {(r["control"], r["key"]) for r in rows} == {(c["id"], i["key"]) for c in document["controls"] for i in c["items"]}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    waived = next(row for row in rows if row["result"] == "waived")
    assert waived["owner"] == f"'{HOSTILE}"
    assert (waived["accepted_by"], waived["expires"]) == ("head of platform", "2026-01-31")


def test_csv_names_the_controls_that_have_no_rows(store, document):
    rows = csv.DictReader(io.StringIO(rendered(store, "csv").removeprefix("\ufeff")))
    uncovered = [c["id"] for c in document["controls"] if c["verdict"] == "not covered"]
    unexamined = [c["id"] for c in document["controls"] if c["verdict"] == "not examined"]
    named = {(tuple(row["not_covered"].split()), tuple(row["not_examined"].split())) for row in rows}
    assert named == {(tuple(uncovered), tuple(unexamined))}


def test_html_loads_nothing_and_takes_no_name_for_markup(store, document):
    text = rendered(store, "html")
    page = LoadedParts(text)
    words = " ".join(page.words)
    assert page.bad == []
    assert "script" not in page.tags
    assert HOSTILE in words
    assert all(c["id"] in words for c in document["controls"])
    assert document["run"]["hash"] in words
    assert "444455556666" in words
    assert "AssumeRole: no" in words
    assert "@media print" in text
    assert "default-src 'none'; style-src 'sha256-" in text


def test_the_trend_is_a_picture_with_its_numbers_beside_it(store):
    text = rendered(store, "html")
    picture = re.search(r'<svg class="trend".*?</svg>', text, re.DOTALL)[0]
    assert picture.count("<g><title>Run ") == 3
    assert "The 3 runs in numbers" in text


def test_the_first_run_has_no_run_before_it(store, tmp_path):
    audited(tmp_path, named("app", OPEN))
    first = rendered(str(tmp_path / "audit.db"), "html")
    assert "What the first run found" in first
    assert "since the run before" not in first
    assert "What got worse since the run before" in rendered(store, "html")


def test_a_page_has_a_limited_number_of_items(store, monkeypatch):
    from irsa_doctor.reports.evidence import page

    monkeypatch.setattr(page, "ITEM_LIMIT", 3)
    text = rendered(store, "html")
    assert "The CSV report has all." in text
    assert "role/open" in text


def test_markdown_shows_names_as_text(store, document):
    text = rendered(store, "markdown")
    assert "<img" not in text
    assert "<b>" not in text
    assert all(c["id"] in text for c in document["controls"])
    assert len(text) < 60_000


def test_markdown_is_cut_by_whole_lines(store, monkeypatch):
    from irsa_doctor.reports.evidence import markdown

    monkeypatch.setattr(markdown, "_LONGEST", 2_000)
    text = rendered(store, "markdown")
    assert len(text) <= 2_000
    assert re.search(r"\n[0-9]+ lines are left out; the other formats have them all.\n$", text)


def test_the_site_is_a_folder_with_relative_links(store, tmp_path):
    evidence = api.audit_report(store=store, frameworks=["soc2"])
    pages = {path: "".join(pieces) for path, pieces in api.render_evidence_pages(evidence)}
    assert {"index.html", "items.csv", "accounts/111122223333.html", "runs/1.html", "controls/soc2-cc6-3.html"} <= set(pages)
    for path, text in pages.items():
        if path.endswith(".html"):
            assert LoadedParts(text).bad == []
    links = re.findall(r'href="([^"#]+)"', pages["index.html"])
    assert set(links) <= set(pages)
    assert "script-src 'sha256-" in pages["index.html"]
    assert "script-src" not in pages["accounts/111122223333.html"]


def test_the_same_run_gives_the_same_bytes(store):
    for output_format in ("oscal", "ocsf", "json", "csv", "html", "markdown"):
        assert rendered(store, output_format) == rendered(store, output_format)


def test_months_without_a_run_are_seen_in_the_trend(tmp_path):
    for day in (0, 1, 2, 90):
        audited(tmp_path, named("app", OPEN), day=day)
    store = str(tmp_path / "audit.db")
    gaps = json.loads(rendered(store, "json"))["period"]["gaps"]
    assert [(gap["from"][:10], gap["to"][:10]) for gap in gaps] == [("2026-01-07", "2026-04-05")]
    text = rendered(store, "html")
    assert 'class="gap"' in text
    assert "No run between 2026-01-07" in text


@pytest.mark.parametrize(("days", "gaps"), [((0, 1, 2), 0), ((0, 7, 14), 0), ((0, 30, 60, 90), 0), ((0, 40), 1), ((0,), 0)])
def test_only_a_time_that_is_longer_than_usual_is_a_gap(days, gaps):
    moments = [(BEGIN + timedelta(days=day)).isoformat() for day in days]
    assert len(gaps_between(moments)) == gaps


def test_a_finding_of_a_private_rule_is_named_by_no_control(tmp_path):
    shipped = next(Path("rules").rglob("open-aud-only.yaml")).read_text()
    put(tmp_path / "private" / "house-audience.yaml", shipped.replace("id: open-aud-only", "id: house-audience"))
    settings = f"rules = [{json.dumps(str(tmp_path / 'private'))}]\n"
    audited(tmp_path, named("app", OPEN), settings=settings)
    store = str(tmp_path / "audit.db")
    document = json.loads(rendered(store, "json"))
    assert {each["rule"] for each in document["uncontrolled"]} == {"house-audience"}
    text = rendered(store, "html")
    assert "No control of" in text
    assert "house-audience" in text


def test_each_printed_sheet_says_of_which_run_it_is(store):
    page = rendered(store, "html")
    head = api.audit_verify(store=store).head
    assert f'@bottom-left {{ content: "{head}"; }}' in page
    assert '@top-left { content: "irsa-doctor audit, run 3 as of ' in page
    assert 'counter(page) " of " counter(pages)' in page


def test_the_hash_of_a_forged_run_is_no_style(tmp_path):
    store = three_runs(tmp_path)
    with sqlite3.connect(store) as connection:
        connection.execute("""update run set hash = '"; } } </style><script>alert(1)</script>' where id = 3""")
    connection.close()
    page = rendered(store, "html")
    assert re.search(r'@bottom-left \{ content: " +stylescriptalert1script"; \}', page)
    assert "<script" not in page


def test_a_waiver_of_an_earlier_run_is_not_counted_as_one_of_the_last(tmp_path):
    settings = (
        '[[waivers]]\nrule = "open-aud-only"\nsubject = "*app#0"\nowner = "o"\nreason = "r"\naccepted-by = "head"\n'
        "expires = 2026-01-31\n"
    )
    audited(tmp_path, named("app", OPEN), settings=settings)
    audited(tmp_path, named("app", OPEN), day=1)
    store = str(tmp_path / "audit.db")
    evidence = api.audit_report(store=store, frameworks=["soc2"], start=BEGIN, end=END)
    assert "<b>0</b>findings waived" in "".join(api.render_evidence(evidence, "html"))


@pytest.mark.parametrize("days", [(0, 1, 2, 200), (0, 30, 31, 32), tuple(range(0, 90, 3)), (5,)])
def test_no_bar_and_no_date_of_the_trend_covers_another(days):
    points = tuple(
        RunTrend(run, (BEGIN + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ"), {"high": 3}, 1, 0, 0, 0)
        for run, day in enumerate(days, 1)
    )
    scale = Scale(points, (), 10)
    bars = [re.search(r'x="([0-9.]+)" y="[0-9.]+" width="([0-9.]+)"', scale.bar(point)) for point in points]
    spans = sorted((float(bar[1]), float(bar[1]) + float(bar[2])) for bar in bars if bar)
    assert len(spans) == len(points)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    dates = sorted(float(x) for label in scale.labels(points) for x in re.findall(r'<text x="([0-9.]+)"', label))
    assert dates
    assert all(after - before >= 110 for before, after in pairwise(dates))


def test_a_subject_of_a_waiver_is_found_without_a_look_at_every_subject(tmp_path):
    """One pass over the names of the subjects, not one look-up a finding."""
    store = three_runs(tmp_path)
    with closing(sqlite3.connect(store)) as connection:
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        Population(connection, (1, 2, 3))
    assert len(statements) < 10


def test_the_command_that_verifies_is_quoted_for_a_shell(tmp_path):
    store = Path(three_runs(tmp_path)).rename(tmp_path / "it's here; echo.db")
    command = html.unescape(re.search("<pre>(irsa-doctor audit verify .*?)</pre>", rendered(str(store), "html"))[1])
    assert shlex.split(command)[4] == "it's here; echo.db"


def test_oscal_reads_the_subjects_as_often_for_all_controls_as_for_one(store, monkeypatch):
    readings: list[int] = []
    subjects = Population.subjects

    def counted(self, connection):
        readings.append(1)
        return subjects(self, connection)

    monkeypatch.setattr(Population, "subjects", counted)
    evidence = api.audit_report(store=store)
    before = len(readings)
    assert json.loads("".join(api.render_evidence(evidence, "oscal")))
    assert len(readings) - before == 2
