"""`python -m tools.site FOLDER`: writes the sources of the site into a folder, and empties it before."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.site.errors import error_pages
from tools.site.kept import PLAYGROUND, kept_pages, playground_page
from tools.site.page import Page
from tools.site.reference import issuer_pages, schema_files, schema_pages
from tools.site.rulebook import rulebook_pages


def pages() -> Iterator[Page]:
    """Every page of the site."""
    yield from kept_pages()
    yield playground_page()
    yield from rulebook_pages()
    yield from error_pages()
    yield from issuer_pages()
    yield from schema_pages()


def write(folder: Path) -> int:
    """Write the pages to `FOLDER/pages`, and what is published as it is to `FOLDER/files`; returns how many pages there are."""
    shutil.rmtree(folder, ignore_errors=True)
    written = 0
    for page in pages():
        path = folder / "pages" / page.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page.text, encoding="utf-8")
        written += 1
    schemas = folder / "files" / "schemas"
    schemas.mkdir(parents=True)
    for name, path in schema_files().items():
        shutil.copy(path, schemas / f"{name}.json")
    if PLAYGROUND.is_dir():
        shutil.copytree(PLAYGROUND, folder / "files" / "playground")
    return written


if __name__ == "__main__":
    print(f"{write(Path(sys.argv[1]))} pages")
