"""Verifies a rulebook: its files fit together, and the examples of rules and messages hold."""

from collections.abc import Iterator

from irsa_doctor.answers.check.examples import ExamplesResult, Failure, run_examples
from irsa_doctor.answers.why.message_examples import count_examples, message_failures
from irsa_doctor.answers.why.vocabulary import chain_vocabulary
from irsa_doctor.rulebook.folders import RulebookFiles, check_controls, check_files, other_causes
from irsa_doctor.rulebook.messages import shipped_messages
from irsa_doctor.rulebook.rules import shipped_rules


def verify_rulebook(files: RulebookFiles, *, whole: bool) -> ExamplesResult:
    """What the examples of files show; `whole`: they are all that there is, else the built-in ones are beside them.

    Raises RuleError for files that do not fit together.
    """
    check_files(files, chain_vocabulary(), None if whole else other_causes(files))
    check_controls(files)
    ids = {file.rule.id for file in files.rules}
    rules = run_examples(files.rules, [rule for rule in shipped_rules() if rule.id not in ids])
    messages = tuple(_message_failures(files))
    return ExamplesResult(
        rules=rules.rules,
        causes=len(files.causes),
        messages=len(files.messages.messages),
        examples=rules.examples + count_examples(files.messages),
        failures=(*rules.failures, *messages),
    )


def _message_failures(files: RulebookFiles) -> Iterator[Failure]:
    own = {message.id for message in files.messages.messages}
    others = [message for message in shipped_messages() if message.id not in own]
    for failure in message_failures(files.messages, others):
        yield Failure(failure.message, failure.example, failure.says)
