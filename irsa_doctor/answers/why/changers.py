"""Says who may change the link that is diagnosed: the annotation, aws-auth, what ACK and Crossplane make of objects."""

from collections.abc import Iterator

from irsa_doctor.answers.why.case import Case
from irsa_doctor.facts.reach.changers import words_of_changers
from irsa_doctor.facts.reach.listing import reachability_of


def notes_on_changers(case: Case) -> Iterator[str]:
    """One note where the input has bindings of the cluster; those who are expected to are left out."""
    inventory = case.view.inventory
    clusters = {item.cluster for item in inventory.access_bindings} | {item.cluster for item in inventory.associated_access}
    if not case.service_account or case.cluster_id not in clusters:
        return
    words = words_of_changers(reachability_of(case.view), case.cluster_id, case.namespace, case.service_account)
    if words:
        yield f"Beside administrators, these may change the link: {words}."
