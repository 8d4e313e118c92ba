"""How the help of a command is laid out: its options in groups, and two examples at the end."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from irsa_doctor.cli.wrong import wrong

WIDTH = 100
"""Columns that the help takes at most; a narrower terminal is filled."""

GROUPS = {
    "Input": (
        *(
            "--complete",
            "--role",
            "--policy",
            "--cluster",
            "--azure-app",
            "--iam-policy",
            "--parameters",
            "--account",
            "--base",
            "--changed",
            "--git",
        ),
        *("--all-folders", "--as-of", "--config", "--no-config", "--config-from", "--rules"),
        *("--max-age", "--since", "--until", "--head", "--limit", "--keep", "--keep-last", "--expiring"),
        *("--run", "--from", "--to"),
        *("--watch", "--all", "--token", "--event", "--lookup-events", "--error"),
        *("--vectors", "--trust-policy", "--issuer", "--partition", "--sub", "--aud", "--context"),
    ),
    "Output": (
        *("--format", "--output", "--quiet", "--statistics", "--show-fixes", "--show-unknown"),
        *("--force", "--audit", "--keep-issuer", "--sample", "--seed", "--ap", "--lines"),
        *("--redact", "--write-baseline", "--fail-on", "--allow-new", "--gate-unknown", "--strict", "--exit-zero"),
        *(
            "--max-seconds",
            "--max-memory",
            "--store",
            "--work",
            "--jobs",
            "--dask",
            "--dask-ship",
            "--no-store",
            "--head-file",
            "--diff",
            "--write",
            "--commands",
            "--unsafe-fixes",
        ),
    ),
    "Selection": (
        *("--select", "--ignore", "--min-severity", "--min-confidence", "--framework", "--baseline"),
        "--no-inline-ignores",
    ),
    "Live": (
        *("--aws", "--kube", "--live", "--kube-context", "--kubeconfig", "--profile", "--assume-role", "--region"),
        *("--timeout", "--fetch-issuer", "--token-secrets"),
        *(
            "--org",
            "--assume-role-name",
            "--external-id",
            "--ou",
            "--exclude",
            "--kube-map",
            "--rate",
            "--account-timeout",
            "--fresh",
        ),
    ),
}
"""The groups in the order in which they are shown, each with its options in any order."""

GENERAL = "General"
"""The group of what no other lists, shown last."""

EXAMPLES = {
    "": ("irsa-doctor check policies/ k8s/", "irsa-doctor why billing/invoices --live"),
    "check": (
        "irsa-doctor check policies/ k8s/ --complete serviceaccounts",
        "irsa-doctor check --live --fail-on critical -f text -f sarif:irsa.sarif",
    ),
    "why": (
        "irsa-doctor why billing/invoices cluster/ --complete serviceaccounts",
        "irsa-doctor why pod/billing/invoices-7d9f --live --error @pod.log",
    ),
    "reach": (
        "irsa-doctor reach group:developers cluster/",
        "irsa-doctor reach serviceaccount:shop/web cluster/ -f html > reach.html",
    ),
    "who-can": (
        "irsa-doctor who-can shop-invoices roles.json serviceaccounts.yaml",
        "irsa-doctor who-can arn:aws:iam::111122223333:role/shop-invoices --live -f json",
    ),
    "mcp": (
        "irsa-doctor mcp snapshot.json",
        "irsa-doctor mcp k8s/ policies/ --aws --profile audit",
    ),
    "generate": (
        "irsa-doctor generate intent.yaml cluster.json -f terraform -f kubernetes -o infra",
        "irsa-doctor generate intent.yaml -f rcp --keep-issuer https://token.actions.githubusercontent.com",
    ),
    "verify": (
        "irsa-doctor verify intent.yaml --live",
        "irsa-doctor verify intent.yaml infra/ snapshot.json --complete serviceaccounts -f github",
    ),
    "infer": (
        "irsa-doctor infer snapshot.json -o intent.yaml",
        "irsa-doctor infer --live --strict",
    ),
    "simulate": (
        "irsa-doctor simulate --vectors requests.jsonl",
        (
            "irsa-doctor simulate -f text --trust-policy trust.json --account 111122223333"
            " --issuer https://oidc.example.com --sub system:serviceaccount:billing:invoices"
        ),
    ),
    "diff": ("irsa-doctor diff roles-before.json roles-after.json", "irsa-doctor diff --git origin/main policies/"),
    "fix": (
        "irsa-doctor fix policies/ k8s/ --diff | git apply",
        "irsa-doctor fix policies/ --complete serviceaccounts --write",
    ),
    "collect": ("irsa-doctor collect -o live.json", "irsa-doctor collect -o shared.json --redact --aws --profile audit"),
    "permissions": ("irsa-doctor permissions check", "irsa-doctor permissions collect --kube"),
    "rules": ("irsa-doctor rules list", "irsa-doctor rules test my-rules/"),
    "rules list": ("irsa-doctor rules list", "irsa-doctor rules list -f json"),
    "rules show": ("irsa-doctor rules show open-aud-only", "irsa-doctor rules show open-aud-only -f json"),
    "rules test": ("irsa-doctor rules test", "irsa-doctor rules test my-rules/"),
    "audit": ("irsa-doctor audit run shards/ --store audit.db", "irsa-doctor audit changes --since 2026-11-01"),
    "audit run": ("irsa-doctor audit run shards/ --store audit.db", "irsa-doctor audit run shards/ --no-store -f json"),
    "audit history": ("irsa-doctor audit history", "irsa-doctor audit history --limit 10 -f json"),
    "audit changes": ("irsa-doctor audit changes --since 12", "irsa-doctor audit changes --since 2026-11-01 -f json"),
    "audit show": ("irsa-doctor audit show 12", "irsa-doctor audit show 12 -f json"),
    "audit verify": ("irsa-doctor audit verify", 'irsa-doctor audit verify --head "$(tail -n 1 heads.txt)"'),
    "audit prune": ("irsa-doctor audit prune --keep 400d", "irsa-doctor audit prune --keep 90d --keep-last 12"),
    "audit waivers": ("irsa-doctor audit waivers", "irsa-doctor audit waivers --expiring 30d"),
    "audit report": (
        "irsa-doctor audit report --framework soc2 -o soc2.html",
        "irsa-doctor audit report --framework soc2 --from 2026-01-01 --to 2026-06-30 --sample 25 --seed 7 -f csv -o soc2.csv",
    ),
    "explain": ("irsa-doctor explain open-aud-only", "irsa-doctor explain trust-sub-mismatch"),
    "init": ("irsa-doctor init", "irsa-doctor init infra/ --force"),
    "schema": ("irsa-doctor schema check", "irsa-doctor schema settings"),
}
"""By the words of the command after `irsa-doctor`."""


def group_of(options: Sequence[str]) -> str:
    """The group of an option, by any of its flags; "General" where no group lists it."""
    return next((group for group, flags in GROUPS.items() if not set(flags).isdisjoint(options)), GENERAL)


OPTIONS = {
    "--fix": "irsa-doctor fix edits the files; --show-fixes shows corrected policies",
    **dict.fromkeys(("--exclude", "--skip-path", "--skip-dirs"), 'write exclude = ["PATTERN"] into irsa-doctor.toml'),
    **dict.fromkeys(("--verbose", "-v"), "--show-unknown, --show-fixes and --debug show more"),
    **dict.fromkeys(("--output-format", "--reporter"), "--format chooses the format, --output the file"),
    **dict.fromkeys(("--severity", "--minimum-severity", "--level"), "--min-severity and --fail-on take a severity"),
    **dict.fromkeys(("--rule", "--check", "--only"), "--select takes rules and patterns"),
    **dict.fromkeys(("--skip", "--skip-check", "--exclude-rule", "--disable"), "--ignore takes rules and patterns"),
    **dict.fromkeys(("--soft-fail", "--no-fail"), "--exit-zero does that"),
    **dict.fromkeys(("--directory", "--dir", "--file", "--path", "-d"), "paths are arguments, without an option"),
    "--no-colour": "--no-color does that",
    "--colour": "--color does that",
    "--silent": "--quiet does that",
    "--json": "-f json does that",
    **dict.fromkeys(("--version", "-V"), "run irsa-doctor --version"),
    **dict.fromkeys(("--recursive", "-r", "-R"), "folders are read with all that is in them"),
    "-c": "--config takes a settings file",
    "--exit-code": "findings at --fail-on and above exit 1, with --exit-zero 0",
    **dict.fromkeys(("--list-rules", "--show-rules", "--list"), "run irsa-doctor rules list"),
    **dict.fromkeys(("--format", "-f"), "its output has one form; irsa-doctor rules show ID -f json has a rule as JSON"),
    "--watch": "irsa-doctor check has it; others: run it again, or as a hook of git",
    **dict.fromkeys(("--warnings-as-errors", "--max-warnings"), "--fail-on low counts every finding, --strict unknown inputs"),
    **dict.fromkeys(("--show-files", "--list-files"), "-f json lists them under documents"),
    "--explain": "run irsa-doctor explain ID",
    **dict.fromkeys(("--add-noqa", "--update-baseline", "--generate-baseline"), "--write-baseline accepts present findings"),
    "--stdin-filename": "- reads standard input; what it is shows from its content",
    **dict.fromkeys(("--staged", "--cached"), "--git HEAD compares the work tree with the last commit"),
    "--diff": "irsa-doctor diff --git REVISION compares with a revision",
    **dict.fromkeys(("-n", "--namespace"), "the namespace is a part of the target: NAMESPACE/SERVICEACCOUNT"),
}
"""options of other programs -> what does it here"""


def _corrected(error: Any, command: str) -> str:
    """What is wrong with an option, in one line, with what does it here or is spelt nearly the same."""
    if error.option_name in OPTIONS:
        return f"{command} has no option {error.option_name}: {OPTIONS[error.option_name]}"
    near = " or ".join(f'"{name}"' for name in error.possibilities or ())
    return f"{command} has no option {error.option_name}." + (f" Did you mean {near}?" if near else "")


_HYPHEN = "\N{NON-BREAKING HYPHEN}"
"""in the place of a hyphen while lines are filled: a name that is copied must be in one line"""


class Command(TyperCommand):
    """A command whose help has its options in groups and ends with examples."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; an unknown option is one line, with what may be meant."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            # typer has a click of its own, or that of its surroundings: the class is known by its name alone
            if type(error).__name__ != "NoSuchOption":
                raise
            raise wrong(_corrected(error, ctx.command_path.partition(" ")[2] or "irsa-doctor")) from error

    def get_help(self, ctx: Any) -> str:
        """Return the help, in which no name is divided at a hyphen."""
        return super().get_help(ctx).replace(_HYPHEN, "-")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then each group of options."""
        _write_options(self.get_params(ctx), ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples."""
        _write_examples(ctx, formatter)


class Commands(TyperGroup):
    """A group of commands whose help is laid out like that of a command."""

    def get_help(self, ctx: Any) -> str:
        """Return the help, in which no name is divided at a hyphen."""
        return super().get_help(ctx).replace(_HYPHEN, "-")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then the commands."""
        _write_options(self.get_params(ctx), ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples."""
        _write_examples(ctx, formatter)


def _write_options(parameters: Iterable[Any], ctx: Any, formatter: Any) -> None:
    rows: dict[str, list[tuple[str, str]]] = {}
    for parameter in parameters:
        if row := parameter.get_help_record(ctx):
            section = group_of(parameter.opts) if parameter.param_type_name == "option" else "Arguments"
            rows.setdefault(section, []).append((row[0], re.sub(r"\b-\b", _HYPHEN, _filled(row[1]))))
    for section in ("Arguments", *GROUPS, GENERAL):
        if section in rows:
            with formatter.section(section):
                formatter.write_dl(rows[section])


def _filled(text: str) -> str:
    """The help of an option with the names that `{formats}` and `{frameworks}` mean: each is listed in one place alone."""
    if "{formats}" not in text and "{frameworks}" not in text:
        return text
    from irsa_doctor import api

    names = {"{formats}": api.ANSWER_FORMATS["check"], "{frameworks}": tuple(api.framework_ids())}
    for placeholder, listed in names.items():
        text = text.replace(placeholder, f"{', '.join(listed[:-1])} or {listed[-1]}")
    return text


def _write_examples(ctx: Any, formatter: Any) -> None:
    """Each example as it can be pasted into a shell."""
    _, _, command = ctx.command_path.partition(" ")
    if command in EXAMPLES:
        with formatter.section("Examples"):
            for example in EXAMPLES[command]:
                formatter.write("".join(f"  {line}\n" for line in shell_lines(example, formatter.width - 2)))


def shell_lines(command: str, width: int) -> list[str]:
    """The command, divided before its options into lines of at most so many columns where that can be."""
    first, *options = re.split(" (?=-)", command)
    lines = [first]
    for option in options:
        if len(f"{lines[-1]} {option} \\") <= width:
            lines[-1] += f" {option}"
        else:
            lines[-1] += " \\"
            lines.append(f"    {option}")
    return lines


def context_settings() -> dict[str, Any]:
    """The settings of click for every command: `-h` too, and the width of the terminal."""
    return {"help_option_names": ["-h", "--help"], "max_content_width": WIDTH}
