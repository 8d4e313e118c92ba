"""What the repository makes of its own files."""
