"""What a person asserts is told from what a person denies, asks, supposes, wishes, has seen the end of, or means to be so."""

import time

import pytest

from irsa_doctor.rulebook.messages import shipped_moods


def mood(text: str) -> str | None:
    """The mood of the words between brackets."""
    start, end = text.index("["), text.index("]") - 1
    return shipped_moods().mood_at(text.replace("[", "").replace("]", ""), start, end)


@pytest.mark.parametrize(
    "text",
    [
        "The pod [uses the node role].",
        "It should have its own role but it [uses the node role].",
        "Why is the pod [using the node role]?",
        "Does anybody know why the pod is [using the node role]?",
        "The pod [uses the node role], how do I change that?",
        "Can you help? The pod [uses the node role].",
        "I don't understand it, the pod [uses the node role].",
        "It doesn't work because the pod [uses the node role].",
        "If I look into it, the pod [uses the node role].",
        "When the pod starts it [uses the node role].",
        "When the pod starts, it [uses the node role].",
        "Although it should not, it [uses the node role].",
        "I can see that it [uses the node role].",
        "Once I upgraded the chart the pod [uses the node role].",
        "I don't think that it is read, from the logs it looks like it is [using the node role].",
        "What could be the reason that the pod [uses the node role]?",
        "Please help, the pod is [using the node role].",
        "need help the pod [uses the node role]",
        # another clause is of another mood
        "The pod [uses the node role], which could be a problem.",
        "The pod [uses the node role] and might break S3.",
        "The pod [uses the node role] (this worked before the upgrade).",
        "It worked before we upgraded, the pod [uses the node role] now.",
        # what is quoted is read alone, and a line of a program is no sentence
        'I wonder why the log says "[using the node role]"',
        "Should I worry about `web identity failed, [using the node role]`?",
        "If I see it right, we get: [using the node role]",
        'level=warn msg="could not assume the role of the account and is therefore [using the node role]"',
        "2026-11-30 01:02:03 WARN Cannot assume the role with web identity [using the node role]",
    ],
)
def test_what_a_sentence_asserts(text):
    assert mood(text) is None


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("denied", "The pod is not [using the node role]."),
        ("denied", "I don't think that the pod [uses the node role]."),
        ("denied", "Nobody [uses the node role]."),
        ("denied", "As far as I can say today I don\u2019t think that this\npod is [using the node role]."),
        ("asked", "Is the pod [using the node role]?"),
        ("asked", "The pod [uses the node role]?"),
        ("asked", "The pod [uses the node role], right?"),
        ("asked", "Since the last update, does the pod get [the node role]?"),
        ("supposed", "If the pod [uses the node role], S3 refuses it."),
        ("supposed", "If the token is missing, the pod [uses the node role]."),
        ("supposed", "If the token is missing and the pod restarts, then it [uses the node role]."),
        ("supposed", "The pod [uses the node role] if the token is missing."),
        ("supposed", "The pod would be [using the node role]."),
        ("supposed", "It's unlikely that the pod is [using the node role]."),
        ("supposed", "I thought the pod was [using the node role]; it was a slip in a name."),
        ("supposed", "A pod that [uses the node role] can read every bucket."),
        ("supposed", "Say the pod [uses the node role]: is it logged?"),
        ("supposed", "Perhaps, the pod [uses the node role]."),
        ("supposed", "I wonder whether the pod [uses the node role]."),
        ("supposed", "It looks as if it was [using the node role]."),
        ("wished", "I want the pod to be [using the node role]."),
        ("wished", "Make sure that the pod [uses the node role]."),
        ("wished", "Next week the pods will be [using the node role]."),
        ("over", "Before the fix, the pod was [using the node role]."),
        ("over", "The pod was [using the node role] until we moved it."),
        ("over", "The pod was [using the node role], until we moved it."),
        ("supposed", "The pod [uses the node role], maybe."),
        ("supposed", "I suspected that the pod [uses the node role], and was wrong."),
        ("over", "There was a similar issue with a pod [using the node role], which is not the case here."),
        ("over", "Previously, the pod was [using the node role]."),
        ("over", "The pod was [using the node role], which we fixed last week."),
        ("meant", "The pod [uses the node role] on purpose."),
        ("meant", "It is [using the node role] and works."),
        # a quotation is read alone, and so is a line of a program
        ("supposed", 'The page says "a pod should be [using the node role]", does it?'),
        ("denied", "2026-11-30 01:02:03 INFO the client is not [using the node role]"),
    ],
)
def test_what_a_sentence_does_not_assert(expected, text):
    assert mood(text) == expected


@pytest.mark.parametrize("filler", ["if ", "a, ", '"', "` ", "? ", "n't ", "\n", "if i when i\n", "( - "])
def test_the_time_to_read_one_place_has_a_limit(filler):
    began = time.perf_counter()
    shipped_moods().mood_at(filler * 300_000, len(filler) * 150_000, len(filler) * 150_000 + 5)
    assert time.perf_counter() - began < 0.5
