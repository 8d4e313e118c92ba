"""Fills the variables of manifests that a Kustomization of Flux substitutes before it applies them.

https://fluxcd.io/flux/components/kustomize/kustomizations/#post-build-variable-substitution
"""

from collections.abc import Sequence

import msgspec

from irsa_doctor.model import Hole, ServiceAccount, Text, joined, text_of
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.reading import DocumentReading

_VARIABLE = regex(r"(\$\{[A-Za-z_][A-Za-z0-9_]*(?::?[-=][^{}]*)?\})")
_NAME = regex(r"[A-Za-z_][A-Za-z0-9_]*")


def substitute_variables(readings: Sequence[DocumentReading]) -> None:
    """Put what Flux substitutes into the annotations of service accounts: a value where one is written, else a hole."""
    substitutions = [part for reading in readings for part in reading.substitutions]
    if not substitutions:
        return
    written: dict[str, set[str]] = {}
    for substitution in substitutions:
        for name, value in substitution.values.items():
            written.setdefault(name, set()).add(value)
    others = any(substitution.from_objects for substitution in substitutions)
    for reading in readings:
        reading.service_accounts[:] = [_substituted(account, written, others) for account in reading.service_accounts]


def _substituted(account: ServiceAccount, written: dict[str, set[str]], others: bool) -> ServiceAccount:
    """A service account of a manifest with its variables filled; one of a live cluster is what it is."""
    if account.template or account.created:
        return account
    annotations = {key: _filled(text_of(value), written, others) for key, value in account.annotations.items()}
    has_holes = any(isinstance(value, Text) for value in annotations.values())
    if not has_holes and annotations == {key: text_of(value) for key, value in account.annotations.items()}:
        return account
    return msgspec.structs.replace(account, annotations=annotations, template=has_holes)


def _filled(text: str, written: dict[str, set[str]], others: bool) -> str | Text:
    parts = (_value(part, written, others) if _VARIABLE.fullmatch(part) else part for part in _VARIABLE.split(text))
    return joined(parts)


def _value(variable: str, written: dict[str, set[str]], others: bool) -> str | Hole:
    """The value of a variable; a hole where a ConfigMap or Secret may have it, or Kustomizations have several."""
    name, _, default = variable[2:-1].partition("=" if "=" in variable else "-")
    name = match[0] if (match := _NAME.match(name)) else name
    values = written.get(name, set())
    if len(values) == 1:
        return next(iter(values))
    if values or others:
        return Hole(f"${{{name}}}")
    return default or variable
