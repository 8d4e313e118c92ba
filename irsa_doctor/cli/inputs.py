"""The inputs that every command takes, and how flags go before settings."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.governance.settings import Settings

Paths = Annotated[
    list[str] | None,
    typer.Argument(help="Files, folders, or - for standard input; may be left out where AWS or a cluster is read."),
]
Complete = Annotated[
    list[str] | None,
    typer.Option(help="Kubernetes kinds that are there whole: serviceaccounts, pods, ...; what is missing does not exist."),
]
Roles = Annotated[list[str] | None, typer.Option("--role", help="ARN=PATH: the role of a bare policy; repeatable.")]
Clusters = Annotated[
    list[str] | None, typer.Option("--cluster", help="NAME=PATH: cluster of Kubernetes documents; repeatable.")
]
Account = Annotated[str | None, typer.Option(help="Account id of answers that name none.")]
Config = Annotated[str | None, typer.Option(help="Settings file, in place of the nearest irsa-doctor.toml.")]
NoConfig = Annotated[bool, typer.Option("--no-config", help="Take no settings file.")]


def listed(values: Sequence[str] | None) -> tuple[str, ...]:
    """Values that were repeated or separated by commas."""
    return tuple(part.strip() for value in values or () for part in value.split(",") if part.strip())


def given_paths(paths: Sequence[str] | None, live: object) -> list[str]:
    """The paths given; none are needed where something is read live."""
    if not paths and live is None:
        raise wrong("nothing to look at: give files or folders, or --live")
    return list(paths or ())


def read_stdin(paths: Sequence[str]) -> bytes | None:
    """Standard input where `-` is among the paths."""
    return sys.stdin.buffer.read() if "-" in paths else None


def flags_over_settings(
    config: str | None,
    no_config: bool,
    *,
    roles: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    **flags: Any,
) -> "Settings":
    """The settings of the folder that the command runs in, with every flag that was given put over them."""
    from irsa_doctor.governance.settings import Settings, SettingsError, load_settings

    if config and no_config:
        raise wrong("--config and --no-config contradict each other")
    try:
        settings = Settings() if no_config else load_settings(".", config)
    except SettingsError as error:
        raise wrong(str(error)) from error
    return put_over(settings, roles=roles, clusters=clusters, **flags)


@contextmanager
def governing_settings(
    revision: str | None,
    config: str | None,
    no_config: bool,
    *,
    rules: Sequence[str] = (),
    baseline: str | None = None,
    **flags: Any,
) -> "Iterator[tuple[Settings, Settings | None]]":
    """The settings that hold, and with a revision, of which they then are, those that the work tree proposes."""
    now = flags_over_settings(config, no_config, rules=tuple(rules), baseline=baseline, **flags)
    if revision is None:
        yield now, None
        return
    if no_config:
        raise wrong("--config-from and --no-config contradict each other")
    from irsa_doctor.governance.revision import NoRevision
    from irsa_doctor.governance.settings import SettingsError
    from irsa_doctor.governance.settings_at import settings_at

    with ExitStack() as stack:
        try:
            then, copy_of = stack.enter_context(settings_at(revision, config))
            copies = tuple(map(copy_of, rules))
            known = copy_of(baseline) if baseline else None
        except (NoRevision, SettingsError) as error:
            raise wrong(str(error)) from error
        yield put_over(then, rules=copies, baseline=known, **flags), now


def put_over(
    settings: "Settings", *, roles: Sequence[str] | None = None, clusters: Sequence[str] | None = None, **flags: Any
) -> "Settings":
    """The settings with every flag that was given put over them."""
    import msgspec

    given = {name: value for name, value in flags.items() if value or value is False}
    if account := given.get("account"):
        _check_account(account)
    return msgspec.structs.replace(
        settings,
        roles={**settings.roles, **_pairs(roles, "--role ARN=PATH")},
        clusters={**settings.clusters, **_pairs(clusters, "--cluster NAME=PATH")},
        **given,
    )


def _check_account(account: str) -> None:
    if not (len(account) == 12 and account.isascii() and account.isdigit()):
        raise wrong(f"--account {account}: an account id has twelve digits")


def _pairs(values: Sequence[str] | None, form: str) -> dict[str, str]:
    import os

    pairs: dict[str, str] = {}
    for value in values or ():
        left, equals, right = value.partition("=")
        if not equals or not left or not right:
            raise wrong(f"{form.partition(' ')[0]} {value}: expected is {form.partition(' ')[2]}")
        if right != "-" and not os.path.exists(right):
            raise wrong(f"{form.partition(' ')[0]} {value}: there is no {right}")
        pairs[left] = right
    return pairs
