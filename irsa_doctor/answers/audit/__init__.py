"""What an audit keeps of a report: subjects by names that stay, and what was in sight."""
