"""How long the page takes to its first answer, and for each after it: python -m tests.playground.bench dist/playground.

It fails where the first answer takes more than 10 s, or another more than one.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from tests.playground.documents import DOCUMENTS
from tests.servers.browser import browser, served

FIRST, EACH = 10, 1
"""seconds"""
_ANSWERED = "document.documentElement?.dataset.answered ?? ''"


def measured(site: Path) -> list[float]:
    """Seconds from opening the page to the first answer, then from each question to its answer."""
    times = []
    with served(site) as (address, _), tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as page:
        begin = time.perf_counter()
        page.open(address)
        page.wait("document.documentElement?.dataset.ready", 300)
        for number, pasted in enumerate(DOCUMENTS.values(), 1):
            for field, text in zip(("documents", "role", "error"), pasted, strict=True):
                page.value(f"document.getElementById('{field}').value = {json.dumps(text)}")
            page.value("document.getElementById('form').requestSubmit()")
            page.wait(f"({_ANSWERED}) === '{number}'", 120)
            times.append(time.perf_counter() - begin)
            begin = time.perf_counter()
    return times


if __name__ == "__main__":
    first, *others = measured(Path(sys.argv[1]))
    others.sort()
    median, most = others[len(others) // 2], others[-1]
    sys.stdout.write(f"first answer {first:.1f} s, then {median:.2f} s (median of {len(others)}), at most {most:.2f} s\n")
    sys.exit(first > FIRST or most > EACH)
