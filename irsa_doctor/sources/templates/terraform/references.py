"""The references in the expressions of a Terraform configuration, as a plan lists them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_STEP = re.compile(r"module\.([^.\[]+)(?:\[(?:\"(?:[^\"\\]|\\.)*\"|\d+)\])?\.")
_INDEX = re.compile(r"\[(?:\"(?:[^\"\\]|\\.)*\"|\d+)\]$")
_PATH = re.compile(r"([A-Za-z_][\w-]*)|\[(\d+)\]")
_DEEP = 16
"""Modules and variables that a reference is followed through."""


class References:
    """The `configuration` of a plan, asked by the address of a resource instance."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        root = configuration.get("root_module")
        self._root: Mapping[str, Any] = root if isinstance(root, dict) else {}

    def only(self, address: str, path: str) -> str:
        """Return the single reference of an argument as an address from the root, "" where it has none or several."""
        references = self._significant(address, path)
        return references[0] if len(references) == 1 else ""

    def role_arn(self, address: str, path: str) -> str:
        """The reference to the ARN of a role that an argument is made of, "" where it is made of anything else; of several
        instances of the role, that of the own key or index."""
        reference, raw = self.only(address, path), " ".join(self._raw(address, path))
        if reference.endswith(".arn"):
            return reference
        if "aws_iam_role." in reference and ("each." in raw or "count.index" in raw):
            return f"{reference}{_index_of(address)}.arn"
        return ""

    def data_source(self, address: str, argument: str, kind: str) -> str:
        """The instance of a data source that an argument refers to; of several instances, the one of its own index."""
        prefix, index = _module_of(address), _index_of(address)
        for reference in self._significant(address, argument):
            before, _, rest = reference.removeprefix(prefix).partition(f"data.{kind}.")
            if before or not rest:
                continue
            name = re.split(r"[.\[]", rest, maxsplit=1)[0]
            inside = _INDEX.search(rest.rpartition(".")[0]) or _INDEX.search(rest)
            own = inside[0] if inside else index if "each." in " ".join(self._raw(address, argument)) else ""
            own = own or (index if "count.index" in self._raw(address, argument) else "")
            return f"{prefix}data.{kind}.{name}{own}"
        return ""

    def count(self, address: str, path: str) -> int:
        """How many blocks of a kind the configuration of a resource has."""
        blocks = self._expression(address, path)
        return len(blocks) if isinstance(blocks, list) else 0

    def has_statements(self, address: str, statements: object) -> bool:
        """Whether the configuration has as many statements as there are, so that none of them is of a dynamic block."""
        return isinstance(statements, list) and self.count(address, "statement") == len(statements)

    def _raw(self, address: str, path: str) -> list[str]:
        expression = self._expression(address, path)
        listed = expression.get("references") if isinstance(expression, dict) else None
        return [item for item in listed if isinstance(item, str)] if isinstance(listed, list) else []

    def _significant(self, address: str, path: str) -> list[str]:
        """Every reference except those that a longer one includes."""
        prefix = _module_of(address)
        resolved: list[str] = []
        for reference in _longest(self._raw(address, path)):
            if reference.startswith(("each.", "count.")):
                continue
            resolved += self._resolved(prefix, reference, 0)
        return list(dict.fromkeys(resolved))

    def _resolved(self, prefix: str, reference: str, depth: int) -> Iterator[str]:
        """A reference in a module as one from the root: variables and outputs are followed to what they stand for."""
        name = re.split(r"[.\[]", reference, maxsplit=2)
        call = self._call(prefix)
        if depth < _DEEP and name[0] == "var" and call is not None and len(name) > 1:
            expression = call.get("expressions", {}).get(name[1]) if isinstance(call.get("expressions"), dict) else None
            listed = _longest(expression.get("references") or ()) if isinstance(expression, dict) else []
            if len(listed) == 1 and reference == f"var.{name[1]}":
                yield from self._resolved(_above(prefix), listed[0], depth + 1)
                return
        if depth < _DEEP and name[0] == "module" and (step := _STEP.match(reference)):
            inner = f"{prefix}{step[0]}"
            outputs = _inside(self._module(inner), "outputs")
            output = outputs.get(reference[step.end() :])
            expression = output.get("expression") if isinstance(output, dict) else None
            listed = _longest(expression.get("references") or ()) if isinstance(expression, dict) else []
            if len(listed) == 1:
                yield from self._resolved(inner, listed[0], depth + 1)
                return
        yield prefix + reference

    def _call(self, prefix: str) -> Mapping[str, Any] | None:
        steps = _STEP.findall(prefix)
        if not steps:
            return None
        above = self._module(_above(prefix))
        call = _inside(above, "module_calls").get(steps[-1])
        return call if isinstance(call, dict) else None

    def _module(self, prefix: str) -> Mapping[str, Any]:
        module = self._root
        for step in _STEP.findall(prefix):
            module = _inside(_inside(_inside(module, "module_calls"), step), "module")
        return module

    def _expression(self, address: str, path: str) -> object:
        prefix = _module_of(address)
        own = _INDEX.sub("", address.removeprefix(prefix))
        resources = self._module(prefix).get("resources")
        for item in resources if isinstance(resources, list) else ():
            if isinstance(item, dict) and item.get("address") == own:
                return _followed(item.get("expressions"), path)
        return None


def _followed(value: object, path: str) -> object:
    """An expression inside blocks: `statement[0].principals[1].identifiers`."""
    for match in _PATH.finditer(path):
        name, number = match[1], match[2]
        if name and isinstance(value, dict):
            value = value.get(name)
        elif number and isinstance(value, list) and int(number) < len(value):
            value = value[int(number)]
        elif number and isinstance(value, dict):
            continue
        else:
            return None
    return value


def _inside(members: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = members.get(name)
    return value if isinstance(value, dict) else {}


def _longest(references: Any) -> list[str]:
    """References without those that lead to longer ones: `a.b.arn` comes with `a.b`."""
    texts = [item for item in references if isinstance(item, str)] if isinstance(references, list | tuple) else []
    return [text for text in texts if not any(other != text and other.startswith((text + ".", text + "[")) for other in texts)]


def _module_of(address: str) -> str:
    """`module.a.module.b[0].` of the address of a resource in a module, "" in the root."""
    end = 0
    while match := _STEP.match(address, end):
        end = match.end()
    return address[:end]


def _index_of(address: str) -> str:
    match = _INDEX.search(address)
    return match[0] if match else ""


def _above(prefix: str) -> str:
    """The module that calls a module."""
    steps = list(_STEP.finditer(prefix))
    return prefix[: steps[-1].start()] if steps else ""
