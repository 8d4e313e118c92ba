"""The documentation: short where it should be, complete, with links that lead somewhere."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from irsa_doctor.cli import app
from tools.pages import output_of, page_of

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
DIALECT = re.compile(
    r"(?i)\b(is told|are told|hangs? on|asks? for the|goes before|go before|stands? at|is none|beyond all measure|remarks?"
    r"|what there is|what was given|in place of|told of|cannot be told|said of)\b"
)


def name(page):
    return page.relative_to(ROOT).as_posix()


def text(page):
    return page.read_text(encoding="utf-8")


def prose(page):
    """The page without code and generated tables."""
    return re.sub(r"```.*?```|<!-- (\w+) -->.*?<!-- /\1 -->|`[^`\n]*`", "", text(page), flags=re.DOTALL)


def anchors(page):
    heads = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text(page), flags=re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def links(page):
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if "://" not in target]


def test_the_readme_is_what_a_newcomer_needs_and_no_more():
    assert len(text(ROOT / "README.md").split()) < 900


def test_every_page_is_linked_from_the_readme():
    linked = {target.partition("#")[0] for target in links(ROOT / "README.md")}
    assert {name(page) for page in PAGES[1:]} <= linked


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_and_a_heading_of_it(page):
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("command", sorted(vars(get_command(app))["commands"]))
def test_every_command_is_in_the_documentation(command):
    assert any(f"irsa-doctor {command}" in text(page) for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_speaks_a_dialect(page):
    assert DIALECT.findall(prose(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_commands_of_a_page_know_their_options(page):
    flags = {flag for command in all_commands(get_command(app)) for option in command.params for flag in option.opts}
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text(page), flags=re.DOTALL) for line in block.splitlines()]
    calls = [call for line in lines for call in line.split(" #")[0].split(" | ") if call.startswith("irsa-doctor")]
    used = {flag for call in calls for flag in re.findall(r"(?<= )--[a-z-]+", call)}
    assert used <= {*flags, "--version", "--help"}


def all_commands(command):
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from all_commands(inner)


def test_the_tree_of_the_contributing_page_is_the_tree():
    block = re.search(r"```\nirsa_doctor/\n(.*?)```", text(ROOT / "CONTRIBUTING.md"), flags=re.DOTALL)[1]
    rooms = set(re.findall(r"^  ([a-z_]+)/ ", block, flags=re.MULTILINE))
    assert rooms == {path.name for path in (ROOT / "irsa_doctor").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert all((ROOT / folder).is_dir() for folder in re.findall(r"^([a-z]+)/ ", block, flags=re.MULTILINE))


def test_what_a_change_costs_names_files_that_exist():
    table = text(ROOT / "CONTRIBUTING.md").partition("## What one change costs")[2].partition("\n## ")[0]
    paths = re.findall(r"`((?:irsa_doctor|tests|rules|causes|docs|sources|api|cli|schemas)/[a-z_/.-]*)`", table)
    assert len(paths) > 10
    for path in paths:
        assert (ROOT / path).exists() or (ROOT / "irsa_doctor" / path).exists(), path


def test_an_output_may_be_cut_as_a_reader_would_cut_it():
    whole = output_of("irsa-doctor rules --help")
    assert output_of("irsa-doctor rules --help | head -n 3").splitlines() == whole.splitlines()[:3]


def test_only_our_own_command_is_run_for_a_page():
    with pytest.raises(ValueError, match="only irsa-doctor is run"):
        page_of("<!-- output: ls -->\n```console\n```\n")
