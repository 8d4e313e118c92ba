"""How much a report shows, whatever its format."""

import msgspec


class Presentation(msgspec.Struct, frozen=True, kw_only=True):
    """What a report shows. Text has all of it; `command` and `date` are for pages that are kept.

    `fixes`: each corrected policy whole, as a command to paste. `unknown`: every missing input with its command, not only the
    most important ones. `statistics`: the number of findings of each rule instead of the findings. `quiet`: findings only.
    `command` is the command line and `date` the day of the run (YYYY-MM-DD), "" where they are not known.
    """

    fixes: bool = False
    unknown: bool = False
    statistics: bool = False
    quiet: bool = False
    command: str = ""
    date: str = ""


PLAIN = Presentation()
