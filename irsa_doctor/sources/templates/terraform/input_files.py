"""The files that a Terraform configuration reads by `file` and `templatefile`: those of the input, and never any others.

https://developer.hashicorp.com/terraform/language/functions/templatefile
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from irsa_doctor.model import Text, text_of
from irsa_doctor.sources.templates.terraform.scopes import Budget, EvaluationScope
from irsa_doctor.sources.templates.terraform.syntax import Node, Syntax, template_of
from irsa_doctor.sources.templates.values import Fragment, TemplateValue, known, text_in
from irsa_doctor.text.positions import Anchor

_LARGEST = 1_000_000


class NamedText(msgspec.Struct, frozen=True):
    """A file of the input: its path as the input has it, and its text."""

    path: str
    text: bytes


class InputFiles:
    """The files of the input by their absolute paths. Nothing is read: what is not among them does not exist for a template.

    `used` are the paths of those that expressions have read, `missed` those that they asked for in vain, by the document that
    asks.
    """

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._files = {os.path.abspath(path): NamedText(path, text) for path, text in texts.items() if path != "-"}
        self.used: set[str] = set()
        self.missed: dict[str, dict[str, None]] = {}

    def find(self, path: str, folders: Sequence[str]) -> NamedText | None:
        """Return the file of a path, which is relative to the first of the folders that has it."""
        if "\0" in path:
            return None
        places = (os.path.normpath(os.path.join(os.path.abspath(folder), path)) for folder in folders)
        return next((self._files[place] for place in places if place in self._files), None)


class ModuleFiles(msgspec.Struct, frozen=True):
    """The files of the input as the expressions of a module name them: from the folder of its root module, or from its own."""

    files: InputFiles
    module: str
    root: str

    def member(self, name: str) -> str | None:
        """Return `path.module`, `path.root` or `path.cwd`."""
        folder = {"module": self.module, "root": self.root, "cwd": self.root}.get(name)
        return None if folder in (None, "-") else os.path.abspath(str(folder))


class FileEvaluation(Protocol):
    """An evaluation of the expressions of one file (expressions.py)."""

    syntax: Syntax
    scope: EvaluationScope

    def within(self, syntax: Syntax, node: Node, scope: EvaluationScope) -> TemplateValue:
        """The value of an expression of another text, in a scope."""


def file_text(evaluation: FileEvaluation, name: str, *arguments: TemplateValue) -> TemplateValue | None:
    """Return what `file` or `templatefile` gives, None where the file is not in the input."""
    places, path = evaluation.scope.files, known(arguments[0].value) if arguments else ""
    if not isinstance(places, ModuleFiles) or not path:
        return None
    file = places.files.find(path, (places.root, places.module))
    if file is None or len(file.text) > _LARGEST:
        shown = os.path.relpath(path, os.path.abspath(places.module)) if os.path.isabs(path) else path
        places.files.missed.setdefault(evaluation.syntax.document, {})[shown] = None
        return None
    places.files.used.add(file.path)
    if name == "file":
        text = file.text.decode(errors="replace")
        return TemplateValue(text, Anchor(None, 0, len(file.text)), file.path, (Fragment(text, 0),))
    values = arguments[1].value if len(arguments) > 1 and isinstance(arguments[1].value, Mapping) else {}
    names = {str(variable): values[variable] for variable in values}
    return rendered_template(evaluation.within, evaluation.scope.budget, file, names)


def string_text(evaluation: FileEvaluation, *arguments: TemplateValue) -> TemplateValue | None:
    """Return what `templatestring` gives: of a template that another expression is
    (https://developer.hashicorp.com/terraform/language/functions/templatestring)."""
    template, *more = arguments
    if not isinstance(template.value, str | Text) or template.made is not None:
        return None
    text = NamedText("", text_of(template.value).encode(errors="replace"))
    values = more[0].value if more and isinstance(more[0].value, Mapping) else {}
    names = {str(variable): values[variable] for variable in values}
    made = rendered_template(evaluation.within, evaluation.scope.budget, text, names)
    return made and msgspec.structs.replace(made, anchor=template.anchor, document=template.document, pieces=())


def rendered_template(
    within: Callable[[Syntax, Node, EvaluationScope], TemplateValue],
    budget: Budget,
    file: NamedText,
    names: Mapping[str, TemplateValue],
) -> TemplateValue | None:
    """Return a template with its variables filled in, None where it is not valid; `within` evaluates its expressions."""
    scope = EvaluationScope(lambda name, steps, scope: None, budget, names=names)
    whole = file.text.strip()
    if whole.startswith(b"${") and whole.endswith(b"}"):
        syntax, node, _ = template_of(whole, quoted=True)
        if node is not None:
            value, anchor = within(syntax, node, scope), Anchor(None, 0, len(file.text))
            made = msgspec.structs.replace(value.made, anchor=anchor, document=file.path) if value.made else None
            return msgspec.structs.replace(value, anchor=anchor, document=file.path, pieces=(), made=made)
    syntax, node, before = template_of(file.text, quoted=False)
    if node is None:
        return None
    return _placed_in(file, before, within(syntax, node, scope))


def _placed_in(file: NamedText, before: int, value: TemplateValue) -> TemplateValue:
    """A text where it is written in its file, in each case of it."""
    if not value.pieces:
        return value
    size, choice = len(file.text), value.choice
    pieces = tuple(_moved(value.pieces, before, size))
    if choice:
        then, otherwise = (_placed_in(file, before, side) for side in (choice.then, choice.otherwise))
        choice = msgspec.structs.replace(choice, then=then, otherwise=otherwise)
    return TemplateValue(text_in(pieces), Anchor(None, 0, size), file.path, pieces, choice=choice)


def _moved(pieces: Sequence[Fragment], before: int, size: int) -> Iterator[Fragment]:
    """Pieces of a template where they are written in their file, without the line break that the end of a heredoc needs."""
    for piece in pieces:
        at = piece.at - before if piece.at >= 0 else -1
        if isinstance(piece.part, str) and at >= 0 and at + len(piece.part.encode()) > size:
            yield Fragment(piece.part[:-1], at, piece.size)
        else:
            yield Fragment(piece.part, at, piece.size)
