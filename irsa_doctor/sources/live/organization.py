"""Reads AWS Organizations: the accounts, where they are, and the policies over them, each asked for once."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from irsa_doctor.sources.live import fields
from irsa_doctor.sources.live.aws import AwsAccount
from irsa_doctor.sources.live.aws_errors import no_answer
from irsa_doctor.sources.live.calls import encoded
from irsa_doctor.sources.live.errors import CallError
from irsa_doctor.sources.snapshot.snapshot import Answered, Origin
from irsa_doctor.text.errors import LiveError

_GUARDRAILS, _SERVICE_CONTROL = "RESOURCE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY"


class MemberAccount(msgspec.Struct, frozen=True):
    """An account of an organisation; `units` lead from the root to it, `unplaced` is why not all of them are known."""

    id: str
    name: str
    status: str
    units: tuple[str, ...]
    tags: Mapping[str, str]
    unplaced: str = ""


class AttachedPolicy(msgspec.Struct, frozen=True):
    """A policy with the accounts and units to which it is attached; `document` is the answer of DescribePolicy, None for one
    that binds no web identity."""

    id: str
    targets: frozenset[str]
    document: Any = None


class OrganizationDirectory:
    """What AWS Organizations knows, read with one set of credentials."""

    def __init__(self, caller: AwsAccount) -> None:
        self._caller = caller
        self._above: dict[str, str | CallError] = {}
        answer = caller.member_of("organizations", "DescribeOrganization", "Organization")
        if isinstance(answer, CallError):
            raise LiveError(f"the organisation cannot be read: {answer.says}")
        self.id, self.management = str(answer.get("Id") or ""), str(answer.get("MasterAccountId") or "")

    def accounts(self) -> list[MemberAccount]:
        """Every account (https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html): `State` takes
        the place of `Status`. Raises LiveError where they are not listed whole."""
        items, fault = self._caller.pages("organizations", "ListAccounts", "Accounts")
        if fault:
            raise LiveError(f"the accounts of the organisation are not listed whole: {fault.says}")
        return sorted(map(self._account, items), key=lambda account: account.id)

    def _account(self, item: Mapping[str, Any]) -> MemberAccount:
        ident = str(item.get("Id"))
        status = str(item.get("State") or item.get("Status") or "")
        units, unplaced = self._units(item, ident)
        return MemberAccount(ident, str(item.get("Name") or ""), status, units, self._tags(ident), unplaced)

    def _units(self, item: Mapping[str, Any], ident: str) -> tuple[tuple[str, ...], str]:
        """From the root down, and why that is not all of them: as `Paths` says it (o-x/r-x/ou-x/account), else by asking for
        the unit above each."""
        paths = item.get("Paths")
        if isinstance(paths, list) and paths:
            return tuple(step for step in str(paths[0]).split("/") if step.startswith(("r-", "ou-"))), ""
        units: list[str] = []
        below = ident
        while not below.startswith("r-"):
            above = self._unit_above(below)
            if isinstance(above, CallError):
                return tuple(units), above.says
            if above in units:
                break
            units.insert(0, above)
            below = above
        return tuple(units), ""

    def _unit_above(self, below: str) -> str | CallError:
        if below not in self._above:
            items, fault = self._caller.pages("organizations", "ListParents", "Parents", ChildId=below)
            self._above[below] = str(items[0].get("Id")) if items else fault or no_answer("organizations:ListParents", "parent")
        return self._above[below]

    def _tags(self, ident: str) -> dict[str, str]:
        items, _ = self._caller.pages("organizations", "ListTagsForResource", "Tags", ResourceId=ident)
        return {str(item.get("Key")): str(item.get("Value")) for item in items}

    def policies(self) -> tuple[list[AttachedPolicy], CallError | None]:
        """The resource control policies with their documents, the service control policies without; why there may be more."""
        guardrails, fault = self._policies(_GUARDRAILS)
        known = [self._described(policy) for policy in guardrails]
        faults = [policy for policy in known if isinstance(policy, CallError)]
        rest, _ = self._policies(_SERVICE_CONTROL)
        return [policy for policy in known if isinstance(policy, AttachedPolicy)] + rest, fault or next(iter(faults), None)

    def _policies(self, kind: str) -> tuple[list[AttachedPolicy], CallError | None]:
        items, fault = self._caller.pages("organizations", "ListPolicies", "Policies", Filter=kind)
        policies = []
        for item in items:
            ident = str(item.get("Id"))
            if kind == _GUARDRAILS and item.get("AwsManaged") is True:
                continue  # the one that AWS attaches everywhere allows everything
            targets, lost = self._caller.pages("organizations", "ListTargetsForPolicy", "Targets", PolicyId=ident)
            fault = fault or lost
            policies.append(AttachedPolicy(ident, frozenset(str(target.get("TargetId")) for target in targets)))
        return policies, None if fault and fault.kind == "absent" else fault

    def _described(self, policy: AttachedPolicy) -> AttachedPolicy | CallError:
        answer = self._caller.member_of("organizations", "DescribePolicy", "Policy", PolicyId=policy.id)
        return answer if isinstance(answer, CallError) else msgspec.structs.replace(policy, document=answer)


def over(account: MemberAccount, policies: list[AttachedPolicy], management: str) -> list[AttachedPolicy]:
    """The policies over an account: attached to it or to a unit above it. Over the management account none has force
    (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html)."""
    targets = {account.id, *account.units} if account.id != management else set()
    return [policy for policy in policies if policy.targets & targets]


def policy_answers(account: str, policies: list[AttachedPolicy]) -> Iterator[Answered]:
    """The documents of policies as they stand in the shard of an account."""
    for policy in policies:
        if policy.document is not None:
            document = {"Policy": fields.organizations_policy(policy.document)}
            yield Answered(
                path=f"aws://{account}/organizations/policies/{policy.id}",
                origin=Origin(account=account),
                kind="organizations-describe-policy",
                document=msgspec.Raw(encoded(document)),
            )
