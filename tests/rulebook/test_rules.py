import json
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from irsa_doctor.answers.check.examples import base_world, documents_of, named
from irsa_doctor.model import Unknown
from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES
from irsa_doctor.rulebook.edit_block import NO_EDITS
from irsa_doctor.rulebook.files import read_rule_files, rules_folder
from irsa_doctor.rulebook.frameworks import frameworks
from irsa_doctor.rulebook.rules import SUBJECTS, Graded, digest, shipped_rules, vocabulary

RULES = {rule.id: rule for rule in shipped_rules()}


def test_the_index_holds_every_rule_file():
    assert list(RULES.values()) == [file.rule for file in read_rule_files(rules_folder())]


def test_the_index_is_shipped_without_examples_and_named_by_its_digest():
    index = Path(__file__).parent.parent.parent / "irsa_doctor" / "rulebook" / "rules_index.json"
    assert not any("examples" in rule for rule in json.loads(index.read_bytes()))
    assert digest().startswith("sha256:")


def test_the_folder_of_a_rule_is_its_family():
    assert RULES["open-no-sub"].family == "open"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_is_explained_in_whole_sentences_and_maps_to_known_controls(rule):
    assert rule.why.strip().endswith((".", "!", "?", ")", "`"))
    for framework, controls in rule.controls.items():
        for control in controls:
            assert control.id in frameworks()[framework].controls, (framework, control.id)


def test_snippet_is_the_older_form_of_a_corrected_policy():
    rule = replace(RULES["open-aud-only"], edit=NO_EDITS)
    assert (list(rule.ways), list(replace(rule, snippet=True).ways)) == ([], ["binding", "users", "written"])
    assert list(replace(rule, snippet=True, fix=["provider"]).ways) == ["provider-added"]
    assert list(RULES["open-aud-only"].ways) == ["narrowed"]


@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_fact_that_a_rule_can_ask_for_has_a_closed_list_of_values(kind):
    for fact, values in vocabulary(kind).items():
        assert values.truth or values.number or values.words, fact


def test_values_of_facts_are_told_apart_as_json_tells_them():
    values = vocabulary("role")
    assert values["contested"].allow(True)
    assert not values["contested"].allow(1)
    assert values["clusters"].allow(1)
    assert not values["clusters"].allow(True)
    assert values["mixed"].allow("everyone")
    assert not values["mixed"].allow("everybody")


def test_facts_of_real_documents_keep_to_the_vocabulary():
    """What the annotations of the records say is what the functions give."""
    from irsa_doctor.answers.check.examples import example_world
    from irsa_doctor.facts import View, derive
    from irsa_doctor.governance.settings import Settings
    from irsa_doctor.sources import load

    kinds = {record: kind for kind, record in SUBJECTS.items()}
    base, seen = base_world(), set()
    for file in read_rule_files(rules_folder()):
        for example in (*file.examples.bad, *file.examples.good):
            world = named(example_world(base, example.patch))
            loaded = load((), memory=documents_of(world), complete=tuple(world.get("complete", ())))
            settings = msgspec.convert(world.get("settings", {}), Settings)
            for judged in derive(View(loaded.inventory, *settings.of_issuers)):
                kind = kinds[type(judged.facts)]
                seen.add(kind)
                for fact, values in vocabulary(kind).items():
                    value = getattr(judged.facts, fact)
                    assert isinstance(value, Unknown) or values.allow(value), (file.rule.id, example.name, fact, value)
    assert seen == set(SUBJECTS) - {"waiver", "settings", "gate"}


def test_how_bad_a_role_is_follows_how_many_can_assume_it():
    """cli.md: any service account of the cluster critical, of many namespaces high, of one namespace medium."""
    for rule in RULES.values():
        if isinstance(rule.severity, Graded) and rule.severity.fact in ("scope", "width") and "cluster" in rule.severity.values:
            said = {"cluster": "critical", "namespaces": "high", "namespace": "medium"}
            assert rule.severity.values.items() >= said.items(), rule.id
    assert RULES["open-no-sub"].severity == RULES["open-aud-only"].severity == "critical"


def test_severity_and_confidence_are_words_of_the_report():
    for rule in RULES.values():
        words = (
            [*rule.severity.values.values(), rule.severity.otherwise] if isinstance(rule.severity, Graded) else [rule.severity]
        )
        assert set(words) <= set(SEVERITIES)
        assert rule.confidence in CONFIDENCES
