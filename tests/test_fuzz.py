"""Documents broken and drawn at random, with new seeds in every run, and the saved ones: each is answered, and rightly.

FUZZ_SECONDS says how long; `make fuzz` goes on for two minutes, and `python -m tests.fuzz --seed` repeats one that failed.
"""

import json
import os
import secrets
import time

import pytest

from tests import fuzz, fuzz_documents, fuzz_inputs
from tests.fuzz_targets import CORPUS, TARGETS, read_document, saved

SECONDS = float(os.environ.get("FUZZ_SECONDS", "4"))
SHARES = sum(target.share for target in TARGETS.values())
SAVED = [path for name in TARGETS for path in saved(name)]


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_is_drawn_anew_fails(name):
    until = time.monotonic() + SECONDS * TARGETS[name].share / SHARES
    while time.monotonic() < until:
        seed = secrets.randbits(48)
        assert fuzz.failure(name, fuzz.drawn(name, seed)) == "", f"python -m tests.fuzz --target {name} --seed {seed}"


@pytest.mark.parametrize("path", SAVED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_failed_once_or_is_a_sample_holds(path):
    assert fuzz.failure(path.parent.name, read_document(path)) == ""


def test_every_target_has_saved_documents_and_every_saved_document_a_target():
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert all(saved(name) for name in TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_a_seed_draws_the_same_document_each_time_and_another_seed_another(name):
    documents = [json.dumps(fuzz.drawn(name, seed)) for seed in (1, 1, *range(2, 8))]
    assert documents[0] == documents[1]
    assert len(set(documents)) > 4


def test_what_is_drawn_follows_the_bytes_and_is_the_same_when_they_are_used_up():
    first, second = (fuzz.ByteDraw(raw) for raw in (b"\x01\x02", b"\x01\xff"))
    assert [draw.getrandbits(8) for draw in (first, second)] == [1, 1]
    assert [draw.getrandbits(8) for draw in (first, second)] == [2, 255]
    assert first.random() == second.random() < 1


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("decide", {"policy": {"Statement": [{"Effect": "Allow"}]}, "calls": [{"context": {}, "multi": []}]}),
        ("cel", {"condition": 7}),
        ("why", {"error": "nothing that is known", "means": "audience-not-registered"}),
        ("rbac", {"space": "a", "objects": [], "requests": [{}]}),
        ("documents", {"reader": "check", "suffix": ".json", "text": "{}", "turn": "x"}),
    ],
)
def test_a_target_fails_where_what_should_hold_does_not(name, document):
    assert fuzz.failure(name, document) != ""


@pytest.mark.parametrize("name", fuzz_inputs.DOCUMENTS)
def test_every_value_of_every_kind_may_be_of_any_shape(tmp_path, name):
    (tmp_path / "good.json").write_text(json.dumps(fuzz_documents.GOOD))
    sample = fuzz_inputs.DOCUMENTS[name]
    for number, value in enumerate((None, 0, "", [], {}, [[]])):
        # each place with one of the shapes; the fuzzer tries the rest
        for place in range(number, len(fuzz_inputs.places_in(sample)), 6):
            copied = json.loads(json.dumps(sample))
            container, key = fuzz_inputs.places_in(copied)[place]
            container[key] = value
            raw = json.dumps(copied).encode()
            path = tmp_path / "x.json"
            path.write_bytes(raw)
            fuzz_documents.check_document(path, raw)


@pytest.mark.parametrize("name", [*fuzz_inputs.READERS])
def test_every_reader_reads_the_sample_that_is_broken_for_it(tmp_path, name):
    (tmp_path / "good.json").write_text(json.dumps(fuzz_documents.GOOD))
    sample, suffix, read = fuzz_inputs.READERS[name]
    path = tmp_path / f"x{suffix}"
    path.write_text(sample if isinstance(sample, str) else json.dumps(sample))
    read(path)
