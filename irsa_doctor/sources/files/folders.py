"""Names in the documents of a folder, and the nearest folder of a document that has any."""

import os


def folder_of(path: str) -> str:
    """The folder of a document, "" for standard input, which has none."""
    return "" if path == "-" else os.path.dirname(os.path.abspath(path))


class Folders:
    """Names (accounts, cluster ids, ...) by the folders of the documents that name them."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}
        self._nearest: dict[str, frozenset[str]] = {}

    def add(self, path: str, name: str) -> None:
        """Note a name that a document has."""
        if name:
            self._names.setdefault(folder_of(path), set()).add(name)
            self._nearest.clear()

    def nearest(self, path: str) -> frozenset[str]:
        """Return the names of the document's folder, else of the nearest folder above it that has any."""
        folder = folder_of(path)
        if folder not in self._nearest:
            self._nearest[folder] = self._search(folder)
        return self._nearest[folder]

    def _search(self, folder: str) -> frozenset[str]:
        while folder:
            if folder in self._names:
                return frozenset(self._names[folder])
            above = os.path.dirname(folder)
            folder = "" if above == folder else above
        return frozenset()

    def all(self) -> frozenset[str]:
        """Return the names of all folders."""
        return frozenset().union(*self._names.values())
