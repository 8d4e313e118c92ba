"""Private folders of rules, causes and messages, as `why` uses them."""

from collections.abc import Sequence
from pathlib import Path

from irsa_doctor.answers.why.vocabulary import chain_vocabulary
from irsa_doctor.rulebook.causes import shipped_causes
from irsa_doctor.rulebook.folders import RulebookFiles, check_files, read_private


def private_files(folders: Sequence[str]) -> list[RulebookFiles]:
    """The files of private folders, checked beside the built-in causes. Raises RuleError."""
    private = read_private(map(Path, folders))
    for files in private:
        check_files(files, chain_vocabulary(), shipped_causes())
    return private
