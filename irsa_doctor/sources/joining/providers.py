"""Names the OIDC providers that a document describes without their ARN: answers of AWS, and those that a template makes."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from irsa_doctor.model import Hole, Issuer, OidcProvider, PlannedProvider, Text, joined
from irsa_doctor.sources.documents.aws import client_ids_missing, thumbprints_missing
from irsa_doctor.sources.documents.reading import DocumentReading, NamelessProvider
from irsa_doctor.sources.joining.accounts import AnswerAccounts
from irsa_doctor.sources.joining.filling import cluster_named

IssuerOf = Callable[[str, str], str]
"""(path of a document, name of a cluster) -> the issuer of the cluster, "" where it is not known"""


class NamedProviders(msgspec.Struct, frozen=True):
    """Providers whose ARN is known, and those of templates whose ARN is not known yet."""

    known: tuple[OidcProvider, ...]
    planned: tuple[PlannedProvider, ...]


def named_providers(readings: Sequence[DocumentReading], accounts: AnswerAccounts, issuer_of: IssuerOf) -> NamedProviders:
    """Return the providers without ARN, each named as far as issuer and account are known."""
    listed: dict[str, dict[str, str]] = {}
    for reading in readings:
        for provider in reading.providers:
            listed.setdefault(provider.issuer, {})[provider.account] = provider.arn
    known: list[OidcProvider] = []
    planned: list[PlannedProvider] = []
    for reading in readings:
        for answer in reading.nameless_providers:
            issuer = _filled(answer.url, partial(issuer_of, reading.path))
            arn = _arn_of(answer, issuer, accounts, listed.get(issuer, {})) if isinstance(issuer, str) else ""
            if isinstance(issuer, str) and arn:
                known.append(_named(answer, issuer, arn))
            elif answer.address:
                planned.append(_planned(answer, issuer))
            else:
                note = f"the account of the provider for {answer.url} is unknown: say it with --account"
                # documents are joined again when live answers were added to them
                reading.notes += [note] if note not in reading.notes else []
    return NamedProviders(tuple(known), tuple(planned))


def _filled(issuer: str | Text, issuer_of: Callable[[str], str]) -> str | Text:
    """An issuer of a template, with that of a cluster of the input where it is known."""
    if isinstance(issuer, str):
        return issuer
    return joined((isinstance(part, Hole) and issuer_of(cluster_named(part))) or part for part in issuer.parts)


def _arn_of(answer: NamelessProvider, issuer: str, accounts: AnswerAccounts, listed: Mapping[str, str]) -> str:
    """The listed ARN of the provider's account; where the account cannot be told, the only listed one of this issuer."""
    account = accounts.of(answer.place.document)
    if not account:
        near = accounts.candidates(answer.place.document) & listed.keys() or listed.keys()
        account = next(iter(near)) if len(near) == 1 else ""
    if not account:
        return ""
    partition = accounts.partitions.get(account) or Issuer.of(issuer).partition or "aws"
    return listed.get(account) or f"arn:{partition}:iam::{account}:oidc-provider/{issuer}"


def _named(answer: NamelessProvider, issuer: str, arn: str) -> OidcProvider:
    client_ids = answer.client_ids if isinstance(answer.client_ids, tuple) else client_ids_missing(arn)
    thumbprints = answer.thumbprints if isinstance(answer.thumbprints, tuple) else thumbprints_missing(arn)
    tool = answer.managed_by or (f"the template of {answer.address}" if answer.address else "")
    return OidcProvider(arn, answer.place, client_ids, thumbprints, issuer, answer.created, tool)


def _planned(answer: NamelessProvider, issuer: str | Text) -> PlannedProvider:
    return PlannedProvider(
        issuer=issuer,
        address=answer.address,
        place=answer.place,
        client_ids=answer.client_ids,
        thumbprints=answer.thumbprints,
    )
