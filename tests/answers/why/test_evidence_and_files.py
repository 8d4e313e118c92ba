"""Files never make an answer worse than the message alone."""

import random

import pytest

from irsa_doctor.answers.why import symptoms_in
from irsa_doctor.rulebook.cause_files import causes_folder
from irsa_doctor.rulebook.message_files import read_messages
from tests.answers.why import world as w
from tests.answers.why.world import POD, TARGET, healthy, why, world

DRAWS = 3


def texts():
    """(id, text, the cause that it proves, "" where none) of every example, its session being one of the role of the world."""
    for message in (file := read_messages(causes_folder())).messages:
        for example in file.examples[message.id]:
            yield message.id, example.text.replace("assumed-role/app/", "assumed-role/checkout/"), message.proves


EXAMPLES = [row for row in texts() if symptoms_in(row[1])]


def subsets(seed):
    draw = random.Random(seed)  # noqa: S311 - the same ones every time
    documents = healthy()
    yield documents
    for _ in range(DRAWS):
        yield {path: content for path, content in documents.items() if draw.random() < 0.6}


def test_there_are_many_messages():
    assert len(EXAMPLES) > 80


@pytest.mark.parametrize(("ident", "text", "proves"), EXAMPLES, ids=[f"{row[0]}: {row[1][:30]}" for row in EXAMPLES])
def test_a_message_of_a_failure_never_ends_in_works_and_keeps_what_it_proves(ident, text, proves):
    symptoms = symptoms_in(text)
    alone = dict(w.causes(why({}, "", symptoms=symptoms, failing=True)))
    for documents in subsets(text):
        found = why(documents, TARGET, symptoms=symptoms, failing=True)
        assert found.verdict != "works"
        assert found.verdict != "broken" or found.causes
        assert all(cause.remedy and (cause.settle or cause.certainty == "certain") for cause in found.causes)
        if alone.get(proves) == "certain":
            assert (proves, "certain") in w.causes(found)


NOT_PERMITTED = "is not authorized to perform: s3:ListBucket because no identity-based policy allows the s3:ListBucket action"


@pytest.mark.parametrize("session", ["i-0abcdef0123456789", "i-<id>", "i-TRUNCATED", "i-****", "TRUNCATED", "1710490480352583"])
def test_the_session_of_another_role_is_no_lack_of_permission_of_this_one(session):
    text = f"api error AccessDenied: User: arn:aws:sts::111122223333:assumed-role/prod-worker/{session} {NOT_PERMITTED}"
    found = why(world(), POD, symptoms=symptoms_in(text), failing=True)
    assert w.causes(found)[0] == ("imds-fallback-generic", "likely")
    assert ("perm-denied-after-assume", "certain") not in w.causes(found)


def test_the_session_of_the_role_itself_proves_that_a_permission_is_missing():
    text = f"User: arn:aws:sts::111122223333:assumed-role/checkout/TRUNCATED {NOT_PERMITTED}"
    found = why(world(), POD, symptoms=symptoms_in(text), failing=True)
    assert w.causes(found) == [("perm-denied-after-assume", "certain")]


@pytest.mark.parametrize("session", ["TRUNCATED", "<redacted>", "***", "xxxxxxx", "[session]", "{{ session }}"])
def test_a_hidden_session_alone_does_not_show_whose_it_was(session):
    text = f"User: arn:aws:sts::111122223333:assumed-role/checkout/{session} {NOT_PERMITTED}"
    found = w.causes(why({}, "", symptoms=symptoms_in(text), failing=True))
    assert found[:2] == [("perm-denied-after-assume", "likely"), ("imds-fallback-generic", "possible")]
