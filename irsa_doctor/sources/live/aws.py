"""Reads IAM, EKS, Organizations and CloudTrail through boto3: each answer is kept as the document that the AWS CLI prints."""

import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, Literal
from urllib.parse import unquote

import msgspec

from irsa_doctor.model import Gap, Issuer, parse_arn
from irsa_doctor.sources.live import fields
from irsa_doctor.sources.live.calls import AT_ONCE, Clock, Job, Notes, shortened, side_by_side
from irsa_doctor.sources.live.operations import allowed
from irsa_doctor.sources.live.options import Options
from irsa_doctor.sources.snapshot.snapshot import AnswerKind, Origin, without_secrets
from irsa_doctor.text.errors import LiveError
from irsa_doctor.version import __version__

_ATTEMPTS = 4
_PAGE = {"ListRoles": 1000, "ListClusters": 100, "ListPodIdentityAssociations": 100, "LookupEvents": 50}
_ORGANIZATION_DEPTH = 10
_ACCOUNT = re.compile(r"[0-9]{12}")
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_REASON = re.compile(r"because (?P<why>[^\n]{1,200})")

_Kind = Literal["absent", "denied", "credentials", "throttled", "unreachable", "other"]
_KINDS: Mapping[str, _Kind] = {
    "NoSuchEntity": "absent",
    "NoSuchEntityException": "absent",
    "ResourceNotFoundException": "absent",
    "AWSOrganizationsNotInUseException": "absent",
    "PolicyTypeNotEnabledException": "absent",
    "AccessDenied": "denied",
    "AccessDeniedException": "denied",
    "UnauthorizedOperation": "denied",
    "ExpiredToken": "credentials",
    "ExpiredTokenException": "credentials",
    "RequestExpired": "credentials",
    "InvalidClientTokenId": "credentials",
    "UnrecognizedClientException": "credentials",
    "SignatureDoesNotMatch": "credentials",
    "InvalidSignatureException": "credentials",
    "AuthFailure": "credentials",
    "Throttling": "throttled",
    "ThrottlingException": "throttled",
    "ThrottledException": "throttled",
    "TooManyRequestsException": "throttled",
    "RequestLimitExceeded": "throttled",
}


class Fault(msgspec.Struct, frozen=True):
    """Why a call gave nothing, as a value: what kind of failure, and a sentence without full stop."""

    kind: _Kind
    says: str


class NotARead(RuntimeError):
    """A call that is not in the table of operations; a bug, stopped before anything is sent."""


class Account:
    """One AWS account, seen with one set of credentials."""

    def __init__(self, profile: str, assume: str, options: Options, command: str, clock: Clock, notes: Notes) -> None:
        self.profile = profile
        self.assume = assume
        self.options = options
        self.command = command
        self.clock = clock
        self.notes = notes
        self.id = ""
        self.partition = "aws"
        self.caller = ""
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._clients: dict[tuple[str, str], Any] = {}
        self.endpoints: dict[str, str] = {}
        """URL of an API server -> ARN of its cluster, of those that were described"""
        self._session: Any = None

    def open(self) -> None:
        """Find the credentials and whose they are; raises LiveError."""
        self._session = self._opened()
        answer = self.ask("sts", "GetCallerIdentity")
        if isinstance(answer, Fault):
            raise LiveError(f"AWS{self._with}: {answer.says}")
        account, self.caller = str(answer.get("Account")), str(answer.get("Arn"))
        if not _ACCOUNT.fullmatch(account):
            raise LiveError(f"AWS{self._with}: sts:GetCallerIdentity: what was answered is no answer of AWS")
        self.id = account
        arn = parse_arn(self.caller)
        self.partition = arn.partition if arn else "aws"
        self.options.progress(f"AWS account {self.id}: signed in")

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()

    @property
    def _with(self) -> str:
        return f" profile {self.profile}" if self.profile else f" role {self.assume}" if self.assume else ""

    @property
    def region(self) -> str:
        """The region of the configuration, "" where it names none; most SDKs know AWS_REGION, boto3 does not."""
        configured = self._session.region_name if self._session else None
        return str(configured or os.environ.get("AWS_REGION", ""))

    def _opened(self) -> Any:
        """A session of boto3; credentials themselves are found when they are first needed."""
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            session = boto3.Session(profile_name=self.profile or None)
        except BotoCoreError as error:
            raise LiveError(f"AWS: {_fault(error).says}") from error
        return self._assumed(session) if self.assume else session

    def _assumed(self, base: Any) -> Any:
        """The session of the role that is to be read as: getting credentials is no read, and so not among the operations."""
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        region = base.region_name or self._fallback_region()
        try:
            with closing(base.client("sts", region_name=region, config=self._config())) as client:
                answer = client.assume_role(RoleArn=self.assume, RoleSessionName="irsa-doctor")
        except (BotoCoreError, ClientError) as error:
            raise LiveError(f"AWS role {self.assume}: {_fault(error, 'sts:AssumeRole').says}") from error
        keys = answer["Credentials"]
        return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=region)

    def _fallback_region(self) -> str:
        """Global services need a region only to find their partition."""
        return self.options.regions[0] if self.options.regions else "us-east-1"

    def _config(self) -> Any:
        from botocore.config import Config

        each = max(0.1, self.clock.next())
        return Config(
            connect_timeout=min(5.0, each),
            read_timeout=each,
            retries={"mode": "adaptive", "total_max_attempts": _ATTEMPTS},
            user_agent_extra=f"irsa-doctor/{__version__}",
            max_pool_connections=16,
        )

    def _client(self, service: str, region: str) -> Any:
        from botocore.handlers import json_decode_policies

        with self._lock:
            key = service, region
            if key not in self._clients:
                client = self._session.client(service, region_name=region, config=self._config())
                client.meta.events.register("before-call", self._guard)
                # it keeps the last of two members of one name and forgets the first: policies are read as they are written
                client.meta.events.unregister("after-call.iam", json_decode_policies)
                self._clients[key] = client
            return self._clients[key]

    def _guard(self, model: Any, **_: object) -> None:
        """Nothing but the reads that this command is made of leaves the house."""
        called = str(model.service_model.service_name), str(model.name)
        if called not in allowed(self.command):
            raise NotARead(f"{called[0]}:{called[1]} is no operation of {self.command}")

    def ask(self, service: str, operation: str, region: str = "", **parameters: object) -> dict[str, Any] | Fault:
        """One call. Retries are botocore's: what comes back throttled was tried several times."""
        from botocore import xform_name

        try:
            client = self._client(service, region or self.region or self._fallback_region())
            with self._slots:
                answer = getattr(client, xform_name(operation))(**parameters)
        except NotARead:
            raise
        except Exception as error:  # noqa: BLE001 - botocore raises anything where an answer is none of AWS
            return _fault(error, f"{service}:{operation}", self.caller)
        return dict(answer)

    def member_of(
        self, service: str, operation: str, key: str, region: str = "", **parameters: object
    ) -> dict[str, Any] | Fault:
        """One call, of whose answer one member is wanted."""
        answer = self.ask(service, operation, region, **parameters)
        if isinstance(answer, Fault):
            return answer
        value = answer.get(key)
        return value if isinstance(value, dict) else _no_answer(f"{service}:{operation}", key)

    def pages(
        self, service: str, operation: str, key: str, region: str = "", most: int = 0, **parameters: object
    ) -> tuple[list[Any], Fault | None]:
        """All items of a list, or the first `most`, and why there may be more: what was read before a page failed is kept."""
        from botocore import xform_name

        items: list[Any] = []
        size = {"PageSize": _PAGE[operation]} if operation in _PAGE else {}
        size |= {"MaxItems": most} if most else {}
        try:
            client = self._client(service, region or self.region or self._fallback_region())
            with self._slots:
                for page in client.get_paginator(xform_name(operation)).paginate(PaginationConfig=size, **parameters):
                    # an empty list is one that says so
                    if not isinstance(page.get(key), list):
                        return items, _no_answer(f"{service}:{operation}", key)
                    items += page[key]
                    self.options.progress(f"AWS account {self.id}: {operation}, {len(items)} so far")
                    if not self.clock.left():
                        return items, Fault("unreachable", f"{service}:{operation}: {_up(self.clock)}")
        except NotARead:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return items, _fault(error, f"{service}:{operation}", self.caller)
        return items, None

    def gap(self, fault: Fault, collection: str, name: str, what: str, how: str, owner: str = "") -> None:
        """Note that something is not known, with the permission by name."""
        missing = f"{what}: {fault.says}"
        if fault.kind == "denied":
            how = f"allow it (irsa-doctor permissions {self.command} prints the policy)"
        self.notes.gap(Gap(collection, owner or self.id, name, missing, how))

    def late(self, collection: str, name: str, what: str, owner: str = "") -> Gap:
        """What to note where the time is up before an answer came."""
        return Gap(collection, owner or self.id, name, f"{what}: {_up(self.clock)}", "a longer --timeout")

    # IAM

    def read_roles(self) -> None:
        """Every role with its trust policy (https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html)."""
        items, fault = self.pages("iam", "ListRoles", "Roles")
        what, how = f"roles of account {self.id}", "aws iam get-account-authorization-details --filter Role"
        self._list("iam/roles", "iam-list-roles", "Roles", [_role(item) for item in items], fault, {"IsTruncated": True})
        if fault:
            self.gap(fault, "roles", "", what, how)

    def read_role(self, name: str) -> dict[str, Any] | None:
        """One role by its name, which says nothing of its path."""
        if not _ROLE_NAME.fullmatch(name):
            return None
        answer = self.member_of("iam", "GetRole", "Role", RoleName=name)
        if isinstance(answer, Fault):
            if answer.kind == "absent":
                self.notes.requested("roles", self.id, name.lower())
            else:
                what = f"role {name} of account {self.id}"
                self.gap(answer, "roles", name.lower(), what, f"aws iam get-role --role-name {name}")
            return None
        role = _role(answer)
        self.notes.requested("roles", self.id, name.lower())
        self.notes.answered(f"aws://{self.id}/iam/roles/{name}", "iam-get-role", {"Role": role}, Origin(account=self.id))
        return role

    def read_providers(self, is_relevant: Callable[[str], bool]) -> list[str]:
        """The list of OIDC providers, and each whose issuer is wanted; gives their issuers."""
        answer = self.ask("iam", "ListOpenIDConnectProviders")
        what, how = f"OIDC providers of account {self.id}", "aws iam list-open-id-connect-providers"
        if not isinstance(answer, Fault) and not isinstance(answer.get("OpenIDConnectProviderList"), list):
            answer = _no_answer("iam:ListOpenIDConnectProviders", "OpenIDConnectProviderList")
        if isinstance(answer, Fault):
            self.gap(answer, "providers", "", what, how)
            return []
        items = [fields.listed_provider(item) for item in answer["OpenIDConnectProviderList"]]
        self._list("iam/oidc-providers", "iam-list-open-id-connect-providers", "OpenIDConnectProviderList", items)
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
        if isinstance(answer, Fault):
            how = f"aws iam get-open-id-connect-provider --open-id-connect-provider-arn {arn}"
            self.gap(answer, "client-ids", "", f"client ids of {arn}", how, owner=arn)
            return
        path = f"aws://{self.id}/iam/oidc-providers/{issuer}"
        self.notes.answered(path, "iam-get-open-id-connect-provider", fields.provider(answer), Origin(account=self.id))

    # EKS

    def read_clusters(self, region: str) -> None:
        """Every cluster of a region, with its Pod Identity associations."""
        jobs = [
            Job(partial(self._read_cluster_whole, name, region), self._late_cluster(name, region))
            for name in self._list_clusters(region)
        ]
        side_by_side(jobs, self.clock, self.notes)

    def _list_clusters(self, region: str) -> list[str]:
        names, fault = self.pages("eks", "ListClusters", "clusters", region)
        self._list(f"eks/{region}/clusters", "eks-list-clusters", "clusters", names, fault, {"nextToken": "more"}, region)
        if fault:
            what, how = f"clusters of account {self.id} in {region}", f"aws eks list-clusters --region {region}"
            self.gap(fault, "clusters", region, what, how)
        return [str(name) for name in names]

    def _late_cluster(self, name: str, region: str) -> Gap:
        return self.late("cluster", "", f"issuer of cluster {name}", self.cluster_arn(name, region))

    def cluster_arn(self, name: str, region: str) -> str:
        """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html"""
        return f"arn:{self.partition}:eks:{region}:{self.id}:cluster/{name}"

    def _read_cluster_whole(self, name: str, region: str) -> None:
        if self.read_cluster(name, region):
            self.read_associations(name, region)

    def read_cluster(self, name: str, region: str) -> dict[str, Any] | None:
        """One cluster by its name; None where there is none of it, or its description is not to be had."""
        answer = self.member_of("eks", "DescribeCluster", "cluster", region, name=name)
        if not isinstance(answer, Fault):
            return self._noted(answer, name, region)
        if answer.kind != "absent":
            how = f"aws eks describe-cluster --name {name} --region {region}"
            self.gap(answer, "cluster", "", f"issuer of cluster {name}", how, self.cluster_arn(name, region))
        return None

    def _noted(self, answer: Mapping[str, Any], name: str, region: str) -> dict[str, Any]:
        kept = fields.cluster(dict(answer))
        cluster: dict[str, Any] = kept if isinstance(kept, dict) else {}
        origin = Origin(account=self.id, region=region)
        path = f"aws://{self.id}/eks/{region}/clusters/{name}"
        self.notes.answered(path, "eks-describe-cluster", {"cluster": cluster}, origin)
        self.endpoints[str(cluster.get("endpoint"))] = str(cluster.get("arn"))
        return cluster

    def find_cluster(
        self, matches_target: Callable[[Mapping[str, Any]], bool], region: str, hints: Iterable[str]
    ) -> dict[str, Any] | None:
        """The cluster of a region that is the one: the hinted names are tried first, then all."""
        for name in dict.fromkeys(hints):
            answer = self.member_of("eks", "DescribeCluster", "cluster", region, name=name)
            if not isinstance(answer, Fault) and matches_target(answer):
                return self._noted(answer, name, region)
        names = self._list_clusters(region)
        matches: list[dict[str, Any]] = []

        def look(name: str) -> None:
            cluster = self.read_cluster(name, region)
            if cluster and matches_target(cluster):
                matches.append(cluster)

        jobs = [Job(partial(look, name), self._late_cluster(name, region)) for name in names]
        side_by_side(jobs, self.clock, self.notes)
        return matches[0] if matches else None

    def read_associations(self, name: str, region: str, namespace: str = "", service_account: str = "") -> list[str]:
        """Pod Identity associations of a cluster, those of one service account where it is named; gives their roles."""
        only: dict[str, Any] = {"namespace": namespace, "serviceAccount": service_account} if service_account else {}
        items, fault = self.pages("eks", "ListPodIdentityAssociations", "associations", region, clusterName=name, **only)
        arn, key = self.cluster_arn(name, region), f"{namespace}/{service_account}" if service_account else ""
        origin = Origin(account=self.id, region=region, cluster=arn, partial=bool(only))
        kept = [fields.association(item) for item in items]
        path = f"eks/{region}/clusters/{name}/pod-identity-associations"
        self._list(
            path, "eks-list-pod-identity-associations", "associations", kept, fault, {"nextToken": "more"}, region, origin
        )
        if fault:
            what, how = f"Pod Identity associations of cluster {name}", "aws eks list-pod-identity-associations --cluster-name"
            self.gap(fault, "associations", key, what, f"{how} {name} --region {region}", arn)
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
        if isinstance(answer, Fault):
            if answer.kind != "absent":
                how = f"aws eks describe-pod-identity-association --cluster-name {name} --association-id {ident}"
                what = f"role of Pod Identity association {ident} of cluster {name}"
                self.gap(answer, "association", key, what, how, origin.cluster)
            return
        association = fields.association(answer)
        path = f"aws://{self.id}/eks/{region}/clusters/{name}/pod-identity-associations/{ident}"
        whole = msgspec.structs.replace(origin, partial=False)
        self.notes.answered(path, "eks-describe-pod-identity-association", {"association": association}, whole)
        roles.append(str(answer.get("roleArn") or ""))

    # Organizations

    def read_guardrails(self) -> None:
        """The resource control policies over this account, from the account up to the root; over the management account
        they have no effect. Only that one and delegated administrators may ask
        (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html)."""
        organization = self.member_of("organizations", "DescribeOrganization", "Organization")
        if isinstance(organization, dict) and organization.get("MasterAccountId") == self.id:
            return
        fault = organization if isinstance(organization, Fault) else None
        target = self.id if fault is None else ""
        policies: dict[str, None] = {}
        for _ in range(_ORGANIZATION_DEPTH if target else 0):
            parameters: dict[str, Any] = {"TargetId": target, "Filter": "RESOURCE_CONTROL_POLICY"}
            attached, fault = self.pages("organizations", "ListPoliciesForTarget", "Policies", **parameters)
            policies.update(dict.fromkeys(str(item.get("Id")) for item in attached))
            if fault or target.startswith("r-"):
                break
            above, fault = self.pages("organizations", "ListParents", "Parents", ChildId=target)
            if fault or not above:
                break
            target = str(above[0].get("Id"))
        for ident in policies:
            answer = self.member_of("organizations", "DescribePolicy", "Policy", PolicyId=ident)
            if isinstance(answer, Fault):
                fault = fault or answer
                continue
            path = f"aws://{self.id}/organizations/policies/{ident}"
            document = {"Policy": fields.organizations_policy(answer)}
            self.notes.answered(path, "organizations-describe-policy", document, Origin(account=self.id))
        if fault and fault.kind != "absent":
            what = f"resource control policies over account {self.id}"
            how = f"aws organizations list-policies-for-target --filter RESOURCE_CONTROL_POLICY --target-id {self.id}"
            self.gap(fault, "rcps", "", what, how)

    # CloudTrail

    def lookup_events(self, region: str, limit: int = 500) -> tuple[list[dict[str, Any]], Fault | None]:
        """The last events of AssumeRoleWithWebIdentity in a region, the newest first, without credentials
        (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html)."""
        attributes = [{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithWebIdentity"}]
        # a busy account has a hundred thousand of them, and two calls a second are answered
        items, fault = self.pages("cloudtrail", "LookupEvents", "Events", region, limit, LookupAttributes=attributes)
        return [_event(item) for item in items], fault

    def _list(
        self,
        path: str,
        kind: AnswerKind,
        key: str,
        items: Sequence[object],
        fault: Fault | None = None,
        more: Mapping[str, object] = {},
        region: str = "",
        origin: Origin | None = None,
    ) -> None:
        """Note a list; one that may have more says so as the API would."""
        if fault and not items:
            return
        document = {key: list(items), **(more if fault else {})}
        self.notes.answered(f"aws://{self.id}/{path}", kind, document, origin or Origin(account=self.id, region=region))


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
    except (msgspec.DecodeError, RecursionError):
        return members
    if isinstance(detail, dict):
        detail.pop("responseElements", None)
        members["CloudTrailEvent"] = without_secrets(msgspec.json.encode(detail)).decode()
    return members


def _no_answer(action: str, key: str) -> Fault:
    return Fault("other", f"{action}: what was answered is no answer of AWS (no {key})")


def _up(clock: Clock) -> str:
    return f"no answer within the {clock.whole:g} s that --timeout gives"


def _fault(error: Exception, action: str = "", caller: str = "") -> Fault:
    """An exception of botocore as a value."""
    from botocore.exceptions import ClientError

    about = f"{action}: " if action else ""
    if not isinstance(error, ClientError):
        return _fault_on_the_way(error, about)
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = shortened(str(error.response.get("Error", {}).get("Message", "")))
    kind = _KINDS.get(code, "other")
    if kind == "denied":
        reason = _REASON.search(message)
        to = f" to {caller}" if caller else ""
        return Fault(kind, f"{action} is denied{to}" + (f" because {reason['why']}" if reason else ""))
    if kind == "credentials":
        hint = "sign in again" if "xpired" in code else "check them with aws sts get-caller-identity"
        return Fault(kind, f"{about}AWS does not accept the credentials, {hint} ({code}: {message})")
    if kind == "throttled":
        return Fault(kind, f"{about}throttled, {_ATTEMPTS} times in a row ({code})")
    if code.isdecimal():
        return Fault("other", f"{about}HTTP {code}, and no answer of AWS")
    return Fault(kind, f"{about}{code}: {message}")


def _fault_on_the_way(error: Exception, about: str) -> Fault:
    """What went wrong before or after AWS had the request."""
    from botocore import exceptions

    message = shortened(str(error))
    missing = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError)
    expired = (
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
        exceptions.UnauthorizedSSOTokenError,
        exceptions.CredentialRetrievalError,
    )
    if isinstance(error, missing):
        return Fault("credentials", "no credentials were found: name a --profile, or set them up as for the AWS CLI")
    if isinstance(error, expired):
        return Fault("credentials", f"the credentials cannot be had, sign in again ({message})")
    if isinstance(error, exceptions.ProfileNotFound):
        return Fault("credentials", message)
    if isinstance(error, exceptions.SSLError):
        return Fault("unreachable", f"{about}no trusted TLS connection ({message})")
    if isinstance(error, exceptions.ReadTimeoutError | exceptions.ConnectTimeoutError):
        return Fault("unreachable", f"{about}no answer in time ({message})")
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return Fault("unreachable", f"{about}cannot be reached ({message})")
    if not isinstance(error, exceptions.BotoCoreError):
        return Fault("other", f"{about}what was answered is no answer of AWS ({type(error).__name__})")
    return Fault("other", f"{about}{message}")
