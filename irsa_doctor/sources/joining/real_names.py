"""Takes what looks like a placeholder in the ARN of a role for text where a role of the input has that very ARN.

Paths of roles may have every visible sign of ASCII, brackets and braces among them
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html).
"""

from collections.abc import Collection, Sequence

import msgspec

from irsa_doctor.model import ServiceAccount, Text, text_of
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.text.placeholders import with_holes


def take_names_of_roles(readings: Sequence[DocumentReading]) -> None:
    """Make such annotations and associations plain texts; most inputs have no role with such a path."""
    arns = {role.arn for reading in readings for role in reading.roles if isinstance(with_holes(role.arn), Text)}
    for reading in readings if arns else ():
        reading.service_accounts[:] = [_named(account, arns) for account in reading.service_accounts]
        reading.associations[:] = [
            msgspec.structs.replace(item, role_arn=_plain(item.role_arn, arns)) for item in reading.associations
        ]


def _named(account: ServiceAccount, arns: Collection[str]) -> ServiceAccount:
    if not any(isinstance(value, Text) for value in account.annotations.values()):
        return account
    annotations = {name: _plain(value, arns) for name, value in account.annotations.items()}
    return msgspec.structs.replace(account, annotations=annotations)


def _plain(value: str | Text, arns: Collection[str]) -> str | Text:
    text = text_of(value)
    return text if text in arns else value
