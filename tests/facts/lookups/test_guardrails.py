from tests.facts.situations import ISSUER, aws, deny, facts, found, missing, provider_arn, rcp, subjects

ORG = {"aws:PrincipalOrgID": "o-1"}
OTHER = "oidc.eks.eu-west-1.amazonaws.com/id/BBBB"


def guarded(*statements):
    return aws(**{"rcp.json": rcp(*statements)})


def stopped(*statements):
    (judged,) = [judged for judged in subjects(guarded(*statements), "document") if judged.id == "rcp.json"]
    return judged.facts.rcp


def listed(*statements):
    return facts(guarded(*statements), "provider").rcp


def test_a_deny_unless_the_caller_is_of_the_organization_stops_every_pod():
    assert stopped(deny(action="sts:*", StringNotEqualsIfExists=ORG)) == "all"
    assert found(guarded(deny(action="sts:*", StringNotEqualsIfExists=ORG))) == {("rcp-principalorgid", "rcp.json")}


def test_a_deny_that_leaves_web_identities_alone_is_fine():
    assert stopped(deny(action="sts:AssumeRole", StringNotEqualsIfExists=ORG)) == "none"
    assert stopped(deny(action="sts:*", BoolIfExists={"aws:SecureTransport": "false"})) == "none"
    assert stopped({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}) == "none"


def test_a_deny_by_what_is_not_known_of_the_pods_is_unknown():
    assert "aws:SourceIp" in missing(stopped(deny(NotIpAddress={"aws:SourceIp": "203.0.113.0/24"})))


def test_a_deny_for_other_roles_does_not_matter():
    assert stopped(deny(resource="arn:aws:iam::*:role/other", StringNotEquals=ORG)) == "none"
    assert stopped(deny(resource="arn:aws:iam::*:role/app", StringNotEquals=ORG)) == "all"


def test_an_issuer_that_is_not_listed_is_denied():
    strange = deny(Null={f"{OTHER}:sub": "true"})
    assert listed(strange) == "not-listed"
    assert found(guarded(strange)) == {("rcp-trusted-oidc-providers", provider_arn())}
    assert listed(deny(Null={f"{OTHER}:sub": "true", f"{ISSUER}:sub": "true"})) == "listed"
    assert stopped(strange) == "none"


def test_issuers_that_are_no_clusters_are_not_asked_and_without_policies_nobody_is():
    github = {"OpenIDConnectProviderList": [{"Arn": provider_arn(issuer="token.actions.githubusercontent.com")}]}
    assert facts({"p.json": github, "rcp.json": rcp(deny(Null={f"{OTHER}:sub": "true"}))}, "provider").rcp == "not-asked"
    assert facts(aws(), "provider").rcp == "not-asked"


def test_the_form_of_the_provider_in_the_request_is_not_known():
    assert "aws:FederatedProvider" in missing(listed(deny(StringNotEquals={"aws:FederatedProvider": provider_arn()})))


def test_documents_that_contradict_each_other_are_named():
    second = {"cluster": {**aws()["cluster.json"]["cluster"], "identity": {"oidc": {"issuer": f"https://{OTHER}"}}}}
    documents = aws(**{"zz.json": second})
    assert ("input-contradiction", "zz.json") in found(documents)
    assert {judged.id for judged in subjects(documents, "document") if judged.facts.contradicts} == {"zz.json"}
    assert not any(judged.facts.contradicts for judged in subjects(aws(), "document"))
