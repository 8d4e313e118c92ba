"""Facts of whole roles."""
