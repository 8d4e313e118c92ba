"""Compares two intents, of files or of a file and what it was at a revision of git."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from irsa_doctor.answers.diff import RoleChange
    from irsa_doctor.model.intents import Intent


def is_intent(path: str) -> bool:
    """Whether a file holds an intent, well written or not: a mapping with the key `intent`."""
    from irsa_doctor.sources.intents import looks_like_intent

    return os.path.isfile(path) and looks_like_intent(path)


def diff_intents(old: str, new: str, *, revision: str | None = None) -> "tuple[RoleChange, ...]":
    """Who is newly meant by the intent `new`, and who no longer, role by role.

    With `revision`, `old` is what `new` was at that revision of git; where it was not there, all of it is new. Raises
    IntentError and NoRevision.
    """
    from irsa_doctor.answers.intents.changes import intent_changes
    from irsa_doctor.sources.intents import read_intent

    return intent_changes(read_intent(old) if revision is None else _at_revision(new, revision), read_intent(new))


def _at_revision(path: str, revision: str) -> "Intent":
    from irsa_doctor.governance.revision import files_at, ways_at
    from irsa_doctor.model.intents import Intent
    from irsa_doctor.sources.intents import intent_of

    top, (way,) = ways_at(revision, [path])
    content = files_at(revision, [way], top).get(way)
    name = f"{revision}:{way}"
    return intent_of(name, content) if content is not None else Intent(file=name, clusters=(), roles=())
