"""Files of a git revision with its links followed, inside its tree only."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.governance.revision import NoRevision, blob_of, entries_at, files_at

_STEPS = 8
"""links that lead to one another, before they are taken to lead round"""


def followed_at(revision: str, paths: Sequence[str], top: str) -> Mapping[str, bytes]:
    """Path from the top -> content of every file at or below paths of a revision; what a link leads to is at the link's path.

    Raises NoRevision for a link that leads out of the tree, to nothing, or round: what it was meant to hold is not known.
    """
    tree = _Tree(revision, top)
    return {name: content for path in paths for name, content in tree.below(path, path, _STEPS)}


class _Tree(msgspec.Struct, frozen=True):
    revision: str
    top: str

    def below(self, shown: str, way: str, steps: int) -> Iterator[tuple[str, bytes]]:
        """Each file at or below a way, named as if the way were `shown`."""
        if steps < 0:
            raise self.wrong(shown, "leads round")
        real = self.without_links(way)
        if real is None:
            return
        named = _renaming(real, shown)
        for path, content in files_at(self.revision, [real], self.top).items():
            yield named(path), content
        for mode, _, path in entries_at(self.revision, real, self.top, recursive=True):
            if mode == _LINK:
                yield from self.below(named(path), path, steps - 1)

    def without_links(self, way: str) -> str | None:
        """The way without links; None where there is nothing, and no link that leads to it."""
        done: list[str] = []
        rest = way.split("/")
        steps = _STEPS
        while rest:
            part = rest.pop(0)
            if part == ".." and not done:
                raise self.wrong(way, "leads out of the repository")
            if part in ("", ".", ".."):
                done = done[:-1] if part == ".." else done
                continue
            entry = next(iter(entries_at(self.revision, "/".join((*done, part)), self.top)), None)
            if entry is None:
                if steps < _STEPS:
                    raise self.wrong(way, "leads to a file that is not there")
                return None
            if entry[0] != _LINK:
                done.append(part)
                continue
            steps -= 1
            rest = [*self.target(way, entry[1], steps), *rest]
        return "/".join(done) or "."

    def target(self, way: str, link: str, steps: int) -> list[str]:
        """The parts of what a link says."""
        text = blob_of(link, self.top).decode(errors="surrogateescape")
        if steps < 0:
            raise self.wrong(way, "leads round")
        if text.startswith("/"):
            raise self.wrong(way, "leads out of the repository")
        return text.split("/")

    def wrong(self, way: str, why: str) -> NoRevision:
        """That a link cannot be followed."""
        return NoRevision(f"{self.revision}:{way}: a link that {why}")


_LINK = "120000"


def _renaming(real: str, shown: str) -> Callable[[str], str]:
    """What names a path at or below `real` as if that were `shown`."""

    def named(path: str) -> str:
        rest = path if real == "." else path[len(real) :]
        return f"{shown}/{rest.lstrip('/')}" if rest else shown

    return named
