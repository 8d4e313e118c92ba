"""Reports to render: of a world, of nothing, and of the worst that names can be."""

from pathlib import Path

import msgspec

from irsa_doctor import api
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.findings import (
    Counts,
    DocumentRow,
    Finding,
    Fix,
    Location,
    Missing,
    Offer,
    Report,
    Subject,
    Tally,
    Waived,
)
from irsa_doctor.rulebook.rules import shipped_rules

WORLDS = Path(__file__).parent.parent.parent / "fixtures" / "worlds"
HOSTILE = [
    "\x1b]8;;http://evil.example\x1b\\click\x1b[31m",
    "line\nbreak\r\n::error file=x::gotcha%0A::warning::",
    "<script>alert(1)</script>&amp;\"'",
    "[link](javascript:alert(1)) `code` | cell | @everyone #1 **bold**",
    "a,b:c%2C%3A::",
    "\u202egnp.exe\u2066\u200b\ufeff",
    "\ud800 alone, \udcff raw",
    "\U0001d482" * 50 + "語" * 50,
    "x" * 20_000,
    "{missing} {0} %s",
    "",
]


def world(name: str) -> Report:
    return api.check([str(WORLDS / name)], settings=Settings(complete=("serviceaccounts",)))


def empty() -> Report:
    return Report("0", "sha256:0", Counts(*([0] * 7)), (), (), (), (), ())


def hostile() -> Report:
    findings = tuple(finding(text, number) for number, text in enumerate(HOSTILE))
    return Report(
        "0",
        "sha256:0",
        Counts(1, 1, 0, 0, 0, 0, 0),
        findings,
        tuple(Missing(text or "x", text, ("some-rule",), 3) for text in HOSTILE),
        (Tally("some-rule", 1, 0, 1, 0),),
        tuple(Waived(finding(text, 100 + number), text, text, "2999-01-01") for number, text in enumerate(HOSTILE)),
        tuple(DocumentRow(text or "empty", "", "unreadable", text, None) for text in HOSTILE),
        2,
        3,
    )


def finding(text: str, number: int) -> Finding:
    places = (
        Location(text or "file", 3, 2, "/a", text, True, 3, 9, "  " + text),
        Location(text or "file", 0, 0, "/b", text),
    )
    return Finding(
        "some-rule",
        ("critical", "high", "medium", "low")[number % 4],
        ("high", "medium", "low")[number % 3],
        text or "title",
        text or "message",
        Subject("role", text or "id"),
        places,
        text or "remedy",
        {"soc2": ("CC6.1",)},
        "https://example.com/",
        f"{number:032x}",
        text,
        Offer(lambda: Fix({text: [text]}, (text,), 1, (text,))),
    )


def of_every_rule() -> Report:
    findings = tuple(
        msgspec.structs.replace(
            finding("text", number),
            rule=rule.id,
            title=rule.title,
            remedy=rule.remedy,
            url=rule.url,
            controls={name: tuple(control.id for control in listed) for name, listed in rule.controls.items()},
        )
        for number, rule in enumerate(shipped_rules())
    )
    tallies = tuple(Tally(rule.id, 1, 0, 1, 0) for rule in shipped_rules())
    read = DocumentRow("roles.json", "iam-get-role", "read", None, "0" * 64)
    return Report("0", "sha256:0", Counts(1, 1, 0, 0, 0, 0, 0), findings, (), tallies, (), (read,))


REPORTS = {
    "shop": lambda: world("shop"),
    "healthy": lambda: world("healthy"),
    "empty": empty,
    "hostile": hostile,
    "every rule": of_every_rule,
}
