import json
import os
import re
from pathlib import Path

import pytest

from irsa_doctor.answers.missing import MissingInput
from irsa_doctor.answers.who_can import (
    AdmittedAudiences,
    AdmittedSubjects,
    AudiencePair,
    OtherPrincipal,
    ProviderGrant,
    WhoCan,
)
from irsa_doctor.reports import Style
from irsa_doctor.reports.fitting import columns
from irsa_doctor.reports.who_can import render_who_can_json, render_who_can_text
from tests.cli.running import run
from tests.reports.saying import HOSTILE, WORLDS

SNAPSHOTS = Path(__file__).parent / "snapshots"
ROLE = "arn:aws:iam::111122223333:role/app"
ONE = "system:serviceaccount:shop:web"


def grant(scope="one", patterns=(ONE,), **more):
    subjects = AdmittedSubjects(
        scope, patterns, more.pop("without", ()), more.pop("witness", patterns[0] if patterns else None), True
    )
    given = {
        "provider": "arn:aws:iam::111122223333:oidc-provider/oidc.example/id/A",
        "issuer": "https://oidc.example/id/A",
        "issuer_kind": "eks",
        "clusters": ("prod",),
        "audiences": AdmittedAudiences(False, ("sts.amazonaws.com",)),
        "subjects": subjects,
        "by_audience": None,
        "service_accounts": (),
        "known": 0,
        "depends_on": (),
        "contested": (),
        "unseen": (),
        **more,
    }
    return ProviderGrant(**given)


def text(*grants, others=(), problem=None, unknown=(), role=ROLE, width=100):
    return render_who_can_text(WhoCan(role, grants, others, problem, unknown), Style(width=width))


def said(*grants, **more):
    """The text without its line breaks."""
    return " ".join(text(*grants, **more).split())


@pytest.mark.parametrize("role", ["shop-image-resizer", "shop-batch-reports", "shop-node"])
def test_a_role_reads_as_it_did(role):
    """UPDATE_SNAPSHOTS=1 writes them again: look at the difference."""
    done = run("who-can", role, "shop", "--no-config", cwd=WORLDS, COLUMNS="80", PYTHONIOENCODING="utf-8")
    snapshot = SNAPSHOTS / f"who-can-{role}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(done.stdout, encoding="utf-8")
    assert (done.returncode, done.stdout) == (0, snapshot.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (grant("nobody", ()), "no service account of cluster prod"),
        (grant("one"), "one service account of cluster prod"),
        (grant("several", (ONE, ONE + "2", "no subject")), "2 service accounts of cluster prod"),
        (grant("several", (ONE + "?",)), "several service accounts of cluster prod"),
        (
            grant("namespace", ("system:serviceaccount:shop:*",), witness="system:serviceaccount:shop:a"),
            "any number of service accounts in namespace shop of cluster prod",
        ),
        (
            grant("namespaces", ("system:serviceaccount:*:web",)),
            "any number of service accounts in more than one namespace of cluster prod",
        ),
        (grant("cluster", ("*",)), "every service account of cluster prod"),
        (grant("cluster", ("*",), clusters=()), "every service account of the cluster with the issuer below"),
        (grant("unknown", ("*",), why="${X} decides"), "undetermined service accounts of cluster prod"),
        (grant("one", ("repo:a",), issuer_kind="other"), "one subject of https://oidc.example/id/A"),
        (grant("pattern", ("repo:*",), issuer_kind="other"), "any subject of https://oidc.example/id/A that matches a pattern"),
        (grant("anyone", ("*",), issuer_kind="other"), "every subject of https://oidc.example/id/A"),
        (grant("cluster", ("*",), contested=("P5",)), "possibly every service account of cluster prod"),
        (grant("one", depends_on=("aws:SourceIp",)), "one service account of cluster prod, if further conditions are true"),
    ],
)
def test_the_answer_comes_first_and_in_words(given, answer):
    lines = text(given).splitlines()
    assert lines[:3] == ["role app in account 111122223333 can be assumed by", "", answer]


def test_everything_that_an_answer_hangs_on_is_said():
    given = grant(
        "unknown",
        ("system:serviceaccount:a:*",),
        without=("system:serviceaccount:a:b",),
        witness="system:serviceaccount:a:a",
        by_audience=(AudiencePair(("x", "y"), ("s-1", "s-2")),),
        depends_on=("aws:SourceIp",),
        contested=("S4", "C11"),
        why="values decide",
        service_accounts=("prod/a/a", "prod/a/c"),
        known=7,
    )
    lines = said(given)
    for part in (
        "reason values decide",
        "possibly system:serviceaccount:a:*",
        "except system:serviceaccount:a:b",
        "for example system:serviceaccount:a:a",
        "audiences sts.amazonaws.com",
        "with x, y: s-1, s-2",
        "issuer https://oidc.example/id/A",
        "in the input 2 of 7 service accounts: prod/a/a, prod/a/c",
        "only if the conditions on aws:SourceIp are true",
        "what an empty list of values means (C11)",
        "(S4)",
    ):
        assert part in lines


def test_an_audience_that_nothing_limits_is_said_so():
    assert "audiences every client id of the provider" in said(grant(audiences=AdmittedAudiences(True, ("*",))))


def test_of_many_names_the_first_twenty_are_shown_and_the_rest_is_counted():
    names = tuple(f"prod/a/sa-{n:03}" for n in range(50))
    subjects = tuple(f"system:serviceaccount:a:sa-{n:03}" for n in range(50))
    lines = said(grant("several", subjects, service_accounts=names, known=60))
    assert "50 service accounts of cluster prod" in lines
    assert "in the input 50 of 60 service accounts: prod/a/sa-000," in lines
    assert "prod/a/sa-019 and 30 more" in lines
    assert "prod/a/sa-020" not in lines
    assert "system:serviceaccount:a:sa-019 and 30 more" in lines


def test_wildcards_that_are_plain_characters_are_explained():
    assert "${*} and ${?} are literal characters" in said(grant("nobody", ("system:serviceaccount:a:${*}",)))


def test_nobody_is_said_as_plainly_as_everybody():
    assert "no service account" in said(others=(OtherPrincipal("Service", "ec2.amazonaws.com"),))


def test_other_principals_are_named():
    others = (
        OtherPrincipal("AWS", "*"),
        OtherPrincipal("AWS", "arn:aws:iam::1:root"),
        OtherPrincipal("Federated", "arn:aws:iam::1:saml-provider/x"),
        OtherPrincipal("Service", "pods.eks.amazonaws.com"),
    )
    lines = text(grant(), others=others).splitlines()
    assert lines[-4:] == [
        "  every AWS principal of any account",
        "  AWS principal arn:aws:iam::1:root",
        "  identity provider arn:aws:iam::1:saml-provider/x",
        "  service pods.eks.amazonaws.com (EKS Pod Identity)",
    ]


def test_what_is_missing_comes_with_the_command_and_is_no_nobody():
    lines = text(unknown=(MissingInput("trust policy of the role", "aws iam get-role --role-name app"),))
    assert "undetermined, because inputs are missing" in lines
    assert "    aws iam get-role --role-name app\n" in lines
    assert "no service account" not in lines


def test_a_policy_that_iam_refuses_is_said_to_be_one():
    assert text(grant(), problem="no such element").splitlines()[-1] == "IAM refuses to save this policy: no such element"


@pytest.mark.parametrize("width", [40, 55, 80, 140])
@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_hostile_gets_through_and_all_fits(name, width):
    given = grant("unknown", (name, name), without=(name,), witness=name, clusters=(name,), why=name, depends_on=(name,))
    lines = text(
        given,
        others=(OtherPrincipal("AWS", name), OtherPrincipal("Federated", name)),
        problem=name,
        unknown=(MissingInput(name, ""),),
        role=name,
        width=width,
    )
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", lines)
    assert [line for line in lines.splitlines() if columns(line) > width] == []


def test_colour_changes_nothing_but_colour():
    answer = WhoCan(ROLE, (grant(), grant("cluster", ("*",))), (OtherPrincipal("AWS", "*"),), "bad", (MissingInput("x", "y"),))
    coloured = render_who_can_text(answer, Style(colour=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_who_can_text(answer, Style())
    assert "\x1b[1;31mevery service account" in coloured


def test_json_has_everything_whatever_the_style():
    answer = WhoCan(ROLE, (grant(),), (OtherPrincipal("AWS", "*"),), None, (MissingInput("x", "y"),))
    document = json.loads(render_who_can_json(answer, Style(colour=True, width=40)))
    assert document["schema"] == "irsa-doctor.who-can/1"
    assert document["role"] == ROLE
    assert document["grants"][0]["subjects"] == {
        "scope": "one",
        "patterns": [ONE],
        "except": [],
        "witness": ONE,
        "exact": True,
    }
    assert document["others"] == [{"type": "AWS", "value": "*"}]
    assert document["unknown"] == [{"missing": "x", "how": "y", "then": "", "file": ""}]
