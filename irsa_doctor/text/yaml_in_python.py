"""PyYAML's parser in Python, where it differs from libyaml made to read what that reads: no value may hang on which is there.

The two differ in tabs, byte order marks within a text, headers of block scalars, directives and escapes
(https://github.com/yaml/libyaml/blob/master/src/scanner.c). `yaml` refuses tags that only one reads.
"""

from typing import Any

import yaml
from yaml.scanner import ScannerError

_BREAKS = "\r\n\x85\u2028\u2029"
_ENDS = "\0 \t" + _BREAKS
_MARK = "\ufeff"


class PythonParser(yaml.BaseLoader):
    """A parser that resolves nothing and reads as libyaml does."""

    def scan_to_next_token(self) -> None:
        """Skip what stands between tokens: tabs too where no indentation can be meant, and a mark that begins a line."""
        while True:
            super().scan_to_next_token()
            character = self.peek()
            is_separated = character == "\t" and (self.flow_level or not self.allow_simple_key)
            is_mark = character == _MARK and self.column == 0
            if not is_separated and not is_mark:
                return
            self.forward()
            # the reader counts no column for it, as libyaml does
            self.column += is_mark

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> list[str]:
        """The white space within a plain scalar as it is kept; none where the scalar ends."""
        blanks = ""
        while (character := self.peek()) in " \t":
            blanks += character
            self.forward()
        if self.peek() not in _BREAKS:
            return [blanks] if blanks else []
        first = self._line_break()
        self.allow_simple_key = True
        breaks: list[str] = []
        while (character := self.peek()) in " \t" + _BREAKS and not self._is_at_document():
            if character in _BREAKS:
                breaks.append(self._line_break())
                continue
            if character == "\t" and self.column < indent:
                raise ScannerError("while scanning a plain scalar", start_mark, "found a tab character", self.get_mark())
            self.forward()
        if self._is_at_document():
            return []
        kept = [first] if first != "\n" else [] if breaks else [" "]
        return [*kept, *breaks]

    def _line_break(self) -> str:
        read: str = self.scan_line_break()  # type: ignore[no-untyped-call]
        return read

    def _is_at_document(self) -> bool:
        return self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in _ENDS

    def scan_block_scalar_indicators(self, start_mark: Any) -> tuple[bool | None, int | None]:
        """What the header says of the last line breaks and the indentation; the rest of its line is read after it."""
        chomping: bool | None = None
        increment: int | None = None
        for _ in range(2):
            character = self.peek()
            if chomping is None and character in "+-":
                chomping = character == "+"
            elif increment is None and character in "123456789":
                increment = int(character)
            else:
                break
            self.forward()
        return chomping, increment

    def scan_block_scalar_ignored_line(self, start_mark: Any) -> None:
        """Read the rest of a header."""
        while self.peek() in " \t":
            self.forward()
        super().scan_block_scalar_ignored_line(start_mark)

    def scan_block_scalar_indentation(self) -> tuple[list[str], int, Any]:
        """The empty lines before a block scalar and the indentation of its first line."""
        read: tuple[list[str], int, Any] = super().scan_block_scalar_indentation()
        self._refuse_tab()
        return read

    def scan_block_scalar_breaks(self, indent: int) -> tuple[list[str], Any]:
        """The empty lines before a line of a block scalar."""
        read: tuple[list[str], Any] = super().scan_block_scalar_breaks(indent)
        if self.column < indent:
            self._refuse_tab()
        return read

    def _refuse_tab(self) -> None:
        if self.peek() == "\t":
            raise ScannerError("while scanning a block scalar", None, "found a tab character", self.get_mark())

    def scan_directive(self) -> Any:
        """A directive; libyaml knows these two and refuses others."""
        token = super().scan_directive()
        if token.name not in ("YAML", "TAG"):
            raise ScannerError("while scanning a directive", token.start_mark, "found an unknown directive", self.get_mark())
        return token

    def scan_flow_scalar_non_spaces(self, double: bool, start_mark: Any) -> list[str]:
        """A part of a quoted text; half of a surrogate pair is no character, and only an escape can write one."""
        chunks: list[str] = super().scan_flow_scalar_non_spaces(double, start_mark)
        if any("\ud800" <= character <= "\udfff" for chunk in chunks for character in chunk):
            raise ScannerError("while parsing a quoted scalar", start_mark, "invalid Unicode character escape", self.get_mark())
        return chunks

    def scan_tag(self) -> Any:
        """A tag, which a tab ends as a space does."""
        length = 1
        while self.peek(length) not in _ENDS:
            length += 1
        if self.peek(length) == "\t":
            at = self.pointer + length
            self.buffer = f"{self.buffer[:at]} {self.buffer[at + 1 :]}"
        return super().scan_tag()
