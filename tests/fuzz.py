"""`make fuzz`: documents broken anew with each seed, for every reader, until the time is up.

Every document must end in a report that names it, within a time limit, and takes no other document with it;
no output repeats a secret. What fails is kept with its seed.
"""

import argparse
import json
import random
import resource
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from irsa_doctor import api
from irsa_doctor.reports import FORMATS
from tests import fuzz_inputs as inputs
from tests.test_hostile import CODE, FILES, broken

SLOW = 20
"""seconds that one document may take"""
_TOLD = 1000
"""documents after which their number is printed"""
_TURNS = 4
"""documents over which the formats take turns, so that more documents are read"""
MEMORY = 3 << 30
"""bytes of address space that all documents may take"""
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


class TooSlow(BaseException):
    """That a document took too long; nothing that takes errors for those of a document takes this for one."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """An error where the block takes more processor time: machines are busy with other things too."""

    def late(*_: object) -> None:
        raise TooSlow(f"no report within {seconds} s of processor time")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


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


def document(seed: int) -> tuple[str, str, bytes]:
    """The reader, the ending and the bytes of the document that belongs to a seed; the reader is "check" for paths."""
    draw = random.Random(seed)  # noqa: S311 - repeatable
    kind = draw.randrange(10)
    if kind < 5:
        suffix, raw = inputs.written(inputs.with_values(draw.choice([*inputs.DOCUMENTS.values()]), draw), draw)
        return "check", suffix, mangled(raw, draw) if draw.random() < 0.2 else raw
    if kind < 7:
        return ("check", *_configuration(draw))
    if kind == 7:
        source = draw.choice(FILES)
        raw = broken(source, seed) if draw.random() < 0.5 else mangled(source.read_bytes(), draw)
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


def failure(seed: int, folder: Path) -> str:
    """What went wrong with the document of a seed, or nothing."""
    reader, suffix, raw = document(seed)
    path = folder / ("fuzz" + suffix)
    path.write_bytes(raw)
    try:
        with limited(SLOW):
            if reader == "check":
                check_document(path, raw, tuple(FORMATS)[seed % _TURNS :: _TURNS])
                if seed % 4 == 0:
                    ask(path, raw)
            else:
                _secret_free(inputs.READERS[reader][2](path) or "", raw)
    except inputs.Expected as error:
        return "a secret is in an error" if inputs.SECRET.rpartition(".")[2] in api.masked(str(error)) else ""
    except (Exception, TooSlow) as error:  # noqa: BLE001 - whatever it is, it is what we look for
        return f"{reader}: {type(error).__name__}: {error}"
    finally:
        path.unlink()
    return ""


def keep(seed: int, why: str, folder: Path) -> None:
    """Write the document that failed where it stays."""
    _, suffix, raw = document(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{seed}{suffix}").write_bytes(raw)
    print(f"seed {seed}: {why[:500]}", flush=True)


def main() -> int:
    """0 if every document was reported, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--documents", type=int, default=0, help="end after so many")
    parser.add_argument("--seed", type=int, help="only the document of this seed")
    parser.add_argument("--keep", type=Path, default=Path(".cache/fuzz"))
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    end, failures, count = time.monotonic() + options.seconds, 0, 0
    readers: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "good.json").write_text(json.dumps(GOOD), encoding="utf-8")
        while time.monotonic() < end and not (options.documents and count >= options.documents):
            seed = secrets.randbits(48) if options.seed is None else options.seed
            why, count = failure(seed, Path(scratch)), count + 1
            readers[document(seed)[0]] += 1
            if why:
                failures += 1
                keep(seed, why, options.keep)
            if count % _TOLD == 0:
                print(f"{count} documents, {failures} failed", flush=True)
            if options.seed is not None:
                break
    print(f"{count} documents, {failures} failed", dict(readers))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
