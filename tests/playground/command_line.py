"""The command line for many calls: one process, for each would begin anew."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_PROGRAM = """
import io, json, os, sys
from irsa_doctor.cli import COMMAND_HOMES, app
from irsa_doctor.cli.arguments import arranged
answers, out = [], sys.stdout
for folder, call in json.load(sys.stdin):
    os.chdir(folder)
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    try:
        app(arranged(call, [*COMMAND_HOMES]), prog_name="irsa-doctor", standalone_mode=False)
    except SystemExit:
        pass
    sys.stdout.flush()
    answers.append(sys.stdout.buffer.getvalue().decode())
json.dump(answers, out)
"""


def printed(calls: Sequence[tuple[Path, Sequence[str]]]) -> list[Any]:
    """The JSON that each call prints in its folder, None where it prints none."""
    text = json.dumps([(str(folder), list(call)) for folder, call in calls])
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], input=text, capture_output=True, text=True, check=False, timeout=300
    )
    assert not done.returncode, done.stderr
    return [json.loads(output) if output else None for output in json.loads(done.stdout)]


def calls_for(answer: dict[str, Any], message: str) -> dict[str, list[str]]:
    """What to call for the same answers as those of the page: part of the answer -> the call."""
    paths, flags = [file["path"] for file in answer["files"]], answer["settings"]
    roles = {f"who_can {row['role']}": ["who-can", row["role"], *paths, *flags] for row in answer["who_can"]}
    calls = {"check": ["check", *paths, *flags], "fix": ["fix", *paths, *flags], **roles}
    for part in ("check", "fix"):
        if not answer[part]:
            del calls[part]
    # `why` takes the role of a policy by a flag with a name of its own
    of_policy = [word.replace("--role", "--policy") for word in flags]
    read = paths if answer["check"] else []
    if message:
        calls["why"] = ["why", "--error", message, *read, *of_policy]
        calls["why_all"] = ["why", "--all", "--error", message, *read, *of_policy]
    elif answer["why"]:
        calls["why_all"] = ["why", "--all", *read, *of_policy]
    return {part: [*call, "--format", "json"] for part, call in calls.items()}
