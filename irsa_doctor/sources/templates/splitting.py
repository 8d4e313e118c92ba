"""Splits texts of templates, of which only some parts are known."""

from irsa_doctor.model import Text, issuer_in, only_hole, without_scheme


def part_of(text: str | Text, separator: str, index: int) -> str | Text | None:
    """Return one part of a text that is split, None where it depends on a hole."""
    if not separator:
        return None
    if isinstance(text, str):
        parts = text.split(separator)
        return parts[index] if 0 <= index < len(parts) else None
    if separator in ("//", "://", "https://") and index == 1:
        begins = isinstance(text.parts[0], str) and text.parts[0].startswith("https://")
        return without_scheme(text) if begins or only_hole(text) else None
    if separator.endswith("oidc-provider/") and index == 1:
        return issuer_in(text) or None
    return None
