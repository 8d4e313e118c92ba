"""What a manifest leaves open of the name under which its service account will be."""

from irsa_doctor.facts.service_accounts.through_holes import admitted_through, principals_of
from irsa_doctor.model import ServiceAccount
from irsa_doctor.trust import Policy
from irsa_doctor.trust.languages import Finite
from irsa_doctor.trust.subjects import PREFIX, is_subject


def is_named_whole(account: ServiceAccount) -> bool:
    """Whether its name and its namespace can be those of an object: else something, envsubst say, fills them in."""
    return is_subject(account.subject)


def may_be_admitted_anywhere(name: str, policy: Policy) -> bool:
    """Whether a policy admits, or may admit, a service account of a name in some namespace."""
    admits = [admitted_through(policy, value)[0].subjects for value in principals_of(policy)]
    return any(
        not isinstance(subjects, Finite) or any(s.startswith(PREFIX) and s.endswith(f":{name}") for s in subjects.values)
        for subjects in admits
    )
