"""The links between the token and STS: the SDK that sends it, and the endpoint that it is sent to."""

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links import skips
from irsa_doctor.answers.why.links.by_rules import by_rules, minor_signs
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.state import LinkState, Sign, undecided
from irsa_doctor.answers.why.placeholders import fill_command

_IDENTITY = "kubectl exec -n {namespace} {pod} -- aws sts get-caller-identity"
_ENDPOINT = "kubectl exec -n {namespace} {pod} -- curl -sS https://sts.{region}.amazonaws.com"


def _sdk(case: Case) -> LinkState:
    """What takes precedence over the web identity can be seen; which SDK it is and what it does cannot."""
    minor = minor_signs(case, "sdk")
    says = "nothing in the input takes precedence over the web identity; which SDK the image has is not in the input"
    return undecided(minor[0].because if minor else says, *minor, settle=fill_command(_IDENTITY, case))


SDK_LINK = Link(
    id="sdk",
    title="the SDK uses the token",
    disproof=by_rules("sdk"),
    skips=(skips.no_workload,),
    examine=_sdk,
)


def _sts_endpoint(case: Case) -> LinkState:
    """The endpoint that the SDK calls can be seen; the network between cannot."""
    minor = minor_signs(case, "sts-endpoint")
    says = "nothing in the input leads the SDK to another endpoint; the network is not in the input"
    return undecided(minor[0].because if minor else says, *minor, settle=fill_command(_ENDPOINT, case))


def _kept_from_sts(case: Case) -> LinkState | None:
    """The state where network policies allow a workload nothing outside the cluster: they have an effect only where the network
    of the cluster applies them (https://kubernetes.io/docs/concepts/services-networking/network-policies/#prerequisites)."""
    if case.uses_pod_identity:
        return None
    for workload in case.workloads:
        if policy := case.view.installations.agents.sts_denial(workload):
            named = f"{policy.kind} {policy.name}"
            says = f"{named} selects {workload.kind.lower()}/{workload.name}, and no rule allows it HTTPS to the STS endpoint"
            sign = Sign("egress-denied", says, None, (case.located(policy.place, "no rule allows STS"),), "likely")
            return undecided(says, sign, settle=fill_command(_ENDPOINT, case))
    return None


STS_ENDPOINT_LINK = Link(
    id="sts-endpoint",
    title="the pod can reach STS",
    title_of_run="the job can reach STS",
    signs=("egress-denied",),
    disproof=lambda case: by_rules("sts-endpoint")(case) or _kept_from_sts(case),
    skips=(skips.no_workload,),
    examine=_sts_endpoint,
    decides=frozenset({"limited-egress"}),
)
