"""What the files prove where nobody says which issuer signs the tokens."""

import pytest

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


def equals(**claims):
    """The policy of the role with other values of claims under StringEquals."""

    def change(documents):
        w.statement(documents)["Condition"]["StringEquals"] |= {f"{w.ISSUER}:{claim}": value for claim, value in claims.items()}

    return change


def of_address(documents):
    statement = w.statement(documents)
    conditions = statement["Condition"]["StringEquals"]
    statement["Condition"] = {"StringEquals": {f"https://{key}": value for key, value in conditions.items()}}


def of_another_account(documents):
    w.statement(documents)["Principal"] = {"Federated": w.PROVIDER.replace(w.ACCOUNT, w.OTHER)}


def of_roles_alone(documents):
    w.statement(documents)["Action"] = "sts:AssumeRole"


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (equals(sub="payments:checkout"), "trust-sub-prefix-missing"),
        (equals(sub="system:serviceaccount:payments:*"), "trust-stringequals-wildcard"),
        (equals(sub="system:serviceaccount:shop:checkout"), "sa-namespace-mismatch"),
        (equals(sub="system:serviceaccount:payments:other"), "trust-sub-mismatch"),
        (equals(aud="sts.amazon.com"), "trust-aud-mismatch"),
        (of_address, "trust-key-has-scheme"),
        (of_another_account, "trust-principal-wrong-arn"),
        (of_roles_alone, "trust-action-assumerole"),
    ],
)
def test_a_policy_that_admits_the_service_account_of_no_issuer_is_what_is_wrong(change, cause):
    found = why(world(unknown_cluster, change))
    assert (found.verdict, w.failed(found)) == ("broken", ["trust-policy"])
    # the issuer may be another one besides
    assert w.causes(found)[0] == (cause, "likely")


def test_a_policy_that_admits_it_of_one_of_its_issuers_leaves_it_open():
    found = why(world(unknown_cluster, trusting(w.ISSUER, w.ELSEWHERE), equals(sub="system:serviceaccount:shop:checkout")))
    assert w.verdicts(found)["trust-policy"] == "unknown"


def without_conditions(documents):
    w.statement(documents)["Condition"] = {"Null": {f"{w.ISSUER}:sub": "true"}}
    w.statement(documents)["Principal"] = {"Federated": [w.PROVIDER, w.PROVIDER.replace(w.ISSUER, w.ELSEWHERE)]}


def test_a_condition_that_the_token_of_another_issuer_meets_leaves_it_open():
    assert w.verdicts(why(world(unknown_cluster, without_conditions)))["trust-policy"] == "unknown"


SELF_HOSTED = "oidc.example.com/prod"


@pytest.mark.parametrize(("subject", "verdict"), [(w.SUBJECT, "unknown"), ("system:serviceaccount:payments:other", "fail")])
def test_the_audience_of_a_cluster_that_is_not_of_eks_may_be_any(subject, verdict):
    def of_own_audience(documents):
        condition = {f"{SELF_HOSTED}:sub": subject, f"{SELF_HOSTED}:aud": "kubernetes"}
        w.statement(documents)["Principal"] = {"Federated": w.PROVIDER.replace(w.ISSUER, SELF_HOSTED)}
        w.statement(documents)["Condition"] = {"StringEquals": condition}
        documents["providers.json"] = {"OpenIDConnectProviderList": [{"Arn": w.PROVIDER.replace(w.ISSUER, SELF_HOSTED)}]}

    assert w.verdicts(why(world(unknown_cluster, of_own_audience)))["trust-policy"] == verdict


def of_manifest(documents):
    """The service account as a manifest without a namespace has it, and nothing that runs."""
    metadata = documents["account.json"]["metadata"]
    del metadata["namespace"], metadata["creationTimestamp"], documents["pod.json"], documents["default.json"]


@pytest.mark.parametrize(("name", "verdict"), [("checkout", "unknown"), ("other", "fail")])
def test_a_manifest_without_a_namespace_may_be_applied_to_that_of_the_policy(name, verdict):
    named = equals(sub=f"system:serviceaccount:payments:{name}")
    found = why(world(unknown_cluster, of_manifest, named), "default/checkout", complete=())
    assert w.verdicts(found)["trust-policy"] == verdict
    known = why(world(of_manifest, named), "default/checkout", complete=())
    assert w.verdicts(known)["trust-policy"] == verdict
    assert (verdict == "fail") is any(cause.certainty == "certain" for cause in known.causes)
