import json
import os

import pytest

from playground.answers import MOST, answer
from tests.playground.documents import DOCUMENTS, Pasted


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def answers(pasted: Pasted) -> dict:
    return json.loads(answer(*pasted))


def rules(found: dict) -> set[str]:
    return {finding["rule"] for finding in found["check"]["findings"]}


def test_a_policy_has_findings_who_can_and_its_correction():
    found = answers(DOCUMENTS["subject-alone"])
    assert rules(found) == {"open-aud-missing"}
    assert found["who_can"][0]["grants"][0]["subjects"]["patterns"] == ["system:serviceaccount:billing:invoices"]
    assert '"sts.amazonaws.com"' in found["corrected"][0]["text"]
    assert found["diff"].startswith("--- a/pasted.json\n+++ b/pasted.json\n")


def test_what_is_corrected_has_the_finding_no_more():
    found = answers(DOCUMENTS["subject-alone"])
    assert rules(answers(Pasted(found["corrected"][0]["text"]))) == set()


def test_documents_of_two_kinds_become_two_files_of_which_the_policy_has_the_role():
    found = answers(DOCUMENTS["policy-and-other-account"])
    assert [file["path"] for file in found["files"]] == ["pasted-1.json", "pasted-2.yaml"]
    assert found["settings"] == ["--role", "arn:aws:iam::111122223333:role/invoices=pasted-1.json"]
    assert found["who_can"][0]["role"] == "arn:aws:iam::111122223333:role/invoices"


def test_a_message_among_the_documents_is_explained():
    found = answers(DOCUMENTS["message-no-provider"])
    assert found["check"] is None
    assert found["why"][0]["causes"][0]["id"] == "oidc-provider-missing"


def test_a_message_beside_documents_is_explained_by_them():
    found = answers(DOCUMENTS["policy-account-message"])
    assert found["why"][0]["subject"]["service_account"] == "invoices"


def test_a_message_about_one_of_several_accounts_is_asked_for_each():
    found = answers(DOCUMENTS["two-accounts-and-message"])
    assert {row["subject"]["service_account"] for row in found["why"]} == {"invoices", "refunds"}
    assert found["problems"] == []


@pytest.mark.parametrize("name", ["json-cut", "yaml-cut", "yaml-indent", "helm"])
def test_a_broken_document_is_said_to_be_broken_and_is_no_message(name):
    found = answers(DOCUMENTS[name])
    assert rules(found) == {"input-unreadable"}
    assert found["problems"]
    assert found["why"] == []


def test_terraform_is_said_to_be_not_available():
    found = answers(Pasted('resource "aws_iam_role" "invoices" {\n  name = "invoices"\n}\n'))
    assert found["problems"] == [
        "Not available in the browser: Terraform in HCL needs the package tree_sitter. The command line reads it."
    ]
    assert found["check"] is None


def test_a_text_that_is_too_large_is_refused_with_a_sentence():
    found = answers(Pasted("x" * MOST, "", "y"))
    assert found["problems"] == [
        f"The text has {MOST + 1:,} characters, and this page takes {MOST:,}. The command line takes more."
    ]
    assert found["files"] == []


def test_nothing_pasted_is_no_answer():
    assert not any(answers(Pasted("\n  \n"))[part] for part in ("check", "fix", "why", "who_can", "problems", "files"))


def test_an_answer_leaves_nothing_to_the_next():
    answers(DOCUMENTS["policy-and-account"])
    answers(DOCUMENTS["exact"])
    assert os.listdir(".") == ["pasted.json"]


def test_line_ends_of_windows_are_read_as_those_of_others():
    pasted = DOCUMENTS["policy-and-account"]
    windows = Pasted(pasted.documents.replace("\n", "\r\n"), pasted.role)
    assert answers(windows)["check"]["findings"] == answers(pasted)["check"]["findings"]


def test_a_token_in_a_message_is_not_repeated():
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6YTpiIn0.c2lnbmF0dXJl"
    found = answers(Pasted("", "", f"InvalidIdentityToken: Incorrect token audience {token}"))
    assert token not in json.dumps({**found, "error": ""})
