"""Stands before a server that plays AWS and refuses what is asked of it: roles of accounts, operations, too many calls."""

import http.client
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

_REFUSED = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    "<RequestId>made-up</RequestId></ErrorResponse>"
)


class Front(ThreadingHTTPServer):
    """`dark` accounts admit nobody, `slow` ones do not answer until they are `released`, `denied` operations are denied, each
    `throttled`-th call is one too many. An operation is its name, in APIs of paths the path."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Through)
        self.port = port
        self.dark: set[str] = set()
        self.slow: set[str] = set()
        self.released = threading.Event()
        self.denied: set[str] = set()
        self.throttled = 0
        self.calls: Counter[str] = Counter()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> "Front":
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()

    def refusal(self, operation: str, role: str) -> str:
        """The code of a refusal, "" where the call is passed on."""
        with self.lock:
            self.calls[operation] += 1
            is_one_too_many = self.throttled and sum(self.calls.values()) % self.throttled == 0
        if is_one_too_many:
            return "Throttling"
        if operation == "AssumeRole" and any(f"::{each}:" in role for each in self.slow):
            self.released.wait(60)
        if operation in self.denied or (operation == "AssumeRole" and any(f"::{each}:" in role for each in self.dark)):
            return "AccessDenied"
        return ""


class _Through(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        form = dict(parse_qsl(body.decode(errors="replace"))) if b"Action=" in body else {}
        operation = form.get("Action") or self.headers.get("X-Amz-Target", "").rpartition(".")[2] or self.path
        if code := self.server.refusal(operation, form.get("RoleArn", "")):
            says = f"not authorized to perform {operation}"
            xml = _REFUSED.format(code=code, message=says)
            text = xml if form else json.dumps({"__type": code, "message": says})
            self._say(400 if code == "Throttling" else 403, text.encode(), {"x-amzn-errortype": code})
            return
        back = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        back.request(self.command, self.path, body, dict(self.headers.items()))
        answer = back.getresponse()
        self._say(answer.status, answer.read(), dict(answer.headers.items()))
        back.close()

    def _say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower().startswith("x-amz") or name.lower() == "content-type":
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
