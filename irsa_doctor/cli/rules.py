"""`irsa-doctor rules`: what the rules are, and whether their examples say the truth."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from irsa_doctor.cli.output import say
from irsa_doctor.cli.wrong import wrong

app = typer.Typer(help="List, show and test rules.", no_args_is_help=True)
Format = Annotated[str, typer.Option("--format", "-f", help="text or json.")]


@app.command("list")
def list_(format_: Format = "text") -> None:
    """List every built-in rule, by family."""
    from irsa_doctor.reports import style_for
    from irsa_doctor.reports.rule_page import render_rules_json, render_rules_text
    from irsa_doctor.rulebook.rules import shipped_rules

    rules = sorted(shipped_rules(), key=lambda rule: (rule.family, rule.id))
    if _is_json(format_):
        say(render_rules_json(rules))
    else:
        say(render_rules_text(rules, style_for()))


@app.command()
def show(rule: Annotated[str, typer.Argument(metavar="ID", help="A rule id.")], format_: Format = "text") -> None:
    """Show one rule: what it asks, why, what to do, and who says so."""
    from irsa_doctor.answers.check.examples import illustration_of
    from irsa_doctor.facts import did_you_mean
    from irsa_doctor.reports import style_for
    from irsa_doctor.reports.rule_page import render_rule_text, render_rules_json
    from irsa_doctor.rulebook.rules import shipped_rules

    known = {found.id: found for found in shipped_rules()}
    if rule not in known:
        raise wrong(f"no rule {rule}.{did_you_mean(rule, known)}")
    if _is_json(format_):
        say(render_rules_json([known[rule]]))
    else:
        say(render_rule_text(known[rule], style_for(), illustration_of(known[rule])))


@app.command("test")
def run_tests(
    folder: Annotated[Path | None, typer.Argument(help="A folder of rule files; without it, the built-in ones.")] = None,
) -> None:
    """Run the examples of rules: bad ones fire, good ones pass, and every clause is needed.

    Exit 0: all right. 1: an example is not what it says. 2: a rule that could not work.
    """
    from irsa_doctor.answers.check.examples import run_examples
    from irsa_doctor.reports.escape import for_terminal
    from irsa_doctor.rulebook.files import read_rule_files, rules_folder
    from irsa_doctor.rulebook.rules import RuleError, shipped_rules

    try:
        files = read_rule_files(folder or rules_folder())
    except RuleError as error:
        raise wrong(str(error)) from error
    ids = {file.rule.id for file in files}
    outcome = run_examples(files, [rule for rule in shipped_rules() if rule.id not in ids])
    for failure in outcome.failures:
        print(
            for_terminal(f"{failure.rule}{': ' if failure.example else ''}{failure.example}: {failure.says}"), file=sys.stderr
        )
    said = f"{len(outcome.failures)} wrong" if outcome.failures else "all right"
    say(f"{outcome.rules} rules, {outcome.examples} examples: {said}\n")
    raise typer.Exit(1 if outcome.failures else 0)


def _is_json(format_: str) -> bool:
    if format_ not in ("text", "json"):
        raise wrong(f"no format {format_}: text, json")
    return format_ == "json"
