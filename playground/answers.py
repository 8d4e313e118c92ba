"""Answers what the page asks, by the functions that answer the command line: the texts become files, and the JSON is the same.

It runs in the browser, where Pyodide has msgspec and the Python part of PyYAML and nothing else. What needs another package
is named in the answer as not available.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from irsa_doctor import api
from irsa_doctor.version import __version__

MOST = 256 * 1024
"""characters of the texts together that the page takes; the command line takes more"""
_MOST_ROLES = 20
_MAX_SECONDS = 60.0
_NAME = "pasted"
_SEPARATOR = re.compile(r"^---[ \t]*$", re.MULTILINE)
_HCL = re.compile(
    r'^(?:resource|data|module|variable|output|provider)[ \t]+"[^\n]*\{|^(?:locals|terraform)[ \t]*\{', re.MULTILINE
)
_MEMBER = re.compile(
    r"^[ \t]*(?:apiVersion|kind|metadata|Version|Statement|Resources|AWSTemplateFormatVersion)[ \t]*:", re.MULTILINE
)
_PACKAGES = {"tree_sitter": "Terraform in HCL", "cryptography": "keys and certificates"}
"""package that the browser does not have -> what is read with it"""
_REFUSED = (api.NothingRead, api.NoTarget, api.NoSuchRole, api.NotJudged, api.NoEvents, api.NoEvidence)


def answer(documents: str, role: str = "", error: str = "") -> str:
    """The answers about pasted texts as JSON.

    `documents` are policies, roles and Kubernetes objects, several of them with `---` between, or an error message; `role` is
    the ARN of a trust policy that does not name its role; `error` is a message of STS or of an SDK. The object has:

    `files`: the path and text of each document; `settings`: the flags that the command line needs for the same answers;
    `check`, `fix`, `why`, `who_can`: what these commands print as JSON, None and [] where they were not asked; `corrected`: the
    path and text of each file that fixes change; `diff`: the same as a unified diff; `problems`: sentences.
    """
    if len(documents) + len(role) + len(error) > MOST:
        return json.dumps(_answer(problems=[_too_large(len(documents) + len(role) + len(error))]))
    files = _files(documents)
    for path in os.listdir("."):
        os.unlink(path)
    for path, text in files:
        with open(path, "w", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
    return json.dumps(_Asked(files, role.strip(), error.strip()).answered())


def _answer(**parts: Any) -> dict[str, Any]:
    """An answer with these parts, and nothing else in it."""
    empty: dict[str, Any] = {
        "files": [],
        "settings": [],
        "check": None,
        "fix": None,
        "why": [],
        "who_can": [],
        "corrected": [],
        "diff": "",
    }
    return {"version": __version__, **empty, "problems": [], "error": "", **parts}


def _too_large(size: int) -> str:
    return f"The text has {size:,} characters, and this page takes {MOST:,}. The command line takes more."


def _unavailable(package: str) -> str:
    what = _PACKAGES.get(package.partition(".")[0], "this input")
    return f"Not available in the browser: {what} needs the package {package}. The command line reads it."


def _files(documents: str) -> list[tuple[str, str]]:
    """The path and text of each document. YAML stays in one file; with JSON among them each document has its own."""
    parts = [part.strip("\n") + "\n" for part in _SEPARATOR.split(documents.replace("\r\n", "\n")) if part.strip()]
    if not any(_is_json(part) for part in parts):
        return [(f"{_NAME}.{_ending(parts[0])}", documents.replace("\r\n", "\n").strip("\n") + "\n")] if parts else []
    if len(parts) == 1:
        return [(f"{_NAME}.json", parts[0])]
    return [(f"{_NAME}-{number}.{_ending(part)}", part) for number, part in enumerate(parts, 1)]


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[") and not text.lstrip().startswith("{{")


def _ending(text: str) -> str:
    return "json" if _is_json(text) else "tf" if _HCL.search(text) else "yaml"


class _Asked:
    """One call of the page."""

    def __init__(self, files: Sequence[tuple[str, str]], role: str, error: str) -> None:
        self.files = files
        self.paths = [path for path, _ in files]
        self.error = error
        self.problems: list[str] = []
        # a bare policy is JSON, of which the first has the role
        of_role = next((path for path in self.paths if path.endswith(".json")), "") if role else ""
        self.settings = api.Settings(roles={role: of_role}) if of_role else api.Settings()
        self.flags = ["--role", f"{role}={of_role}"] if of_role else []

    def answered(self) -> dict[str, Any]:
        """All that can be said."""
        if any(path.endswith(".tf") for path in self.paths):
            self.problems.append(_unavailable("tree_sitter"))
            return self._parts(report=None)
        report = self._tried(self._report) if self.paths else None
        has_read = report is not None and any(row.status == "read" for row in report.documents)
        if report is not None and not has_read and not self.error:
            return self._unread(report)
        fixed = self._tried(self._fixed) if has_read else None
        who_can = list(self._who_can()) if has_read else []
        return self._parts(report=report, fixed=fixed, who_can=who_can, why=list(self._why(report)))

    def _unread(self, report: "api.Report") -> dict[str, Any]:
        """The answer about a text that is no document: it is a message, unless it was to be one."""
        text = "".join(text for _, text in self.files).strip()
        self.error = text
        diagnosis = self._diagnosis([])
        known = bool(diagnosis) and bool(json.loads(diagnosis)["causes"])
        if known or not (_is_json(text) or _MEMBER.search(text)):
            return self._parts(report=None, why=[diagnosis] if diagnosis else [])
        self.error = ""
        self.problems += [f"{row.path}: {row.why}" for row in report.documents if row.why]
        return self._parts(report=report)

    def _parts(
        self,
        *,
        report: "api.Report | None",
        fixed: "api.FixAnswer | None" = None,
        who_can: Sequence[str] = (),
        why: Sequence[str] = (),
    ) -> dict[str, Any]:
        changed = fixed.fixing.after if fixed else {}
        return _answer(
            files=[{"path": path, "text": text} for path, text in self.files],
            settings=self.flags,
            check=json.loads(api.render_report(report, "json")) if report is not None else None,
            fix=json.loads(api.render_fix(fixed.fixing, "json")) if fixed else None,
            why=[json.loads(text) for text in why],
            who_can=[json.loads(text) for text in who_can],
            corrected=[{"path": path, "text": content.decode(errors="replace")} for path, content in changed.items()],
            diff=api.render_unified_diff(fixed.fixing)[0].decode(errors="replace") if fixed else "",
            problems=list(dict.fromkeys(self.problems)),
            error=self.error,
        )

    def _report(self) -> "api.Report":
        return api.check(self.paths, settings=self.settings, max_seconds=_MAX_SECONDS)

    def _fixed(self) -> "api.FixAnswer":
        return api.fix(self.paths, settings=self.settings)

    def _who_can(self) -> Iterator[str]:
        """Who can assume each role."""
        roles = self._tried(lambda: api.load(self.paths, settings=self.settings).inventory.roles) or ()
        names = list(dict.fromkeys(role.place.document if role.is_bare else role.arn or role.name for role in roles))
        if len(names) > _MOST_ROLES:
            self.problems.append(f"Who can assume them is shown for {_MOST_ROLES} of the {len(names)} roles.")
        for name in names[:_MOST_ROLES]:
            text = self._tried(lambda: api.render_who_can(api.who_can(name, self.paths, settings=self.settings), "json"))  # noqa: B023 - called here
            if text:
                yield text

    def _why(self, report: "api.Report | None") -> Iterator[str]:
        """The diagnoses of all that uses a role, or that of the message."""
        if report is None and not self.error:
            return
        has_subjects = report is not None and bool(report.counts.service_accounts or report.counts.workloads)
        text = self._diagnosis(self.paths, must=not has_subjects) if self.error else ""
        if text and (not has_subjects or json.loads(text)["subject"]["service_account"]):
            yield text
        elif has_subjects:
            symptoms = api.Symptoms(error=self.error)
            diagnoses = self._tried(lambda: api.why_all(self.paths, settings=self.settings, symptoms=symptoms))
            yield from (api.render_why(diagnosis, "json") for diagnosis in diagnoses or ())

    def _diagnosis(self, paths: Sequence[str], *, must: bool = True) -> str:
        """The diagnosis of the message; "" where there is none, which is a problem if there must be one."""
        symptoms = api.Symptoms(error=self.error)
        text = self._tried(lambda: api.render_why(api.why("", paths, settings=self.settings, symptoms=symptoms), "json")) or ""
        if not text and not must:
            self.problems.pop()
        return str(text)

    def _tried(self, ask: Callable[[], Any]) -> Any:
        """An answer, or None and a problem where there is none."""
        try:
            return ask()
        except _REFUSED as refusal:
            self.problems.append(api.masked(str(refusal)))
        except ModuleNotFoundError as missing:
            self.problems.append(_unavailable(missing.name or ""))
        return None
