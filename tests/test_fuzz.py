"""Documents broken at random, with new seeds in every run: none crashes, hides what stands beside it, or leaks a secret.

FUZZ_SECONDS says how long; `make fuzz` goes on for two minutes, and `python -m tests.fuzz --seed` repeats one that failed.
"""

import json
import os
import secrets
import time

import pytest

from tests import fuzz, fuzz_inputs

SECONDS = float(os.environ.get("FUZZ_SECONDS", "4"))


def test_no_document_is_an_error_of_ours_or_hides_another(tmp_path):
    (tmp_path / "good.json").write_text(json.dumps(fuzz.GOOD))
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        seed = secrets.randbits(48)
        assert fuzz.failure(seed, tmp_path) == "", f"python -m tests.fuzz --seed {seed}"


@pytest.mark.parametrize("name", fuzz_inputs.DOCUMENTS)
def test_every_value_of_every_kind_may_be_of_any_shape(tmp_path, name):
    (tmp_path / "good.json").write_text(json.dumps(fuzz.GOOD))
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
            fuzz.check_document(path, raw)


@pytest.mark.parametrize("name", [*fuzz_inputs.READERS])
def test_every_reader_reads_the_sample_that_is_broken_for_it(tmp_path, name):
    (tmp_path / "good.json").write_text(json.dumps(fuzz.GOOD))
    sample, suffix, read = fuzz_inputs.READERS[name]
    path = tmp_path / f"x{suffix}"
    path.write_text(sample if isinstance(sample, str) else json.dumps(sample))
    read(path)
