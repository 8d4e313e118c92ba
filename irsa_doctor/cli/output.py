"""Standard output and standard error, whatever reads them."""

import os
import sys


def print_text(text: str) -> None:
    """Write text; a character that the encoding lacks becomes its number. A closed pipe ends the run with 141."""
    encoding = sys.stdout.encoding or "utf-8"
    print_bytes(text.encode(encoding, errors="backslashreplace"))


def print_bytes(content: bytes) -> None:
    """Write bytes as they are. A closed pipe ends the run with 141."""
    try:
        sys.stdout.flush()
        left = memoryview(content)
        while left:
            # with PYTHONUNBUFFERED one call may take only what a pipe has room for
            left = left[sys.stdout.buffer.write(left) :]
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python would complain once more when it closes the stream at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None


def print_error(line: str) -> None:
    """Write one line to standard error, safe for a terminal and without secrets."""
    from irsa_doctor import api

    print(api.without_commands(api.for_terminal(api.masked(line))), file=sys.stderr)


def print_note(note: str) -> None:
    """Write one line to standard error that begins with the name of the program."""
    print_error(f"irsa-doctor: {note}")
