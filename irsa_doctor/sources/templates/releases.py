"""Reads the values that objects of a cluster set for charts: releases of Flux and of K3s, applications of Argo CD.

https://fluxcd.io/flux/components/helm/helmreleases/#values, https://docs.k3s.io/add-ons/helm and
https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#values
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from irsa_doctor.model import Place
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.annotations import read_patches, read_values
from irsa_doctor.sources.templates.controllers.compositions import add_template_annotations, keep_left_words
from irsa_doctor.sources.templates.kustomizations import in_repository
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.placeholders import with_holes
from irsa_doctor.text.positions import Anchor

# a full stop that is part of a name has a backslash before it (https://helm.sh/docs/intro/using_helm/)
_STEP = re.compile(r"(?:[^.\\]|\\.)+")
_SOURCES = ("source", "sources")


def read_helm_release(page: Page, reading: DocumentReading) -> None:
    """The values of a release of Flux (`spec.values`) or of K3s (`spec.valuesContent`)."""
    members = shapes.mapping(page.value, page.place)
    spec, place = shapes.inner(members, "spec", page.place), page.place.at("spec")
    read = [_read(spec.get("values"), place.at("values"), reading), _read_text(spec, "valuesContent", place, reading)]
    for number, renderer in enumerate(shapes.many(spec, "postRenderers", place)):
        read.append(_read_patches(renderer, place.at("postRenderers", number), reading))
    if spec.get("valuesFrom"):
        reading.notes.append(f"{_called(members)} has values from elsewhere, which are not read")
    _note_without_annotations(members, read, reading)


def _note_without_annotations(members: Mapping[str, object], read: Sequence[bool], reading: DocumentReading) -> None:
    """Note of an object that no service account is annotated in its values, or which of them could not be read."""
    if not any(read):
        unread = [note for note in reading.notes if "not read before" in note]
        reading.passed += unread or [f"{_called(members)} annotates no service account"]


def read_application(page: Page, reading: DocumentReading) -> None:
    """The values of an application of Argo CD, or of the template of a set of them."""
    members = shapes.mapping(page.value, page.place)
    spec, place = shapes.inner(members, "spec", page.place), page.place.at("spec")
    template = spec.get("template")
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        spec, place = template["spec"], place.at("template", "spec")
    read = [is_read for source, at in _sources(spec, place) for is_read in _read_source(source, at, reading)]
    _note_without_annotations(members, read, reading)


def _called(members: Mapping[str, object]) -> str:
    metadata = members.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"{members.get('kind')} {name}" if isinstance(name, str) else str(members.get("kind"))


def _sources(spec: Mapping[str, object], place: Place) -> Iterator[tuple[Mapping[str, object], Place]]:
    """The source of an application, or each of its sources."""
    for name in _SOURCES:
        written = spec.get(name)
        for number, source in enumerate(written if isinstance(written, list) else [written]):
            at = place.at(name, number) if isinstance(written, list) else place.at(name)
            if isinstance(source, dict):
                yield source, at


def _read_source(source: Mapping[str, object], place: Place, reading: DocumentReading) -> Iterator[bool]:
    if "path" in source:
        reading.applied.append(in_repository(source["path"]))
    helm = source.get("helm")
    if isinstance(helm, dict):
        yield from _read_chart(helm, place.at("helm"), reading)
    yield _read_patches(source, place, reading)


def _read_patches(members: object, place: Place, reading: DocumentReading) -> bool:
    """What an object has for kustomize; whether that annotates a service account."""
    kustomize = members.get("kustomize") if isinstance(members, dict) else None
    before = len(reading.account_templates)
    if isinstance(kustomize, dict):
        read_patches(kustomize, place.at("kustomize"), reading)
    keep_left_words(reading, before)
    return len(reading.account_templates) > before


def _read_chart(helm: Mapping[str, object], place: Place, reading: DocumentReading) -> Iterator[bool]:
    yield _read(helm.get("valuesObject"), place.at("valuesObject"), reading)
    yield _read_text(helm, "values", place, reading)
    parameters = helm.get("parameters")
    for number, parameter in enumerate(parameters if isinstance(parameters, list) else ()):
        if isinstance(parameter, dict):
            yield _read_parameter(parameter, place.at("parameters", number), reading)


def _read(values: object, place: Place, reading: DocumentReading) -> bool:
    before = len(reading.account_templates)
    is_read = isinstance(values, dict) and read_values(Page(values, place), reading)
    keep_left_words(reading, before)
    return is_read


def _read_text(members: Mapping[str, object], name: str, place: Place, reading: DocumentReading) -> bool:
    """Values that are a text of YAML; whether they annotate a service account."""
    from irsa_doctor.text.yaml import read_yaml

    text, at = members.get(name), place.at(name)
    if not isinstance(text, str):
        return False
    documents = read_yaml(text.encode(errors="replace"))
    if isinstance(documents, TextError):
        reading.notes.append(f"the values at {at.pointer} are not read before they are rendered: {documents.why}")
        return False
    before = len(reading.account_templates)
    for document in documents:
        read_values(Page(document.value, at), reading)
    keep_left_words(reading, before)
    for account in reading.account_templates[before:]:
        for key in account.annotations:
            made = account.place.at("metadata", "annotations", key)
            reading.anchors[(made.part, made.pointer)] = Anchor(at.pointer)
    return len(reading.account_templates) > before


def _read_parameter(parameter: Mapping[str, object], place: Place, reading: DocumentReading) -> bool:
    """One value by its path, `serviceAccount.annotations.KEY`, in which full stops of the key have backslashes before them."""
    name, value = parameter.get("name"), parameter.get("value")
    steps = [re.sub(r"\\(.)", r"\1", step) for step in _STEP.findall(name)] if isinstance(name, str) else []
    if len(steps) < 2 or steps[-2] != "annotations" or not steps[-1].startswith("eks.amazonaws.com/"):
        return False
    at = Place(place.document, f"{place.pointer}#", place.part)
    add_template_annotations(
        ".".join(steps[:-2]) or "values", {steps[-1]: with_holes(shapes.as_text(value))}, place, at, reading
    )
    keep_left_words(reading, len(reading.account_templates) - 1)
    made = at.at("metadata", "annotations", steps[-1])
    reading.anchors[(made.part, made.pointer)] = Anchor(place.at("value").pointer)
    return True
