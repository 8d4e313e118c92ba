"""Whether the audience of pipelines is checked is known, whatever a template writes into their subjects."""

import pytest

from irsa_doctor.issuers import profile_of
from tests.facts.grants.test_holes import fired, unknown_rules
from tests.sources.templates.holes import bare

HOST = "token.actions.githubusercontent.com"
GITLAB = "gitlab.com"


def fired_by(sub, host=HOST, **more):
    conditions = {"StringLike": {f"{host}:sub": sub}, **more}
    return bare(conditions, f"arn:aws:iam::111122223333:oidc-provider/{host}")


@pytest.mark.parametrize(
    ("sub", "host"),
    [
        ("repo:acme/${var.repo}:ref:refs/heads/main", HOST),
        ("repo:<org>/<repo>:environment:production", HOST),
        ("repo:${Org}/${Repo}:*", HOST),
        ("project_path:${group}/app:ref_type:branch:ref:main", GITLAB),
    ],
)
def test_an_audience_that_nothing_checks_is_a_finding(sub, host):
    assert profile_of(host)
    text = fired_by(sub, host)
    assert "open-aud-missing" in fired(text, "trust.json.tpl")
    assert "open-aud-missing" not in unknown_rules(text, "trust.json.tpl")
    checked = fired_by(sub, host, StringEquals={f"{host}:aud": "sts.amazonaws.com"})
    assert "open-aud-missing" not in fired(checked, "trust.json.tpl")


def test_a_guard_that_limits_nobody_is_the_finding_itself():
    found = fired(fired_by("repo:*"), "trust.json.tpl")
    assert "open-guarded-only" in found
    assert "open-aud-missing" not in found
