"""The roles that well-known modules of the Terraform registry make for service accounts, by their inputs.

https://registry.terraform.io/modules/terraform-aws-modules/iam/aws and .../eks/aws; the versions before 6 of the former
call some inputs differently.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.model import Hole, Text, issuer_in, joined, text_of, without_scheme
from irsa_doctor.sources.templates.terraform.policy_document import document_of
from irsa_doctor.sources.templates.values import TemplateValue, hole, known, scalar_text, template_provider_arn

_SOURCE = re.compile(
    r"(?:^|[/:.])terraform-aws-modules/(?:(?P<name>iam|eks)/aws|terraform-aws-(?P<repository>iam|eks)(?:\.git)?)"
    r"(?://(?:modules/(?P<module>[\w-]+))?/?)?(?:\?.*)?$"
)
# what iam-role may trust beside issuers of service accounts
_MORE_TRUST = ("enable_github_oidc", "enable_bitbucket_oidc", "enable_saml", "trust_policy_permissions")
_WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
ModuleInputs = Mapping[str, TemplateValue]


class KnownModule(msgspec.Struct, frozen=True):
    """A module by its source, as it is called: `address` is that of the call."""

    address: str
    inputs: ModuleInputs
    kind: str

    @property
    def role(self) -> str:
        """Address of the role that it makes, "" where it makes none."""
        maker = _MAKERS.get(self.kind)
        create = self.inputs.get(maker.create) if maker else None
        if maker is None or (maker.created if create is None else create.value) in (False, "false"):
            return ""
        return f"{self.address}.aws_iam_role.this[0]"

    def policy(self) -> TemplateValue:
        """The trust policy of the role."""
        statements = tuple(_MAKERS[self.kind].statements(self))
        return document_of(TemplateValue({"statement": TemplateValue(statements)}), f"{self.address}.assume_role_policy")

    def text(self, *names: str) -> str:
        """An input that is text without holes, by any of its names."""
        return next((known(self.inputs[name].value) for name in names if name in self.inputs), "")

    @property
    def role_name(self) -> str:
        """Path and name of the role, "" where they are not known, for some of it is made up when it is applied."""
        maker = _MAKERS[self.kind]
        name, path = self.text(*maker.names), self.text("role_path", "path") or "/"
        prefixed = self.inputs.get("use_name_prefix")
        if not name or (maker.is_prefixed and (prefixed is None or prefixed.value not in (False, "false"))):
            return ""
        return f"{path}{name}".lstrip("/")

    def output(self, name: str) -> TemplateValue | None:
        """An output, None for one that only the module itself knows."""
        if self.kind == "eks":
            return _of_cluster(self, name)
        if self.role and name in ("iam_role_arn", "arn"):
            return TemplateValue(hole(f"{self.role}.arn"))
        return None


def known_module(source: str, address: str, inputs: ModuleInputs) -> KnownModule | None:
    """The module of a source, None for any other."""
    match = _SOURCE.search(source)
    if match is None:
        return None
    kind = match["module"] or (match["name"] or match["repository"])
    is_eks = kind == "eks" and not match["module"]
    return KnownModule(address, inputs, kind) if is_eks or kind in _MAKERS else None


def makes_no_role(source: str) -> bool:
    """Whether it is a module of that collection that has nothing to do with roles: for users, groups, policies."""
    match = _SOURCE.search(source)
    return bool(match and match["module"] and (match["name"] or match["repository"]) == "iam" and "role" not in match["module"])


def _of_cluster(module: KnownModule, name: str) -> TemplateValue | None:
    issuer = Hole(f"${{issuer of {module.text('name', 'cluster_name') or module.address}}}")
    if name == "oidc_provider_arn":
        return TemplateValue(template_provider_arn(f"{module.address}.{name}", joined(("https://", issuer))))
    if name == "oidc_provider":
        return TemplateValue(joined((issuer,)))
    if name == "cluster_oidc_issuer_url":
        return TemplateValue(joined(("https://", issuer)))
    if name in ("cluster_name", "cluster_id"):
        return module.inputs.get("name") or module.inputs.get("cluster_name")
    return None


def _block(members: Mapping[object, TemplateValue], like: TemplateValue) -> TemplateValue:
    """A block that is written, as far as anybody can point at it, where one of its values is."""
    return TemplateValue(members, like.anchor, like.document)


def _condition(test: str | Text, key: str | Text, values: TemplateValue) -> TemplateValue:
    return _block({"test": TemplateValue(test), "variable": TemplateValue(key), "values": values}, values)


def _statement(actions: Sequence[str], principal: TemplateValue, conditions: Sequence[TemplateValue]) -> TemplateValue:
    federated = _block({"type": TemplateValue("Federated"), "identifiers": TemplateValue((principal,))}, principal)
    members: dict[object, TemplateValue] = {
        "actions": TemplateValue(tuple(map(TemplateValue, actions))),
        "principals": TemplateValue((federated,)),
        "condition": TemplateValue(tuple(conditions)),
    }
    return _block(members, principal)


def _listed(written: TemplateValue | None) -> tuple[TemplateValue, ...] | None:
    """The items of an input, none where it is not given, None where they are not known."""
    if written is None or written.value is None:
        return ()
    return written.value if isinstance(written.value, tuple) else None


def _subjects(accounts: TemplateValue, name: str) -> TemplateValue:
    """`namespace:name` of each as the subject of its tokens."""
    items = _listed(accounts)
    if items is None:
        return TemplateValue(hole(f"{name}.sub"), accounts.anchor, accounts.document)
    made = [
        msgspec.structs.replace(item, value=_subject(item, f"{name}.sub[{at}]"), pieces=()) for at, item in enumerate(items)
    ]
    return TemplateValue(tuple(made), accounts.anchor, accounts.document)


def _subject(account: TemplateValue, name: str) -> str | Text:
    text = scalar_text(account.value)
    return hole(name) if text is None else joined(("system:serviceaccount:", text))


def _unknown(module: KnownModule, value: TemplateValue | None, name: str) -> TemplateValue:
    anchor, document = (value.anchor, value.document) if value else (None, "")
    return TemplateValue(hole(f"{module.address}.{name}"), anchor, document)


def _test(module: KnownModule) -> str | Text:
    operator = module.inputs.get("assume_role_condition_test") or module.inputs.get("trust_condition_test")
    return (scalar_text(operator.value) if operator else None) or "StringEquals"


def _for_service_accounts(module: KnownModule) -> Iterator[TemplateValue]:
    """iam-role-for-service-accounts(-eks): providers with the service accounts of each."""
    configured = module.inputs.get("oidc_providers")
    providers = configured.value if configured else {}
    if not isinstance(providers, Mapping):
        yield _unknown(module, configured, "oidc_providers")
        return
    for key, provider in providers.items():
        members = provider.value
        name = f"{module.address}.oidc_providers[{text_of(key)}]"
        arn = members.get("provider_arn") if isinstance(members, Mapping) else None
        if arn is None or not isinstance(members, Mapping) or (text := scalar_text(arn.value)) is None:
            yield _unknown(module, provider, f"oidc_providers[{text_of(key)}]")
            continue
        issuer = issuer_in(text) or text
        accounts = members.get("namespace_service_accounts") or TemplateValue(hole(f"{name}.namespace_service_accounts"))
        audience = TemplateValue((TemplateValue("sts.amazonaws.com"),), arn.anchor, arn.document)
        test = _test(module)
        conditions = [
            _condition(test, joined((issuer, ":sub")), _subjects(accounts, name)),
            _condition(test, joined((issuer, ":aud")), audience),
        ]
        yield _statement([_WEB_IDENTITY], arn, conditions)


def _with_oidc(module: KnownModule) -> Iterator[TemplateValue]:
    """iam-assumable-role-with-oidc, and iam-role with `enable_oidc`: issuers, and subjects for all of them."""
    for name in _MORE_TRUST:
        enabled = module.inputs.get(name)
        if enabled is not None and enabled.value not in (False, "false", None):
            yield _unknown(module, enabled, name)
    urls = _urls(module)
    if urls is None:
        yield _unknown(module, None, "provider_urls")
        return
    account = module.text("aws_account_id", "oidc_account_id")
    for number, url in enumerate(urls):
        text = scalar_text(url.value)
        if text is None:
            yield _unknown(module, url, f"provider_urls[{number}]")
            continue
        issuer = without_scheme(text)
        arn = template_provider_arn(module.address, joined(("https://", issuer)))
        if account:
            owner = Hole(f"${{account of {module.address}}}")
            arn = Text(tuple(account if part == owner else part for part in arn.parts))
        conditions = list(_of_lists(module, issuer))
        extra = module.inputs.get("provider_trust_policy_conditions") or module.inputs.get("trust_policy_conditions")
        more = _listed(extra)
        conditions += [_unknown(module, extra, "trust_policy_conditions")] if more is None else more
        principal = TemplateValue(joined(arn.parts), url.anchor, url.document)
        yield _statement([_WEB_IDENTITY, "sts:TagSession"], principal, conditions)


def _urls(module: KnownModule) -> tuple[TemplateValue, ...] | None:
    if module.kind == "iam-role":
        enabled = module.inputs.get("enable_oidc")
        if enabled is None or enabled.value in (False, "false"):
            return ()
        return _listed(module.inputs.get("oidc_provider_urls"))
    several = _listed(module.inputs.get("provider_urls"))
    single = module.inputs.get("provider_url")
    if several is None:
        return None
    return tuple(url for url in (*several, *((single,) if single else ())) if url.value not in ("", None))


def _of_lists(module: KnownModule, issuer: str | Text) -> Iterator[TemplateValue]:
    """The conditions of lists that are not empty; of one that is not known nobody can tell whether it is there."""
    audience_test = "StringLike" if module.kind == "iam-assumable-role-with-oidc" else "StringEquals"
    for names, test, claim in (
        (("oidc_fully_qualified_subjects", "oidc_subjects"), "StringEquals", ":sub"),
        (("oidc_subjects_with_wildcards", "oidc_wildcard_subjects"), "StringLike", ":sub"),
        (("oidc_fully_qualified_audiences", "oidc_audiences"), audience_test, ":aud"),
    ):
        values = next((module.inputs[name] for name in names if name in module.inputs), None)
        items = _listed(values)
        if values is not None and items is None:
            yield _unknown(module, values, names[0])
        elif values is not None and items:
            yield _condition(test, joined((issuer, claim)), values)


def _of_clusters(module: KnownModule) -> Iterator[TemplateValue]:
    """iam-eks-role: clusters by name with the service accounts of each, and no audience."""
    configured = module.inputs.get("cluster_service_accounts")
    clusters = configured.value if configured else {}
    if not isinstance(clusters, Mapping):
        yield _unknown(module, configured, "cluster_service_accounts")
        return
    for key, accounts in clusters.items():
        name = f"{module.address}.cluster_service_accounts[{text_of(key)}]"
        issuer = joined((Hole(f"${{issuer of {name}}}"),))
        principal = TemplateValue(template_provider_arn(name, joined(("https://", issuer))), accounts.anchor, accounts.document)
        conditions = [_condition(_test(module), joined((issuer, ":sub")), _subjects(accounts, name))]
        yield _statement([_WEB_IDENTITY], principal, conditions)


class _Maker(msgspec.Struct, frozen=True):
    """How a module makes its role: the input that says whether, the inputs that name it, its statements."""

    statements: Callable[[KnownModule], Iterator[TemplateValue]]
    create: str
    names: tuple[str, ...]
    created: bool = True
    is_prefixed: bool = False


_MAKERS: Mapping[str, _Maker] = {
    "iam-role-for-service-accounts-eks": _Maker(_for_service_accounts, "create_role", ("role_name",)),
    "iam-role-for-service-accounts": _Maker(_for_service_accounts, "create", ("name",), is_prefixed=True),
    "iam-assumable-role-with-oidc": _Maker(_with_oidc, "create_role", ("role_name",), created=False),
    "iam-role": _Maker(_with_oidc, "create", ("name",), is_prefixed=True),
    "iam-eks-role": _Maker(_of_clusters, "create_role", ("role_name",)),
}
