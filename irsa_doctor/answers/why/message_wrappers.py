"""How logs, terminals and data formats wrap a message: every example is read in each of these forms too."""

import json
import textwrap
from collections.abc import Callable, Mapping
from html import escape
from urllib.parse import quote, quote_plus

_WIDTH = 80


def _logged(text: str) -> str:
    return json.dumps({"level": "error", "ts": 1764320000.5, "logger": "setup", "msg": "start failed", "error": text})


def _twice(text: str) -> str:
    return json.dumps({"log": _logged(text) + "\n", "stream": "stderr", "kubernetes": {"pod_name": "checkout-0"}})


def _three_times(text: str) -> str:
    return json.dumps({"message": _twice(text), "logGroup": "/aws/containerinsights/prod/application"})


def _ascii(text: str) -> str:
    """JSON as the encoders of Go and PHP write it: signs of HTML and slashes are escaped."""
    line = json.dumps({"err": text}).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return line.replace("'", "\\u0027").replace("/", "\\/")


def _element(text: str) -> str:
    return f"<Event><Data Name='message'>{escape(text)}</Data></Event>"


def _klog(text: str) -> str:
    return f'E1128 09:14:02.123456       1 controller.go:324] "Reconciler error" err={json.dumps(text)} controller="role"'


def _logfmt(text: str) -> str:
    return f"ts=2026-11-28T09:14:02.123Z caller=main.go:42 level=error msg={json.dumps(text)} attempt=3"


def _coloured(text: str) -> str:
    return f"\x1b[31m\x1b[1mError:\x1b[0m\x1b[0m {text}\x1b[0m\n\x1b[2mretrying\x1b[0m"


def _framed(text: str) -> str:
    lines = [
        line
        for part in text.splitlines()
        for line in textwrap.wrap(part, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    ]
    return "\n".join(["\u2577", *(f"\u2502 {line}" for line in ["Error: applying", "", *lines]), "\u2575"])


def _filled(text: str) -> str:
    return textwrap.fill(
        f"2026-11-28 09:14:02 ERROR  {text}", _WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _cut(text: str) -> str:
    """As a terminal breaks a line: anywhere."""
    line = " ".join(text.split())
    return "\n".join(line[at : at + _WIDTH] for at in range(0, len(line), _WIDTH))


def _event(text: str) -> str:
    return (
        f"LAST SEEN   TYPE      REASON        OBJECT        MESSAGE\n12s         Warning   UpdateFailed  role/checkout {text}"
    )


def _stack(text: str) -> str:
    return f'Exception in thread "main" x.y.Failed: {text}\r\n\tat x.y.Main.run(Main.java:42)\r\n\t... 12 more\r\n'


WRAPPERS: Mapping[str, Callable[[str], str]] = {
    "json": _logged,
    "json in json": _twice,
    "json in json in json": _three_times,
    "json of another encoder": _ascii,
    "xml": _element,
    "a part of a URL": lambda text: f"GET /callback?state=1&error_description={quote_plus(text)} 302",
    "a path of a URL": lambda text: f"GET /errors/{quote(text, safe='')} 302",
    "klog": _klog,
    "logfmt": _logfmt,
    "colours": _coloured,
    "a frame": _framed,
    "filled lines": _filled,
    "broken lines": _cut,
    "an event": _event,
    "a stack": _stack,
    "a repr of Python": lambda text: f"Traceback (most recent call last):\n  raise Failed({text!r})",
    "a repr of bytes": lambda text: f"stderr: {text.encode()!r}",
}
"""the forms by name"""
