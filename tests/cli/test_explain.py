import pytest

from irsa_doctor.rulebook.causes import all_causes
from irsa_doctor.rulebook.rules import shipped_rules
from tests.cli.running import run


@pytest.mark.parametrize("ident", ["open-aud-only", "double-assume-self", "sts-region-not-enabled"])
def test_rules_and_causes_are_explained(ident, tmp_path):
    done = run("explain", ident, cwd=tmp_path)
    assert done.returncode == 0
    titles = {rule.id: rule.title for rule in shipped_rules()} | {known.id: known.title for known in all_causes().values()}
    assert done.stdout.startswith(f"{ident}: {titles[ident]}")
    assert "What to do" in done.stdout


def test_what_is_mistyped_is_met_by_the_nearest(tmp_path):
    done = run("explain", "open-aud-onyl", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == 'irsa-doctor: no rule or cause named open-aud-onyl. Did you mean "open-aud-only"?\n'


@pytest.mark.parametrize("form", [(), ("-f", "json")])
def test_rules_are_listed_and_shown(form, tmp_path):
    assert "open-aud-only" in run("rules", "list", *form, cwd=tmp_path).stdout
    assert "open-aud-only" in run("rules", "show", "open-aud-only", *form, cwd=tmp_path).stdout
    assert run("rules", "show", "no-such", *form, cwd=tmp_path).returncode == 2
