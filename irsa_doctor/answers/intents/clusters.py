"""The clusters of an intent, with what the documents say of those of which it only has the ARN."""

import shlex

import msgspec

from irsa_doctor.issuers import cluster_profile
from irsa_doctor.model import Inventory, Issuer, parse_arn
from irsa_doctor.model.intents import IntendedCluster


class ResolvedCluster(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster: `issuer` is without scheme, "" where it is not known; `audience` is that of its tokens."""

    name: str
    issuer: str
    arn: str
    account: str
    audience: str

    @property
    def partition(self) -> str:
        """The partition that its ARN or issuer shows, "" where neither does."""
        arn = parse_arn(self.arn)
        return arn.partition if arn else Issuer.of(self.issuer).partition

    @property
    def identity(self) -> str:
        """What two names of one cluster have in common: EKS gives no issuer to two clusters, others may."""
        return self.arn or (self.issuer if Issuer.of(self.issuer).partition else "") or self.name

    @property
    def eks_name(self) -> str:
        """The name under which EKS knows it, that of the intent where its ARN is not known."""
        arn = parse_arn(self.arn)
        return arn.name if arn else self.name

    @property
    def usual_audience(self) -> str:
        """The audience of tokens for which nothing else is asked."""
        return cluster_profile(self.issuer).audience.default[0]

    @property
    def region(self) -> str:
        """The region that its ARN or issuer shows, "" where neither does."""
        arn = parse_arn(self.arn)
        return arn.region if arn else Issuer.of(self.issuer).region

    @property
    def how_to_tell(self) -> str:
        """What tells its issuer, as a sentence."""
        region = f" --region {shlex.quote(self.region)}" if self.region else ""
        name = shlex.quote(self.eks_name)
        return f"Give the answer of: aws eks describe-cluster --name {name}{region} > {shlex.quote(self.name)}.json"


def resolved(cluster: IntendedCluster, inventory: Inventory) -> ResolvedCluster:
    """A cluster with its issuer, by its ARN in the inventory where the intent does not have it."""
    known = inventory.cluster_by_id.get(cluster.arn) if cluster.arn else None
    issuer = cluster.issuer or (known.issuer if known and isinstance(known.issuer, str) else "")
    arn = cluster.arn
    if not arn and issuer:
        arns = {of_issuer.arn for of_issuer in inventory.clusters_by_issuer.get(issuer, ()) if of_issuer.arn}
        arn = arns.pop() if len(arns) == 1 else ""
    parsed = parse_arn(arn)
    return ResolvedCluster(
        name=cluster.name,
        issuer=issuer,
        arn=arn,
        account=cluster.account or (parsed.account if parsed else ""),
        audience=cluster.audience or cluster_profile(issuer).audience.default[0],
    )
