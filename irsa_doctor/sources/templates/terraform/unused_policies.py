"""Finds the trust policies of a configuration that no role of it uses: outputs, and what is handed to modules elsewhere.

A statement that allows AssumeRoleWithWebIdentity can be of nothing but a trust policy.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

from irsa_doctor.model import Place, Role, TrustPolicy, Unknown
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.terraform.expressions import expression_value
from irsa_doctor.sources.templates.terraform.modules import Module
from irsa_doctor.sources.templates.terraform.policy_document import document_of
from irsa_doctor.sources.templates.terraform.syntax import Argument, Block, Node
from irsa_doctor.sources.templates.values import TemplateValue, policy_of
from irsa_doctor.text.positions import Anchor
from irsa_doctor.text.scanner import escaped

_ACTION = "assumerolewithwebidentity"
_SIGN = _ACTION.encode()
# lines that are nothing but a comment
_COMMENT = re.compile(r"^[ \t]*(?:#|//)[^\n]*", re.MULTILINE)
_KINDS = ("data", "locals", "output", "module")


class PolicyCandidate(msgspec.Struct, frozen=True):
    """What may be a trust policy: its address, its value, where it is written, and whether something uses it."""

    address: str
    value: TemplateValue
    node: Node
    document: str
    is_used: Callable[[], bool]


def add_unused_policies(
    module: Module, readings: Mapping[str, DocumentReading], attempt: Callable[[Callable[[], None], Block], None]
) -> None:
    """Add the trust policies of a module, and of all that it calls, that no role uses, each to the reading of its file.

    `attempt` does what is about one block, and notes what is wrong with it.
    """
    candidates: list[tuple[PolicyCandidate, Block]] = []

    def gather(each: Module, block: Block) -> None:
        candidates.extend((candidate, block) for candidate in _candidates(each, block))

    for each in module.called():
        for block in _naming(each):
            with module.budget.of_its_own():
                attempt(partial(gather, each, block), block)
    # a document that is merged into another one is used by that
    for candidate, block in candidates:
        if candidate.document in readings and not candidate.is_used():
            attempt(partial(_add, candidate, readings[candidate.document]), block)


def _naming(module: Module) -> Iterator[Block]:
    """The blocks of a module that name the action of web identities."""
    naming = {syntax.document for syntax in module.folder.syntaxes if _SIGN in syntax.text.lower()}
    for block in module.folder.blocks if naming else ():
        if block.kind in _KINDS and block.syntax.document in naming and _names_action(block.syntax.text, block.node):
            yield block


def _candidates(module: Module, block: Block) -> Iterator[PolicyCandidate]:
    if block.kind == "data" and block.labels[:1] == ("aws_iam_policy_document",) and len(block.labels) == 2:
        yield from _documents(module, block)
    elif block.kind == "locals":
        for name, argument in block.body.arguments.items():
            yield from _argument(module, f"local.{name}", argument, ("local", name))
    elif block.kind == "output" and block.labels and "value" in block.body.arguments:
        yield from _argument(module, f"output.{block.labels[0]}", block.body.arguments["value"])
    elif block.kind == "module" and block.labels:
        yield from _of_call(module, block)


def _documents(module: Module, block: Block) -> Iterator[PolicyCandidate]:
    """Every instance of a policy document of which no role speaks."""
    if f"{module.prefix}data.{'.'.join(block.labels)}" in module.used:
        return
    if any(_speaks_of(role, ".".join(block.labels)) for role in module.folder.blocks):
        return
    for instance in module.likely(block):
        address = f"{module.prefix}data.{'.'.join(block.labels)}{instance.suffix}"
        config = module.config(block.body, instance.scope, block.node)
        value = document_of(config, address)
        is_used = _in(module.used, address)
        yield PolicyCandidate(address, value, block.node, block.syntax.document, is_used)


def _in(addresses: set[str], address: str) -> Callable[[], bool]:
    return lambda: address in addresses


def _speaks_of(block: Block, name: str) -> bool:
    """Whether a role, also one that is not made, uses a policy document."""
    if block.kind != "resource" or block.labels[:1] not in (("aws_iam_role",), ("awscc_iam_role",)):
        return False
    text = _COMMENT.sub("", block.syntax.word(block.node))
    return re.search(rf"\b{re.escape(name)}\b(?!-)", text) is not None


def _of_call(module: Module, block: Block) -> Iterator[PolicyCandidate]:
    """The arguments of a call of a module that is neither known nor in the input."""
    name = f"module.{block.labels[0]}"
    if module.child(block, name, module.scope) or module.known(block, name, module.scope):
        return
    for argument_name, argument in block.body.arguments.items():
        yield from _argument(module, f"{name}.{argument_name}", argument)


def _argument(
    module: Module, address: str, argument: Argument, key: tuple[str, str] | None = None
) -> Iterator[PolicyCandidate]:
    if key and module.has_evaluated(*key):
        return
    if not _names_action(argument.syntax.text, argument.value):
        return
    value = expression_value(argument.syntax, argument.value, module.scope)
    items = value.value if isinstance(value.value, tuple) else (value,)
    for number, item in enumerate(items):
        called = f"{module.prefix}{address}" + (f"[{number}]" if len(items) > 1 else "")
        is_used = (lambda: module.has_evaluated(*key)) if key else (lambda: False)
        yield PolicyCandidate(called, item, argument.value, argument.syntax.document, is_used)


def _names_action(text: bytes, node: Node) -> bool:
    return _SIGN in text[node.start_byte : node.end_byte].lower()


def _add(candidate: PolicyCandidate, reading: DocumentReading) -> None:
    place = Place(reading.path, f"/{escaped(candidate.address)}")
    policy, anchors = policy_of(candidate.value, place, Unknown(""))
    if not isinstance(policy, TrustPolicy) or not _allows_web_identity(policy.document):
        return
    reading.anchors.update(anchors)
    reading.anchors.setdefault((0, place.pointer), Anchor(None, candidate.node.start_byte, candidate.node.end_byte))
    reading.roles.append(Role("", candidate.address, "", policy, place, source=candidate.address))
    if policy.flaws:
        reading.apart.append(place)


def _allows_web_identity(document: object) -> bool:
    """Whether a statement with a principal allows the action; a text without holes names it."""
    statements = document.get("Statement") if isinstance(document, dict) else None
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict) or not ({"Principal", "NotPrincipal"} & statement.keys()):
            continue
        actions = statement.get("Action")
        listed = actions if isinstance(actions, list) else [actions]
        if any(isinstance(item, str) and _ACTION in item.lower() for item in listed) and statement.get("Effect") != "Deny":
            return True
    return False
