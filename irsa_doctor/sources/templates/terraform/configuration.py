"""Reads Terraform configuration: all modules that are in the input, as often as they are called.

https://developer.hashicorp.com/terraform/language
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import msgspec

from irsa_doctor.model import (
    UNREAD_TRUST,
    Gap,
    Place,
)
from irsa_doctor.model.faults import fault_words
from irsa_doctor.sources.documents.reading import MOST_DEPLOYMENTS, DocumentReading, StatedFiles, guarded
from irsa_doctor.sources.templates.choices import settled
from irsa_doctor.sources.templates.terraform.deployments import (
    DeploymentReadings,
    Deployments,
    VariableFile,
    add_deployment,
)
from irsa_doctor.sources.templates.terraform.folder import ModuleFolder, has_open_inputs, source_of
from irsa_doctor.sources.templates.terraform.input_files import InputFiles
from irsa_doctor.sources.templates.terraform.json_syntax import json_syntax_of
from irsa_doctor.sources.templates.terraform.known_modules import KnownModule, known_module, makes_no_role
from irsa_doctor.sources.templates.terraform.module_resources import add_known_module
from irsa_doctor.sources.templates.terraform.modules import Module
from irsa_doctor.sources.templates.terraform.plan_coverage import PlanCoverage, PlanCoverages, module_folder, roles_of_roots
from irsa_doctor.sources.templates.terraform.provider_roles import blocks_with_roles, read_provider_roles
from irsa_doctor.sources.templates.terraform.resource_instance import ResourceInstance
from irsa_doctor.sources.templates.terraform.resources import AFTER_APPLY, READERS, block_place
from irsa_doctor.sources.templates.terraform.scopes import Budget
from irsa_doctor.sources.templates.terraform.syntax import CALLS, Block, Syntax, syntax_of
from irsa_doctor.sources.templates.terraform.terragrunt import ADDRESS, called_folder, terragrunt_block, terragrunt_call
from irsa_doctor.sources.templates.terraform.unread import UnreadResources
from irsa_doctor.sources.templates.terraform.unused_policies import add_unused_policies
from irsa_doctor.sources.templates.terraform.variable_files import precedence
from irsa_doctor.sources.templates.values import TemplateValue
from irsa_doctor.text.errors import TextError, WrongShape
from irsa_doctor.text.positions import Anchor
from irsa_doctor.text.scanner import escaped

_MAKES_ROLES = re.compile(r"\biam\b|irsa|role|oidc|service.?account|pod.?identity|karpenter|addon", re.IGNORECASE)
_TAKES_ISSUERS = re.compile(r"irsa|oidc|service.?account|pod.?identity", re.IGNORECASE)


_NOTHING_STATED = StatedFiles()


def read_file(text: bytes, reading: DocumentReading) -> TextError | None:
    """Parse one file; `read_modules` reads its blocks later. Returns what is wrong with it."""
    syntax = json_syntax_of(text, reading.path) if text.lstrip()[:1] == b"{" else syntax_of(text, reading.path)
    if isinstance(syntax, TextError):
        return syntax
    reading.kinds.append("terraform")
    reading.syntax = syntax
    return None


def read_modules(
    readings: Sequence[DocumentReading],
    texts: Mapping[str, bytes] = MappingProxyType({}),
    stated: StatedFiles = _NOTHING_STATED,
) -> frozenset[str]:
    """Read all modules of the files, a module that others call as often as it is called.

    `texts` are those of all files of the input by path, which expressions may read. `stated` are the plans and files of
    variables that the user names for a root module: what such a plan covers is not read, and such variables count. Returns
    the paths of the files that expressions have read.
    """
    files = InputFiles(texts)
    by_path = {reading.path: reading for reading in readings if reading.syntax}
    folders = _folders(by_path.values(), readings, files)
    called = frozenset(path for folder in folders.values() for path in folder.sources if path != folder.path)
    # what is deployed by itself stays a root when something calls it
    roots = [path for path, folder in folders.items() if path not in called or folder.is_deployed]
    plans = PlanCoverages(readings, stated.plans, roles_of_roots([folders[path] for path in roots], readings))
    deployments = Deployments(readings, folders, roots, stated.parameters)
    reader = _Reader({reading.path: reading for reading in readings}, set())

    def read(folder: ModuleFolder) -> None:
        guarded(reader.of(folder), partial(reader.read_root, folder, folders, plans.of(folder.path)))
        guarded(reader.of(folder), partial(reader.read_deployments, folder, folders, deployments.of(folder.path)))

    for path in roots:
        read(folders[path])
    # modules that call each other have no root
    for folder in folders.values():
        if folder.path not in reader.reached:
            read(folder)
    _note_files(readings, files)
    _summarize(readings, folders)
    return frozenset(files.used)


def called_folders(configuration: Sequence[DocumentReading]) -> frozenset[str]:
    """Return the folders of the modules that files of configuration call by path."""
    folders = _folders(configuration, configuration, InputFiles({}))
    return frozenset(path for folder in folders.values() for path in folder.sources if path)


def _note_files(readings: Sequence[DocumentReading], files: InputFiles) -> None:
    """Note the files that expressions asked for and that are not in the input; those that they read are no documents of their
    own: what is in them is judged where it is used."""
    for reading in readings:
        missed = ", ".join(files.missed.get(reading.path, ()))
        reading.notes += [f"not in the input, though the configuration reads it: {missed}"] if missed else []
        if reading.path in files.used and (reading.account_templates or any(role.is_bare for role in reading.roles)):
            reading.roles = [role for role in reading.roles if not role.is_bare]
            reading.account_templates = []
        if reading.path in files.used:
            reading.passed_on = True
            reading.empty, reading.passed = True, ["a file that Terraform configuration reads, judged where it is used"]


def _summarize(readings: Sequence[DocumentReading], folders: Mapping[str, ModuleFolder]) -> None:
    """Set what became of each file that gives no record by itself: its module may have used it."""
    giving = {module_folder(reading.path) for reading in readings if reading.syntax and reading.gave_something()}
    giving |= {path for folder in folders.values() if folder.path in giving for path in folder.sources}
    for reading in readings:
        if reading.syntax or (reading.variables and reading.loads_itself):
            reading.empty = module_folder(reading.path) in giving and not reading.gave_something() and not reading.passed
            if not reading.gave_something() and not reading.passed:
                nothing = "a module without role, OIDC provider, cluster or service account"
                reading.passed = list(reading.notes) or [nothing]


def _folders(
    configuration: Iterable[DocumentReading], readings: Sequence[DocumentReading], files: InputFiles
) -> dict[str, ModuleFolder]:
    variables: dict[str, dict[str, TemplateValue]] = {}
    for reading in sorted(readings, key=precedence):
        if reading.variables and reading.loads_itself:
            variables.setdefault(module_folder(reading.path), {}).update(reading.variables)
    by_folder: dict[str, list[Syntax]] = {}
    for reading in configuration:
        by_folder.setdefault(module_folder(reading.path), []).append(reading.syntax)
    # Terraform applies override files in the order of their names
    order = {path: sorted(syntaxes, key=lambda syntax: syntax.document) for path, syntaxes in by_folder.items()}
    return {path: ModuleFolder(path, tuple(syntaxes), variables.get(path, {}), files) for path, syntaxes in order.items()}


class _Reader:
    """Reads modules; `reached` are the folders of those that were read."""

    def __init__(self, readings: Mapping[str, DocumentReading], reached: set[str]) -> None:
        self.readings = readings
        self.reached = reached
        self.plan = PlanCoverage()
        self.noted: set[tuple[Place, str]] = set()
        self.unread = UnreadResources()

    def of(self, folder: ModuleFolder) -> list[DocumentReading]:
        """The readings of the files of a folder."""
        return [self.readings[syntax.document] for syntax in folder.syntaxes]

    def read_root(self, folder: ModuleFolder, folders: Mapping[str, ModuleFolder], plan: PlanCoverage) -> None:
        """A module that no other calls, with all that it calls; what a plan covers gives no records."""
        self.read_whole(folder, folders, plan).release()

    def read_whole(self, folder: ModuleFolder, folders: Mapping[str, ModuleFolder], plan: PlanCoverage) -> Module:
        """Read a root module, and return it with what was evaluated; its texts stay parsed for the next deployment."""
        self.plan = plan
        module = _root(folder, folders)
        self.read(module, None)
        add_unused_policies(module, self.readings, self.attempt)
        return module

    def read_deployments(
        self, folder: ModuleFolder, folders: Mapping[str, ModuleFolder], deployments: Sequence[VariableFile]
    ) -> None:
        """A root module with the variables of each file that may be used to deploy it."""
        modules: list[Module] = []
        for number, deployment in enumerate(deployments):
            if number == MOST_DEPLOYMENTS:
                place = Place(folder.syntaxes[0].document)
                self.readings[place.document].faults.append((place, f"more than {MOST_DEPLOYMENTS} files of variables"))
                break
            other = msgspec.structs.replace(folder, variables={**folder.variables, **deployment.values})
            made = DeploymentReadings(self.readings)
            modules[:] = [_Reader(made, {*folders}).read_whole(other, {**folders, folder.path: other}, self.plan)]
            add_deployment(deployment.words, made, self.readings)
        for module in modules:
            module.release()

    def read(self, module: Module, at: Place | None) -> None:
        """The resources and calls of a module."""
        if module.folder.path not in self.reached:
            self.reached.add(module.folder.path)
            self.report_errors(module.folder)
        for block in module.folder.blocks:
            if block.kind == "resource" and len(block.labels) == 2:
                if block.labels[0] in READERS:
                    with module.budget.of_its_own():
                        self.attempt(partial(self.read_resource, module, block, at), block)
                elif why := self.unread.why(block):
                    self.add_note(block, f"{module.prefix}{'.'.join(block.labels)} is not read: {why}")
                    self.add_unread_role(module, block)
            elif block.kind in CALLS and block.labels:
                with module.budget.of_its_own():
                    self.attempt(partial(self.read_call, module, block, at), block)
            elif block.kind == "stack" and block.labels:
                self.add_note(block, f"stack.{block.labels[0]} is not read: a stack within a stack, {source_of(block)}")
            for assuming in blocks_with_roles(block):
                self.attempt(partial(self.read_provider, module, assuming), assuming)
        if at is None and (calling := terragrunt_block(module)):
            self.attempt(partial(self.read_terragrunt, module, calling), calling)

    def add_unread_role(self, module: Module, block: Block) -> None:
        """Note a resource that is not read and may make a role, or open one."""
        if not self.unread.may_make_roles(block):
            return
        reading, address = self.readings[block.syntax.document], f"{module.prefix}{'.'.join(block.labels)}"
        missing = f"roles that {address} makes or changes: it is not read"
        reading.gaps.append(Gap(UNREAD_TRUST, reading.path, address, missing, "the roles as they are after that"))

    def read_terragrunt(self, module: Module, block: Block) -> None:
        """The module that a file of Terragrunt calls: its files, else a known module of the registry."""
        call, reading = terragrunt_call(module, block), self.readings[block.syntax.document]
        place = block_place(block, ADDRESS, reading)
        folder = module.folders.get(called_folder(module, call))
        if folder is not None:
            inputs = call.with_unknown(key[1] for key in folder.named if key[0] == "variable")
            called = Module(folder, module.folders, module.budget, f"{ADDRESS}.", inputs, (module.folder.path,))
            self.read(called, place)
            return
        written = (Anchor(None, block.node.start_byte, block.node.end_byte), block.syntax.document)
        familiar = known_module(call.source, ADDRESS, call.inputs, "", written)
        if familiar is None:
            reading.notes.append(f"the module {call.source} is not in the input")
            return
        if lacking := [role.lacks for role in familiar.roles() if role.lacks]:
            familiar = known_module(call.source, ADDRESS, call.with_unknown(lacking), "", written) or familiar
        self.add_module(familiar, block, place)

    def note_plan(self, reading: DocumentReading) -> None:
        """Note that a plan has what a file makes."""
        why = f"{self.plan.words} has the same resources, planned"
        if why not in reading.passed:
            reading.passed.append(why)

    def report_errors(self, folder: ModuleFolder) -> None:
        """Report the syntax errors of the files of a folder."""
        for syntax in folder.syntaxes:
            if syntax.text_error:
                self.readings[syntax.document].text_errors.append(syntax.text_error)

    def attempt(self, read: Callable[[], None], block: Block) -> None:
        """Read one block; an error is noted at it, and the next one is read."""
        reading = self.readings[block.syntax.document]
        place = block_place(block, ".".join((block.kind, *block.labels)), reading)
        try:
            read()
        except WrongShape as wrong:
            self.note(reading.broken, place, wrong.why)
        except Exception as error:  # noqa: BLE001 - an error of ours costs one block
            self.note(reading.faults, place, fault_words(error))

    def note(self, flaws: list[tuple[Place, str]], place: Place, why: str) -> None:
        """Note what is wrong with a block, once for all calls of its module."""
        if (place, why) not in self.noted:
            self.noted.add((place, why))
            flaws.append((place, why))

    def add_note(self, block: Block, note: str) -> None:
        """Add a note to the reading of the file of a block."""
        notes = self.readings[block.syntax.document].notes
        if note not in notes:
            notes.append(note)

    def read_resource(self, module: Module, block: Block, at: Place | None) -> None:
        """Every instance of a resource."""
        reading, instances = self.readings[block.syntax.document], module.likely(block)
        if not instances:
            self.add_note(
                block, f"{module.prefix}{'.'.join(block.labels)} is not made: its `count` is 0 or its `for_each` is empty"
            )
        for instance in instances:
            module.budget.add_instance(block)
            address = f"{module.prefix}{'.'.join(block.labels)}{instance.suffix}"
            place = block_place(block, address, reading)
            with module.budget.of_its_own():
                config = settled(module.config(block.body, instance.scope, block.node), instance.scope.assumed)
            resource = ResourceInstance(
                block=block,
                address=address,
                config=config,
                place=place,
                caller=at or place,
                reading=reading,
                readings=self.readings,
            )
            before = len(reading.anchors)
            if self.plan.has(address):
                self.note_plan(reading)
                with reading.without_records():
                    READERS[block.labels[0]](resource)
            else:
                READERS[block.labels[0]](resource)
            module.budget.add_policy(len(reading.anchors) - before)

    def read_provider(self, module: Module, block: Block) -> None:
        """The roles that a provider assumes."""
        reading = self.readings[block.syntax.document]
        address = f"{module.prefix}{block.kind}.{block.labels[0]}"
        place = Place(block.syntax.document, f"/{escaped(address)}/{block.node.start_byte}")
        reading.anchors[(0, place.pointer)] = Anchor(None, block.node.start_byte, block.node.end_byte)
        for instance in module.likely(block):
            config = settled(module.config(block.body, instance.scope, block.node), instance.scope.assumed)
            resource = ResourceInstance(
                block=block,
                address=f"{block.kind} {block.labels[0]}",
                config=config,
                place=place,
                caller=place,
                reading=reading,
                readings=self.readings,
            )
            read_provider_roles(resource)

    def read_call(self, module: Module, block: Block, at: Place | None) -> None:
        """Read every instance of a module: its files, else a known module of the registry, else note that it is missing."""
        reading = self.readings[block.syntax.document]
        for instance in module.likely(block):
            name = f"{block.kind}.{block.labels[0]}{instance.suffix}"
            place = at or block_place(block, module.prefix + name, reading)
            child = module.child(block, name, instance.scope)
            if child is not None:
                self.read(child, place)
                continue
            if self.plan.has_below(module.prefix + name):
                self.note_plan(reading)
                continue
            familiar = module.known(block, name, instance.scope)
            if familiar is None:
                _note_missing(module, block, reading)
                continue
            self.add_module(familiar, block, place)

    def add_module(self, familiar: KnownModule, block: Block, place: Place) -> None:
        """Add what a call of a known module of the registry makes."""
        resource = ResourceInstance(
            block=block,
            address=familiar.call.address,
            config=TemplateValue({}),
            place=place,
            caller=place,
            reading=self.readings[block.syntax.document],
            readings=self.readings,
        )
        add_known_module(familiar, resource)


def _root(folder: ModuleFolder, folders: Mapping[str, ModuleFolder]) -> Module:
    reach = {folder.path} | _below(folder, folders)
    return Module(folder, folders, Budget(sum(folders[path].size for path in reach)))


def _below(folder: ModuleFolder, folders: Mapping[str, ModuleFolder]) -> set[str]:
    """The folders of all modules that a module calls."""
    paths: set[str] = set()
    waiting = [folder.path]
    while waiting:
        for path in folders[waiting.pop()].sources:
            if path in folders and path not in paths:
                paths.add(path)
                waiting.append(path)
    return paths


def _note_missing(module: Module, block: Block, reading: DocumentReading) -> None:
    """Note a module whose files are not in the input; where it probably makes roles of service accounts, they are unknown."""
    source, address = source_of(block), f"{module.prefix}{block.kind}.{block.labels[0]}"
    if not source or makes_no_role(source):
        return
    why = "its inputs are not written as an object" if has_open_inputs(block) else f"its source {source} is not in the input"
    reading.notes.append(f"{address} is not read: {why}")
    inputs = " ".join(block.body.arguments)
    if _MAKES_ROLES.search(source) or _TAKES_ISSUERS.search(inputs) or _names_subjects(block):
        missing = f"resources of {address}: {why}"
        collection = UNREAD_TRUST if _TAKES_ISSUERS.search(inputs) or _names_subjects(block) else "modules"
        reading.gaps.append(Gap(collection, reading.path, address, missing, AFTER_APPLY))


def _names_subjects(block: Block) -> bool:
    """Whether the arguments of a call speak of an OIDC provider or a service account, whatever they are called."""
    written = block.syntax.text[block.node.start_byte : block.node.end_byte]
    return re.search(rb"oidc|system:serviceaccount|service_?account|irsa", written, re.IGNORECASE) is not None
