"""`irsa-doctor explain`: what one rule finds, or what one cause of `why` means."""

import re
import shlex
from typing import Annotated

import typer

from irsa_doctor.cli.output import print_text
from irsa_doctor.cli.wrong import wrong


def explain(
    ident: Annotated[str, typer.Argument(metavar="ID", help="A rule, or a cause that `why` names.")],
) -> None:
    """Explain a rule or a cause, with its remedy and sources."""
    from irsa_doctor import api

    try:
        page = api.explain(ident)
    except api.UnknownId as error:
        is_message = " " in ident.strip() or re.search("[a-z][A-Z]", ident)
        hint = f" To diagnose a message run: irsa-doctor why --error {shlex.quote(ident)}" if is_message else ""
        hint = " The rules are listed by: irsa-doctor rules list" if ident.lower() in ("all", "list", "rules", "*") else hint
        raise wrong(f"{error}{hint}") from error
    print_text(api.render_explanation(page, api.style_for()))
