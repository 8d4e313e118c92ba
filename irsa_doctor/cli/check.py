"""`irsa-doctor check`: lint what was given."""

import sys
from typing import Annotated

import typer


def check(
    paths: Annotated[list[str], typer.Argument(help="Files, folders, or - for standard input.")],
    format_: Annotated[str, typer.Option("--format", "-f", help="text, json, sarif or github.")] = "text",
    output: Annotated[str | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    fail_on: Annotated[
        str, typer.Option(help="Exit 1 at this severity and above: low, medium, high, critical or never.")
    ] = "high",
    select: Annotated[list[str] | None, typer.Option(help="Only these rules; repeatable, or separated by commas.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Not these rules.")] = None,
    complete: Annotated[
        list[str] | None, typer.Option(help="Kubernetes kinds that are there whole: serviceaccounts, pods, ...")
    ] = None,
    role: Annotated[list[str] | None, typer.Option(help="ARN=PATH: the role of a bare policy.")] = None,
    cluster: Annotated[list[str] | None, typer.Option(help="NAME=PATH: the cluster of Kubernetes documents.")] = None,
    account: Annotated[str | None, typer.Option(help="Account id of answers that name none.")] = None,
    strict: Annotated[bool, typer.Option(help="Exit 3 where something needed was unknown.")] = False,
    exit_zero: Annotated[bool, typer.Option(help="Exit 0 whatever was found.")] = False,
) -> None:
    """Check trust policies, OIDC providers, clusters and service accounts.

    Exit 0 nothing at or above --fail-on, 1 findings, 2 wrong call or nothing readable, 3 incomplete (--strict).
    """
    import gc

    gc.disable()  # one run, then the process ends: collecting cycles of a large inventory only costs time
    from irsa_doctor import api
    from irsa_doctor.findings import SEVERITIES
    from irsa_doctor.reports import FORMATS, style_for
    from irsa_doctor.rulebook import shipped_rules

    known = {rule.id for rule in shipped_rules()}
    chosen, left = _listed(select), _listed(ignore)
    for name in (*chosen, *left):
        if name not in known:
            raise _wrong(f"no rule {name}")
    if format_ not in FORMATS:
        raise _wrong(f"no format {format_}: {', '.join(FORMATS)}")
    if fail_on not in (*SEVERITIES, "never"):
        raise _wrong(f"--fail-on {fail_on}: low, medium, high, critical or never")
    stdin = sys.stdin.buffer.read() if "-" in paths else None
    report = api.check(
        paths,
        stdin=stdin,
        roles={path: arn for arn, path in _pairs(role, "--role ARN=PATH")},
        clusters={path: name for name, path in _pairs(cluster, "--cluster NAME=PATH")},
        account=account,
        complete=_listed(complete),
        select=chosen,
        ignore=left,
    )
    stream = sys.stdout
    text = FORMATS[format_](report, style_for(stream))
    if output:
        with open(output, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        stream.write(text)
        stream.flush()
    if not any(row.status == "read" for row in report.documents):
        first = next((row for row in report.documents), None)
        raise _wrong(f"nothing could be read: {first.path}: {first.why}" if first else "nothing could be read")
    if exit_zero:
        return
    bar = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on != "never" else ()
    if any(finding.severity in bar for finding in report.findings):
        raise typer.Exit(1)
    if strict and report.unknown:
        raise typer.Exit(3)


def _listed(values: list[str] | None) -> tuple[str, ...]:
    return tuple(part.strip() for value in values or () for part in value.split(",") if part.strip())


def _pairs(values: list[str] | None, form: str) -> list[tuple[str, str]]:
    pairs = []
    for value in values or ():
        left, equals, right = value.partition("=")
        if not equals or not left or not right:
            raise _wrong(f"{value}: expected {form}")
        pairs.append((left, right))
    return pairs


def _wrong(why: str) -> typer.Exit:
    print(f"irsa-doctor: {why}", file=sys.stderr)
    return typer.Exit(2)
