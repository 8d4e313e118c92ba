import json

import pytest

from irsa_doctor.answers.check.examples import base_world, documents_of, named, patched
from tests.answers.why.world import LINK_IDS
from tests.cli.running import put, run


@pytest.fixture
def world(tmp_path):
    def make(**patch):
        full = named(patched(base_world(), patch))
        for path, content in documents_of(full).items():
            put(tmp_path / "world" / path, content)
        return tmp_path / "world"

    return make


COMPLETE = ("--complete", "serviceaccounts,pods")
BROKEN = {"roles": {"checkout": {"AssumeRolePolicyDocument": {"Statement": {"Action": "sts:AssumeRole"}}}}}


def test_what_works_exits_0(world, tmp_path):
    done = run("why", "payments/checkout", world(), *COMPLETE, cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "payments/checkout works")


def test_what_is_broken_exits_1_with_the_cause_in_the_first_line(world, tmp_path):
    done = run("why", "payments/checkout", world(**BROKEN), *COMPLETE, cwd=tmp_path)
    assert done.returncode == 1
    head, *after = done.stdout.splitlines()
    assert head.startswith("payments/checkout is broken: sts:AssumeRole in place of ")
    assert "(trust-action-assumerole, certain)" in head + after[0]
    assert run("why", "payments/checkout", world(**BROKEN), *COMPLETE, "--exit-zero", cwd=tmp_path).returncode == 0


def test_what_cannot_be_told_exits_3(world, tmp_path):
    done = run("why", "payments/gone", world(), cwd=tmp_path)
    assert done.returncode == 3


@pytest.mark.parametrize("target", ["pod/payments/checkout-0", "pods/payments/checkout-0"])
def test_a_pod_is_asked_about_by_its_kind(world, tmp_path, target):
    done = run("why", target, world(), *COMPLETE, "-f", "json", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert document["subject"]["workload"] == "pod/checkout-0"
    assert document["verdict"] == "works"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("payments/checkout",),
        ("--all",),
        ("payments",),
        ("a/b/c/d", "."),
        ("payments/checkout", "not-there"),
        ("payments/checkout", "world", "--cluster", "no-such"),
        ("payments/checkout", "world", "--token", "not-there"),
        ("payments/checkout", "world", "--event", "world/roles.json"),
        ("payments/checkout", "world", "-f", "xml"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_2(world, tmp_path, arguments):
    world()
    done = run("why", *arguments, cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr


def test_a_target_without_files_names_both_commands(tmp_path):
    said = run("why", "payments/checkout", cwd=tmp_path).stderr
    assert "irsa-doctor why payments/checkout --live" in said
    assert "irsa-doctor why payments/checkout FOLDER" in said


def test_an_error_alone_gives_what_fits(tmp_path):
    done = run("why", "--error", "InvalidIdentityToken: Incorrect token audience", "-f", "json", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert (done.returncode, document["verdict"]) == (1, "broken")
    assert document["causes"][0]["id"] == "aud-not-in-clientids"
    assert document["causes"][0]["settle"] or document["causes"][0]["remedy"]


def test_an_error_in_a_file_with_files_beside_it(world, tmp_path):
    put(tmp_path / "log.txt", "boom\nAccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\n")
    done = run("why", "payments/checkout", world(**BROKEN), "--error", "@log.txt", "-f", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["causes"][0]["id"] == "trust-action-assumerole"


def test_every_service_account_in_a_table(world, tmp_path):
    done = run("why", "--all", world(**BROKEN), *COMPLETE, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].split() == ["broken", "prod/payments/checkout", "trust-action-assumerole"]
    assert json.loads(run("why", "--all", world(), *COMPLETE, "-f", "json", cwd=tmp_path).stdout)["subjects"]


def test_the_way_is_told_link_by_link_in_the_order_of_the_contract(world, tmp_path):
    document = json.loads(run("why", "payments/checkout", world(), *COMPLETE, "-f", "json", cwd=tmp_path).stdout)
    assert document["schema"] == "irsa-doctor.why/1"
    assert [link["id"] for link in document["links"]] == LINK_IDS


@pytest.mark.parametrize("width", ["60", "80", "120"])
def test_nothing_that_is_said_of_a_link_is_cut_and_each_place_is_shown_once(world, tmp_path, width):
    broken = world(**BROKEN)
    links = json.loads(run("why", "payments/checkout", broken, *COMPLETE, "-f", "json", cwd=tmp_path).stdout)["links"]
    text = run("why", "payments/checkout", broken, *COMPLETE, cwd=tmp_path, COLUMNS=width).stdout
    unbroken = "".join(text.split())
    assert [link["id"] for link in links if "".join(f"{link['title']}:{link['because']}".split()) not in unbroken] == []
    places = [line for line in text.splitlines() if "--> " in line]
    assert places
    assert len(places) == len(set(places))


def test_what_cannot_be_told_says_in_the_first_line_how_many_inputs_are_missing(world, tmp_path):
    done = run("why", "payments/gone", world(), cwd=tmp_path)
    assert done.returncode == 3
    assert done.stdout.splitlines()[0] in (
        "payments/gone undetermined, 1 input missing",
        "payments/gone undetermined, 2 inputs missing",
    )
    assert "kubectl get serviceaccount -n payments gone -o yaml > serviceaccount-payments-gone.yaml" in done.stdout
