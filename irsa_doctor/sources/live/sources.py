"""The live sources of a run: accounts and API servers, signed in to side by side."""

from collections.abc import Iterator
from functools import partial

from irsa_doctor.model import UNNAMED_CLUSTER, Gap
from irsa_doctor.sources.live.aws import AwsAccount
from irsa_doctor.sources.live.calls import Clock, Job, Notes, first_of_each, side_by_side
from irsa_doctor.sources.live.kubeconfig import Connection, connections
from irsa_doctor.sources.live.kubernetes import ApiServer
from irsa_doctor.sources.live.operations import KUBERNETES
from irsa_doctor.sources.live.options import LiveOptions
from irsa_doctor.sources.live.programs import end_programs
from irsa_doctor.text.errors import LiveError

_AWS = ("roles", "providers", "clusters", "associations", "client-ids", "rcps")
_KUBE = (*(resource.plural for resource in KUBERNETES), "discovery")


class LiveSources:
    """The accounts and API servers that the options name, for one command; what cannot be read is noted."""

    def __init__(self, command: str, options: LiveOptions) -> None:
        self.command = command
        self.options = options
        self.clock = Clock(options.timeout, options.call_timeout)
        self.notes = Notes()
        self.accounts: list[AwsAccount] = []
        self.servers: list[ApiServer] = []
        self._opened: list[AwsAccount | ApiServer] = []

    def open(self) -> None:
        """Sign in to all sources. A source that cannot be read is noted; raises LiveError where none can."""
        faults: list[tuple[str, tuple[str, ...]]] = []
        accounts = [self._account(profile, assume) for profile, assume in self._identities()]
        servers = [self._server(connection) for connection in self._connections(faults)]
        self._opened = [*accounts, *servers]
        jobs = [
            *(Job(partial(self._open, source, _AWS, faults), _source_gap(_AWS[0], self.late("AWS"))) for source in accounts),
            *(
                Job(partial(self._open, source, _KUBE, faults), _source_gap(_KUBE[0], self.late("Kubernetes")))
                for source in servers
            ),
        ]
        side_by_side(jobs, self.clock, self.notes)
        self.accounts = first_of_each((source for source in accounts if source.id), lambda source: source.id)
        self.servers = first_of_each(
            (source for source in servers if source.is_open), lambda source: source.issuer or source.connection.server
        )
        for source in servers:
            if source.is_open and source not in self.servers:
                self.options.progress(
                    f"Kubernetes context {source.context}: a cluster that another context leads to; read once"
                )
        self._judge(faults)
        self._note_unnamed()

    def _note_unnamed(self) -> None:
        """Note the cluster that nothing names: ids of its objects are then the same in any other one."""
        for server in self.servers:
            if not server.connection.is_named:
                missing = f"the name of the cluster: inside of it every cluster is called {server.context} in ids"
                self.notes.gap(Gap(UNNAMED_CLUSTER, "", "", missing, "--kubeconfig FILE, in which its entry has a name"))

    def _identities(self) -> Iterator[tuple[str, str]]:
        if not self.options.aws:
            return
        profiles = self.options.profiles or (() if self.options.assume else ("",))
        yield from ((profile, "") for profile in profiles)
        yield from ((profile, role) for role in self.options.assume for profile in (self.options.profiles[:1] or ("",)))

    def _connections(self, faults: list[tuple[str, tuple[str, ...]]]) -> list[Connection]:
        if not self.options.kube:
            return []
        try:
            return connections(self.options.contexts, self.options.kubeconfig)
        except LiveError as error:
            faults.append((str(error), _KUBE))
            return []

    def _account(self, profile: str, assume: str) -> AwsAccount:
        return AwsAccount(profile, assume, self.options, self.command, self.clock, self.notes)

    def _server(self, connection: Connection) -> ApiServer:
        return ApiServer(connection, self.options, self.command, self.clock, self.notes)

    def _open(self, source: AwsAccount | ApiServer, kinds: tuple[str, ...], faults: list[tuple[str, tuple[str, ...]]]) -> None:
        try:
            source.open()
        except LiveError as error:
            faults.append((str(error), kinds))

    def late(self, name: str) -> str:
        """That a source gave no answer in the time of the run, in words."""
        return f"{name}: no answer within the {self.clock.whole:g} s that --timeout gives"

    def _judge(self, faults: list[tuple[str, tuple[str, ...]]]) -> None:
        needed = self.options.aws or self.options.kube
        if needed and not self.accounts and not self.servers:
            names = [name for name, enabled in (("AWS", self.options.aws), ("Kubernetes", self.options.kube)) if enabled]
            raise LiveError("; ".join(sorted(says for says, _ in faults)) or self.late(" and ".join(names)))
        for says, kinds in faults:
            for kind in kinds:
                self.notes.gap(_source_gap(kind, says))

    def account_of(self, account: str) -> AwsAccount | None:
        """The account with an id, None where none is signed in to."""
        return next((candidate for candidate in self.accounts if candidate.id == account), None)

    def close(self) -> None:
        """Drop later answers, end the programs that still sign in, and close all connections."""
        self.notes.end()
        end_programs()
        for source in self._opened:
            source.close()


def _source_gap(collection: str, says: str) -> Gap:
    return Gap(collection, "", "", says, "")
