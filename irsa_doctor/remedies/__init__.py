"""What can be pasted: the statement as it should be, and the commands that put right what is wrong."""

from irsa_doctor.remedies.commands import add_audience, annotate, create_provider, put_trust_policy
from irsa_doctor.remedies.statement import corrected_statement

__all__ = ["add_audience", "annotate", "corrected_statement", "create_provider", "put_trust_policy"]
