"""Regular expressions that are compiled when they are first used, see `model.regex`."""

from irsa_doctor.model.regex import regex

__all__ = ["regex"]
