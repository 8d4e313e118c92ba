"""What audits have found, run after run, in one SQLite file that shows whether anybody has changed it."""
