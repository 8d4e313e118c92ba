"""`irsa-doctor simulate`: decide requests against a trust policy."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from irsa_doctor.cli.output import say
from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.trust import Request


def simulate(
    vectors: Annotated[str | None, typer.Option(help="Requests, one JSON object a line; - is standard input.")] = None,
    trust_policy: Annotated[str | None, typer.Option(help="The trust policy to ask; - is standard input.")] = None,
    issuer: Annotated[str, typer.Option(help="Issuer URL of the token.")] = "",
    account: Annotated[str, typer.Option(help="Account id of the role.")] = "",
    partition: Annotated[str, typer.Option(help="AWS partition of the role. [that of the issuer]")] = "",
    sub: Annotated[str | None, typer.Option(help="Subject of the token.")] = None,
    aud: Annotated[str, typer.Option(help="Audience of the token.")] = "sts.amazonaws.com",
    context: Annotated[
        list[str] | None, typer.Option(help="A further condition key, KEY=VALUE; repeatable, for one key too: several values.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", "-f", help="json (a line for each answer) or text.")] = "json",
) -> None:
    """Decide AssumeRoleWithWebIdentity requests as IAM's policy evaluation would.

    Exit 0: allowed; with --vectors, every line was answered. 1: denied, or IAM would not save the policy; a line was no
    request. 2: wrong call, or a file that cannot be read.
    """
    from irsa_doctor.answers import simulate as simulation

    if format_ not in ("json", "text"):
        raise wrong(f"--format {format_}: json or text")
    single = (trust_policy, issuer, account, sub)
    try:
        if vectors is not None:
            if any(single) or context:
                raise wrong("--vectors has whole requests: give no other option with it but --format")
            answers = list(simulation.simulate_lines(simulation.read_lines(vectors)))
            _print(answers, format_)
            raise typer.Exit(1 if any("error" in answer for answer in answers) else 0)
        if trust_policy is None or sub is None or not issuer or not account:
            raise wrong("give --vectors FILE, or --trust-policy, --issuer, --account and --sub")
        request = _request(issuer, account, partition, {"sub": sub, "aud": aud}, context or ())
        answer = {"id": trust_policy, **simulation.simulate(simulation.read_policy_file(trust_policy), request)}
    except simulation.Unreadable as error:
        raise wrong(str(error)) from error
    _print([answer], format_)
    raise typer.Exit(0 if answer["decision"] == "allow" else 1)


def _request(issuer: str, account: str, partition: str, claims: Mapping[str, str], entries: Iterable[str]) -> "Request":
    from irsa_doctor.answers.simulate import Unanswerable, request_of

    if not (len(account) == 12 and account.isascii() and account.isdigit()):
        raise wrong(f"--account {account}: an account id has twelve digits")
    name = issuer.removeprefix("https://")
    context: dict[str, list[str]] = {f"{name}:{claim}": [value] for claim, value in claims.items()}
    spelt = {key.lower(): key for key in context}
    for entry in entries:
        key, equals, value = entry.partition("=")
        if not equals or not key:
            raise wrong(f"--context {entry}: KEY=VALUE is expected")
        context.setdefault(spelt.setdefault(key.lower(), key), []).append(value)
    request = {"account": account, "issuer": issuer, "context": context} | ({"partition": partition} if partition else {})
    try:
        return request_of(request)
    except Unanswerable as error:
        raise wrong(str(error)) from error


def _print(answers: Iterable[Mapping[str, Any]], format_: str) -> None:
    import msgspec

    if format_ == "json":
        encode = msgspec.json.Encoder().encode
        say(b"".join(encode(answer) + b"\n" for answer in answers).decode())
    else:
        say("".join(_text_of(answer) for answer in answers))


def _text_of(answer: Mapping[str, Any]) -> str:
    """An answer for people."""
    import msgspec

    from irsa_doctor.reports.escape import for_terminal

    ident = answer["id"]
    name = msgspec.json.decode(ident) if isinstance(ident, msgspec.Raw) else ident
    lines = [f"{'?' if name is None else name}: {answer.get('error') or answer['decision'].replace('_', ' ')}"]
    lines += [f"  statement {row['statement']}: {row['says']}" for row in answer.get("because", ())]
    for problem in answer.get("problems", ()):
        lines.append(f"  line {problem['line']}, column {problem['column']}: {problem['message']}")
    if points := answer.get("contested"):
        other = answer.get("decision_otherwise")
        lines.append(
            f"  AWS's documentation is silent on {', '.join(points)}"
            + (f"; it may be {other.replace('_', ' ')}" if other else "")
        )
    return "".join(for_terminal(line) + "\n" for line in lines)
