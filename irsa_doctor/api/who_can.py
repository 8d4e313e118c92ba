"""Answers who can assume a role."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from irsa_doctor.api.load import NO_SETTINGS, has_read, load_files, load_plan, nothing_read, unread_documents
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.errors import NotJudged
from irsa_doctor.model.faults import judged_or_named
from irsa_doctor.model.limits import renew

if TYPE_CHECKING:
    from irsa_doctor.answers.who_can import WhoCan
    from irsa_doctor.facts import View
    from irsa_doctor.sources.live import LiveOptions


def who_can(
    role: str,
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = NO_SETTINGS,
    live: "LiveOptions | None" = None,
) -> "WhoCan":
    """The exact set of subjects that the trust policy of a role admits, by provider.

    `role` is an ARN, a name, or the path of a bare policy. Documents that a limit of the run left unread are unknown in the
    answer. Raises NoSuchRole, NothingRead, LiveError, and NotJudged where the role may be in a document that was not read.
    """
    from irsa_doctor.answers.missing import MissingInput
    from irsa_doctor.answers.places import Locator
    from irsa_doctor.answers.reach.who import reach_of_role
    from irsa_doctor.answers.who_can import NoSuchRole, find_role
    from irsa_doctor.answers.who_can import who_can as who_can_of
    from irsa_doctor.facts import View

    if live is None:
        loaded = load_files(paths, stdin=stdin, settings=settings)
    else:
        from irsa_doctor.sources.live import Plan

        plan = Plan("who-can", roles=(role,), everything=False)
        loaded = load_plan(plan, live, paths, stdin=stdin, settings=settings)
    if not has_read(loaded):
        raise nothing_read(loaded, paths)
    unread = unread_documents(loaded)
    renew()  # the role is judged by what was read, where a limit ended the reading
    view = View(loaded.inventory, *settings.of_issuers)
    if not loaded.inventory.clouds.is_empty and (identity := _identity(view, role)):
        return identity
    try:
        analysed = judged_or_named("the roles", lambda: find_role(view, role))
    except NoSuchRole as error:
        raise NotJudged(unread) if unread else error from None
    locate, name = Locator(loaded.documents, loaded.inventory.documents), analysed.role.place.document
    answer = judged_or_named(name, lambda: who_can_of(view, analysed))
    reach, missing = judged_or_named(name, lambda: reach_of_role(view, analysed, locate.line))
    unknown = (*answer.unknown, *missing, *([MissingInput(unread)] if unread else []))
    return msgspec.structs.replace(answer, reach=reach, unknown=unknown)


def _identity(view: "View", name: str) -> "WhoCan | None":
    """The answer for an identity of Azure or Google Cloud, None where none has the name."""
    from irsa_doctor.answers.cloud_grants import who_can_be_identity

    return judged_or_named("the identities", lambda: who_can_be_identity(view, name))
