"""Service accounts to which the webhook of their cluster gives a role without an annotation, as kOps has it do."""

from irsa_doctor.facts.lookups.associations import NO_ISSUER
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.model import MappedAccount, ServiceAccount, Unknown
from irsa_doctor.trust.admitted import may_be


def is_mapped(account: ServiceAccount, lookups: Lookups) -> bool | Unknown:
    """Whether the webhook gives the service account its role; unknown where its cluster may be another one than that of the
    mapping."""
    mappings = lookups.inventory.mappings_by_account.get((account.namespace, account.name), ())
    if not mappings:
        return False
    if not (issuer := lookups.issuer_of(account.cluster)):
        return NO_ISSUER
    possible = [mapped for mapped in mappings if may_be(mapped.issuer, issuer)]
    if possible and not any(map(_begins_known, possible)):
        return Unknown(f"issuer of the cluster whose webhook gives {account.namespace}/{account.name} its role")
    return bool(possible)


def _begins_known(mapped: MappedAccount) -> bool:
    """Whether the issuer of a mapping is known from its beginning on, as that in a bucket is: no other cluster has it."""
    return isinstance(mapped.issuer, str) or isinstance(mapped.issuer.parts[0], str)
