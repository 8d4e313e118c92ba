"""What the files prove where nobody says which issuer signs the tokens."""

from tests.answers.why import world as w
from tests.answers.why.world import why, world


def unknown_cluster(documents):
    for name in ("cluster.json", "clusters.json", "associations.json"):
        documents.pop(name)


def trusting(*issuers):
    def change(documents):
        policy = w.role(documents)["AssumeRolePolicyDocument"]
        template = policy["Statement"][0]
        policy["Statement"] = [_for(template, issuer) for issuer in issuers]

    return change


def _for(template, issuer):
    equals = {f"{issuer}:sub": w.SUBJECT, f"{issuer}:aud": "sts.amazonaws.com"}
    principal = {"Federated": w.PROVIDER.replace(w.ISSUER, issuer)}
    return {**template, "Principal": principal, "Condition": {"StringEquals": equals}}


def test_a_policy_that_trusts_only_providers_that_do_not_exist_admits_nobody_whoever_signs():
    found = why(world(unknown_cluster, trusting(w.ELSEWHERE)))
    assert found.verdict == "broken"
    # whether the provider is lacking, or the policy names a wrong one, the issuer would show
    assert w.causes(found)[0] == ("trust-principal-provider-deleted", "likely")
    assert w.failed(found) == ["trust-policy"]


def test_which_error_sts_answers_then_is_not_known():
    assert why(world(unknown_cluster, trusting(w.ELSEWHERE))).predicted_error is None


def test_one_provider_that_exists_leaves_it_open():
    found = why(world(unknown_cluster, trusting(w.ISSUER, w.ELSEWHERE)))
    assert w.verdicts(found)["trust-policy"] == "unknown"
    assert "certain" not in dict(w.causes(found)).values()


def test_a_list_of_providers_that_is_not_there_leaves_it_open():
    found = why(world(unknown_cluster, trusting(w.ELSEWHERE), lambda documents: documents.pop("providers.json")))
    assert w.verdicts(found)["trust-policy"] == "unknown"
    assert w.causes(found) == []


def test_a_second_principal_of_the_statement_that_exists_leaves_it_open():
    def both(documents):
        w.statement(documents)["Principal"] = {"Federated": [w.PROVIDER, w.PROVIDER.replace(w.ISSUER, w.ELSEWHERE)]}

    assert w.verdicts(why(world(unknown_cluster, both)))["trust-policy"] == "unknown"


def test_the_audience_waits_for_the_issuer_and_not_for_a_role():
    found = why(world(unknown_cluster, trusting(w.ISSUER)))
    (audience,) = [link for link in found.links if link.id == "audience"]
    assert (audience.verdict, audience.because) == ("skipped", "the issuer is not known")
