"""The roles, clusters, OIDC providers and associations that well-known modules of the Terraform registry make.

A module is one row of `_MODULES`, a role of it one `ModuleRole`; module_trust.py has the trust policies.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from irsa_doctor.model import Hole, Text, joined, without_scheme
from irsa_doctor.sources.templates.choices import chosen, settled, where_on
from irsa_doctor.sources.templates.terraform import module_trust as trust
from irsa_doctor.sources.templates.terraform.module_calls import (
    NEWEST,
    ModuleCall,
    ModuleInputs,
    ModuleSource,
    major_version,
    module_source,
)
from irsa_doctor.sources.templates.terraform.module_trust_github import GITHUB, of_github
from irsa_doctor.sources.templates.terraform.policy_document import document_of
from irsa_doctor.sources.templates.values import TemplateValue, hole, scalar_text, template_provider_arn
from irsa_doctor.text.positions import Anchor


class ModuleRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role that a module makes: its resource, its statements, the input without which it has none, the inputs that switch it
    on with their defaults, the inputs that name it, the input that makes the name a prefix ("" for none), and the outputs that
    are its ARN."""

    needs: str
    resource: str
    statements: Callable[[ModuleCall], Iterator[TemplateValue]]
    switches: Mapping[str, bool] = {}
    names: tuple[str, ...] = ()
    prefix: str = ""
    outputs: tuple[str, ...] = ("iam_role_arn", "arn")


class ModuleAssociations(msgspec.Struct, frozen=True, kw_only=True):
    """A Pod Identity association that a module makes: by the input that switches it on, with the defaults of its parts; or of
    each entry of the input `entries`."""

    switch: str = ""
    is_on: bool = True
    namespace: str = ""
    service_account: str = ""
    entries: str = ""


class KnownKind(msgspec.Struct, frozen=True, kw_only=True):
    """What a module makes. `issuer_outputs` are outputs with the issuer of its cluster: ARN of the provider, host, URL, and the
    name of the cluster."""

    roles: tuple[ModuleRole, ...] = ()
    roles_of: Callable[[ModuleCall], Iterator[ModuleRole]] | None = None
    associations: ModuleAssociations | None = None
    provider: str = ""
    """resource of the OIDC provider, "" for none"""
    url: tuple[str, str] = ("", "")
    """the input that is the URL of that provider where it makes no cluster, and its default"""
    provider_switches: Mapping[str, bool] = {}
    outputs: Mapping[str, str] = {}
    """output -> what of the cluster it is: `arn`, `host`, `url` or `name`"""
    addons: tuple[str, ...] = ()
    """inputs that are a map of add-ons"""
    access: bool = False
    """whether its inputs let principals into a cluster"""


class KnownRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role that a call makes; `planned` is path and name, "" where they are not known before it is applied; `lacks` is the
    input without which the policy has no statement, "" where it has some."""

    address: str
    policy: TemplateValue
    planned: str
    lacks: str
    outputs: tuple[str, ...]


class KnownModule(msgspec.Struct, frozen=True):
    """A call of a known module, and what that makes."""

    call: ModuleCall
    kind: KnownKind

    def roles(self) -> Iterator[KnownRole]:
        """Yield the roles that it makes."""
        more = self.kind.roles_of(self.call) if self.kind.roles_of else ()
        for role in (*self.kind.roles, *more):
            if all(self.call.is_on(name, otherwise=default) for name, default in role.switches.items()):
                yield self._role(role)

    def _role(self, role: ModuleRole) -> KnownRole:
        switches = [value for name in role.switches if (value := self.call.inputs.get(name)) is not None]
        # where the module does not make the role, it has no policy that could be wrong
        assumed = {words: holds for switch in switches for words, holds in where_on(switch).items()}
        inputs = settled(TemplateValue(dict(self.call.inputs)), assumed)
        called = TemplateValue(hole(f"trust policy of {self.call.address}.{role.resource}"))
        policy = chosen(partial(self._policy, role), (inputs,), called=called, nested=True) or self._policy(role, inputs)
        name, path = self.call.text(*role.names), self.call.text("role_path", "path", "iam_role_path", "irsa_path") or "/"
        is_known = name and not (role.prefix and self.call.is_on(role.prefix, otherwise=True))
        return KnownRole(
            address=f"{self.call.address}.{role.resource}",
            policy=policy,
            planned=f"{path}{name}".lstrip("/") if is_known else "",
            lacks="" if next(role.statements(self.call), None) else role.needs,
            outputs=role.outputs,
        )

    def _policy(self, role: ModuleRole, inputs: TemplateValue) -> TemplateValue:
        """The trust policy of a role for some inputs."""
        call = msgspec.structs.replace(self.call, inputs=inputs.value)
        config = TemplateValue({"statement": TemplateValue(tuple(role.statements(call)))}, *call.written)
        return document_of(config, f"{call.address}.assume_role_policy")

    def output(self, name: str) -> TemplateValue | None:
        """Return an output, None for one that only the module itself knows."""
        if what := self.kind.outputs.get(name):
            return self._of_cluster(name, what)
        return next((TemplateValue(hole(f"{role.address}.arn")) for role in self.roles() if name in role.outputs), None)

    @property
    def issuer(self) -> Text | None:
        """The issuer of the cluster that it makes, None where it makes none."""
        makes_cluster = self.kind.provider and not self.kind.url[0] and self.call.is_on("create", otherwise=True)
        issuer = joined((Hole(f"${{issuer of {self.call.cluster}}}"),)) if makes_cluster else ""
        return issuer if isinstance(issuer, Text) else None

    @property
    def provided(self) -> str | Text:
        """The issuer of the provider that it makes without a cluster, "" where it makes none."""
        name, default = self.kind.url
        if not name or not self.call.is_on("create", otherwise=True):
            return ""
        written = self.call.inputs.get(name)
        return without_scheme((scalar_text(written.value) if written else default) or hole(f"{self.call.address}.{name}"))

    @property
    def provider(self) -> str:
        """The address of the OIDC provider that it makes, "" where it makes none."""
        switches = self.kind.provider_switches.items()
        is_made = bool(self.issuer or self.provided) and all(
            self.call.is_on(name, otherwise=default) for name, default in switches
        )
        return f"{self.call.address}.{self.kind.provider}" if is_made else ""

    def _of_cluster(self, name: str, what: str) -> TemplateValue | None:
        issuer = self.provided or Hole(f"${{issuer of {self.call.cluster}}}")
        if what == "arn":
            return TemplateValue(template_provider_arn(f"{self.call.address}.{name}", joined(("https://", issuer))))
        if what == "name":
            return self.call.inputs.get("name") or self.call.inputs.get("cluster_name")
        return TemplateValue(joined((issuer,) if what == "host" else ("https://", issuer)))


def known_module(
    source: str, address: str, inputs: ModuleInputs, constraint: str = "", written: tuple[Anchor | None, str] = (None, "")
) -> KnownModule | None:
    """Return the module of a source, None for any other; `constraint` is that of its version."""
    parts = module_source(source)
    kind = _MODULES.get((parts.owner, parts.name, parts.submodule)) if parts else None
    if parts is None or kind is None:
        return None
    version = _version(parts, constraint, inputs)
    return KnownModule(ModuleCall(address=address, inputs=inputs, version=version, written=written), kind)


def _version(parts: ModuleSource, constraint: str, inputs: ModuleInputs) -> int:
    """The major version, by the inputs where nothing else says it: Karpenter's role for service accounts has come and gone."""
    version = parts.version or major_version(constraint)
    if version != NEWEST or parts.submodule != "karpenter":
        return version
    if "enable_irsa" in inputs or "enable_pod_identity" in inputs:
        return 20
    return 19 if "irsa_oidc_provider_arn" in inputs else NEWEST


def makes_no_role(source: str) -> bool:
    """Return whether it is a module for users, groups or policies, which has nothing to do with roles."""
    parts = module_source(source)
    is_iam = parts is not None and (parts.owner, parts.name) == ("terraform-aws-modules", "iam")
    return bool(parts and is_iam and parts.submodule and "role" not in parts.submodule)


def _of_karpenter(call: ModuleCall) -> Iterator[ModuleRole]:
    """Before version 20 it is called otherwise."""
    if call.version < 20:
        yield ModuleRole(
            needs="irsa_oidc_provider_arn",
            resource="aws_iam_role.irsa[0]",
            statements=trust.of_karpenter,
            switches={"create": True, "create_irsa": True},
            names=("irsa_name",),
            prefix="irsa_use_name_prefix",
            outputs=("irsa_arn",),
        )
        return
    yield ModuleRole(
        needs="irsa_oidc_provider_arn",
        resource="aws_iam_role.controller[0]",
        statements=trust.of_karpenter,
        switches={"create": True, "create_iam_role": True},
        names=("iam_role_name",),
        prefix="iam_role_use_name_prefix",
        outputs=("iam_role_arn",),
    )


_ADDONS: Mapping[str, tuple[str, Sequence[str]]] = {
    "aws_cloudwatch_metrics": ("amazon-cloudwatch", ["aws-cloudwatch-metrics"]),
    "aws_efs_csi_driver": ("kube-system", ["efs-csi-controller-sa", "efs-csi-node-sa"]),
    "aws_for_fluentbit": ("kube-system", ["aws-for-fluent-bit-sa"]),
    "aws_fsx_csi_driver": ("kube-system", ["aws-fsx-csi-controller-sa", "aws-fsx-csi-node-sa"]),
    "aws_load_balancer_controller": ("kube-system", ["aws-load-balancer-controller-sa"]),
    "aws_node_termination_handler": ("aws-node-termination-handler", ["aws-node-termination-handler-sa"]),
    "aws_privateca_issuer": ("cert-manager", ["aws-privateca-issuer-sa"]),
    "cert_manager": ("cert-manager", ["cert-manager"]),
    "cluster_autoscaler": ("kube-system", ["cluster-autoscaler-sa"]),
    "external_dns": ("external-dns", ["external-dns-sa"]),
    "external_secrets": ("external-secrets", ["external-secrets-sa"]),
    "karpenter": ("karpenter", ["karpenter"]),
    "velero": ("velero", ["velero-server"]),
    "aws_gateway_api_controller": ("aws-application-networking-system", ["gateway-api-controller"]),
}
"""Add-on of eks-blueprints-addons -> namespace and service accounts of its role, where its settings name no others
(https://github.com/aws-ia/terraform-aws-eks-blueprints-addons)"""


def _of_addons(call: ModuleCall) -> Iterator[ModuleRole]:
    for addon, (namespace, accounts) in _ADDONS.items():
        if call.is_on(f"enable_{addon}", otherwise=False):
            yield ModuleRole(
                needs="oidc_provider_arn",
                resource=f"module.{addon}.aws_iam_role.this[0]",
                statements=trust.of_blueprint(addon, namespace, accounts),
                outputs=(f"{addon}.iam_role_arn",),
            )


def _role(
    needs: str,
    statements: Callable[[ModuleCall], Iterator[TemplateValue]],
    switches: Mapping[str, bool],
    *names: str,
    prefix: str = "",
) -> KnownKind:
    """A module that makes one role, its only resource of that kind."""
    resource = "aws_iam_role.this[0]"
    role = ModuleRole(needs=needs, resource=resource, statements=statements, switches=switches, names=names, prefix=prefix)
    return KnownKind(roles=(role,))


_AWS_MODULES = "terraform-aws-modules"
_OF_EKS = {"oidc_provider_arn": "arn", "oidc_provider": "host", "cluster_oidc_issuer_url": "url"}
_PROVIDER = KnownKind(
    provider="aws_iam_openid_connect_provider.this[0]",
    url=("url", f"https://{GITHUB}"),
    outputs={"arn": "arn", "url": "host"},
)
_MODULES: Mapping[tuple[str, str, str], KnownKind] = {
    (_AWS_MODULES, "iam", "iam-role-for-service-accounts-eks"): _role(
        "oidc_providers", trust.for_service_accounts, {"create_role": True}, "role_name"
    ),
    (_AWS_MODULES, "iam", "iam-role-for-service-accounts"): _role(
        "oidc_providers", trust.for_service_accounts, {"create": True}, "name", prefix="use_name_prefix"
    ),
    (_AWS_MODULES, "iam", "iam-assumable-role-with-oidc"): _role(
        "provider_url", trust.with_oidc, {"create_role": False}, "role_name"
    ),
    (_AWS_MODULES, "iam", "iam-github-oidc-role"): _role("subjects", of_github, {"create": True}, "name"),
    (_AWS_MODULES, "iam", "iam-github-oidc-provider"): _PROVIDER,
    (_AWS_MODULES, "iam", "iam-oidc-provider"): _PROVIDER,
    (_AWS_MODULES, "iam", "iam-role"): _role(
        "enable_oidc", trust.with_switched_oidc, {"create": True}, "name", prefix="use_name_prefix"
    ),
    (_AWS_MODULES, "iam", "iam-eks-role"): _role(
        "cluster_service_accounts", trust.of_clusters, {"create_role": True}, "role_name"
    ),
    (_AWS_MODULES, "eks", ""): KnownKind(
        provider="aws_iam_openid_connect_provider.oidc_provider[0]",
        provider_switches={"enable_irsa": True},
        outputs={**_OF_EKS, "cluster_name": "name", "cluster_id": "name"},
        addons=("addons", "cluster_addons"),
        access=True,
    ),
    (_AWS_MODULES, "eks", "aws-auth"): KnownKind(access=True),
    (_AWS_MODULES, "eks", "karpenter"): KnownKind(
        roles_of=_of_karpenter,
        associations=ModuleAssociations(
            switch="create_pod_identity_association", namespace="kube-system", service_account="karpenter"
        ),
    ),
    (_AWS_MODULES, "eks-pod-identity", ""): KnownKind(
        roles=(
            ModuleRole(
                needs="create",
                resource="aws_iam_role.this[0]",
                statements=trust.for_pod_identity,
                switches={"create": True},
                names=("name",),
                prefix="use_name_prefix",
            ),
        ),
        associations=ModuleAssociations(entries="associations"),
    ),
    ("aws-ia", "eks-blueprints-addon", ""): _role(
        "oidc_providers",
        trust.of_addon,
        {"create": True, "create_role": False},
        "role_name",
        "name",
        prefix="role_name_use_prefix",
    ),
    ("aws-ia", "eks-blueprints-addons", ""): KnownKind(roles_of=_of_addons),
    ("cloudposse", "eks-iam-role", ""): KnownKind(
        roles=(
            ModuleRole(
                needs="eks_cluster_oidc_issuer_url",
                resource="aws_iam_role.service_account[0]",
                statements=trust.of_cloudposse,
                switches={"enabled": True},
                outputs=("service_account_role_arn",),
            ),
        )
    ),
    ("cloudposse", "helm-release", ""): KnownKind(
        roles=(
            ModuleRole(
                needs="eks_cluster_oidc_issuer_url",
                resource="module.eks_iam_role.aws_iam_role.service_account[0]",
                statements=trust.of_cloudposse_release,
                switches={"enabled": True, "iam_role_enabled": False},
                outputs=("service_account_role_arn",),
            ),
        )
    ),
    ("aws-ia", "eks-blueprints-teams", ""): KnownKind(
        roles=(
            ModuleRole(
                needs="oidc_provider_arn",
                resource="aws_iam_role.this[0]",
                statements=trust.of_team,
                switches={"create_iam_role": True},
                names=("iam_role_name", "name"),
                prefix="iam_role_use_name_prefix",
                outputs=("iam_role_arn",),
            ),
        )
    ),
    ("cloudposse", "eks-cluster", ""): KnownKind(
        provider="aws_iam_openid_connect_provider.default[0]",
        provider_switches={"enabled": True, "oidc_provider_enabled": True},
        outputs={
            "eks_cluster_identity_oidc_issuer": "url",
            "eks_cluster_identity_oidc_issuer_arn": "arn",
        },
    ),
}
"""(owner, name, submodule) -> what the module makes"""
