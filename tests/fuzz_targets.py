"""What the fuzzer has for targets: how a document is drawn, and what must hold of it."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import fuzz_documents as documents
from tests import fuzz_semantics as semantics
from tests import fuzz_yaml as yaml

CORPUS = Path(__file__).parent / "fuzz_corpus"
"""a folder for each target, with documents as JSON: those that failed once, and samples"""


@dataclass(frozen=True)
class Target:
    """How a document is drawn, what must hold of it, and its share of the time."""

    drawn: Callable[[random.Random], Any]
    holds: Callable[[Any], None]
    share: int = 1


TARGETS: Mapping[str, Target] = {
    "documents": Target(documents.drawn, documents.is_read, 8),
    "yaml": Target(yaml.a_text, yaml.is_read_alike),
    "decide": Target(semantics.a_decision, semantics.is_decided_alike),
    "admitted": Target(semantics.a_reach, semantics.is_admitted_alike),
    "fix": Target(semantics.a_role, semantics.is_mended_well),
    "rbac": Target(semantics.a_cluster, semantics.is_authorised_alike),
    "why": Target(semantics.a_complaint, semantics.is_understood),
    "cel": Target(semantics.a_condition, semantics.is_a_condition_alike),
    "clouds": Target(semantics.an_identity, semantics.is_matched_alike),
    "intents": Target(semantics.an_intent, semantics.is_meant_alike),
}


def saved(name: str) -> list[Path]:
    """The files of the corpus for a target."""
    return sorted((CORPUS / name).glob("*.json"))


def read_document(path: Path) -> Any:
    """A document that was kept."""
    return json.loads(path.read_text(encoding="utf-8"))
