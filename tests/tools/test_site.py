"""The pages on the web: one for every rule, cause, issuer, framework, schema and message, with links that hold."""

import re
from pathlib import PurePosixPath

import pytest

from irsa_doctor.issuers.profiles import profiles
from irsa_doctor.rulebook.causes import all_causes
from irsa_doctor.rulebook.frameworks import frameworks
from irsa_doctor.rulebook.rules import shipped_rules
from tools.site.__main__ import pages
from tools.site.errors import heading_of, message_file
from tools.site.kept import DOCS, MENU, BrokenLink, linked
from tools.site.links import broken_links
from tools.site.page import code, literal, prose
from tools.site.reference import schema_files

ADDRESS = re.compile(r"(?<!!)\]\((?!<)([^)\s]+)\)")


@pytest.fixture(scope="module")
def site():
    return {page.path: page.text for page in pages()}


def plain(text):
    """A heading without its markup."""
    return re.sub(r"\\(.)", r"\1", text)


def headings(text):
    prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [plain(head) for head in re.findall(r"^#{1,2} (.+)$", prose, re.MULTILINE)]


def test_every_rule_cause_issuer_framework_and_schema_has_a_page(site):
    rules, causes = {rule.id for rule in shipped_rules()}, {cause.id for cause in all_causes().values() if not cause.rule}
    expected = {"rules": rules, "causes": causes, "issuers": {*profiles(), "index"}, "frameworks": {*frameworks(), "index"}}
    expected["schemas"] = {*schema_files(), "index"}
    for folder, idents in expected.items():
        assert {PurePosixPath(path).stem for path in site if path.startswith(f"{folder}/")} == idents


def test_the_page_of_a_rule_has_the_text_of_explain_and_examples_that_fail_and_pass(site):
    for rule in shipped_rules():
        text = site[f"rules/{rule.id}.md"]
        assert headings(text)[0] == f"{rule.id}: {rule.title}"
        assert prose(rule.why) in text
        assert prose(rule.remedy) in text
        assert {"Fails", "Passes"} <= set(headings(text))
        assert all(reference.url in text for reference in rule.references)


def test_every_text_of_a_message_is_a_heading_with_its_causes_and_what_settles_them(site):
    file = message_file()
    for message in file.messages:
        text = site[f"errors/{message.id}.md"]
        assert [heading_of(example) for example in file.examples[message.id]] == [
            head for head in headings(text) if head not in ("Which cause is it", "How to tell them apart")
        ]
        assert "irsa-doctor why NAMESPACE/SERVICEACCOUNT input/ --error " in text
        for candidate in message.candidates:
            cause = all_causes()[candidate.id]
            assert f"/{cause.id}.md)" in text
            assert not cause.settle or "By hand, for each cause" in text
        assert f"](errors/{message.id}.md)" in site["errors.md"]


def test_every_control_of_a_framework_names_its_rules(site):
    for ident, framework in frameworks().items():
        supporting = [rule.id for rule in shipped_rules() if ident in rule.controls]
        assert all(f"[{rule}](../rules/{rule}.md)" in site[f"frameworks/{ident}.md"] for rule in supporting)
        assert all(literal(control) in site[f"frameworks/{ident}.md"] for control in framework.controls)


def test_every_link_between_pages_holds(site):
    known = {PurePosixPath(path) for path in site}
    for path, text in site.items():
        for target in ADDRESS.findall(re.sub(r"^(`{3,}).*?^\1$|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)):
            file = target.partition("#")[0]
            if file and "://" not in file:
                parts: list[str] = []
                for part in (PurePosixPath(path).parent / file).parts:
                    parts = parts[:-1] if part == ".." else [*parts, part]
                assert PurePosixPath(*parts) in known, (path, target)


def test_every_kept_page_is_in_the_menu(site):
    listed = {f"{page}.md" for pages in MENU.values() for page in pages} | {"index.md", "playground.md"}
    assert {path for path in site if "/" not in path or path.endswith("/index.md")} == listed


def test_a_link_that_leads_nowhere_stops_the_build():
    with pytest.raises(BrokenLink, match=r"docs/why.md links to nowhere.md"):
        linked(DOCS / "why.md", "[there](nowhere.md)")


@pytest.mark.parametrize(
    ("text", "on_the_site"),
    [
        ("[`a`](../rules/open/open-aud-only.yaml)", "[`a`](rules/open-aud-only.md)"),
        ("[a](../causes/clock-skew.yaml)", "[a](causes/clock-skew.md)"),
        ("[a](../causes/symptoms.yaml)", "[a](errors.md)"),
        ("[a](../SECURITY.md#threat-model)", "[a](security.md#threat-model)"),
        ("[a](../pyproject.toml)", "a"),
        ("[a](https://example.com/b)", "[a](https://example.com/b)"),
        ("<!-- file: x -->\n```json\n[1](nowhere)\n```\n", "\n```json\n[1](nowhere)\n```\n"),
    ],
)
def test_links_lead_to_the_pages_of_the_site_and_code_stays_as_it_is(text, on_the_site):
    assert linked(DOCS / "why.md", text) == on_the_site


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("a <b> {c} `d<e>` *f*", r"a \<b\> \{c\} `d<e>` \*f\*"),
        ("[x](y) | z_1", r"\[x\](y) \| z\_1"),
    ],
)
def test_text_is_no_markup_but_for_code(text, markdown):
    assert prose(text) == markdown


@pytest.mark.parametrize(("text", "markdown"), [("a`b", "`` a`b ``"), ("a|b\n c", r"`a\|b c`"), ("", "")])
def test_code_is_what_it_was(text, markdown):
    assert code(text) == markdown


def test_a_missing_file_and_a_missing_anchor_are_broken_links(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#there">x</a><a href="b.html#gone">x</a><img src="c.svg"><a href="https://e.org">'
    )
    (tmp_path / "b.html").write_text('<p id="there"><a href="#there">x</a>')
    assert list(broken_links(tmp_path)) == ["a.html: b.html#gone", "a.html: c.svg"]
