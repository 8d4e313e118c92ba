"""An input that an answer lacks."""

import msgspec

from irsa_doctor.answers.check.fetching import missing_input
from irsa_doctor.model import Unknown


class MissingInput(msgspec.Struct, frozen=True, omit_defaults=False):
    """An input that the answer needs, and the command that supplies it.

    `file` is the file that the command writes, the next input; `then` is the option that irsa-doctor needs besides; "" for
    none.
    """

    missing: str
    how: str = ""
    then: str = ""
    file: str = ""

    @property
    def addition(self) -> str:
        """What the next call has besides: the file and the option."""
        return " ".join(filter(None, (self.file, self.then)))


def lacking(unknown: Unknown) -> MissingInput:
    """What an answer lacks where a value is not known."""
    row = missing_input(unknown, (), 0)
    return MissingInput(row.missing, row.how, row.then, row.file)
