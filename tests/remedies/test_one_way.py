"""What a finding offers, what reports suggest and what `fix` edits are the same correction."""

import json

import pytest

from irsa_doctor import api
from tests.facts.situations import account, manifests, role_arn
from tests.remedies.offering import APP, AUD, STS, SUB, statement, whole

SLIPS = {
    "a scheme in the key": {"Condition": {"StringEquals": {f"https://{SUB}": APP, AUD: STS}}},
    "keys swapped": {"Condition": {"StringEquals": {SUB: STS, AUD: APP}}},
    "an action misspelt": {"Action": "sts:AssumeRoleWithWebIdentiy"},
}


@pytest.fixture
def sources(tmp_path):
    """A folder with a policy and the service account that names its role, and the settings that join them."""

    def written(changes):
        (tmp_path / "trust.json").write_text(json.dumps(whole(statement(**changes)), indent=2) + "\n")
        (tmp_path / "accounts.yaml").write_bytes(manifests(account("app")).encode())
        roles = {role_arn("app"): str(tmp_path / "trust.json")}
        return [str(tmp_path)], api.Settings(roles=roles, complete=("serviceaccounts",))

    return written


@pytest.mark.parametrize("changes", SLIPS.values(), ids=SLIPS)
def test_a_finding_offers_what_fix_writes_and_reports_suggest(sources, tmp_path, changes):
    paths, settings = sources(changes)
    report = api.check(paths, settings=settings, suggest=True)
    answer = api.fix(paths, settings=settings)
    made = json.loads(answer.fixing.after[str(tmp_path / "trust.json")])
    offered = [finding.fix.policy for finding in report.findings if finding.fix and finding.fix.policy]
    assert offered
    assert all(policy == made for policy in offered)
    suggested = {fix.fingerprint: fix.edits for fix in answer.fixing.fixes if fix.applied and fix.in_original}
    assert {mark: suggestion.edits for mark, suggestion in report.suggestions.items()} == suggested
