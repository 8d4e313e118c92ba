"""What a rule or a cause says of the chain of links that a credential passes."""

from typing import Literal

import msgspec

from irsa_doctor.model.edits import FixKind

Certainty = Literal["certain", "likely", "possible"]


class StsError(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An answer of STS; the message has {placeholders} of the case, and is "" where nobody has seen it.

    `older_message` is what STS said before 2026, "" where it says the same today.
    """

    code: str
    http_status: int
    message: str = ""
    older_message: str = ""


# [R] radkawar/stackd at 9dc356f5, internal/services/sts/testdata/oidc/aws.json, September 2026
NOT_VALIDATED = (
    "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements."
)
"""the one text of STS for a missing provider, an audience that is not registered, and a signature that does not verify"""


class RunWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The words of a cause where the token is that of a run, and of no service account; "": those of the cause."""

    title: str = ""
    remedy: str = ""
    settle: str = ""


class CauseBlock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What `why` needs to know of a cause: the `cause` block of a rule file, and part of each file of `causes/`."""

    link: str = ""
    """the link of the chain that it breaks; "" for a fact"""
    fact: bool = False
    """it breaks nothing: people should know of it, and `why` never names it"""
    settle: str = ""
    """the command that settles whether it is this cause, with {placeholders} of the case"""
    after: tuple[str, ...] = ()
    """causes that are named first where the same sign speaks for both"""
    signs: dict[str, Certainty] = {}
    """observations of links, kinds of defects -> how sure the cause is where only they are known"""
    certainty: Literal["certain", "likely", ""] = ""
    """how sure the cause is where the rule fires, its link being broken in any case; "": by the confidence of the rule"""
    only: tuple[str, ...] = ()
    """circumstances of a case, each of which must be possible"""
    transient: bool = False
    """it is about a moment, or another token than that of the case: files that show the link whole do not rule it out"""
    fix: tuple[FixKind, ...] = ()
    """what can be corrected, the first that applies to the link"""
    restart: bool = False
    """pods that run already get the correction only when they are created anew"""
    error: StsError | None = None
    """the answer of STS, where it is another than that of the link"""
    note: str = ""
    """what is worth a look beside it"""
    run: RunWords = RunWords()
    """its words for a run of a pipeline, which has no pod, no service account and no annotation"""
