"""Writes an estate of any size: one account, some clusters, and roles each with its service account, most of them right.

`python -m tests.estate FOLDER --roles 5000` writes what the AWS CLI and kubectl print; the same options give the same bytes.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ACCOUNT = "111122223333"
REGION = "eu-west-1"
AUDIENCE = "sts.amazonaws.com"
CLUSTERS = 4
NAMESPACES = 60
HEALTHY = 0.7
BORN = "2025-01-01T00:00:00+00:00"

Json = dict[str, Any]


class Case(NamedTuple):
    """One role and the service account that it is for."""

    number: int
    issuer: str
    other: str
    namespace: str
    name: str

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/app-{self.number:06d}"

    @property
    def sub(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.name}"


def issuer_of(cluster: int) -> str:
    return f"oidc.eks.{REGION}.amazonaws.com/id/" + "".join(random.Random(cluster).choices("0123456789ABCDEF", k=32))


def provider_of(issuer: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"


def statement(case: Case, condition: Json, **changed: object) -> Json:
    return {
        "Effect": "Allow",
        "Principal": {"Federated": provider_of(case.issuer)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
        **changed,
    }


def exactly(issuer: str, sub: str, audience: str = AUDIENCE) -> Json:
    return {"StringEquals": {f"{issuer}:aud": audience, f"{issuer}:sub": sub}}


def like(case: Case, sub: str) -> Json:
    return {"StringEquals": {f"{case.issuer}:aud": AUDIENCE}, "StringLike": {f"{case.issuer}:sub": sub}}


def loosely(case: Case, operator: str) -> Json:
    return {"StringEquals": {f"{case.issuer}:aud": AUDIENCE}, operator: {f"{case.issuer}:sub": case.sub}}


Kind = Callable[[Case], Json]
RIGHT: tuple[Kind, ...] = (
    lambda case: statement(case, exactly(case.issuer, case.sub)),
    lambda case: statement(case, like(case, case.sub)),
    lambda case: statement(case, exactly(case.issuer, case.sub), Action=["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]),
)
WRONG: tuple[Kind, ...] = (
    lambda case: statement(case, {"StringEquals": {f"{case.issuer}:aud": AUDIENCE}}),
    lambda case: statement(case, {}),
    lambda case: statement(case, like(case, "system:serviceaccount:*")),
    lambda case: statement(case, like(case, f"system:serviceaccount:{case.namespace}:*")),
    lambda case: statement(case, like(case, f"system:serviceaccount:*:{case.name}")),
    lambda case: statement(case, loosely(case, "ForAllValues:StringEquals")),
    lambda case: statement(case, loosely(case, "StringEqualsIfExists")),
    lambda case: statement(case, exactly(case.issuer, f"system:serviceaccount:{case.namespace}:*")),
    lambda case: statement(case, exactly(f"https://{case.issuer}", case.sub)),
    lambda case: statement(case, exactly(provider_of(case.issuer), case.sub)),
    lambda case: statement(case, exactly(case.other, case.sub)),
    lambda case: statement(case, exactly(case.issuer, case.sub, "sts.amazon.com")),
    lambda case: statement(case, exactly(case.issuer, case.sub + "-old")),
    lambda case: statement(case, exactly(case.issuer, case.sub), Action="sts:AssumeRole"),
)


def cases(roles: int, seed: int) -> Iterator[tuple[Case, bool, Json]]:
    """Every role, whether it is right, and its trust statement."""
    rng = random.Random(seed)
    issuers = [issuer_of(cluster) for cluster in range(CLUSTERS)]
    for number in range(roles):
        issuer, other = rng.sample(issuers, 2)
        case = Case(number, issuer, other, f"team-{rng.randrange(NAMESPACES):02d}", f"app-{number:06d}")
        right = rng.random() < HEALTHY
        yield case, right, rng.choice(RIGHT if right else WRONG)(case)


def role(case: Case, trust: Json) -> Json:
    bucket = f"arn:aws:s3:::example-{case.number:06d}"
    allowed = {
        "Sid": "Data",
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [bucket, bucket + "/*"],
    }
    return {
        "Path": "/",
        "RoleName": f"app-{case.number:06d}",
        "RoleId": f"AROAEXAMPLE{case.number:010d}",
        "Arn": case.arn,
        "CreateDate": BORN,
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "InstanceProfileList": [],
        "RolePolicyList": [{"PolicyName": "data", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allowed]}}],
        "AttachedManagedPolicies": [],
        "Tags": [{"Key": "team", "Value": case.namespace}],
        "RoleLastUsed": {},
    }


def service_account(case: Case) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "annotations": {"eks.amazonaws.com/role-arn": case.arn},
            "creationTimestamp": "2025-01-01T00:00:00Z",
            "name": case.name,
            "namespace": case.namespace,
            "resourceVersion": str(1000 + case.number),
            "uid": f"00000000-0000-4000-a000-{case.number:012d}",
        },
    }


def write(path: Path, document: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=4) + "\n", encoding="utf-8")


def write_list(path: Path, before: str, items: Iterable[Json], after: str) -> None:
    """Item by item, so that the largest estate needs no more memory than the smallest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(before)
        for number, item in enumerate(items):
            file.write(("," if number else "") + "\n" + json.dumps(item, indent=4))
        file.write("\n" + after + "\n")


def write_cluster(folder: Path, number: int, accounts: Iterable[Json]) -> None:
    name, issuer = f"c{number}", issuer_of(number)
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}"
    described = {
        "name": name,
        "arn": arn,
        "version": "1.33",
        "identity": {"oidc": {"issuer": f"https://{issuer}"}},
        "status": "ACTIVE",
    }
    write(
        folder / f"provider-{name}.json", {"Url": issuer, "ClientIDList": [AUDIENCE], "ThumbprintList": [], "CreateDate": BORN}
    )
    write(folder / name / "cluster.json", {"cluster": described})
    write_list(folder / name / "serviceaccounts.json", '{"apiVersion": "v1", "kind": "List", "items": [', accounts, "]}")


def generate(folder: Path, roles: int, seed: int = 7) -> list[Path]:
    """Write the estate and name its files."""
    issuers = [issuer_of(number) for number in range(CLUSTERS)]
    listed = (role(case, trust) for case, _, trust in cases(roles, seed))
    before = '{"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": ['
    write_list(folder / "account-authorization-details.json", before, listed, '], "Policies": [], "IsTruncated": false}')
    write(folder / "oidc-providers.json", {"OpenIDConnectProviderList": [{"Arn": provider_of(issuer)} for issuer in issuers]})
    write(folder / "clusters.json", {"clusters": [f"c{number}" for number in range(CLUSTERS)]})
    for number, issuer in enumerate(issuers):
        write_cluster(folder, number, (service_account(case) for case, _, _ in cases(roles, seed) if case.issuer == issuer))
    return sorted(folder.rglob("*.json"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--roles", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    generate(options.folder, options.roles, options.seed)
