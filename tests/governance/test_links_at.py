"""Settings, rules and baselines that are links in the tree of the base are followed there, or refused."""

import json

import pytest

from tests.cli.running import OPEN, RIGHT, put, role, run
from tests.cli.test_config_from import git, own_rule

SETTINGS = '[severity]\nopen-aud-only = "low"\n'


def linked(folder, links, **files):
    """A repository with links, its work tree with a role that is open."""
    put(folder / "roles" / "app.json", role(RIGHT))
    for name, content in files.items():
        put(folder / name.replace("__", "/").replace("_", ".", 1), content)
    for name, target in links.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "before")
    put(folder / "roles" / "app.json", role(OPEN))


def found(folder):
    done = run("check", "roles", "--config-from", "HEAD", "-f", "json", cwd=folder)
    assert done.stderr == ""
    return {finding["rule"]: finding["severity"] for finding in json.loads(done.stdout)["findings"]}


@pytest.mark.parametrize(
    "links",
    [
        {"irsa-doctor.toml": "conf/i.toml"},
        {"irsa-doctor.toml": "a.toml", "a.toml": "./conf/../conf/i.toml"},
        {"irsa-doctor.toml": "other/i.toml", "other": "conf"},
    ],
)
def test_settings_that_are_a_link_hold(tmp_path, links):
    linked(tmp_path, links, conf__i_toml=SETTINGS)
    assert found(tmp_path) == {"open-aud-only": "low"}


@pytest.mark.parametrize("links", [{"rules/mine-own.yaml": "../real/mine-own.yaml"}, {"rules": "real"}])
def test_rules_that_are_links_hold(tmp_path, links):
    files = {"real__mine-own_yaml": own_rule("mine-own"), "irsa-doctor_toml": 'rules = ["rules"]\n'}
    linked(tmp_path, links, **files)
    assert set(found(tmp_path)) >= {"mine-own", "open-aud-only"}


def test_a_baseline_that_is_a_link_holds(tmp_path):
    put(tmp_path / "roles" / "app.json", role(OPEN))
    run("check", "roles", "--write-baseline", "real.json", cwd=tmp_path)
    linked(tmp_path, {"known.json": "real.json"}, **{"irsa-doctor_toml": 'baseline = "known.json"\n'})
    assert found(tmp_path) == {}


@pytest.mark.parametrize(
    ("links", "says"),
    [
        ({"irsa-doctor.toml": "/etc/hostname"}, "HEAD:irsa-doctor.toml: a link that leads out of the repository"),
        ({"irsa-doctor.toml": "../../x.toml"}, "HEAD:irsa-doctor.toml: a link that leads out of the repository"),
        ({"irsa-doctor.toml": "none.toml"}, "HEAD:irsa-doctor.toml: a link that leads to a file that is not there"),
        ({"irsa-doctor.toml": "b.toml", "b.toml": "irsa-doctor.toml"}, "HEAD:irsa-doctor.toml: a link that leads round"),
    ],
)
def test_a_link_that_cannot_be_followed_is_no_absence_of_settings(tmp_path, links, says):
    linked(tmp_path, links)
    (tmp_path / "irsa-doctor.toml").unlink()
    done = run("check", "roles", "--config-from", "HEAD", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_a_folder_of_rules_that_leads_round_is_refused(tmp_path):
    files = {"rules__mine-own_yaml": own_rule("mine-own"), "irsa-doctor_toml": 'rules = ["rules"]\n'}
    linked(tmp_path, {"rules/more": "../rules"}, **files)
    done = run("check", "roles", "--config-from", "HEAD", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
