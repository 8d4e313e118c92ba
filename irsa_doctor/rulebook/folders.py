"""A rulebook as files: rules, causes and messages of one or several folders, checked together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError
from pathlib import Path

import msgspec

from irsa_doctor.facts import did_you_mean
from irsa_doctor.rulebook.cause_block import CauseBlock
from irsa_doctor.rulebook.cause_files import CauseFile, causes_folder, read_cause_files
from irsa_doctor.rulebook.causes import Cause, Causes, all_causes, cause_of, ordered, shipped_causes
from irsa_doctor.rulebook.files import CAUSES, RuleFile, read_rule_files, rules_folder
from irsa_doctor.rulebook.frameworks import frameworks
from irsa_doctor.rulebook.message_files import MessageFile, read_messages
from irsa_doctor.rulebook.messages import MessageCondition
from irsa_doctor.rulebook.rules import NAME, Rule, RuleError, shipped_rules
from irsa_doctor.rulebook.yaml_files import Invalid, Way, refused
from irsa_doctor.text.moods import Moods

CASE_PLACEHOLDERS = frozenset(
    {"namespace", "service_account", "pod", "role_name", "role_arn", "account", "cluster", "region", "provider_arn", "issuer"}
    | {"source_role", "target_role", "target_role_name"}
    | {"identity", "identity_group", "cluster_group", "client_id", "email", "pool", "provider"}
)
"""what a command that settles something may name of a case"""
OF_TOKEN = frozenset({"now", "exp"})
"""what a message of STS may name besides"""


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """What causes and messages may name: `links` in order, the `signs` that links and statements show, `circumstances` of a
    case, `details` of a message that are compared with the case."""

    links: tuple[str, ...]
    signs: frozenset[str]
    circumstances: frozenset[str]
    details: frozenset[str]


class RulebookFiles(msgspec.Struct, frozen=True):
    """The files of a rulebook."""

    rules: Sequence[RuleFile]
    causes: Sequence[CauseFile]
    messages: MessageFile


def read_shipped() -> RulebookFiles:
    """The files of the built-in rules, causes and messages; raises RuleError."""
    folder = causes_folder()
    return RulebookFiles(read_rule_files(rules_folder()), read_cause_files(folder), read_messages(folder))


def read_folder(folder: Path) -> RulebookFiles:
    """The rules of a private folder, with the causes and messages in its folder `causes`; raises RuleError."""
    own = folder if folder.name == CAUSES else folder / CAUSES
    causes, messages = read_cause_files(own), read_messages(own)
    rules = read_rule_files(folder) if folder != own and _has_rules(folder, causes, messages) else []
    return RulebookFiles(rules, causes, messages)


def read_private(folders: Iterable[Path]) -> list[RulebookFiles]:
    """The files of folders that are used beside the built-in ones, so that no id is taken twice; raises RuleError."""
    taken = {rule.id: "of a built-in rule" for rule in shipped_rules()}
    taken |= {ident: "of a built-in cause" for ident, cause in all_causes().items() if not cause.rule}
    private = [read_folder(folder) for folder in folders]
    for path, ident in (pair for files in private for pair in _ids(files)):
        if owner := taken.get(ident):
            raise RuleError(f"{path}: the id {ident} is that {owner}")
        taken[ident] = f"of {path}"
    for files in private:
        if files.messages.moods != Moods():
            says = "the words of moods are those of the built-in messages, for all messages"
            raise refused(files.messages.path, files.messages.lines, Invalid(says, ("moods",)))
    return private


def _ids(files: RulebookFiles) -> Iterator[tuple[Path, str]]:
    yield from ((file.path, file.rule.id) for file in files.rules)
    yield from ((file.path, file.cause.id) for file in files.causes)


def _has_rules(folder: Path, causes: Sequence[CauseFile], messages: MessageFile) -> bool:
    """Whether a folder should have rules: it may have causes and messages alone."""
    others = (path for path in folder.rglob("*.y*ml") if path.parent.name != CAUSES)
    return not (causes or messages.messages) or any(others)


def check_files(files: RulebookFiles, vocabulary: Vocabulary, others: Causes | None = None) -> None:
    """Refuses files that do not fit together, or not with the causes `beside` them; raises RuleError.

    Without causes beside them they are the whole rulebook, in which each link has a cause.
    """
    known = _known(files, others)
    for path, lines, block, at in _blocks(files):
        with_line(path, lines, _faults(block, at, known, vocabulary))
    with_line(files.messages.path, files.messages.lines, _faults_of_messages(files.messages, known, vocabulary))
    _check_order(files, known)
    _check_reach(files)
    bare = [link for link in vocabulary.links if not any(cause.link == link for cause in known.values())]
    if bare and others is None:
        raise RuleError(f"{causes_folder()}: no cause breaks the link {bare[0]}")


def with_line(path: Path, lines: Mapping[Way, int], faults: Iterable[Invalid]) -> None:
    """Raises RuleError for the first fault of a file."""
    for fault in faults:
        raise refused(path, lines, fault)


def _known(files: RulebookFiles, others: Causes | None) -> Mapping[str, Cause]:
    """Every cause by id; raises RuleError where an id is that of two."""
    known = dict(others.by_id) if others else {}
    named = [(file.path, file.lines, cause) for file in files.rules if (cause := cause_of(file.rule))]
    named += [(file.path, file.lines, file.cause) for file in files.causes]
    taken = {file.rule.id: f"of {file.path}" for file in files.rules if not file.rule.cause}
    for path, lines, cause in named:
        if cause.id in known or cause.id in taken:
            raise refused(path, lines, Invalid(f"the id {cause.id} is that {taken.get(cause.id, 'of another cause')}", ("id",)))
        known[cause.id] = cause
        taken[cause.id] = f"of {path}"
    return known


def _blocks(files: RulebookFiles) -> Iterator[tuple[Path, Mapping[Way, int], CauseBlock, Way]]:
    """What each file says of a cause, and the way to it."""
    for rule in files.rules:
        if rule.rule.cause:
            yield rule.path, rule.lines, rule.rule.cause, ("cause",)
    for file in files.causes:
        yield file.path, file.lines, file.cause, ()


def _faults(block: CauseBlock, at: Way, known: Mapping[str, Cause], vocabulary: Vocabulary) -> Iterator[Invalid]:
    if block.link not in vocabulary.links and not block.fact:
        yield Invalid(f"no link {block.link or 'is named'}: {', '.join(vocabulary.links)}", (*at, "link"))
    for sign in block.signs:
        if sign not in vocabulary.signs:
            yield Invalid(f"no sign {sign}.{did_you_mean(sign, sorted(vocabulary.signs))}", (*at, "signs", sign))
    for number, name in enumerate(block.only):
        if name not in vocabulary.circumstances:
            yield Invalid(f"no circumstance {name}: {', '.join(sorted(vocabulary.circumstances))}", (*at, "only", number))
    for number, name in enumerate(block.after):
        if name not in known:
            yield Invalid(f"no cause {name}", (*at, "after", number))
    if unknown := set(NAME.findall(block.settle)) - CASE_PLACEHOLDERS:
        yield Invalid(f"nothing of a case is called {', '.join(sorted(unknown))}", (*at, "settle"))
    if block.error and (unknown := set(NAME.findall(block.error.message)) - CASE_PLACEHOLDERS - OF_TOKEN):
        yield Invalid(f"nothing of a case is called {', '.join(sorted(unknown))}", (*at, "error", "message"))


def _faults_of_messages(file: MessageFile, known: Mapping[str, Cause], vocabulary: Vocabulary) -> Iterator[Invalid]:
    for number, message in enumerate(file.messages):
        at: Way = ("messages", number)
        for link in (*message.links, *message.passed):
            if link not in vocabulary.links:
                yield Invalid(f"no link {link}: {', '.join(vocabulary.links)}", (*at, "links"))
        for place, candidate in enumerate(message.candidates):
            inside = (*at, "causes", place)
            if candidate.id not in known or known[candidate.id].fact:
                yield Invalid(f"no cause {candidate.id}", inside)
            for condition in filter(None, (candidate.first, candidate.unless)):
                yield from _faults_of_condition(condition, inside, vocabulary)
        if message.proves_where:
            yield from _faults_of_condition(message.proves_where, (*at, "proves_where"), vocabulary)
        if message.proves and message.proves not in known:
            yield Invalid(f"no cause {message.proves}", (*at, "proves"))


def _faults_of_condition(condition: MessageCondition, at: Way, vocabulary: Vocabulary) -> Iterator[Invalid]:
    if condition.holds and condition.holds not in vocabulary.links:
        yield Invalid(f"no link {condition.holds}", at)
    if condition.circumstance and condition.circumstance not in vocabulary.circumstances:
        yield Invalid(f"no circumstance {condition.circumstance}: {', '.join(sorted(vocabulary.circumstances))}", at)
    for name in filter(None, (condition.differs, condition.same)):
        if name not in vocabulary.details:
            yield Invalid(f"a case has no {name}: {', '.join(sorted(vocabulary.details))}", at)


def check_controls(files: RulebookFiles) -> None:
    """Refuses rules that name a control which its framework does not list; raises RuleError.

    A framework that is not built in may be one of the organisation's own.
    """
    for file in files.rules:
        with_line(file.path, file.lines, _faults_of_controls(file.rule))


def _faults_of_controls(rule: Rule) -> Iterator[Invalid]:
    for name, controls in rule.controls.items():
        framework = frameworks().get(name)
        if framework is None and (nearest := did_you_mean(name, frameworks())):
            yield Invalid(f"no framework {name}.{nearest}", ("controls", name))
        for number, control in enumerate(controls if framework else ()):
            if framework and control.id not in framework.controls:
                says = f"{name} lists no control {control.id}: {', '.join(framework.controls)}"
                yield Invalid(says, ("controls", name, number, "id"))


def _check_order(files: RulebookFiles, known: Mapping[str, Cause]) -> None:
    try:
        ordered(known.values())
    except CycleError as error:
        circle: list[str] = error.args[1]
        for path, lines, block, at in _blocks(files):
            if path.stem in circle and block.after:
                says = f"comes after itself: {' after '.join(reversed(circle))}"
                raise refused(path, lines, Invalid(says, (*at, "after"))) from error


def _check_reach(files: RulebookFiles) -> None:
    """A cause of its own that neither a sign nor a message leads to is never named, and one that nothing settles is no help."""
    named = {candidate.id for message in files.messages.messages for candidate in message.candidates}
    named |= {message.proves for message in files.messages.messages}
    for file in files.causes:
        if not (file.cause.signs or file.cause.fact or file.cause.id in named):
            raise refused(file.path, file.lines, Invalid(f"neither a sign nor a message leads to {file.cause.id}", ("id",)))
        if not (file.cause.settle or file.cause.fact):
            says = f"settle is missing: the command, or what to compare, that settles whether it is {file.cause.id}"
            raise refused(file.path, file.lines, Invalid(says, ("id",)))


def other_causes(files: RulebookFiles) -> Causes:
    """The built-in causes of other ids than those of the files."""
    own = {*(file.rule.id for file in files.rules), *(file.cause.id for file in files.causes)}
    return Causes((), [cause for cause in shipped_causes().by_id.values() if cause.id not in own])
