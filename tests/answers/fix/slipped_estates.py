"""Two clusters of one account, and roles whose right policies have one slip or two."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from irsa_doctor.api import Settings
from tests.trust import reference

ACCOUNT, ELSEWHERE = "111122223333", "444455556666"
ISSUERS = {
    "blue": "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64",
    "green": "oidc.eks.eu-west-1.amazonaws.com/id/4D0E3A5B9C1F4E7788A2B6D5C3F19E02",
}
PREFIX, STS, WEB = "system:serviceaccount:", "sts.amazonaws.com", "sts:AssumeRoleWithWebIdentity"
NAMESPACES, NAMES = ("shop", "shop-eu", "pay"), ("cart", "web", "cart-web")

Json = dict[str, Any]
Slip = Callable[[Random, Json], None]
"""changes a statement in its place"""


def provider(cluster: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:oidc-provider/{ISSUERS[cluster]}"


def statement(cluster: str, *subjects: str) -> Json:
    """The right statement for service accounts (NAMESPACE:NAME) of a cluster."""
    listed = [PREFIX + subject for subject in subjects]
    keys = {f"{ISSUERS[cluster]}:aud": STS, f"{ISSUERS[cluster]}:sub": listed if len(listed) > 1 else listed[0]}
    return {
        "Effect": "Allow",
        "Principal": {"Federated": provider(cluster)},
        "Action": WEB,
        "Condition": {"StringEquals": keys},
    }


def policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _of_keys(change: Callable[[str], str], claims: tuple[str, ...] = ("sub", "aud")) -> Slip:
    def slip(random: Random, written: Json) -> None:
        claim = random.choice(claims)
        for operator, keys in written["Condition"].items():
            changed = {(change(key) if key.endswith(":" + claim) else key): value for key, value in keys.items()}
            written["Condition"][operator] = changed

    return slip


def _of_operator(change: Callable[[str], str], claims: tuple[str, ...] = ("sub", "aud")) -> Slip:
    def slip(random: Random, written: Json) -> None:
        claim = random.choice(claims)
        for operator in [*written["Condition"]]:
            keys = written["Condition"][operator]
            for key in [key for key in keys if key.endswith(":" + claim)]:
                written["Condition"].setdefault(change(operator), {})[key] = keys.pop(key)

    return slip


def _of_value(claim: str, *changes: Callable[[str], Any]) -> Slip:
    def slip(random: Random, written: Json) -> None:
        for keys in written["Condition"].values():
            for key, value in keys.items():
                if key.endswith(":" + claim):
                    first, *others = reference.as_list(value)
                    keys[key] = [random.choice(changes)(str(first)), *others]

    return slip


def _of_principal(*changes: Callable[[str], Any]) -> Slip:
    def slip(random: Random, written: Json) -> None:
        written["Principal"] = random.choice(changes)(str(reference.as_list(next(iter(written["Principal"].values())))[0]))

    return slip


def _without(claim: str) -> Slip:
    def slip(random: Random, written: Json) -> None:
        for keys in written["Condition"].values():
            for key in [key for key in keys if key.endswith(":" + claim)]:
                del keys[key]

    return slip


def _other(text: str) -> str:
    blue, green = ISSUERS.values()
    return text.replace(blue, green) if blue in text else text.replace(green, blue)


def _members(*changes: Json) -> Slip:
    return lambda random, written: written.update(random.choice(changes))


SLIPS: tuple[Slip, ...] = (
    _of_keys(lambda key: "https://" + key),
    _of_keys(lambda key: key.replace(":sub", "/:sub").replace(":aud", "/:aud")),
    _of_keys(lambda key: f"arn:aws:iam::{ACCOUNT}:oidc-provider/{key}"),
    _of_keys(_other),
    _of_operator("ForAllValues:{}".format),
    _of_operator("{}IfExists".format),
    _of_operator(lambda name: name.replace("Equals", "NotEquals", 1)),
    _of_operator(lambda name: name[0].lower() + name[1:]),
    _of_operator(lambda name: "ArnLike", ("sub",)),
    _of_value("sub", lambda sub: sub.removeprefix(PREFIX), str.title, "{} ".format, "{}-old".format),
    _of_value("sub", lambda sub: sub[:-2] + "*", lambda sub: sub.rpartition(":")[0] + ":*", lambda sub: "*"),
    _of_value("sub", lambda sub: f"{PREFIX}ghost:cart", lambda sub: f"{PREFIX}shop:${{aws:PrincipalTag/name}}"),
    _of_value("aud", "https://{}".format, str.upper, lambda aud: "sts.eu-west-1.amazonaws.com"),
    _of_principal(lambda arn: {"AWS": arn}, lambda arn: {"Federated": arn + "/"}, lambda arn: {"Federated": _other(arn)}),
    _of_principal(lambda arn: {"Federated": arn.replace("oidc.eks", "eks.oidc")}),
    _of_principal(lambda arn: {"Federated": arn.replace(ACCOUNT, ELSEWHERE)}),
    _of_principal(lambda arn: {"Federated": [provider("blue"), provider("green")]}),
    _without("sub"),
    _without("aud"),
    _members({"Action": "sts:AssumeRole"}, {"Action": ["sts:AssumeRole", "sts:TagSession"]}, {"Effect": "Permit"}),
)


class SlippedRole(msgspec.Struct):
    """A role with its policy, and the (cluster, NAMESPACE:NAME) whose annotations name it."""

    name: str
    document: Json
    users: list[tuple[str, str]]

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{self.name}"

    @property
    def subjects(self) -> set[tuple[str, str]]:
        """(cluster, subject) of its users."""
        return {(cluster, PREFIX + account) for cluster, account in self.users}


def estate(seed: int) -> list[SlippedRole]:
    """Some roles; nobody uses two of them."""
    random = Random(seed)  # noqa: S311 - the same estates every time
    accounts = [(cluster, f"{namespace}:{name}") for cluster in ISSUERS for namespace in NAMESPACES for name in NAMES]
    random.shuffle(accounts)
    roles = []
    for number in range(4):
        users = [accounts.pop() for _ in range(random.choice((1, 1, 2)))]
        clusters = sorted({cluster for cluster, _ in users})
        statements = [statement(cluster, *sorted(a for c, a in users if c == cluster)) for cluster in clusters]
        for slip in random.sample(SLIPS, random.choice((1, 1, 2))):
            slip(random, random.choice(statements))
        if random.random() < 0.2:
            denied = statement(clusters[0], "shop:default")
            statements.append({**denied, "Effect": "Deny"})
        named = [user for user in users if random.random() < 0.9]
        roles.append(SlippedRole(f"r{number}", policy(*statements), named))
    return roles


def written_to(folder: Path, roles: list[SlippedRole], more: tuple[tuple[str, str], ...] = ()) -> Settings:
    """The files of an estate, whose service accounts are all listed; `more` are accounts that name no role."""
    folder.mkdir(exist_ok=True)
    providers = [{"Arn": provider(cluster)} for cluster in ISSUERS]
    (folder / "providers.json").write_text(json.dumps({"OpenIDConnectProviderList": providers}), encoding="utf-8")
    declared = {role.arn: str(folder / f"{role.name}.json") for role in roles}
    for role in roles:
        (folder / f"{role.name}.json").write_text(json.dumps(role.document, indent=2), encoding="utf-8")
    for cluster, issuer in ISSUERS.items():
        (folder / cluster).mkdir(exist_ok=True)
        arn = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/{cluster}"
        described = {"cluster": {"name": cluster, "arn": arn, "identity": {"oidc": {"issuer": f"https://{issuer}"}}}}
        (folder / cluster / "cluster.json").write_text(json.dumps(described), encoding="utf-8")
        naming = {user: role.arn for role in roles for user in role.users} | dict.fromkeys(more, "")
        items = [_account(name, arn) for (where, name), arn in sorted(naming.items()) if where == cluster]
        listed = {"apiVersion": "v1", "kind": "List", "items": items}
        (folder / cluster / "accounts.json").write_text(json.dumps(listed), encoding="utf-8")
    return Settings(roles=declared, complete=("serviceaccounts",))


def _account(account: str, role: str) -> Json:
    namespace, name = account.split(":")
    metadata: Json = {"namespace": namespace, "name": name}
    if role:
        metadata["annotations"] = {"eks.amazonaws.com/role-arn": role}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
