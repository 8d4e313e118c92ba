"""Facts by the standards of a project: how long tokens, sessions and keys live, and what is not used."""
