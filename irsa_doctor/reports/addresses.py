"""The addresses of the project and of the pages of its rules, where reports name them."""

import re

PROJECT = "PROJECT_URL"
"""where the project is published; this word until that is decided (`make project-url`)"""
_RULE = "rules/{}.html"
"""the page of a rule, below the address of the site; `tools/site` writes it"""
_HOSTS = re.compile(r"https://(?P<host>github|gitlab)\.com/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)", re.ASCII)


def project_address(project: str = PROJECT) -> str:
    """Returns where the project is published, "" until it is."""
    return project if project.startswith("https://") else ""


def site_address(project: str = PROJECT) -> str:
    """Returns where the pages of a project are, by the rule of its host; "" where none is known.

    https://docs.github.com/en/pages/getting-started-with-github-pages/what-is-github-pages,
    https://docs.gitlab.com/user/project/pages/getting_started_part_one/
    """
    match = _HOSTS.fullmatch(project)
    return f"https://{match['owner'].lower()}.{match['host']}.io/{match['name']}" if match else ""


def rule_address(ident: str, project: str = PROJECT) -> str:
    """Returns the page of a built-in rule, "" where the site has no address yet."""
    site = site_address(project)
    return f"{site}/{_RULE.format(ident)}" if site else ""
