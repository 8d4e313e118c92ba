"""Near misses: what somebody probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(wrong: str, candidates: Iterable[str]) -> str:
    """The closest candidate as a sentence, or "". Another case counts as the nearest miss there is."""
    known = list(dict.fromkeys(candidates))[:2000]
    same = [candidate for candidate in known if candidate.lower() == wrong.lower() and candidate != wrong]
    close = same or get_close_matches(wrong, known, 1, 0.75)
    return f' Did you mean "{close[0]}"?' if close and close[0] != wrong else ""
