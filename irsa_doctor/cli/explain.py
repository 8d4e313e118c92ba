"""`irsa-doctor explain`: what one rule finds, or what one cause of `why` means."""

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
        raise wrong(str(error)) from error
    print_text(api.render_explanation(page, api.style_for()))
