"""What is broken stays so when a document is gone: never `works`, never certain of something else."""

import pytest

from irsa_doctor.answers.why import NoTarget
from tests.answers.why import test_links as links
from tests.answers.why import world as w
from tests.answers.why.world import why, world

BEYOND = ("webhook.json", "rcp.json")
"""what may stand in the way beside the input: `works` is said of what the input shows, and its links name these"""
NO_WEBHOOK = "no webhook"
"""a world that has none to begin with"""
DEFAULT = "no account named"
"""a workload of the service account `default`, which has no role once the other account is gone"""

ROWS = [(row[0], row[1], row[2], row[4]) for row in links.BREAKS if row[0] not in (NO_WEBHOOK, DEFAULT)]


def _certain(found):
    return {name for name, certainty in w.causes(found) if certainty == "certain"}


@pytest.mark.parametrize(("breaks", "target", "cause"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_broken_world_with_a_document_less_is_never_said_to_work_nor_certain_of_something_else(breaks, target, cause):
    documents = world(*breaks)
    whole = _certain(why(documents, target))
    for path in documents:
        rest = {other: content for other, content in documents.items() if other != path}
        try:
            found = why(rest, target, complete=())
        except NoTarget:
            continue
        assert found.verdict != "works" or path in BEYOND, path
        assert _certain(found) <= whole | {cause}, path
