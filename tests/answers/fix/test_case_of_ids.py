"""A bare policy with the id of its cluster in small letters is mended without the name of its role, as nobody can lose it."""

import pytest

from irsa_doctor import api
from tests.cli.running import put
from tests.sources.worlds import ISSUER, cluster, got_provider, listed_providers, policy, provider_arn

LOW = ISSUER.lower()


def rewritten(document, before, after):
    """A document with another text in its strings and names of members."""
    if isinstance(document, dict):
        return {rewritten(name, before, after): rewritten(value, before, after) for name, value in document.items()}
    if isinstance(document, list):
        return [rewritten(item, before, after) for item in document]
    return document.replace(before, after) if isinstance(document, str) else document


@pytest.mark.parametrize("is_listed", [True, False])
@pytest.mark.parametrize("named", [{}, {"arn:aws:iam::111122223333:role/app": "trust.json"}])
def test_the_arn_of_the_provider_is_put_right(tmp_path, monkeypatch, named, is_listed):
    monkeypatch.chdir(tmp_path)
    documents = {"cluster.json": cluster(), "provider.json": got_provider(), "trust.json": rewritten(policy(), ISSUER, LOW)}
    if is_listed:
        documents["providers.json"] = listed_providers(provider_arn())
    for name, document in documents.items():
        put(tmp_path / name, document)
    answer = api.fix(["."], settings=api.Settings(roles=named))
    found = [finding.rule for finding in answer.before.findings if finding.severity == "high"]
    assert found == ["trust-principal-wrong-arn"]
    (fix,) = [fix for fix in answer.fixing.fixes if fix.rule == found[0]]
    # without the list there may be a provider of the name, and tokens for it
    assert fix.applied is is_listed
    assert fix.edits[0].new == provider_arn()
