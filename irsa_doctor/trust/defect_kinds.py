"""The kinds of mistakes that one statement can have, and the record of a mistake."""

from typing import Literal

import msgspec

from irsa_doctor.trust.policy import Condition
from irsa_doctor.trust.refusals import Steps

DefectKind = Literal[
    # the principal
    "principal-url",
    "principal-arn",
    "principal-account",
    "principal-alias",
    "principal-absent",
    "principal-stale",
    "principal-other",
    "principal-type",
    "principal-pod-identity",
    "principal-ec2",
    "principal-capability",
    # the action
    "action-other",
    "action-unknown",
    "action-spelling",
    # the audience
    "audience-china",
    "audience-endpoint",
    "audience-invisible",
    "audience-case",
    "audience-other",
    "claims-swapped",
    # the subject
    "subject-wildcard",
    "subject-case",
    "subject-invisible",
    "subject-shape",
    "subject-version",
    "subject-variable",
    "subject-conflict",
    "subject-namespace",
    "subject-release",
    "subject-other",
    "subject-form",
    "subject-unreplaced",
    "subject-ids",
    "subject-context",
    # the issuer
    "issuer-url",
    # condition keys
    "key-scheme",
    "key-arn",
    "key-slash",
    "key-path",
    "key-issuer",
    "key-two-issuers",
    "key-session",
    "key-absent",
    "key-ignored",
    # what else is known of the request
    "source-address",
    "region",
    "session-name",
    "request-other",
    "context-value",
    "time-ahead",
    "role-pinning",
    # operators that leave more open than they seem to
    "for-any-value",
    "for-all-values",
    "if-exists",
    "negated",
    "typed-operator",
    # Deny statements
    "deny",
    "deny-absent-key",
]
"""the closed list of mistakes in a statement"""

AUDIENCE_KINDS: tuple[DefectKind, ...] = (
    "claims-swapped",
    "audience-china",
    "audience-endpoint",
    "audience-invisible",
    "audience-case",
    "audience-other",
)
"""what can be wrong with an audience, the most telling first"""
SUBJECT_KINDS: tuple[DefectKind, ...] = (
    "claims-swapped",
    "subject-wildcard",
    "subject-case",
    "subject-invisible",
    "subject-shape",
    "subject-version",
    "subject-variable",
    "subject-unreplaced",
    "subject-conflict",
)
"""what can be wrong with a subject, whichever token is looked at"""
_DENY_NOTHING = frozenset(
    {
        *("key-ignored", "source-address", "region", "session-name"),
        *("for-any-value", "for-all-values", "if-exists", "negated", "typed-operator"),
    }
)


class Defect(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake in one statement.

    `value` is the text that is wrong ("" where something is missing), `meant` the text that it should be ("" where nothing
    shows that). `places` lead from the top of the document to what has to change; `condition` is the one that it is in.
    """

    kind: DefectKind
    condition: Condition | None = None
    value: str = ""
    meant: str = ""
    places: tuple[Steps, ...] = ()

    @property
    def denies_tokens(self) -> bool:
        """Whether it denies tokens that the statement was meant for; other defects change nothing, or leave it open."""
        return self.kind not in _DENY_NOTHING
