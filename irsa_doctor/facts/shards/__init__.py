"""One shard of an organisation among the others: what others may look up in it, and what it looks up in them."""
