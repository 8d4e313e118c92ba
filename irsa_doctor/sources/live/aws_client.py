"""Calls AWS through boto3: credentials, single calls, pages of lists, and notes of what could not be read."""

import os
import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from irsa_doctor.model import Gap, parse_arn
from irsa_doctor.sources.live import aws_errors
from irsa_doctor.sources.live.aws_errors import BadEndpoint, call_error, cut_short, no_answer, no_credentials, timed_out
from irsa_doctor.sources.live.calls import Clock, Notes
from irsa_doctor.sources.live.errors import CallError
from irsa_doctor.sources.live.operations import PAGES, allowed
from irsa_doctor.sources.live.options import LiveOptions
from irsa_doctor.sources.live.programs import AwsProgram
from irsa_doctor.sources.snapshot.snapshot import AnswerKind, Origin
from irsa_doctor.text.errors import LiveError
from irsa_doctor.version import __version__

_ORGANIZATION_DEPTH = 10
_ACCOUNT = re.compile(r"[0-9]{12}")
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


class NotARead(RuntimeError):
    """A call that is not in the table of operations; a bug, stopped before anything is sent."""


def _end_programs_of(session: Any) -> None:
    """Make the programs that give a session of boto3 credentials end with the run: that of its profile, and that of another
    with which it assumes a role. botocore starts them itself."""
    from botocore.credentials import ProcessProvider

    def started(profile: str) -> Any:
        return ProcessProvider(profile, lambda: session._session.full_config, popen=AwsProgram)

    chain = session._session.get_component("credential_provider")
    chain.insert_before(ProcessProvider.METHOD, started(session.profile_name))
    for provider in chain.providers:
        if builder := getattr(provider, "_profile_provider_builder", None):
            builder._create_process_provider = started


class AwsClient:
    """Calls the APIs of one AWS account with one set of credentials; every call is checked against the table of operations."""

    def __init__(self, profile: str, assume: str, options: LiveOptions, command: str, clock: Clock, notes: Notes) -> None:
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
        self._slots = threading.BoundedSemaphore(options.at_once)
        self._clients: dict[tuple[str, str], Any] = {}
        self.endpoints: dict[str, str] = {}
        self.modes: dict[str, str] = {}
        """ARN of a described cluster -> its authentication mode"""
        """URL of an API server -> ARN of its cluster, of those that were described"""
        self._session: Any = None

    def open(self) -> None:
        """Find the credentials and whose they are; raises LiveError."""
        self._session = self._opened()
        answer = self.ask("sts", "GetCallerIdentity")
        if isinstance(answer, CallError):
            raise LiveError(f"AWS{self._with}: {answer.says}")
        account, self.caller = str(answer.get("Account")), str(answer.get("Arn"))
        if not _ACCOUNT.fullmatch(account):
            raise LiveError(f"AWS{self._with}: sts:GetCallerIdentity: the answer is not one of AWS")
        self.id = account
        arn = parse_arn(self.caller)
        self.partition = arn.partition if arn else "aws"
        self.options.progress(f"AWS account {self.id}: signed in")

    def close(self) -> None:
        """Let go of the connections; a thread that was left behind may still be making one, and is not waited for."""
        if self._lock.acquire(blocking=False):
            try:
                for client in self._clients.values():
                    client.close()
            finally:
                self._lock.release()

    @property
    def _with(self) -> str:
        return f" profile {self.profile}" if self.profile else f" role {self.assume}" if self.assume else ""

    @property
    def region(self) -> str:
        """The region of the configuration, "" where it names none; most SDKs know AWS_REGION, boto3 does not."""
        configured = self._session.region_name if self._session else None
        return str(configured or os.environ.get("AWS_REGION", ""))

    def _opened(self) -> Any:
        """A session of boto3 with credentials, if there are any. The program or file that provides them may fail in any way."""
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            session = boto3.Session(profile_name=self.profile or None)
            _end_programs_of(session)
            if credentials := session.get_credentials():
                credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            raise LiveError(f"AWS{self._with}: {call_error(error, getattr(error, 'operation_name', '')).says}") from error
        except Exception as error:
            raise LiveError(f"AWS{self._with}: {no_credentials(error).says}") from error
        return self._assumed(session) if self.assume else session

    def _assumed(self, base: Any) -> Any:
        """The session of the role that is to be read as: getting credentials is no read, and so not among the operations."""
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        region = base.region_name or self._fallback_region()
        try:
            with closing(base.client("sts", region_name=region, config=self._config())) as client:
                external = {"ExternalId": self.options.external_id} if self.options.external_id else {}
                answer = client.assume_role(RoleArn=self.assume, RoleSessionName="irsa-doctor", **external)
        except (BotoCoreError, ClientError) as error:
            raise LiveError(f"AWS role {self.assume}: {call_error(error, 'sts:AssumeRole').says}") from error
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
            retries={"mode": "adaptive", "total_max_attempts": aws_errors.ATTEMPTS},
            user_agent_extra=f"irsa-doctor/{__version__}",
            max_pool_connections=16,
        )

    def _client(self, service: str, region: str) -> Any:
        from botocore.handlers import json_decode_policies

        with self._lock:
            key = service, region
            if key not in self._clients:
                try:
                    client = self._session.client(service, region_name=region, config=self._config())
                except ValueError as error:
                    # botocore's own errors, of regions for example, may be of this kind too
                    raise error if type(error) is not ValueError else BadEndpoint() from error
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
        self.options.pace(called[0])

    def ask(self, service: str, operation: str, region: str = "", **parameters: object) -> dict[str, Any] | CallError:
        """One call. Retries are botocore's: what comes back throttled was tried several times."""
        from botocore import xform_name

        try:
            client = self._client(service, region or self.region or self._fallback_region())
            with self._slots:
                answer = getattr(client, xform_name(operation))(**parameters)
        except NotARead:
            raise
        except Exception as error:  # noqa: BLE001 - botocore raises anything where an answer is none of AWS
            return call_error(error, f"{service}:{operation}", self.caller)
        return dict(answer)

    def member_of(
        self, service: str, operation: str, key: str, region: str = "", **parameters: object
    ) -> dict[str, Any] | CallError:
        """One call, of whose answer one member is wanted."""
        answer = self.ask(service, operation, region, **parameters)
        if isinstance(answer, CallError):
            return answer
        value = answer.get(key)
        return value if isinstance(value, dict) else no_answer(f"{service}:{operation}", key)

    def pages(
        self, service: str, operation: str, key: str, region: str = "", most: int = 0, **parameters: object
    ) -> tuple[list[Any], CallError | None]:
        """All items of a list, or the first `most`, and why there may be more: what was read before a page failed is kept."""
        from botocore import xform_name

        items: list[Any] = []
        size = {"PageSize": PAGES[operation]} if operation in PAGES else {}
        size |= {"MaxItems": most} if most else {}
        try:
            client = self._client(service, region or self.region or self._fallback_region())
            with self._slots:
                for page in client.get_paginator(xform_name(operation)).paginate(PaginationConfig=size, **parameters):
                    # an empty list is one that says so
                    if not isinstance(page.get(key), list):
                        return items, no_answer(f"{service}:{operation}", key)
                    items += page[key]
                    self.options.progress(f"AWS account {self.id}: {operation}, {len(items)} so far")
                    if not self.clock.left():
                        return items, CallError("unreachable", f"{service}:{operation}: {timed_out(self.clock)}")
                    if page.get("IsTruncated") and not page.get("Marker"):
                        return items, cut_short(f"{service}:{operation}")
        except NotARead:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return items, call_error(error, f"{service}:{operation}", self.caller)
        return items, None

    def gap(self, fault: CallError, collection: str, name: str, what: str, how: str, owner: str | None = None) -> None:
        """Note that something of the account is not known, or of another owner ("" any), with the permission by name."""
        missing = f"{what}: {fault.says}"
        if fault.kind == "denied":
            how = f"allow it (irsa-doctor permissions {self.command} prints the policy)"
        self.notes.gap(Gap(collection, self.id if owner is None else owner, name, missing, how))

    def late(self, collection: str, name: str, what: str, owner: str = "") -> Gap:
        """What to note where the time is up before an answer came."""
        return Gap(collection, owner or self.id, name, f"{what}: {timed_out(self.clock)}", "a longer --timeout")

    def note_list(
        self,
        path: str,
        kind: AnswerKind,
        key: str,
        items: Sequence[object],
        fault: CallError | None = None,
        more: Mapping[str, object] = {},
        region: str = "",
        origin: Origin | None = None,
    ) -> None:
        """Note a list; one that may have more says so as the API would."""
        if fault and not items:
            return
        document = {key: list(items), **(more if fault else {})}
        self.notes.answered(f"aws://{self.id}/{path}", kind, document, origin or Origin(account=self.id, region=region))
