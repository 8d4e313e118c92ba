"""Facts of service accounts: what one shows by itself, and whether some role expects it to name it."""

from collections.abc import Sequence
from functools import partial

import msgspec

from irsa_doctor.facts.lookups.associations import (
    NO_ISSUER,
    association_seen,
    is_association_misnamed,
    is_policy_refused,
    is_repeated,
    is_role_elsewhere,
    near_association,
    overridden,
)
from irsa_doctor.facts.lookups.mapped_accounts import is_mapped
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.roles.role import AnalysedRole
from irsa_doctor.facts.service_accounts.annotations import (
    Annotation,
    annotation_form,
    has_left_word,
    holds_variable,
    is_near_key,
)
from irsa_doctor.facts.service_accounts.records import AnnotatedAudience, ServiceAccountFacts
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.facts.workloads.containers import pair_of
from irsa_doctor.facts.workloads.records import PLACEHOLDERS
from irsa_doctor.facts.workloads.webhook import (
    EXPIRATION,
    ROLE_VARIABLE,
    SKIP_CONTAINERS,
    VOLUME,
    is_ignored_expiration,
    lasts_a_day,
)
from irsa_doctor.model import (
    Arn,
    Issuer,
    Place,
    PodIdentityAssociation,
    ServiceAccount,
    Text,
    Unknown,
    Workload,
    arn_of_provider,
    is_role_arn,
    parse_arn,
    text_of,
)
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN
from irsa_doctor.trust.identity import allows_everything

_FILLED_IN = Unknown("role ARNs that a template fills in")
_BOOL = frozenset(["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"])
REGIONAL = "eks.amazonaws.com/sts-regional-endpoints"

_RECORDED_SUBJECT = 300
"""characters of the longest subject that STS was recorded to accept
(radkawar/stackd, commit 9dc356f5, internal/services/sts/testdata/oidc/aws.json)"""


def _annotation(view: View, account: ServiceAccount, form: Annotation) -> Annotation | Unknown:
    """As it will be: Terraform and the like put in what they make. With an association an account needs no annotation."""
    if form == "empty" and (account.cluster, account.namespace, account.name) in view.inventory.association_by_key:
        return "none"
    if not account.template or form == "policy-arn" or not isinstance(account.annotations.get(ROLE_ARN), Text):
        return form
    return "ok" if view.cases_of_template(account) else _FILLED_IN


def service_account_facts(view: View, account: ServiceAccount) -> Judged:
    """The facts of one service account."""
    ident = f"{view.label_of(account.cluster)}/{account.namespace}/{account.name}"
    evidence = partial(_evidence_with_roles, view, account)
    return Judged("service-account", ident, ident, _facts(view, account), evidence)


def _trusting(view: View, account: ServiceAccount) -> Sequence[AnalysedRole]:
    """The roles that admit a service account by name."""
    return view.trusted_by_name.get((view.issuer_of(account.cluster), account.subject), ())


def _evidence_with_roles(view: View, account: ServiceAccount) -> Evidence:
    return _account_evidence(view, account, _trusting(view, account))


def _facts(view: View, account: ServiceAccount) -> ServiceAccountFacts:
    """The facts; ordinary service accounts of a cluster have one record of them."""
    value = account.annotations.get(ROLE_ARN)
    is_administrator = lasts_a_day(account.annotations.get(EXPIRATION)) and _is_administrator(view, value)
    if not _is_ordinary(view, account):
        return _facts_in_full(view, account, administrator_for_a_day=is_administrator)
    partition = text_of(value or "").split(":", 2)[1]
    shared = (account.cluster, partition, is_administrator)
    facts = view.facts_of_ordinary.get(shared)
    if facts is None:
        facts = _facts_in_full(view, account, administrator_for_a_day=is_administrator)
        view.facts_of_ordinary[shared] = facts
    return facts


def _is_wanted(view: View, account: ServiceAccount) -> bool | Unknown:
    """Whether a role admits a service account by name that names none, nor gets one in another way."""
    key = (account.cluster, account.namespace, account.name)
    if account.annotations.get(ROLE_ARN) or key in view.inventory.association_by_key or key in view.annotated_workloads:
        return False
    if any(map(own_roles, view.inventory.workloads_by_service_account.get(key, ()))):
        return False
    if (mapped := is_mapped(account, view)) is True:
        return False
    if _trusting(view, account):
        return mapped if isinstance(mapped, Unknown) else True
    unseen = _unseen_roles(view, account) if _is_joined(view, account) else None
    return False if unseen is None else unseen


def _is_joined(view: View, account: ServiceAccount) -> bool:
    """Whether the input has anything of AWS that may be about a service account: its cluster, or roles of any."""
    inventory = view.inventory
    return bool(account.cluster in inventory.cluster_by_id or inventory.roles or inventory.gaps or inventory.closed.roles)


def _unseen_roles(view: View, account: ServiceAccount) -> Unknown | None:
    """Why a role that admits a service account may not be in the input."""
    inventory = view.inventory
    cluster = inventory.cluster_by_id.get(account.cluster)
    if not view.issuer_of(account.cluster):
        refused = inventory.refused("cluster", account.cluster)
        return NO_ISSUER if refused is None else refused
    owner = cluster.account if cluster else ""
    if not (owner or inventory.closed.roles):
        return Unknown(f"roles that trust {view.name_of(account.cluster)}")
    return view.unseen_roles(owner, view.issuer_of(account.cluster))


def own_roles(workload: Workload) -> frozenset[str]:
    """The roles that a manifest sets itself, each with a token file; in a running pod the webhook may have set them."""
    if workload.admitted and VOLUME in workload.volumes:
        return frozenset()
    return frozenset(text_of(c.env.get(ROLE_VARIABLE) or "") for c in workload.containers if pair_of(c) == "both")


def _is_ordinary(view: View, account: ServiceAccount) -> bool:
    """Whether a service account has the right annotation with the role ARN, none beside it, and no association: its facts then
    depend on its cluster, on the partition of the role and on whether its role may do everything, and on nothing else. Where
    sources were asked for associations one by one, or refused them, its name would count too."""
    if len(account.annotations) != 1 or account.template or annotation_form(account) != "ok":
        return False
    inventory = view.inventory
    if inventory.gaps or inventory.closed.asked or len(account.subject) > _RECORDED_SUBJECT:
        return False
    return (account.cluster, account.namespace, account.name) not in inventory.association_by_key


def _facts_in_full(view: View, account: ServiceAccount, *, administrator_for_a_day: bool) -> ServiceAccountFacts:
    form, value = annotation_form(account), account.annotations.get(ROLE_ARN)
    issuer = view.issuer_of(account.cluster)
    arn = parse_arn(value) if isinstance(value, str) and form == "ok" else None
    partition = Issuer.of(issuer).partition if issuer else ""
    regional = account.annotations.get(REGIONAL)
    association = view.inventory.association_by_key.get((account.cluster, account.namespace, account.name))
    wanted = _is_wanted(view, account)
    return ServiceAccountFacts(
        annotation=_annotation(view, account, form),
        annotation_variable=holds_variable(account),
        joined=_is_joined(view, account),
        wanted=wanted,
        awaited=wanted is True,
        partition_differs=bool(arn and partition and arn.partition != partition),
        regional_endpoints_ignored=isinstance(regional, str) and regional not in _BOOL,
        skip_containers=SKIP_CONTAINERS in account.annotations,
        expiration_ignored=is_ignored_expiration(account.annotations.get(EXPIRATION)),
        subject_too_long=len(account.subject) > _RECORDED_SUBJECT and value is not None,
        audience=annotated_audience(view, account, issuer, arn),
        overridden=overridden(account, view),
        pod_identity=association_seen(account, view),
        association_misnamed=value is None and is_association_misnamed(account, view),
        association_policy_refused=is_policy_refused(association),
        association_repeated=is_repeated(association),
        association_role_elsewhere=is_role_elsewhere(association),
        administrator_for_a_day=administrator_for_a_day,
    )


def _is_administrator(view: View, named: str | Text | None) -> bool:
    """Whether the role that an annotation names may do everything, as far as its policies are in the input."""
    role = view.inventory.role_by_arn.get(named) if isinstance(named, str) else None
    known = role.permissions if role else None
    if known is None or known.boundary:
        return False
    if any(arn.endswith(_ADMINISTRATOR) for arn in known.unread):
        return True
    return known.starred() and any(map(allows_everything, known.policies))


_ADMINISTRATOR = ":iam::aws:policy/AdministratorAccess"
_CERTAIN: frozenset[Annotation] = frozenset(["key-typo", "policy-arn", "malformed"])
"""What is wrong with an annotation whatever is rendered around it"""


def account_template_facts(view: View, account: ServiceAccount) -> Judged:
    """The facts of a service account that is rendered later: what is wrong with its annotations, and nothing else."""
    form = annotation_form(account)
    facts = ServiceAccountFacts(
        annotation=form if form in _CERTAIN or (form == "template" and has_left_word(account)) else "ok",
        annotation_variable=False,
        joined=False,
        wanted=False,
        awaited=False,
        partition_differs=False,
        regional_endpoints_ignored=False,
        skip_containers=False,
        expiration_ignored=False,
        subject_too_long=False,
        audience="default",
        overridden="no",
        pod_identity="none",
        association_misnamed=False,
        association_policy_refused=False,
        association_repeated=False,
        association_role_elsewhere=False,
        administrator_for_a_day=False,
    )
    ident = f"{account.place.document}: {account.name}"
    return Judged("service-account", ident, ident, facts, lambda: _template_evidence(view, account))


def _template_evidence(view: View, account: ServiceAccount) -> Evidence:
    """The evidence of a service account that has no namespace of its own to be called by."""
    evidence = _account_evidence(view, account, ())
    return msgspec.structs.replace(evidence, names={**evidence.names, "account": account.name, "carrier": account.name})


def annotated_audience(view: View, account: ServiceAccount, issuer: str, role: Arn | None) -> AnnotatedAudience | Unknown:
    """Whether STS accepts tokens with the audience that a service account requests."""
    audience = account.annotations.get(AUDIENCE_ANNOTATION)
    if audience is None or role is None:
        return "default"
    if isinstance(audience, Text):
        return PLACEHOLDERS
    if not issuer:
        return NO_ISSUER
    if audience in view.default_audiences(issuer):
        return "default"
    arn = arn_of_provider(role.partition, role.account, issuer)
    provider = view.inventory.provider_by_arn.get(arn)
    if provider is None:
        if role.account in view.inventory.closed.providers:
            return "explained"
        return view.principals.unlisted(role.account)
    if isinstance(provider.client_ids, Unknown):
        return provider.client_ids
    return "accepted" if audience in provider.client_ids else "refused"


def _account_evidence(view: View, account: ServiceAccount, trusting: Sequence[AnalysedRole]) -> Evidence:
    near = [key for key in account.annotations if is_near_key(key)]
    meant = next((v for k in near if isinstance(v := account.annotations[k], str) and is_role_arn(v)), "")
    role = meant or (trusting[0].role.arn if trusting else "")
    value = text_of(account.annotations.get(ROLE_ARN, ""))
    keys = ", ".join(near)
    association = view.inventory.association_by_key.get((account.cluster, account.namespace, account.name))
    names = {
        "account": f"{account.namespace}/{account.name}",
        "carrier": f"{account.namespace}/{account.name}",
        "what": "The annotation",
        "lacks": "the annotation is empty" if ROLE_ARN in account.annotations else "it has no such annotation",
        "flaw": "it is read on pods only",
        "value": value,
        "key": keys,
        "partition": Issuer.of(view.issuer_of(account.cluster)).partition,
        "role": role or "ROLE_ARN",
        "right": meant or (trusting[0].role.arn if len(trusting) == 1 else ""),
        "audience": text_of(account.annotations.get(AUDIENCE_ANNOTATION, "")),
        "client_ids": _client_ids(view, account),
        "regional": text_of(account.annotations.get(REGIONAL, "")),
        "expiration": text_of(account.annotations.get(EXPIRATION, "")),
        "length": str(len(account.subject)),
        "association_role": (text_of(association.role_arn) if association else "") or "a role that is not in the input",
    }
    near_named = near_association(account, view)
    names["misnamed"] = f"{near_named.namespace}/{near_named.service_account}" if near_named else ""
    return Evidence(names, _account_places(account, near, association, near_named))


def _account_places(
    account: ServiceAccount,
    near: Sequence[str],
    association: PodIdentityAssociation | None,
    near_named: PodIdentityAssociation | None,
) -> dict[str, Place]:
    """The places of an account and of the association that is for it, or nearly."""
    place = account.place.at("metadata")
    at = place.at("annotations", ROLE_ARN) if ROLE_ARN in account.annotations else place.at("name")
    if near:
        at = place.at("annotations", near[0])
    places = {"annotation": at, "annotation_key": at, "name": place.at("name")}
    places |= {name: place.at("annotations", key) for name, key in _ANNOTATIONS.items()}
    if association and association.repeated:
        places["repeated"] = association.repeated
    if association or near_named:
        places["association"] = (association or near_named or account).place
    return places


_ANNOTATIONS = {
    "audience": AUDIENCE_ANNOTATION,
    "skip_containers": SKIP_CONTAINERS,
    "expiration": EXPIRATION,
    "regional": REGIONAL,
}
"""places of annotations by the names that rules have for them"""


def _client_ids(view: View, account: ServiceAccount) -> str:
    """What the provider of the account's cluster, in the account of its role, accepts."""
    role = parse_arn(text_of(account.annotations.get(ROLE_ARN, "")))
    issuer = view.issuer_of(account.cluster)
    provider = view.inventory.provider_by_arn.get(arn_of_provider(role.partition, role.account, issuer)) if role else None
    return ", ".join(provider.client_ids) if provider and not isinstance(provider.client_ids, Unknown) else "unknown"
