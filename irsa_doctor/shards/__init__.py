"""Judges an organisation shard by shard, with the answers of one check of everything and the memory of one shard."""
