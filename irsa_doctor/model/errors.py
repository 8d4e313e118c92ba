"""The base of the exceptions that callers may catch."""


class IrsaDoctorError(Exception):
    """What could not be done, in one sentence for people. Every exception that a public function raises is one of these."""
