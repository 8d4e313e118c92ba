"""What a user gives beside files: events of CloudTrail, tokens, logs."""
