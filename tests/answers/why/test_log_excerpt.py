import tracemalloc

import pytest

from irsa_doctor import api
from irsa_doctor.answers.why import log_excerpt, symptoms_in
from irsa_doctor.rulebook.messages import shipped_messages
from irsa_doctor.rulebook.pattern_words import required_words, words_in

KNOWN = shipped_messages()
OLD = b"InvalidIdentityToken: Invalid timestamp in token claims.\n"
NEW = b"WebIdentityErr: failed to retrieve credentials\ncaused by: AccessDenied: Not authorized to perform %s\n" % (
    b"sts:AssumeRoleWithWebIdentity"
)
NOISE = b'{"level":"info","ts":"2026-11-28T09:14:02Z","msg":"reconciled","token":"\x00\xff","status":"ok"}\n'


def log(before=OLD, after=NEW, size=4 << 20):
    yield before
    yield from (NOISE * 1000 for _ in range(size // (1000 * len(NOISE))))
    yield after


def test_no_message_of_a_long_log_is_lost_and_the_newest_comes_first():
    assert [symptom.id for symptom in symptoms_in(log_excerpt(log(), KNOWN))] == ["denied", "timestamp"]


def test_a_message_in_the_middle_of_a_long_log_is_read():
    middle = [*log(b"", OLD), *log(b"", b"")]
    assert [symptom.id for symptom in symptoms_in(log_excerpt(middle, KNOWN))] == ["timestamp"]


def test_of_a_log_without_a_message_the_end_is_left():
    lines = (b"a line of no interest %d\n" % number for number in range(100_000))
    text = log_excerpt(lines, KNOWN)
    assert "99999" in text
    assert len(text) < 10_000


def test_a_line_without_end_is_read_in_pieces():
    pieces = [b"x" * (1 << 20), NEW.replace(b"\n", b" "), b"y" * (1 << 20)]
    assert [symptom.id for symptom in symptoms_in(log_excerpt(pieces, KNOWN))] == ["denied"]


def test_memory_does_not_grow_with_the_log():
    tracemalloc.start()
    log_excerpt(log(size=24 << 20), KNOWN)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


@pytest.mark.parametrize("message", KNOWN, ids=lambda message: message.id)
def test_every_pattern_requires_a_word(message):
    assert all(map(words_in, message.patterns)) or all(map(words_in, message.beside or [""]))


def test_a_pattern_requires_a_word_of_each_of_its_parts():
    required = required_words(r"(?>\b(?:using|takes) the){1,2}[^\n]{0,30}(?P<what>node role|identity)(?:never)?")
    assert set(required) == {frozenset({"using", "takes"}), frozenset({"node", "identity"})}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "cp1252"])
def test_a_file_with_a_message_may_have_any_encoding(encoding, tmp_path):
    path = tmp_path / "error.txt"
    path.write_bytes(f"é {OLD.decode()}".encode(encoding))
    found = api.why(symptoms=api.read_symptoms(error=f"@{path}"))
    assert [cause.id for cause in found.causes] == ["token-timestamp-invalid"]
