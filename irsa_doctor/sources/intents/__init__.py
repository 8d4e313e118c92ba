"""Intent files: who may assume which role, as people write it."""

from irsa_doctor.sources.intents.intent_file import intent_of, looks_like_intent, read_intent
from irsa_doctor.sources.intents.written import IntentError

__all__ = ["IntentError", "intent_of", "looks_like_intent", "read_intent"]
