"""`irsa-doctor explain`: what one rule finds, or what one cause of `why` means."""

from typing import Annotated

import typer

from irsa_doctor.cli.output import say
from irsa_doctor.cli.wrong import wrong


def explain(
    ident: Annotated[str, typer.Argument(metavar="ID", help="A rule, or a cause that `why` named.")],
) -> None:
    """Explain a rule or a cause: what is wrong, what follows, what to do, and who says so."""
    from irsa_doctor.answers.check.examples import illustration_of
    from irsa_doctor.answers.why.modes import modes
    from irsa_doctor.facts import did_you_mean
    from irsa_doctor.reports import style_for
    from irsa_doctor.reports.rule_page import render_mode_text, render_rule_text
    from irsa_doctor.rulebook.rules import shipped_rules

    rules = {rule.id: rule for rule in shipped_rules()}
    if ident in rules:
        say(render_rule_text(rules[ident], style_for(), illustration_of(rules[ident])))
    elif ident in modes():
        say(render_mode_text(modes()[ident], style_for()))
    else:
        raise wrong(f"nothing is called {ident}.{did_you_mean(ident, modes())}")
