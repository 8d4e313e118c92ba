"""`irsa-doctor why` as people call it, with what they have at hand."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.answers.why import world as w
from tests.answers.why.world import ROLE, SUBJECT, TARGET
from tests.answers.why.world import world as documents_of
from tests.cli.running import put, run

DENIED = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
COMPLETE = ("--complete", "serviceaccounts,pods,mutatingwebhookconfigurations,daemonsets")
KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def given(tmp_path):
    def write(*breaks, folder="world"):
        for path, content in documents_of(*breaks).items():
            put(tmp_path / folder / path, content)
        return tmp_path / folder

    return write


def other_subject(documents):
    w.equals(documents)[f"{w.ISSUER}:sub"] = "system:serviceaccount:payments:other"


def answer(done):
    assert done.stderr == ""
    return json.loads(done.stdout)


def token(**claims):
    body = {
        "iss": f"https://{w.ISSUER}",
        "sub": SUBJECT,
        "aud": ["sts.amazonaws.com"],
        "iat": 1,
        "exp": 4_000_000_000,
        **claims,
    }
    return jwt.encode(body, KEY, algorithm="ES256", headers={"kid": "one"})


def event(**more):
    return {
        "eventName": "AssumeRoleWithWebIdentity",
        "errorCode": "AccessDenied",
        "userIdentity": {"userName": SUBJECT},
        "requestParameters": {"roleArn": ROLE},
        "responseElements": {"credentials": {"sessionToken": "very-secret"}},
        **more,
    }


# ---- the answer


def test_the_answer_begins_with_the_verdict_the_cause_and_the_fix(given, tmp_path):
    done = run("why", TARGET, given(other_subject), *COMPLETE, cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    head = " ".join(" ".join(lines[:2]).split())
    says = "payments/checkout is broken: Trust policy does not admit this subject (trust-sub-mismatch, certain)"
    assert head.startswith(says)
    # the policy that mends it comes before anything that explains the links
    fix = next(number for number, line in enumerate(lines) if line.startswith("  fix "))
    command = next(number for number, line in enumerate(lines) if line.startswith("      aws iam update-assume-role-policy"))
    assert fix < command < next(number for number, line in enumerate(lines) if line.startswith("FAIL "))
    assert "aws iam update-assume-role-policy --role-name checkout" in done.stdout
    assert f'"{w.ISSUER}:sub": "{SUBJECT}"' in done.stdout
    assert "STS answers HTTP 403 AccessDenied" in done.stdout


def test_the_failing_link_is_opened_at_the_line_that_is_wrong(given, tmp_path):
    done = run("why", TARGET, "world", *COMPLETE, cwd=given(other_subject).parent)
    failing = done.stdout[done.stdout.index("FAIL ") :]
    assert "--> world/roles.json:" in failing
    assert '"system:serviceaccount:payments:other"' in failing


def test_a_restart_comes_after_what_has_to_be_mended_before(given, tmp_path):
    def short(documents):
        w.token_source(documents)["expirationSeconds"] = 60

    lines = run("why", w.POD, given(short), *COMPLETE, cwd=tmp_path).stdout.splitlines()
    at = lines.index("  then run kubectl delete pod -n payments checkout-0")
    assert any(line.startswith("  fix ") for line in lines[:at])
    lines = run("why", w.POD, given(w.unmutated, folder="old"), *COMPLETE, cwd=tmp_path).stdout.splitlines()
    assert lines.index("  run kubectl delete pod -n payments checkout-0") < 3


def test_a_message_alone_tells_in_one_line_of_the_links_that_nobody_could_look_at(tmp_path):
    done = run("why", "--error", "InvalidIdentityToken: Incorrect token audience", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("the credential is broken: Audience of the tokens not in the client ids")
    assert sum(line.startswith("-    ") for line in lines) == 1
    assert "FAIL the provider accepts the audience" in done.stdout


@pytest.mark.parametrize("columns", [40, 60, 200])
def test_no_sentence_is_wider_than_the_terminal(given, tmp_path, columns):
    done = run("why", TARGET, given(other_subject), *COMPLETE, cwd=tmp_path, COLUMNS=str(columns))
    copied = ("run ", "to find out: kubectl ", "to find out: aws ")
    prose = [line for line in done.stdout.splitlines() if not line.startswith("      ") and not line.strip().startswith(copied)]
    assert max(map(len, prose)) <= max(columns, 40) + 1


def test_colour_is_left_out_where_nobody_wants_it(given, tmp_path):
    folder = given(other_subject)
    assert "\x1b" not in run("why", TARGET, folder, cwd=tmp_path).stdout
    assert "\x1b[" in run("why", TARGET, folder, cwd=tmp_path, NO_COLOR="", FORCE_COLOR="1").stdout


def test_names_with_control_characters_do_no_harm(given, tmp_path):
    def odd(documents):
        w.equals(documents)[f"{w.ISSUER}:sub"] = "system:serviceaccount:\x1b[31mred:\u202eback"

    done = run("why", TARGET, given(odd), *COMPLETE, cwd=tmp_path)
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_the_document_has_what_the_contract_names(given, tmp_path):
    document = answer(run("why", TARGET, given(other_subject), *COMPLETE, "-f", "json", cwd=tmp_path))
    assert document["subject"] == {
        "cluster": "prod",
        "namespace": "payments",
        "service_account": "checkout",
        "workload": "",
    }
    assert (document["role"], document["verdict"]) == (ROLE, "broken")
    assert document["predicted_error"] == {
        "code": "AccessDenied",
        "message": "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        "http_status": 403,
    }
    link = next(link for link in document["links"] if link["id"] == "trust-policy")
    assert {"id", "title", "verdict", "because", "evidence"} <= set(link)
    assert {"file", "line", "says"} <= set(link["evidence"][0])
    assert link["evidence"][0]["line"] > 0
    assert {"id", "certainty", "because", "remedy", "settle", "url"} <= set(document["causes"][0])


# ---- what is at hand


def test_a_token_says_whose_it_is_and_is_never_shown(given, tmp_path):
    raw = token()
    put(tmp_path / "token", raw)
    for form in ("text", "json"):
        done = run("why", "--token", "token", given(), *COMPLETE, "-f", form, cwd=tmp_path)
        assert done.returncode == 3, done.stderr
        assert "payments" in done.stdout
        for part in raw.split("."):
            assert part not in done.stdout + done.stderr


def test_a_token_comes_from_standard_input(given, tmp_path):
    done = run("why", "--token", "-", given(), *COMPLETE, "-f", "json", cwd=tmp_path, stdin=token().encode())
    assert answer(done)["subject"]["service_account"] == "checkout"
    assert answer(done)["claims"]["sub"] == SUBJECT


def test_a_token_that_is_over_is_broken_without_any_file(tmp_path):
    put(tmp_path / "token", token(exp=2))
    document = answer(run("why", "--token", "token", "-f", "json", cwd=tmp_path))
    assert document["verdict"] == "broken"
    assert document["predicted_error"]["code"] == "ExpiredTokenException"


def test_a_path_in_place_of_a_token_is_the_cause(tmp_path):
    put(tmp_path / "token", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token\n")
    document = answer(run("why", "--token", "token", "-f", "json", cwd=tmp_path))
    assert document["causes"][0]["id"] == "token-env-holds-path-as-token"


def test_an_event_says_whose_it_is_and_gives_no_secret_away(given, tmp_path):
    put(tmp_path / "event.json", event())
    done = run("why", "--event", "event.json", given(other_subject), *COMPLETE, "-f", "json", cwd=tmp_path)
    document = answer(done)
    assert document["subject"]["service_account"] == "checkout"
    assert document["causes"][0]["id"] == "trust-sub-mismatch"
    assert "very-secret" not in done.stdout


def test_an_event_comes_from_standard_input(given, tmp_path):
    log = json.dumps({"Records": [event()]}).encode()
    done = run("why", "--event", "-", given(other_subject), *COMPLETE, "-f", "json", cwd=tmp_path, stdin=log)
    assert answer(done)["causes"][0]["id"] == "trust-sub-mismatch"


def test_a_log_counts_for_all_of_a_table(given, tmp_path):
    put(tmp_path / "log.json", {"Records": [event()]})
    document = answer(run("why", "--all", "--event", "log.json", given(), *COMPLETE, "-f", "json", cwd=tmp_path))
    assert [subject["verdict"] for subject in document["subjects"]] == ["broken"]


def test_an_error_may_be_a_whole_log(given, tmp_path):
    put(tmp_path / "pod.log", "\n".join(["starting"] * 1000 + [f"level=error err={DENIED}"] + ["retrying"] * 1000))
    document = answer(run("why", TARGET, given(other_subject), *COMPLETE, "--error", "@pod.log", "-f", "json", cwd=tmp_path))
    assert document["causes"][0]["id"] == "trust-sub-mismatch"


def test_an_error_gives_no_secret_away(tmp_path):
    secret = "AKIAIOSFODNN7EXAMPLE"
    for form in ("text", "json"):
        done = run("why", "--error", f"{secret} {DENIED} {secret}", "-f", form, cwd=tmp_path)
        assert secret not in done.stdout + done.stderr


def test_what_is_known_of_the_case_is_in_the_commands(given, tmp_path):
    def unlisted(documents):
        del documents["provider.json"]

    text = "InvalidIdentityToken: Incorrect token audience"
    document = answer(run("why", TARGET, given(unlisted), *COMPLETE, "--error", text, "-f", "json", cwd=tmp_path))
    first = document["causes"][0]
    assert first["settle"].startswith(f"aws iam get-open-id-connect-provider --open-id-connect-provider-arn {w.PROVIDER} ")


# ---- a policy without a role


def test_the_only_policy_without_a_role_is_taken_for_it_and_never_certain(given, tmp_path):
    def bare(documents):
        documents["policy.json"] = w.role(documents)["AssumeRolePolicyDocument"]
        other_subject(documents)
        del documents["roles.json"]

    folder = given(bare)
    document = answer(run("why", TARGET, folder, *COMPLETE, "-f", "json", cwd=tmp_path))
    assert (document["causes"][0]["id"], document["causes"][0]["certainty"]) == ("trust-sub-mismatch", "likely")
    stated = answer(
        run("why", TARGET, folder, *COMPLETE, "--policy", f"{ROLE}={folder}/policy.json", "-f", "json", cwd=tmp_path)
    )
    assert (stated["causes"][0]["id"], stated["causes"][0]["certainty"]) == ("trust-sub-mismatch", "certain")


# ---- calls


def test_a_cluster_is_a_name_or_says_whose_documents_are_where(given, tmp_path):
    folder = given()
    assert answer(run("why", TARGET, folder, "--cluster", "prod", "-f", "json", cwd=tmp_path))["subject"]["cluster"] == "prod"
    mapped = run("why", TARGET, folder, "--cluster", f"prod={folder}", "-f", "json", cwd=tmp_path)
    assert answer(mapped)["subject"]["cluster"] == "prod"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--token", "-", "--event", "-"),
        ("--error", "@not-there"),
        ("--event", "not-there"),
        ("--cluster", "a", "--cluster", "b", "--error", "x"),
        ("--event", "empty.json"),
    ],
)
def test_a_call_that_cannot_be_answered_is_one_line_and_exit_2(tmp_path, arguments):
    put(tmp_path / "empty.json", "{}")
    done = run("why", *arguments, cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr


def test_with_something_at_hand_the_first_argument_may_be_a_path(given, tmp_path):
    folder = given(other_subject)
    document = answer(run("why", folder, "--error", DENIED, *COMPLETE, "-f", "json", cwd=tmp_path))
    assert document["subject"]["service_account"] == "checkout"
    assert document["causes"][0]["id"] == "trust-sub-mismatch"


def policy_of_github(subject, operator="StringEquals"):
    key = "token.actions.githubusercontent.com"
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{key}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{key}:aud": "sts.amazonaws.com"}, operator: {f"{key}:sub": subject}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def wildcard_under_equals():
    policy = policy_of_github("repo:acme/shop:*", "StringLike")
    condition = policy["Statement"][0]["Condition"]
    condition["StringEquals"].update(condition.pop("StringLike"))
    return policy


def test_a_message_with_nothing_but_a_policy_is_about_that_policy(tmp_path):
    put(tmp_path / "trust.json", wildcard_under_equals())
    done = answer(run("why", "trust.json", "--error", DENIED, "-f", "json", "--no-config", cwd=tmp_path))
    first = done["causes"][0]
    assert first["id"] == "trust-stringequals-wildcard"


def test_a_policy_in_the_text_of_a_message_is_read_and_never_certain(tmp_path):
    pasted = f"{DENIED}\n\n```json\n{json.dumps(wildcard_under_equals(), indent=2)}\n```\n"
    done = answer(run("why", "--error", pasted, "-f", "json", "--no-config", cwd=tmp_path))
    assert (done["causes"][0]["id"], done["causes"][0]["certainty"]) == ("trust-stringequals-wildcard", "likely")
    assert any("documents in the text" in note for note in done["notes"])


def test_what_a_message_itself_proves_is_certain_whatever_is_pasted_with_it(tmp_path):
    text = "To use web identity tokens, the 'sts' service module must be on the class path.\n"
    done = answer(run("why", "--error", text + json.dumps(wildcard_under_equals()), "-f", "json", "--no-config", cwd=tmp_path))
    assert (done["causes"][0]["id"], done["causes"][0]["certainty"]) == ("java-sts-module-missing", "certain")


def test_files_take_precedence_over_what_is_pasted(given, tmp_path):
    text = f"{DENIED}\n{json.dumps(wildcard_under_equals())}"
    done = answer(
        run("why", TARGET, given(other_subject), "--error", text, "-f", "json", "--no-config", *COMPLETE, cwd=tmp_path)
    )
    assert done["causes"][0]["id"] == "trust-sub-mismatch"
    assert not any("documents in the text" in note for note in done["notes"])
