"""Files and folders that the user names, and their bytes."""
