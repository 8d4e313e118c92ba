"""Reads IAM, EKS, Organizations and CloudTrail: each answer is kept as the document that the AWS CLI prints.

A call is one row of `operations.AWS` and one method that notes its answer.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote

import msgspec

from irsa_doctor.model import Gap, Issuer, parse_arn
from irsa_doctor.model.commands import shell_command
from irsa_doctor.sources.live import fields
from irsa_doctor.sources.live.aws_client import AwsClient
from irsa_doctor.sources.live.aws_errors import no_answer, timed_out
from irsa_doctor.sources.live.calls import Job, side_by_side
from irsa_doctor.sources.live.errors import CallError
from irsa_doctor.sources.live.operations import allowed
from irsa_doctor.sources.snapshot.snapshot import Origin, without_secrets

_ORGANIZATION_DEPTH = 10
_DETAILS = "GetAccountAuthorizationDetails"
_GET_PROVIDER = "aws iam get-open-id-connect-provider --open-id-connect-provider-arn {}"
_LIST_ASSOCIATIONS = "aws eks list-pod-identity-associations --cluster-name {} --region {}"
_DESCRIBE_ASSOCIATION = "aws eks describe-pod-identity-association --cluster-name {} --association-id {}"
_POLICIES = "aws organizations list-policies-for-target --filter RESOURCE_CONTROL_POLICY --target-id {}"
_LEFT_OUT = ("RoleLastUsed", "Tags", "PermissionsBoundary")
"""what ListRoles does not say of a role"""
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


class AwsAccount(AwsClient):
    """One AWS account and what is read of it."""

    # IAM

    def read_roles(self) -> None:
        """Every role with its trust policy (https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html)."""
        items, fault = self.pages("iam", "ListRoles", "Roles")
        what, how = f"roles of account {self.id}", "aws iam get-account-authorization-details --filter Role"
        roles = [_role(item) for item in items]
        if ("iam", _DETAILS) in allowed(self.command) and any(map(_is_for_web_identities, items)):
            self._add_details(roles)
        self.note_list("iam/roles", "iam-list-roles", "Roles", roles, fault, {"IsTruncated": True})
        if fault:
            self.gap(fault, "roles", "", what, how)

    def _add_details(self, roles: Iterable[dict[str, Any]]) -> None:
        """Add what ListRoles leaves out: last use, tags, boundary. Rules say what is unknown where this is denied
        (https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html)."""
        items, _ = self.pages("iam", _DETAILS, "RoleDetailList", Filter=["Role"])
        details = {str(item.get("Arn")): fields.role(item) for item in items if isinstance(item, dict)}
        for role in roles:
            known = details.get(str(role.get("Arn")))
            if isinstance(known, dict):
                role.update({name: known[name] for name in _LEFT_OUT if name in known})

    def read_role(self, name: str) -> dict[str, Any] | None:
        """One role by its name, which says nothing of its path."""
        if not _ROLE_NAME.fullmatch(name):
            return None
        answer = self.member_of("iam", "GetRole", "Role", RoleName=name)
        if isinstance(answer, CallError):
            if answer.kind == "absent":
                self.notes.requested("roles", self.id, name.lower())
            else:
                what = f"role {name} of account {self.id}"
                self.gap(answer, "roles", name.lower(), what, shell_command("aws iam get-role --role-name {}", name))
            return None
        role = _role(answer)
        self.notes.requested("roles", self.id, name.lower())
        self.notes.answered(f"aws://{self.id}/iam/roles/{name}", "iam-get-role", {"Role": role}, Origin(account=self.id))
        return role

    def read_providers(self, is_relevant: Callable[[str], bool]) -> list[str]:
        """The list of OIDC providers, and each whose issuer is wanted; gives their issuers."""
        answer = self.ask("iam", "ListOpenIDConnectProviders")
        what, how = f"OIDC providers of account {self.id}", "aws iam list-open-id-connect-providers"
        if not isinstance(answer, CallError) and not isinstance(answer.get("OpenIDConnectProviderList"), list):
            answer = no_answer("iam:ListOpenIDConnectProviders", "OpenIDConnectProviderList")
        if isinstance(answer, CallError):
            self.gap(answer, "providers", "", what, how)
            return []
        items = [fields.listed_provider(item) for item in answer["OpenIDConnectProviderList"]]
        self.note_list("iam/oidc-providers", "iam-list-open-id-connect-providers", "OpenIDConnectProviderList", items)
        arns = [str(item.get("Arn")) for item in items if isinstance(item, dict)]
        issuers = {arn: parsed.name for arn in arns if (parsed := parse_arn(arn))}
        jobs = [
            Job(partial(self._read_provider, arn, issuer), self.late("client-ids", "", f"client ids of {arn}", arn))
            for arn, issuer in issuers.items()
            if is_relevant(issuer)
        ]
        side_by_side(jobs, self.clock, self.notes)
        return list(issuers.values())

    def _read_provider(self, arn: str, issuer: str) -> None:
        answer = self.ask("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
        if isinstance(answer, CallError):
            how = shell_command(_GET_PROVIDER, arn)
            self.gap(answer, "client-ids", "", f"client ids of {arn}", how, owner=arn)
            return
        path = f"aws://{self.id}/iam/oidc-providers/{issuer}"
        self.notes.answered(path, "iam-get-open-id-connect-provider", fields.provider(answer), Origin(account=self.id))

    # EKS

    def read_clusters(self, region: str) -> list[str]:
        """Every cluster of a region, with its Pod Identity associations; gives their names."""
        names, _ = self._list_clusters(region)
        jobs = [Job(partial(self._read_cluster_whole, name, region), self._late_cluster(name, region)) for name in names]
        side_by_side(jobs, self.clock, self.notes)
        return names

    def _list_clusters(self, region: str) -> tuple[list[str], CallError | None]:
        names, fault = self.pages("eks", "ListClusters", "clusters", region)
        self.note_list(f"eks/{region}/clusters", "eks-list-clusters", "clusters", names, fault, {"nextToken": "more"}, region)
        if fault:
            what, how = f"clusters of account {self.id} in {region}", shell_command("aws eks list-clusters --region {}", region)
            self.gap(fault, "clusters", region, what, how)
            self.gap(fault, "associations", "", what, how, owner="")
        return [str(name) for name in names], fault

    def _late_cluster(self, name: str, region: str) -> Gap:
        return self.late("cluster", "", f"issuer of cluster {name}", self.cluster_arn(name, region))

    def cluster_arn(self, name: str, region: str) -> str:
        """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html"""
        return f"arn:{self.partition}:eks:{region}:{self.id}:cluster/{name}"

    def _read_cluster_whole(self, name: str, region: str) -> None:
        if not isinstance(self.read_cluster(name, region), CallError):
            self.read_associations(name, region)

    def read_cluster(self, name: str, region: str) -> dict[str, Any] | CallError:
        """One cluster by its name."""
        answer = self.member_of("eks", "DescribeCluster", "cluster", region, name=name)
        if not isinstance(answer, CallError):
            return self._noted(answer, name, region)
        if answer.kind != "absent":
            how = shell_command("aws eks describe-cluster --name {} --region {}", name, region)
            self.gap(answer, "cluster", "", f"issuer of cluster {name}", how, self.cluster_arn(name, region))
            # which cluster of Kubernetes it is stays unknown, and with it whose its associations are
            self.gap(answer, "associations", "", f"issuer of cluster {name}", how, owner="")
        return answer

    def _noted(self, answer: Mapping[str, Any], name: str, region: str) -> dict[str, Any]:
        kept = fields.cluster(dict(answer))
        cluster: dict[str, Any] = kept if isinstance(kept, dict) else {}
        origin = Origin(account=self.id, region=region)
        path = f"aws://{self.id}/eks/{region}/clusters/{name}"
        self.notes.answered(path, "eks-describe-cluster", {"cluster": cluster}, origin)
        self.endpoints[str(cluster.get("endpoint"))] = str(cluster.get("arn"))
        access = cluster.get("accessConfig")
        self.modes[str(cluster.get("arn"))] = str(access.get("authenticationMode") or "") if isinstance(access, dict) else ""
        return cluster

    def find_cluster(
        self, matches_target: Callable[[Mapping[str, Any]], bool], region: str, hints: Iterable[str]
    ) -> dict[str, Any] | CallError | None:
        """The cluster of a region that is the one: the hinted names are tried first, then all. An error where it may be one
        that is not seen."""
        unseen: list[CallError] = []
        for name in dict.fromkeys(hints):
            answer = self.member_of("eks", "DescribeCluster", "cluster", region, name=name)
            if isinstance(answer, CallError):
                unseen.append(answer)
            elif matches_target(answer):
                return self._noted(answer, name, region)
        names, fault = self._list_clusters(region)
        unseen += [fault] if fault else []
        matches: list[dict[str, Any]] = []

        def look(name: str) -> None:
            cluster = self.read_cluster(name, region)
            if isinstance(cluster, CallError):
                unseen.append(cluster)
            elif matches_target(cluster):
                matches.append(cluster)

        jobs = [Job(partial(look, name), self._late_cluster(name, region)) for name in names]
        side_by_side(jobs, self.clock, self.notes)
        if not self.clock.left():
            unseen.append(CallError("unreachable", timed_out(self.clock)))
        return matches[0] if matches else next((fault for fault in unseen if fault.kind != "absent"), None)

    def read_associations(self, name: str, region: str, namespace: str = "", service_account: str = "") -> list[str]:
        """Pod Identity associations of a cluster, those of one service account where it is named; gives their roles."""
        only: dict[str, Any] = {"namespace": namespace, "serviceAccount": service_account} if service_account else {}
        items, fault = self.pages("eks", "ListPodIdentityAssociations", "associations", region, clusterName=name, **only)
        arn, key = self.cluster_arn(name, region), f"{namespace}/{service_account}" if service_account else ""
        origin = Origin(account=self.id, region=region, cluster=arn, partial=bool(only))
        kept = [fields.association(item) for item in items]
        path = f"eks/{region}/clusters/{name}/pod-identity-associations"
        self.note_list(
            path, "eks-list-pod-identity-associations", "associations", kept, fault, {"nextToken": "more"}, region, origin
        )
        if fault:
            how = shell_command(_LIST_ASSOCIATIONS, name, region)
            self.gap(fault, "associations", key, f"Pod Identity associations of cluster {name}", how, arn)
        elif only:
            self.notes.requested("associations", arn, key)
        roles: list[str] = []
        jobs = [
            Job(
                partial(self._read_association, name, region, item, origin, roles),
                self.late("associations", key, f"Pod Identity associations of cluster {name}", arn),
            )
            for item in items
        ]
        side_by_side(jobs, self.clock, self.notes)
        return sorted(set(roles))

    def _read_association(self, name: str, region: str, listed: Mapping[str, Any], origin: Origin, roles: list[str]) -> None:
        ident, key = str(listed.get("associationId")), f"{listed.get('namespace')}/{listed.get('serviceAccount')}"
        answer = self.member_of(
            "eks", "DescribePodIdentityAssociation", "association", region, clusterName=name, associationId=ident
        )
        if isinstance(answer, CallError):
            if answer.kind != "absent":
                how = shell_command(_DESCRIBE_ASSOCIATION, name, ident)
                what = f"role of Pod Identity association {ident} of cluster {name}"
                self.gap(answer, "association", key, what, how, origin.cluster)
            return
        association = fields.association(answer)
        path = f"aws://{self.id}/eks/{region}/clusters/{name}/pod-identity-associations/{ident}"
        whole = msgspec.structs.replace(origin, partial=False)
        self.notes.answered(path, "eks-describe-pod-identity-association", {"association": association}, whole)
        roles += [str(answer.get(member) or "") for member in ("roleArn", "targetRoleArn")]

    # Organizations

    def read_guardrails(self) -> None:
        """The resource control policies over this account, from the account up to the root; over the management account
        they have no effect. Only that one and delegated administrators may ask
        (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html)."""
        organization = self.member_of("organizations", "DescribeOrganization", "Organization")
        if isinstance(organization, dict) and organization.get("MasterAccountId") == self.id:
            return
        fault = organization if isinstance(organization, CallError) else None
        target = self.id if fault is None else ""
        policies: dict[str, None] = {}
        for _ in range(_ORGANIZATION_DEPTH if target else 0):
            parameters: dict[str, Any] = {"TargetId": target, "Filter": "RESOURCE_CONTROL_POLICY"}
            attached, fault = self.pages("organizations", "ListPoliciesForTarget", "Policies", **parameters)
            policies.update(dict.fromkeys(str(item.get("Id")) for item in attached))
            if fault or target.startswith("r-"):
                break
            above, fault = self.pages("organizations", "ListParents", "Parents", ChildId=target)
            if not above:
                fault = fault or no_answer("organizations:ListParents", "parent")
                break
            target = str(above[0].get("Id"))
        for ident in policies:
            answer = self.member_of("organizations", "DescribePolicy", "Policy", PolicyId=ident)
            if isinstance(answer, CallError):
                fault = fault or answer
                continue
            path = f"aws://{self.id}/organizations/policies/{ident}"
            document = {"Policy": fields.organizations_policy(answer)}
            self.notes.answered(path, "organizations-describe-policy", document, Origin(account=self.id))
        if fault and fault.kind != "absent":
            what = f"resource control policies over account {self.id}"
            how = shell_command(_POLICIES, self.id)
            self.gap(fault, "rcps", "", what, how)

    def enabled_regions(self) -> tuple[list[str], CallError | None]:
        """The regions that the account has enabled, and why there may be more
        (https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html)."""
        wanted = ["ENABLED", "ENABLED_BY_DEFAULT"]
        items, fault = self.pages("account", "ListRegions", "Regions", RegionOptStatusContains=wanted)
        return sorted(str(item.get("RegionName")) for item in items), fault

    # CloudTrail

    def lookup_events(self, region: str, limit: int = 500) -> tuple[list[dict[str, Any]], CallError | None]:
        """The last events of AssumeRoleWithWebIdentity in a region, the newest first, without credentials
        (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html)."""
        attributes = [{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithWebIdentity"}]
        # a busy account has a hundred thousand of them, and two calls a second are answered
        items, fault = self.pages("cloudtrail", "LookupEvents", "Events", region, limit, LookupAttributes=attributes)
        return [_event(item) for item in items], fault


def _is_for_web_identities(role: Mapping[str, Any]) -> bool:
    policy = str(role.get("AssumeRolePolicyDocument")).lower()
    return "webidentity" in policy or "oidc-provider" in policy


def _role(item: Mapping[str, Any]) -> dict[str, Any]:
    kept = fields.role(dict(item))
    members: dict[str, Any] = kept if isinstance(kept, dict) else {}
    document = members.get("AssumeRolePolicyDocument")
    if isinstance(document, str):
        members["AssumeRolePolicyDocument"] = policy_document(document)
    return members


def policy_document(text: str) -> msgspec.Raw | str:
    """A policy as IAM sends it, URL-encoded: its very text where that is JSON, repeated members and all, else what was sent."""
    plain = unquote(text)
    try:
        msgspec.json.decode(plain)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text
    return msgspec.Raw(plain.encode())


def issuer_of(cluster: Mapping[str, Any]) -> str:
    """The issuer of a described cluster, without scheme, "" where it has none."""
    identity = cluster.get("identity") or {}
    issuer = (identity.get("oidc") or {}).get("issuer")
    return Issuer.of(str(issuer)).name if issuer else ""


def _event(item: Mapping[str, Any]) -> dict[str, Any]:
    """An event as the CLI prints it; what STS gave out is left out."""
    members = {name: item[name] for name in ("EventId", "EventName", "EventTime", "EventSource", "Username") if name in item}
    try:
        detail = msgspec.json.decode(str(item.get("CloudTrailEvent", "")))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return members
    if isinstance(detail, dict):
        detail.pop("responseElements", None)
        members["CloudTrailEvent"] = without_secrets(msgspec.json.encode(detail)).decode()
    return members
