"""`irsa-doctor rules`: what the rules are, and whether their examples hold."""

from pathlib import Path
from typing import Annotated

import typer

from irsa_doctor.cli.help import Command, Commands
from irsa_doctor.cli.options import Format
from irsa_doctor.cli.output import print_error, print_text
from irsa_doctor.cli.wrong import checked_format, wrong

app = typer.Typer(
    help="List, show and test rules.", no_args_is_help=True, add_completion=False, rich_markup_mode=None, cls=Commands
)


@app.command("list", cls=Command)
def list_(format_: Format = "text") -> None:
    """List the built-in rules by family."""
    from irsa_doctor import api

    output_format = checked_format("rules", format_)
    print_text(api.render_rules(api.list_rules(), output_format, api.style_for()))


@app.command(cls=Command)
def show(rule: Annotated[str, typer.Argument(metavar="ID", help="Id of a rule.")], format_: Format = "text") -> None:
    """Show one rule, with its remedy and sources."""
    from irsa_doctor import api

    output_format = checked_format("rules", format_)
    try:
        page = api.show_rule(rule)
    except api.UnknownRule as error:
        raise wrong(str(error)) from error
    if output_format == "json":
        print_text(api.render_rules([page.rule], output_format))
    else:
        print_text(api.render_explanation(page, api.style_for()))


@app.command("test", cls=Command)
def run_tests(
    folder: Annotated[Path | None, typer.Argument(help="A folder of rule files; without it, the built-in ones.")] = None,
) -> None:
    """Run the examples of rules, causes and messages.

    Bad examples must fire, good ones must pass, and every clause must be needed.

    Exit 0: every example holds. 1: an example does not hold. 2: a rule is not valid.
    """
    from irsa_doctor import api

    try:
        outcome = api.verify_rules(folder)
    except api.RuleError as error:
        raise wrong(str(error)) from error
    for failure in outcome.failures:
        print_error(f"{failure.rule}{': ' if failure.example else ''}{failure.example}: {failure.says}")
    result = f"{len(outcome.failures)} wrong" if outcome.failures else "all right"
    counts = {"rules": outcome.rules, "causes": outcome.causes, "messages": outcome.messages}
    listed = [f"{number} {what}" for what, number in counts.items() if number or what == "rules"]
    print_text(f"{', '.join(listed)}, {outcome.examples} examples: {result}\n")
    raise typer.Exit(1 if outcome.failures else 0)
