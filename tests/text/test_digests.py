"""The digest of a text is the same whoever works it out."""

import hashlib
import threading

import pytest

from irsa_doctor.text.digests import Digest


@pytest.mark.parametrize("size", [0, 1, 1 << 20, 3_000_000])
def test_a_digest_is_that_of_its_text(size):
    text = b"a" * size
    assert Digest(text).hex == hashlib.sha256(text).hexdigest()


def test_no_thread_is_left_when_the_digest_is_known():
    digest = Digest(b"a" * 2_000_000)
    assert digest.hex
    assert threading.active_count() == 1


def test_where_there_are_no_threads_it_is_worked_out_all_the_same(monkeypatch):
    def refused(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    text = b"a" * 2_000_000
    assert Digest(text).hex == hashlib.sha256(text).hexdigest()
