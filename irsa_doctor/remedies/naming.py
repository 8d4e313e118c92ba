"""The command that names a role on a service account."""

from irsa_doctor.facts import View
from irsa_doctor.model.findings import Fix
from irsa_doctor.remedies.commands import annotate
from irsa_doctor.remedies.targets import role_users_kept


def annotation(view: View, namespace: str, account: str, role: str) -> Fix | None:
    """A role (ARN) named on a service account.

    None where one of them is not a name that the cluster or IAM takes, or where no web identity may get the role anyway.
    """
    analysed = view.role_by_arn.get(role)
    policy = analysed.policy if analysed else None
    if policy and not policy.refused and not any(s.covers_web_identity or s.unseen for s in policy.statements):
        return None
    command = annotate(namespace, account, role)
    return Fix(None, (command,), role_users_kept(view, role), managed_by=_tool(view, namespace, account)) if command else None


def _tool(view: View, namespace: str, account: str) -> str:
    """The tool that a service account of this name is managed by, in whatever cluster."""
    clusters = ("", *view.inventory.cluster_by_id)
    known = (view.inventory.service_account_by_key.get((cluster, namespace, account)) for cluster in clusters)
    return next((item.managed_by for item in known if item and item.managed_by), "")
