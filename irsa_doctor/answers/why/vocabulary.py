"""What causes and messages may name: links, the signs that links report, circumstances of a case."""

from functools import cache

from irsa_doctor.answers.why.circumstances import CIRCUMSTANCES
from irsa_doctor.answers.why.links import LINKS
from irsa_doctor.answers.why.ranking import DETAILS
from irsa_doctor.rulebook.folders import Vocabulary


@cache
def chain_vocabulary() -> Vocabulary:
    """The vocabulary of the built-in links."""
    from irsa_doctor.answers.why.clouds.tokens import TOKEN_LINKS

    return Vocabulary(
        links=tuple(link.id for link in LINKS),
        signs=frozenset(
            [sign for link in LINKS for sign in link.signs] + [sign for link in TOKEN_LINKS for sign in link.signs]
        ),
        circumstances=frozenset(CIRCUMSTANCES),
        details=frozenset(DETAILS),
    )
