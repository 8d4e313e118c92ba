"""The attributes of a Terraform resource or data source: its arguments, and what AWS computes from them.

A computed attribute is one row of `_COMPUTED`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from irsa_doctor.model import Hole, Text, issuer_in, joined, text_of, without_scheme
from irsa_doctor.sources.templates.choices import chosen
from irsa_doctor.sources.templates.terraform.expressions import expression_value
from irsa_doctor.sources.templates.terraform.functions import OpenMembers
from irsa_doctor.sources.templates.terraform.input_files import NamedText, rendered_template
from irsa_doctor.sources.templates.terraform.policy_document import blocks_of, document_of, members_of
from irsa_doctor.sources.templates.terraform.scopes import EvaluationScope, step_text
from irsa_doctor.sources.templates.terraform.syntax import Argument, Block, Body
from irsa_doctor.sources.templates.values import TemplateValue, hole, scalar_text, template_provider_arn

_META = ("count", "for_each", "depends_on", "provider", "lifecycle")
"""arguments that a data source has for Terraform itself"""


class AttributesModule(Protocol):
    """What attributes ask of the module that they are of."""

    used: set[str]
    """addresses of the policy documents whose JSON was evaluated"""

    def once(self, key: tuple[str, ...], work: Callable[[], TemplateValue | None]) -> TemplateValue | None:
        """The value of `work`, evaluated once; None where it refers to itself."""

    def argument(self, argument: Argument, scope: EvaluationScope) -> TemplateValue:
        """The value of an argument."""

    def config(self, body: Body, scope: EvaluationScope, node: Any) -> TemplateValue:
        """Arguments and blocks as one object."""


class LazyMembers(Mapping[Any, TemplateValue]):
    """Members that are worked out when they are asked for; as a text, what the whole is called."""

    address = "?"

    def __str__(self) -> str:
        return self.address

    def _names(self) -> Iterable[str]:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(list(self._names()))


class AnyKey(LazyMembers, OpenMembers):
    """The instances of a block whose number is not known: there is one for every key."""

    def __init__(self, made: Callable[[str, EvaluationScope], TemplateValue], scope: EvaluationScope) -> None:
        self.made = made
        self.scope = scope

    def _names(self) -> Iterable[str]:
        return ()

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: object) -> TemplateValue:
        word = TemplateValue(key)
        each = TemplateValue({"key": word, "value": TemplateValue(hole(f"each.value of {step_text(word)}"))})
        return self.made(step_text(word), self.scope.with_names({"each": each}, f" {step_text(word)}"))


class Attributes(LazyMembers):
    """The attributes of a resource or data source: its arguments, and what AWS makes of them."""

    def __init__(
        self, module: AttributesModule, mode: str, kind: str, address: str, block: Block | None, scope: EvaluationScope
    ) -> None:
        self.module = module
        self.mode = mode
        self.kind = kind
        self.address = address
        self.block = block
        self.scope = scope

    def _names(self) -> Iterable[str]:
        return self.block.body.arguments if self.block else ()

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: object) -> TemplateValue:
        word = text_of(name) if isinstance(name, str | Text) else "?"
        value = self.module.once(("attribute", self.address, word), lambda: self._attribute(word))
        return value or TemplateValue(hole(f"{self.address}.{word}"))

    def _attribute(self, name: str) -> TemplateValue:
        computed = _COMPUTED.get((self.kind, name))
        value = computed(self) if computed else self.argument(name) or self.blocks(name)
        return value or TemplateValue(hole(f"{self.address}.{name}"))

    def argument(self, name: str) -> TemplateValue | None:
        """An argument as it is written, None where it is not there."""
        argument = self.block.body.arguments.get(name) if self.block else None
        return self.module.argument(argument, self.scope) if argument else None

    def blocks(self, kind: str) -> TemplateValue | None:
        """The blocks of a kind as a list, None where there are none."""
        if self.block is None or not any(kind in (block.kind, *block.labels) for block in self.block.body.blocks):
            return None
        config = self.module.config(self.block.body, self.scope, self.block.node)
        return members_of(config).get(kind)

    def text(self, name: str) -> str | Text | None:
        """An argument that is a text."""
        argument = self.argument(name)
        return scalar_text(argument.value) if argument else None


def _issuer(provider: Attributes) -> str | Text:
    """Of an OIDC provider: from its URL, or from the ARN by which a data source names it."""
    url = provider.text("url")
    if url is not None:
        return without_scheme(url)
    arn = provider.text("arn") if provider.mode == "data" else None
    return (issuer_in(arn) if arn is not None else "") or joined((Hole(f"${{issuer of {provider.address}}}"),))


def _cluster(cluster: Attributes) -> str:
    """What the issuer of a cluster is called by: the name of the cluster, else the address. The name alone does not tell
    clusters apart that another provider makes, in another region say."""
    name = cluster.text("name")
    arguments = cluster.block.body.arguments if cluster.block else {}
    return name if isinstance(name, str) and name and not {"provider", "region"} & arguments.keys() else cluster.address


def _provider_arn(provider: Attributes) -> TemplateValue | None:
    arn = provider.argument("arn") if provider.mode == "data" else None
    return arn or TemplateValue(template_provider_arn(f"{provider.address}.arn", joined(("https://", _issuer(provider)))))


def _provider_url(provider: Attributes) -> TemplateValue | None:
    """As the provider for AWS reads it back, without the scheme."""
    return TemplateValue(_issuer(provider))


def _identity(cluster: Attributes) -> TemplateValue | None:
    issuer = TemplateValue(joined(("https://", Hole(f"${{issuer of {_cluster(cluster)}}}"))))
    oidc = TemplateValue((TemplateValue({"issuer": issuer}),))
    return TemplateValue((TemplateValue({"oidc": oidc}),))


def _issuer_url(cluster: Attributes) -> TemplateValue | None:
    return TemplateValue(joined(("https://", Hole(f"${{issuer of {_cluster(cluster)}}}"))))


def _cluster_name(resource: Attributes) -> TemplateValue | None:
    return resource.argument("name")


def _metadata_name(resource: Attributes) -> TemplateValue | None:
    metadata = resource.argument("metadata") or resource.blocks("metadata")
    return members_of(next(iter(blocks_of(metadata)), None)).get("name")


def _policy(document: Attributes) -> TemplateValue | None:
    if document.block is None:
        return None
    document.module.used.add(document.address)
    config = document.module.config(document.block.body, document.scope, document.block.node)
    members = {name: item for name, item in members_of(config).items() if name not in _META}
    arguments = msgspec.structs.replace(config, value=members)
    called = TemplateValue(hole(f"{document.address}.json"), config.anchor, config.document)
    made = chosen(lambda settled: document_of(settled, document.address), (arguments,), called=called, nested=True)
    return msgspec.structs.replace(called, made=made)


def _google_policy(document: Attributes) -> TemplateValue | None:
    """The policy that `data.google_iam_policy` makes of its bindings
    (https://registry.terraform.io/providers/hashicorp/google/latest/docs/data-sources/iam_policy)."""
    if document.block is None:
        return None
    config = document.module.config(document.block.body, document.scope, document.block.node)
    bindings = TemplateValue(tuple(blocks_of(members_of(config).get("binding"))), config.anchor, config.document)
    made = TemplateValue({"bindings": bindings}, config.anchor, config.document)
    return TemplateValue(hole(f"{document.address}.policy_data"), config.anchor, config.document, (), made)


def _rendered(template: Attributes) -> TemplateValue | None:
    """The text that `data.template_file` makes, as `templatefile` does of the same template
    (https://registry.terraform.io/providers/hashicorp/template/latest/docs/data-sources/file)."""
    written, variables = template.argument("template"), template.argument("vars") or template.blocks("vars")
    if written is None or template.block is None or not isinstance(written.value, str):
        return None
    names = {str(name): value for block in blocks_of(variables) for name, value in members_of(block).items()}
    # of a file the places are those in it; of a text in the configuration only the whole has one
    path = written.document if written.document != template.block.syntax.document else ""
    text = NamedText(path, written.value.encode(errors="replace"))
    return rendered_template(expression_value, template.scope.budget, text, names)


def _arn_of(kind: str) -> Callable[[Attributes], TemplateValue | None]:
    """The ARN of what is no role: whatever its name and account are, its kind is known."""

    def arn(resource: Attributes) -> TemplateValue | None:
        written = resource.argument("arn") if resource.mode == "data" else None
        partition, account, name = (Hole(f"${{{what} of {resource.address}}}") for what in ("partition", "account", "name"))
        return written or TemplateValue(joined(("arn:", partition, ":iam::", account, f":{kind}/", name)))

    return arn


def _pool_name(pool: Attributes) -> TemplateValue | None:
    """The full name of a workload identity pool, in which Google Cloud writes the number of the project
    (https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/iam_workload_identity_pool)."""
    project = Hole(f"${{project number of {pool.address}}}")
    ident = pool.text("workload_identity_pool_id") or Hole(f"${{{pool.address}.workload_identity_pool_id}}")
    return TemplateValue(joined(("projects/", project, "/locations/global/workloadIdentityPools/", ident)))


def _account_member(account: Attributes) -> TemplateValue | None:
    return TemplateValue(joined(("serviceAccount:", Hole(f"${{{account.address}.email}}"))))


_COMPUTED: Mapping[tuple[str, str], Callable[[Attributes], TemplateValue | None]] = {
    ("aws_iam_openid_connect_provider", "arn"): _provider_arn,
    ("aws_iam_openid_connect_provider", "id"): _provider_arn,
    ("aws_iam_openid_connect_provider", "url"): _provider_url,
    ("aws_iam_policy", "arn"): _arn_of("policy"),
    ("aws_iam_policy", "id"): _arn_of("policy"),
    ("aws_iam_user", "arn"): _arn_of("user"),
    ("aws_iam_group", "arn"): _arn_of("group"),
    ("aws_iam_instance_profile", "arn"): _arn_of("instance-profile"),
    ("aws_eks_cluster", "identity"): _identity,
    ("aws_eks_cluster", "id"): _cluster_name,
    ("aws_iam_role", "id"): _cluster_name,
    ("kubernetes_namespace", "id"): _metadata_name,
    ("kubernetes_namespace_v1", "id"): _metadata_name,
    ("aws_iam_policy_document", "json"): _policy,
    ("template_file", "rendered"): _rendered,
    ("aws_iam_policy_document", "minified_json"): _policy,
    ("google_iam_workload_identity_pool", "name"): _pool_name,
    ("google_service_account", "member"): _account_member,
    ("google_iam_policy", "policy_data"): _google_policy,
    ("awscc_iam_oidc_provider", "arn"): _provider_arn,
    ("awscc_iam_oidc_provider", "id"): _provider_arn,
    ("awscc_eks_cluster", "open_id_connect_issuer_url"): _issuer_url,
}
