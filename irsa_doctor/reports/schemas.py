"""The JSON Schemas of all JSON output, generated from the records."""

from collections.abc import Mapping
from inspect import cleandoc
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent.parent / "schemas"
_OF_FILES = {"rule": "schema.json", "cause": "schema.json", "messages": "symptoms-schema.json"}
"""schemas of what people write, which lie beside the files of that kind"""


def schema_names() -> list[str]:
    """Returns the names of all schemas: commands, the settings, and the files of rules and causes."""
    return sorted({*(path.stem for path in _FOLDER.glob("*.json")), *_OF_FILES})


def schema_text(name: str) -> str:
    """Returns a shipped schema."""
    if name in _OF_FILES:
        from irsa_doctor.rulebook.cause_files import causes_folder
        from irsa_doctor.rulebook.files import rules_folder

        folder = rules_folder() if name == "rule" else causes_folder()
        return (folder / _OF_FILES[name]).read_text(encoding="utf-8")
    return (_FOLDER / f"{name}.json").read_text(encoding="utf-8")


def made_schemas() -> Mapping[str, Mapping[str, Any]]:
    """Returns the schemas that are generated from records, by name."""
    from irsa_doctor.reports.diff import DiffDocument
    from irsa_doctor.reports.fix import FixDocument
    from irsa_doctor.reports.generate import GenerateDocument
    from irsa_doctor.reports.intents import InferDocument, VerifyDocument
    from irsa_doctor.reports.json import CheckDocument
    from irsa_doctor.reports.reach import ReachDocument
    from irsa_doctor.reports.rule_page import RulesDocument
    from irsa_doctor.reports.who_can import WhoCanDocument
    from irsa_doctor.reports.why import WhyAllDocument, WhyDocument

    records: Mapping[str, Any] = {
        "check": CheckDocument,
        "diff": DiffDocument,
        "fix": FixDocument,
        "generate": GenerateDocument,
        "infer": InferDocument,
        "rules": RulesDocument,
        "verify": VerifyDocument,
        "reach": ReachDocument,
        "who-can": WhoCanDocument,
        "why": WhyDocument,
        "why-all": WhyAllDocument,
    }
    return {name: _schema_of(name, record) for name, record in records.items()}


def _schema_of(name: str, record: Any) -> dict[str, Any]:
    import msgspec

    schema = _open(msgspec.json.schema(record))
    schema["$defs"][record.__name__]["properties"]["schema"] = {"const": f"irsa-doctor.{name}/1"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"irsa-doctor.{name}/1",
        "title": f"The JSON output of irsa-doctor {'why --all' if name == 'why-all' else name}",
        **schema,
    }


def _open(schema: Any) -> Any:
    """A schema that allows more fields, because fields may be added; its descriptions without the indentation of code, and
    without what msgspec writes of the names of members from 0.23 on."""
    if isinstance(schema, list):
        return [_open(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    left_out = (("additionalProperties", False), ("propertyNames", schema.get("propertyNames")))
    kept = {key: _open(part) for key, part in schema.items() if (key, part) not in left_out}
    if isinstance(text := kept.get("description"), str):
        kept["description"] = cleandoc(text)
    return kept
