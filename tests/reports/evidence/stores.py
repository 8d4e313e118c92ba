"""Stores of audits over an account with hostile names, and what reads the evidence of them."""

import json
from html.parser import HTMLParser
from pathlib import Path

from irsa_doctor import api
from tests.cli.running import OPEN, RIGHT, put
from tests.store.runs import audited, named

HOSTILE = "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)>"
PYTHON = Path(__file__).parent.parent.parent.parent / ".cache" / "validators" / "bin" / "python"
WAIVER = f"""
[[waivers]]
rule = "open-aud-only"
subject = "*waived#0"
owner = {json.dumps(HOSTILE)}
reason = "until the <b>move</b>"
accepted-by = "head of platform"
expires = 2026-01-31
"""


def organization(folder: Path) -> None:
    """A manifest of two accounts, one of which has a hostile name and could not be read."""
    accounts = [
        {"id": "111122223333", "name": "shop", "ou": ["r-1", "ou-1"], "status": "ACTIVE", "tags": {}, "state": "read"},
        {
            "id": "444455556666",
            "name": HOSTILE,
            "ou": ["r-1"],
            "status": "ACTIVE",
            "tags": {},
            "state": "unknown",
            "why": "AssumeRole: no",
        },
    ]
    document = {
        "schema": "irsa-doctor.manifest/1",
        "tool": {"version": "0.1.0"},
        "organization": "o-example",
        "accounts": accounts,
    }
    put(folder / "input" / "manifest.json", {**document, "shards": []})


def three_runs(folder: Path) -> str:
    """The path of a store of three runs: roles that are open, mended, waived and right."""
    organization(folder)
    roles = named("open", OPEN), named("waived", OPEN), named("right", RIGHT)
    audited(folder, *roles, named("mended", OPEN), settings=WAIVER)
    audited(folder, *roles, named("mended", OPEN), day=1, settings=WAIVER)
    audited(folder, *roles, named("mended", RIGHT), day=2, settings=WAIVER)
    return str(folder / "audit.db")


def rendered(store: str, output_format: str, **options) -> str:
    """The evidence of a store in a format, for SOC 2."""
    how = {name: options.pop(name) for name in ("plan", "lines") if name in options}
    evidence = api.audit_report(store=store, frameworks=["soc2"], **options)
    return "".join(api.render_evidence(evidence, output_format, **how))


class LoadedParts(HTMLParser):
    """What a page would load or run, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.bad: list[str] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        self.bad += [f"{tag} {name}" for name, _ in attrs if name.startswith("on") or name == "style"]
        self.bad += [f"{tag} {value}" for name, value in attrs if name in ("src", "href") and (value or "").startswith("http")]
        if tag in ("iframe", "object", "embed", "base", "form", "img"):
            self.bad.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)
