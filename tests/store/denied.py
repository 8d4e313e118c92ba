"""Organisations of which some calls are denied, and which change between two runs: what becomes of the findings."""

import copy
import random
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from irsa_doctor import api
from tests.shards.organisations import AUD, Organisation, put, snapshot
from tests.store.runs import BEGIN, DAY

Shards = dict[str, dict]
_LISTS = {"Roles": "roles", "OpenIDConnectProviderList": "providers", "clusters": "clusters"}


class WholeOrganisation(Organisation):
    """An organisation of which every account could be read."""

    def shards(self):
        for account in self.ids:
            yield f"{account}/aws.json", snapshot(list(self._aws(account)))
            for name, _ in self.clusters[account]:
                arn = f"arn:aws:eks:eu-west-1:{account}:cluster/{name}"
                yield f"{account}/eu-west-1.{name}.json", snapshot(list(self._kubernetes(arn)))


class Outcome(NamedTuple):
    """What two runs of one organisation say: with calls that were denied, and with none."""

    denied: dict[str, str]
    """key of a finding -> what became of it where calls were denied"""
    whole: dict[str, str]
    failing: set[str]
    """the keys of what fails after the change where nothing is denied"""


def outcome(folder: Path, seed: int, *, lasting: bool) -> Outcome:
    """What becomes of the findings of a random organisation; `lasting`: its calls were denied to the run before, too."""
    organisation = WholeOrganisation(seed, rbac=seed % 2 == 0)
    rng = organisation.rng
    before = dict(organisation.shards())
    after = changed(rng, organisation, before)
    paths = [answer["path"] for shard in before.values() for answer in shard["documents"]]
    lost = set(rng.sample(paths, rng.choice((1, 2, len(paths) // 5))))
    before_denied = without(before, lost if lasting else ())
    more = rng.sample(paths, rng.choice((0, 0, 1)))
    answers = {}
    for name, runs in {"denied": (before_denied, without(after, {*lost, *more})), "whole": (before, after)}.items():
        store = str(folder / f"{name}.db")
        for day, shards in enumerate(runs):
            for file, content in shards.items():
                put(folder / f"{name}-{day}" / file, content)
            run = api.audit([str(folder / f"{name}-{day}")], store=store, as_of=BEGIN + day * DAY, jobs=1)
        answers[name] = {row.key: row.change for row in api.audit_changes(since=1, store=store)[2]}
    return Outcome(answers["denied"], answers["whole"], {finding["key"] for finding in run.answer["findings"]})


def changed(rng: random.Random, organisation: Organisation, shards: Shards) -> Shards:
    """The organisation later: roles and service accounts are put right, changed or gone."""
    later = copy.deepcopy(shards)
    for file, shard in later.items():
        account = file.partition("/")[0]
        for document in (answer["document"] for answer in shard["documents"]):
            for role in list(document.get("Roles", ())):
                _change_role(rng, organisation, account, role, document["Roles"])
            for item in list(document["items"]) if document.get("kind") == "ServiceAccountList" else ():
                choice = rng.random()
                if choice < 0.1:
                    document["items"].remove(item)
                elif choice < 0.4:
                    named = {"eks.amazonaws.com/role-arn": organisation.role_arn()}
                    item["metadata"]["annotations"] = named if choice < 0.2 else {}
    return later


def _change_role(rng: random.Random, organisation: Organisation, account: str, role: dict, roles: list[dict]) -> None:
    choice = rng.random()
    if choice < 0.1:
        roles.remove(role)
    elif choice < 0.25:
        role["AssumeRolePolicyDocument"] = organisation.policy(account)
    elif choice < 0.4:
        issuer = rng.choice(organisation.issuers())
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::{account}:oidc-provider/{issuer}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{issuer}:sub": "system:serviceaccount:app:web", f"{issuer}:aud": AUD}},
        }
        role["AssumeRolePolicyDocument"] = {"Version": "2012-10-17", "Statement": [statement]}


def without(shards: Shards, paths: Collection[str]) -> Shards:
    """The shards as they are where the answers of some paths were denied."""
    left = copy.deepcopy(shards)
    for shard in left.values():
        shard["missing"] += [_gap(answer) for answer in shard["documents"] if answer["path"] in paths]
        shard["documents"] = [answer for answer in shard["documents"] if answer["path"] not in paths]
    return left


def _gap(answer: dict) -> dict:
    """The gap that `collect` notes where an answer was denied."""
    document, origin, path = answer["document"], answer["origin"], answer["path"]
    listed = next((name for key, name in _LISTS.items() if key in document), "")
    if listed:
        owner, collection = origin["account"], listed
    elif "cluster" in document:
        owner, collection = document["cluster"]["arn"], "cluster"
    elif "ClientIDList" in document:
        owner, collection = f"arn:aws:iam::{origin['account']}:oidc-provider/{document['Url']}", "client-ids"
    else:
        owner = origin["cluster"]
        collection = "associations" if "associations" in document else path.rpartition("/")[2]
    name = origin["region"] if listed == "clusters" else ""
    return {"collection": collection, "owner": owner, "name": name, "missing": f"{path}: denied", "how": ""}
