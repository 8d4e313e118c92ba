"""Service accounts to which the webhook of their cluster gives a role without an annotation, as kOps has it do."""

from irsa_doctor.facts.lookups.associations import NO_ISSUER
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.model import MappedAccount, ServiceAccount, Unknown
from irsa_doctor.trust.admitted import may_be


def is_mapped(account: ServiceAccount, lookups: Lookups) -> bool | Unknown:
    """Whether the webhook gives the service account its role; unknown where its cluster may be another one than that of the
    mapping, or the mappings of its cluster are not in the input."""
    mappings = lookups.inventory.mappings_by_account.get((account.namespace, account.name), ())
    own = Unknown(f"role that the webhook gives {account.namespace}/{account.name} without an annotation")
    unread = own if account.cluster in lookups.inventory.clusters_with_mappings else False
    if not mappings:
        return unread
    if not (issuer := lookups.issuer_of(account.cluster)):
        return NO_ISSUER
    possible = [mapped for mapped in mappings if may_be(mapped.issuer, issuer)]
    if possible and not any(map(_begins_known, possible)):
        return own
    return True if possible else unread


def _begins_known(mapped: MappedAccount) -> bool:
    """Whether the issuer of a mapping is known from its beginning on, as that in a bucket is: no other cluster has it."""
    return isinstance(mapped.issuer, str) or isinstance(mapped.issuer.parts[0], str)
