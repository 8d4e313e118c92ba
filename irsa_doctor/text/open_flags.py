"""Flags for os.open, as far as the system has them: Windows has no links to refuse and no pipes to wait for."""

import os

BYTES = getattr(os, "O_BINARY", 0)
"""read and write as is: Windows would change line ends"""

NO_WAIT = BYTES | getattr(os, "O_NONBLOCK", 0)
"""wait for no writer of a pipe"""

NO_LINK = BYTES | getattr(os, "O_NOFOLLOW", 0)
"""refuse a path that is a link, whatever it was before"""

READ = os.O_RDONLY | NO_WAIT
READ_NO_LINK = READ | NO_LINK

WRITE_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK
"""a file that was not there before"""
