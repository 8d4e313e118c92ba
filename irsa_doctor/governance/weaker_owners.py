"""Whether a change of the tenants that settings declare as one's own lets more of them be admitted unsaid."""

from collections.abc import Iterator

from irsa_doctor.facts.grants.ownership import declared_tenants, is_covered
from irsa_doctor.governance.governing import Governing
from irsa_doctor.issuers import profiles
from irsa_doctor.model.clouds import GOOGLE_PROJECTS


def weaker_owners(before: Governing, after: Governing) -> Iterator[str]:
    """Tenants that become one's own, and issuers of which none is declared any more: of these nobody is an outsider. An entry
    more that an older one covers, as NAME@ID where NAME was declared, only narrows."""
    old, new = before.settings.owner, after.settings.owner
    tables = {ident: (declared_tenants(entry, old), declared_tenants(entry, new)) for ident, entry in profiles().items()}
    tables[GOOGLE_PROJECTS] = tuple(old.get(GOOGLE_PROJECTS, ())), tuple(new.get(GOOGLE_PROJECTS, ()))
    for ident, (then, now) in tables.items():
        if then and not now:
            yield f"owner declares no tenant of {ident} any more"
        wider = [text for text in now if then and not is_covered(text, then)]
        yield from (f"owner declares {text} of {ident} as well" for text in wider)
