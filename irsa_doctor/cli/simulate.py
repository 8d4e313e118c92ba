"""`irsa-doctor simulate`: decide requests against a trust policy."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NoReturn

import typer

from irsa_doctor.cli.output import print_text
from irsa_doctor.cli.settings_options import check_account
from irsa_doctor.cli.wrong import checked_format, wrong

Vectors = Annotated[str | None, typer.Option(help="Requests, one JSON object a line; - is standard input.")]
TrustPolicy = Annotated[str | None, typer.Option(help="The trust policy to ask; - is standard input.")]
Issuer = Annotated[str, typer.Option(help="Issuer URL of the token.")]
Account = Annotated[str, typer.Option(help="Account id of the role.")]
Partition = Annotated[str, typer.Option(help="AWS partition of the role. [that of the issuer]")]
Sub = Annotated[str | None, typer.Option(help="Subject of the token.")]
Aud = Annotated[str, typer.Option(help="Audience of the token.")]
Context = Annotated[
    list[str] | None, typer.Option(help="A further condition key, KEY=VALUE; repeatable, for one key too: several values.")
]
Format = Annotated[str, typer.Option("--format", "-f", help="json (a line for each answer) or text.")]


def simulate(
    vectors: Vectors = None,
    trust_policy: TrustPolicy = None,
    issuer: Issuer = "",
    account: Account = "",
    partition: Partition = "",
    sub: Sub = None,
    aud: Aud = "sts.amazonaws.com",
    context: Context = None,
    format_: Format = "json",
) -> None:
    """Decide AssumeRoleWithWebIdentity requests as IAM's policy evaluation would.

    Exit 0: allowed; with --vectors, every line was answered. 1: denied, or IAM would not save the policy; a line was no
    request. 2: wrong call, or a file that cannot be read.
    """
    from irsa_doctor import api

    output_format = checked_format("simulate", format_)
    if vectors is not None:
        if trust_policy or issuer or account or sub or context:
            raise wrong("--vectors has whole requests: give no other option with it but --format")
        _answer_lines(vectors, output_format)
    if trust_policy is None or sub is None or not issuer or not account:
        raise wrong("give --vectors FILE, or --trust-policy, --issuer, --account and --sub")
    check_account(account)
    keys = _context(context or ())
    try:
        policy = api.read_policy(trust_policy)
        answer = api.simulate(
            policy,
            issuer=issuer,
            account=account,
            sub=sub,
            aud=aud,
            partition=partition,
            context=keys,
            ident=trust_policy,
        )
    except (api.Unreadable, api.Unanswerable) as error:
        raise wrong(str(error)) from error
    print_text(api.render_simulations([answer], output_format))
    raise typer.Exit(0 if answer.decision == "allow" else 1)


def _answer_lines(path: str, output_format: str) -> NoReturn:
    from irsa_doctor import api

    try:
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
