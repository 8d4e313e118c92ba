"""`why` judges by the rules of the settings, private ones included, and no setting makes a broken credential work."""

import pytest

from irsa_doctor.answers.check.choice import UnknownRule
from irsa_doctor.answers.why import rulebook_of
from irsa_doctor.governance.settings import Settings
from irsa_doctor.rulebook.cause_block import CauseBlock
from irsa_doctor.rulebook.rules import Clause, Rule, shipped_rules
from tests.answers.why import world as w
from tests.answers.why.test_links import env
from tests.answers.why.world import POD, why, world
from tests.cli.running import put, run

OURS = Rule(
    id="our-region",
    title="The workload sets the region itself",
    subject=["workload"],
    severity="high",
    confidence="high",
    require=[Clause("left to the platform", {"region_missing": {"const": True}})],
    message="{workload} sets a region.",
    places={"workload": "this workload"},
    why="The platform sets the region.",
    remedy="Remove AWS_REGION.",
    cause=CauseBlock(link="sdk", settle="kubectl get pod -n {namespace} {pod} -o yaml"),
)


def judged(rules, *breaks, **settings):
    return why(world(*breaks), POD, rulebook=rulebook_of(rules, Settings(**settings)))


def test_a_private_rule_turns_the_link_of_its_cause_red():
    found = judged([*shipped_rules(), OURS])
    assert (found.verdict, w.failed(found)) == ("broken", ["sdk"])
    assert w.causes(found) == [("our-region", "certain")]
    assert found.causes[0].remedy == "Remove AWS_REGION."


def test_a_rule_without_a_cause_says_nothing_of_a_credential():
    silent = Rule(**{name: getattr(OURS, name) for name in Rule.__struct_fields__ if name != "cause"})
    assert judged([*shipped_rules(), silent]).verdict == "works"


RELATIVE = env(AWS_WEB_IDENTITY_TOKEN_FILE="token")
PROFILE = env(AWS_PROFILE="prod")


@pytest.mark.parametrize(
    "settings",
    [{"ignore": ("token-path-relative",)}, {"select": ("open-no-sub",)}, {"severity": {"token-path-relative": "low"}}],
)
def test_a_rule_that_the_settings_leave_out_or_play_down_still_shows_what_is_broken(settings):
    found = judged(shipped_rules(), RELATIVE, **settings)
    assert (found.verdict, w.failed(found)) == ("broken", ["token-file"])
    assert w.causes(found)[0] == ("token-path-relative", "certain")


def test_what_is_mostly_harmless_is_not_named_where_the_settings_ignore_it():
    assert w.causes(judged(shipped_rules(), PROFILE)) == [("shared-config-shadow", "possible")]
    assert w.causes(judged(shipped_rules(), PROFILE, ignore=("shared-config-shadow",))) == []


def test_a_higher_severity_of_the_settings_gives_a_rule_more_weight():
    found = judged(shipped_rules(), PROFILE, severity={"shared-config-shadow": "high"})
    assert w.causes(found)[0][0] == "shared-config-shadow"
    assert w.causes(found)[0][1] != "possible"


def test_a_setting_that_names_no_rule_is_refused():
    with pytest.raises(UnknownRule, match="no rule open-no-sup"):
        rulebook_of(shipped_rules(), Settings(ignore=("open-no-sup",)))


@pytest.mark.parametrize(
    ("arguments", "says"), [(("--rules", "none"), "none"), (("--config", "irsa-doctor.toml"), "no rule no-such-rule")]
)
def test_rules_that_cannot_be_used_are_one_line_and_exit_2(tmp_path, arguments, says):
    put(tmp_path / "irsa-doctor.toml", 'ignore = ["no-such-rule"]\n')
    for path, content in world().items():
        put(tmp_path / "world" / path, content)
    done = run("why", w.TARGET, "world", *arguments, cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert says in done.stderr
