"""Documents broken anew, for every reader: what a reader makes of them is what the fuzzer looks at."""

import base64
import json
import random
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from irsa_doctor import api
from irsa_doctor.reports import FORMATS
from tests import fuzz_inputs as inputs
from tests.test_hostile import CODE, FILES, broken

_TURNS = 4
"""documents over which the formats take turns, so that more documents are read"""
GOOD = {
    "Role": {
        "RoleName": "z",
        "Arn": "arn:aws:iam::444455556666:role/z",
        "RoleId": "A",
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Federated": inputs.PROVIDER.replace("111122223333", "444455556666")},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": {"StringEquals": {f"{inputs.ISSUER}:aud": "sts.amazonaws.com"}},
                }
            ],
        },
    }
}
"""a role that is open, and that no document beside it may hide"""
WORDS = rb'0x1 1e400 ${ %{ } { [ ] " <<EOT for null \u0041 \ud800 dynamic * count for_each module --- &a *a !Sub'.split(b" ")


class Broken(Exception):
    """What a document did that none may do."""


def mangled(raw: bytes, draw: random.Random) -> bytes:
    """Bytes of a document cut, doubled, exchanged and replaced."""
    parts = bytearray(raw)
    for _ in range(draw.randint(1, 6)):
        begin, end = sorted(draw.randrange(len(parts) + 1) for _ in range(2))
        piece = bytes(parts[begin : min(end, begin + 200)])
        at = draw.randrange(len(parts) + 1)
        parts[at : at + draw.choice((0, 1, 2, len(piece)))] = draw.choice(
            (b"", piece, piece * 3, draw.randbytes(4), draw.choice(WORDS), b"\0", b"\xff", b"\n")
        )
    return bytes(parts) or b" "


def document(draw: random.Random) -> tuple[str, str, bytes]:
    """The reader, the ending and the bytes of a document; the reader is "check" for paths."""
    kind = draw.randrange(10)
    if kind < 5:
        suffix, raw = inputs.written(inputs.with_values(draw.choice([*inputs.DOCUMENTS.values()]), draw), draw)
        return "check", suffix, mangled(raw, draw) if draw.random() < 0.2 else raw
    if kind < 7:
        return ("check", *_configuration(draw))
    if kind == 7:
        source = draw.choice(FILES)
        raw = broken(source, draw.getrandbits(32)) if draw.random() < 0.5 else mangled(source.read_bytes(), draw)
        return "check", source.suffix, raw
    name = draw.choice(sorted(inputs.READERS))
    sample, suffix, _ = inputs.READERS[name]
    if isinstance(sample, str):
        return name, suffix, mangled(sample.encode(), draw)
    if suffix == ".yaml":
        return name, suffix, inputs.written(inputs.with_values(sample, draw), draw)[1]
    raw = json.dumps(inputs.with_values(sample, draw)).encode()
    return name, suffix, mangled(raw, draw) if draw.random() < 0.3 else raw


def _configuration(draw: random.Random) -> tuple[str, bytes]:
    """Configuration of Terraform in either syntax."""
    if draw.random() < 0.3:
        return ".tf.json", json.dumps(inputs.with_values(inputs.TERRAFORM_JSON, draw)).encode()
    text = inputs.TERRAFORM.encode() if draw.random() < 0.7 else draw.choice(CODE).read_bytes()
    return draw.choice((".tf", ".tf", ".tf", ".tfvars")), mangled(text, draw)


def _secret_free(text: str, raw: bytes) -> None:
    if inputs.SECRET.encode() in raw and inputs.SECRET.rpartition(".")[2] in text:
        raise Broken("a secret is in the output")


def check_document(path: Path, raw: bytes, formats: Sequence[str] = tuple(FORMATS)) -> None:
    """Check a document beside a good one, and render the report about it in some formats."""
    report = api.check([str(path.parent)])
    rows = {row.path: row for row in report.documents}
    if not {str(path), str(path.parent / "good.json")} <= rows.keys():
        raise Broken("a document has no row")
    for row in rows.values():
        if "an error of irsa-doctor" in (row.why or ""):
            raise Broken(f"{row.path}: {row.why}")
    about = [finding for finding in report.findings if finding.subject.id.endswith("444455556666:role/z#0")]
    # a list of providers may say that its provider is gone or another, which is a finding of its own
    if not any(finding.severity in ("critical", "high") for finding in about):
        raise Broken("the finding beside it is gone")
    for name in formats:
        _secret_free(api.render_report(report, name, api.Style()), raw)


def ask(path: Path, raw: bytes) -> None:
    """Ask the other questions about a document: who can, why, and what has changed."""
    good = str(path.parent / "good.json")
    folder = str(path.parent)
    for answer in (
        lambda: api.render_who_can(api.who_can(GOOD["Role"]["Arn"], [folder]), "text", api.Style()),
        lambda: api.render_who_can(api.who_can("app", [str(path)]), "json", api.Style()),
        lambda: api.render_why_all(api.why_all([folder], now=1_750_000_000.0), "text", api.Style()),
        lambda: api.render_why(api.why("a/b", [folder], now=1_750_000_000.0), "json", api.Style()),
        lambda: api.render_diff(api.diff([good], [folder]), "text", api.Style()),
    ):
        try:
            _secret_free(answer(), raw)
        except inputs.Expected:
            continue


def drawn(draw: random.Random) -> dict[str, Any]:
    """A document as JSON: its reader, its ending, its text, and which of the formats have their turn."""
    reader, suffix, raw = document(draw)
    try:
        content = {"text": raw.decode()}
    except UnicodeDecodeError:
        content = {"base64": base64.b64encode(raw).decode()}
    return {"reader": reader, "suffix": suffix, **content, "turn": draw.randrange(_TURNS)}


@cache
def scratch() -> tempfile.TemporaryDirectory[str]:
    """The folder in which documents are read, beside one that is good."""
    folder = tempfile.TemporaryDirectory()
    (Path(folder.name) / "good.json").write_text(json.dumps(GOOD), encoding="utf-8")
    return folder


def is_read(document: dict[str, Any]) -> None:
    """Read a document as its reader reads it; an error that is meant for the caller is an answer as well."""
    raw = document["text"].encode() if "text" in document else base64.b64decode(document["base64"])
    path = Path(scratch().name) / f"fuzz{document['suffix']}"
    path.write_bytes(raw)
    try:
        if document["reader"] == "check":
            check_document(path, raw, tuple(FORMATS)[document["turn"] :: _TURNS])
            if not document["turn"]:
                ask(path, raw)
        else:
            _secret_free(inputs.READERS[document["reader"]][2](path) or "", raw)
    except inputs.Expected as error:
        _secret_free(api.masked(str(error)), inputs.SECRET.encode())
    finally:
        path.unlink()
