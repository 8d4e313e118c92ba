"""The types that other programs see: stubs of the packages that load their names when they are first used."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import irsa_doctor
from irsa_doctor import api

_PACKAGE = Path(__file__).parent.parent / "irsa_doctor"


def stubs() -> Iterator[tuple[Path, bytes]]:
    """The stub of each such package with what it should hold."""
    homes = {name: module for module, names in api.EXPORTS.items() for name in names.split()}
    yield (
        _PACKAGE / "api" / "__init__.pyi",
        _stub(homes, "from collections.abc import Mapping\n", "EXPORTS: Mapping[str, str]\n"),
    )
    offered = {name: homes.get(name, "version") for name in irsa_doctor.__all__}
    yield _PACKAGE / "__init__.pyi", _stub(offered)


def _stub(homes: Mapping[str, str], *lines: str) -> bytes:
    """A stub that gives every name from its module; `lines` are what it says besides."""
    rows = sorted(f"from irsa_doctor.{module} import {name} as {name}\n" for name, module in homes.items())
    return "".join(["# Written by make generated\n", *lines, *rows, "\n__all__: list[str]\n"]).encode()
