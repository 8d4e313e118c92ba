"""SHA-256 of texts; that of a large one is worked out beside whatever reads it."""

import hashlib
import threading

_LARGE = 1 << 20
"""bytes for which a thread is worth its beginning: hashlib works on them without holding up other threads"""


class Digest:
    """The digest of a text, which is there when it is asked for."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._hex = ""
        self._thread = threading.Thread(target=self._work, daemon=True) if len(text) >= _LARGE else None
        try:
            if self._thread:
                self._thread.start()
        except RuntimeError:  # there are no threads in a browser, nor where the system gives no more of them
            self._thread = None

    def _work(self) -> None:
        self._hex = hashlib.sha256(self._text).hexdigest()

    @property
    def hex(self) -> str:
        """The digest in hexadecimal."""
        if self._thread:
            self._thread.join()
            self._thread = None
        if not self._hex:
            self._work()
        return self._hex
