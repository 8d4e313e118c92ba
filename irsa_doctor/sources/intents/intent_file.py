"""Reads intent files: strict, so that a slip of the pen grants nothing and loses nobody."""

import re
from typing import get_args

from irsa_doctor.issuers.recognition import profile_of
from irsa_doctor.model import Issuer, is_account_id, is_role_arn, parse_arn
from irsa_doctor.model.intents import IntendedCluster, IntendedRole, IntendedSubject, Intent, Via
from irsa_doctor.model.nearness import suggestion
from irsa_doctor.sources.intents.tags import tags_of
from irsa_doctor.sources.intents.written import IntentError, WrittenIntent, WrittenPart, as_scalar
from irsa_doctor.text.named_files import open_named
from irsa_doctor.text.os_errors import os_error_reason

_VERSION = 1
_LARGEST = 4 << 20
"""Bytes. Nobody reviews more than that by hand."""
_TOP = ("intent", "account", "partition", "clusters", "roles", "max-policy-size", "split")
_CLUSTER = ("issuer", "arn", "audience", "account")
_ROLE = (
    *("service-accounts", "namespaces", "clusters", "account", "via", "audience", "policies", "permissions-boundary"),
    *("max-session", "max-policy-size", "split", "description", "tags"),
)
_PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc")
_CLUSTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
_CLUSTER_ARN = re.compile(r"arn:aws[a-z-]*:eks:[a-z0-9-]+:\d{12}:cluster/[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(aws|\d{12}):policy/[\w+=,.@/-]*[\w+=,.@-]", re.ASCII)
# https://www.rfc-editor.org/rfc/rfc3986#section-2 without what policies, templates and shells read otherwise
_ISSUER = re.compile(r"https://[A-Za-z0-9._~:%-]+(/[A-Za-z0-9._~:@!&'()+,;=%/-]*[A-Za-z0-9._~:@!&'()+,;=%-])?")
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_ACCOUNT_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_ROLE_NAME = re.compile(r"([\w+=,.@-]+/)*[\w+=,.@-]+", re.ASCII)
_LONGEST_NAME = 64
_LONGEST_PATH = 512
_LONGEST_AUDIENCE = 255
_LONGEST_DESCRIPTION = 1000
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html: none but tab, line feed and carriage return
_CONTROL = re.compile(r"[^\x09\x0a\x0d\x20-\x7e\xa0-\U0010ffff]")
_SIZES = (512, 8192)
_SESSIONS = (3600, 43200)


def read_intent(path: str) -> Intent:
    """The intent of a file. Raises IntentError, with the line, where it is none or cannot be used."""
    return intent_of(path, _bytes_of(path))


def looks_like_intent(path: str) -> bool:
    """Whether a file is meant to be an intent, right or wrong: a mapping with the key `intent`. Never raises."""
    try:
        raw = _bytes_of(path)
        value = WrittenIntent(path, raw).value if b"intent" in raw else None
    except IntentError:
        return False
    return isinstance(value, dict) and "intent" in value


def _bytes_of(path: str) -> bytes:
    try:
        with open_named(path) as stream:
            raw = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = os_error_reason(error) if isinstance(error, OSError) else str(error)
        raise IntentError(path, 0, f"cannot be read: {reason}") from None
    if len(raw) > _LARGEST:
        raise IntentError(path, 0, f"is larger than {_LARGEST >> 20} MiB, so hardly an intent")
    return raw


def intent_of(file: str, raw: bytes) -> Intent:
    """The intent of a text. Raises IntentError."""
    written = WrittenIntent(file, raw)
    top = WrittenPart(written, written.value)
    if not isinstance(written.value, dict) or "intent" not in written.value:
        raise IntentError(file, 1, f'no intent: an intent file begins with "intent: {_VERSION}"')
    version = top.at("intent")
    if type(version.value) is not int or version.value != _VERSION:
        version.wrong(f"version {version.value} of the format is not known: this release reads intent: {_VERSION}")
    top.mapping("an intent", _TOP)
    for name in ("clusters", "roles"):
        if not top.has(name):
            raise IntentError(file, 1, f'"{name}" is missing: who is meant by this intent?')
    return _Reader(top).intent()


class _Reader:
    """One intent file, read from the top."""

    def __init__(self, top: WrittenPart) -> None:
        self._top = top
        self._account = _account(top.at("account")) if top.has("account") else ""
        self._limit = _limit(top)
        self._split = top.at("split").is_true("split") if top.has("split") else False
        self._partition = _partition(top.at("partition")) if top.has("partition") else ""
        self._clusters = tuple([_cluster(part) for part in top.at("clusters").mapping("clusters").members()])
        self._names = [cluster.name for cluster in self._clusters]

    def intent(self) -> Intent:
        """The whole file."""
        roles = self._top.at("roles").mapping("roles").members()
        read = tuple([self._role(part) for part in roles])
        known: dict[str, WrittenPart] = {}
        for role, part in zip(read, roles, strict=True):
            # names are unique in an account whatever their case and path
            same = known.setdefault(f"{role.account}/{role.name}".lower(), part)
            if same is not part:
                part.wrong_name(f"{part.name} and {same.name} are one role: IAM takes a name once in an account")
        return Intent(file=self._top.written.file, clusters=self._clusters, roles=read)

    def _role(self, part: WrittenPart) -> IntendedRole:
        whole = part.value if isinstance(part.value, dict) else {"service-accounts": part.value}
        body = WrittenPart(part.written, whole, *part.steps)
        options = body.mapping(f"role {part.name}", _ROLE) if whole is part.value else body
        clusters = self._chosen(options.at("clusters")) if options.has("clusters") else self._names
        subjects = [*self._accounts(part, options, clusters), *_namespaces(options, clusters)]
        if not subjects:
            (part if whole is not part.value else options).wrong_name(
                f"nobody may be {part.name}: name a service account as NAMESPACE/NAME, or leave the role out"
            )
        part.refuse_placeholder("role", part.name, name=True)
        partition, account, path, name = self._named(part, options, subjects)
        via = options.at("via").value if options.has("via") else "irsa"
        if via not in get_args(Via):
            near = suggestion(str(via), get_args(Via))
            options.at("via").wrong(f"via is {' or '.join(get_args(Via))}, not {as_scalar(via)}.{near}".removesuffix("."))
        return IntendedRole(
            partition=partition,
            account=account,
            path=path,
            name=name,
            subjects=tuple(subjects),
            via="pod-identity" if via == "pod-identity" else "irsa",
            audience=_audience(options),
            reasons=dict(options.at("namespaces").value) if options.has("namespaces") else {},  # type: ignore[call-overload]
            policies=_policies(options),
            boundary=_policy_arn(options.at("permissions-boundary")) if options.has("permissions-boundary") else "",
            max_session=options.at("max-session").number("max-session", *_SESSIONS) if options.has("max-session") else 0,
            limit=_limit(options) or self._limit,
            split=options.at("split").is_true("split") if options.has("split") else self._split,
            description=_description(options),
            tags=tags_of(options),
            line=part.line,
        )

    def _chosen(self, part: WrittenPart) -> list[str]:
        """The clusters of a list."""
        names = [self._known_cluster(item) for item in part.listed("clusters")]
        if not names:
            part.wrong("clusters is empty: leave it out for all clusters, or name one")
        _refuse_repeated(part.items(), names)
        return names

    def _known_cluster(self, part: WrittenPart) -> str:
        name = part.value
        if name not in self._names:
            part.wrong(f'no cluster "{name}" in this intent.{suggestion(str(name), self._names)} {_there_are(self._names)}')
        return str(name)

    def _accounts(self, part: WrittenPart, options: WrittenPart, clusters: list[str]) -> list[IntendedSubject]:
        """The service accounts that a role names one by one, cluster by cluster."""
        if not options.has("service-accounts"):
            return []
        named = options.at("service-accounts") if options.value is part.value else part
        if not isinstance(named.value, dict):
            pairs = _accounts_of(named)
            # a service account more at the end of the list is at the end here too, so that a split moves nobody
            return [IntendedSubject(cluster, *pair) for pair in pairs for cluster in clusters]
        if options.has("clusters"):
            options.at("clusters").wrong_name("clusters beside service accounts by cluster: those are the clusters already")
        by_cluster = []
        for member in named.members():
            if member.name not in self._names:
                near = suggestion(member.name, self._names)
                member.wrong_name(f'no cluster "{member.name}" in this intent.{near} {_there_are(self._names)}')
            by_cluster += [IntendedSubject(member.name, *pair) for pair in _accounts_of(member)]
        return by_cluster

    def _named(self, part: WrittenPart, options: WrittenPart, subjects: list[IntendedSubject]) -> tuple[str, str, str, str]:
        """Partition, account, path and name of a role."""
        arn = parse_arn(part.name) if part.name.startswith("arn:") else None
        if part.name.startswith("arn:") and (arn is None or not is_role_arn(part.name) or part.name.endswith("/")):
            part.wrong_name(f"{part.name} is no ARN of a role: write arn:aws:iam::ACCOUNT:role/NAME, or the name alone")
        whole = arn.name if arn else part.name
        path, slash, name = whole.rpartition("/")
        if not _ROLE_NAME.fullmatch(whole):
            part.wrong_name(f"{whole} is no name of a role: letters, digits and +=,.@_- , with its path before it")
        if len(name) > _LONGEST_NAME:
            part.wrong_name(f"the name of the role has {len(name)} characters, IAM takes {_LONGEST_NAME}")
        if len(path) + 2 > _LONGEST_PATH:
            part.wrong_name(f"the path of the role has {len(path) + 2} characters, IAM takes {_LONGEST_PATH}")
        own = _account(options.at("account")) if options.has("account") else ""
        if arn and own and own != arn.account:
            options.at("account").wrong(f"account {own} beside a role of {arn.account}: write one of them")
        account = arn.account if arn else own or self._account
        if not account:
            part.wrong_name(
                f'of which account is {part.name}? Write account: "111122223333" at the top, or the ARN of the role'
            )
        return arn.partition if arn else self._partition or self._of_clusters(subjects), account, f"/{path}{slash}", name

    def _of_clusters(self, subjects: list[IntendedSubject]) -> str:
        """The partition of the first cluster of a role, as far as its ARN or issuer shows it."""
        for cluster in (cluster for cluster in self._clusters if cluster.name == subjects[0].cluster):
            arn = parse_arn(cluster.arn)
            return (arn.partition if arn else Issuer.of(cluster.issuer).partition) or "aws"
        return "aws"


def _there_are(names: list[str]) -> str:
    return f"There are {', '.join(names)}." if names else "There are none."


# ---------------------------------------------------------------- values


def _account(part: WrittenPart) -> str:
    value = part.value
    if isinstance(value, int) or (isinstance(value, str) and value.isdigit() and part.written.is_plain(*part.steps)):
        part.wrong(f'account {value} needs quotes: "{value}". YAML takes it for a number, which loses zeros in front')
    if not isinstance(value, str) or not is_account_id(value):
        part.wrong(f"account {value if isinstance(value, str) else as_scalar(value)} is not twelve digits")
    return value


def _partition(part: WrittenPart) -> str:
    if part.value not in _PARTITIONS:
        near = suggestion(str(part.value), _PARTITIONS)
        part.wrong(f"partition is one of {', '.join(_PARTITIONS)}, not {as_scalar(part.value)}.{near}")
    return str(part.value)


def _limit(part: WrittenPart) -> int:
    return part.at("max-policy-size").number("max-policy-size", *_SIZES) if part.has("max-policy-size") else 0


def _audience(part: WrittenPart) -> str:
    if not part.has("audience"):
        return ""
    audience = part.at("audience").text("audience")
    if "*" in audience or "?" in audience:
        part.at("audience").wrong(f"audience {audience}: a wildcard admits tokens for anybody; write the one audience")
    if " " in audience or not audience.isprintable():
        part.at("audience").wrong(f"audience {audience!r}: it has a blank or a character that nobody sees")
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    if "${" in audience:
        part.at("audience").wrong(f"audience {audience}: IAM takes ${{...}} for a variable; write the audience itself")
    part.at("audience").refuse_placeholder("audience", audience)
    if len(audience) > _LONGEST_AUDIENCE:
        part.at("audience").wrong(f"the audience has {len(audience)} characters, IAM takes {_LONGEST_AUDIENCE}")
    return audience


def _description(options: WrittenPart) -> str:
    if not options.has("description"):
        return ""
    part = options.at("description")
    description = _printable(part, part.text("description"))
    if len(description) > _LONGEST_DESCRIPTION:
        part.wrong(f"the description has {len(description)} characters, IAM takes {_LONGEST_DESCRIPTION}")
    return description


def _printable(part: WrittenPart, text: str) -> str:
    """The text; raises where it has a control character."""
    control = _CONTROL.search(text)
    if control:
        part.wrong(f"{part.name}: character {ord(control[0])} is a control character, which IAM refuses")
    return text


def _cluster(part: WrittenPart) -> IntendedCluster:
    """A cluster: its issuer, its ARN, or both in a mapping."""
    if not _CLUSTER_NAME.fullmatch(part.name):
        part.wrong_name(f'"{part.name}" is no name of a cluster: letters, digits, dots and dashes, 100 at most')
    if isinstance(part.value, str) and part.value.startswith("arn:"):
        return _made_cluster(part, arn=_cluster_arn(part))
    if not isinstance(part.value, dict):
        return _made_cluster(part, issuer=_issuer(part))
    options = part.mapping(f"cluster {part.name}", _CLUSTER)
    if not (options.has("issuer") or options.has("arn")):
        part.wrong_name(f"cluster {part.name} has neither an issuer nor an arn")
    return _made_cluster(
        part,
        issuer=_issuer(options.at("issuer")) if options.has("issuer") else "",
        arn=_cluster_arn(options.at("arn")) if options.has("arn") else "",
        audience=_audience(options),
        account=_account(options.at("account")) if options.has("account") else "",
    )


def _made_cluster(
    part: WrittenPart, *, issuer: str = "", arn: str = "", audience: str = "", account: str = ""
) -> IntendedCluster:
    parsed = parse_arn(arn)
    return IntendedCluster(
        name=part.name,
        issuer=issuer,
        arn=arn,
        audience=audience,
        account=account or (parsed.account if parsed else ""),
        line=part.line,
    )


def _cluster_arn(part: WrittenPart) -> str:
    arn = part.text("the ARN of a cluster")
    if not _CLUSTER_ARN.fullmatch(arn):
        part.wrong(f"{arn} is no ARN of an EKS cluster: arn:aws:eks:REGION:ACCOUNT:cluster/NAME")
    return arn


def _issuer(part: WrittenPart) -> str:
    """The issuer without scheme."""
    url = part.text("a cluster")
    if url.endswith("/"):
        part.wrong(f"issuer {url} ends with a slash, which tokens do not have in theirs: write it without")
    if not url.startswith("https://"):
        part.wrong(f"issuer {url} does not begin with https://")
    if "*" in url:
        part.wrong(f"issuer {url} has a wildcard: one cluster has one issuer")
    if not _ISSUER.fullmatch(url):
        part.wrong(f"issuer {url} is not a URL of host and path alone")
    part.refuse_placeholder("issuer", url)
    issuer = url.removeprefix("https://")
    if (profile := profile_of(issuer)) and not profile.is_cluster:
        part.wrong(f"issuer {url} is that of {profile.title}: its tokens are for no service account of a cluster")
    return issuer


def _accounts_of(part: WrittenPart) -> list[tuple[str, str]]:
    """The pairs (namespace, name) of one service account or a list."""
    pairs = [_account_name(item) for item in part.items()]
    _refuse_repeated(part.items(), ["/".join(pair) for pair in pairs])
    return pairs


def _refuse_repeated(parts: list[WrittenPart], names: list[str]) -> None:
    known = set[str]()
    for part, name in zip(parts, names, strict=True):
        if name in known:
            part.wrong(f"{name} is listed twice")
        known.add(name)


def _account_name(part: WrittenPart) -> tuple[str, str]:
    text = part.value
    if not isinstance(text, str):
        part.wrong("a service account is written NAMESPACE/NAME")
    if "*" in text or "?" in text:
        part.wrong(f"{text}: an intent has no wildcards; for a whole namespace write namespaces: {{NAMESPACE: reason}}")
    namespace, slash, name = text.partition("/")
    if not slash or not namespace or not name:
        part.wrong(f"{text} is not NAMESPACE/NAME")
    if not _NAMESPACE.fullmatch(namespace):
        part.wrong(f"{text}: Kubernetes has no namespace {namespace}: lower case letters, digits and dashes, 63 at most")
    if not _ACCOUNT_NAME.fullmatch(name):
        part.wrong(f"{text}: Kubernetes has no service account {name}: lower case letters, digits, dashes and dots")
    part.refuse_placeholder("service account", text)
    return namespace, name


def _namespaces(options: WrittenPart, clusters: list[str]) -> list[IntendedSubject]:
    """Whole namespaces, each with the reason why all of it is meant."""
    if not options.has("namespaces"):
        return []
    part = options.at("namespaces")
    if not isinstance(part.value, dict) or not part.value:
        options.wrong_name("a whole namespace needs a reason: namespaces: {NAMESPACE: why all of it}")
    for member in part.members():
        if not _NAMESPACE.fullmatch(member.name):
            member.wrong_name(f"{member.name} is no name of a namespace: lower case letters, digits and dashes, 63 at most")
        if not isinstance(member.value, str) or not member.value.strip():
            member.wrong(f"a reason is missing: why may every service account of {member.name} be this role?")
    return [IntendedSubject(cluster, member.name, "") for cluster in clusters for member in part.members()]


def _policies(options: WrittenPart) -> tuple[str, ...]:
    if not options.has("policies"):
        return ()
    items = options.at("policies").listed("policies")
    arns = [_policy_arn(item) for item in items]
    _refuse_repeated(items, arns)
    return tuple(arns)


def _policy_arn(part: WrittenPart) -> str:
    arn = part.text("a policy")
    if not _POLICY_ARN.fullmatch(arn):
        part.wrong(f"{arn} is no ARN of a managed policy: arn:aws:iam::aws:policy/NAME or arn:aws:iam::ACCOUNT:policy/NAME")
    return arn
