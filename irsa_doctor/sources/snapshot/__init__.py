"""What live sources answered, as one file."""
