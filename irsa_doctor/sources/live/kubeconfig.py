"""Finds the connection to an API server: a context of kubeconfig files, or the service account inside a cluster."""

import os
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from irsa_doctor.sources.live.calls import shortened
from irsa_doctor.sources.live.programs import run_to_end
from irsa_doctor.text.errors import LiveError
from irsa_doctor.text.named_files import open_named
from irsa_doctor.text.os_errors import os_error_reason
from irsa_doctor.text.yaml_errors import yaml_error_reason

IN_CLUSTER = "/var/run/secrets/kubernetes.io/serviceaccount"
_FILES = {"cluster": ("certificate-authority",), "user": ("client-certificate", "client-key", "tokenFile")}
_EXEC_VERSIONS = tuple(f"client.authentication.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
_EXEC_LIMIT = 60.0
_LARGEST = 16 << 20


class ConfigFault(Exception):
    """The kubeconfig names no usable API server, or its program printed no credentials; the text is one sentence."""


class Detour(msgspec.Struct, frozen=True):
    """What a kubeconfig says of the way of requests, and for whom they are: the URL of a proxy, the name in the certificate of
    the server, and headers (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/)."""

    proxy: str = ""
    server_name: str = ""
    headers: tuple[tuple[str, str], ...] = ()


_DIRECT = Detour()


class Connection:
    """One context: the URL of its API server and the credentials of its requests."""

    def __init__(self, config: Any, hints: Iterable[str], detour: Detour = _DIRECT) -> None:
        self.config = config
        self.detour = detour
        self.context = str(config.context_name)
        self.server = str(config.cluster.server)
        self.hints = tuple(hints)
        """names by which the cluster may be known to EKS; hints only, never proof"""

    @property
    def entry(self) -> str:
        """What the kubeconfig calls the cluster: the entry of the context, in a pod the context itself."""
        return self.hints[0] if self.hints else self.context

    @property
    def is_named(self) -> bool:
        """Whether a kubeconfig calls the cluster by a name; in a pod every cluster is called the same."""
        return bool(self.hints)

    def client(self, timeout: float) -> Any:
        """Return an HTTP client for the context; raises ConfigFault."""
        from lightkube.config import client_adapter
        from lightkube.core.exceptions import ConfigError

        try:
            user = self.config.user
            auth = _exec_auth(user.exec, self.server) if user and user.exec else client_adapter.user_auth(user)
            verify = client_adapter.verify_cluster(self.config.cluster, user or _nobody(), self.config.abs_file)
            httpx = _httpx()
            limits = httpx.Timeout(timeout, connect=min(5.0, timeout))
            return httpx.Client(
                base_url=self.server,
                verify=verify,
                auth=auth,
                timeout=limits,
                follow_redirects=False,
                headers=[(name.encode(), value.encode()) for name, value in self.detour.headers],
                proxy=self._proxy(),
            )
        except (ConfigError, OSError, ValueError, TypeError) as error:
            raise ConfigFault(self._why_unusable()) from error
        except _httpx().InvalidURL as error:
            raise ConfigFault(f"{self.server} is not a valid URL of an API server") from error

    @property
    def extensions(self) -> dict[str, str]:
        """What every request says to the HTTP library."""
        return {"sni_hostname": self.detour.server_name} if self.detour.server_name else {}

    def _proxy(self) -> str | None:
        """The proxy of the cluster's entry, None for that of the environment, if any; raises ConfigFault."""
        proxy = self.detour.proxy
        if proxy and urlsplit(proxy).scheme not in ("http", "https"):
            raise ConfigFault(f"the proxy-url of context {self.context} is not http or https, which alone are supported")
        return proxy or None

    def _why_unusable(self) -> str:
        user, cluster = self.config.user or _nobody(), self.config.cluster
        for file in filter(None, (cluster.certificate_auth, user.client_cert, user.client_key)):
            try:
                Path(file).read_bytes()
            except (OSError, ValueError) as error:
                return f"{file}: {os_error_reason(error)}"
        if user.auth_provider:
            return f"the user of context {self.context} has an auth-provider, which is not supported: use exec or a token"
        return f"a certificate or key of context {self.context} is not valid"

    def broken_off(self) -> tuple[type[Exception], ...]:
        """Return the exceptions of a request that was under way when the connection ended."""
        httpx = _httpx()
        return httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError

    def errors(self) -> tuple[type[Exception], ...]:
        """Return the exceptions that a failed request raises."""
        from lightkube.core.exceptions import ConfigError

        httpx = _httpx()
        return httpx.HTTPError, httpx.InvalidURL, ConfigError, OSError


def _httpx() -> Any:
    """The HTTP library that lightkube uses: its name changed with the versions."""
    from lightkube.config import client_adapter

    return vars(client_adapter)["httpx"]


def connections(contexts: Sequence[str], kubeconfig: str) -> list[Connection]:
    """Return the connections of the named contexts, else of the current one, else of the surrounding cluster; raises LiveError.

    Files are found as kubectl does: the named one, those of $KUBECONFIG, ~/.kube/config
    (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/).
    """
    from lightkube.core.exceptions import ConfigError

    paths = _paths(kubeconfig)
    try:
        if not paths:
            return [_inside()]
        merged = _merged(paths)
        config = _kubeconfig(merged, paths[0])
        return [_connection(config, merged, name) for name in contexts or (str(merged.get("current-context") or ""),)]
    except ConfigFault as error:
        raise LiveError(f"Kubernetes: {error}") from error
    except ConfigError as error:
        raise LiveError("Kubernetes: the kubeconfig is not valid") from error


def _paths(kubeconfig: str) -> list[Path]:
    if kubeconfig:
        return [Path(kubeconfig)]
    if listed := [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]:
        return listed
    usual = Path.home() / ".kube" / "config"
    return [usual] if usual.is_file() else []


def _inside() -> Connection:
    from lightkube.config.kubeconfig import KubeConfig

    if "KUBERNETES_SERVICE_HOST" not in os.environ or not Path(IN_CLUSTER, "token").is_file():
        raise ConfigFault("no kubeconfig found: name one with --kubeconfig, or run inside a cluster")
    config: Any = KubeConfig.from_service_account(IN_CLUSTER).get()
    return Connection(config._replace(context_name="in-cluster"), ())


def _merged(paths: Sequence[Path]) -> dict[str, Any]:
    """All files as one: of two entries of a name the first is taken; relative paths are those of their own file."""
    merged: dict[str, Any] = {"clusters": [], "contexts": [], "users": []}
    has_file = False
    for path in paths:
        members = _read(path)
        if members is None:
            continue
        has_file = True
        merged.setdefault("current-context", members.get("current-context") or None)
        merged["current-context"] = merged["current-context"] or members.get("current-context")
        for section in ("clusters", "contexts", "users"):
            known = {entry["name"] for entry in merged[section]}
            merged[section] += [entry for entry in _entries(members, section, path) if entry["name"] not in known]
    if not has_file:
        raise ConfigFault(f"no kubeconfig found at {', '.join(map(str, paths))}")
    return merged


def _read(path: Path) -> dict[str, Any] | None:
    import yaml

    try:
        with open_named(str(path.expanduser())) as stream:
            text = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigFault(f"{path}: {os_error_reason(error)}") from error
    if len(text) > _LARGEST:
        raise ConfigFault(f"{path}: larger than {_LARGEST >> 20} MiB: not a kubeconfig")
    try:
        # PyYAML may be built without libyaml
        value = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigFault(f"{path}: not valid YAML: {yaml_error_reason(error)}") from error
    if not isinstance(value, dict):
        raise ConfigFault(f"{path}: not a kubeconfig")
    return value


def _entries(members: Mapping[str, Any], section: str, path: Path) -> Iterator[dict[str, Any]]:
    inner = section.removesuffix("s")
    items = members.get(section) or []
    for entry in items if isinstance(items, list) else []:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            continue
        value = dict(entry.get(inner) or {}) if isinstance(entry.get(inner) or {}, dict) else {}
        for name in _FILES.get(inner, ()):
            if isinstance(value.get(name), str):
                value[name] = str(path.expanduser().absolute().parent / value[name])
        if isinstance(program := value.get("exec"), dict):
            value["exec"] = _program(program, path)
        yield {"name": entry["name"], inner: value}


def _program(program: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """A command with a slash in it is a path, relative to its file; a bare name is looked up."""
    command = program.get("command")
    if isinstance(command, str) and os.sep in command:
        command = str(path.expanduser().absolute().parent / command)
    # kubectl writes `args: null` and `env: null`
    return {**{name: value for name, value in program.items() if value is not None}, "command": command}


def _kubeconfig(merged: dict[str, Any], path: Path) -> Any:
    from lightkube.config.kubeconfig import KubeConfig

    for section in ("clusters", "contexts", "users"):
        for entry in merged[section]:
            try:
                KubeConfig.from_dict({"clusters": [], "contexts": [], "users": [], section: [entry]}, fname=path)
            except (msgspec.ValidationError, KeyError, TypeError, ValueError) as error:
                kind = section.removesuffix("s")
                raise ConfigFault(
                    f"{path}: {kind} {entry['name']} is not valid: a value is missing or of the wrong kind"
                ) from error
    return KubeConfig.from_dict(merged, fname=path)


def _connection(config: Any, merged: Mapping[str, Any], name: str) -> Connection:
    if not name:
        raise ConfigFault("the kubeconfig has no current context: name one with --kube-context")
    if name not in config.contexts:
        known = ", ".join(sorted(config.contexts)) or "none"
        raise ConfigFault(f"no context {name} in the kubeconfig, which has {known}")
    context = config.contexts[name]
    if context.cluster not in config.clusters:
        raise ConfigFault(f"context {name} names the cluster {context.cluster}, which is not in the kubeconfig")
    if context.user and context.user not in config.users:
        raise ConfigFault(f"context {name} names the user {context.user}, which is not in the kubeconfig")
    return Connection(config.get(name), _hints(config.get(name)), _detour(merged, context.cluster, context.user))


def _detour(merged: Mapping[str, Any], cluster: str, user: str | None) -> Detour:
    """What the kubeconfig says that the models of the client do not have."""
    of_cluster: Mapping[str, Any] = next((entry["cluster"] for entry in merged["clusters"] if entry["name"] == cluster), {})
    of_user: Mapping[str, Any] = next((entry["user"] for entry in merged["users"] if entry["name"] == user), {})
    groups, extra = of_user.get("as-groups") or [], of_user.get("as-user-extra") or {}
    if not isinstance(extra, dict) or not all(isinstance(values, list) for values in (groups, *extra.values())):
        raise ConfigFault(f"user {user} is not valid: groups and extra values to act as are no lists")
    headers = [("Impersonate-User", of_user.get("as")), ("Impersonate-Uid", of_user.get("as-uid"))]
    headers += [("Impersonate-Group", group) for group in groups]
    for key, values in extra.items():
        headers += [(f"Impersonate-Extra-{quote(str(key).lower(), safe='')}", value) for value in values]
    return Detour(
        proxy=str(of_cluster.get("proxy-url") or ""),
        server_name=str(of_cluster.get("tls-server-name") or ""),
        headers=tuple((name, str(value)) for name, value in headers if value),
    )


def _hints(config: Any) -> Iterator[str]:
    """What `aws eks update-kubeconfig` writes: the cluster's ARN as its name, and its name for `aws eks get-token`."""
    yield str(config.context.cluster)
    program = config.user.exec if config.user else None
    arguments = list(program.args or ()) if program else []
    for flag, value in pairwise(arguments):
        if flag in ("--cluster-name", "--cluster-id", "-i"):
            yield str(value)


def _nobody() -> Any:
    from lightkube.config.models import User

    return User()


def _exec_auth(program: Any, server: str) -> Any:
    """Authentication by a program, as client-go does it
    (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins)."""
    if program.apiVersion not in _EXEC_VERSIONS:
        raise ConfigFault(
            f"{program.command} uses {program.apiVersion}, which is not supported; supported: {', '.join(_EXEC_VERSIONS)}"
        )

    class ExecAuth(_httpx().Auth):  # type: ignore[misc]
        """Runs the program once, and again when the API server does not accept its token any more."""

        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.token = ""

        def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
            used = self.current("")
            request.headers["Authorization"] = f"Bearer {used}"
            response = yield request
            if response.status_code == 401:
                request.headers["Authorization"] = f"Bearer {self.current(used)}"
                yield request

        def current(self, refused: str) -> str:
            with self.lock:
                if self.token == refused:
                    self.token = run_program(program, server)
                return self.token

    return ExecAuth()


def run_program(program: Any, server: str) -> str:
    """Return the token that a program of the kubeconfig prints; raises ConfigFault."""
    info = {
        "apiVersion": program.apiVersion,
        "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": {"server": server}},
    }
    variables = {variable.name: variable.value for variable in program.env or ()}
    environment = {**os.environ, **variables, "KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode()}
    command = [program.command, *(program.args or ())]
    try:
        code, printed, complaint = run_to_end(command, environment, _EXEC_LIMIT)
    except FileNotFoundError as error:
        raise ConfigFault(f"{program.command} of the kubeconfig is not installed") from error
    except TimeoutError as error:
        raise ConfigFault(f"{program.command} printed no credentials within {_EXEC_LIMIT:g} s") from error
    except OSError as error:
        raise ConfigFault(f"{program.command}: {os_error_reason(error)}") from error
    if code:
        output = shortened(complaint.decode(errors="replace"))
        raise ConfigFault(f"{program.command} failed (exit {code}){': ' if output else ''}{output}")
    return _token(printed, str(program.command))


def _token(printed: bytes, command: str) -> str:
    try:
        status = msgspec.json.decode(printed)["status"]
        token = status.get("token")
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ConfigFault(f"{command} printed no credentials") from error
    if not isinstance(token, str) or not token or not token.isprintable():
        kind = "a client certificate, which is not supported" if "clientCertificateData" in status else "no token"
        raise ConfigFault(f"{command} printed {kind}")
    return token
