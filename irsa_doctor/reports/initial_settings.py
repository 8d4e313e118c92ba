"""Writes a settings file in which every setting stands as a comment, from the JSON Schema of the settings."""

import json
import os
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from irsa_doctor.governance.settings import OWN_FILE
from irsa_doctor.reports.schemas import schema_text

EDITOR_FOLDER = ".irsa-doctor"
"""the folder beside the settings with the schemas that editors read"""
EDITOR_SCHEMAS = ("settings", "rule", "intent")
_WIDTH = 100
_OF_TESTS = ("examples", "example", "fixtures", "testdata", "tests", "test")
_PLANS = ("plan.json", "tfplan.json")
_HEAD = f"""\
#:schema ./{EDITOR_FOLDER}/settings.schema.json
# Settings of irsa-doctor. Every line is a comment: what is not set has the value that is shown as the default, or none.
# Options take precedence over settings. Paths are relative to this file.
"""


def initial_files(folder: str = ".") -> Mapping[str, str]:
    """Returns what a project begins with, path -> text: its settings, then the schemas for editors."""
    schemas = {f"{EDITOR_FOLDER}/{name}.schema.json": schema_text(name) for name in EDITOR_SCHEMAS}
    return {OWN_FILE: initial_settings(folder), **schemas}


def initial_settings(folder: str = ".") -> str:
    """Returns the text of a settings file for a folder: every setting as a comment, with an example.

    Folders of tests and Terraform plans that are there are the examples of `exclude` and `plans`.
    """
    schema = json.loads(schema_text("settings"))
    near = _examples_in(Path(folder))
    plain: list[str] = []
    tables: list[str] = []
    for name, setting in schema["properties"].items():
        example = near.get(name, _example(setting))
        lines = _table(name, setting, example) if isinstance(example, dict) else _line(name, setting, example)
        (tables if isinstance(example, dict) or _is_table_list(example) else plain).append("\n".join(lines))
    return "\n\n".join([_HEAD.rstrip("\n"), *plain, *tables]) + "\n"


def schema_line(file: str) -> str:
    """Returns the comment by which an editor finds the schema of an intent file, "" where no schema lies in a folder above.

    The form is that of https://github.com/redhat-developer/yaml-language-server#using-inlined-schema.
    """
    folder = Path(file).resolve().parent
    for above in (folder, *folder.parents):
        schema = above / EDITOR_FOLDER / "intent.schema.json"
        if schema.is_file():
            return f"# yaml-language-server: $schema={Path(os.path.relpath(schema, folder)).as_posix()}\n"
    return ""


def _examples_in(folder: Path) -> dict[str, Any]:
    """Examples of settings that fit what is in a folder, or in the folders in it."""
    try:
        inner = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return {}
    excluded = [f"{path.name}/" for path in inner if path.name in _OF_TESTS]
    plans = {
        path.relative_to(folder).as_posix(): (path / name).relative_to(folder).as_posix()
        for path in (folder, *inner)
        for name in _PLANS
        if (path / name).is_file() and any(path.glob("*.tf"))
    }
    return ({"exclude": excluded} if excluded else {}) | ({"plans": plans} if plans else {})


def _example(setting: Mapping[str, Any]) -> Any:
    """The example of a setting; of one that has parts, the examples of them."""
    if "default" in setting:
        return setting["default"]
    if "examples" in setting:
        return setting["examples"][0]
    if "properties" in setting:
        return {name: _example(part) for name, part in setting["properties"].items()}
    return setting["enum"][0]


def _is_table_list(example: Any) -> bool:
    return isinstance(example, list) and bool(example) and isinstance(example[0], dict)


def _line(name: str, setting: Mapping[str, Any], example: Any) -> Iterator[str]:
    yield from _comment(setting["description"])
    if _is_table_list(example):
        yield f"# [[{name}]]"
        parts = setting["items"]["properties"]
        yield from (_pair(key, value, parts[key]) for key, value in example[0].items())
    else:
        yield _pair(name, example, setting) + (f"  # {', '.join(setting['enum'])}" if "enum" in setting else "")


def _table(name: str, setting: Mapping[str, Any], example: Mapping[str, Any]) -> Iterator[str]:
    yield from _comment(setting["description"])
    yield f"# [{name}]"
    parts = setting.get("properties", {})
    for key, value in example.items():
        written = _pair(key, value, parts.get(key, {}))
        hint = parts.get(key, {}).get("description")
        yield f"{written}  # {hint}" if hint else written


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}"


def _pair(key: str, value: Any, setting: Mapping[str, Any]) -> str:
    is_bare = key.replace("-", "").replace("_", "").isalnum() and key.isascii()
    written = str(value) if setting.get("format") == "date" else json.dumps(value, ensure_ascii=False)
    return f"# {key if is_bare else json.dumps(key)} = {written}"
