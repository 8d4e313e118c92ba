"""Loads documents, and what live sources answer, into one inventory."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

from irsa_doctor.governance.settings import Settings
from irsa_doctor.model import NO_KIND, PASSED_OVER
from irsa_doctor.model.errors import IrsaDoctorError, NotJudged

if TYPE_CHECKING:
    from irsa_doctor.sources import Exclude, Loaded
    from irsa_doctor.sources.live import LiveOptions, Plan

NO_SETTINGS = Settings()


class NothingRead(IrsaDoctorError):
    """Nothing in the input could be read; the text names the first document and says why."""


def load(
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = NO_SETTINGS,
    live: "LiveOptions | None" = None,
    base: Sequence[str] = (),
) -> "Loaded":
    """The inventory of files, folders and `-` (the bytes of `stdin`), with the texts of its documents.

    `live`: sources to read over the network as well, all that `collect` reads. `base` are paths over which the others are laid.
    Documents that cannot be read are rows of `inventory.documents`. Raises LiveError.
    """
    if live is None:
        return load_files(paths, stdin=stdin, settings=settings, base=base)
    from irsa_doctor.sources.live import Plan

    return load_plan(Plan("collect"), live, paths, stdin=stdin, settings=settings)


def load_files(
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = NO_SETTINGS,
    base: Sequence[str] = (),
    without: Sequence[str] = (),
    memory: Mapping[str, bytes] = {},
    tracked: Sequence[str] = (),
) -> "Loaded":
    """The inventory of documents alone: of paths but those of `without`, of files that are read wherever they lie (`tracked`),
    and of documents by path in memory."""
    from irsa_doctor.sources import load as load_documents

    declared = declared_of(settings)
    return load_documents(paths, stdin=stdin, base=base, without=without, memory=memory, tracked=tracked, **declared)


def load_plan(
    plan: "Plan", live: "LiveOptions", paths: Sequence[str], *, stdin: bytes | None = None, settings: Settings = NO_SETTINGS
) -> "Loaded":
    """The inventory of documents and of what a plan needs of the live sources. Raises LiveError."""
    from irsa_doctor.sources import Declared, Loading
    from irsa_doctor.sources.live import load_live

    return load_live(plan, live, Loading.of(paths, stdin=stdin, declared=Declared(**declared_of(settings))))


class _Declared(TypedDict):
    """What settings and flags declare of documents that do not say it themselves, as `sources.Declared` has it."""

    roles: "Mapping[str, str]"
    clusters: "Mapping[str, str]"
    account: str | None
    complete: tuple[str, ...]
    exclude: "Exclude | None"
    plans: "Mapping[str, str]"
    parameters: "Mapping[str, str]"
    azure_apps: "Mapping[str, str]"
    iam_policies: "Mapping[str, str]"
    named: tuple[str, ...]


def declared_of(settings: Settings) -> _Declared:
    """What settings declare of documents."""
    from irsa_doctor.sources import Exclude

    return {
        "roles": {path: arn for arn, path in settings.roles.items()},
        "clusters": {path: name for name, path in settings.clusters.items()},
        "account": settings.account or None,
        "complete": settings.complete,
        "exclude": Exclude(settings.folder, settings.exclude, settings.all_folders, settings.but_tracked),
        "plans": settings.plans,
        "parameters": settings.parameters,
        "azure_apps": {path: client for client, path in settings.azure_apps.items()},
        "iam_policies": {path: resource for resource, path in settings.iam_policies.items()},
        "named": settings.named,
    }


def refuse_unread(loaded: "Loaded") -> None:
    """Raise NotJudged where documents were not read before the run reached a limit: an answer without them may be wrong."""
    if unread := unread_documents(loaded):
        raise NotJudged(unread)


def unread_documents(loaded: "Loaded") -> str:
    """The documents that were not read before the run reached a limit, with the limit, in words; "" where there are none."""
    unread = [row for row in loaded.inventory.documents if row.limited]
    if not unread:
        return ""
    names = ", ".join(dict.fromkeys(row.path for row in unread[:3]))
    more = f" and {len(unread) - 3} more" if len(unread) > 3 else ""
    return f"{names}{more}: not read: {unread[0].why}"


def has_read(loaded: "Loaded") -> bool:
    """Whether any document was read."""
    return any(document.status == "read" for document in loaded.inventory.documents)


def nothing_read(loaded: "Loaded", paths: Sequence[str]) -> NothingRead:
    """That nothing in the input could be read, and why its first document could not that is one of a known kind."""
    names = ", ".join(paths)
    rows = [row for row in loaded.inventory.documents if row.why and row.kind != PASSED_OVER]
    first = next((row for row in rows if row.kind not in NO_KIND), rows[0] if len(rows) == 1 else None)
    why = f": {first.path}: {first.why}" if first and first.path != names else f": {first.why}" if first else ""
    return NothingRead(f"nothing could be read of {names}{why}")
