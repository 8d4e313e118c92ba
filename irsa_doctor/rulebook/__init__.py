"""Rules, causes and controls: their files read, checked and indexed."""
