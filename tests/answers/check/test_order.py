import shutil
from pathlib import Path

import pytest

from irsa_doctor import api
from irsa_doctor.answers.check.order import sort_findings
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.findings import SEVERITIES, Finding, Subject

SHOP = Path(__file__).parents[3] / "fixtures" / "worlds" / "shop"
ROLE = "arn:aws:iam::111122223333:role/"


def finding(rule, severity, kind, ident, group=""):
    return Finding(rule, severity, "high", "", "", Subject(kind, ident), (), "", {}, "", f"{rule} {ident}", group or ident)


def test_the_worst_findings_come_first_and_those_of_one_severity_by_role():
    ordered = [
        finding("z", "critical", "grant", f"{ROLE}z#0"),
        finding("b", "high", "binding", f"prod/ns/b -> {ROLE}b"),
        finding("a", "high", "role", f"{ROLE}c"),
        finding("a", "high", "service-account", "prod/ns/a"),
        finding("a", "high", "document", "a.json"),
        finding("a", "low", "role", f"{ROLE}a"),
    ]
    assert list(sort_findings(reversed(ordered))) == ordered


@pytest.mark.parametrize("name", ["aaa", "zzz", "0", "arn"])
def test_what_a_cluster_is_called_changes_no_order(name):
    def made(cluster):
        return [
            finding("a", "high", "workload", f"{cluster}/ns/pod/b", f"{cluster}/ns/b"),
            finding("a", "high", "service-account", f"{cluster}/ns/a"),
            finding("a", "high", "binding", f"{cluster}/ns/a -> {ROLE}m", f"{cluster}/ns/a"),
            finding("a", "high", "grant", f"{ROLE}m#0", f"{ROLE}m"),
            finding("a", "high", "provider", "arn:aws:iam::1:oidc-provider/x"),
        ]

    orders = []
    for cluster in ("mmm", name):
        subjects = [shown.subject.id for shown in sort_findings(made(cluster))]
        orders.append([subject.replace(f"{cluster}/", "C/") for subject in subjects])
    assert orders[0] == orders[1]


@pytest.mark.parametrize("name", ["a-cluster", "zz-cluster"])
def test_a_world_whose_cluster_has_another_name_is_reported_in_the_same_order(name, tmp_path):
    shutil.copytree(SHOP, tmp_path / "as-it-is")
    shutil.copytree(SHOP, tmp_path / "world")
    for file in (tmp_path / "world").rglob("*.json"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace('"name": "shop"', f'"name": "{name}"').replace("cluster/shop", f"cluster/{name}"))
    rules = [
        [found.rule for found in api.check([str(folder)], settings=Settings(complete=("serviceaccounts",))).findings]
        for folder in (tmp_path / "as-it-is", tmp_path / "world")
    ]
    assert rules[0] == rules[1]
    assert len(rules[0]) > 5


def test_the_order_of_the_severities_is_that_of_the_report():
    report = api.check([str(SHOP)], settings=Settings(complete=("serviceaccounts",)))
    numbers = [SEVERITIES.index(found.severity) for found in report.findings]
    assert numbers == sorted(numbers)
