"""Answers what a subject can become."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from irsa_doctor.api.load import NO_SETTINGS, has_read, load_files, load_plan, nothing_read, unread_documents
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.errors import NotJudged
from irsa_doctor.model.faults import judged_or_named

if TYPE_CHECKING:
    from irsa_doctor.answers.reach.subject import SubjectReach
    from irsa_doctor.sources.live import LiveOptions


def reach(
    subject: str,
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = NO_SETTINGS,
    live: "LiveOptions | None" = None,
    cluster: str = "",
) -> "SubjectReach":
    """The roles that a subject becomes through Kubernetes, and whether it becomes an administrator of the cluster.

    `subject` is user:NAME, group:NAME, serviceaccount:NAMESPACE/NAME or the ARN of an IAM principal; `cluster` names its
    cluster where several have it. Raises NoSuchSubject, NothingRead, NotJudged and LiveError.
    """
    from irsa_doctor.answers.places import Locator
    from irsa_doctor.answers.reach.subject import reach_of_subject
    from irsa_doctor.facts import View

    if live is None:
        loaded = load_files(paths, stdin=stdin, settings=settings)
    else:
        from irsa_doctor.sources.live import Plan

        loaded = load_plan(Plan("reach"), live, paths, stdin=stdin, settings=settings)
    if not has_read(loaded):
        raise nothing_read(loaded, paths)
    if unread := unread_documents(loaded):
        raise NotJudged(unread)
    view = View(loaded.inventory, *settings.of_issuers)
    locate = Locator(loaded.documents, loaded.inventory.documents)
    return judged_or_named(subject, lambda: reach_of_subject(view, subject, locate.line, cluster))
