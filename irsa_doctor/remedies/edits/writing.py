"""Edits of source texts: the fewest bytes that make a value another one, everything else kept as it is.

`edits_for(texts, wishes)` is what the engine calls. To add a kind of source text: one module with one function
`(SourceText, Wish) -> tuple[Edit, ...]` that raises CannotWrite, and a row in `WRITERS`, keyed by `text.positions.Source.form`.

A writer takes the changes of a value from `changes(wish.before, wish.after)` (Rename, Put, Drop, Add: pointers into `before`),
finds the tokens of each, and returns byte ranges of the text as UTF-8; `merged_edits` puts together those that touch.
`wish.place` is where the reader has the value from: in a template its pointer leads to tokens by `text.anchors`, as in
`text.positions`, and what is read from another document is found in
`text.other_texts`. For a policy that stands as JSON inside a string or a block of another text, `json.text_ranges` gives the
ranges inside it.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from irsa_doctor.model import holes_in
from irsa_doctor.model.regex import regex
from irsa_doctor.remedies.edits.hcl import is_read_by_configuration, write_hcl, write_read_file
from irsa_doctor.remedies.edits.json import write_json
from irsa_doctor.remedies.edits.put_in import policy_ranges
from irsa_doctor.remedies.edits.records import CannotWrite, Edit, SourceText, Wish
from irsa_doctor.remedies.edits.splicing import merged_edits
from irsa_doctor.remedies.edits.values import with_values
from irsa_doctor.remedies.edits.yaml import write_yaml
from irsa_doctor.trust import SUBJECT_PREFIX

Writer = Callable[[SourceText, Wish], tuple[Edit, ...]]

WRITERS: Mapping[str, Writer] = {"json": partial(write_json, in_text=policy_ranges), "yaml": write_yaml, "hcl": write_hcl}
"""the writer of each form of text"""
_FIELD = regex(r"\$\{\s*schema\.[\w.]+\s*\}")
"""a field in a graph of kro, which each instance fills with its own value: https://kro.run/docs/concepts/simple-schema"""


def edits_for(texts: Callable[[str], SourceText | None], wishes: Iterable[Wish]) -> tuple[Edit, ...]:
    """The edits of wishes, in order; those that touch each other are one. `texts` gives the text of a document by path.

    Raises CannotWrite.
    """
    edits: list[Edit] = []
    for wish in wishes:
        text = texts(wish.place.document)
        if text is not None and wish.appended:
            edits.append(_appended(text, wish.appended))
            continue
        writer = WRITERS.get(text.form) if text else None
        if text is not None and is_read_by_configuration(text, wish):
            writer = write_read_file
        if text is None or writer is None:
            raise CannotWrite("not-in-source", f"{wish.place.document} is in a form that is not edited")
        made = writer(text, with_values(text, wish) if wish.transform and text.form != "hcl" else wish)
        if any(_writes_open(text, wish, edit) for edit in made):
            raise CannotWrite("value-unknown", "what the template leaves open would have to be written out")
        if because := next(filter(None, (_of_every_instance(text, edit) for edit in made)), ""):
            raise CannotWrite("shared-text", because, "correct the field in the instance, or what the graph makes of it")
        edits += made
    try:
        return merged_edits(dict.fromkeys(edits))
    except ValueError as error:
        raise CannotWrite("conflict", str(error)) from None


def _of_every_instance(text: SourceText, edit: Edit) -> str:
    """Why an edit of a graph is right for one of its instances at most, "" where it is not."""
    fields = [field for field in _FIELD.findall(edit.old) if field not in edit.new]
    if fields:
        return f"each instance of the graph fills {', '.join(dict.fromkeys(fields))}"
    is_added = SUBJECT_PREFIX in edit.new and SUBJECT_PREFIX not in edit.old
    return (
        "every instance of the graph would get the subject"
        if is_added and _FIELD.search(text.content.decode(errors="replace"))
        else ""
    )


def _appended(text: SourceText, more: str) -> Edit:
    """The edit that adds lines behind the last one, after an empty line."""
    end = len(text.content)
    newline = "\r\n" if b"\r\n" in text.content else "\n"
    is_ended = text.content.endswith(b"\n") or not text.content
    lines = newline.join(["", *more.splitlines()]) + newline
    return text.edit(end, end, lines if is_ended else newline + lines.removesuffix(newline))


def _writes_open(text: SourceText, wish: Wish, edit: Edit) -> bool:
    """Whether an edit writes what was only put in for a hole, or the name of a hole that nobody has written."""
    if wish.opened is None:
        return False
    names = {hole.name for hole in holes_in(wish.opened.value)}
    strange = (name for name in names if name in edit.new and name.encode() not in text.content)
    return wish.opened.is_open(edit.new) or any(strange)
