"""Resolves the names in a Terraform module: variables, locals, resources, data sources, outputs of other modules.

https://developer.hashicorp.com/terraform/language/expressions/references
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from types import MappingProxyType
from typing import Any

import msgspec

from irsa_doctor.model import Text, text_of
from irsa_doctor.sources.templates.choices import Assumed, as_made, chosen, may_deny, settled, where_made
from irsa_doctor.sources.templates.terraform.attributes import AnyKey, Attributes, LazyMembers
from irsa_doctor.sources.templates.terraform.expressions import expression_value
from irsa_doctor.sources.templates.terraform.folder import ModuleFolder, has_open_inputs, local_path, source_of
from irsa_doctor.sources.templates.terraform.input_files import ModuleFiles
from irsa_doctor.sources.templates.terraform.instances import (
    Instance,
    address_of,
    counted_instance,
    depends_on_default,
    in_any_case,
    made_when,
    perhaps_made,
    repeat_of,
    repeated,
)
from irsa_doctor.sources.templates.terraform.known_modules import KnownModule, known_module
from irsa_doctor.sources.templates.terraform.operators import collection_entries
from irsa_doctor.sources.templates.terraform.scopes import INSTANCES, Budget, EvaluationScope, PathStep
from irsa_doctor.sources.templates.terraform.syntax import CALLS, Argument, Block, Body
from irsa_doctor.sources.templates.terraform.variable_types import with_optional
from irsa_doctor.sources.templates.values import TemplateValue, hole, known, scalar_text
from irsa_doctor.text.errors import WrongShape
from irsa_doctor.text.positions import Anchor

_EMPTY: tuple[object, ...] = ("", None, (), {})
_MODULES_DEEP = 50


class Module:
    """A module as it is called from one place; `inputs` is None for a root module."""

    def __init__(
        self,
        folder: ModuleFolder,
        folders: Mapping[str, ModuleFolder],
        budget: Budget,
        prefix: str = "",
        inputs: Mapping[str, TemplateValue] | None = None,
        above: tuple[str, ...] = (),
        assumed: Assumed = MappingProxyType({}),
        root: str = "",
    ) -> None:
        self.folder = folder
        self.folders = folders
        self.prefix = prefix
        self.inputs = inputs
        self.above = above
        self.root = root or folder.path
        self.files = ModuleFiles(folder.files, folder.path, self.root)
        self.scope = EvaluationScope(self.lookup, budget, prefix, assumed=assumed, files=self.files)
        self.budget = budget
        self.used: set[str] = set()
        """addresses of the policy documents whose JSON was evaluated"""
        self._known: dict[tuple[str, ...], TemplateValue | WrongShape] = {}
        self._open: set[tuple[str, ...]] = set()
        self._children: dict[str, Module | None] = {}
        self._is_open: Callable[[str], bool] = lambda name: inputs is None and name not in folder.variables
        """whether a variable is one of a root module with only its default, or gets its value from such a one"""

    def release(self) -> None:
        """Release all evaluated values, also in the modules that this one calls."""
        for child in self._children.values():
            if child is not None:
                child.release()
        self._children.clear()
        self._known.clear()
        self.budget.instances.clear()  # its blocks would keep their trees
        self.folder.release()

    def lookup(self, name: str, steps: list[PathStep], scope: EvaluationScope) -> TemplateValue | None:
        """What a reference stands for (scopes.Lookup)."""
        if name in ("each", "count", "self", "terraform") or not steps:
            return None
        if name == "path":
            folder = self.files.member(step) if isinstance(step := steps.pop(0), str) else None
            return None if folder is None else TemplateValue(folder)
        if name == "data" and len(steps) > 1:
            kind, second = steps.pop(0), steps.pop(0)
            return self.resource("data", kind, second) if isinstance(kind, str) and isinstance(second, str) else None
        first = steps.pop(0)
        if not isinstance(first, str):
            return None
        if name == "var":
            return self.once(("var", first), lambda: self.variable(first))
        if name == "local":
            return self.once(("local", first), lambda: self.local(first))
        return self.call(name, first) if name in CALLS else self.resource("resource", name, first)

    def once(self, key: tuple[str, ...], work: Callable[[], TemplateValue | None]) -> TemplateValue | None:
        """Return the value of `work`, evaluated once; a hole where it refers to itself. Raises WrongShape, each time, where it
        exceeds a limit."""
        if key in self._open:
            return None
        if key not in self._known:
            self._open.add(key)
            try:
                with self.budget.of_its_own():
                    result: TemplateValue | WrongShape | None = work()
            except WrongShape as wrong:
                result = wrong
            finally:
                self._open.discard(key)
            self._known[key] = TemplateValue(hole(self.prefix + ".".join(key))) if result is None else result
        known = self._known[key]
        if isinstance(known, WrongShape):
            raise known
        return known

    def has_evaluated(self, *key: str) -> bool:
        """Return whether something has referred to a name."""
        return key in self._known

    def called(self) -> Iterator["Module"]:
        """Yield the module and all that it calls, as far as they were read."""
        yield self
        for child in self._children.values():
            if child is not None:
                yield from child.called()

    def variable(self, name: str) -> TemplateValue | None:
        """Return the value from the caller, or the default. An empty default of a root module is a placeholder."""
        block = self.folder.named.get(("variable", name))
        if self.inputs is not None and name in self.inputs:
            return with_optional(self.inputs[name], block, self.scope)
        if self.inputs is None and name in self.folder.variables:
            return with_optional(self.folder.variables[name], block, self.scope)
        default = block.body.arguments.get("default") if block else None
        if default is None:
            return None
        value = with_optional(expression_value(default.syntax, default.value, self.scope), block, self.scope)
        return None if self.inputs is None and _is_empty(value) else value

    def local(self, name: str) -> TemplateValue | None:
        """The value of a local."""
        argument = self.folder.values.get(name)
        return expression_value(argument.syntax, argument.value, self.scope) if argument else None

    def instances(self, block: Block) -> list[Instance] | None:
        """Return the instances of a block by `count` or `for_each`, None where they are not known."""
        repeat = repeat_of(block)
        if repeat is None:
            return [Instance("", None, self.scope)]
        items, assumed = where_made(expression_value(repeat.syntax, repeat.value, self.scope))
        read = repeated if items.choice is None else in_any_case
        instances = read(repeat, items, self.scope)
        return None if instances is None else [instance.where(assumed) for instance in instances]

    def likely(self, block: Block) -> list[Instance]:
        """Return the instances; where they are not known, a single one for all."""
        instances = self.instances(block)
        if instances or (instances is not None and not self._may_change(repeat_of(block))):
            return instances
        if "for_each" not in block.body.arguments:
            words, holds = made_when(block, self.prefix)
            return [counted_instance(self.scope, 0).where({words: holds})]
        address = self.prefix + ".".join(block.labels)
        names = {"each": TemplateValue({part: TemplateValue(hole(f"each.{part} of {address}")) for part in ("key", "value")})}
        return [Instance("", None, self.scope.with_names(names))]

    def _may_change(self, argument: Argument | None) -> bool:
        """Whether an argument is what it is only because a variable of the root module has its default."""
        return depends_on_default(self.folder, argument, self._is_open)

    def resource(self, mode: str, kind: str, name: str) -> TemplateValue:
        """A resource or data source, or all of its instances."""
        block = self.folder.named.get((mode, kind, name))
        address = f"{self.prefix}{'data.' if mode == 'data' else ''}{kind}.{name}"

        def made(suffix: str, scope: EvaluationScope) -> TemplateValue:
            return TemplateValue(Attributes(self, mode, kind, address + suffix, block, scope))

        return self._all(("instances", mode, kind, name), block, made)

    def _all(
        self, key: tuple[str, ...], block: Block | None, made: Callable[[str, EvaluationScope], TemplateValue]
    ) -> TemplateValue:
        """One value, or a list or an object of those of the instances."""
        repeat = repeat_of(block) if block else None
        if block is None or repeat is None or key in self._open:
            return made("", self.scope)
        self._open.add(key)
        try:
            items = expression_value(repeat.syntax, repeat.value, self.scope)
        finally:
            self._open.discard(key)
        # an instance that there is in several cases is one value
        known: dict[str, TemplateValue] = {}
        cases = in_any_case(repeat, items, self.scope) if items.choice else ()
        in_all = {each.suffix: each for each in cases or ()}
        items = TemplateValue(hole("too many cases")) if cases is None else items

        def collected(number: TemplateValue) -> TemplateValue:
            instances = repeated(repeat, number, self.scope)
            is_open = instances is None or (not instances and self._may_change(repeat))
            if is_open and repeat.name == "for_each":
                return TemplateValue(AnyKey(made, self.scope))
            listed = [counted_instance(self.scope, 0)] if is_open else instances or []
            listed = [in_all.get(each.suffix, each) for each in listed]
            values = {each.key: known.setdefault(each.suffix, made(each.suffix, each.scope)) for each in listed}
            collection = TemplateValue(values if repeat.name == "for_each" else tuple(values.values()))
            return perhaps_made(block, self.prefix, collection) if is_open else collection

        called = TemplateValue(hole(f"{self.prefix}{address_of(block)}"))
        return chosen(collected, (items,), called=called, of_instances=True) or TemplateValue(())

    def config(self, body: Body, scope: EvaluationScope, node: Any) -> TemplateValue:
        """Return arguments and blocks as one object, dynamic blocks expanded. Raises WrongShape where it exceeds a limit."""
        self.budget.depth += 1
        try:
            self.budget.spend()
            return self._config(body, scope, node)
        finally:
            self.budget.depth -= 1

    def _config(self, body: Body, scope: EvaluationScope, node: Any) -> TemplateValue:
        members: dict[object, TemplateValue] = {
            name: self.argument(argument, scope) for name, argument in body.arguments.items()
        }
        blocks: dict[str, list[TemplateValue]] = {}
        for block in body.blocks:
            if block.kind == "dynamic" and len(block.labels) == 1:
                blocks.setdefault(block.labels[0], []).append(self.dynamic(block, scope))
            else:
                inside = self.config(block.body, scope, block.node)
                blocks.setdefault(block.kind, []).append(TemplateValue((inside,), inside.anchor, inside.document))
        for kind, listed in blocks.items():
            called = TemplateValue(hole(f"{self.prefix}{kind} of {body.syntax.document}:{node.start_byte}{scope.mark}"))
            members[kind] = chosen(partial(_together, body.syntax.document), listed, called=called) or listed[0]
        return TemplateValue(members, Anchor(None, node.start_byte, node.end_byte), body.syntax.document)

    def argument(self, argument: Argument, scope: EvaluationScope) -> TemplateValue:
        """The value of an argument, which knows where its name is written, with all made that may be."""
        return _named(argument, as_made(expression_value(argument.syntax, argument.value, scope)))

    def dynamic(self, block: Block, scope: EvaluationScope) -> TemplateValue:
        """Return the list of the blocks that a dynamic one makes, with a hole in it where their number is not known; a choice
        of lists where that depends on an undecided condition."""
        repeat = block.body.arguments.get("for_each")
        items = expression_value(repeat.syntax, repeat.value, scope) if repeat else TemplateValue(hole("for_each"))
        called = TemplateValue(hole(f"{self.prefix}dynamic {block.syntax.document}:{block.node.start_byte}{scope.mark}"))
        made = chosen(lambda settled: TemplateValue(tuple(self._dynamic(block, scope, settled))), (items,), called=called)
        # a condition that may not be there is one that may be missed
        return (made if made is None or block.labels[0] == "condition" else as_made(made)) or TemplateValue(())

    def _dynamic(self, block: Block, scope: EvaluationScope, items: TemplateValue) -> Iterator[TemplateValue]:
        content = next((nested for nested in block.body.blocks if nested.kind == "content"), None)
        entries = collection_entries(items)
        anchor = Anchor(None, block.node.start_byte, block.node.end_byte)
        named = block.body.arguments.get("iterator")
        iterator = named.syntax.word(named.value).strip().strip('"') if named else block.labels[0]
        place = f"{self.prefix}dynamic {block.labels[0]}{scope.mark}"
        if entries is None and content is not None and block.labels[0] == "statement":
            # however many there are, each is like this one; where it denies there may be none
            names = {iterator: TemplateValue({part: TemplateValue(hole(f"{part} of {place}")) for part in ("key", "value")})}
            like = self.config(content.body, scope.with_names(names), content.node)
            yield TemplateValue(hole(place), anchor, block.syntax.document) if may_deny(like) else like
            return
        if content is None or entries is None or len(entries) > INSTANCES:
            yield TemplateValue(hole(place), anchor, block.syntax.document)
            return
        for key, value in entries:
            names = {iterator: TemplateValue({"key": key, "value": value})}
            mark = f" [{text_of(scalar_text(key.value) or '?')}]"
            yield self.config(content.body, scope.with_names(names, mark), content.node)

    def call(self, kind: str, name: str) -> TemplateValue | None:
        """The outputs of a module that is called."""
        block = self.folder.named.get((kind, name))
        if block is None:
            return None
        return self._all(
            (kind, name), block, lambda suffix, scope: TemplateValue(Outputs(self, block, f"{kind}.{name}{suffix}", scope))
        )

    def child(self, block: Block, address: str, scope: EvaluationScope) -> "Module | None":
        """Return the module that is called, None where its files are not in the input. Raises WrongShape where it calls itself,
        which Terraform refuses, or where there are too many."""
        if address not in self._children:
            path = "" if has_open_inputs(block) else local_path(self.folder.path, source_of(block))
            folder = self.folders.get(path) if path else None
            self._children[address] = self._called(folder, address, block, scope) if folder else None
        return self._children[address]

    def _called(self, folder: ModuleFolder, address: str, block: Block, scope: EvaluationScope) -> "Module":
        above = (*self.above, self.folder.path)
        if folder.path in above:
            raise WrongShape("", f"a module that calls itself: {source_of(block)}")
        if len(above) > _MODULES_DEEP:
            raise WrongShape("", f"modules nested more than {_MODULES_DEEP} deep")
        self.budget.add_instance(block)
        inputs, prefix = self.inputs_of(block, scope), f"{self.prefix}{address}."
        child = Module(folder, self.folders, self.budget, prefix, inputs, above, scope.assumed, self.root)
        # kept: of two inputs that two of the caller give, each level would ask twice as often as the one above it
        child._is_open = cache(lambda variable: self._may_change(block.body.arguments.get(variable)))
        return child

    def inputs_of(self, block: Block, scope: EvaluationScope) -> Mapping[str, TemplateValue]:
        """Return the arguments of a call, each evaluated when it is used."""
        return CallArguments(self, block, scope)

    def known(self, block: Block, address: str, scope: EvaluationScope) -> KnownModule | None:
        """Return the module of the registry that is called, None where it is not known."""
        if has_open_inputs(block):
            return None
        version, node = block.body.arguments.get("version"), block.node
        constraint = version.syntax.word(version.value).strip().strip('"') if version else ""
        written = (Anchor(None, node.start_byte, node.end_byte), block.syntax.document)
        return known_module(
            source_of(block), self.prefix + address, CallArguments(self, block, scope, is_known=True), constraint, written
        )


def _is_empty(default: TemplateValue) -> bool:
    """Whether nothing is in a value, nor in the JSON that it is the text of."""
    return default.value in _EMPTY or known(default.value).replace(" ", "") == "{}"


def _named(argument: Argument, value: TemplateValue) -> TemplateValue:
    """The value of an argument that knows where its name is written."""
    if value.anchor is None or value.document != argument.syntax.document:
        return value
    name, name_end = argument.name_span
    return msgspec.structs.replace(value, anchor=msgspec.structs.replace(value.anchor, name=name, name_end=name_end))


def _together(document: str, *lists: TemplateValue) -> TemplateValue:
    """The blocks of several lists as one list, which is written where its first one is."""
    blocks = [block for listed in lists for block in (listed.value if isinstance(listed.value, tuple) else (listed,))]
    return TemplateValue(tuple(blocks), blocks[0].anchor if blocks else None, document)


class CallArguments(LazyMembers):
    """The arguments of a module call; to a known module of the registry all is given as made."""

    def __init__(self, module: Module, block: Block, scope: EvaluationScope, *, is_known: bool = False) -> None:
        self.module = module
        self.is_known = is_known
        self.block = block
        self.scope = scope
        self.worked_out: dict[object, TemplateValue] = {}

    def _names(self) -> Iterable[str]:
        of_terraform = ("source", "version", "count", "for_each", "providers")
        return [name for name in self.block.body.arguments if name not in of_terraform]

    def __getitem__(self, name: object) -> TemplateValue:
        if name not in self.worked_out:
            argument = self.block.body.arguments[str(name)]
            value = _named(argument, expression_value(argument.syntax, argument.value, self.scope))
            self.worked_out[name] = settled(as_made(value) if self.is_known else value, self.scope.assumed)
        return self.worked_out[name]


class Outputs(LazyMembers):
    """The outputs of a module call: of a module in the input, of a known module of the registry, else holes."""

    def __init__(self, above: Module, block: Block, address: str, scope: EvaluationScope) -> None:
        self.above = above
        self.block = block
        self.address = address
        self.scope = scope

    def _names(self) -> Iterable[str]:
        child = self.above.child(self.block, self.address, self.scope)
        return [block.labels[0] for block in child.folder.blocks if block.kind == "output" and block.labels] if child else ()

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: object) -> TemplateValue:
        word = text_of(name) if isinstance(name, str | Text) else "?"
        unknown = TemplateValue(hole(f"{self.above.prefix}{self.address}.{word}"))
        if child := self.above.child(self.block, self.address, self.scope):
            return child.once(("output", word), lambda: self._output(child, word)) or unknown
        familiar = self.above.known(self.block, self.address, self.scope)
        # an argument of a call may refer to what the same call makes
        made = familiar and self.above.once(("known", self.address, word), partial(familiar.output, word))
        return made or unknown

    def _output(self, child: Module, word: str) -> TemplateValue | None:
        block = child.folder.named.get(("output", word))
        argument = block.body.arguments.get("value") if block else None
        return expression_value(argument.syntax, argument.value, child.scope) if argument else None
