"""Reads annotations of service accounts where they are written before the account is rendered: values and patches.

Whatever is rendered around them, a value that is not the ARN of a role stays none.
"""

from collections.abc import Iterator, Mapping

from irsa_doctor.model import Place
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.sources.documents.kubernetes import about_aws
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.controllers.compositions import add_template_annotations
from irsa_doctor.sources.templates.controllers.patched_roles import read_patched_role
from irsa_doctor.sources.templates.kustomizations import kustomization_of
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes

_DEEP = 40


def read_values(page: Page, reading: DocumentReading) -> bool:
    """Read every mapping of annotations that names a role, or nearly does; False where a document has none."""
    count = len(reading.account_templates)
    for name, annotations, place in _annotated(page.value, page.place):
        texts = {key: with_holes(shapes.as_text(value)) for key, value in annotations.items() if about_aws(str(key))}
        # its own place: several accounts may be annotated in one document
        add_template_annotations(name, texts, place, Place(place.document, f"{place.pointer}#", place.part), reading)
    return len(reading.account_templates) > count


def _annotated(value: object, place: Place) -> Iterator[tuple[str, Mapping[str, object], Place]]:
    """What is annotated, its annotations, and the place above them."""
    waiting: list[tuple[object, Place, str, int]] = [(value, place, "values", 0)]
    while waiting:
        item, at, name, depth = waiting.pop()
        if depth > _DEEP:
            continue
        if isinstance(item, dict):
            annotations = item.get("annotations")
            if isinstance(annotations, dict) and any(_is_meant(key) for key in annotations):
                yield name, annotations, at
            waiting += [(inner, at.at(str(key)), _called(name, str(key)), depth + 1) for key, inner in item.items()]
        elif isinstance(item, list):
            waiting += [(inner, at.at(number), name, depth + 1) for number, inner in enumerate(item)]


def _called(name: str, key: str) -> str:
    return key if name == "values" else f"{name}.{key}"


def _is_meant(key: object) -> bool:
    """Whether a key is that of the role, or one that is about AWS and has a prefix like it."""
    text = str(key)
    return text == ROLE_ARN or ("/" in text and "role" in text.lower() and about_aws(text))


def read_json_patch(page: Page, reading: DocumentReading) -> None:
    """One operation of a JSON patch (RFC 6902), as kustomize applies them."""
    members = shapes.mapping(page.value, page.place)
    if read_patched_role(members, None, page.place, reading):
        return
    path, value = shapes.as_text(members.get("path") or ""), members.get("value")
    above, _, name = path.rpartition("/")
    key = name.replace("~1", "/").replace("~0", "~")
    if above.endswith("/annotations") and isinstance(value, str):
        _add_patched({key: value}, page, reading, "value")
    elif name == "annotations" and isinstance(value, dict):
        _add_patched({str(inner): shapes.as_text(text) for inner, text in value.items()}, page, reading, "")
    else:
        reading.passed.append("a patch of something other than annotations")


def _add_patched(annotations: Mapping[str, str], page: Page, reading: DocumentReading, member: str) -> None:
    from irsa_doctor.model import ServiceAccount
    from irsa_doctor.text.positions import Anchor

    texts = {key: with_holes(text) for key, text in annotations.items() if about_aws(key)}
    if not any(map(_is_meant, texts)):
        reading.passed.append("a patch of other annotations")
        return
    for key in texts:
        written = page.place.at("value") if member else page.place.at("value", key)
        made = page.place.at("metadata", "annotations", key)
        reading.anchors[(made.part, made.pointer)] = Anchor(written.pointer)
    reading.account_templates.append(ServiceAccount("", "", "patched object", page.place, texts, template=True))


def read_kustomization(page: Page, reading: DocumentReading) -> None:
    """The patches that a kustomization holds itself, as texts; those in files are documents of their own."""
    members = shapes.mapping(page.value, page.place)
    reading.kustomization = kustomization_of(members, page.place.document)
    read_patches(members, page.place, reading)
    reading.passed.append(reading.kustomization.why_ignored)


def read_patches(members: Mapping[str, object], place: Place, reading: DocumentReading) -> None:
    """The patches for kustomize that an object holds as texts."""
    from irsa_doctor.text.errors import TextError
    from irsa_doctor.text.yaml import read_yaml

    patches = [item for name in ("patches", "patchesJson6902") for item in shapes.many(members, name, place)]
    listed = [item for item in patches if isinstance(item, dict) and isinstance(item.get("patch"), str)]
    texts: list[tuple[str, object]] = [(item["patch"], item.get("target")) for item in listed]
    inline = shapes.many(members, "patchesStrategicMerge", place)
    texts += [(item, None) for item in inline if isinstance(item, str) and "\n" in item]
    for text, target in texts:
        documents = read_yaml(text.encode())
        for document in [] if isinstance(documents, TextError) else documents:
            for item in document.value if isinstance(document.value, list) else [document.value]:
                own = Page(item, place.at("patches"), ())
                if isinstance(item, dict) and read_patched_role(item, target, own.place, reading):
                    continue
                if isinstance(item, dict) and "op" in item:
                    read_json_patch(own, reading)
                else:
                    read_values(own, reading)
