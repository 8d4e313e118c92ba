"""Facts of waivers and of comments that ignore a finding: does one still hold, and does anything need it?"""

from typing import Literal

import msgspec

from irsa_doctor.model import Unknown


class WaiverFacts(msgspec.Struct, frozen=True):
    """The state of one waiver, or of one comment that ignores a finding; a comment without a reason is `unexplained`."""

    state: Literal["used", "expired", "unused", "unexplained", "unknown-rule"] | Unknown
