"""A headless Chromium that is driven over a pipe (DevTools protocol), and a web server for the files of a folder."""

import http.server
import itertools
import json
import os
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps"),
    *("--disable-features=Translate,OptimizationHints,MediaRouter", "--remote-debugging-pipe"),
)


class _Files(http.server.SimpleHTTPRequestHandler):
    """Serves files and notes each request."""

    extensions_map = {  # noqa: RUF012 - that of the base class
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".svg": "image/svg+xml",
    }

    def log_message(self, *args: object) -> None:
        self.server.requests.append(self.path)  # type: ignore[attr-defined]


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """While the context lasts, the address of a server for the files of a folder, and the paths that were asked for."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder)))
    server.requests = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", server.requests  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Browser:
    """One page in Chromium. `requests` are the addresses that the page and its workers asked for, `console` what they said."""

    def __init__(self, write: int, read: int) -> None:
        self.write, self.read = write, read
        self.numbers = itertools.count(1)
        self.buffer = b""
        self.answers: dict[int, dict[str, Any]] = {}
        self.requests: list[str] = []
        self.console: list[str] = []
        self.workers: list[str] = []
        self.page = self.address = ""
        self.served: list[str] = []

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """The answer to one call of the protocol."""
        number = self._send(method, session, parameters)
        end = time.monotonic() + 60
        while number not in self.answers:
            self._receive(end)
        answer = self.answers.pop(number)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, address: str, before: str = "") -> None:
        """Open an address in a new page; a script runs `before` those of the page."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.page = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Network", "Runtime", "Page", "Log"):
            self.call(f"{domain}.enable", self.page)
        self.call("Target.setAutoAttach", self.page, autoAttach=True, waitForDebuggerOnStart=True, flatten=True)
        if before:
            self.call("Page.addScriptToEvaluateOnNewDocument", self.page, source=before)
        self.call("Page.navigate", self.page, url=address)

    def value(self, expression: str, session: str = "") -> Any:
        """The value of an expression of JavaScript in the page, or in a worker."""
        answer = self.call(
            "Runtime.evaluate", session or self.page, expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = 60.0) -> Any:
        """The value of an expression once it is true."""
        end = time.monotonic() + seconds
        while not (value := self.value(expression)):
            assert time.monotonic() < end, (expression, self.console)
            self._receive(time.monotonic() + 0.05, must=False)
        return value

    def _send(self, method: str, session: str, parameters: dict[str, Any]) -> int:
        message: dict[str, Any] = {"id": next(self.numbers), "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        left = memoryview(json.dumps(message).encode() + b"\0")
        while left:
            left = left[os.write(self.write, left) :]
        return message["id"]

    def _receive(self, end: float, *, must: bool = True) -> None:
        """Take what the browser sends next."""
        while b"\0" not in self.buffer:
            if not select.select([self.read], [], [], max(0.0, end - time.monotonic()))[0]:
                assert not must, "the browser does not answer"
                return
            chunk = os.read(self.read, 1 << 16)
            assert chunk, "the browser has ended"
            self.buffer += chunk
        text, _, self.buffer = self.buffer.partition(b"\0")
        message = json.loads(text)
        if "id" in message:
            self.answers[message["id"]] = message
        elif handler := self._HANDLERS.get(message["method"]):
            handler(self, message["params"])

    def _attached(self, event: dict[str, Any]) -> None:
        session = event["sessionId"]
        if event["targetInfo"]["type"] == "worker":
            self.workers.append(session)
        for domain in ("Network", "Runtime"):
            self._send(f"{domain}.enable", session, {})
        self._send("Runtime.runIfWaitingForDebugger", session, {})

    def _requested(self, event: dict[str, Any]) -> None:
        self.requests.append(event["request"]["url"])

    def _logged(self, event: dict[str, Any]) -> None:
        self.console.append(event["entry"]["text"])

    def _said(self, event: dict[str, Any]) -> None:
        self.console.append(" ".join(str(argument.get("value")) for argument in event["args"]))

    def _thrown(self, event: dict[str, Any]) -> None:
        self.console.append(str(event["exceptionDetails"].get("exception", {}).get("description")))

    _HANDLERS: "dict[str, Callable[[Browser, dict[str, Any]], None]]" = {  # noqa: RUF012 - a table
        "Target.attachedToTarget": _attached,
        "Network.requestWillBeSent": _requested,
        "Log.entryAdded": _logged,
        "Runtime.consoleAPICalled": _said,
        "Runtime.exceptionThrown": _thrown,
    }


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """While the context lasts, a Chromium with a profile of its own."""
    assert CHROMIUM
    ours_read, theirs_write = os.pipe()
    theirs_read, ours_write = os.pipe()

    # bash, for dash takes no descriptor above 9; Chromium reads commands from descriptor 3 and writes answers to 4
    call = ["bash", "-c", f'exec "$0" "$@" 3<&{theirs_read} 4>&{theirs_write}', CHROMIUM, *_FLAGS, f"--user-data-dir={profile}"]
    process = subprocess.Popen(call, pass_fds=(theirs_read, theirs_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(theirs_read)
    os.close(theirs_write)
    try:
        yield Browser(ours_write, ours_read)
    finally:
        os.close(ours_write)
        os.close(ours_read)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
