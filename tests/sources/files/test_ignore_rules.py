import time

import pytest

from irsa_doctor.sources.files.ignore_rules import read_ignore_rules


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern means a path; one that ends in a slash is a folder."""
    rules = read_ignore_rules([pattern])
    return any(rule.matches(path.rstrip("/"), path.endswith("/")) for rule in rules)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("a.json", "a.json"),
        ("a.json", "deep/er/a.json"),
        ("*.json", "deep/a.json"),
        ("a*c?e.json", "abbcde.json"),
        ("/a.json", "a.json"),
        ("policies/a.json", "policies/a.json"),
        ("build/", "build/"),
        ("build/", "deep/build/"),
        ("build", "build/"),
        ("**/a.json", "a.json"),
        ("**/a.json", "x/y/a.json"),
        ("x/**", "x/y/z"),
        ("x/**/z", "x/z"),
        ("x/**/z", "x/1/2/z"),
        ("[ab].json", "a.json"),
        ("[!ab].json", "c.json"),
        ("[^ab].json", "c.json"),
        ("[a-c]?.json", "bz.json"),
        ("[[:digit:]].json", "7.json"),
        ("[]].json", "].json"),
        ("\\#a", "#a"),
        ("\\!a", "!a"),
        ("\\*", "*"),
        ("a\\ ", "a "),
        ("a.json   ", "a.json"),
        ("a.json\r", "a.json"),
        ("a**b", "axxb"),
    ],
)
def test_a_pattern_means_what_git_takes_it_for(pattern, path):
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("# a", "# a"),
        ("", "a"),
        ("/", "a"),
        ("a.json", "b.json"),
        ("/a.json", "x/a.json"),
        ("policies/a.json", "x/policies/a.json"),
        ("build/", "build"),
        ("x/**", "x/"),
        ("x/*/z", "x/1/2/z"),
        ("x/*", "x/1/2"),
        ("[ab.json", "a.json"),
        ("[!a].json", "a.json"),
        ("a\\", "a"),
        ("\\*", "x"),
    ],
)
def test_a_pattern_means_nothing_else(pattern, path):
    assert not matches(pattern, path)


@pytest.mark.parametrize("pattern", ["*a" * 60 + "b", "**/" * 60 + "b", "[a-z]*" * 60 + "!", "/".join(["**", "a*"] * 30)])
def test_no_pattern_of_a_stranger_keeps_a_run_waiting(pattern):
    begun = time.monotonic()
    assert not matches(pattern, "/".join(["a" * 200] * 15))
    assert time.monotonic() - begun < 1
