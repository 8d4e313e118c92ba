"""Random organisations that are less tidy: partitions and regions mixed, clusters of one name, clusters that answers call by
their name or issuer, lists that are missing, and the answers of an account in files in any order."""

import random
from collections.abc import Iterator
from pathlib import Path

from tests.shards.organisations import AUD, NAMES, Organisation, answer, put, snapshot

REGIONS = {
    "aws": ("eu-west-1", "us-east-1"),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-west-1", "us-gov-east-1"),
}
WEB = "sts:AssumeRoleWithWebIdentity"
Cluster = tuple[str, str, str]
"""name, id of the issuer, region"""


class WildOrganisation(Organisation):
    """Some accounts, drawn by a seed."""

    def __init__(self, seed: int, accounts: int) -> None:
        super().__init__(seed, accounts, rbac=True)
        rng = self.rng
        mixed = rng.random() < 0.6
        self.partitions = {each: rng.choice(("aws", "aws", "aws-cn", "aws-us-gov")) if mixed else "aws" for each in self.ids}
        self.named: dict[str, list[Cluster]] = {each: list(self._clusters(self.partitions[each])) for each in self.ids}

    def _clusters(self, partition: str) -> Iterator[Cluster]:
        rng, seen = self.rng, set()
        for _ in range(rng.randint(0, 3)):
            own, all_regions = REGIONS[partition], [region for regions in REGIONS.values() for region in regions]
            region, name = rng.choice(own if rng.random() < 0.85 else all_regions), rng.choice(("prod", "prod", "dev"))
            if (name, region) not in seen:
                yield name, f"{rng.getrandbits(128):032X}", region
            seen.add((name, region))

    def issuer(self, account: str, cluster: Cluster) -> str:
        """The issuer of a cluster, without scheme."""
        suffix = "amazonaws.com.cn" if self.partitions[account] == "aws-cn" else "amazonaws.com"
        return f"oidc.eks.{cluster[2]}.{suffix}/id/{cluster[1]}"

    def arn(self, account: str, cluster: Cluster) -> str:
        """The ARN of a cluster."""
        return f"arn:{self.partitions[account]}:eks:{cluster[2]}:{account}:cluster/{cluster[0]}"

    def issuers(self) -> list[str]:
        """The issuers of all clusters, and some that are nearly one of them."""
        known = [self.issuer(account, cluster) for account in self.ids for cluster in self.named[account]]
        near = ["oidc.eks.eu-west-1.amazonaws.com/id/" + "0" * 32]
        if known:
            one, region = self.rng.choice(known), self.rng.choice(("eu-west-1", "cn-north-1", "us-gov-west-1"))
            near += [one.replace("amazonaws.com.cn", "amazonaws.com"), one.replace(one.split(".")[2], region), one.lower()]
        return [*known * 3, *near]

    def _partition(self, account: str) -> str:
        return self.partitions[account] if self.rng.random() < 0.9 else self.rng.choice(tuple(REGIONS))

    def role_arn(self, account: str = "") -> str:
        """The ARN of a role that may be there."""
        owner = account or self.rng.choice(self.ids)
        partition = self.partitions[owner] if account else self._partition(owner)
        return f"arn:{partition}:iam::{owner}:role/{self.rng.choice(NAMES)}-{self.rng.randrange(4)}"

    def _statement(self, account: str) -> dict:
        rng, issuer = self.rng, self.rng.choice(self.issuers())
        if rng.random() < 0.07:
            return {"Effect": "Allow", "Principal": {"AWS": self.role_arn()}, "Action": "sts:AssumeRole"}
        owner = account if rng.random() < 0.8 else rng.choice(self.ids)
        key = issuer if rng.random() < 0.9 else rng.choice(self.issuers())
        audience = rng.choice((AUD, AUD, AUD, "sts.amazonaws.com.cn", "other"))
        subject = self.subject() if rng.random() < 0.9 else [self.subject(), self.subject()]
        condition = {f"{key}:sub": subject, f"{issuer}:aud": audience}
        if rng.random() < 0.08:
            condition = {f"{key}:sub": audience, f"{issuer}:aud": subject}
        provider = f"arn:{self._partition(owner)}:iam::{owner}:oidc-provider/{issuer}"
        if rng.random() < 0.05:
            provider = rng.choice((issuer, f"https://{issuer}", provider.replace("oidc-provider/", "oidc-provider/https://")))
        return {
            "Effect": "Allow" if rng.random() < 0.9 else "Deny",
            "Principal": {"Federated": provider},
            "Action": rng.choice((WEB, WEB, "sts:AssumeRole", "sts:*")),
            "Condition": {rng.choice(("StringEquals", "StringEquals", "StringLike", "StringNotEquals")): condition},
        }

    def shards(self) -> Iterator[tuple[str, dict]]:
        """Every shard with the name of its file."""
        rng = self.rng
        for account in self.ids:
            lost = [_gap(name, account, f"{name} of account {account}: denied") for name in ("roles", "providers", "clusters")]
            if rng.random() < 0.12:
                yield f"{account}/aws.json", snapshot([], lost)
            else:
                documents = list(self._aws(account))
                yield f"{account}/aws.json", snapshot(documents, rng.sample(lost, rng.choice((0, 0, 0, 1))))
            for cluster in self.named[account]:
                called = rng.choices(
                    (self.arn(account, cluster), f"https://{self.issuer(account, cluster)}", cluster[0]), (7, 1, 1)
                )
                missing = [_gap(rng.choice(("pods", "clusterroles", "serviceaccounts")), called[0], f"a list of {cluster[0]}")]
                content = snapshot(list(self._kubernetes(called[0])), missing[: rng.choice((0, 0, 1))])
                yield f"{account}/{cluster[2]}.{cluster[0]}.json", content

    def _aws(self, account: str) -> Iterator[dict]:
        me, rng, partition = {"account": account}, self.rng, self.partitions[account]
        roles = [
            {"Path": "/", "RoleName": arn.rpartition("/")[2], "Arn": arn, "AssumeRolePolicyDocument": self.policy(account)}
            for arn in dict.fromkeys(self.role_arn(account) for _ in range(rng.randint(0, 8)))
        ]
        yield answer(f"aws://{account}/iam/roles", me, {"Roles": roles})
        issuers = [self.issuer(account, cluster) for cluster in self.named[account] if rng.random() < 0.8]
        issuers += [rng.choice(self.issuers()) for _ in range(rng.choice((0, 0, 1, 2)))]
        arns = {issuer: f"arn:{partition}:iam::{account}:oidc-provider/{issuer}" for issuer in issuers}
        listed = {"OpenIDConnectProviderList": [{"Arn": arn} for arn in arns.values()]}
        yield answer(f"aws://{account}/iam/oidc-providers", me, listed)
        for issuer in arns:
            provider = {"Url": issuer, "ClientIDList": [rng.choice((AUD, AUD, "other"))], "ThumbprintList": []}
            yield answer(f"aws://{account}/iam/oidc-providers/{issuer}", me, provider)
        for region in dict.fromkeys([*(cluster[2] for cluster in self.named[account]), REGIONS[partition][0]]):
            yield from self._eks(account, region)

    def _eks(self, account: str, region: str) -> Iterator[dict]:
        origin, path, rng = {"account": account, "region": region}, f"aws://{account}/eks/{region}/clusters", self.rng
        here = [cluster for cluster in self.named[account] if cluster[2] == region]
        if rng.random() < 0.9:
            yield answer(path, origin, {"clusters": [cluster[0] for cluster in here]})
        for cluster in here:
            if rng.random() < 0.1:
                continue
            arn, oidc = self.arn(account, cluster), {"issuer": f"https://{self.issuer(account, cluster)}"}
            described = {"name": cluster[0], "arn": arn, "identity": {"oidc": oidc}, "status": "ACTIVE"}
            if rng.random() < 0.5:
                described["accessConfig"] = {"authenticationMode": rng.choice(("API", "API_AND_CONFIG_MAP", "CONFIG_MAP"))}
            yield answer(f"{path}/{cluster[0]}", origin, {"cluster": described})


def _gap(collection: str, owner: str, missing: str) -> dict:
    return {"collection": collection, "owner": owner, "name": "", "missing": missing, "how": ""}


def write_wild_organisation(folder: Path, seed: int, accounts: int) -> Path:
    """The shards of such an organisation in a folder, each in several files in any order."""
    organisation = WildOrganisation(seed, accounts)
    order = random.Random(seed)  # noqa: S311 - no secret is drawn
    for number, (_, content) in enumerate(organisation.shards()):
        parts = order.randint(1, max(1, min(4, len(content["documents"]))))
        documents = order.sample(content["documents"], len(content["documents"]))
        for part in range(parts):
            missing = [] if part else content["missing"]
            name = f"{order.randrange(3)}/{order.randrange(100)}-{number}-{part}.json"
            put(folder / name, {**content, "documents": documents[part::parts], "missing": missing})
    return folder
