"""The healthy world of the rules, as a case to be diagnosed."""

from typing import Any

from irsa_doctor.answers.check.examples import base_world, documents_of, named, patched
from irsa_doctor.answers.why import Case, CaseEvidence, DiagnosisTarget, find_case
from irsa_doctor.facts import View
from irsa_doctor.sources import load

BASE = base_world()
NOW = 1_800_000_000
TARGET = DiagnosisTarget("payments", "checkout")


def case_of(patch: dict[str, Any], asked: DiagnosisTarget = TARGET, **evidence: Any) -> Case:
    world = named(patched(BASE, patch))
    loaded = load((), memory=documents_of(world), complete=tuple(world.get("complete", ())))
    seen = CaseEvidence(**{"now": NOW, **evidence})
    return find_case(View(loaded.inventory), lambda place, key: (0, 0, 0, 0, "", 0), asked, "prod", seen)


def role(**statement: Any) -> dict[str, Any]:
    return {"roles": {"checkout": {"AssumeRolePolicyDocument": {"Statement": statement}}}}


def objects(**changes: Any) -> dict[str, Any]:
    return {"objects": {"prod": changes}}
