"""Reads the text of one document: a dialect, JSON, YAML, or a policy that is wrapped in a string."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import takewhile

import msgspec

from irsa_doctor.model import Place, TrustPolicy
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents import kinds
from irsa_doctor.sources.documents.bulk import FROM, read_bulk
from irsa_doctor.sources.documents.dialects import Dialect
from irsa_doctor.sources.documents.policies import concerns, is_like_policy, unwrapped
from irsa_doctor.sources.documents.reading import STACK_RECORDS, Deployment, DocumentReading, NestedStack, Page, guarded
from irsa_doctor.sources.documents.rendered_texts import (
    error_of_template,
    is_of_template,
    is_terraform_template,
    note_terraform_template,
)
from irsa_doctor.sources.documents.stacks import answered_template, waits
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.json import read_json, read_pieces, split_values
from irsa_doctor.text.lines import Span
from irsa_doctor.text.positions import Documents, Source
from irsa_doctor.text.scanner import Duplicate, Scan

_NESTED = 500
"""stacks in stacks that are read"""
_YAML_LIMIT = 64 << 20
"""Bytes of YAML that are read: a node takes a hundred times the memory of its text."""
_WHOLE_LIMIT = 1_000_000
"""Bytes of JSON up to which a document is read strictly as a whole, else piece by piece."""
_YAML_SIGN = regex(
    rb"""^(?:-\s+)?["']?(?:apiVersion|kind|Statement|Role|Roles|RoleName|RoleDetailList|OpenIDConnectProviderList|Url|clusters"""
    rb"""|cluster|associations?|Policy|keys|issuer|AWSTemplateFormatVersion|Resources|Version)["']?[ \t]*:""",
    re.MULTILINE,
)
_KIND = regex(rb"^[ \t]*[\"']?kind[\"']?[ \t]*:", re.MULTILINE)
_FLOW = regex(rb"\s*\{\s*[A-Za-z_]")
# documents of a YAML stream that are each written as JSON
_SEPARATED = regex(rb"^---[ \t]*$", re.MULTILINE)
_COMMENTED_FLOW = regex(rb"(?:\s++|#[^\n]*+\n)++\{")
# comments, then a value: source code in other languages begins with comments too
_COMMENTED = regex(rb"(?:\s++|//[^\n]*+\n|/\*.*?\*/)++[{\[]", re.DOTALL)


def read_dialect(text: bytes, dialect: Dialect, reading: DocumentReading) -> Source | TextError:
    """Read a text as a dialect that has a reader."""
    text_error = dialect.read(text, reading) if dialect.read else None
    return text_error or Source(text, dialect.form)


def read_text(text: bytes, reading: DocumentReading, is_data: bool) -> Source | TextError | None:
    """Fill the reading with a JSON or YAML text; None where it is neither and `is_data` does not claim that it is."""
    result = _read_text(text, reading, is_data)
    if isinstance(result, TextError) and _may_be_left(text, reading) and is_terraform_template(text, result):
        note_terraform_template(reading)
        return Source(text, "other")
    return result


def _may_be_left(text: bytes, reading: DocumentReading) -> bool:
    """Whether nothing is lost where a text is left to whoever renders it: it becomes an unknown, or is no object of Kubernetes
    that somebody may apply as it is."""
    return is_like_policy(text) or not (reading.named or _KIND.search(text))


def _read_text(text: bytes, reading: DocumentReading, is_data: bool) -> Source | TextError | None:
    first = text.lstrip()[:1]
    if first in (b"{", b"["):
        return _read_json(text, reading, is_data)
    if first in (b'"', b"%"):
        policy = unwrapped(text)
        if policy is not text and policy.lstrip()[:1] == b"{":
            return _read_wrapped(text, policy, reading)
    if _COMMENTED.match(text) and is_like_policy(text):
        # JSON with comments, which YAML would take for one long text
        scan = read_json(text)
        return scan if isinstance(scan, TextError) else None
    if not is_data and not _YAML_SIGN.search(text) and not (_COMMENTED_FLOW.match(text) and is_like_policy(text)):
        return None
    result = _read_yaml(text, reading)
    return None if isinstance(result, TextError) and not is_data else result


def _read_wrapped(text: bytes, policy: bytes, reading: DocumentReading) -> Source | TextError:
    """A policy as IAM's API gives it: URL-encoded, or as a JSON string. Places inside it have no lines then."""
    scan = read_json(policy)
    if isinstance(scan, TextError):
        return TextError(f"{scan.why} (in the decoded policy, {scan.line}:{scan.column})", 1, 1)
    _read_page(Page(scan.value, Place(reading.path), scan.duplicates), reading)
    return Source(text, "other")


def _read_json(text: bytes, reading: DocumentReading, is_data: bool) -> Source | TextError | None:
    if len(text) >= FROM and read_bulk(text, reading.path, reading):
        return Source(text, "json", [(0, len(text))])
    scan = _in_pieces(text) if len(text) > _WHOLE_LIMIT else read_json(text)
    if not isinstance(scan, Scan):
        scan = _in_pieces(text) or read_json(text)
    if isinstance(scan, Scan):
        _read_page(Page(scan.value, Place(reading.path), scan.duplicates), reading)
        return Source(text, "json", [(0, len(text))], bool(scan.duplicates))
    ranges = split_values(text)
    if len(ranges) > 1:
        return _read_values(text, ranges, reading)
    is_yaml = reading.path.lower().endswith((".yaml", ".yml")) and not is_like_policy(text)
    if is_yaml or _FLOW.match(text) or _SEPARATED.search(text):
        source = _read_yaml(text, reading)
        if isinstance(source, Source) and (is_yaml or reading.gave_something()):
            return source
    worded = error_of_template(text, scan, "JSON")
    return worded if is_data or is_of_template(worded) else None


def _in_pieces(text: bytes) -> Scan | None:
    """Read a text that is too big to be read at once, or has parts that cannot be read."""
    scan = read_pieces(text)
    if scan is None or not scan.duplicates:
        return scan
    finder = Documents({"": Source(text, "json", [(0, len(text))], True)})

    def moved(item: Duplicate) -> Duplicate:
        piece = Place("", "/".join(item.pointer.split("/")[: 3 if isinstance(_member(scan, item), list) else 2]))
        span = finder.locate(piece)
        return msgspec.structs.replace(item, first=moved_position(item.first, span), second=moved_position(item.second, span))

    return Scan(scan.value, tuple(moved(item) for item in scan.duplicates))


def _member(scan: Scan, item: Duplicate) -> object:
    """The member of the document in which a duplicate member is."""
    name = item.pointer.split("/")[1].replace("~1", "/").replace("~0", "~")
    return scan.value.get(name) if isinstance(scan.value, dict) else None


def moved_position(position: tuple[int, int], start: Span) -> tuple[int, int]:
    """Return a line and column inside a part as line and column of the document, by where the part starts."""
    line, column = position
    return line + start.line - 1, column + start.column - 1 if line == 1 else column


def _read_values(text: bytes, ranges: list[tuple[int, int]], reading: DocumentReading) -> Source:
    """JSON lines, or concatenated values: each is a part of its own, and an error in one leaves the others readable."""
    repeats, line, done = False, 1, 0
    for part, (start, end) in enumerate(ranges):
        line += text.count(b"\n", done, start)
        done = start
        scan = read_json(text[start:end])
        if isinstance(scan, Scan) and not scan.duplicates:
            _read_page(Page(scan.value, Place(reading.path, "", part)), reading)
            continue
        before = Span(line, len(text[text.rfind(b"\n", 0, start) + 1 : start].decode()) + 1)
        if isinstance(scan, TextError):
            reading.text_errors.append(TextError(scan.why, *moved_position((scan.line, scan.column), before)))
            continue
        repeats = True
        moved = tuple(
            msgspec.structs.replace(item, first=moved_position(item.first, before), second=moved_position(item.second, before))
            for item in scan.duplicates
        )
        _read_page(Page(scan.value, Place(reading.path, "", part), moved), reading)
    return Source(text, "json", ranges, repeats)


def _read_yaml(text: bytes, reading: DocumentReading) -> Source | TextError:
    from irsa_doctor.text.yaml import yaml_documents

    if len(text) > _YAML_LIMIT:
        return TextError(f"{len(text) >> 20} MiB of YAML exceeds the limit of {_YAML_LIMIT >> 20} MiB: convert it to JSON")
    for part, document in enumerate(yaml_documents(text)):
        if isinstance(document, TextError):
            return document
        _read_page(Page(document.value, Place(reading.path, "", part), document.duplicates), reading)
    return Source(text, "yaml")


def _read_page(page: Page, reading: DocumentReading) -> None:
    """Read a page now; a template with parameters waits for their values."""
    page = answered_template(page, reading)
    if waits(page.value):
        reading.waiting.append(page)
        return
    read_page_now(page, reading)


def read_waiting(readings: Sequence[DocumentReading], stated: Mapping[str, str]) -> None:
    """Read the templates that wait for the values of their parameters, when all files are read; `stated` are the files of
    parameters that the user names, by their templates."""
    pages_of: dict[str, list[Page]] = {}
    if any(reading.waiting or reading.parameters for reading in readings):
        pages_of = _read_with_parameters(readings, stated)
    if any(reading.nested for reading in readings):
        _read_nested(readings, pages_of)


def _read_with_parameters(readings: Sequence[DocumentReading], stated: Mapping[str, str]) -> dict[str, list[Page]]:
    """Read what waits with the parameters of the input, and return the pages by path."""
    from irsa_doctor.sources.templates.cloudformation.parameters import give_parameters

    guarded(
        [reading for reading in readings if reading.waiting or reading.parameters], partial(give_parameters, readings, stated)
    )
    _offer_outputs(readings)
    pages_of = {}
    for reading in readings:
        # what waits no longer counts as what the document gave
        pages, reading.waiting = reading.waiting, []
        pages_of[reading.path] = pages
        for page in pages:
            guarded((reading,), partial(read_page_now, page, reading))
            for deployment in reading.deployments:
                guarded((reading,), partial(_add_deployment, page, reading, deployment))
    return pages_of


def _offer_outputs(readings: Sequence[DocumentReading]) -> None:
    """Let templates that wait look up the outputs of the stacks that they make."""
    from irsa_doctor.sources.templates.cloudformation.outputs import NestedOutputs

    named = _NamedTemplates({os.path.normpath(reading.path): reading for reading in readings})
    around = {reading.path: reading for reading in readings}
    pages = {reading.path: tuple(reading.waiting) for reading in readings if reading.waiting}

    def find(path: str, document: str) -> Sequence[Page]:
        inside = named.of(path, around[document]) if document in around else None
        return pages.get(inside.path, ()) if inside else ()

    outputs = NestedOutputs(find)
    for reading in readings:
        if reading.waiting:
            reading.stack_outputs = outputs.value


def _read_nested(readings: Sequence[DocumentReading], pages_of: Mapping[str, Sequence[Page]]) -> None:
    """Read the templates of nested stacks with what the stacks around them give to them, in place of what they are alone."""
    by_path = {os.path.normpath(reading.path): reading for reading in readings}
    named = _NamedTemplates(by_path)
    waiting = [(reading, stack) for reading in readings for stack in reading.nested]
    given: set[str] = set()
    for number, (around, stack) in enumerate(waiting):
        inside = named.of(stack.template, around)
        if inside is None or inside is around or number >= _NESTED:
            continue
        around.notes = [note for note in around.notes if note != stack.why]
        if stack.why in around.passed:
            around.passed.remove(stack.why)
            around.passed = around.passed or ["a template whose stacks are read from their own templates"]
        around.gaps = [gap for gap in around.gaps if gap.name != stack.name]
        if pages := pages_of.get(inside.path):
            if inside.path not in given:
                given.add(inside.path)
                inside.roles = []
                for name in STACK_RECORDS:
                    setattr(inside, name, [])
            words = f"in the stack {stack.name} of {os.path.basename(around.path)}"
            deployment = Deployment(words, stack.parameters, is_nested=True)
            for page in pages:
                waiting += [(inside, deeper) for deeper in _add_deployment(page, inside, deployment)]


class _NamedTemplates:
    """The templates of the input by their paths, or by the ends of these."""

    def __init__(self, by_path: Mapping[str, DocumentReading]) -> None:
        self._by_path = by_path

    def of(self, path: str, around: DocumentReading) -> DocumentReading | None:
        """The template of a path; of one that begins with `*/` the only one that ends so, the nearest to the other template."""
        if not path.startswith("*/"):
            return self._by_path.get(path)
        ending = [reading for name, reading in self._by_path.items() if f"/{name}".endswith(path[1:]) and reading is not around]
        shared = [_shared_steps(reading.path, around.path) for reading in ending]
        nearest = [reading for reading, steps in zip(ending, shared, strict=True) if steps == max(shared)]
        return nearest[0] if len(nearest) == 1 else None


def _shared_steps(path: str, other: str) -> int:
    """How many folders two paths begin with alike."""
    pairs = zip(os.path.normpath(path).split(os.sep)[:-1], os.path.normpath(other).split(os.sep)[:-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _add_deployment(page: Page, reading: DocumentReading, deployment: Deployment) -> list[NestedStack]:
    """Add the roles whose policies differ from those of the defaults where a template is deployed with other parameters; of a
    nested stack, all that it makes."""
    other = DocumentReading(
        reading.path,
        parameters=dict(deployment.parameters),
        deployment=deployment.words,
        stack_outputs=reading.stack_outputs,
    )
    kinds.read_page(page, other)
    if not deployment.is_nested:
        for name in STACK_RECORDS:
            getattr(other, name).clear()
    reading.add_stack(other)
    return other.nested


def read_page_now(
    page: Page, reading: DocumentReading, read: Callable[[Page, DocumentReading], None] = kinds.read_page
) -> None:
    """Read a page, and note its duplicate members outside of policies; those inside are flaws of the policy."""
    roles, rcps = len(reading.roles), len(reading.rcps)
    read(page, reading)
    if page.duplicates:
        policies = [role.policy for role in reading.roles[roles:]] + [rcp.document for rcp in reading.rcps[rcps:]]
        # a policy that a template makes has no flaws of the document
        places = [policy.place for policy in policies if isinstance(policy, TrustPolicy) and policy.flaws]
        for item in page.duplicates:
            if not any(concerns(item, place) for place in places):
                reading.duplicates.append((page.place, item))
