import re
from pathlib import Path

import pytest

from irsa_doctor import api
from irsa_doctor.answers.why import CaseEvidence, case_for, target_of
from irsa_doctor.answers.why.placeholders import placeholder_values
from irsa_doctor.facts import View
from irsa_doctor.governance.settings import Settings
from irsa_doctor.rulebook.folders import CASE_PLACEHOLDERS
from tests.answers.why import world as w

ROOT = Path(__file__).parent.parent.parent.parent
EVIDENCE = CaseEvidence(now=w.NOW)

CAUSE = """\
id: my-cause
title: The widget is broken
link: sdk
why: Widgets break.
remedy: Repair the widget.
settle: widgetctl check {namespace}
"""
MESSAGES = """\
messages:
  - id: my-message
    patterns: ['widget [a-z]{1,9} is broken']
    links: [sdk]
    causes: [my-cause, sdk-too-old]
    examples: [{text: widget a is broken, causes: [my-cause]}]
"""


@pytest.fixture
def folder(tmp_path):
    own = tmp_path / "private" / "causes"
    own.mkdir(parents=True)
    (own / "my-cause.yaml").write_text(CAUSE, encoding="utf-8")
    (own / "symptoms.yaml").write_text(MESSAGES, encoding="utf-8")
    return own.parent


def diagnosis(folder, error: str):
    files = folder.parent / "account.yaml"
    files.write_text(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: checkout, namespace: payments,"
        " annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/checkout'}}\n",
        encoding="utf-8",
    )
    settings = Settings(rules=(str(folder),))
    return api.why("payments/checkout", [str(files)], settings=settings, symptoms=api.Symptoms(error=error))


def test_a_private_message_leads_to_a_private_cause(folder):
    first = diagnosis(folder, "fatal: widget x is broken").causes[0]
    assert (first.id, first.certainty, first.settle) == ("my-cause", "likely", "widgetctl check payments")


def test_a_private_folder_of_causes_alone_is_tested(folder):
    tested = api.verify_rules(folder)
    assert (tested.rules, tested.causes, tested.messages, tested.examples, tested.failures) == (0, 1, 1, 18, ())


def test_a_private_cause_that_is_named_like_a_built_in_one_is_refused(folder):
    (folder / "causes" / "clock-skew.yaml").write_text(CAUSE.replace("my-cause", "clock-skew"), encoding="utf-8")
    with pytest.raises(api.RuleError, match="the id clock-skew is that of a built-in cause"):
        diagnosis(folder, "x")


def test_a_private_folder_has_no_words_of_moods_of_its_own(folder):
    (folder / "causes" / "symptoms.yaml").write_text("moods: {joins: [and]}\n" + MESSAGES, encoding="utf-8")
    with pytest.raises(api.RuleError, match=r"symptoms.yaml:1: the words of moods are those of the built-in messages"):
        diagnosis(folder, "widget x is broken")


def test_a_private_cause_with_an_unknown_link_is_refused(folder):
    (folder / "causes" / "my-cause.yaml").write_text(CAUSE.replace("link: sdk", "link: sdkk"), encoding="utf-8")
    with pytest.raises(api.RuleError, match=r"my-cause.yaml:3: no link sdkk"):
        diagnosis(folder, "x")


def test_the_example_of_the_documentation_works(tmp_path):
    page = (ROOT / "docs" / "private-rules.md").read_text(encoding="utf-8")
    files = re.findall(r"```yaml\n# my-rules/(causes/[\w.-]+)\n(.*?)```", page, re.DOTALL)
    assert len(files) == 2
    (tmp_path / "causes").mkdir()
    for name, text in files:
        (tmp_path / name).write_text(text, encoding="utf-8")
    tested = api.verify_rules(tmp_path)
    assert (tested.causes, tested.messages, tested.failures) == (1, 1, ())


def test_the_loader_knows_what_can_be_put_into_commands():
    loaded = w.loaded(w.healthy())
    case = case_for(View(loaded.inventory), lambda *_: (0, 0, 0, 0, "", 0), target_of(w.TARGET, "", EVIDENCE), "", EVIDENCE)
    assert placeholder_values(case).keys() == CASE_PLACEHOLDERS


def test_check_refuses_what_why_refuses(folder):
    (folder / "causes" / "my-cause.yaml").write_text(CAUSE.replace("link: sdk", "link: sdkk"), encoding="utf-8")
    with pytest.raises(api.RuleError, match=r"my-cause.yaml:3: no link sdkk"):
        api.check([], stdin=b"{}", settings=Settings(rules=(str(folder),)))
