"""Facts of a Pod Identity association that names something else than a role, judged like an annotation that does."""

from functools import partial

import msgspec

from irsa_doctor.facts.lookups.associations import is_policy_refused, is_repeated, is_role_elsewhere
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.service_accounts.annotations import annotation_form
from irsa_doctor.facts.service_accounts.service_account import account_template_facts
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.model import PodIdentityAssociation, ServiceAccount, text_of
from irsa_doctor.model.annotations import ROLE_ARN


def association_facts(view: View, association: PodIdentityAssociation) -> Judged | None:
    """Return the facts of the service account of an association whose ARN is not of a role, or which EKS refuses and which
    has no service account in the input; None for any other.

    EKS takes the ARN of a role only
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html).
    """
    namespace, name = text_of(association.namespace), text_of(association.service_account)
    annotations = {ROLE_ARN: association.role_arn}
    account = ServiceAccount("", namespace, name, association.place, annotations, template=True)
    cluster = text_of(association.cluster)
    repeated = is_repeated(association)
    is_policy = annotation_form(account) == "policy-arn"
    refused, elsewhere = is_policy_refused(association), is_role_elsewhere(association)
    if (cluster, namespace, name) in view.inventory.service_account_by_key:
        refused = repeated = elsewhere = False
    if refused is False and not (repeated or is_policy or elsewhere):
        return None
    judged = account_template_facts(view, account)
    facts = msgspec.structs.replace(
        judged.facts,
        association_policy_refused=refused,
        association_repeated=repeated,
        association_role_elsewhere=elsewhere,
    )
    ident = f"{view.label_of(cluster)}/{namespace}/{name}"
    return msgspec.structs.replace(judged, id=ident, group=ident, facts=facts, evidence=partial(_evidence, association, judged))


def _evidence(association: PodIdentityAssociation, judged: Judged) -> Evidence:
    evidence, place = judged.evidence(), association.place
    account = f"{text_of(association.namespace)}/{text_of(association.service_account)}"
    names = {"account": account, "carrier": account, "what": "The role of the Pod Identity association"}
    at = place.at("Properties", "RoleArn") if place.pointer.startswith("/Resources/") else place.at("role_arn")
    return msgspec.structs.replace(
        evidence,
        names={**evidence.names, **names},
        places={
            **evidence.places,
            "annotation": at,
            "annotation_key": at,
            "association": place,
            "repeated": association.repeated or place,
        },
    )
