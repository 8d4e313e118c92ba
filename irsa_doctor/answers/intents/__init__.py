"""Intents: what is made of one, whether an estate is what one says, and which one an estate already follows."""
