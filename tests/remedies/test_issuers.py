"""What is offered for findings about issuers of many tenants: proved to let in nobody new, and never called safe."""

import json

import pytest

from irsa_doctor import api

ACCOUNT = "111122223333"
GITHUB, GITLAB, TERRAFORM = "token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io"
BUILDKITE, COGNITO = "agent.buildkite.com", "cognito-identity.amazonaws.com"
BITBUCKET = "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc"
ENTRA = "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33e"
BUILDKITE_ID = "0190a1b2-0000-4000-8000-000000000001"
OWNER = {
    "github": ("acme@4410001", "acme-labs"),
    "gitlab": ("acme@9913",),
    "terraform": ("acme",),
    "buildkite": (f"acme@{BUILDKITE_ID}",),
}
STEP = "{3f1c0d6e-2a41-4f8e-9d2b-7b6a5c4d3e2f}:{11112222-3333-4444-8555-666677778888}"


def statement(host, keys, operator="StringLike"):
    """An Allow statement with keys of an issuer under an operator, its audience beside them."""
    principal = host if host == COGNITO else f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"
    condition = {"StringEquals": {f"{host}:aud": "sts.amazonaws.com"}}
    condition.setdefault(operator, {}).update({f"{host}:{claim}": value for claim, value in keys.items()})
    return {
        "Effect": "Allow",
        "Principal": {"Federated": principal},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }


def fixed(tmp_path, *statements, owner=OWNER):
    """The answer of fix with unsafe edits, for a policy and what is declared as one's own."""
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=1), encoding="utf-8")
    return api.fix([str(path)], settings=api.Settings(owner=owner), unsafe=True)


def conditions(answer):
    """The conditions of the first statement as the edits leave them: operator -> claim -> value."""
    (text,) = answer.fixing.after.values()
    condition = json.loads(text)["Statement"][0]["Condition"]
    return {operator: {key.rpartition(":")[2]: value for key, value in keys.items()} for operator, keys in condition.items()}


OURS = ["repo:acme/*", "repo:acme@4410001/*", "repo:acme-labs/*"]


@pytest.mark.parametrize(
    ("host", "keys", "rule", "subjects"),
    [
        (GITHUB, {"sub": "*"}, "reach-platform", OURS),
        (GITHUB, {"sub": "repo:*"}, "reach-guard-passed", OURS),
        (GITHUB, {"sub": "repo:acme*"}, "reach-crossing", OURS),
        (GITHUB, {"sub": "repo:initech*"}, "reach-crossing", "repo:initech/*"),
        (TERRAFORM, {"sub": "organization:*"}, "reach-guard-passed", "organization:acme:*"),
        (GITHUB, {"sub": "repo:acme/shop*"}, "reach-group", "repo:acme/shop:*"),
        (GITHUB, {"sub": "repo:acme/shop:*"}, "reach-repository", "repo:acme/shop:ref:refs/heads/main"),
        (
            TERRAFORM,
            {"sub": "organization:acme:project:core:workspace:net:run_phase:*"},
            "reach-repository",
            "organization:acme:project:core:workspace:net:run_phase:apply",
        ),
        (GITHUB, {"repository": "acme/shop"}, "reach-repository", "repo:acme/shop:ref:refs/heads/main"),
        (
            GITHUB,
            {"sub": ["repo:acme@1/shop@2:pull_request", "repo:acme@1/shop@2:ref:refs/heads/main"]},
            "reach-unreviewed",
            ["repo:acme@1/shop@2:ref:refs/heads/main"],
        ),
        (
            GITHUB,
            {"sub": "repo:acme@1/shop@2:ref:refs/heads/main*"},
            "reach-ref-prefix",
            "repo:acme@1/shop@2:ref:refs/heads/main",
        ),
        (
            GITHUB,
            {"sub": ["repo:evil@1/x@2:ref:refs/heads/main", "repo:acme@4410001/x@2:ref:refs/heads/main"]},
            "issuer-outsider",
            ["repo:acme@4410001/x@2:ref:refs/heads/main"],
        ),
    ],
)
def test_what_narrows_a_policy_is_proved_and_not_safe(tmp_path, host, keys, rule, subjects):
    fix = next(fix for fix in fixed(tmp_path, statement(host, keys)).fixing.fixes if fix.rule == rule)
    assert (fix.applied, fix.safety, fix.proof.kind) == (True, "unsafe", "narrower")
    assert fix.proof.gained == ()
    written = [subjects] if isinstance(subjects, str) else subjects
    after = {pattern for of in fix.proof.after for pattern in of.patterns}
    assert after == set(written)


def test_the_ids_of_tenants_are_required_where_only_a_caller_is_named(tmp_path):
    keys = {"job_workflow_ref": "acme/x/.github/workflows/a.yml@refs/heads/main"}
    answer = fixed(tmp_path, statement(GITHUB, keys), owner={"github": ("acme@4410001",)})
    assert conditions(answer)["StringEquals"]["repository_owner_id"] == "4410001"


def test_names_get_the_form_with_ids_beside_them_and_no_ring_becomes_wider(tmp_path):
    subject = "repo:acme/shop:ref:refs/heads/main"
    answer = fixed(tmp_path, statement(GITHUB, {"sub": subject}, "StringEquals"))
    (fix,) = [fix for fix in answer.fixing.fixes if fix.rule == "issuer-names-only"]
    assert (fix.safety, fix.applied) == ("unsafe", True)
    assert conditions(answer) == {
        "StringEquals": {"aud": "sts.amazonaws.com", "ref": "refs/heads/main", "repository_owner_id": "4410001"},
        "StringLike": {"sub": [subject, "repo:acme@4410001/shop@*:ref:refs/heads/main"]},
    }
    assert [finding.rule for finding in answer.after.findings] == []


@pytest.mark.parametrize(
    ("host", "subject", "key"),
    [
        (GITLAB, "project_path:acme/x:ref_type:branch:ref:main", {"namespace_id": "9913"}),
        (BUILDKITE, "organization:acme:pipeline:x:ref:refs/heads/main:commit:*", {"organization_id": BUILDKITE_ID}),
    ],
)
def test_names_without_a_form_with_ids_get_the_key_of_the_tenant(tmp_path, host, subject, key):
    answer = fixed(tmp_path, statement(host, {"sub": subject}))
    assert conditions(answer)["StringEquals"] == {"aud": "sts.amazonaws.com", **key}


def test_a_project_in_a_subgroup_gets_no_id_of_its_top_group(tmp_path):
    answer = fixed(tmp_path, statement(GITLAB, {"sub": "project_path:acme/a/x:ref_type:branch:ref:main"}))
    assert [fix for fix in answer.fixing.fixes if fix.applied] == []


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        ("repo:acme/shop:ref:refs/heads/main", "value-unknown"),
        ("repo:acme/shop:pull_request", "value-unknown"),
    ],
)
def test_ids_that_nobody_declares_are_not_invented(tmp_path, subject, why):
    answer = fixed(tmp_path, statement(GITHUB, {"sub": subject}, "StringEquals"), owner={})
    assert {unfixed.reason for unfixed in answer.fixing.unfixed} == {why}


def test_guests_are_kept_out_by_the_claim_that_tells_them_from_users(tmp_path):
    answer = fixed(tmp_path, statement(COGNITO, {}))
    assert conditions(answer)["ForAnyValue:StringLike"] == {"amr": "authenticated"}


@pytest.mark.parametrize(
    ("host", "keys", "rule", "after"),
    [
        (BITBUCKET, {"sub": STEP}, "issuer-subject-volatile", {"sub": f"{STEP.partition(':')[0]}:*"}),
        (
            GITHUB,
            {"sub": "repo:acme@1/shop@2:refs/heads/main"},
            "issuer-subject-impossible",
            {"sub": "repo:acme@1/shop@2:ref:refs/heads/main"},
        ),
    ],
)
def test_a_subject_is_put_right_where_one_form_is_near(tmp_path, host, keys, rule, after):
    answer = fixed(tmp_path, statement(host, keys))
    assert rule in [fix.rule for fix in answer.fixing.fixes if fix.applied]
    values = {key: value for block in conditions(answer).values() for key, value in block.items()}
    assert values["sub"] == after["sub"]


def test_a_subject_that_may_have_several_forms_is_left_to_a_person(tmp_path):
    answer = fixed(tmp_path, statement(GITHUB, {"sub": "repo:acme@1/shop@2"}))
    assert [(unfixed.rule, unfixed.reason) for unfixed in answer.fixing.unfixed] == [("issuer-subject-impossible", "ambiguous")]


def test_the_issuer_is_written_as_its_tokens_name_it_in_principal_and_keys(tmp_path):
    answer = fixed(tmp_path, statement(ENTRA, {"sub": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}))
    (text,) = answer.fixing.after.values()
    written = json.loads(text)["Statement"][0]
    assert written["Principal"]["Federated"].endswith(f"{ENTRA}/")
    assert all(key.startswith(f"{ENTRA}/:") for keys in written["Condition"].values() for key in keys)


def test_a_key_of_another_issuer_becomes_that_of_the_principal(tmp_path):
    wrong = statement(GITHUB, {})
    wrong["Condition"]["StringEquals"]["token.actions.githubusercontent.co:sub"] = "repo:acme@1/shop@2:ref:refs/heads/main"
    answer = fixed(tmp_path, wrong)
    assert set(conditions(answer)["StringEquals"]) == {"aud", "sub"}
    assert [finding.rule for finding in answer.after.findings] == ["issuer-outsider"]


@pytest.mark.parametrize("host", [GITHUB, TERRAFORM, BUILDKITE])
def test_without_a_declared_tenant_the_next_step_is_the_policy_of_the_vendor_with_holes(tmp_path, host):
    answer = fixed(tmp_path, statement(host, {}), owner={})
    (unfixed,) = [unfixed for unfixed in answer.fixing.unfixed if unfixed.rule == "reach-platform"]
    assert unfixed.reason == "value-unknown"
    assert f'"{host}:sub"' in unfixed.how
    assert "<organization>" in unfixed.how


def test_nothing_is_changed_without_unsafe_fixes_and_check_offers_nothing(tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(
        json.dumps({"Version": "2012-10-17", "Statement": [statement(GITHUB, {"sub": "repo:*"})]}), encoding="utf-8"
    )
    settings = api.Settings(owner=OWNER)
    assert [fix.applied for fix in api.fix([str(path)], settings=settings).fixing.fixes] == [False]
    assert [finding.fix for finding in api.check([str(path)], settings=settings).findings] == [None]
