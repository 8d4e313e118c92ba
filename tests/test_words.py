"""The words that users read: no phrase of `words.yaml` in rules, causes, reports, help and pages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PHRASES = {row["not"]: row["use"] for row in yaml.safe_load((ROOT / "tests" / "words.yaml").read_text(encoding="utf-8"))}
DATA = sorted([*ROOT.glob("rules/*/*.yaml"), *ROOT.glob("causes/**/*.yaml"), *ROOT.glob("*.yaml")])
PYTHON = sorted([*ROOT.glob("irsa_doctor/reports/*.py"), *ROOT.glob("irsa_doctor/cli/**/*.py")])
PAGES = [*(ROOT / page for page in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *sorted(ROOT.glob("docs/**/*.md"))]
NO_PROSE = ("examples", "references", "controls", "messages", "texts")
"""members of data files that hold worlds, titles of other people's pages, or texts of AWS and of SDKs"""

NAMES = re.compile(r"\{[a-z_]+\}")
"""names in the sentences of rules, which nobody reads"""

ALLOWED: dict[tuple[str, str], str] = {}
"""(path, phrase) -> why the phrase is right there"""


def pattern(phrase: str) -> re.Pattern[str]:
    """A phrase at the borders of words, over any white space, in any case."""
    words = r"\s+".join(map(re.escape, phrase.split()))
    return re.compile(rf"\b{words}\b", re.IGNORECASE)


PATTERNS = {phrase: pattern(phrase) for phrase in PHRASES}


def sentences_of(value: object) -> Iterator[str]:
    """Every text in a value of a data file, without those that others wrote."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from sentences_of(member) if key not in NO_PROSE else ()
    elif isinstance(value, list):
        for item in value:
            yield from sentences_of(item)


def literals_of(source: str) -> Iterator[str]:
    """Every text of a module, docstrings included: typer makes help of them."""
    yield from (
        node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def texts_of(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yaml":
        return list(sentences_of(yaml.safe_load(text)))
    return list(literals_of(text)) if path.suffix == ".py" else [text]


def phrases_in(text: str) -> list[str]:
    plain = NAMES.sub("", text)
    return [phrase for phrase, shape in PATTERNS.items() if shape.search(plain)]


@pytest.mark.parametrize("path", [*DATA, *PYTHON, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_users_read_the_words_of_the_field(path):
    name = str(path.relative_to(ROOT))
    wrong = {phrase for text in texts_of(path) for phrase in phrases_in(text)} - {p for at, p in ALLOWED if at == name}
    assert {phrase: PHRASES[phrase] for phrase in sorted(wrong)} == {}


def test_an_exception_that_is_no_longer_needed_is_removed():
    for name, phrase in ALLOWED:
        assert any(phrase in phrases_in(text) for text in texts_of(ROOT / name)), (name, phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("It asks for the subject.", "asks for"),
        ("everything\n  hangs  on it", "hangs on"),
        ("Nothing Wrong here", "nothing wrong"),
        ("asks forward", None),
        ("default", None),
    ],
)
def test_a_phrase_is_found_across_lines_and_only_as_whole_words(text, phrase):
    assert phrases_in(text) == ([phrase] if phrase else [])


def test_every_kind_of_file_is_read():
    assert {path.parent.parent.name for path in DATA} >= {"rules"}
    assert len(DATA) > 100
    assert any("fix" in text for path in PYTHON for text in texts_of(path))
