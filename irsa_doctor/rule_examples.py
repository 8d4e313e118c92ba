"""Runs the examples of rules: each a merge patch on one healthy world, loaded and judged like anybody's documents."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor import api
from irsa_doctor.engine import NAME, Answer, ask
from irsa_doctor.facts import Judged, View, derive
from irsa_doctor.findings import Report
from irsa_doctor.model import Unknown, Verdict
from irsa_doctor.rulebook import BASE, SUBJECTS, Example, Rule, RuleFile, read_yaml, rules_folder
from irsa_doctor.settings import Settings
from irsa_doctor.sources import load

World = Mapping[str, Any]


class Failure(msgspec.Struct, frozen=True, order=True):
    """An example, or a rule as a whole (`example` is ""), that is not what it says."""

    rule: str
    example: str
    says: str


class Outcome(msgspec.Struct, frozen=True):
    """What came of all examples."""

    rules: int
    examples: int
    failures: tuple[Failure, ...]


class _Judged(msgspec.Struct, frozen=True):
    """One example: its report, and its subjects."""

    report: Report
    subjects: list[Judged]

    def fired(self) -> set[str]:
        return {finding.rule for finding in self.report.findings}


def base_world() -> World:
    """The healthy world, on which every rule is silent."""
    world: World = read_yaml((rules_folder() / BASE).read_bytes())
    return world


def patched(value: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7396); null removes a member."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(value) if isinstance(value, dict) else {}
    for key, change in patch.items():
        if change is None:
            merged.pop(key, None)
        else:
            merged[key] = patched(merged.get(key), change)
    return merged


def documents_of(world: World) -> dict[str, bytes]:
    """The native documents of a world: what `aws` and `kubectl` would have written of it."""
    text = msgspec.json.encode
    closed = set(world.get("closed", ()))
    roles = [{"RoleName": name, "Path": "/", **role} for name, role in world.get("roles", {}).items()]
    found = {"roles.json": text({"RoleDetailList": roles, "IsTruncated": "roles" not in closed})}
    providers = world.get("providers", {})
    listed = [{"Arn": provider["Arn"]} for provider in providers.values()]
    more = {} if "providers" in closed else {"IsTruncated": True}
    found["oidc-providers.json"] = text({"OpenIDConnectProviderList": listed, **more})
    for name, provider in providers.items():
        if "ClientIDList" in provider:
            found[f"oidc-provider-{name}.json"] = text({k: v for k, v in provider.items() if k != "Arn"})
    clusters = world.get("clusters", {})
    if "clusters" in closed:
        found["clusters.json"] = text({"clusters": list(clusters)})
    for name, cluster in clusters.items():
        found[f"{name}/cluster.json"] = text({"cluster": {"name": name, **cluster}})
    for name, objects in world.get("objects", {}).items():
        items = list(objects.values())
        found[f"{name}/objects.json"] = text({"apiVersion": "v1", "kind": "List", "items": items})
    associations = list(world.get("associations", {}).values())
    if associations or "associations" in closed:
        short = [{k: v for k, v in a.items() if k in _LISTED} for a in associations]
        found["associations.json"] = text({"associations": short})
    for number, association in enumerate(associations):
        if "roleArn" in association:
            found[f"association-{number}.json"] = text({"association": association})
    for path, content in world.get("files", {}).items():
        found[path] = content.encode(errors="surrogatepass") if isinstance(content, str) else text(content)
    return found


_LISTED = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId")


def named(world: World) -> World:
    """A world with the short names of its long values spelt out, in keys as well."""
    spelt: World = _named({key: value for key, value in world.items() if key != "names"}, world.get("names", {}))
    return spelt


def _named(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {_named(key, names): _named(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    if isinstance(value, str):
        for name, long in names.items():
            value = value.replace(name, long)
    return value


def _judge(world: World, rules: Sequence[Rule]) -> _Judged:
    full = named(world)
    settings = msgspec.convert(full.get("settings", {}), Settings)
    settings = msgspec.structs.replace(settings, complete=tuple(full.get("complete", ())))
    loaded = load((), memory=documents_of(full), complete=settings.complete)
    report = api.judge(loaded, rules, settings)
    return _Judged(report, derive(View(loaded.inventory, settings.audiences)))


def run_examples(files: Sequence[RuleFile], others: Iterable[Rule] = ()) -> Outcome:
    """Every example of every rule against all rules; `others` are rules that the examples must not fire either."""
    rules = [*(file.rule for file in files), *others]
    base = base_world()
    healthy = _judge(base, rules)
    failures = [Failure(rule, "", "fires on the healthy world") for rule in sorted(healthy.fired())]
    examples = 0
    for file in files:
        bad = [_judge(patched(base, example.patch), rules) for example in file.examples.bad]
        good = [_judge(patched(base, example.patch), rules) for example in file.examples.good]
        examples += len(bad) + len(good)
        for example, judged in zip(file.examples.bad, bad, strict=True):
            failures += _bad(file.rule, example, judged)
        for example, judged in zip(file.examples.good, good, strict=True):
            failures += _good(file.rule, example, judged)
        failures += _mutants(file.rule, bad)
    return Outcome(len(files), examples, tuple(failures))


def _bad(rule: Rule, example: Example, judged: _Judged) -> Iterator[Failure]:
    yield from _fires(rule, example, judged, {rule.id} if example.fires is None else set(example.fires))
    if example.fires is not None and rule.id not in example.fires:
        yield Failure(rule.id, example.name, "a bad example fires its own rule: add it to `fires`")
    wanted = {name for text in (rule.message, *rule.places.values()) for name in NAME.findall(text)}
    for subject in judged.subjects:
        if _fails(rule, subject) and (unknown := wanted - set(subject.evidence().names)):
            yield Failure(rule.id, example.name, f"the evidence has no {', '.join(sorted(unknown))}")


def _good(rule: Rule, example: Example, judged: _Judged) -> Iterator[Failure]:
    yield from _fires(rule, example, judged, set(example.fires or ()))
    if not example.patch:
        yield Failure(rule.id, example.name, "an example without a patch is the healthy world")
    if rule.id in (example.fires or ()):
        yield Failure(rule.id, example.name, "a good example does not fire its own rule")
    tally = next((t for t in judged.report.tallies if t.id == rule.id), None)
    if tally is None or not tally.passed:
        yield Failure(rule.id, example.name, "the rule examined nothing here, or could not tell")


def _fires(rule: Rule, example: Example, judged: _Judged, wanted: set[str]) -> Iterator[Failure]:
    fired = judged.fired()
    if fired != wanted:
        says = f"fires {', '.join(sorted(fired)) or 'nothing'}; expected {', '.join(sorted(wanted)) or 'nothing'}"
        yield Failure(rule.id, example.name, says)


def _mutants(rule: Rule, bad: Sequence[_Judged]) -> Iterator[Failure]:
    """Every clause must be missed where it is left out, and every value that a clause excludes must be shown."""
    if "waiver" in rule.subject:
        return
    subjects = [subject for judged in bad for subject in judged.subjects]
    for clause in rule.require:
        left = msgspec.structs.replace(rule, require=[other for other in rule.require if other is not clause])
        if all(_fails(left, subject) == _fails(rule, subject) for subject in subjects):
            yield Failure(rule.id, "", f"no bad example violates the clause {clause.name}")
        for fact, schema in clause.facts.items():
            shown = {getattr(s.facts, fact) for s in subjects if _has(s, fact) and _fails(rule, s)}
            for value in schema.get("not", {}).get("enum", ()):
                if value not in shown:
                    yield Failure(rule.id, "", f"no bad example has {fact} = {value}, which the clause {clause.name} excludes")


def _has(subject: Judged, fact: str) -> bool:
    return hasattr(subject.facts, fact) and not isinstance(getattr(subject.facts, fact), Unknown)


def _fails(rule: Rule, subject: Judged) -> bool:
    if not isinstance(subject.facts, tuple(SUBJECTS[kind] for kind in rule.subject)):
        return False
    answer: Answer | None = ask(rule, subject.facts)
    return answer is not None and answer.verdict is Verdict.FAIL
