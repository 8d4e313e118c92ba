"""The playground: what the page in the browser asks."""
