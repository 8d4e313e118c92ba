"""Moves the flaws of policies that are texts of their own to their places in the document."""

import msgspec

from irsa_doctor.model import Flaw, TrustPolicy
from irsa_doctor.sources.documents.contents import moved_position
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.text.positions import Documents


def settle_flaws(reading: DocumentReading, documents: Documents) -> None:
    """Give the flaws of policies that were read as texts of their own their lines in the document."""
    if not reading.apart:
        return
    apart = set(reading.apart)
    for number, role in enumerate(reading.roles):
        if isinstance(role.policy, TrustPolicy) and role.policy.place in apart:
            policy = _with_moved_flaws(role.policy, documents)
            reading.roles[number] = msgspec.structs.replace(role, policy=policy)
    for number, rcp in enumerate(reading.rcps):
        if rcp.document.place in apart:
            reading.rcps[number] = msgspec.structs.replace(rcp, document=_with_moved_flaws(rcp.document, documents))
    reading.apart = []


def _with_moved_flaws(policy: TrustPolicy, documents: Documents) -> TrustPolicy:
    """A policy inside a JSON string has no lines in the document: its flaws have the place of the string."""
    span = documents.locate(policy.place)
    inside = documents.is_text(policy.place)

    def moved(flaw: Flaw) -> Flaw:
        if not inside:
            line, column = moved_position((flaw.line, flaw.column), span)
            return msgspec.structs.replace(flaw, line=line, column=column)
        message = f"{flaw.message} (line {flaw.line}, column {flaw.column} of the policy's text)"
        return msgspec.structs.replace(flaw, message=message, line=span.line, column=span.column)

    return msgspec.structs.replace(policy, flaws=tuple(moved(flaw) for flaw in policy.flaws))
