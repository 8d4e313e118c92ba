"""Random organisations as snapshots: accounts whose roles, providers, clusters and service accounts name each other."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

TAKEN = "2026-01-05T06:00:00Z"
AUD = "sts.amazonaws.com"
NAMES = ("web", "wev", "billing", "default")


class Organisation:
    """Some accounts, drawn by a seed."""

    def __init__(self, seed: int, accounts: int = 4, *, rbac: bool = False) -> None:
        self.rbac = rbac
        self.rng = random.Random(seed)  # noqa: S311 - no secret is drawn
        self.ids = [f"{self.rng.randrange(10**11, 10**12)}" for _ in range(accounts)]
        self.clusters = {
            ident: [
                (self.rng.choice(("prod", "dev")), f"{self.rng.getrandbits(128):032X}") for _ in range(self.rng.randint(0, 2))
            ]
            for ident in self.ids
        }
        self.clusters = {ident: list(dict(clusters).items()) for ident, clusters in self.clusters.items()}

    def issuers(self) -> list[str]:
        """The issuers of all clusters, and one of none."""
        known = [ident for clusters in self.clusters.values() for _, ident in clusters]
        return [f"oidc.eks.eu-west-1.amazonaws.com/id/{ident}" for ident in [*known, "0" * 32]]

    def role_arn(self, account: str = "") -> str:
        """The ARN of a role that may be there."""
        return f"arn:aws:iam::{account or self.rng.choice(self.ids)}:role/{self.rng.choice(NAMES)}-{self.rng.randrange(4)}"

    def subject(self) -> str:
        """A subject, or a pattern of some."""
        name = self.rng.choice((*NAMES, *NAMES, "*", "we?"))
        return f"system:serviceaccount:{self.rng.choice(('app', 'shop', 'app', '*'))}:{name}"

    def policy(self, account: str) -> dict:
        """A trust policy with one or two statements, right or wrong."""
        return {"Version": "2012-10-17", "Statement": [self._statement(account) for _ in range(self.rng.choice((1, 1, 2)))]}

    def _statement(self, account: str) -> dict:
        rng, issuer = self.rng, self.rng.choice(self.issuers())
        if rng.random() < 0.1:
            return {"Effect": "Allow", "Principal": {"AWS": self.role_arn()}, "Action": "sts:AssumeRole"}
        owner = account if rng.random() < 0.8 else rng.choice(self.ids)
        operator = rng.choice(("StringEquals", "StringLike", "StringLike", "StringEqualsIgnoreCase"))
        key = issuer if rng.random() < 0.9 else rng.choice(self.issuers())
        condition = {f"{key}:sub": self.subject()} if rng.random() < 0.9 else {}
        condition |= {f"{issuer}:aud": AUD} if rng.random() < 0.8 else {}
        return {
            "Effect": "Allow" if rng.random() < 0.9 else "Deny",
            "Principal": {"Federated": f"arn:aws:iam::{owner}:oidc-provider/{issuer}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {operator: condition} if condition else {},
        }

    def shards(self) -> Iterator[tuple[str, dict]]:
        """Every shard with the name of its file."""
        for account in self.ids:
            if self.rng.random() < 0.15:
                gap = {"owner": account, "name": "", "missing": f"account {account}: it could not be read", "how": ""}
                missing = [{"collection": name, **gap} for name in ("roles", "providers", "clusters")]
                yield f"{account}/aws.json", snapshot([], missing)
                continue
            yield f"{account}/aws.json", snapshot(list(self._aws(account)))
            for name, _ in self.clusters[account]:
                arn = f"arn:aws:eks:eu-west-1:{account}:cluster/{name}"
                yield f"{account}/eu-west-1.{name}.json", snapshot(list(self._kubernetes(arn)))

    def _aws(self, account: str) -> Iterator[dict]:
        me, rng = {"account": account}, self.rng
        region = {**me, "region": "eu-west-1"}
        roles = [
            {
                "Path": "/",
                "RoleName": arn.rpartition("/")[2],
                "Arn": arn,
                "CreateDate": "2025-01-01T00:00:00+00:00",
                "AssumeRolePolicyDocument": self.policy(account),
            }
            for arn in dict.fromkeys(self.role_arn(account) for _ in range(rng.randint(0, 8)))
        ]
        yield answer(f"aws://{account}/iam/roles", me, {"Roles": roles})
        own = [ident for _, ident in self.clusters[account]]
        issuers = [f"oidc.eks.eu-west-1.amazonaws.com/id/{ident}" for ident in own if rng.random() < 0.8]
        issuers += [rng.choice(self.issuers())] if rng.random() < 0.5 else []
        arns = {issuer: f"arn:aws:iam::{account}:oidc-provider/{issuer}" for issuer in issuers}
        listed = {"OpenIDConnectProviderList": [{"Arn": arn} for arn in arns.values()]}
        yield answer(f"aws://{account}/iam/oidc-providers", me, listed)
        for issuer in arns:
            provider = {"Url": issuer, "ClientIDList": [AUD] if rng.random() < 0.9 else ["other"], "ThumbprintList": []}
            yield answer(f"aws://{account}/iam/oidc-providers/{issuer}", me, provider)
        path = f"aws://{account}/eks/eu-west-1/clusters"
        yield answer(path, region, {"clusters": [name for name, _ in self.clusters[account]]})
        for name, ident in self.clusters[account]:
            arn = f"arn:aws:eks:eu-west-1:{account}:cluster/{name}"
            oidc = {"issuer": f"https://oidc.eks.eu-west-1.amazonaws.com/id/{ident}"}
            yield answer(
                f"{path}/{name}",
                region,
                {"cluster": {"name": name, "arn": arn, "identity": {"oidc": oidc}, "status": "ACTIVE"}},
            )
            associations = {
                "associations": [
                    {
                        "clusterName": name,
                        "namespace": "app",
                        "serviceAccount": rng.choice(NAMES),
                        "associationArn": f"arn:aws:eks:eu-west-1:{account}:podidentityassociation/{name}/a-1",
                        "associationId": "a-1",
                    }
                ][: rng.choice((0, 0, 1))]
            }
            yield answer(f"{path}/{name}/pod-identity-associations", {**region, "cluster": arn}, associations)

    def _kubernetes(self, arn: str) -> Iterator[dict]:
        rng, items = self.rng, []
        for namespace in ("app", "shop"):
            for name in NAMES:
                if rng.random() < 0.7:
                    key = "eks.amazonaws.com/role-arn" if rng.random() < 0.9 else "eks.amazonaws.com/role_arn"
                    annotations = {key: self.role_arn()} if rng.random() < 0.7 else {}
                    annotations |= {"eks.amazonaws.com/audience": "other"} if rng.random() < 0.1 else {}
                    items.append({"metadata": {"name": name, "namespace": namespace, "annotations": annotations}})
        listed = {"apiVersion": "v1", "kind": "ServiceAccountList", "items": items}
        yield answer(f"kube://{arn}/serviceaccounts", {"cluster": arn, "closes": ["serviceaccounts"]}, listed)
        if self.rbac:
            yield from self._access(arn)

    def _access(self, arn: str) -> Iterator[dict]:
        """Who may do what in a cluster: roles and bindings, right or wrong."""
        rng, version = self.rng, "rbac.authorization.k8s.io/v1"
        rules = [
            {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "get"]},
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]},
            {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
            {"apiGroups": [version.partition("/")[0]], "resources": ["rolebindings"], "verbs": ["escalate", "bind", "create"]},
        ]
        names = ("deployer", "reader", "admin")
        for kind, namespaces in (("Role", ("app", "shop")), ("ClusterRole", ("",))):
            roles, bindings = [], []
            for namespace in namespaces:
                where = {"namespace": namespace} if namespace else {}
                roles += [
                    {"metadata": {"name": name, **where}, "rules": rng.sample(rules, rng.randint(0, 2))}
                    for name in names
                    if rng.random() < 0.7
                ]
                for number in range(rng.randint(0, 3)):
                    group = {"kind": "Group", "name": rng.choice(("system:serviceaccounts", "system:authenticated", "devs"))}
                    who = {"kind": "ServiceAccount", "name": rng.choice(NAMES), "namespace": rng.choice(("app", "shop"))}
                    held = {"kind": rng.choice((kind, "ClusterRole")), "name": rng.choice(names)}
                    bindings.append(
                        {
                            "metadata": {"name": f"binding-{number}", **where},
                            "subjects": [rng.choice((group, who, who))],
                            "roleRef": {"apiGroup": version.partition("/")[0], **held},
                        }
                    )
            for listed, items in ((kind, roles), (f"{kind}Binding", bindings)):
                document = {"apiVersion": version, "kind": f"{listed}List", "items": items}
                plural = f"{listed.lower()}s"
                yield answer(f"kube://{arn}/{plural}", {"cluster": arn, "closes": [plural]}, document)
        yield answer(f"kube://{arn}/configmaps", {"cluster": arn}, self._auth_map(random.Random(arn)))  # noqa: S311

    def _auth_map(self, rng: random.Random) -> dict:
        """Roles of any account that are principals of a cluster."""
        groups = ("system:masters", "devs", "readers")
        arns = [
            f"arn:aws:iam::{rng.choice(self.ids)}:role/{rng.choice(NAMES)}-{rng.randrange(4)}" for _ in range(rng.randint(0, 2))
        ]
        rows = [{"rolearn": arn, "username": "someone", "groups": [rng.choice(groups)]} for arn in arns]
        metadata = {"name": "aws-auth", "namespace": "kube-system"}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mapRoles": json.dumps(rows)}}


def answer(path: str, origin: dict, document: dict) -> dict:
    """An answer in a snapshot."""
    return {"path": path, "origin": origin, "document": document}


def snapshot(documents: list[dict], missing: list[dict] | None = None) -> dict:
    """A snapshot."""
    head = {"schema": "irsa-doctor.snapshot/1", "tool": {"version": "0"}, "taken": TAKEN, "redacted": False}
    return {**head, "documents": documents, "asked": [], "missing": missing or []}


def write_organisation(folder: Path, seed: int, *, accounts: int = 4, names: bool = True, rbac: bool = False) -> Path:
    """The shards of a random organisation in a folder, by account or (without `names`) split at random."""
    organisation = Organisation(seed, accounts, rbac=rbac)
    for number, (name, document) in enumerate(organisation.shards()):
        if names:
            put(folder / name, document)
            continue
        parts = max(1, min(len(document["documents"]), organisation.rng.randint(1, 4)))
        for part in range(parts):
            whole = {**document, "documents": document["documents"][part::parts]}
            put(folder / f"{organisation.rng.randrange(3)}" / f"{number}-{part}.json", whole)
    return folder


def put(path: Path, document: dict) -> None:
    """Write a document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1))
