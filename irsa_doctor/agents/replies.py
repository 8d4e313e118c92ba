"""What a tool replies: the answer of the command line, and beside it how sure it is, what shows it and what would settle it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from irsa_doctor import api

MOST_FINDINGS = 50
"""findings of one reply: an agent reads them all"""


class Shown(TypedDict):
    """A place in a document that shows why."""

    file: str
    line: int | None
    says: str


class Settling(TypedDict):
    """What is missing for a sure answer, and the command that gets it; a person decides whether it is run."""

    missing: str
    command: str


class Reply(TypedDict):
    """The reply of every tool."""

    verdict: str
    certainty: str
    evidence: list[Shown]
    settle: list[Settling]
    answer: dict[str, Any]


def reply(verdict: str, certainty: str, answer: str, evidence: Sequence[Shown] = (), settle: Sequence[Settling] = ()) -> Reply:
    """A reply; `answer` is the JSON that the command line prints, every text in it is made visible.

    Names, annotations and messages come from documents: characters that a person does not see would still be read by a model.
    """
    made: Reply = {
        "verdict": verdict,
        "certainty": certainty,
        "evidence": list(evidence),
        "settle": list(settle),
        "answer": json.loads(answer),
    }
    visible: Reply = _visible(made)
    return visible


def evidence_of(places: Sequence[Mapping[str, Any]]) -> list[Shown]:
    """Places of an answer as evidence, each once."""
    rows = {(row.get("file") or "", row.get("line"), row.get("says") or ""): None for row in places}
    return [{"file": file, "line": line, "says": says} for file, line, says in rows]


def settling(unknown: Sequence[Mapping[str, Any]]) -> list[Settling]:
    """What an answer says is missing."""
    rows = {(row.get("missing") or row.get("name") or "", row.get("how") or row.get("command") or ""): None for row in unknown}
    return [{"missing": missing, "command": command} for missing, command in rows]


def of_report(text: str, most: int) -> Reply:
    """The reply about a report of `check`: its worst findings, with the number of those left out."""
    answer = json.loads(text)
    findings, unknown = answer["findings"], answer["unknown"]
    left_out = len(findings) - most
    answer["findings"] = findings[:most]
    answer["left_out"] = max(left_out, 0)
    for member in ("rules", "documents"):
        answer.pop(member, None)
    places = [place for finding in answer["findings"] for place in finding["locations"] if place.get("primary")]
    verdict = "fail" if findings else "unknown" if unknown else "pass"
    certainty = "proved" if not findings or {finding["confidence"] for finding in findings} == {"high"} else "mixed"
    return reply(
        verdict, "none" if verdict == "unknown" else certainty, json.dumps(answer), evidence_of(places), settling(unknown)
    )


def of_diagnosis(text: str) -> Reply:
    """The reply about a diagnosis of `why`."""
    answer = json.loads(text)
    causes, links = answer["causes"], answer["links"]
    places = [place for cause in causes for place in cause["evidence"]]
    needs = [need for link in links if link["verdict"] == "unknown" for need in link["needs"] if need["missing"]]
    needs = [{"name": need["name"], "command": need["command"]} for need in needs]
    tells = [{"name": f"which cause it is: {cause['id']}", "command": cause["settle"]} for cause in causes if cause["settle"]]
    certainty = causes[0]["certainty"] if causes else "none" if answer["verdict"] == "unknown" else "proved"
    return reply(answer["verdict"], certainty, text, evidence_of(places), settling([*tells, *needs]))


def of_reached(text: str, verdict: str) -> Reply:
    """The reply about `who-can` or `reach`: what they list is proved, and where something is missing it may not be all."""
    answer = json.loads(text)
    unknown = answer["unknown"]
    whole = "complete" if not unknown else "incomplete"
    return reply(verdict, f"proved, {whole}", text, evidence_of(list(_places(answer))), settling(unknown))


def _places(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every place that an answer names, in its order."""
    if isinstance(value, dict):
        if {"file", "line"} <= value.keys():
            yield value
        else:
            for member in value.values():
                yield from _places(member)
    elif isinstance(value, list):
        for member in value:
            yield from _places(member)


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return "\n".join(api.for_terminal(line) for line in value.split("\n"))
    if isinstance(value, dict):
        return {_visible(name): _visible(member) for name, member in value.items()}
    return [_visible(member) for member in value] if isinstance(value, list) else value
