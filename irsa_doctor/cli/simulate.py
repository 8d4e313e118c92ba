"""`irsa-doctor simulate`: decide requests against a trust policy."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def simulate(
    vectors: Annotated[str | None, typer.Option(help="Requests, one JSON object a line; - is standard input.")] = None,
    trust_policy: Annotated[Path | None, typer.Option(help="The trust policy to ask.")] = None,
    issuer: Annotated[str, typer.Option(help="Issuer URL of the token.")] = "",
    account: Annotated[str, typer.Option(help="Account id of the role.")] = "",
    partition: Annotated[str, typer.Option(help="AWS partition of the role.")] = "aws",
    sub: Annotated[str | None, typer.Option(help="Subject of the token.")] = None,
    aud: Annotated[str, typer.Option(help="Audience of the token.")] = "sts.amazonaws.com",
    context: Annotated[list[str] | None, typer.Option(help="A further condition key, KEY=VALUE; repeatable.")] = None,
) -> None:
    """Decide AssumeRoleWithWebIdentity requests as IAM's policy evaluation would; answers are JSON lines.

    Exit 0 allow (or every vector answered), 1 deny or invalid, 2 wrong call.
    """
    import msgspec

    from irsa_doctor.simulation import simulate_line

    if vectors is not None:
        try:
            lines = sys.stdin.buffer.read() if vectors == "-" else Path(vectors).read_bytes()
        except OSError as error:
            raise _wrong(f"{vectors}: {error.strerror}") from error
        answers = [simulate_line(line) for line in lines.split(b"\n") if line.strip()]
        sys.stdout.write("".join(msgspec.json.encode(answer).decode() + "\n" for answer in answers))
        raise typer.Exit(0 if not any("error" in answer for answer in answers) else 1)
    if trust_policy is None or not issuer or not account or sub is None:
        raise _wrong("give --vectors FILE, or --trust-policy, --issuer, --account and --sub")
    try:
        text = trust_policy.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise _wrong(f"{trust_policy}: {error.strerror}") from error
    name = issuer.removeprefix("https://")
    keys: dict[str, object] = {f"{name}:sub": sub, f"{name}:aud": aud}
    for entry in context or ():
        key, equals, value = entry.partition("=")
        if not equals:
            raise _wrong(f"--context {entry}: KEY=VALUE is expected")
        keys[key] = value
    request = {"account": account, "partition": partition, "issuer": issuer, "context": keys}
    answer = simulate_line(msgspec.json.encode({"id": str(trust_policy), "policy_text": text, "request": request}))
    print(msgspec.json.encode(answer).decode())
    raise typer.Exit(0 if answer.get("decision") == "allow" else 1)


def _wrong(why: str) -> typer.Exit:
    print(f"irsa-doctor: {why}", file=sys.stderr)
    return typer.Exit(2)
