"""Answers who can assume a role."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from irsa_doctor.api.load import NO_SETTINGS, has_read, load_files, load_plan, nothing_read, refuse_unread
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.faults import judged_or_named

if TYPE_CHECKING:
    from irsa_doctor.answers.who_can import WhoCan
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

    `role` is an ARN, a name, or the path of a bare policy. Raises NoSuchRole, NothingRead, NotJudged and LiveError.
    """
    from irsa_doctor.answers.who_can import find_role
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
    refuse_unread(loaded)
    view = View(loaded.inventory, settings.audiences)
    found_role = judged_or_named("the roles", lambda: find_role(view, role))
    return judged_or_named(found_role.role.place.document, lambda: who_can_of(view, found_role))
