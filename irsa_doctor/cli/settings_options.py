"""The options that declare what documents do not say, and how they take precedence over the settings."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from irsa_doctor.cli.options import (
    AccountId,
    AllFolders,
    AzureApps,
    Clusters,
    Complete,
    Config,
    IamPolicies,
    NoConfig,
    ParameterFiles,
    Roles,
    with_options,
)
from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.api import Settings


class GoverningSettings(NamedTuple):
    """The settings that hold; where they are those of a revision, that and the settings that the work tree proposes.

    `compared` are pairs of both, before the flags that filter: what the files say, and what they say with the rules and the
    baseline of flags.
    """

    settings: "Settings"
    proposed: "Settings | None" = None
    revision: str = ""
    compared: "Sequence[tuple[Settings, Settings]]" = ()


SettingsAt = Callable[[str | None], AbstractContextManager[GoverningSettings]]
"""a revision of git, None for the work tree -> the settings that govern, while the context lasts"""


class DeclaredFlags(NamedTuple):
    """What options say that documents do not, and where the settings are over which they take precedence."""

    config: str | None
    no_config: bool
    flags: Mapping[str, Any]


def file_options(
    *,
    complete: Complete = None,
    roles: Roles = None,
    parameters: ParameterFiles = None,
    azure_app: AzureApps = None,
    iam_policy: IamPolicies = None,
    account: AccountId = None,
    config: Config = None,
    no_config: NoConfig = False,
    all_folders: AllFolders = False,
) -> DeclaredFlags:
    """What the options of every command that reads files declare."""
    flags = {"complete": listed(complete), "roles": roles, "parameters": parameters, "account": account}
    of_clouds = {"azure_apps": azure_app, "iam_policies": iam_policy}
    return DeclaredFlags(config, no_config, {**flags, **of_clouds, "all_folders": all_folders or None})


@with_options(declared=file_options)
def declared_options(*, declared: DeclaredFlags, cluster: Clusters = None) -> DeclaredFlags:
    """What these options declare, and the clusters of Kubernetes documents."""
    return with_clusters(declared, cluster)


def with_clusters(declared: DeclaredFlags, clusters: Sequence[str] | None) -> DeclaredFlags:
    """What is declared, with the clusters of documents as `NAME=PATH`."""
    return declared._replace(flags={**declared.flags, "clusters": clusters})


@with_options(declared=declared_options)
def settings_options(*, declared: DeclaredFlags) -> "Settings":
    """The settings of the folder that the command runs in, over which the flags take precedence."""
    return declared_settings(declared)


def declared_settings(declared: DeclaredFlags) -> "Settings":
    """The settings of the folder that the command runs in, over which what is declared takes precedence."""
    return flags_over_settings(declared.config, declared.no_config, **declared.flags)


@with_options(declared=declared_options)
def compared_options(*, declared: DeclaredFlags) -> SettingsAt:
    """The function that gives the settings of a comparison, from the revision that it is with or, for None, of the folder."""

    def settings_of(revision: str | None) -> AbstractContextManager[GoverningSettings]:
        at = None if declared.no_config else revision
        return governing_settings(at, declared.config, declared.no_config, **declared.flags)

    return settings_of


def listed(values: Sequence[str] | None) -> tuple[str, ...]:
    """Values that were repeated or separated by commas."""
    return tuple(part.strip() for value in values or () for part in value.split(",") if part.strip())


def flags_over_settings(
    config: str | None,
    no_config: bool,
    *,
    roles: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    parameters: Sequence[str] | None = None,
    **flags: Any,
) -> "Settings":
    """The settings of the folder that the command runs in, over which every flag that is present takes precedence."""
    from irsa_doctor import api

    if config and no_config:
        raise wrong("--config and --no-config contradict each other")
    try:
        settings = api.Settings() if no_config else api.load_settings(".", config)
    except api.SettingsError as error:
        hint = "; to read no settings: --no-config" if config == os.devnull else ""
        raise wrong(f"{error}{hint}") from error
    return _put_over(settings, roles=roles, clusters=clusters, parameters=parameters, **flags)


@contextmanager
def governing_settings(
    revision: str | None,
    config: str | None,
    no_config: bool,
    *,
    rules: Sequence[str] = (),
    baseline: str | None = None,
    **flags: Any,
) -> Iterator[GoverningSettings]:
    """The settings that govern a run: those of the work tree, or of a revision."""
    written = flags_over_settings(config, no_config)
    now = _put_over(written, rules=tuple(rules), baseline=baseline, **flags)
    if revision is None:
        yield GoverningSettings(now)
        return
    if no_config:
        raise wrong("--config-from and --no-config contradict each other")
    from irsa_doctor import api

    with ExitStack() as stack:
        try:
            then, copy_of = stack.enter_context(api.settings_at(revision, config))
            copies = tuple(map(copy_of, rules))
            known = copy_of(baseline) if baseline else None
        except (api.NoRevision, api.SettingsError) as error:
            raise wrong(str(error)) from error
        compared = [(then, written)]
        if rules or baseline:
            both = _put_over(then, rules=copies, baseline=known), _put_over(written, rules=tuple(rules), baseline=baseline)
            compared.append(both)
        held = _put_over(then, rules=copies, baseline=known, but_tracked=True, **flags)
        yield GoverningSettings(held, now, revision, compared)


def _put_over(
    settings: "Settings",
    *,
    roles: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    parameters: Sequence[str] | None = None,
    azure_apps: Sequence[str] | None = None,
    iam_policies: Sequence[str] | None = None,
    **flags: Any,
) -> "Settings":
    import msgspec

    present = {name: value for name, value in flags.items() if value or value is False}
    if account := present.get("account"):
        check_account(account)
    if complete := present.get("complete"):
        present["complete"] = _kinds(complete)
    of_roles = _pairs(roles, "--role", "ARN=PATH")
    of_clusters = _pairs(clusters, "--cluster", "NAME=PATH")
    of_apps = _pairs(azure_apps, "--azure-app", "CLIENTID=PATH")
    of_resources = _pairs(iam_policies, "--iam-policy", "RESOURCE=PATH")
    return msgspec.structs.replace(
        settings,
        roles={**settings.roles, **of_roles},
        clusters={**settings.clusters, **of_clusters},
        parameters={**settings.parameters, **_parameter_files(parameters)},
        azure_apps=of_apps,
        iam_policies=of_resources,
        named=tuple(path for paths in (of_roles, of_clusters, of_apps, of_resources) for path in paths.values()),
        **present,
    )


def _parameter_files(values: Sequence[str] | None) -> dict[str, str]:
    """The files of parameters by the normal paths of their templates."""
    pairs = {os.path.normpath(name): file for name, file in _pairs(values, "--parameters", "TEMPLATE=FILE").items()}
    if absent := next((name for name in pairs if not os.path.exists(name)), None):
        raise wrong(f"--parameters {absent}={pairs[absent]}: there is no template {absent}")
    if len(pairs) < len(values or ()):
        raise wrong("--parameters: a template has one file of parameters in a run; check once for each deployment")
    return pairs


def _kinds(names: Sequence[str]) -> tuple[str, ...]:
    from irsa_doctor import api

    try:
        return tuple(map(api.kind_named, names))
    except api.UnknownKind as error:
        raise wrong(f"--complete: {error}") from error


def check_account(account: str) -> None:
    """Refuse what cannot be an account id."""
    if not (len(account) == 12 and account.isascii() and account.isdigit()):
        raise wrong(f"--account {account}: an account id has twelve digits")


def _pairs(values: Sequence[str] | None, flag: str, form: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for value in values or ():
        left, equals, right = value.partition("=")
        if not equals or not left or not right:
            raise wrong(f"{flag} {value}: expected is {form}")
        if right != "-" and not os.path.exists(right):
            raise wrong(f"{flag} {value}: there is no such file")
        pairs[left] = right
    return pairs
