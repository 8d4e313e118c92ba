"""Runs the examples of rules: each a merge patch on one healthy world, loaded and judged like anybody's documents."""

import copy
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from irsa_doctor.answers.check.asking import RuleAnswer, ask
from irsa_doctor.answers.check.choice import choose
from irsa_doctor.answers.check.judge import BaseChange, Input, commented_texts, judge
from irsa_doctor.facts import GateFacts, Judged, View, derive, unbounded
from irsa_doctor.governance.comments import apply_comments, comments_of
from irsa_doctor.governance.governing import Governing
from irsa_doctor.governance.settings import Settings
from irsa_doctor.governance.waivers import apply_waivers
from irsa_doctor.governance.weakening import judged_change
from irsa_doctor.model import Inventory, Verdict
from irsa_doctor.model.findings import Report
from irsa_doctor.model.standards import KeyRun, StandardsContext
from irsa_doctor.rulebook.files import BASE, Example, Illustration, RuleFile, read_rule_file, rules_folder
from irsa_doctor.rulebook.rules import NAME, SUBJECTS, Clause, Rule, RuleError, vocabulary
from irsa_doctor.rulebook.yaml_files import Way, read_yaml_file
from irsa_doctor.sources import load

World = Mapping[str, Any]
_TODAY = date(2026, 1, 1)
"""the day of the examples, so that they say the same every day"""


class Failure(msgspec.Struct, frozen=True, order=True):
    """An example, or a rule or message as a whole (`example` is ""), that is not what it says."""

    rule: str
    example: str
    says: str


class ExamplesResult(msgspec.Struct, frozen=True, kw_only=True):
    """How many rules, causes, messages and examples there are, and which of them are not what they say."""

    rules: int
    causes: int = 0
    messages: int = 0
    examples: int
    failures: tuple[Failure, ...]


class _Judged(msgspec.Struct, frozen=True):
    """One example: its report, and its subjects with the waivers that it has."""

    report: Report
    subjects: list[Judged]

    def fired(self) -> set[str]:
        return {finding.rule for finding in self.report.findings}


def base_world() -> World:
    """The healthy world, on which every rule is silent."""
    world: World = read_yaml_file(rules_folder() / BASE)[0]
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


def example_world(base: World, patch: Mapping[str, Any]) -> World:
    """The healthy world with a patch; `with` names the further parts of it that the patch is about, a cluster of AKS say."""
    world: World = base
    for name in patch.get("with", ()):
        world = patched(world, base["parts"][name])
    example: World = patched(world, patch)
    return example


def documents_of(world: World) -> dict[str, bytes]:
    """The native documents of a world: what `aws` and `kubectl` would have written of it."""
    text = msgspec.json.encode
    closed = set(world.get("closed", ()))
    roles = [{"RoleName": name, "Path": "/", **role} for name, role in world.get("roles", {}).items()]
    documents = {"roles.json": text({"RoleDetailList": roles, "IsTruncated": "roles" not in closed})}
    providers = world.get("providers", {})
    listed = [{"Arn": provider["Arn"]} for provider in providers.values()]
    more = {} if "providers" in closed else {"IsTruncated": True}
    documents["oidc-providers.json"] = text({"OpenIDConnectProviderList": listed, **more})
    for name, provider in providers.items():
        if "ClientIDList" in provider:
            documents[f"oidc-provider-{name}.json"] = text({k: v for k, v in provider.items() if k != "Arn"})
    clusters = world.get("clusters", {})
    if "clusters" in closed:
        documents["clusters.json"] = text({"clusters": list(clusters)})
    for name, cluster in clusters.items():
        documents[f"{name}/cluster.json"] = text({"cluster": {"name": name, **cluster}})
    for name, objects in world.get("objects", {}).items():
        items = list(objects.values())
        documents[f"{name}/objects.json"] = text({"apiVersion": "v1", "kind": "List", "items": items})
    associations = list(world.get("associations", {}).values())
    if associations or "associations" in closed:
        short = [{k: v for k, v in a.items() if k in _LISTED} for a in associations]
        documents["associations.json"] = text({"associations": short})
    for number, association in enumerate(associations):
        if "roleArn" in association:
            documents[f"association-{number}.json"] = text({"association": association})
    for path, content in world.get("files", {}).items():
        documents[path] = content.encode(errors="surrogatepass") if isinstance(content, str) else text(content)
    return documents


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
    change = _change(full, rules, settings)
    inventory = _limited(loaded.inventory, full.get("limited", {}))
    judged = Input(inventory, loaded.documents)
    gated = _gated(View(inventory, *settings.of_issuers), full.get("gate"))
    context = StandardsContext(_TODAY.isoformat(), _key_runs(full))
    of_change = BaseChange(settings=change, unbounded=gated)
    report = judge(judged, Governing(settings, rules), _TODAY, change=of_change, key_runs=context.key_runs)
    found = [*report.findings, *(entry.finding for entry in report.waived)]
    ids = {rule.id for rule in rules}
    waivers = apply_waivers(found, settings.waivers, ids, ids, _TODAY).waivers
    written = comments_of([row.path for row in loaded.inventory.documents], commented_texts(loaded.documents, settings))
    comments = apply_comments(found, written, ids, ids).comments
    return _Judged(report, [*derive(View(inventory, *settings.of_issuers, context)), *waivers, *comments, *change, *gated])


def _key_runs(world: World) -> dict[str, tuple[KeyRun, ...]]:
    """The keys that runs of a store saw: by subject, the keys by the time of the run."""
    return {
        subject: tuple(KeyRun(as_of, frozenset(keys)) for as_of, keys in sorted(runs.items()))
        for subject, runs in world.get("key_runs", {}).items()
    }


def _limited(inventory: Inventory, whys: Mapping[str, str]) -> Inventory:
    """An inventory with those documents unread that a run did not come to, by path with the limit that it reached."""
    rows = [
        msgspec.structs.replace(row, status="unreadable", why=whys[row.path], limited=True) if row.path in whys else row
        for row in inventory.documents
    ]
    return msgspec.structs.replace(inventory, documents=tuple(rows))


def _change(world: World, rules: Sequence[Rule], settings: Settings) -> list[Judged]:
    """What the settings make of those that held before, where a world has such."""
    if "settings_before" not in world:
        return []
    before = msgspec.convert(world["settings_before"], Settings)
    old, new = (Governing(state, choose(rules, state)) for state in (before, settings))
    return [judged_change([(old, new)], "main")]


def _gated(view: View, gate: Any) -> list[Judged]:
    """What a gate can judge of the policies of a world and what not, where the world is one that a change makes."""
    if gate is None:
        return []
    holes = [hole.judged(gate) for hole in unbounded(view)]
    opened = {judged.id for judged in holes}
    grants = (grant for role in view.roles for grant in role.grants if grant.id not in opened)
    bounded = GateFacts(bounded=True, gate=gate)
    return [*holes, *(msgspec.structs.replace(grant, facts=bounded) for grant in grants)]


def illustration_of(rule: Rule) -> Illustration | None:
    """The illustration of a built-in rule, None where its file is not there or says nothing in few lines."""
    try:
        return illustrate(read_rule_file(rules_folder() / rule.family / f"{rule.id}.yaml"))
    except RuleError:
        return None


def run_examples(files: Sequence[RuleFile], others: Iterable[Rule] = ()) -> ExamplesResult:
    """Every example of every rule against all rules; `others` are rules that the examples must not fire either."""
    rules = [*(file.rule for file in files), *others]
    base = base_world()
    healthy = _judge(base, rules)
    failures = [Failure(rule, "", "fires on the healthy world") for rule in sorted(healthy.fired())]
    examples = 0
    for file in files:
        bad = [_judge(example_world(base, example.patch), rules) for example in file.examples.bad]
        good = [_judge(example_world(base, example.patch), rules) for example in file.examples.good]
        examples += len(bad) + len(good)
        for example, judged in zip(file.examples.bad, bad, strict=True):
            failures += _bad(file.rule, example, judged)
        for example, judged in zip(file.examples.good, good, strict=True):
            failures += _good(file.rule, example, judged)
        failures += _mutants(file.rule, bad)
    return ExamplesResult(rules=len(files), examples=examples, failures=tuple(failures))


def _bad(rule: Rule, example: Example, judged: _Judged) -> Iterator[Failure]:
    yield from _fires(rule, example, judged, {rule.id} if example.fires is None else set(example.fires))
    if example.fires is not None and rule.id not in example.fires:
        yield Failure(rule.id, example.name, "a bad example fires its own rule: add it to `fires`")
    expected = {name for text in (rule.message, *rule.places.values()) for name in NAME.findall(text)}
    for subject in judged.subjects:
        if not _speaks_of(rule, subject.facts) or not _fails(rule, subject.facts):
            continue
        evidence = subject.evidence()
        if unknown := expected - set(evidence.names):
            known = f"there are {', '.join(sorted(evidence.names))}"
            yield Failure(rule.id, example.name, f"the evidence has no {', '.join(sorted(unknown))}; {known}")
        if not_there := set(rule.places) - set(evidence.places):
            known = f"there are {', '.join(sorted(evidence.places))}"
            yield Failure(rule.id, example.name, f"the evidence has no place {', '.join(sorted(not_there))}; {known}")


def _good(rule: Rule, example: Example, judged: _Judged) -> Iterator[Failure]:
    yield from _fires(rule, example, judged, set(example.fires or ()))
    if not example.patch:
        yield Failure(rule.id, example.name, "an example without a patch is the healthy world")
    if rule.id in (example.fires or ()):
        yield Failure(rule.id, example.name, "a good example does not fire its own rule")
    tally = next((t for t in judged.report.tallies if t.id == rule.id), None)
    if tally is None or not tally.passed:
        yield Failure(rule.id, example.name, "the rule examined nothing here, or could not tell")


def _fires(rule: Rule, example: Example, judged: _Judged, expected: set[str]) -> Iterator[Failure]:
    fired = judged.fired()
    if fired != expected:
        says = f"fires {', '.join(sorted(fired)) or 'nothing'}; expected {', '.join(sorted(expected)) or 'nothing'}"
        yield Failure(rule.id, example.name, says)


def _mutants(rule: Rule, bad: Sequence[_Judged]) -> Iterator[Failure]:
    """Every part of `require` must be missed where it is left out: some bad example violates nothing but it."""
    subjects = [subject.facts for judged in bad for subject in judged.subjects if _speaks_of(rule, subject.facts)]
    violated = [_fails(rule, facts) for facts in subjects]
    for weaker, says in _weaker(rule):
        if [_fails(weaker, facts) for facts in subjects] == violated:
            yield Failure(rule.id, "", f"no bad example {says}")


def _weaker(rule: Rule) -> Iterator[tuple[Rule, str]]:
    """The rule without one part of what it requires, and what a bad example would do to show that the part is needed."""
    for number, clause in enumerate(rule.require):
        others = [other for other in rule.require if other is not clause]
        yield msgspec.structs.replace(rule, require=others), f"violates the clause {clause.name}"
        for fact, schema, says in _weaker_facts(rule, clause):
            kept = {name: required for name, required in clause.facts.items() if name != fact}
            facts = kept | ({fact: schema} if schema else {})
            changed = [*rule.require[:number], msgspec.structs.replace(clause, facts=facts), *rule.require[number + 1 :]]
            yield msgspec.structs.replace(rule, require=changed), f"{says}, which the clause {clause.name} excludes"


def _weaker_facts(rule: Rule, clause: Clause) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Each schema of a clause with one part less: a whole fact, a keyword, an excluded value."""
    for fact, schema in clause.facts.items():
        if len(clause.facts) > 1:
            yield fact, {}, f"has another {fact}"
        for keyword in schema if len(schema) > 1 else ():
            yield fact, {k: v for k, v in schema.items() if k != keyword}, f"violates the {keyword} of {fact}"
        excluded = schema.get("not", {}).get("enum", ())
        for value in excluded if len(excluded) > 1 else ():
            left = {**schema["not"], "enum": [other for other in excluded if other != value]}
            yield fact, {**schema, "not": left}, f"has {fact} = {value}"
        if allowed := schema.get("enum", ()):
            words = [word for subject in rule.subject for word in vocabulary(subject)[fact].words]
            for word in dict.fromkeys(word for word in words if word not in allowed):
                yield fact, {**schema, "enum": [*allowed, word]}, f"has {fact} = {word}"


def _speaks_of(rule: Rule, facts: msgspec.Struct) -> bool:
    return isinstance(facts, tuple(SUBJECTS[kind] for kind in rule.subject))


def _fails(rule: Rule, facts: msgspec.Struct) -> bool:
    answer: RuleAnswer | None = ask(rule, facts)
    return answer is not None and answer.verdict is Verdict.FAIL


_LINES, _COLUMNS = 20, 110
"""of an illustration; what takes more explains less"""
_MEMBERS = 3
"""of a mapping that is shown whole"""
_NOUNS = {"roles": "role", "providers": "OIDC provider", "clusters": "cluster", "associations": "association", "files": "file"}


def illustrate(file: RuleFile) -> Illustration | None:
    """The first bad example that is short, beside what is right in the same place; None where none is short."""
    base = base_world()
    for example in file.examples.bad:
        world = example_world(base, example.patch)
        way, members = _heart(base, example.patch)
        wrong, right = (_shown(_only(_at(state, way), members), way, base["names"]) for state in (world, base))
        if len(way) > 1 and wrong and _is_short(wrong) and _is_short(right):
            return Illustration(example.name, _where(world, way), wrong, right)
    return None


def _heart(base: World, patch: Mapping[str, Any]) -> tuple[Way, Sequence[str]]:
    """The mapping that holds all changes, and its members to look at where it has many.

    Objects that are taken away, so that nothing else is said of them, do not count.
    """
    ways = [way for way in _changes(base, patch) if not (len(way) == 3 and _at(patch, way) is None)]
    if not ways:
        return (), ()
    if len(ways) == 1 and isinstance(_at(patch, ways[0]), dict):
        return ways[0], ()
    way = _common_way(ways)
    whole, changed = _at(base, way), [str(changed_way[len(way)]) for changed_way in ways]
    added = [member for member in changed if _at(patch, (*way, member)) is not None]
    return way, changed if added and isinstance(whole, dict) and len(whole) > _MEMBERS else ()


def _is_short(text: str) -> bool:
    lines = text.split("\n")
    return len(lines) <= _LINES and max(map(len, lines)) <= _COLUMNS


def _only(value: Any, members: Sequence[str]) -> Any:
    return {name: item for name, item in value.items() if name in members} or None if members and value else value


def _changes(value: Any, patch: Mapping[str, Any], way: Way = ()) -> Iterator[Way]:
    """The way to each value that a patch changes; what it adds is one change, whatever is in it."""
    for key, change in patch.items():
        inside = value.get(key) if isinstance(value, dict) else None
        if isinstance(change, dict) and isinstance(inside, dict):
            yield from _changes(inside, change, (*way, key))
        else:
            yield (*way, key)


def _common_way(ways: Sequence[Way]) -> Way:
    """The mapping that holds all changes."""
    shared = ways[0][:-1]
    for way in ways:
        shared = tuple(step for step, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(shared, way, strict=False)))
    return shared


def _at(value: Any, way: Way) -> Any:
    for step in way:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _shown(value: Any, way: Way, names: Iterable[str]) -> str:
    """A part of a world as people write it: what is of Kubernetes in YAML, what is of AWS in JSON."""
    if value is None:
        return ""
    if "objects" in way:
        import yaml

        text: str = yaml.safe_dump(value, sort_keys=False, width=1000)
    else:
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    for name in names:
        text = text.replace(name, name.removeprefix("$"))
    return text.rstrip("\n")


def _where(world: World, way: Way) -> str:
    if way[0] == "objects":
        it = _at(world, way[:3]) if len(way) > 2 else None
        what = f"{it['kind']} {it['metadata']['name']}" if it else f"objects of {way[1]}"
        return ", ".join(part for part in (what, ".".join(map(str, way[3:]))) if part)
    return ", ".join(part for part in (f"{_NOUNS.get(str(way[0]), way[0])} {way[1]}", ".".join(map(str, way[2:]))) if part)
