"""Commands that read what is missing, with names of the input in them."""

import shlex


def shell_command(template: str, *values: str) -> str:
    """A command with values in the places of `{}`, each quoted for a POSIX shell.

    Names come out of documents that anybody may have written. "" where one begins with a dash: it would be an option.
    """
    if any(value.startswith("-") for value in values):
        return ""
    return template.format(*map(shlex.quote, values))
