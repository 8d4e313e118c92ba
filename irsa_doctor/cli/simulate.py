"""`irsa-doctor simulate`: decide requests against a trust policy."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from irsa_doctor.cli.limits import RunLimits, limit_options, within
from irsa_doctor.cli.options import with_options
from irsa_doctor.cli.output import print_text
from irsa_doctor.cli.settings_options import check_account
from irsa_doctor.cli.wrong import checked_format, wrong

if TYPE_CHECKING:
    from irsa_doctor.api import Simulation

_Vectors = Annotated[
    str | None, typer.Option(metavar="FILE", help="Requests, one JSON object a line; or - for standard input.")
]
_TrustPolicy = Annotated[str | None, typer.Option(metavar="FILE", help="The trust policy, or - for standard input.")]
_Issuer = Annotated[str, typer.Option(metavar="URL", help="Issuer of the token.")]
_Account = Annotated[str, typer.Option(metavar="ID", help="Account of the role.")]
_Partition = Annotated[str, typer.Option(metavar="NAME", help="AWS partition of the role. [that of the issuer]")]
_Sub = Annotated[str | None, typer.Option(metavar="SUBJECT", help="Subject of the token.")]
_Aud = Annotated[str, typer.Option(metavar="AUDIENCE", help="Audience of the token.")]
_Context = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Another condition key; repeatable, also with several values of one key."),
]
_Format = Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="json (one line an answer) or text.")]


@with_options(limits=limit_options)
def simulate(
    vectors: _Vectors = None,
    trust_policy: _TrustPolicy = None,
    issuer: _Issuer = "",
    account: _Account = "",
    partition: _Partition = "",
    sub: _Sub = None,
    aud: _Aud = "sts.amazonaws.com",
    context: _Context = None,
    format_: _Format = "json",
    *,
    limits: RunLimits,
) -> None:
    """Decide requests to assume a role as IAM would.

    The action is sts:AssumeRoleWithWebIdentity; client ids, signatures and resource control policies are checked by `why`.

    Exit 0: allowed; with --vectors, every line was answered. 1: denied, or IAM would refuse to save the policy; a line is
    not a request. 2: wrong call, or a file cannot be read.
    """
    from irsa_doctor import api

    output_format = checked_format("simulate", format_)
    if vectors is not None:
        if trust_policy or issuer or account or sub or context:
            raise wrong("--vectors has whole requests: give no other option with it but --format")
        _answer_lines(vectors, output_format, limits)
    if trust_policy is None or sub is None or not issuer or not account:
        raise wrong("give --vectors FILE, or --trust-policy, --issuer, --account and --sub")
    check_account(account)
    request = {"issuer": issuer, "account": account, "sub": sub, "aud": aud, "partition": partition}
    answer = _answer(trust_policy, limits, context=_context(context or ()), **request)
    print_text(api.render_simulations([answer], output_format))
    raise typer.Exit(0 if answer.decision == "allow" else 1)


def _answer(trust_policy: str, limits: RunLimits, **request: Any) -> "Simulation":
    from irsa_doctor import api

    try:
        policy = api.read_policy_file(trust_policy)
        with within(limits):
            return api.simulate(policy, ident=trust_policy, **request)
    except (api.Unreadable, api.Unanswerable) as error:
        raise wrong(str(error)) from error


def _answer_lines(path: str, output_format: str, limits: RunLimits) -> NoReturn:
    from irsa_doctor import api

    try:
        with within(limits):
            answers = list(api.simulate_lines(api.read_requests(path)))
    except api.Unreadable as error:
        raise wrong(str(error)) from error
    print_text(api.render_simulations(answers, output_format))
    raise typer.Exit(1 if any(isinstance(answer, api.Unanswered) for answer in answers) else 0)


def _context(entries: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The values of each key, in order."""
    values: dict[str, list[str]] = {}
    for entry in entries:
        key, equals, value = entry.partition("=")
        if not equals or not key:
            raise wrong(f"--context {entry}: KEY=VALUE is expected")
        values.setdefault(key, []).append(value)
    return values
