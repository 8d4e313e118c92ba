"""Reads single documents: recognises the kind (`kinds`) or dialect (`dialects`) and fills a reading with its records."""
