"""Single documents made into one inventory."""
