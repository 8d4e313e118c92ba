"""Edits of source texts, see `writing`."""
