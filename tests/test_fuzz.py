"""Documents broken at random, with new seeds in every run: none crashes, none hides what stands beside it, all have a row.

FUZZ_SECONDS says how long (make fuzz: two minutes), FUZZ_SEED repeats the run of a seed that failed.
"""

import json
import os
import random
import secrets
import time

from irsa_doctor import api
from tests.sources.test_one_document import ROLE
from tests.test_hostile import CODE, FILES, ODD, broken

SECONDS = float(os.environ.get("FUZZ_SECONDS", "4"))
WORDS = (rb'0x1 1e400 ${ } { [ " <<EOT for null \u0041 dynamic * count for_each module'.split(b" ")) + [b"\xff", b"\0", b"\n"]
ROOT = {"root_module": {"resources": []}}
PLAN = {"format_version": "1.2", "planned_values": ROOT, "resource_changes": [], "configuration": {}}
TEMPLATE = {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": {"a": {}}, "Conditions": {}, "Resources": {"R": {}}}
SHAPES = [PLAN, ROLE, TEMPLATE]


def with_odd_member(draw):
    """A small document of a known kind with odd values for some of its members."""
    shape = dict(draw.choice(SHAPES))
    for name in draw.sample(sorted(shape), draw.randint(1, len(shape))):
        shape[name] = draw.choice([*ODD, shape[name], {name: draw.choice(ODD)}, [draw.choice(ODD)]])
    return json.dumps(shape).encode()


def with_odd_words(draw, raw):
    """A text some parts of which are cut, doubled, or other words."""
    for _ in range(draw.randint(1, 6)):
        at = draw.randrange(len(raw) + 1)
        end = min(len(raw), at + draw.choice([0, 0, 1, 3, 30]))
        raw = raw[:at] + draw.choice([b"", raw[at:end] * 2, draw.choice(WORDS)]) + raw[end:]
    return raw


def drawn(seed):
    """The name and the bytes of a document."""
    draw = random.Random(seed)  # noqa: S311 - repeatable
    kind = draw.randrange(4)
    if kind == 0:
        return "x.json", with_odd_member(draw)
    if kind == 1:
        source = draw.choice(FILES)
        return f"x{source.suffix}", broken(source, draw.randrange(2**32))
    source = draw.choice([*FILES, *CODE] if kind == 2 else CODE)
    return f"x{source.suffix}", with_odd_words(draw, source.read_bytes())


def test_no_document_is_an_error_of_ours_or_hides_another(tmp_path):
    seeds = [int(os.environ["FUZZ_SEED"])] if "FUZZ_SEED" in os.environ else iter(lambda: secrets.randbits(32), None)
    (tmp_path / "good.json").write_text(json.dumps(ROLE))
    until = time.monotonic() + SECONDS
    for seed in seeds:
        name, raw = drawn(seed)
        (tmp_path / name).write_bytes(raw)
        report = api.check([str(tmp_path)])
        paths = {row.path for row in report.documents}
        faults = [row.why for row in report.documents if "an error of irsa-doctor" in (row.why or "")]
        # a list of no providers says that the provider is gone, which is another finding about the role
        about = [finding for finding in report.findings if finding.subject.id.endswith("role/z#0")]
        assert not faults, f"FUZZ_SEED={seed}"
        assert {str(tmp_path / name), str(tmp_path / "good.json")} <= paths, f"FUZZ_SEED={seed}"
        assert any(finding.severity in ("high", "critical") for finding in about), f"FUZZ_SEED={seed}"
        (tmp_path / name).unlink()
        if time.monotonic() > until:
            break
