"""`check`: every rule asked about every subject."""
