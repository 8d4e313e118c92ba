"""Bytes to values with places: encoding, JSON, YAML, positions, placeholders, secrets."""
