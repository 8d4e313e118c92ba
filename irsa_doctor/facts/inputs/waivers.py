"""Facts of waivers: does one still hold, and does anything need it?"""

from typing import Literal

import msgspec


class WaiverFacts(msgspec.Struct, frozen=True):
    """What became of one waiver in this run."""

    state: Literal["used", "expired", "unused"]
