"""Which account of AWS an answer belongs to that names none."""

from collections.abc import Iterable, Sequence

from irsa_doctor.model import parse_arn
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.files.folders import Folders


class AnswerAccounts:
    """The accounts that documents name, by their folders; `partitions` is the partition of each."""

    def __init__(self, readings: Sequence[DocumentReading], stated: str) -> None:
        self.stated = stated
        self.origins = {reading.path: reading.origin.account for reading in readings if reading.origin.account}
        self.folders = Folders()
        self.partitions: dict[str, str] = {}
        for reading in readings:
            for arn in _arns_of_accounts(reading):
                if (parts := parse_arn(arn)) and parts.account:
                    self.folders.add(reading.path, parts.account)
                    self.partitions.setdefault(parts.account, parts.partition)

    def candidates(self, path: str) -> frozenset[str]:
        """The account that a live source asked, else the one that was stated, else those of the nearest answers, else all."""
        if origin := self.origins.get(path):
            return frozenset([origin])
        if self.stated:
            return frozenset([self.stated])
        return self.folders.nearest(path) or self.folders.all()

    def of(self, path: str) -> str:
        """The account, "" where it cannot be told."""
        candidates = self.candidates(path)
        return next(iter(candidates)) if len(candidates) == 1 else ""


def _arns_of_accounts(reading: DocumentReading) -> Iterable[str]:
    """One ARN for each account that a document of AWS names; what a bare policy names is not known to be its own."""
    by_account = {role.account: role.arn for role in reading.roles if role.arn and not reading.role_arn}
    yield from by_account.values()
    yield from (provider.arn for provider in reading.providers)
    yield from (cluster.arn for cluster in reading.clusters if cluster.arn)
