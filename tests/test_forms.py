"""The same situation, told in every form in which people have it, gives the same findings."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

KIOSK = Path(__file__).parent.parent / "fixtures" / "worlds" / "kiosk"
FORMS = {
    "native": "account-authorization-details.json",
    "plan": "plan.json",
    "hcl": "roles.tf",
    "cloudformation": "roles.yaml",
    "eksctl": "account-authorization-details.json",
}
ROLE = "arn:aws:iam::222233334444:role/kiosk-"
EXPECTED = {
    ("trust-stringequals-wildcard", f"{ROLE}menu#0"),
    ("open-aud-only", f"{ROLE}receipts#0"),
    ("sa-namespace-mismatch", f"kiosk/front/loyalty -> {ROLE}loyalty"),
    ("open-ns-creatable", f"{ROLE}loyalty#0"),
    ("trust-aud-mismatch", f"{ROLE}till#0"),
}


def check(*paths, stdin=None):
    command = [sys.executable, "-m", "irsa_doctor", "check", *paths, "--no-config", "-f", "json", "--exit-zero"]
    command += ["--base", "live", "--complete", "serviceaccounts"]
    done = subprocess.run(command, cwd=KIOSK, capture_output=True, text=True, check=False, input=stdin)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module", params=sorted(FORMS))
def form(request):
    return request.param, check(request.param)


def test_every_form_has_the_same_findings(form):
    _, report = form
    assert {(one["rule"], one["subject"]["id"]) for one in report["findings"]} == EXPECTED
    assert len(report["findings"]) == len(EXPECTED)


def test_every_form_leaves_the_same_open(form):
    _, report = form
    assert {one["missing"] for one in report["unknown"]} == {
        "Pod Identity associations of kiosk",
        "mutating webhook configurations of kiosk",
    }


def test_every_document_of_a_form_is_read(form):
    _, report = form
    assert {row["status"] for row in report["documents"]} == {"read"}


def test_every_finding_points_at_the_text_that_it_speaks_of(form):
    name, report = form
    needles = {
        "trust-stringequals-wildcard": "system:serviceaccount:front:menu-*",
        "trust-aud-mismatch": "var.audience" if name == "hcl" else "sts.amazon.com",
    }
    for finding in report["findings"]:
        if needle := needles.get(finding["rule"]):
            place = finding["locations"][0]
            line = (KIOSK / place["file"]).read_text(encoding="utf-8").splitlines()[place["line"] - 1]
            assert needle in line[place["column"] - 1 :]


def test_what_helm_renders_is_read_from_standard_input():
    rendered = "---\n# Source: kiosk/templates/serviceaccount.yaml\n" + (KIOSK / "native" / "serviceaccounts.yaml").read_text()
    report = check("-", f"native/{FORMS['native']}", stdin=rendered)
    assert {(one["rule"], one["subject"]["id"]) for one in report["findings"]} == EXPECTED


def test_without_a_base_one_line_says_what_is_not_checked():
    command = [
        sys.executable,
        "-m",
        "irsa_doctor",
        "check",
        "cloudformation/roles.yaml",
        "--no-config",
        "--exit-zero",
        "--show-unknown",
    ]
    done = subprocess.run(command, cwd=KIOSK, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    assert " ".join(done.stdout.split()).count("OIDC providers and clusters that the templates rely on") == 1
    assert "add --base" in " ".join(done.stdout.split())


def why(target, form):
    command = [sys.executable, "-m", "irsa_doctor", "why", target, form, "live", "--no-config", "-f", "json"]
    done = subprocess.run(command, cwd=KIOSK, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return json.loads(done.stdout)["verdict"]


@pytest.mark.parametrize("form_", sorted(FORMS))
def test_no_form_breaks_what_works_or_mends_what_does_not(form_):
    # `why` takes no base, so what a template makes has no ARN yet, and what it comes to may stay unknown
    open_ = set() if form_ == "native" else {"unknown"}
    assert why("front/orders", form_) in {"works", "unknown"}
    assert why("front/loyalty", form_) in {"broken"} | open_
