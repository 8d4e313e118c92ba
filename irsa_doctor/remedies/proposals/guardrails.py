"""Ways to fix resource control policies that stop web identities, in the text of a policy.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_examples.html
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from irsa_doctor.model import OidcProvider
from irsa_doctor.model.edits import EditKind
from irsa_doctor.remedies.edits.records import Wish
from irsa_doctor.remedies.proposals.records import FixCase, Proposal, Unfixable
from irsa_doctor.trust.policy import WEB_IDENTITY


def _trusted_issuer(case: FixCase) -> Iterator[Proposal]:
    """The issuer joins those whose tokens the policy lets past."""
    provider: OidcProvider | None = case.view.inventory.provider_by_arn.get(case.judged.id)
    evidence = case.judged.evidence()
    if provider is None or "rcp" not in evidence.places:
        raise Unfixable("not-in-source", "the policy is not in the input")
    because = "every role of the accounts below the policy may then trust this issuer"
    wish = Wish(evidence.place("rcp"), None, None, transform=partial(_with_issuer, provider.issuer))
    yield Proposal(wishes=(wish,), safety="unsafe", because=because)


def _with_issuer(issuer: str, statement: Any) -> Any:
    """The statement that denies what has none of the subjects of several issuers, with one more issuer."""
    condition = statement["Condition"]
    name = next(operator for operator in condition if operator.lower() == "null")
    listed = condition[name]
    claim = next(iter({key.rpartition(":")[2] for key in listed}))
    value = next(iter(listed.values()))
    if str(value).lower() != "true":
        raise ValueError("the statement denies those that have the subject")
    return {**statement, "Condition": {**condition, name: {**listed, f"{issuer}:{claim}": value}}}


def _web_identity_let_past(case: FixCase) -> Iterator[Proposal]:
    """The action leaves the statement that denies it to every web identity."""
    place = case.judged.evidence().place("rcp")
    because = "web identities of every issuer that a role trusts are then let past this statement"
    yield Proposal(wishes=(Wish(place, None, None, transform=_without_action),), safety="unsafe", because=because)


def _without_action(statement: Any) -> Any:
    listed = statement["Action"]
    left = [action for action in listed if action.lower() != WEB_IDENTITY.lower()] if isinstance(listed, list) else []
    if not left or len(left) == len(listed):
        raise ValueError("which other actions are to be denied is not known")
    return {**statement, "Action": left}


GUARDRAIL_WAYS: Mapping[EditKind, Callable[[FixCase], Iterator[Proposal]]] = {
    "trusted-issuer": _trusted_issuer,
    "web-identity-let-past": _web_identity_let_past,
}
"""the ways to change resource control policies, by name"""
