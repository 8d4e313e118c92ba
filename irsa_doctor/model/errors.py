"""The base of the exceptions that callers may catch."""


class IrsaDoctorError(Exception):
    """What could not be done, in one sentence for people. Every exception that a public function raises is one of these."""


class NotJudged(IrsaDoctorError):
    """A question that has no answer, for a limit of the run or an error of irsa-doctor; the text names what was not judged."""
