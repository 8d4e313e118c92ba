"""The addresses that reports name: none until the project has one."""

import pytest

from irsa_doctor.reports.addresses import project_address, rule_address, site_address
from irsa_doctor.rulebook.rules import shipped_rules
from tools.site.__main__ import pages


def test_until_it_is_published_there_is_no_address():
    assert project_address("PROJECT_URL") == ""
    assert rule_address("open-aud-only", "PROJECT_URL") == ""


@pytest.mark.parametrize(
    ("project", "site"),
    [
        ("https://github.com/Owner/irsa-doctor", "https://owner.github.io/irsa-doctor"),
        ("https://gitlab.com/owner/irsa-doctor", "https://owner.gitlab.io/irsa-doctor"),
        ("https://git.example.org/owner/irsa-doctor", ""),
    ],
)
def test_the_site_is_where_the_host_publishes_it(project, site):
    assert project_address(project) == project
    assert site_address(project) == site


def test_every_rule_has_the_page_that_its_findings_point_to():
    written = {page.path for page in pages()}
    site = "https://owner.github.io/irsa-doctor/"
    for rule in shipped_rules():
        address = rule_address(rule.id, "https://github.com/owner/irsa-doctor")
        assert address.removeprefix(site).replace(".html", ".md") in written
