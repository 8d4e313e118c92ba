"""Reads which roles something in a cluster is configured to assume with the identity that it has already.

external-secrets: https://external-secrets.io/latest/provider/aws-access/, cert-manager:
https://cert-manager.io/docs/configuration/acme/dns01/route53/, Crossplane:
https://docs.upbound.io/providers/provider-aws-family/authentication/, ACK:
https://aws-controllers-k8s.github.io/community/docs/user-docs/cross-account-resource-management/, external-dns:
https://kubernetes-sigs.github.io/external-dns/latest/docs/tutorials/aws/, Argo CD:
https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#eks, Prometheus:
https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.Sigv4, Cluster API:
https://cluster-api-aws.sigs.k8s.io/topics/multitenancy, KEDA:
https://keda.sh/docs/latest/authentication-providers/aws/. Of the Secret of Argo CD only the role is read.
"""

import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import msgspec

from irsa_doctor.model import ChainedRole, Place, is_role_arn
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.program_files import LONGEST_FILE, profiles_in_file, roles_in_file
from irsa_doctor.text import shapes

_FLAG, _FLAG_OF_ID = "--aws-assume-role", "--aws-assume-role-external-id"
_CARM = ("ack-role-account-map", "ack-role-team-map")
ARGO_LABEL = "argocd.argoproj.io/secret-type"
_NO_NAME = regex(r"[*?\[]")
"""what no name has, and a pattern of names may"""

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
    tagged = bool(aws.get("sessionTags") or aws.get("transitiveTagKeys"))
    if not _NO_NAME.search(_text(jwt, "name")):
        source, ident = f"{kind} {_name(members)}", _text(aws, "externalID")
        yield from _chain(roles, namespace, account, source, place.at("spec"), ident, tagged=tagged)


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
    ident = _text(items[-1] if items else spec, "externalID")
    tagged = any(step.get("tags") or step.get("transitiveTagKeys") for step in items) or bool(spec.get("tags"))
    injected = _text(_inside(spec, "credentials"), "source") in ("InjectedIdentity", "IRSA", "PodIdentity", "")
    if kind == "ProviderConfig" and injected:
        source = f"{kind} {_name(members)}"
        yield from _chain(roles, "", "*provider-*aws*", source, place.at("spec"), ident, tagged=tagged)


def _remote_write(kind: str, members: _Members, place: Place) -> Iterator[ChainedRole]:
    """The role of the signature with which an agent of Prometheus sends its samples on."""
    spec = _inside(members, "spec")
    account = _text(spec, "serviceAccountName") or f"prometheus-{_name(members)}"
    for number, target in enumerate(_objects(spec.get("remoteWrite"))):
        role, at = _text(_inside(target, "sigv4"), "roleArn"), place.at("spec", "remoteWrite", number)
        if kind in ("Prometheus", "PrometheusAgent") and not _NO_NAME.search(account):
            yield from _chain((role,), _namespace(members), account, f"{kind} {_name(members)}", at)


def _cluster_identity(kind: str, members: _Members, place: Place) -> Iterator[ChainedRole]:
    """The role of clusters that the controller of Cluster API makes; its source may be another such role, which is not
    followed."""
    spec = _inside(members, "spec")
    source = _text(_inside(spec, "sourceIdentityRef"), "kind")
    if kind == "AWSClusterRoleIdentity" and source in ("", "AWSClusterControllerIdentity"):
        ident = _text(spec, "externalID")
        yield from _chain((_text(spec, "roleARN"),), "", "capa-*", f"{kind} {_name(members)}", place.at("spec"), ident)


def _trigger_authentication(kind: str, members: _Members, place: Place) -> Iterator[ChainedRole]:
    """The roles that the operator of KEDA takes for a trigger, and for secrets that it reads: it requests each by its own token
    first, then with the role of the operator."""
    spec = _inside(members, "spec")
    if kind not in ("TriggerAuthentication", "ClusterTriggerAuthentication"):
        return
    for owner in (spec, _inside(spec, "awsSecretManager")):
        identity = _inside(owner, "podIdentity")
        if _text(identity, "provider") in ("aws", "aws-eks"):
            role, source = _text(identity, "roleArn"), f"{kind} {_name(members)}"
            for chained in _chain((role,), "", "keda-operator*", source, place.at("spec")):
                yield msgspec.structs.replace(chained, by_token=True)


def _argo_cluster(members: _Members, place: Place) -> Iterator[ChainedRole]:
    """The role by which Argo CD gets into a cluster; nothing else of the Secret is kept."""
    labels = _inside(_inside(members, "metadata"), "labels")
    if labels.get(ARGO_LABEL) == "cluster":
        role = _text(_inside(_argo_settings(members), "awsAuthConfig"), "roleARN")
        at = place.at("metadata", "name")
        yield from _chain((role,), _namespace(members), "argocd-*", f"the cluster {_name(members)} of Argo CD", at)


def _argo_settings(members: _Members) -> _Members:
    from base64 import b64decode

    text = _text(_inside(members, "stringData"), "config")
    coded = _text(_inside(members, "data"), "config")
    try:
        text = text or b64decode(coded[:LONGEST_FILE], validate=True).decode()
        settings = json.loads(text) if text and len(text) <= LONGEST_FILE else {}
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _core(kind: str, members: _Members, place: Place) -> Iterator[ChainedRole]:
    if kind == "Secret" and members.get("apiVersion") == "v1":
        yield from _argo_cluster(members, place)
    elif kind == "ConfigMap" and members.get("apiVersion") == "v1":
        for key, value in _inside(members, "data").items():
            if isinstance(value, str) and len(value) <= LONGEST_FILE:
                yield from _config_file(_name(members), _namespace(members), value, place.at("data", str(key)))


def _config_file(name: str, namespace: str, text: str, place: Place) -> Iterator[ChainedRole]:
    """The roles of one file of a config map, and those of accounts and teams in the config maps of ACK."""
    if name in _CARM:
        yield from _chain((text.strip(),), namespace, "ack-*", f"ConfigMap {name}", place)
        return
    profiles = tuple(profiles_in_file(text)) if "role_arn" in text and "[" in text else ()
    for profile in profiles:
        yield ChainedRole(
            namespace=namespace,
            config_map=name,
            chain=profile.roles,
            profile=profile.name,
            source=f"profile {profile.name} of ConfigMap {name}",
            place=place,
            external_id=profile.external_id,
            first=profile.first,
        )
    for role in () if profiles else roles_in_file(text):
        source = f"the configuration in ConfigMap {name}"
        yield ChainedRole(namespace=namespace, config_map=name, chain=(role,), source=source, place=place, external_id=None)


def _chain(
    roles: tuple[str, ...],
    namespace: str,
    accounts: str,
    source: str,
    place: Place,
    external_id: str = "",
    *,
    tagged: bool = False,
) -> Iterator[ChainedRole]:
    chain = tuple(role for role in roles if role)
    if chain and all(map(is_role_arn, chain)):
        yield ChainedRole(
            namespace=namespace,
            accounts=accounts,
            chain=chain,
            source=source,
            place=place,
            external_id=external_id,
            tagged=tagged,
        )


_READERS: Mapping[str, Callable[[str, _Members, Place], Iterator[ChainedRole]]] = {
    "external-secrets.io": _secret_store,
    "cert-manager.io": _issuer,
    "aws.crossplane.io": _provider_config,
    "aws.upbound.io": _provider_config,
    "aws.m.upbound.io": _provider_config,
    "monitoring.coreos.com": _remote_write,
    "infrastructure.cluster.x-k8s.io": _cluster_identity,
    "keda.sh": _trigger_authentication,
    "v1": _core,
}
"""the end of an API group -> what reads its objects"""


def _inside(members: _Members, name: str) -> Mapping[str, object]:
    value = members.get(name)
    return value if isinstance(value, dict) else {}


def _text(members: _Members, name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _objects(value: object) -> tuple[_Members, ...]:
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _name(members: _Members) -> str:
    return shapes.as_text(_inside(members, "metadata").get("name", ""))


def _namespace(members: _Members) -> str:
    return _text(_inside(members, "metadata"), "namespace") or "default"
