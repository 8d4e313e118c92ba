"""`irsa-doctor init`: a settings file with comments, and the schemas for editors."""

import os
from typing import Annotated

import typer

from irsa_doctor.cli.destinations import refuse_targets, write_folder
from irsa_doctor.cli.output import print_note
from irsa_doctor.cli.wrong import wrong

_Folder = Annotated[str, typer.Argument(metavar="[FOLDER]", help="The folder of the settings; the current one by default.")]
_Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")]


def init(folder: _Folder = ".", force: _Force = False) -> None:
    """Write a settings file with every setting as a comment.

    Beside it, .irsa-doctor has the JSON Schemas of settings, rules and intents, for editors.

    Exit 0: written. 2: wrong call, or the file is there.
    """
    from irsa_doctor import api

    if not os.path.isdir(folder):
        raise wrong(f"{folder}: no such folder")
    files = api.initial_files(folder)
    file = os.path.normpath(os.path.join(folder, next(iter(files))))
    if os.path.lexists(file) and not force:
        raise wrong(f"{file} is there: --force replaces it")
    refuse_targets([file])
    write_folder([(path, [text]) for path, text in files.items()], folder)
    print_note(f"{file} written, and the schemas that it names for editors")
