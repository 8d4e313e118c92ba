# Long: one program, with the table that it prints
"""Measures speed, memory and growth on generated estates, beside Python's own `json.load` and two tools of the field.

`make bench`, or `python -m tests.bench [--large] [--peers VENV] [--before REV]`. Times are medians in seconds, memory is a
process's peak.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.access_world import write_access
from tests.estate import cases, generate
from tests.facts.reach.worlds import COMPLETE
from tests.terraform import write_configuration, write_plan

SIZES = (1_000, 4_000, 16_000)
LARGE = (64_000, 200_000)

# A process counts what it held before it became the program that was asked for, so the parent must be small.
LEAN = """
import os, sys, time
out, err = (os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for name in sys.argv[1:3])
actions = [(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, err, 2)]
start = time.perf_counter()
_, status, used = os.wait4(os.posix_spawnp(sys.argv[3], sys.argv[3:], os.environ, file_actions=actions), 0)
wall = time.perf_counter() - start
print(os.waitstatus_to_exitcode(status), wall, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
_ASKED = ("AWS", "Kubernetes")
NOTHING = "import json, sys"
LOAD = "import json, sys\nfor path in sys.argv[1:]:\n    with open(path, 'rb') as file: json.load(file)"
SMALL = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE"},
            "Action": "sts:AssumeRoleWithWebIdentity",
        }
    ],
}
PARLIAMENT = """
import json, sys, warnings
warnings.simplefilter("ignore")
from parliament import analyze_policy_string
flagged = []
for line in open(sys.argv[1]):
    name, policy = json.loads(line)
    if analyze_policy_string(json.dumps(policy)).findings:
        flagged.append(name)
print(json.dumps(flagged))
"""


Policies = dict[str, object]


class Run(NamedTuple):
    """What a process used: seconds, seconds, MiB."""

    wall: float
    cpu: float
    memory: float


class Failed(Exception):
    """A program that did not do what it was measured at."""


class Bench:
    """A folder to work in, and how often to measure."""

    def __init__(self, folder: Path, tool: Sequence[str], times: int) -> None:
        self.folder = folder
        self.tool = list(tool)
        self.times = times

    def once(self, command: Sequence[str | Path], right: Iterable[int] = (0,)) -> Run:
        """Run a program; what it printed is in `out` and `err` of the folder."""
        lean: list[str | Path] = [sys.executable, "-I", "-S", "-c", LEAN, self.folder / "out", self.folder / "err"]
        used = subprocess.run([*lean, *command], stdout=subprocess.PIPE, check=True, text=True, stdin=subprocess.DEVNULL).stdout
        code, wall, cpu, memory = used.split()
        if int(code) not in right:
            said = (self.folder / "err").read_text().strip() or (self.folder / "out").read_text()
            raise Failed(f"{command[0]}: exit {code}: {said[-300:]}")
        return Run(float(wall), float(cpu), float(memory) / 1024)

    def run(self, command: Sequence[str | Path], times: int = 0) -> Run:
        runs = [self.once(command) for _ in range(times or self.times)]
        return Run(*(statistics.median(column) for column in zip(*runs, strict=True)))

    def check(self, *paths: Path, times: int = 0) -> Run:
        """`check`, the service accounts taken for complete."""
        return self.run([*self.tool, "check", *paths, "--complete", "serviceaccounts", "-f", "json", "--exit-zero"], times)

    def load(self, files: Sequence[Path], times: int = 0) -> float:
        """CPU seconds of json.load on the files, start-up taken off."""
        bare = self.run([sys.executable, "-c", NOTHING], times).cpu
        return self.run([sys.executable, "-c", LOAD, *files], times).cpu - bare

    def estate(self, roles: int) -> tuple[Path, list[Path]]:
        folder = self.folder / f"estate-{roles}"
        return folder, generate(folder, roles)


def table(title: str, rows: Iterable[Sequence[str]]) -> None:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print(f"\n{title}")
    for row in rows:
        first, *others = zip(row, widths, strict=True)
        print("  " + "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]))


def row(name: str, value: float, unit: str, limit: float | None = None) -> tuple[str, str, str, str]:
    verdict = "" if limit is None else "ok" if value <= limit else "OVER"
    return name, f"{value:.3f} {unit}".strip(), "" if limit is None else f"at most {limit:g}", verdict


def speed(bench: Bench, roles: int) -> None:
    """The estate, one small file, and no file at all."""
    folder, files = bench.estate(roles)
    small = small_file(bench)
    load, whole, one = bench.load(files), bench.check(folder), bench.check(small)
    version = bench.run([*bench.tool, "--version"])
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    table(
        f"{roles} roles and {roles} service accounts, {megabytes:.1f} MB of JSON",
        [
            row("json.load of the same files, CPU", load, "s"),
            row("check, CPU", whole.cpu, "s"),
            row("check, wall", whole.wall, "s", 1.0),
            row("check, peak memory", whole.memory, "MiB", 250),
            row("check of one small file, CPU", one.cpu, "s"),
            row("check of one small file, wall", one.wall, "s", 0.3),
            row("(check - small file) / json.load, CPU", (whole.cpu - one.cpu) / load, "x", 12),
            row("--version, wall", version.wall, "s", 0.15),
        ],
    )
    shutil.rmtree(folder)


def small_file(bench: Bench) -> Path:
    """One role in one file: what it takes to start."""
    small = bench.folder / "small.json"
    small.write_text(json.dumps(SMALL))
    return small


def beside(bench: Bench, roles: int, files: int, megabytes: int, revision: str) -> None:
    """The same estate and the same Terraform with this tree and with another commit, in turn: what else runs on the machine
    slows both alike."""
    tree = bench.folder / "before"
    repository = ["git", "-C", str(Path(__file__).parent)]
    added = subprocess.run([*repository, "worktree", "add", "--quiet", "--detach", tree, revision], check=False)
    if added.returncode:
        print(f"\nnot compared with {revision}: git has no such commit here", file=sys.stderr)
        return
    try:
        tools = {"this tree": bench.tool, revision: _tool_of(tree)}
        _in_turn(bench, roles, tools)
        _terraform_in_turn(bench, files, megabytes, tools)
    finally:
        subprocess.run([*repository, "worktree", "remove", "--force", tree], check=True)


def _tool_of(tree: Path) -> list[str]:
    """How to call irsa-doctor as it is in a folder, with the libraries of this environment."""
    return ["env", f"PYTHONPATH={tree}", sys.executable, "-P", "-m", "irsa_doctor"]


def _in_turn(bench: Bench, roles: int, tools: dict[str, list[str]]) -> None:
    """A row for each of several tools; the first round, which compiles their modules, does not count."""
    folder, files = bench.estate(roles)
    small = small_file(bench)
    benches = {name: Bench(bench.folder, tool, 1) for name, tool in tools.items()}
    loads, used = [], {name: list[tuple[float, float]]() for name in tools}
    for _ in range(bench.times + 1):
        loads.append(bench.load(files, 1))
        for name, own in benches.items():
            used[name].append((own.check(folder).cpu, own.check(small).cpu))
    load = statistics.median(loads[1:])
    rows: list[tuple[str, ...]] = [("", "check CPU", "small file", "(check - small file) / json.load")]
    for name, runs in used.items():
        whole, one = (statistics.median(column) for column in zip(*runs[1:], strict=True))
        rows.append((name, f"{whole:.3f}", f"{one:.3f}", f"{(whole - one) / load:.2f} x"))
    table(f"beside {list(tools)[-1]}: {roles} roles, json.load {load:.3f} s", rows)
    shutil.rmtree(folder)


def _terraform_in_turn(bench: Bench, files: int, megabytes: int, tools: dict[str, list[str]]) -> None:
    """Configuration and a plan; the other commit's number is what this tree's may exceed by a tenth."""
    folder, plan = bench.folder / "configuration-in-turn", bench.folder / "plan-in-turn" / "tfplan.json"
    write_configuration(folder, files)
    plan.parent.mkdir()
    write_plan(plan, megabytes * 1_000_000)
    rows = []
    for name, path in ((f"{files} files of Terraform", folder), (f"a plan of {megabytes} MB", plan)):
        used = {tool: list[float]() for tool in tools}
        for number in range(bench.times + 1):
            for tool, call in tools.items():
                run = Bench(bench.folder, call, 1).check(path)
                used[tool] += [run.cpu] if number else []
        ours, others = map(statistics.median, used.values())
        rows.append(row(f"{name}: {ours:.2f} s and {others:.2f} s, CPU", ours / others, "x", 1.1))
        # what else runs on the machine only ever adds
        rows.append(row(f"{name}: the quickest runs", min(used["this tree"]) / min(used[list(tools)[-1]]), "x", 1.1))
    table(f"beside {list(tools)[-1]}: Terraform", rows)
    shutil.rmtree(folder)
    shutil.rmtree(plan.parent)


def growth(bench: Bench, sizes: Sequence[int]) -> None:
    """How the time grows with the estate; start-up, as one small file shows it, is taken off."""
    rows: list[tuple[str, ...]] = [("roles", "json.load CPU", "check CPU", "wall", "MiB", "CPU per 1,000 roles")]
    points, bare = [], []
    start = bench.check(bench.folder / "small.json").cpu
    for roles in sizes:
        folder, files = bench.estate(roles)
        times = bench.times if roles <= max(SIZES) else 1
        load, whole = bench.load(files, times), bench.check(folder, times=times)
        shutil.rmtree(folder)
        points.append((math.log(roles), math.log(max(whole.cpu - start, 1e-3))))
        bare.append((math.log(roles), math.log(max(load, 1e-3))))
        numbers = (load, whole.cpu, whole.wall)
        rows.append(
            (str(roles), *(f"{n:.2f}" for n in numbers), f"{whole.memory:.0f}", f"{(whole.cpu - start) / roles * 1000:.4f}")
        )
    table("growth", rows)
    exponents = [row("of json.load", slope(bare), ""), row("of check, beyond one small file", slope(points), "", 1.1)]
    table("exponents of growth", exponents)


def live(bench: Bench, roles: int) -> None:
    """`why` of one target over HTTP, against servers on loopback in this process, and how often they were called."""
    from tests.answers.why.world import TARGET
    from tests.servers.estate import estate

    aws, kubernetes = estate(roles)
    with aws, kubernetes:
        flags = ["--live", "--kubeconfig", kubernetes.kubeconfig(bench.folder)]
        known = dict(os.environ)
        os.environ.update(aws.environment)
        rows: list[tuple[str, ...]] = []
        for name, asked, limit in (("why of a service account", TARGET, 3.0), ("why --all", "--all", None)):
            used = bench.run([*bench.tool, "why", asked, *flags, "--exit-zero", "-f", "json"])
            rows.append(row(f"{name}, wall", used.wall, "s", limit))
            rows.append(row(f"{name}, peak memory", used.memory, "MiB"))
            calls = len(aws.calls), len(kubernetes.calls)
            rows += [
                row(f"{name}, calls of {who}", number / bench.times, "") for who, number in zip(_ASKED, calls, strict=True)
            ]
            aws.calls.clear()
            kubernetes.calls.clear()
        os.environ.clear()
        os.environ.update(known)
    table(f"live: an account of {roles} roles, a cluster of {roles} service accounts and pods", rows)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line that fits the points best."""
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def peers(bench: Bench, roles: int, venv: Path | None) -> None:
    """The same roles given to others, and which of the wrong and of the right ones each speaks of."""
    right: set[str] = set()
    wrong: set[str] = set()
    policies: Policies = {}
    for case, is_right, trust in cases(roles, 7):
        (right if is_right else wrong).add(case.name)
        policies[case.name] = {"Version": "2012-10-17", "Statement": [trust]}
    rows: list[tuple[str, ...]] = [("", "CPU", "wall", "MiB", "ms per role", "of the wrong", "of the right")]
    for name, measure in (("irsa-doctor", ours), ("parliament", parliament), ("checkov", checkov)):
        try:
            used, flagged = measure(bench, policies, venv)
        except (Failed, OSError) as error:
            print(f"\n{name} was not measured: {error}", file=sys.stderr)
            continue
        cells = (f"{used.cpu:.2f}", f"{used.wall:.2f}", f"{used.memory:.0f}", f"{used.cpu / roles * 1000:.3f}")
        rows.append((name, *cells, share(flagged, wrong), share(flagged, right)))
    table(f"{roles} roles, found to be wrong", rows)


def share(flagged: set[str], of: set[str]) -> str:
    return f"{len(flagged & of)} of {len(of)}"


def ours(bench: Bench, policies: Policies, venv: Path | None) -> tuple[Run, set[str]]:
    folder, _ = bench.estate(len(policies))
    used = bench.check(folder, times=1)
    said = json.loads((bench.folder / "out").read_text())
    subjects = " ".join(finding["subject"]["id"].replace("#", " ") for finding in said["findings"])
    words = {word.rpartition("/")[2] for word in subjects.split()}
    return used, words & policies.keys()


def of_peer(venv: Path | None, program: str) -> Path:
    path = (venv or Path(sys.prefix)) / "bin" / program
    if not path.exists():
        raise Failed(f"no {path}; `make bench` installs it")
    return path


def parliament(bench: Bench, policies: Policies, venv: Path | None) -> tuple[Run, set[str]]:
    lines = bench.folder / "policies.jsonl"
    lines.write_text("".join(json.dumps(item) + "\n" for item in policies.items()))
    used = bench.once([of_peer(venv, "python"), "-c", PARLIAMENT, lines])
    return used, set(json.loads((bench.folder / "out").read_text()))


def checkov(bench: Bench, policies: Policies, venv: Path | None) -> tuple[Run, set[str]]:
    """As one CloudFormation template, since it reads no answers of the AWS CLI."""
    program = of_peer(venv, "checkov")
    names = {name.replace("-", ""): name for name in policies}
    properties = {short: {"RoleName": name, "AssumeRolePolicyDocument": policies[name]} for short, name in names.items()}
    resources = {short: {"Type": "AWS::IAM::Role", "Properties": value} for short, value in properties.items()}
    template = bench.folder / "template.json"
    template.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}, indent=1))
    asked: list[str | Path] = [
        "--file",
        template,
        "--framework",
        "cloudformation",
        "--output",
        "json",
        "--quiet",
        "--compact",
        "--skip-download",
    ]
    used = bench.once([program, *asked], (0, 1))
    failed = json.loads((bench.folder / "out").read_text())["results"]["failed_checks"]
    return used, {names[found["resource"].rpartition(".")[2]] for found in failed}


def templates(bench: Bench, files: int, megabytes: int, venv: Path | None) -> None:
    """Terraform as it is written and as it is planned, given to us and to checkov."""
    folder, plan = bench.folder / "terraform", bench.folder / "plan" / "tfplan.json"
    write_configuration(folder, files)
    plan.parent.mkdir()
    roles = write_plan(plan, megabytes * 1_000_000)
    size = sum(path.stat().st_size for path in folder.rglob("*.tf")) / 1e6
    forms: Sequence[tuple[str, Path, list[str | Path]]] = (
        (f"{files} files of configuration, {size:.1f} MB", folder, ["--directory", folder, "--framework", "terraform"]),
        (
            f"a plan with {roles} roles, {plan.stat().st_size / 1e6:.0f} MB",
            plan,
            ["--file", plan, "--framework", "terraform_plan"],
        ),
    )
    rows: list[tuple[str, ...]] = [("", "", "CPU", "wall", "MiB", "findings")]
    for what, path, asked in forms:
        for name, measure in (("irsa-doctor", partial(_ours_of, path)), ("checkov", partial(_checkov_of, asked, venv))):
            try:
                used, found = measure(bench)
            except (Failed, OSError) as error:
                print(f"\n{name} was not measured: {error}", file=sys.stderr)
                continue
            rows.append((what, name, f"{used.cpu:.2f}", f"{used.wall:.2f}", f"{used.memory:.0f}", str(found)))
    table("Terraform", rows)


def fixes(bench: Bench, files: int) -> None:
    """`fix --diff` beside `check` of the same files: policies, and Terraform configuration."""
    policies, configuration = bench.folder / "policies", bench.folder / "fixed-configuration"
    policies.mkdir()
    for case, _, trust in cases(files, 7):
        text = json.dumps({"Version": "2012-10-17", "Statement": [trust]}, indent=2)
        (policies / f"{case.name}.json").write_text(text, encoding="utf-8")
    write_configuration(configuration, files)
    rows: list[tuple[str, str, str, str]] = []
    for name, path in (("policies", policies), ("HCL", configuration)):
        same: list[str | Path] = [path, "--exit-zero", "--no-config"]
        checked = bench.run([*bench.tool, "check", *same], 3)
        fixed = bench.run([*bench.tool, "fix", "--diff", *same], 3)
        rows += [
            row(f"check of {files} files of {name}, CPU", checked.cpu, "s"),
            row(f"fix --diff of them, CPU, beside check: {name}", fixed.cpu / checked.cpu, "x", 2),
        ]
    table("fix", rows)


def access(bench: Bench, accounts: int) -> None:
    """What RBAC costs: `check` with it beside `check` without, `who-can` and `reach`, and twice of everything."""
    costs: dict[str, list[float]] = {}
    for size in (accounts, 2 * accounts):
        folder, bare = bench.folder / f"access-{size}", bench.folder / f"without-access-{size}"
        write_access(folder, size)
        write_access(bare, size, access=False)
        same: list[str | Path] = ["--no-config", "--complete", ",".join(COMPLETE), "-f", "json"]
        asked: dict[str, list[str | Path]] = {
            "check without RBAC": ["check", bare, "--exit-zero", *same],
            "check": ["check", folder, "--exit-zero", *same],
            "who-can": ["who-can", "role-3", folder, *same],
            "reach": ["reach", "group:team-1", folder, *same],
        }
        for name, arguments in asked.items():
            costs.setdefault(name, []).append(bench.run([*bench.tool, *arguments], 3).cpu)
    rows = [row("check beside check without RBAC, CPU", costs["check"][0] - costs["check without RBAC"][0], "s", 2)]
    for name, (one, two) in costs.items():
        rows += [row(f"{name}, CPU", one, "s", 2 if name in ("who-can", "reach") else None)]
        rows += [row(f"{name}, twice of everything", two / one, "x", 2.6)]
    table(f"RBAC: {accounts} service accounts, {2 * accounts // 5} bindings, {accounts // 5} roles, 20 IAM roles", rows)


def audits(bench: Bench, sizes: tuple[int, int]) -> None:
    """Audits of an organisation in shards; measured once, for each takes long."""
    from tests.bench_audit import audit_rows

    rows = []
    for name, value, unit, limit, is_least in audit_rows(bench.folder, bench.tool, sizes):
        cells = row(name, value, unit, limit)
        if limit is not None and is_least:
            cells = (*cells[:2], f"at least {limit:g}", "ok" if value >= limit else "UNDER")
        rows.append(cells)
    table("audits in shards of 500 roles", rows)


def _ours_of(path: Path, bench: Bench) -> tuple[Run, int]:
    used = bench.run([*bench.tool, "check", path, "-f", "json", "--exit-zero", "--no-config"], 1)
    return used, len(json.loads((bench.folder / "out").read_text())["findings"])


def _checkov_of(asked: Sequence[str | Path], venv: Path | None, bench: Bench) -> tuple[Run, int]:
    more = ["--output", "json", "--quiet", "--compact", "--skip-download", "--download-external-modules", "false"]
    used = bench.once([of_peer(venv, "checkov"), *asked, *more], (0, 1))
    return used, len(json.loads((bench.folder / "out").read_text())["results"]["failed_checks"])


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--roles", type=int, default=5_000)
    parser.add_argument("--times", type=int, default=5, help="measure so often, and take the median")
    parser.add_argument("--large", action="store_true", help="growth up to 200,000 roles (a few minutes, 1 GB of disk)")
    parser.add_argument("--before", default="HEAD~1", metavar="REV", help="the commit that this tree is compared with")
    parser.add_argument("--peers", type=Path, metavar="VENV", help="the environment with parliament and checkov in it")
    parser.add_argument("--peer-roles", type=int, default=500, help="how many roles the others are given")
    parser.add_argument("--files", type=int, default=1_000, help="how many files of Terraform configuration are written")
    parser.add_argument("--plan", type=int, default=20, metavar="MB", help="how large a Terraform plan is written")
    parser.add_argument("--accounts", type=int, default=5_000, help="how many service accounts the cluster with RBAC has")
    parser.add_argument("--only-access", action="store_true", help="only measure what RBAC costs")
    parser.add_argument("--only-beside", action="store_true", help="only compare this tree with the commit of --before")
    parser.add_argument("--only-audit", action="store_true", help="only measure audits of an organisation")
    parser.add_argument("--audit-roles", type=int, nargs=2, default=(20_000, 100_000), help="two sizes of an organisation")
    parser.add_argument("--tool", default=f"{sys.executable} -m irsa_doctor", help="how to call irsa-doctor")
    return parser.parse_args()


def main() -> None:
    asked = options()
    with tempfile.TemporaryDirectory(prefix="irsa-doctor-bench-") as folder:
        bench = Bench(Path(folder), asked.tool.split(), asked.times)
        # without the compiled modules, each run would compile them anew
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors, medians of {asked.times}")
        if asked.only_beside:
            beside(bench, asked.roles, asked.files, asked.plan, asked.before)
            return
        if asked.only_access:
            access(bench, asked.accounts)
            return
        if asked.only_audit:
            audits(bench, tuple(asked.audit_roles))
            return
        speed(bench, asked.roles)
        beside(bench, asked.roles, asked.files, asked.plan, asked.before)
        live(bench, asked.roles)
        growth(bench, SIZES + LARGE if asked.large else SIZES)
        peers(bench, asked.peer_roles, asked.peers)
        templates(bench, asked.files, asked.plan, asked.peers)
        fixes(bench, asked.files)
        access(bench, asked.accounts)


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(str(error))
