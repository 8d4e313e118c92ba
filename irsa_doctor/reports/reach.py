"""The answer of `reach`, as text and as JSON, and the lines for paths that `who-can` shows too."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from irsa_doctor.answers.missing import MissingInput
from irsa_doctor.answers.reach.records import AdminReach, ReachedRole, ReachPath, ReachRow, ReachSubject, TakenStep
from irsa_doctor.answers.reach.subject import SubjectReach
from irsa_doctor.authorisation.ways import EPHEMERAL_CONTAINER
from irsa_doctor.reports.counting import counted
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns, on_one_line, wrapped
from irsa_doctor.reports.json import ToolRecord, json_text, tool
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.style import Style
from irsa_doctor.reports.ways import way_lines

_SHOWN = 6
_ROWS = 20
_STRONG, _FAINT, _UNKNOWN, _BAD = "1", "2", "1;35", "31"
WORDS = {
    "token-request": "requests a token",
    "create-workload": "creates a workload",
    "change-workload": "changes a workload",
    "exec": "runs a command in a pod",
    "attach": "attaches to a pod",
    EPHEMERAL_CONTAINER: "adds a container to a pod",
    "pod-patch": "changes the image of a pod",
    "node-proxy": "runs a command through a node",
    "legacy-secret": "reads a token Secret",
    "create-secret": "creates a token Secret",
    "impersonate": "impersonates",
    "bind": "binds",
    "escalate": "extends its own role to",
    "aws-auth": "maps a principal in aws-auth to",
    "mutating-webhook": "changes pods by a webhook",
    "annotate": "annotates the account",
    "create-account": "creates an account",
    "create-namespace": "creates a namespace",
    "assume-role": "assumes",
}
"""each step in words"""
NEEDS = {
    "admission": "admission allows it",
    "terminal": "the container has a terminal",
    "token-controller": "the token controller runs",
    "iam-principal": "an IAM principal is there to be mapped",
    "pod-creation": "a pod is created",
    "restart": "the pod restarts",
}
"""what cannot be seen, in words"""


_OF_ACCOUNTS = frozenset(WORDS) - {"impersonate", "bind", "escalate", "aws-auth", "assume-role"}
"""the steps whose words need an `of` before the service account that they take"""


class ReachDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor reach -f json`."""

    schema: str
    tool: ToolRecord
    subject: ReachSubject
    reach_complete: bool
    roles: Sequence[ReachedRole]
    cluster_admin: AdminReach | None
    unknown: Sequence[MissingInput]


def render_reach_json(answer: SubjectReach, style: Style) -> str:
    """Returns the document; it does not depend on the style."""
    document = ReachDocument(
        schema="irsa-doctor.reach/1",
        tool=tool(),
        subject=answer.subject,
        reach_complete=answer.complete,
        roles=answer.roles,
        cluster_admin=answer.cluster_admin,
        unknown=answer.unknown,
    )
    return json_text(document)


def render_reach_text(answer: SubjectReach, style: Style) -> str:
    """Returns the roles that the subject becomes, the nearest first, with the shortest path to each."""
    number = len(answer.roles)
    becomes = f"becomes {counted(number, 'role')}" if number else "becomes no role"
    lines = [style.paint(for_terminal(f"{subject_words(answer.subject)} {becomes}"), _STRONG)]
    if answer.implied:
        lines += field("is also", ", ".join(answer.implied), style)
    for role in answer.roles:
        lines += ["", *_role(role, style)]
    lines += _admin(answer.cluster_admin, style)
    lines += missing_lines(answer.unknown, style)
    return "\n".join(lines) + "\n"


def _role(role: ReachedRole, style: Style) -> Iterator[str]:
    how = "is admitted" if not role.steps else f"{counted(role.steps, 'step')}, {role.certainty}"
    yield f"{style.paint(for_terminal(role.role), _BAD if role.certainty != 'possible' else _UNKNOWN)}  {how}"
    for path in shortest(role.paths):
        yield from path_lines(path, style)


def shortest(paths: Sequence[ReachPath]) -> Sequence[ReachPath]:
    """The paths that a reader needs: the most certain kinds, at most a few."""
    sure = [path for path in paths if path.certainty != "possible"] or list(paths)
    return sorted(sure, key=lambda path: (path.steps, path.certainty, bool(path.needs)))[:3]


def path_lines(path: ReachPath, style: Style) -> Iterator[str]:
    """The lines of one path: its steps, then what makes the first possible, then what cannot be seen."""
    yield from field("", path_words(path), style)
    if path.through:
        yield from field("by", through_words(path), style)
    if path.needs:
        yield from field("if", needs_words(path), style)


def through_words(path: ReachPath) -> str:
    """What makes the first step of a path possible, with its places."""
    objects = (f"{item.kind} {_named(item.namespace, item.name)} ({_place(item.file, item.line)})" for item in path.through)
    return ", ".join(objects)


def needs_words(path: ReachPath) -> str:
    """What a path needs that the input does not show."""
    return " and ".join(NEEDS.get(need, need) for need in path.needs)


def path_words(path: ReachPath) -> str:
    """A path in words, step by step."""
    steps = [*map(step_words, path.via), f"{WORDS.get(path.kind, path.kind)}{_targets(path)}"]
    possible = "possibly " if path.certainty == "possible" else ""
    return possible + ", then ".join(steps)


def _targets(path: ReachPath) -> str:
    if path.kind == "create-account":
        return f" in namespace {path.namespace} that the role admits"
    if path.kind == "create-namespace":
        return " that the role admits"
    names = [account.split("/", 1)[-1] for account in path.service_accounts]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f" of {', '.join(names[:_SHOWN])}{more}"


def step_words(step: TakenStep) -> str:
    """A step that takes an identity."""
    of = " of" if step.kind in _OF_ACCOUNTS else ""
    return f"{WORDS.get(step.kind, step.kind)}{of} {subject_words(step.subject, short=True)}"


def subject_words(subject: ReachSubject, *, short: bool = False) -> str:
    """A subject in words."""
    kind = {"ServiceAccount": "service account", "Principal": "IAM principal", "Grant": "role"}.get(subject.kind, "")
    where = f" in {subject.namespace or 'the cluster'}" if subject.kind == "Grant" else ""
    name = _named(subject.namespace if subject.kind == "ServiceAccount" else None, subject.name)
    of = "" if short else f" of cluster {subject.cluster}"
    return f"{kind or subject.kind.lower()} {name}{where}{of}"


def _named(namespace: str | None, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def _place(file: str, line: int) -> str:
    return f"{from_here(file)}:{line}" if line else from_here(file)


def _admin(admin: AdminReach | None, style: Style) -> Iterator[str]:
    if admin is None:
        return
    yield ""
    steps = ", then ".join(map(step_words, admin.via))
    words = f"becomes administrator of the cluster: {steps}" if steps else "may do everything in the cluster"
    yield style.paint(on_one_line(words, for_terminal), _BAD)


def reach_lines(rows: Sequence[ReachRow] | None, style: Style) -> Iterator[str]:
    """What `who-can` shows of those who become a role through Kubernetes."""
    if rows is None:
        return
    yield ""
    shown = sorted(rows, key=lambda row: row.expected)
    head = (
        f"{counted(len(rows), 'subject')} can become it through Kubernetes" if rows else "nobody becomes it through Kubernetes"
    )
    yield style.paint(head, _STRONG)
    for row in shown[:_ROWS]:
        yield from _row(row, style)
    if len(shown) > _ROWS:
        yield f"  and {len(shown) - _ROWS} more; -f json lists all"


def _row(row: ReachRow, style: Style) -> Iterator[str]:
    expected = " (expected)" if row.expected else ""
    yield style.paint(for_terminal(f"{subject_words(row.subject, short=True)}{expected}"), _FAINT if row.expected else _BAD)
    if principals := ", ".join(item.principal for item in row.iam if item.principal != row.subject.name):
        yield from field("is", principals, style)
    for path in shortest(row.paths)[: 1 if row.expected else 3]:
        yield from path_lines(path, style)


def missing_lines(missing: Iterable[MissingInput], style: Style) -> Iterator[str]:
    """What an answer lacks, and the commands that supply it."""
    items = list(missing)
    if items:
        yield ""
        yield style.paint("undetermined, because inputs are missing", _UNKNOWN)
    for item in items:
        yield from field("missing", item.missing, style)
        yield from way_lines(item.how, item.addition, style)


def field(label: str, text: str, style: Style) -> Iterable[str]:
    """A value behind its label."""
    hang = " " * 11
    lines = wrapped(on_one_line(text, for_terminal), max(style.width - columns(hang), 30))
    first, *rest = lines or [""]
    return [f"  {style.paint(f'{label:<9}', _FAINT)}{first}".rstrip(), *(hang + line for line in rest)]
