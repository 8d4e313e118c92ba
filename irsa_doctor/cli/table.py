"""The commands by name, each imported and made when it is called or listed: a run pays for its own alone."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer

from irsa_doctor.cli.help import Command


class CommandTable(Mapping[str, Any]):
    """Name -> command of click. `homes`: name -> the module of `cli` and the function or Typer application in it."""

    def __init__(self, homes: Mapping[str, str]) -> None:
        self._homes = homes
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _made(name, self._homes[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)


def _made(name: str, home: str) -> Any:
    module, _, attribute = home.partition(".")
    called = getattr(import_module(f"irsa_doctor.cli.{module}"), attribute)
    if isinstance(called, typer.Typer):
        command = typer.main.get_command(called)
        command.name = name
        return command
    single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    single.command(name, cls=Command)(called)
    return typer.main.get_command(single)
