"""The trust policies that well-known modules of the Terraform registry write, by their inputs.

https://registry.terraform.io/modules/terraform-aws-modules/iam/aws and .../eks/aws among others; versions before 6 of the
former call some inputs differently. A function gives the statements of one kind of role.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.model import Hole, Text, issuer_in, joined, text_of, without_scheme
from irsa_doctor.sources.templates.terraform.module_calls import NEWEST, ModuleCall
from irsa_doctor.sources.templates.terraform.module_statements import (
    STS_AUDIENCE,
    condition_made,
    input_unknown,
    items_given,
    statement_made,
)
from irsa_doctor.sources.templates.terraform.module_trust_github import of_switched_github
from irsa_doctor.sources.templates.values import TemplateValue, hole, scalar_text, template_provider_arn

# what iam-role may trust beside issuers of service accounts
_MORE_TRUST = ("enable_bitbucket_oidc", "enable_saml")


def _subjects(accounts: TemplateValue, name: str) -> TemplateValue:
    """`namespace:name` of each as the subject of its tokens."""
    items = items_given(accounts)
    if items is None:
        return TemplateValue(hole(f"{name}.sub"), accounts.anchor, accounts.document)
    made = [
        msgspec.structs.replace(item, value=_subject(item, f"{name}.sub[{at}]"), pieces=()) for at, item in enumerate(items)
    ]
    return TemplateValue(tuple(made), accounts.anchor, accounts.document)


def _subject(account: TemplateValue, name: str) -> str | Text:
    text = scalar_text(account.value)
    return hole(name) if text is None else joined(("system:serviceaccount:", text))


def _test(module: ModuleCall) -> str | Text:
    operator = module.inputs.get("assume_role_condition_test") or module.inputs.get("trust_condition_test")
    return (scalar_text(operator.value) if operator else None) or "StringEquals"


def for_service_accounts(module: ModuleCall) -> Iterator[TemplateValue]:
    """iam-role-for-service-accounts(-eks): providers with the service accounts of each."""
    configured = module.inputs.get("oidc_providers")
    providers = configured.value if configured else {}
    if not isinstance(providers, Mapping):
        yield input_unknown(module, configured, "oidc_providers")
        return
    for key, provider in providers.items():
        members = provider.value
        name = f"{module.address}.oidc_providers[{text_of(key)}]"
        arn = members.get("provider_arn") if isinstance(members, Mapping) else None
        if arn is None or not isinstance(members, Mapping) or (text := scalar_text(arn.value)) is None:
            yield input_unknown(module, provider, f"oidc_providers[{text_of(key)}]")
            continue
        issuer = issuer_in(text) or text
        accounts = members.get("namespace_service_accounts") or TemplateValue(hole(f"{name}.namespace_service_accounts"))
        audience = TemplateValue((TemplateValue("sts.amazonaws.com"),), arn.anchor, arn.document)
        test = _test(module)
        conditions = [
            condition_made(test, joined((issuer, ":sub")), _subjects(accounts, name)),
            condition_made(test, joined((issuer, ":aud")), audience),
        ]
        yield statement_made(arn, conditions)


def with_oidc(module: ModuleCall) -> Iterator[TemplateValue]:
    """iam-assumable-role-with-oidc: issuers, and subjects for all of them."""
    return _with_oidc(module, switched=False)


def with_switched_oidc(module: ModuleCall) -> Iterator[TemplateValue]:
    """iam-role, where `enable_oidc` switches on what it has of issuers."""
    return _with_oidc(module, switched=True)


def _with_oidc(module: ModuleCall, *, switched: bool) -> Iterator[TemplateValue]:
    for name in _MORE_TRUST:
        enabled = module.inputs.get(name)
        if enabled is not None and enabled.value not in (False, "false", None):
            yield input_unknown(module, enabled, name)
    if switched:
        yield from of_switched_github(module)
    yield from _of_permissions(module)
    urls = _urls(module, switched=switched)
    if urls is None:
        yield input_unknown(module, None, "provider_urls")
        return
    account = module.text("aws_account_id", "oidc_account_id")
    for number, url in enumerate(urls):
        text = scalar_text(url.value)
        if text is None:
            yield input_unknown(module, url, f"provider_urls[{number}]")
            continue
        issuer = without_scheme(text)
        arn = template_provider_arn(module.address, joined(("https://", issuer)))
        if account:
            owner = Hole(f"${{account of {module.address}}}")
            arn = Text(tuple(account if part == owner else part for part in arn.parts))
        conditions = list(_of_lists(module, issuer, switched=switched))
        extra = module.inputs.get("provider_trust_policy_conditions") or module.inputs.get("trust_policy_conditions")
        more = items_given(extra)
        conditions += [input_unknown(module, extra, "trust_policy_conditions")] if more is None else more
        principal = TemplateValue(joined(arn.parts), url.anchor, url.document)
        yield statement_made(principal, conditions, may_tag=True)


def _of_permissions(module: ModuleCall) -> Iterator[TemplateValue]:
    """The statements that iam-role takes over as they are: name -> the arguments of a statement of a policy document."""
    name = "trust_policy_permissions"
    written = module.inputs.get(name)
    if written is None or written.value is None:
        return
    if not isinstance(written.value, Mapping):
        yield input_unknown(module, written, name)
        return
    for key, statement in written.value.items():
        is_known = isinstance(statement.value, Mapping)
        yield statement if is_known else input_unknown(module, statement, f"{name}[{text_of(key)}]")


def _urls(module: ModuleCall, *, switched: bool) -> tuple[TemplateValue, ...] | None:
    if switched:
        return items_given(module.inputs.get("oidc_provider_urls")) if module.is_on("enable_oidc", otherwise=False) else ()
    several = items_given(module.inputs.get("provider_urls"))
    single = module.inputs.get("provider_url")
    if several is None:
        return None
    return tuple(url for url in (*several, *((single,) if single else ())) if url.value not in ("", None))


def _of_lists(module: ModuleCall, issuer: str | Text, *, switched: bool) -> Iterator[TemplateValue]:
    """The conditions of lists that are not empty; of one that is not known nobody can tell whether it is there."""
    audience_test = "StringEquals" if switched else "StringLike"
    for names, test, claim in (
        (("oidc_fully_qualified_subjects", "oidc_subjects"), "StringEquals", ":sub"),
        (("oidc_subjects_with_wildcards", "oidc_wildcard_subjects"), "StringLike", ":sub"),
        (("oidc_fully_qualified_audiences", "oidc_audiences"), audience_test, ":aud"),
    ):
        values = next((module.inputs[name] for name in names if name in module.inputs), None)
        items = items_given(values)
        if values is not None and items is None:
            yield input_unknown(module, values, names[0])
        elif values is not None and items:
            yield condition_made(test, joined((issuer, claim)), values)


def of_clusters(module: ModuleCall) -> Iterator[TemplateValue]:
    """iam-eks-role: clusters by name with the service accounts of each, and no audience."""
    configured = module.inputs.get("cluster_service_accounts")
    clusters = configured.value if configured else {}
    if not isinstance(clusters, Mapping):
        yield input_unknown(module, configured, "cluster_service_accounts")
        return
    for key, accounts in clusters.items():
        name = f"{module.address}.cluster_service_accounts[{text_of(key)}]"
        issuer = joined((Hole(f"${{issuer of {name}}}"),))
        principal = TemplateValue(template_provider_arn(name, joined(("https://", issuer))), accounts.anchor, accounts.document)
        conditions = [condition_made(_test(module), joined((issuer, ":sub")), _subjects(accounts, name))]
        yield statement_made(principal, conditions)


def _of_provider(
    module: ModuleCall, provider: TemplateValue | None, accounts: TemplateValue, name: str
) -> Iterator[TemplateValue]:
    """The statement for one provider, by its ARN, with subject and audience."""
    text = scalar_text(provider.value) if provider else None
    if provider is None or not text:
        yield input_unknown(module, provider, name)
        return
    issuer = issuer_in(text) or text
    audience = TemplateValue(STS_AUDIENCE.value, provider.anchor, provider.document)
    conditions = [
        condition_made(_test(module), joined((issuer, ":sub")), _subjects(accounts, f"{module.address}.{name}")),
        condition_made(_test(module), joined((issuer, ":aud")), audience),
    ]
    yield statement_made(provider, conditions)


def _service(module: ModuleCall) -> TemplateValue:
    """The statement that lets EKS Pod Identity in."""
    identifiers = TemplateValue((TemplateValue("pods.eks.amazonaws.com"),), *module.written)
    return _allowing(module, "Service", identifiers, ["sts:AssumeRole", "sts:TagSession"])


def _allowing(module: ModuleCall, kind: str, identifiers: TemplateValue, actions: Sequence[str]) -> TemplateValue:
    """A statement without conditions that lets principals in that are no providers."""
    principals = TemplateValue({"type": TemplateValue(kind), "identifiers": identifiers}, *module.written)
    allowed = TemplateValue(tuple(map(TemplateValue, actions)))
    return TemplateValue({"actions": allowed, "principals": TemplateValue((principals,))}, *module.written)


def of_karpenter(module: ModuleCall) -> Iterator[TemplateValue]:
    """eks//modules/karpenter: before version 20 a role for a service account, since then one for Pod Identity, and in version
    20 for either."""
    if module.version >= 20 and module.is_on("enable_pod_identity", otherwise=True):
        yield _service(module)
    if module.version < 20 or (module.version == 20 and module.is_on("enable_irsa", otherwise=False)):
        accounts = module.inputs.get("irsa_namespace_service_accounts") or TemplateValue(
            (TemplateValue("karpenter:karpenter"),), *module.written
        )
        yield from _of_provider(module, module.inputs.get("irsa_oidc_provider_arn"), accounts, "irsa_oidc_provider_arn")
    yield from _merged_documents(module, "iam_role_source_assume_policy_documents", "iam_role_override_assume_policy_documents")


def for_pod_identity(module: ModuleCall) -> Iterator[TemplateValue]:
    """eks-pod-identity."""
    yield _service(module)
    yield from _merged_documents(module, "trust_policy_statements")


def _merged_documents(module: ModuleCall, *names: str) -> Iterator[TemplateValue]:
    """What the caller adds to the policy in forms that are not read here."""
    for name in names:
        written = module.inputs.get(name)
        if written is not None and written.value not in (None, (), {}):
            yield input_unknown(module, written, name)


def of_addon(module: ModuleCall) -> Iterator[TemplateValue]:
    """eks-blueprints-addon: providers, each with a namespace and a service account."""
    if module.is_on("allow_self_assume_role", otherwise=False):
        yield input_unknown(module, module.inputs.get("allow_self_assume_role"), "allow_self_assume_role")
    configured = module.inputs.get("oidc_providers")
    providers = configured.value if configured else {}
    if not isinstance(providers, Mapping):
        yield input_unknown(module, configured, "oidc_providers")
        return
    default = module.inputs.get("namespace")
    for key, provider in providers.items():
        members = provider.value if isinstance(provider.value, Mapping) else {}
        accounts = _account(members.get("namespace") or default, members.get("service_account"), module, text_of(key))
        yield from _of_provider(module, members.get("provider_arn"), accounts, f"oidc_providers[{text_of(key)}]")


def of_blueprint(addon: str, namespace: str, accounts: Sequence[str]) -> Callable[[ModuleCall], Iterator[TemplateValue]]:
    """Return the function that gives the statements of one add-on of eks-blueprints-addons."""

    def statements(module: ModuleCall) -> Iterator[TemplateValue]:
        settings = module.inputs.get(addon)
        members = settings.value if settings and isinstance(settings.value, Mapping) else {}
        own = members.get("service_account_name") if len(accounts) == 1 else None
        for account in accounts:
            place = (own.anchor, own.document) if own else module.written
            named = own or TemplateValue(account, *place)
            listed = _account(members.get("namespace") or TemplateValue(namespace), named, module, addon)
            yield from _of_provider(module, module.inputs.get("oidc_provider_arn"), listed, "oidc_provider_arn")

    return statements


def _account(namespace: TemplateValue | None, account: TemplateValue | None, module: ModuleCall, name: str) -> TemplateValue:
    """`namespace:name` as a list of one."""
    parts = [
        scalar_text(written.value) if written is not None and written.value is not None else missing
        for written, missing in ((namespace, "default"), (account, hole(f"{module.address}.{name}.service_account")))
    ]
    place = (account.anchor, account.document) if account else module.written
    text = joined((parts[0] or hole(f"{module.address}.{name}.namespace"), ":", parts[1] or hole(f"{name}.service_account")))
    return TemplateValue((TemplateValue(text, *place),), *place)


def of_cloudposse(module: ModuleCall) -> Iterator[TemplateValue]:
    """cloudposse/eks-iam-role: subjects with wildcards; an audience since version 2."""
    url = module.inputs.get("eks_cluster_oidc_issuer_url")
    text = scalar_text(url.value) if url else None
    if url is None or not text:
        yield input_unknown(module, url, "eks_cluster_oidc_issuer_url")
        return
    issuer = without_scheme(text)
    principal = TemplateValue(_provider_in_account(module, issuer, "aws_account_number"), url.anchor, url.document)
    accounts = _accounts_of_cloudposse(module)
    conditions = [condition_made("StringLike", joined((issuer, ":sub")), _subjects(accounts, module.address))]
    if module.version >= 2:
        conditions.append(
            condition_made(
                "StringEquals", joined((issuer, ":aud")), TemplateValue(STS_AUDIENCE.value, url.anchor, url.document)
            )
        )
    yield statement_made(principal, conditions)


def of_cloudposse_release(module: ModuleCall) -> Iterator[TemplateValue]:
    """cloudposse/helm-release: the role of the newest cloudposse/eks-iam-role."""
    return of_cloudposse(msgspec.structs.replace(module, version=NEWEST))


def of_team(module: ModuleCall) -> Iterator[TemplateValue]:
    """eks-blueprints-teams: users, and a service account in each namespace, called as the namespace where it has no name of its
    own; none of these for administrators."""
    users = module.inputs.get("users")
    if users is None or users.value is None:
        users = TemplateValue(hole(f"{module.address}.users"), *module.written)
    yield _allowing(module, "AWS", users, ["sts:AssumeRole"])
    if module.is_on("enable_admin", otherwise=False):
        return
    configured = module.inputs.get("namespaces")
    namespaces = configured.value if configured else {}
    if not isinstance(namespaces, Mapping):
        yield input_unknown(module, configured, "namespaces")
        return
    accounts = [_of_namespace(key, settings, module) for key, settings in namespaces.items()]
    listed = TemplateValue(tuple(accounts), *((configured.anchor, configured.document) if configured else module.written))
    yield from _of_provider(module, module.inputs.get("oidc_provider_arn"), listed, "oidc_provider_arn")


def _of_namespace(key: str | Text, settings: TemplateValue, module: ModuleCall) -> TemplateValue:
    """`namespace:name` of the service account of one namespace of a team."""
    members = settings.value if isinstance(settings.value, Mapping) else {}
    namespace = members.get("name") or TemplateValue(key, settings.anchor, settings.document)
    account = members.get("service_account")
    own = account.value.get("name") if account and isinstance(account.value, Mapping) else None
    pair = _account(namespace, own or namespace, module, f"namespaces[{text_of(key)}]")
    single: TemplateValue = pair.value[0] if isinstance(pair.value, tuple) else pair
    return single


def _provider_in_account(module: ModuleCall, issuer: str | Text, *names: str) -> str | Text:
    arn = template_provider_arn(module.address, joined(("https://", issuer)))
    account, owner = module.text(*names), Hole(f"${{account of {module.address}}}")
    return joined(account if account and part == owner else part for part in arn.parts)


def _accounts_of_cloudposse(module: ModuleCall) -> TemplateValue:
    listed = module.inputs.get("service_account_namespace_name_list")
    items = items_given(listed)
    if items is None:
        return listed or TemplateValue(None)
    namespace, name = (module.inputs.get(word) for word in ("service_account_namespace", "service_account_name"))
    if items and not (namespace or name):
        return listed or TemplateValue(items)
    star = TemplateValue("*", *module.written)
    parts = [star if word is None or word.value in (None, "") else word for word in (namespace, name)]
    single = _account(parts[0], parts[1], module, "service_account")
    own = single.value if isinstance(single.value, tuple) else ()
    return TemplateValue((*own, *items), single.anchor, single.document)
