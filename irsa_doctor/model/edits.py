"""What is said of the edits that fix a finding: how safe they are and the proof, or why there are none."""

from typing import Literal

import msgspec

UnfixedReason = Literal[
    "not-in-source",
    "generated",
    "outside",
    "value-unknown",
    "ambiguous",
    "shared-text",
    "nobody-named",
    "no-remedy",
    "would-widen",
    "would-cause",
    "conflict",
    "unreadable",
    "read-only",
]
"""why nothing is edited: a closed list"""


ProofKind = Literal["same", "narrower", "intended", "written", "none"]
Safety = Literal["safe", "unsafe"]
EditKind = Literal[
    # policies: for the service accounts that use the role, for the subjects that it names, for one that names the role
    "users",
    "written",
    "binding",
    "association",
    # policies: keys and operators made plain, subjects or the audience required, refusals, statements
    "plain",
    "narrowed",
    "audience",
    "refusals",
    "version",
    "by-issuer",
    "apart",
    "pattern",
    "duplicates",
    "statement",
    # Kubernetes objects and eksctl
    "annotation-key",
    "annotation-value",
    "annotation-understood",
    "annotation-added",
    "annotation-right",
    "annotation-moved",
    "annotation-removed",
    "role-arn",
    "environment",
    "token-volume",
    "label-removed",
    "variable-set",
    "node-selector",
    "annotation-elsewhere",
    "copied-volume",
    "token-path",
    "whole-volume",
    "file-group",
    # commands alone
    "restart",
    "association-removed",
    # provider resources
    "client-id-added",
    "client-id-removed",
    "provider-url",
    "provider-added",
    "client-id-corrected",
    # resource control policies
    "trusted-issuer",
    "web-identity-let-past",
    # bindings of Kubernetes
    "subject-removed",
    # statements for issuers that are no clusters: proved narrower, put right, or the policy to write
    "issuer-right",
    "issuer-owned",
    "issuer-owned-id",
    "issuer-closed",
    "issuer-users",
    "issuer-reviewed",
    "issuer-outsiders",
    "issuer-whole",
    "issuer-later-runs",
    "issuer-form",
    "issuer-keys",
    "issuer-name",
    "issuer-ids",
    "issuer-template",
]
"""the ways to fix something: a closed list"""
FixKind = Literal[
    "policy",
    "narrowed-policy",
    "policy-audience",
    "client-id",
    "provider",
    "annotation",
    "service-account",
    "association-policy",
]
"""what can be corrected of the cause of a failure"""
EditStep = Literal["structure", "keys", "operators", "values", "narrowing", "additions", "kubernetes"]
"""in which order fixes are made: a closed list, in that order"""


class SubjectSet(msgspec.Struct, frozen=True, kw_only=True):
    """The subjects that a policy admits of one provider, as `who-can` says them: those of `patterns` without those of
    `except`. `provider` is "" in a proof about one provider."""

    provider: str = ""
    scope: str = "nobody"
    patterns: tuple[str, ...] = ()
    without: tuple[str, ...] = msgspec.field(name="except", default=())


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """How the subjects after an edit are related to those before: the `kind`, both sets by provider, and what is `gained` and
    `lost`, as patterns."""

    kind: ProofKind = "same"
    before: tuple[SubjectSet, ...] = ()
    after: tuple[SubjectSet, ...] = ()
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


UNCHANGED = Proof()
"""the proof of an edit that changes no trust policy"""


class TextPosition(msgspec.Struct, frozen=True):
    """A position in a text: 1-based, columns in characters."""

    line: int
    column: int


class FileEdit(msgspec.Struct, frozen=True):
    """One edit of a file, as it was before the edit; the end is exclusive."""

    file: str
    start: TextPosition
    end: TextPosition
    old: str
    new: str


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """The safe edits that fix a finding, for reports: in one file, whose lines `first` to `last` become `lines`."""

    file: str
    first: int
    last: int
    lines: str
    because: str
    edits: tuple[FileEdit, ...]
