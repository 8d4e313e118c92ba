"""Reads the values that objects of a cluster set for charts: releases of Flux, K3s, Crossplane and Cluster API, applications of
Argo CD.

https://fluxcd.io/flux/components/helm/helmreleases/#values, https://docs.k3s.io/add-ons/helm,
https://github.com/crossplane-contrib/provider-helm, https://cluster-api-addon-provider-helm.sigs.k8s.io and
https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#values

A service account is certain where the values name it beside its annotations, as charts made by `helm create` have it, and
the object says to which namespace it goes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.model import Place, ServiceAccount
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.annotations import read_patches, read_values
from irsa_doctor.sources.templates.controllers.compositions import keep_left_words
from irsa_doctor.sources.templates.kustomizations import in_repository
from irsa_doctor.sources.templates.named_accounts import ReleaseNames, name_accounts, target_namespace
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.positions import Anchor
from irsa_doctor.text.scanner import escaped, unescaped_steps
from irsa_doctor.text.yaml_places import YamlPlaces

# a full stop that is part of a name has a backslash before it (https://helm.sh/docs/intro/using_helm/)
_STEP = re.compile(r"(?:[^.\\]|\\.)+")
_SOURCES = ("source", "sources")
_DEEP = 16
"""steps of a value that is set by its path"""


class ChartValues(msgspec.Struct, frozen=True):
    """Values of a chart, and where they are written. Of those that are no object of the document, `written` has the pointers
    by those in the values; what is not in it is written where all of them are."""

    content: object
    place: Place
    written: Mapping[str, str] | None = None
    text: YamlPlaces | None = None
    """the text that they are, where nothing else is in it"""

    def anchor_of(self, pointer: str) -> Anchor:
        """Where the value at a pointer is written, which no pointer of the document leads to."""
        own = (self.written or {}).get(pointer, self.place.pointer)
        name, node = self.text.find(Place("", pointer)) if self.text else (None, None)
        if name is None or node is None:
            return Anchor(own)
        marks = (node.start_mark.index, node.end_mark.index, name.start_mark.index, name.end_mark.index)
        return Anchor(own, *marks, within=pointer)


class _Form(msgspec.Struct, frozen=True):
    """Where an object has what it sets for a chart: as an object, as a text of YAML, and one by one; and the namespace to
    which the release goes, that of the object itself where `of_object`."""

    values: str = ""
    text: str = ""
    set: str = ""
    namespace: str = ""
    of_object: bool = False
    within: str = ""


_FORMS = {
    "HelmRelease": _Form(values="values", namespace="targetNamespace", of_object=True),
    "HelmChart": _Form(text="valuesContent", set="set", namespace="targetNamespace"),
    "HelmChartConfig": _Form(text="valuesContent"),
    "HelmChartProxy": _Form(text="valuesTemplate", namespace="namespace"),
    "Release": _Form(values="values", set="set", namespace="namespace", within="forProvider"),
}


_ELSEWHERE = ("valuesFrom", "valuesSecrets", "valueFiles", "fileParameters")
"""members of releases that name values which stand elsewhere"""


def read_helm_release(page: Page, reading: DocumentReading) -> None:
    """The values of a release of Flux, K3s, Crossplane or Cluster API."""
    members = shapes.mapping(page.value, page.place)
    form = _FORMS[shapes.as_text(members.get("kind"))]
    metadata = shapes.inner(members, "metadata", page.place)
    spec, place = shapes.inner(members, "spec", page.place), page.place.at("spec")
    if form.within:
        spec, place = shapes.inner(spec, form.within, place), place.at(form.within)
    namespace = target_namespace(spec.get(form.namespace), metadata.get("namespace") if form.of_object else None)
    is_layered = any(spec.get(name) for name in _ELSEWHERE)
    read = read_release_values(_of_release(spec, form, place, reading), namespace, reading, is_layered=is_layered)
    for number, renderer in enumerate(shapes.many(spec, "postRenderers", place)):
        read |= _read_patches(renderer, place.at("postRenderers", number), reading)
    if spec.get("valuesFrom"):
        reading.notes.append(f"{_called(members)} has values from elsewhere, which are not read")
    _note_without_annotations(members, read, reading)


def _of_release(spec: Mapping[str, object], form: _Form, place: Place, reading: DocumentReading) -> Iterator[ChartValues]:
    """What a release sets for a chart, what wins first."""
    if form.set:
        yield _set_one_by_one(spec.get(form.set), place.at(form.set))
    if form.values:
        yield ChartValues(spec.get(form.values), place.at(form.values))
    if form.text:
        yield from _in_text(spec, form.text, place, reading)


def read_helmfile(page: Page, reading: DocumentReading) -> None:
    """The values that stand in a helmfile; those in files are documents of their own (https://helmfile.readthedocs.io)."""
    members, read = shapes.mapping(page.value, page.place), False
    for number, release in enumerate(shapes.many(members, "releases", page.place)):
        if isinstance(release, dict):
            layers = _of_helmfile(release, page.place.at("releases", number))
            namespace = "" if release.get("installed") is False else target_namespace(release.get("namespace"))
            written = shapes.many(release, "values", page.place.at("releases", number)) if "values" in release else ()
            is_layered = bool(release.get("secrets")) or any(isinstance(values, str) for values in written)
            read |= read_release_values(layers, namespace, reading, is_layered=is_layered)
    if not read:
        reading.passed.append("a helmfile whose own values annotate no service account")


def _of_helmfile(release: Mapping[str, object], place: Place) -> Iterator[ChartValues]:
    yield _set_one_by_one(release.get("set"), place.at("set"))
    written = release.get("values")
    for number, values in reversed(list(enumerate(written if isinstance(written, list) else ()))):
        yield ChartValues(values, place.at("values", number))


def _note_without_annotations(members: Mapping[str, object], read: bool, reading: DocumentReading) -> None:
    """Note of an object that no service account is annotated in its values, or which of them could not be read."""
    if not read:
        unread = [note for note in reading.notes if "not read before" in note]
        reading.passed += unread or [f"{_called(members)} annotates no service account"]


def read_application(page: Page, reading: DocumentReading) -> None:
    """The values of an application of Argo CD, or of the template of a set of them."""
    members = shapes.mapping(page.value, page.place)
    spec, place = shapes.inner(members, "spec", page.place), page.place.at("spec")
    template, is_changed = spec.get("template"), _changes_its_template(spec)
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        spec, place = template["spec"], place.at("template", "spec")
    namespace = "" if is_changed else shapes.inner(spec, "destination", place).get("namespace")
    read = False
    for source, at in _sources(spec, place):
        # a folder that goes where the applications are is, as a rule, one of more applications
        is_of_applications = "path" in source and namespace == shapes.inner(members, "metadata", page.place).get("namespace")
        read |= _read_source(source, at, "" if is_of_applications else namespace, reading)
    _note_without_annotations(members, read, reading)


def _changes_its_template(spec: Mapping[str, object]) -> bool:
    """Whether a set of applications has a patch, or a generator with a template of its own, over its template
    (https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Template/)."""
    waiting: list[tuple[object, int]] = [(spec.get("generators"), 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict) and isinstance(value.get("template"), dict):
            return True
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting += [(item, depth + 1) for item in inner if depth < _DEEP]
    return bool(spec.get("templatePatch"))


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


def _read_source(source: Mapping[str, object], place: Place, namespace: object, reading: DocumentReading) -> bool:
    if "path" in source:
        reading.applied.append(in_repository(source["path"]))
    helm, read = source.get("helm"), False
    if isinstance(helm, dict):
        read = read_release_values(
            _of_chart(helm, place.at("helm"), reading),
            target_namespace(helm.get("namespace"), namespace),
            reading,
            is_layered=any(helm.get(name) for name in _ELSEWHERE),
        )
    return _read_patches(source, place, reading) or read


def _read_patches(members: object, place: Place, reading: DocumentReading) -> bool:
    """What an object has for kustomize; whether that annotates a service account."""
    kustomize = members.get("kustomize") if isinstance(members, dict) else None
    before = len(reading.account_templates)
    if isinstance(kustomize, dict):
        read_patches(kustomize, place.at("kustomize"), reading)
    keep_left_words(reading, before)
    return len(reading.account_templates) > before


def _of_chart(helm: Mapping[str, object], place: Place, reading: DocumentReading) -> Iterator[ChartValues]:
    """What an application sets for a chart, what wins first."""
    yield _set_one_by_one(helm.get("parameters"), place.at("parameters"))
    yield ChartValues(helm.get("valuesObject"), place.at("valuesObject"))
    yield from _in_text(helm, "values", place, reading)


def _set_one_by_one(parameters: object, place: Place) -> ChartValues:
    """Values by their paths, `serviceAccount.annotations.KEY`, in which full stops of the key have backslashes before them."""
    values: dict[str, object] = {}
    written = {}
    for name, value, at in _parameters(parameters, place):
        steps = [re.sub(r"\\(.)", r"\1", step) for step in _STEP.findall(name)]
        if steps and len(steps) < _DEEP:
            _put(values, steps, value)
            written["".join(f"/{escaped(step)}" for step in steps)] = at.pointer
    return ChartValues(values, place, written)


def _parameters(written: object, place: Place) -> Iterator[tuple[str, object, Place]]:
    """The path of each value, the value, and its place: of a list of both, or of values by their paths."""
    if isinstance(written, dict):
        for name, value in written.items():
            yield str(name), value, place.at(name)
    for number, parameter in enumerate(written if isinstance(written, list) else ()):
        name = parameter.get("name") if isinstance(parameter, dict) else None
        if isinstance(parameter, dict) and isinstance(name, str):
            yield name, parameter.get("value"), place.at(number, "value")


def _put(values: dict[str, object], steps: Sequence[str], value: object) -> None:
    *above, name = steps
    for step in above:
        inner = values.get(step)
        if not isinstance(inner, dict):
            inner = values[step] = {}
        values = inner
    values[name] = value


def _in_text(members: Mapping[str, object], name: str, place: Place, reading: DocumentReading) -> Iterator[ChartValues]:
    """Values that are a text of YAML."""
    from irsa_doctor.text.yaml import read_yaml

    text, at = members.get(name), place.at(name)
    if not isinstance(text, str):
        return
    documents = read_yaml(text.encode(errors="replace"))
    if isinstance(documents, TextError):
        reading.notes.append(f"the values at {at.pointer} are not read before they are rendered: {documents.why}")
        return
    places = YamlPlaces(text.encode(errors="replace")) if len(documents) == 1 else None
    for document in documents:
        yield ChartValues(document.value, at, {}, places)


def read_release_values(
    layers: Iterable[ChartValues], namespace: str, reading: DocumentReading, *, is_layered: bool = False
) -> bool:
    """Read the values that are set for a chart, those that win first; whether they annotate a service account. `is_layered`:
    there are others, which are not read."""
    layers = list(layers)
    annotated: dict[tuple[str, ...], ServiceAccount] = {}
    for values in layers:
        for steps, account in _annotated(values, reading):
            own = msgspec.structs.replace(account, layered=is_layered)
            annotated[steps] = _over(annotated[steps], own, reading) if steps in annotated else own
    name_accounts(annotated.items(), ReleaseNames(namespace, [values.content for values in layers]), reading)
    return bool(annotated)


def _annotated(values: ChartValues, reading: DocumentReading) -> Iterator[tuple[tuple[str, ...], ServiceAccount]]:
    """The service accounts that values annotate, each with the steps down the values to it."""
    before = len(reading.account_templates)
    read_values(Page(values.content, values.place), reading)
    keep_left_words(reading, before)
    accounts = reading.account_templates[before:]
    del reading.account_templates[before:]
    _anchor(accounts, values, reading)
    for account in accounts:
        pointer = account.place.pointer.removesuffix("#").removeprefix(values.place.pointer)
        yield tuple(unescaped_steps(pointer)), account


def _over(account: ServiceAccount, lower: ServiceAccount, reading: DocumentReading) -> ServiceAccount:
    """An account with those annotations besides its own that values have which it wins over."""
    added = {key: text for key, text in lower.annotations.items() if key not in account.annotations}
    for key in added:
        made, written = (each.place.at("metadata", "annotations", key) for each in (account, lower))
        if anchor := reading.anchors.get((written.part, written.pointer)):
            reading.anchors[(made.part, made.pointer)] = anchor
    return msgspec.structs.replace(account, annotations={**account.annotations, **added})


def _anchor(accounts: Iterable[ServiceAccount], values: ChartValues, reading: DocumentReading) -> None:
    """Note where annotations are written that have no place of their own in the document."""
    if values.written is None:
        return
    for account in accounts:
        at = account.place.pointer.removesuffix("#").removeprefix(values.place.pointer)
        for below in ("", *(f"/{escaped(key)}" for key in account.annotations)):
            made = f"{account.place.pointer}/metadata/annotations{below}"
            reading.anchors[(account.place.part, made)] = values.anchor_of(f"{at}/annotations{below}")
