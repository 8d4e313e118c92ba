"""Reads the templates of objects that Crossplane and kro fill in: compositions, graphs, and objects inside objects.

https://docs.crossplane.io/latest/composition/compositions/, https://kro.run/docs/concepts/resource-group-definitions
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

from irsa_doctor.model import UNREAD_TRUST, Gap, ServiceAccount, Text, text_of
from irsa_doctor.model.place import Place
from irsa_doctor.sources.documents.kubernetes import account_annotations, annotations_of
from irsa_doctor.sources.documents.reading import DocumentReading, Page, guarded
from irsa_doctor.sources.templates.controllers.expressions import with_plain_expressions
from irsa_doctor.sources.templates.controllers.go_templates import CannotFill, filled_in
from irsa_doctor.sources.templates.signs import role_sign
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import StillOpen, TextError
from irsa_doctor.text.placeholders import with_holes
from irsa_doctor.text.positions import Anchor
from irsa_doctor.text.yaml import yaml_documents

ReadPage = Callable[[Page, DocumentReading], None]
_STEP = re.compile(r"""\[\s*["']?([^\]"']+)["']?\s*\]|([^.\[\]]+)""")
_VERB = re.compile(r"%(?:\[(\d+)\])?[sdvq]|%%")
_ARN_OF = re.compile(r"\$\{\s*([\w-]+)\.status\.(?:ackResourceMetadata|atProvider)\.arn\s*\}")
_EXPRESSION = re.compile(r"\$\{.*\}", re.DOTALL)
_OBJECTS = frozenset({"metadata", "annotations", "labels", "data", "spec", "template", "containers", "volumes", "env"})
"""members that Kubernetes takes as an object or a list"""
_SAID_OF_CLUSTER = "which Crossplane or kro fills in"


def read_composition(page: Page, reading: DocumentReading, read: ReadPage) -> None:
    """A Composition, its resources one by one, in both modes."""
    members = shapes.mapping(page.value, page.place)
    spec, at = shapes.inner(members, "spec", page.place), page.place.at("spec")
    name = shapes.as_text(shapes.inner(members, "metadata", page.place).get("name") or "composition")
    _read_resources(_Composition(name, _sets_of(spec, at), reading, read, page), spec, at)
    for number, step in enumerate(shapes.many(spec, "pipeline", at)):
        place = at.at("pipeline", number)
        step_members = shapes.mapping(step, place)
        step_input = shapes.inner(step_members, "input", place)
        if isinstance(step_input.get("resources"), list):
            inner = _Composition(name, _sets_of(step_input, place.at("input")), reading, read, page)
            _read_resources(inner, step_input, place.at("input"))
            continue
        step_name = shapes.as_text(step_members.get("step") or number)
        function = shapes.as_text(shapes.inner(step_members, "functionRef", place).get("name") or "a function")
        inline = step_input.get("inline")
        text = inline.get("template") if isinstance(inline, dict) else None
        if isinstance(text, str):
            _read_go_template(
                _GoTemplate(name, step_name, function, text, place.at("input", "inline", "template")), reading, read
            )
        else:
            _note_unread_step(name, step_name, function, step_input, reading)


class _GoTemplate(msgspec.Struct, frozen=True):
    """A template of Go in a step of a composition, and where it is written."""

    composition: str
    step: str
    function: str
    text: str
    place: Place


def _note_unread_step(name: str, step: str, function: str, step_input: Mapping[str, object], reading: DocumentReading) -> None:
    """Note a step that is not read; one that names web identities may make roles."""
    note = f"step {step} of {name} is made by {function} and not read"
    reading.notes.append(note)
    reading.passed.append(note)
    if role_sign(repr(step_input)):
        missing = f"roles that step {step} of {name} makes: it is made by {function} and not read"
        reading.gaps.append(Gap(UNREAD_TRUST, reading.path, f"{name}/{step}", missing, "the roles as they are after that"))


def _read_go_template(template: _GoTemplate, reading: DocumentReading, read: ReadPage) -> None:
    """The objects that a template of Go makes, in each branch of its conditions."""
    inside: list[DocumentReading] = []
    try:
        for text in filled_in(template.text):
            inside.append(DocumentReading(reading.path))
            for value in _documents(text):
                base = _named(value, f"{template.composition}/{template.step}")
                at = template.place.at(_label(base))
                guarded((reading,), partial(read_object_template, Page(base, at), inside[-1], read))
    except CannotFill:
        _note_unread_step(template.composition, template.step, template.function, {"template": template.text}, reading)
        return
    words: dict[str, set[str]] = {}
    for branch in inside:
        for role in branch.roles:
            words.setdefault(role.address, set()).add(role.policy_words)
    for number, branch in enumerate(inside, 1):
        case = f"(branch {number} of the conditions of {template.step})"
        branch.roles = [
            msgspec.structs.replace(role, case=case) if len(words[role.address]) > 1 else role for role in branch.roles
        ]
        reading.add_stack(branch)
        reading.notes += [note for note in branch.notes if note not in reading.notes]
        reading.broken += branch.broken
    if not any(branch.gave_something() for branch in inside):
        reading.passed.append(
            f"step {template.step} of {template.composition} is made by {template.function}: no role, provider or account"
        )


def _label(base: Mapping[str, object]) -> str:
    """The kind and name of an object: the same in each branch in which it is made."""
    metadata = base.get("metadata")
    return f"{base.get('kind')} {metadata.get('name') if isinstance(metadata, dict) else ''}"


def _documents(text: str) -> Iterator[dict[str, object]]:
    """The objects in a template that is filled in. Raises CannotFill where it is no YAML then."""
    for document in yaml_documents(text.encode(errors="replace")):
        if isinstance(document, TextError):
            raise CannotFill
        if isinstance(document.value, dict):
            yield document.value


class _Composition(msgspec.Struct, frozen=True):
    """What the resources of one composition share: `sets` are its sets of patches by name, `read` reads any document."""

    name: str
    sets: Mapping[str, list[object]]
    reading: DocumentReading
    read: ReadPage
    page: Page


def _sets_of(members: Mapping[str, object], place: Place) -> Mapping[str, list[object]]:
    """The sets of patches by name."""
    sets = [item for item in shapes.many(members, "patchSets", place) if isinstance(item, dict)]
    return {shapes.as_text(item.get("name")): shapes.many(item, "patches", place) for item in sets}


def _read_resources(composition: _Composition, members: Mapping[str, object], place: Place) -> None:
    at = place.at("resources")

    def read_resource(item: object, resource_place: Place) -> None:
        resource = shapes.mapping(item, resource_place)
        base = resource.get("base")
        if not isinstance(base, dict):
            return
        patched = _named(base, f"{composition.name}/{shapes.as_text(resource.get('name') or 'resource')}")
        for patch in _patches(shapes.many(resource, "patches", resource_place), composition.sets):
            patched = _patched(patched, patch)
        read_object_template(
            Page(patched, resource_place.at("base"), composition.page.duplicates), composition.reading, composition.read
        )

    composition.reading.each(shapes.many(members, "resources", place), at, read_resource)


def _named(base: Mapping[str, object], name: str) -> dict[str, object]:
    """A base with a name by which findings call it; the real one is made when it is used."""
    metadata = base.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return {**base, "metadata": {"name": f"${{{name}}}", **metadata}}


def _patches(patches: list[object], sets: Mapping[str, list[object]]) -> Iterator[Mapping[str, object]]:
    for patch in patches:
        if not isinstance(patch, dict):
            continue
        if patch.get("type") == "PatchSet":
            yield from (item for item in sets.get(shapes.as_text(patch.get("patchSetName")), []) if isinstance(item, dict))
        elif not str(patch.get("type", "")).startswith("To"):
            yield patch


def _patched(base: dict[str, object], patch: Mapping[str, object]) -> dict[str, object]:
    """A base in which one field holds what a patch will put there."""
    path = patch.get("toFieldPath", patch.get("fromFieldPath"))
    if not isinstance(path, str) or "*" in path:
        return base
    steps = [match[1] or match[2] for match in _STEP.finditer(path)]
    written = _with_value(base, steps, _value_of(patch)) if 0 < len(steps) <= 20 else base
    return written if isinstance(written, dict) else base


def _with_value(value: object, steps: list[str], new: str) -> object:
    if not steps:
        return new
    if isinstance(value, list) and steps[0].isdecimal() and int(steps[0]) < len(value):
        number = int(steps[0])
        return [*value[:number], _with_value(value[number], steps[1:], new), *value[number + 1 :]]
    members = value if isinstance(value, dict) else {}
    return {**members, steps[0]: _with_value(members.get(steps[0], {}), steps[1:], new)}


def _value_of(patch: Mapping[str, object]) -> str:
    """The text that a patch makes, with `${...}` for the fields that it takes."""
    combine = patch.get("combine")
    if isinstance(combine, dict):
        sources = [f"${{{item.get('fromFieldPath')}}}" for item in combine.get("variables") or [] if isinstance(item, dict)]
        return _formatted(combine.get("string"), sources)
    value = f"${{{patch.get('fromFieldPath', 'value')}}}"
    transforms = patch.get("transforms")
    for transform in transforms if isinstance(transforms, list) else ():
        if isinstance(transform, dict) and transform.get("type") == "string" and isinstance(transform.get("string"), dict):
            value = _formatted(transform["string"], [value])
    return value


def _formatted(string: object, sources: list[str]) -> str:
    """A format of Go with its verbs replaced by the sources, in order or by number."""
    form = string.get("fmt") if isinstance(string, dict) else None
    if not isinstance(form, str):
        return "-".join(sources) or "${value}"
    order = iter(sources)

    def replaced(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if match[1]:
            return sources[int(match[1]) - 1] if 0 < int(match[1]) <= len(sources) else match[0]
        return next(order, match[0])

    return _VERB.sub(replaced, form)


def read_graph(page: Page, reading: DocumentReading, read: ReadPage) -> None:
    """A ResourceGraphDefinition of kro: templates of objects, with CEL between `${` and `}`."""
    members = shapes.mapping(page.value, page.place)
    spec, at = shapes.inner(members, "spec", page.place), page.place.at("spec")
    items = [with_plain_expressions(item) for item in shapes.many(spec, "resources", at)]
    roles = dict(_roles_of(items))

    def read_resource(item: object, resource_place: Place) -> None:
        resource = shapes.mapping(item, resource_place)
        written = resource.get("template")
        if isinstance(written, str):
            _note_unread_template(shapes.as_text(resource.get("id")), reading)
        if isinstance(written, dict):
            open_: list[str] = []
            template = _known_members(_with_references(_with_open_role(written), roles), open_)
            reading.notes += [f"`{name}` of {shapes.as_text(resource.get('id'))} is an expression of kro" for name in open_]
            if not ("metadata" in open_ or ("annotations" in open_ and written.get("kind") == "ServiceAccount")):
                read_object_template(Page(template, resource_place.at("template"), page.duplicates), reading, read)

    reading.each(items, at.at("resources"), read_resource)


def _note_unread_template(called: str, reading: DocumentReading) -> None:
    """Note a template that is one expression: it may be that of any object."""
    reading.notes.append(f"`template` of {called} is an expression of kro")
    missing = f"the object {called} of {reading.path}, whose template kro fills in"
    reading.gaps.append(Gap(UNREAD_TRUST, reading.path, called, missing, "the object as it is after that"))


def _with_open_role(template: dict[str, object]) -> dict[str, object]:
    """A role of which one expression is all that is specified, with that for its name and for its policy."""
    spec = template.get("spec")
    if template.get("kind") != "Role" or not isinstance(spec, str) or not _EXPRESSION.fullmatch(spec):
        return template
    return {**template, "spec": {"name": spec, "assumeRolePolicyDocument": spec, "forProvider": {"assumeRolePolicy": spec}}}


def _roles_of(items: list[object]) -> Iterator[tuple[str, str]]:
    """Id of a resource of a graph -> the address of the role that it is."""
    for item in items:
        template = item.get("template") if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(template, dict) or template.get("kind") != "Role":
            continue
        metadata = template.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        space = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
        yield shapes.as_text(item.get("id")), f"Role {space}{metadata.get('name')}"


def _with_references(value: object, roles: Mapping[str, str]) -> object:
    """A template in which the ARN of a role of the same graph is called by the role's address."""
    if isinstance(value, str):
        match = _ARN_OF.fullmatch(value)
        return f"${{{roles[match[1]]}.arn}}" if match and match[1] in roles else value
    if isinstance(value, list):
        return [_with_references(item, roles) for item in value]
    if isinstance(value, dict):
        return {name: _with_references(item, roles) for name, item in value.items()}
    return value


def _known_members(value: object, open_: list[str]) -> object:
    """A template without the members that one expression fills with an object or a list, and the names of these."""
    if isinstance(value, list):
        return [_known_members(item, open_) for item in value]
    if not isinstance(value, dict):
        return value
    filled = [
        name for name, item in value.items() if name in _OBJECTS and isinstance(item, str) and _EXPRESSION.fullmatch(item)
    ]
    open_ += filled
    return {name: _known_members(item, open_) for name, item in value.items() if name not in filled}


def _named_as(manifest: dict[str, object], name: object) -> dict[str, object]:
    """A manifest with the name of the Object around it where it has none of its own (`getDesired` of
    https://github.com/crossplane-contrib/provider-kubernetes)."""
    metadata = manifest.get("metadata", {})
    if not isinstance(metadata, dict) or metadata.get("name") or not name:
        return manifest
    return {**manifest, "metadata": {**metadata, "name": name}}


def read_wrapped_manifest(page: Page, reading: DocumentReading, read: ReadPage) -> None:
    """An Object of Crossplane's provider for Kubernetes: a manifest that it applies."""
    members = shapes.mapping(page.value, page.place)
    spec, at = shapes.inner(members, "spec", page.place), page.place.at("spec")
    inner = shapes.inner(spec, "forProvider", at)
    manifest = inner.get("manifest")
    if isinstance(manifest, dict):
        metadata = shapes.inner(members, "metadata", page.place)
        manifest = _named_as(manifest, metadata.get("name"))
        read_object_template(Page(manifest, at.at("forProvider", "manifest"), page.duplicates), reading, read)
    else:
        reading.passed.append("an Object of Crossplane without a manifest")


def read_object_template(page: Page, reading: DocumentReading, read: ReadPage) -> None:
    """Read one template of an object; of a service account whose name is filled in later only the annotations are certain."""
    members = shapes.mapping(page.value, page.place)
    if members.get("kind") != "ServiceAccount":
        read(page, reading)
        return
    metadata, at = shapes.inner(members, "metadata", page.place), page.place.at("metadata")
    name, namespace = (with_holes(shapes.as_text(metadata.get(member) or "")) for member in ("name", "namespace"))
    try:
        annotations = account_annotations(metadata, at)
    except StillOpen as part:
        reading.passed.append(f"service account {name} with {part.why} at {part.pointer}")
        return
    if name and namespace and isinstance(name, str) and isinstance(namespace, str):
        reading.service_accounts.append(ServiceAccount("", namespace, name, page.place, annotations, template=True))
    else:
        called = f"service account {name or 'without name'}"
        reading.account_templates.append(ServiceAccount("", "", called, page.place, annotations, template=True, planned=True))
        reading.notes.append(f"{called} has a name or a namespace {_SAID_OF_CLUSTER}")


def read_runtime_config(page: Page, reading: DocumentReading) -> None:
    """The annotations that Crossplane gives to the service account of a provider (DeploymentRuntimeConfig, ControllerConfig).

    The name of the account has a suffix that Crossplane makes, and its namespace is that of Crossplane, so that only the
    annotations are certain (https://docs.crossplane.io/latest/packages/providers/#runtime-configuration).
    """
    members = shapes.mapping(page.value, page.place)
    at, metadata = page.place.at("metadata"), shapes.inner(members, "metadata", page.place)
    name = shapes.as_text(metadata.get("name") or "runtime configuration")
    if members.get("kind") == "DeploymentRuntimeConfig":
        spec = shapes.inner(members, "spec", page.place)
        template = shapes.inner(spec, "serviceAccountTemplate", page.place.at("spec"))
        at = page.place.at("spec", "serviceAccountTemplate", "metadata")
        metadata = shapes.inner(template, "metadata", at)
    annotations = annotations_of(metadata, at)
    if not annotations:
        reading.passed.append(f"{name} gives no annotation about AWS to a service account")
        return
    add_template_annotations(f"service account of {name}", annotations, at, page.place, reading)
    keep_left_words(reading, len(reading.account_templates) - 1)


def keep_left_words(reading: DocumentReading, before: int) -> None:
    """Take the words that somebody was to replace in annotations as they are: nothing fills them in when the object is applied,
    unlike variables of Flux, of sets of applications and of plugins, which have marks."""
    for number, account in enumerate(reading.account_templates[before:], before):
        kept = {key: text_of(value) if _is_left(value) else value for key, value in account.annotations.items()}
        reading.account_templates[number] = msgspec.structs.replace(account, annotations=kept)


def _is_left(value: str | Text) -> bool:
    return isinstance(value, Text) and not any(mark in text_of(value) for mark in "${}<>%@")


def add_template_annotations(
    name: str, annotations: Mapping[str, str | Text], metadata: Place, place: Place, reading: DocumentReading
) -> None:
    """Add the annotations of a service account that is rendered later; `metadata` is where they are written."""
    own, source = place.at("metadata", "annotations"), metadata.at("annotations")
    for made, written in ((own, source), *((own.at(key), source.at(key)) for key in annotations)):
        reading.anchors[(made.part, made.pointer)] = Anchor(written.pointer)
    reading.account_templates.append(ServiceAccount("", "", name, place, annotations, template=True))
