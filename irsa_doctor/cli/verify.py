"""`irsa-doctor verify`: whether an estate is what an intent says."""

from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.limits import RunLimits, governed_limits, limit_options, within
from irsa_doctor.cli.live_options import live_options
from irsa_doctor.cli.options import Paths, with_options
from irsa_doctor.cli.output import print_text
from irsa_doctor.cli.paths import checked_paths, expanded
from irsa_doctor.cli.settings_options import settings_options
from irsa_doctor.cli.wrong import checked_format, checked_word, wrong

if TYPE_CHECKING:
    from irsa_doctor.api import LiveOptions, Settings, Verification

_Intent = Annotated[str, typer.Argument(metavar="INTENT", help="The intent file.")]
_Format = Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="text, json, github or sarif.")]
_Base = Annotated[
    list[str] | None, typer.Option(metavar="PATH", help="Exported state over which the paths are laid. Repeatable.")
]
_FailOn = Annotated[str | None, typer.Option(metavar="SEVERITY", help="critical, high, medium, low or never. Default: high.")]
_Strict = Annotated[bool, typer.Option("--strict", help="Exit 3 if something is undetermined.")]


@with_options(settings=settings_options, limits=limit_options, live=live_options)
def verify(
    intent: _Intent,
    paths: Paths = None,
    format_: _Format = "text",
    base: _Base = None,
    fail_on: _FailOn = None,
    strict: _Strict = False,
    *,
    settings: "Settings",
    limits: RunLimits,
    live: "LiveOptions | None",
) -> None:
    """Compare an estate with an intent.

    Sets are compared, never texts: a policy that is written otherwise and admits the same is no difference.

    Exit 0: no difference at or above --fail-on. 1: differences. 2: wrong call or intent. 3: something is unknown (--strict).
    """
    import gc

    gc.disable()  # one run, then the process ends
    from irsa_doctor import api

    output_format = checked_format("verify", format_)
    threshold = checked_word("--fail-on", fail_on or settings.fail_on or "high", api.FAIL_ON)
    try:
        with within(governed_limits(limits, settings)):
            answer = api.verify(intent, checked_paths(paths, live), settings=settings, live=live, base=expanded(base or ()))
    except (api.IntentError, api.NothingRead, api.LiveError) as error:
        raise wrong(str(error)) from error
    print_text(api.render_verification(answer, output_format, api.style_for()))
    raise typer.Exit(_exit_code(answer, threshold, strict))


def _exit_code(answer: "Verification", threshold: str, strict: bool) -> int:
    from irsa_doctor import api

    counted = api.SEVERITIES[: api.SEVERITIES.index(threshold) + 1] if threshold in api.SEVERITIES else ()
    if any(difference.severity in counted for difference in answer.differences):
        return 1
    return 3 if strict and answer.unknown else 0
