"""The snapshot: the answers of live sources in one file, which is read like the answers themselves."""

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import msgspec

from irsa_doctor.model import Gap
from irsa_doctor.model.commands import is_plain_read
from irsa_doctor.model.regex import regex
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.written_files import write_whole

SNAPSHOT_SCHEMA = "irsa-doctor.snapshot/1"
_MARK = b'"irsa-doctor.snapshot/'
# virtual paths only: nothing in a snapshot may pass for a file
_PATH = regex(r"(?:aws|kube|issuer)://[^\x00-\x1f\x7f]{1,4096}")
# access key ids of users and sessions; tokens (the header of a JWT is JSON, and so starts with `eyJ`)
_SECRET = regex(rb"(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])|eyJ[\w-]{6,}\.eyJ[\w-]{2,}(?:\.[\w-]*)?")
_BEGINNINGS = (b"AKIA", b"ASIA", b"eyJ")
# what chains, expands or redirects commands
_OF_SHELLS = regex(r"[;|&$`<>\\\n\r]")
_COLLECT_AGAIN = "read it again with irsa-doctor collect"
_SENTENCES = ("a ", "allow it ", "let the caller ", "name one ", "read it ", "--")
"""how the ways begin that are no commands: no program is called so"""


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an answer came from, set by the caller who requested it.

    `cluster` is an ARN, an issuer, or a name where nothing better is known; `entry` is what the kubeconfig calls it. `closes`
    are the Kubernetes kinds (lower-case plural) of which it holds every object of the cluster. `partial`: a list that was
    requested with a filter.
    """

    account: str = ""
    region: str = ""
    cluster: str = ""
    closes: tuple[str, ...] = ()
    partial: bool = False
    entry: str = ""


AnswerKind = Literal[
    "iam-list-roles",
    "iam-get-role",
    "iam-get-account-authorization-details",
    "iam-list-open-id-connect-providers",
    "iam-get-open-id-connect-provider",
    "eks-list-clusters",
    "eks-describe-cluster",
    "eks-list-addons",
    "eks-describe-addon",
    "eks-describe-nodegroup",
    "eks-list-access-entries",
    "eks-describe-access-entry",
    "eks-list-associated-access-policies",
    "eks-list-pod-identity-associations",
    "eks-describe-pod-identity-association",
    "organizations-describe-policy",
    "kubernetes",
    "kubernetes-version",
    "openid-configuration",
    "jwks",
]
ANSWER_KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)
"""the kinds of documents that live sources answer, named as in `sources.documents.kinds`"""


class Answered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer: a virtual path (`aws://111122223333/iam/roles/app`), its origin, its kind, and the document.

    `kind` is one of ANSWER_KINDS, which the document is read as; "" in snapshots of earlier versions, whose documents are
    recognised like files.
    """

    path: str
    origin: Origin = Origin()
    kind: str = ""
    document: msgspec.Raw

    @property
    def content(self) -> bytes:
        """The document as text, always written in the same way, so that places in it are the same live and later."""
        return canonical_json(bytes(self.document))


class Query(msgspec.Struct, frozen=True):
    """An object that was requested by name: where it is not among the documents, it does not exist (model.Closed.asked)."""

    collection: str
    owner: str
    name: str


class SnapshotTool(msgspec.Struct, frozen=True):
    """What wrote a snapshot."""

    version: str


class Snapshot(msgspec.Struct, frozen=True):
    """Everything that one run of the live sources learnt; `taken` is a time in RFC 3339."""

    schema: str
    tool: SnapshotTool
    taken: str
    redacted: bool
    documents: tuple[Answered, ...]
    queries: tuple[Query, ...] = msgspec.field(default=(), name="asked")
    missing: tuple[Gap, ...] = ()


class _Head(msgspec.Struct):
    schema: str = ""


def snapshot_of(
    documents: Iterable[Answered], queries: Iterable[Query], missing: Iterable[Gap], *, version: str, taken: str
) -> Snapshot:
    """Return a snapshot, sorted, each document once."""
    by_path = {answered.path: answered for answered in documents}
    return Snapshot(
        SNAPSHOT_SCHEMA,
        SnapshotTool(version),
        taken,
        False,
        tuple(by_path[path] for path in sorted(by_path)),
        tuple(sorted(set(queries), key=lambda query: (query.collection, query.owner, query.name))),
        tuple(sorted(set(missing), key=lambda gap: (gap.collection, gap.owner, gap.name, gap.missing))),
    )


def canonical_json(document: bytes) -> bytes:
    """A JSON text in the one way in which snapshots and live answers are written; secrets are not."""
    try:
        text = msgspec.json.format(document, indent=2)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = document
    return without_secrets(text)


def without_secrets(text: bytes) -> bytes:
    """Return the text with `***` for what looks like a token or an access key id."""
    # hardly any text has one, and to look for what each begins with is a hundred times as fast
    return _SECRET.sub(b"***", text) if any(map(text.__contains__, _BEGINNINGS)) else text


def is_snapshot(content: bytes) -> bool:
    """Whether a file claims to be a snapshot."""
    return _MARK in content and content.lstrip()[:1] == b"{"


def read_snapshot(content: bytes) -> Snapshot | TextError | None:
    """Return the snapshot in a file, what is wrong with it, or None where the file is not a snapshot."""
    try:
        schema = msgspec.json.decode(content, type=_Head).schema
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not schema.startswith("irsa-doctor.snapshot/"):
        return None
    if schema != SNAPSHOT_SCHEMA:
        return TextError(f"the format of the snapshot is {schema}, but this version reads {SNAPSHOT_SCHEMA}", 1, 1)
    try:
        snapshot = msgspec.json.decode(content, type=Snapshot)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return TextError("the snapshot is not valid", 1, 1)
    if wrong := next((answered.path for answered in snapshot.documents if not _PATH.fullmatch(answered.path)), None):
        return TextError(f"the snapshot is not valid: {wrong!r} is not the path of a live answer", 1, 1)
    return msgspec.structs.replace(snapshot, missing=tuple(map(_with_harmless_way, snapshot.missing)))


def _with_harmless_way(gap: Gap) -> Gap:
    """A gap as others have written it: the command that is said to supply it is shown to be pasted, so it has to be one that
    reads, and nothing else."""
    is_sentence = gap.how.startswith(_SENTENCES) and not _OF_SHELLS.search(gap.how)
    is_harmless = not gap.how or is_sentence or is_plain_read(gap.how)
    return gap if is_harmless else msgspec.structs.replace(gap, how=_COLLECT_AGAIN)


def snapshot_text(snapshot: Snapshot) -> bytes:
    """The file's text."""
    return canonical_json(msgspec.json.encode(snapshot)) + b"\n"


def write_snapshot(snapshot: Snapshot, path: str) -> None:
    """Write the file whole or not at all, readable by its owner only; raises OSError."""
    write_whole(snapshot_text(snapshot), path, private=True)


def unique(snapshots: Sequence[Snapshot]) -> Iterable[tuple[Snapshot, str, bytes, Answered]]:
    """All answers with their texts, each path once: what two snapshots say of one path stays apart, what they agree on is one
    document."""
    known: dict[str, bytes] = {}
    for snapshot in snapshots:
        for answered in snapshot.documents:
            path, number, content = answered.path, 1, answered.content
            while known.get(path, content) != content:
                number += 1
                path = f"{answered.path}#{number}"
            if path not in known:
                known[path] = content
                yield snapshot, path, content, answered
