"""Reads which roles something in a cluster is configured to assume with the identity that it has already.

external-secrets: https://external-secrets.io/latest/provider/aws-access/, cert-manager:
https://cert-manager.io/docs/configuration/acme/dns01/route53/, Crossplane:
https://docs.upbound.io/providers/provider-aws-family/authentication/, ACK:
https://aws-controllers-k8s.github.io/community/docs/user-docs/cross-account-resource-management/, external-dns:
https://kubernetes-sigs.github.io/external-dns/latest/docs/tutorials/aws/, configuration files of AWS:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html. Of these files only the names of roles and
profiles are kept: they may hold keys, and programs to run.
"""

import configparser
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from irsa_doctor.model import ChainedRole, Place, is_role_arn
from irsa_doctor.text import shapes

_FLAG, _FLAG_OF_ID = "--aws-assume-role", "--aws-assume-role-external-id"
_CARM = ("ack-role-account-map", "ack-role-team-map")
_LONGEST_FILE = 65_536
_LOOPS = 8
"""profiles that one chain passes"""

_Members = Mapping[str, object]


def chained_roles(kind: str, members: _Members, place: Place) -> Iterator[ChainedRole]:
    """The roles that an object of the cluster makes something assume, in the order of the chain."""
    group = str(members.get("apiVersion", "")).partition("/")[0]
    for ending, reader in _READERS.items():
        if group.endswith(ending):
            yield from reader(kind, members, place)


def roles_of_arguments(arguments: list[str], place: Place, namespace: str, account: str) -> Iterator[ChainedRole]:
    """The role that the arguments of a container name (external-dns)."""
    values = dict(argument.split("=", 1) for argument in arguments if argument.startswith(_FLAG) and "=" in argument)
    values |= {name: value for name, value in pairwise(arguments) if name in (_FLAG, _FLAG_OF_ID)}
    if is_role_arn(values.get(_FLAG, "")):
        known, ident = values[_FLAG], values.get(_FLAG_OF_ID)
        yield ChainedRole(
            namespace=namespace, accounts=account, chain=(known,), source=_FLAG, place=place, external_id=ident or ""
        )


def _secret_store(kind: str, members: _Members, place: Place) -> Iterator[ChainedRole]:
    aws = _inside(_inside(_inside(members, "spec"), "provider"), "aws")
    jwt = _inside(_inside(_inside(aws, "auth"), "jwt"), "serviceAccountRef")
    own = _namespace(members) if kind == "SecretStore" else ""
    account = _text(jwt, "name") or "external-secrets*"
    namespace = _text(jwt, "namespace") or (own if jwt else "")
    roles = (*_texts(aws.get("additionalRoles")), _text(aws, "role"))
    yield from _chain(roles, namespace, account, f"{kind} {_name(members)}", place.at("spec"), _text(aws, "externalID"))


def _issuer(kind: str, members: _Members, place: Place) -> Iterator[ChainedRole]:
    """A solver with a service account of its own asks for its role by web identity, which is no chain."""
    solvers = _inside(_inside(members, "spec"), "acme").get("solvers")
    for solver in solvers if isinstance(solvers, list) else ():
        route53 = _inside(_inside(solver if isinstance(solver, dict) else {}, "dns01"), "route53")
        if not _inside(_inside(route53, "auth"), "kubernetes"):
            yield from _chain((_text(route53, "role"),), "", "cert-manager*", f"{kind} {_name(members)}", place.at("spec"))


def _provider_config(kind: str, members: _Members, place: Place) -> Iterator[ChainedRole]:
    spec = _inside(members, "spec")
    steps = spec.get("assumeRoleChain")
    items = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    roles = (_text(spec, "assumeRoleARN"), *(_text(step, "roleARN") for step in items))
    ident = next(filter(None, (_text(step, "externalID") for step in items)), _text(spec, "externalID"))
    injected = _text(_inside(spec, "credentials"), "source") in ("InjectedIdentity", "IRSA", "PodIdentity", "")
    if kind == "ProviderConfig" and injected:
        yield from _chain(roles, "", "*provider-*aws*", f"{kind} {_name(members)}", place.at("spec"), ident)


def _config_map(kind: str, members: _Members, place: Place) -> Iterator[ChainedRole]:
    data = _inside(members, "data") if kind == "ConfigMap" and members.get("apiVersion") == "v1" else {}
    for key, value in data.items():
        if not isinstance(value, str) or len(value) > _LONGEST_FILE:
            continue
        if _name(members) in _CARM:
            yield from _chain(
                (value.strip(),), _namespace(members), "ack-*", f"ConfigMap {_name(members)}", place.at("data", key)
            )
        elif "role_arn" in value and "[" in value:
            for role in _profiles(value):
                at = place.at("data", key)
                yield from (
                    ChainedRole(
                        namespace=_namespace(members), config_map=_name(members), chain=role[1], profile=role[0],
                        source=f"profile {role[0]} of ConfigMap {_name(members)}", place=at, external_id=role[2],
                    ),
                )  # fmt: skip


def _profiles(text: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """(name, roles in the order of the chain, external id) of the profiles that begin with a web identity or with what the
    environment has."""
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    profiles = {name.removeprefix("profile ").strip(): dict(parser[name]) for name in parser.sections()}
    for name, members in profiles.items():
        if chain := tuple(_followed(profiles, name)):
            yield name, chain, members.get("external_id", "")


def _followed(profiles: Mapping[str, Mapping[str, str]], name: str) -> Iterator[str]:
    """The roles of a profile after the one that it gets by web identity; none where its source is something else."""
    chain: list[str] = []
    for _ in range(_LOOPS):
        profile = profiles.get(name, {})
        role, source = profile.get("role_arn", ""), profile.get("source_profile", "")
        if "web_identity_token_file" in profile or profile.get("credential_source") == "EcsContainer":
            yield from reversed(chain)
            return
        if not is_role_arn(role) or not source or source == name:
            return
        chain.append(role)
        name = source


def _chain(
    roles: tuple[str, ...], namespace: str, accounts: str, source: str, place: Place, external_id: str = ""
) -> Iterator[ChainedRole]:
    chain = tuple(role for role in roles if role)
    if chain and all(map(is_role_arn, chain)):
        yield ChainedRole(
            namespace=namespace, accounts=accounts, chain=chain, source=source, place=place, external_id=external_id
        )


_READERS: Mapping[str, Callable[[str, _Members, Place], Iterator[ChainedRole]]] = {
    "external-secrets.io": _secret_store,
    "cert-manager.io": _issuer,
    "aws.crossplane.io": _provider_config,
    "aws.upbound.io": _provider_config,
    "aws.m.upbound.io": _provider_config,
    "v1": _config_map,
}
"""the end of an API group -> what reads its objects"""


def _inside(members: _Members, name: str) -> Mapping[str, object]:
    value = members.get(name)
    return value if isinstance(value, dict) else {}


def _text(members: _Members, name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _name(members: _Members) -> str:
    return shapes.as_text(_inside(members, "metadata").get("name", ""))


def _namespace(members: _Members) -> str:
    return _text(_inside(members, "metadata"), "namespace") or "default"
