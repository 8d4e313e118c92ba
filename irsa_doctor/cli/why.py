"""`irsa-doctor why`: name the broken link between a pod and its role."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from irsa_doctor.cli.limits import PROCESSES, RunLimits, governed_limits, limit_options, within
from irsa_doctor.cli.live_options import live_options
from irsa_doctor.cli.options import (
    AccountId,
    AllFolders,
    AzureApps,
    Complete,
    Config,
    Format,
    IamPolicies,
    NoConfig,
    with_options,
)
from irsa_doctor.cli.output import print_text
from irsa_doctor.cli.paths import check_name_first, expanded
from irsa_doctor.cli.progress import progress
from irsa_doctor.cli.settings_options import flags_over_settings, listed
from irsa_doctor.cli.wrong import checked_format, wrong

if TYPE_CHECKING:
    from irsa_doctor.api import Diagnosis, LiveOptions, Settings

_Target = Annotated[str | None, typer.Argument(help="NAMESPACE/SERVICEACCOUNT, pod/NAMESPACE/POD, or KIND/NAMESPACE/NAME.")]
_Paths = Annotated[list[str] | None, typer.Argument(help="Files, folders, or - for standard input.")]
_All = Annotated[bool, typer.Option("--all", help="Diagnose every service account and workload that uses a role.")]
_Role = Annotated[str | None, typer.Option(metavar="ARN", help="The requested role, instead of the one that the input names.")]
_Cluster = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CLUSTER",
        help="Name, ARN or issuer of the cluster of the target; or NAME=PATH, the cluster of documents; repeatable.",
    ),
]
_Token = Annotated[
    str | None, typer.Option(metavar="FILE", help="A file with the token, or - for standard input; only its claims are shown.")
]
_Event = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="A file with CloudTrail events: one event, an answer of lookup-events, or a log."),
]
_LookupEvents = Annotated[
    bool, typer.Option("--lookup-events", help="Look up the last calls for the role in CloudTrail; needs --aws or --live.")
]
_Error = Annotated[
    str | None, typer.Option(metavar="TEXT", help="The error message, or @FILE for a file that contains it, such as a log.")
]
_Policies = Annotated[
    list[str] | None,
    typer.Option("--policy", metavar="ARN=PATH", help="The role that a bare trust policy belongs to; repeatable."),
]
_RuleFolders = Annotated[
    list[str] | None, typer.Option("--rules", metavar="FOLDER", help="A folder of private rules; repeatable.")
]
_ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 also for a broken or unknown verdict.")]

_CODES = {"broken": 1, "unknown": 3, "works": 0}
"""verdict -> exit code; of several verdicts the first decides"""


class _Scope(NamedTuple):
    """What governs a diagnosis: the settings, and the cluster that is meant, "" where the input names it."""

    settings: "Settings"
    cluster: str


class _EvidenceFiles(NamedTuple):
    """The evidence as flags name it: an error message or `@FILE`, a file with a token, a file with events; "" for none."""

    error: str
    token: str
    event: str


def scope_options(
    *,
    cluster: _Cluster = None,
    complete: Complete = None,
    account: AccountId = None,
    policy: _Policies = None,
    azure_app: AzureApps = None,
    iam_policy: IamPolicies = None,
    rules: _RuleFolders = None,
    config: Config = None,
    no_config: NoConfig = False,
    all_folders: AllFolders = False,
) -> _Scope:
    """The settings, and the one cluster that is named rather than mapped to its documents."""
    mappings = [value for value in cluster or () if _is_mapping(value)]
    names = [value for value in cluster or () if not _is_mapping(value)]
    if len(names) > 1:
        raise wrong("--cluster: one cluster can be asked about")
    settings = flags_over_settings(
        config,
        no_config,
        complete=listed(complete),
        roles=policy,
        clusters=mappings,
        azure_apps=azure_app,
        iam_policies=iam_policy,
        account=account,
        rules=tuple(rules or ()),
        all_folders=all_folders or None,
    )
    return _Scope(settings, names[0] if names else "")


def evidence_options(*, token: _Token = None, event: _Event = None, error: _Error = None) -> _EvidenceFiles:
    """The evidence beside files."""
    return _EvidenceFiles(error or "", token or "", event or "")


@with_options(scope=scope_options, evidence=evidence_options, limits=limit_options, live=live_options)
def why(
    target: _Target = None,
    paths: _Paths = None,
    all_: _All = False,
    role: _Role = None,
    lookup_events: _LookupEvents = False,
    format_: Format = "text",
    exit_zero: _ExitZero = False,
    *,
    evidence: _EvidenceFiles,
    scope: _Scope,
    limits: RunLimits,
    live: "LiveOptions | None",
) -> None:
    """Find the broken link between a workload and its role.

    Exit 0: works. 1: broken. 2: wrong call, or no such target. 3: undetermined, with the missing input named.
    """
    import gc

    gc.disable()  # one run, then the process ends
    from irsa_doctor import api

    output_format = checked_format("why", format_)
    name, inputs = _target(target, list(paths or ()), has_evidence=all_ or any(evidence))
    check_name_first("why", name, inputs)
    inputs = expanded(inputs)
    _check_call(name, inputs, all_, evidence, live)
    if lookup_events and (evidence.event or all_ or live is None or not live.aws):
        raise wrong("--lookup-events goes with --aws or --live and one target, and without --event")
    _check_stdin(inputs, evidence)
    with within(governed_limits(limits, scope.settings)) as run:
        if all_:
            diagnoses = _diagnoses(_all_of(inputs, scope, evidence), live)
            text = api.render_why_all(diagnoses, output_format, api.style_for())
        else:
            diagnoses = _diagnoses(_one_of(name, inputs, scope, evidence, role or "", lookup_events), live)
            text = api.render_why(diagnoses[0], output_format, api.style_for())
    print_text(text)
    run.refuse_part()
    verdicts = {diagnosis.verdict for diagnosis in diagnoses}
    raise typer.Exit(0 if exit_zero else next((code for verdict, code in _CODES.items() if verdict in verdicts), 0))


_Asking = Callable[["LiveOptions | None"], "list[Diagnosis]"]


def _one_of(name: str, paths: list[str], scope: _Scope, evidence: _EvidenceFiles, role: str, lookup: bool) -> _Asking:
    from irsa_doctor import api

    return lambda live: [
        api.why(
            name,
            paths,
            settings=scope.settings,
            role=role,
            cluster=scope.cluster,
            symptoms=api.read_symptoms(error=evidence.error, token=evidence.token, event=evidence.event),
            live=live,
            lookup=lookup,
        )
    ]


def _all_of(paths: list[str], scope: _Scope, evidence: _EvidenceFiles) -> _Asking:
    from irsa_doctor import api

    return lambda live: api.why_all(
        paths,
        settings=scope.settings,
        cluster=scope.cluster,
        symptoms=api.read_symptoms(error=evidence.error, token=evidence.token, event=evidence.event),
        live=live,
        processes=PROCESSES,
    )


def _diagnoses(ask: _Asking, live: "LiveOptions | None") -> "list[Diagnosis]":
    from irsa_doctor import api

    try:
        with progress() as on_stage:
            return ask(live.telling(on_stage) if live else None)
    except (
        api.NoTarget,
        api.NoEvents,
        api.NoEvidence,
        api.NothingRead,
        api.LiveError,
        api.RuleError,
        api.UnknownRule,
    ) as error:
        raise wrong(str(error)) from error


def _target(target: str | None, paths: list[str], *, has_evidence: bool) -> tuple[str, list[str]]:
    """The target, and the paths; a first argument that exists is a path where something else names the target."""
    if target is not None and has_evidence and any(map(os.path.exists, expanded([target]))):
        return "", [target, *paths]
    return target or "", paths


def _check_call(target: str, paths: list[str], all_: bool, evidence: _EvidenceFiles, live: "LiveOptions | None") -> None:
    if not target and not all_ and not any(evidence):
        raise wrong("name a service account as NAMESPACE/SERVICEACCOUNT, or give --all, --token, --event or --error")
    needs_input = all_ or (target and not any(evidence))
    if needs_input and not paths and live is None:
        name = "--all" if all_ else target
        raise wrong(f"nothing to look at; run: irsa-doctor why {name} --live   or: irsa-doctor why {name} FOLDER")


def _is_mapping(value: str) -> bool:
    name, equals, path = value.partition("=")
    return bool(name and equals) and os.path.exists(path)


def _check_stdin(paths: list[str], evidence: _EvidenceFiles) -> None:
    readers = [*paths, evidence.token, evidence.event, *([evidence.error[1:]] if evidence.error.startswith("@") else [])]
    if readers.count("-") > 1:
        raise wrong("standard input can be read once: give - for one thing")
