"""The addresses of the project and of the pages of its rules and causes, where reports name them."""

import re
from functools import cache

from irsa_doctor.rulebook.causes import shipped_causes
from irsa_doctor.rulebook.rules import shipped_rules

PROJECT = "PROJECT_URL"
"""where the project is published; this word until that is decided (`make project-url`)"""
_RULE, _CAUSE = "rules/{}.html", "causes/{}.html"
"""the pages, below the address of the site; `tools/site` writes them"""
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


def page_path(ident: str) -> str:
    """Returns the path of the page of a built-in rule or cause, below the address of the site; "" for other ids."""
    if ident in _rules():
        return _RULE.format(ident)
    return _CAUSE.format(ident) if ident in shipped_causes().by_id else ""


@cache
def _rules() -> frozenset[str]:
    return frozenset(rule.id for rule in shipped_rules())


def page_address(ident: str, project: str = PROJECT) -> str:
    """Returns the address of the page of a built-in rule or cause, "" where the site has no address yet."""
    site, path = site_address(project), page_path(ident)
    return f"{site}/{path}" if site and path else ""


def page_of(ident: str) -> str:
    """Returns the address of the page, until the site has one the path below it; "" for what is not built in."""
    return page_address(ident) or page_path(ident)
