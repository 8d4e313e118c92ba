"""`irsa-doctor generate`: policies, annotations and guardrails from an intent."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.limits import RunLimits, governed_limits, limit_options, within
from irsa_doctor.cli.live_options import live_options
from irsa_doctor.cli.options import Config, NoConfig, with_options
from irsa_doctor.cli.output import print_note, print_text
from irsa_doctor.cli.paths import expanded
from irsa_doctor.cli.settings_options import flags_over_settings
from irsa_doctor.cli.wrong import checked_word, wrong

if TYPE_CHECKING:
    from irsa_doctor.api import Generation, LiveOptions, Settings

_Intent = Annotated[str, typer.Argument(metavar="INTENT", help="The intent file.")]
_Documents = Annotated[
    list[str] | None, typer.Argument(metavar="[PATH]...", help="Documents that tell issuers of clusters (describe-cluster).")
]
_Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        "-f",
        metavar="FORMAT",
        help="trust-policy, terraform, cloudformation, eksctl, kubernetes, crossplane, ack, cli, pod-identity, vap, rcp, scp;"
        " json for the answer itself. Repeatable.",
    ),
]
_Output = Annotated[str | None, typer.Option("--output", "-o", metavar="DIR", help="Write the files below this folder.")]
_Force = Annotated[bool, typer.Option("--force", help="Replace files that are there and differ.")]
_KeepIssuer = Annotated[
    list[str] | None, typer.Option(metavar="URL", help="An issuer that rcp and scp leave alone beside those of the intent.")
]
_Audit = Annotated[bool, typer.Option("--audit", help="vap: only audit, deny nothing.")]


def _settings(config: Config = None, no_config: NoConfig = False) -> "Settings":
    return flags_over_settings(config, no_config)


@with_options(settings=_settings, limits=limit_options, live=live_options)
def generate(
    intent: _Intent,
    paths: _Documents = None,
    formats: _Formats = None,
    output: _Output = None,
    force: _Force = False,
    keep_issuer: _KeepIssuer = None,
    audit: _Audit = False,
    *,
    settings: "Settings",
    limits: RunLimits,
    live: "LiveOptions | None",
) -> None:
    """Write policies and annotations from an intent.

    Every text is read back and proved: it admits exactly whom the intent means.

    Exit 0: made. 1: something cannot be made as asked, and nothing is written. 2: wrong call or intent.
    """
    from irsa_doctor import api

    dialects, as_json = _chosen(formats)
    try:
        with within(governed_limits(limits, settings)):
            answer = api.generate(
                intent,
                expanded(paths or ()),
                dialects,
                settings=settings,
                live=live,
                keep_issuers=keep_issuer or (),
                audit=audit,
            )
    except (api.IntentError, api.LiveError) as error:
        raise wrong(str(error)) from error
    for problem in answer.problems:
        print_note(f"{intent}:{problem.line}: {problem.says}")
    if output is not None and not answer.problems:
        _write(answer, output, force)
    if as_json:
        print_text(api.render_generation(answer, "json"))
    elif output is None:
        print_text(api.render_generation(answer))
    if "rcp" in dialects and not answer.problems:
        print_note("every other web identity of the accounts is denied by this rcp: --keep-issuer adds those that you need")
    raise typer.Exit(1 if answer.problems else 0)


def _chosen(formats: list[str] | None) -> tuple[list[str], bool]:
    """The dialects, each once, and whether the answer itself is shown."""
    from irsa_doctor import api

    words = (*api.GENERATE_FORMATS, "json")
    names = [checked_word("--format", name, words) for name in formats or ()]
    return list(dict.fromkeys(name for name in names if name != "json")) or ["trust-policy"], "json" in names


def _write(answer: "Generation", folder: str, force: bool) -> None:
    """Write the files, all or, where one may not be replaced, none."""
    from irsa_doctor import api

    paths = {os.path.join(folder, *file.path.split("/")): file.text.encode() for file in answer.files}
    try:
        for path, content in paths.items():
            api.refuse_target(path)
            if not force and os.path.exists(path) and _content(path) != content:
                raise wrong(f"{path} is there and differs: --force replaces it")
        for path, content in paths.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            api.write_whole(content, path)
    except (OSError, ValueError) as error:
        raise wrong(f"{folder}: {api.os_error_reason(error)}") from error
    print_note(f"{len(paths)} file{'' if len(paths) == 1 else 's'} written below {folder}")


def _content(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()
