"""Redacts a snapshot: account ids and names are replaced by made-up ones of the same shape, so that findings stay the same."""

import ipaddress
import json
import random
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from string import ascii_lowercase, digits

import msgspec

from irsa_doctor.model import Gap
from irsa_doctor.sources.snapshot.snapshot import Answered, Query, Snapshot

# of ARNs, hosts, regions, condition keys
_WORDS_OF_AWS = """
    arn aws cn us gov iso iam sts eks oidc provider providers role roles policy policies cluster clusters user users
    group groups root federated service amazonaws amazon amazoncognito com net org io dev id ids sub aud amr iss azp
    api dualstack c2s sc2s sgov ic csp hci adc uk eu eusc saml cognito identity pod pods ec2 lambda ecs tasks s3 kms
    east west north south central northeast southeast northwest southwest ap ca sa me af il mx instance profile
    assumed mfa orgs organization organizations rcp scp fullawsaccess accounts google token actions githubusercontent
    github gitlab bitbucket repo ref refs heads tags environment pull request public internal local svc assumerole
    assumerolewithwebidentity assumerolewithsaml tagsession setsourceidentity kiam kube2iam iamserviceaccount
    """
# of subjects, well-known names, kinds, labels
_WORDS_OF_KUBERNETES = """
    system serviceaccount serviceaccounts kubernetes k8s kube default public lease node namespace namespaces
    deployments deployment daemonsets daemonset statefulsets statefulset jobs job cronjobs cronjob replicaset
    mutatingwebhookconfigurations mutate webhook for config mirror source fargate windows linux beta os arch name part
    of managed by version component helm sh chart template hash topology region zone skip true false rollout argoproj
    x86 amd64 arm64 context openid configuration jwks well known issuer associations http https istio proxy init
    validation linkerd agent injector sidecar envoy daemon compute type hybrid bottlerocket auto nodegroup create addon
    networkpolicies nodes terraform opentofu terragrunt helm flux argocd meta release managed managedby
    """
# of who may do what in a cluster: groups and roles of Kubernetes, access policies of EKS, aws-auth
_WORDS_OF_ACCESS = """
    masters authenticated unauthenticated anonymous nodes bootstrappers cluster admin edit view auth aws
    rbac io to aggregate token get list watch patch update create delete deletecollection bind escalate impersonate
    rolearn userarn username groups sessionname sessionnameraw accountid ec2privatednsname aggregated
    amazoneksclusteradminpolicy amazoneksadminpolicy amazonekseditpolicy amazoneksviewpolicy amazoneksadminviewpolicy
    amazonekssecretreaderpolicy amazonekshybridpolicy amazoneksautonodepolicy amazoneksclusterinsightspolicy
    amazoneksblockstoragepolicy amazoneksblockstorageclusterpolicy amazonekscomputepolicy amazonekscomputeclusterpolicy
    amazoneksloadbalancingpolicy amazoneksloadbalancingclusterpolicy amazoneksnetworkingpolicy
    amazoneksnetworkingclusterpolicy amazonaiopsassistantpolicy amazonarcregionswitchscalingpolicy access policy
    """
# of environment variables, files and images
_WORDS_OF_SDKS = """
    access key secret session file web regional endpoints endpoint url uri full relative container credentials
    authorization shared security no sdk java python boto botocore cli ruby php go dotnet net js nodejs openjdk jre
    jdk corretto golang eclipse temurin alpine debian ubuntu slim distroless apache nginx fluent bit path home var run
    secrets tmp etc opt usr ca crt latest docker registry library quay gcr ghcr ecr dkr mcr microsoft x
    """
_WORDS = frozenset(f"{_WORDS_OF_AWS} {_WORDS_OF_KUBERNETES} {_WORDS_OF_ACCESS} {_WORDS_OF_SDKS}".split())
_NAMESPACES = ("default", "kube", "system", "public")
"""words that a wildcard in the name of a namespace or service account may mean"""
_NEAR_LENGTH = 5
"""Words at least this long are kept in their misspellings too: what is misspelt is what the finding is about."""
# members whose values say nothing about anybody
_KEPT = frozenset(
    {
        *(
            "Effect",
            "Action",
            "NotAction",
            "Version",
            "Type",
            "CreateDate",
            "LastUsedDate",
            "LastUsedDate",
            "MaxSessionDuration",
            "AwsManaged",
            "Service",
        ),
        *("apiVersion", "kind", "creationTimestamp", "deletionTimestamp", "createdAt", "modifiedAt", "startTime"),
        *("completionTime", "version", "platformVersion", "status", "phase", "reason", "operator", "failurePolicy"),
        *("matchPolicy", "operations", "apiGroups", "apiVersions", "resources", "scope", "reinvocationPolicy", "restartPolicy"),
        *("gitVersion", "major", "minor", "kty", "alg", "use", "crv", "e", "response_types_supported", "claims_supported"),
        *("subject_types_supported", "id_token_signing_alg_values_supported", "fieldPath", "mode", "defaultMode"),
        *("policyTypes", "protocol", "port", "addonName", "addonVersion", "code"),
        *("type", "authenticationMode", "verbs", "policyArn", "apiGroup", "resourceVersion"),
    }
)
# members whose own members are named by somebody
_NAMED_INSIDE = frozenset({"labels", "matchLabels", "nodeSelector"})
_CONDITION_KEY = re.compile(r"(?:aws|sts|iam|saml|ec2|eks|lambda|codebuild):[\w./-]*", re.IGNORECASE | re.ASCII)
_HOLE = re.compile(r"\$\{[^{}]*\}|\{\{[^{}]*\}\}|<[^<>]*>|%[0-9A-Fa-f]{2}")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])", re.ASCII)
_TOKEN = re.compile(r"[^\W_]+")
_TOUCHING_WILDCARD = re.compile(r"[*?]([^\W_]+)|([^\W_]+)(?=[*?])")
_PIECES = re.compile(r"\$\{[^{}]*\}|\{\{[^{}]*\}\}|<[^<>]*>|%[0-9A-Fa-f]{2}|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|[^\W_]+")
# what may stand in a message: the rest of it is our own words
_IN_MESSAGES = re.compile(r"arn:[\w-]+:\S+|https?://[^\s,;]+|system:serviceaccount:\S+|[\w.+-]+@[\w.-]+|(?<!\d)\d{12}(?!\d)")
_HEX = re.compile(r"[0-9A-F]{16,}|[0-9a-f]{16,}")


class _Pairs(list[tuple[str, object]]):
    """An object as it was written, repeated members and all."""


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def redacted(snapshot: Snapshot, chance: random.Random | None = None) -> Snapshot:
    """The snapshot with made-up account ids and names, drawn anew each time.

    Equal names stay equal, prefixes under wildcards stay prefixes and near misses near misses; lengths, delimiters and case are
    kept, and so are the words of AWS and Kubernetes themselves. Nothing is hashed: twelve digits could be tried.
    """
    return redacted_with(snapshot, made_up_names(snapshot_texts(snapshot), chance))


def made_up_names(texts: Iterable[str], chance: random.Random | None = None) -> "RedactedNames":
    """Replacements for the names in some texts, drawn anew each time."""
    return RedactedNames(texts, chance or random.SystemRandom())


def snapshot_texts(snapshot: Snapshot) -> Iterator[str]:
    """Every text of a snapshot that will be replaced."""
    for answered in snapshot.documents:
        yield from _texts(_read(bytes(answered.document)))
        yield answered.path
        origin = answered.origin
        yield from (part for part in (origin.cluster, origin.account, origin.entry) if part)
    for item in snapshot.queries:
        yield from (item.owner, item.name)
    for gap in snapshot.missing:
        yield from _in_gap(gap)


def redacted_with(snapshot: Snapshot, names: "RedactedNames") -> Snapshot:
    """A snapshot with its names replaced; all that it has must be among those that the replacements were made for."""
    documents = ((answered, _read(bytes(answered.document))) for answered in snapshot.documents)
    return msgspec.structs.replace(
        snapshot,
        redacted=True,
        documents=tuple(sorted((_answered(item, document, names) for item, document in documents), key=lambda item: item.path)),
        queries=tuple(Query(item.collection, names.of(item.owner), names.of(item.name)) for item in snapshot.queries),
        missing=tuple(_gap(gap, names) for gap in snapshot.missing),
    )


def _answered(answered: Answered, document: object, names: "RedactedNames") -> Answered:
    origin = answered.origin
    return Answered(
        path=names.of(answered.path),
        origin=msgspec.structs.replace(
            origin, account=names.of(origin.account), cluster=names.of(origin.cluster), entry=names.of(origin.entry)
        ),
        kind=answered.kind,
        document=msgspec.Raw(_written(_mapped(document, names, "", "")).encode()),
    )


def _in_gap(gap: Gap) -> Iterator[str]:
    yield gap.owner
    yield gap.name
    for text in (gap.missing, gap.how):
        yield from _IN_MESSAGES.findall(text)


def _gap(gap: Gap, names: "RedactedNames") -> Gap:
    return Gap(
        gap.collection, names.of(gap.owner), names.of(gap.name), names.in_message(gap.missing), names.in_message(gap.how)
    )


def _read(text: bytes) -> object:
    return json.loads(text, object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number, parse_constant=_Number)


def _written(value: object) -> str:
    if isinstance(value, _Pairs):
        return "{" + ",".join(f"{json.dumps(name)}:{_written(item)}" for name, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(item) for item in value) + "]"
    return str(value) if isinstance(value, _Number) else json.dumps(value)


def _mapped(value: object, names: "RedactedNames", member: str, outer: str) -> object:
    """A value with its names replaced; `member` is the member that it is the value of, `around` the one around that."""
    if isinstance(value, _Pairs):
        return _Pairs((_member(name, names, member, outer), _mapped(item, names, name, member)) for name, item in value)
    if isinstance(value, list):
        return [_mapped(item, names, member, outer) for item in value]
    if not isinstance(value, str) or isinstance(value, _Number) or member in _KEPT:
        return value
    if member == "Content" and value.lstrip()[:1] == "{":
        return _text_of_policy(value, names)
    return names.of(value)


def _member(name: str, names: "RedactedNames", inside: str, outer: str) -> str:
    """The name of a member: fixed words but for labels and condition keys."""
    return names.of(name) if inside in _NAMED_INSIDE or outer == "Condition" else name


def _text_of_policy(text: str, names: "RedactedNames") -> str:
    try:
        return _written(_mapped(_read(text.encode()), names, "", ""))
    except (ValueError, RecursionError):
        return names.of(text)


def _texts(value: object, member: str = "", outer: str = "") -> Iterator[str]:
    """Every text that will be replaced."""
    if isinstance(value, _Pairs):
        for name, item in value:
            if member in _NAMED_INSIDE or outer == "Condition":
                yield name
            yield from _texts(item, name, member)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, member, outer)
    elif isinstance(value, str) and not isinstance(value, _Number) and member not in _KEPT:
        yield value


class RedactedNames:
    """The replacements. Tokens (letters and digits between delimiters) that are related are replaced letter by letter with
    one table, so that what they have in common is kept; every other token has a table of its own."""

    def __init__(self, texts: Iterable[str], chance: random.Random) -> None:
        self._chance = chance
        self._known: dict[str, str] = {}
        self._accounts: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        self._taken: set[str] = set()
        tokens: dict[str, None] = {}
        self._fragments: set[str] = set()
        for text in texts:
            plain = _HOLE.sub(" ", text)
            tokens.update(dict.fromkeys(token.lower() for token in _TOKEN.findall(plain) if not _is_kept(token)))
            touching = (after or before for after, before in _TOUCHING_WILDCARD.findall(plain))
            self._fragments.update(fragment.lower() for fragment in touching)
        self._draw(_groups(list(tokens), self._fragments))

    def of(self, text: str) -> str:
        """The text with every name in it replaced."""
        if _CONDITION_KEY.fullmatch(text):
            head, slash, tag = text.partition("/")
            return head + slash + _PIECES.sub(self._piece, tag)
        return _PIECES.sub(self._piece, text)

    def in_message(self, text: str) -> str:
        """A message of ours with the names in it replaced: of the rest only what is a name elsewhere."""

        def word(match: re.Match[str]) -> str:
            return self._known.get(match[0], match[0]) if len(match[0]) > 3 else match[0]

        parts, end = [], 0
        for match in _IN_MESSAGES.finditer(text):
            parts += [_TOKEN.sub(word, text[end : match.start()]), self.of(match[0])]
            end = match.end()
        return "".join((*parts, _TOKEN.sub(word, text[end:])))

    def _piece(self, match: re.Match[str]) -> str:
        piece = match[0]
        if _HOLE.fullmatch(piece):
            return piece
        if _IPV4.fullmatch(piece):
            return self._address(piece)
        if piece.isdigit():
            return self._number(piece)
        return piece if _is_kept(piece) else self._known.get(piece) or self._cased(piece)

    def _cased(self, token: str) -> str:
        """A token whose lower-case form is known, in its own case."""
        lower = self._known.get(token.lower(), token.lower())
        cased = "".join(new.upper() if old.isupper() else new for old, new in zip(token, lower, strict=True))
        self._known[token] = cased
        return cased

    def _number(self, number: str) -> str:
        """Account ids, and what was meant to be one; short numbers are ports, counts and parts of versions."""
        if len(number) < 8:
            return number
        while number not in self._accounts:
            drawn = self._chance.choice("123456789") + "".join(self._chance.choices(digits, k=len(number) - 1))
            if drawn not in self._taken:
                self._taken.add(drawn)
                self._accounts[number] = drawn
        return self._accounts[number]

    def _address(self, text: str) -> str:
        """Another public address for a public one: private ranges are everybody's, and mean something."""
        try:
            if not ipaddress.IPv4Address(text).is_global:
                return text
        except ValueError:
            return text
        while text not in self._addresses:
            drawn = str(ipaddress.IPv4Address(self._chance.getrandbits(32)))
            if ipaddress.IPv4Address(drawn).is_global and not ipaddress.IPv4Address(drawn).is_multicast:
                self._addresses[text] = drawn
        return self._addresses[text]

    def _draw(self, groups: Iterable[Sequence[str]]) -> None:
        for group in groups:
            if any(token in _WORDS for token in group):
                # `def*` has to go on meaning `default`
                self._known.update({token: token for token in group})
                continue
            for _ in range(100):
                table = self._table(all(_HEX.fullmatch(token) for token in group))
                drawn = {token: token.translate(table) for token in group}
                if not any(new in self._taken or new in _WORDS for new in drawn.values()):
                    break
            self._taken.update(drawn.values())
            self._known.update(drawn)

    def _table(self, is_hex: bool) -> Mapping[int, int]:
        """Letters for letters and digits for digits; ids in hexadecimal stay hexadecimal."""
        letters = "abcdef" if is_hex else ascii_lowercase
        shuffled_letters, shuffled_digits = list(letters), list(digits)
        self._chance.shuffle(shuffled_letters)
        self._chance.shuffle(shuffled_digits)
        return str.maketrans(letters + digits, "".join(shuffled_letters + shuffled_digits))


def _is_kept(token: str) -> bool:
    """Whether a token is a word of AWS or Kubernetes, perhaps misspelt, or too short to say anything."""
    if token.isdigit():
        return True
    lower = token.lower()
    return lower in _WORDS or (len(lower) >= _NEAR_LENGTH and any(near in _NEAR_WORDS for near in _deletions(lower)))


def _deletions(token: str) -> Iterator[str]:
    """The token, and what is left of it without one letter: two tokens that are one letter apart share one of these."""
    yield token
    for number in range(len(token)):
        yield token[:number] + token[number + 1 :]


_NEAR_WORDS = frozenset(near for word in _WORDS if len(word) > _NEAR_LENGTH for near in _deletions(word))


class _Union:
    """Sets of tokens that have to do with each other."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def root(self, token: str) -> str:
        above = self._above.setdefault(token, token)
        while above != self._above[above]:
            above = self._above[above] = self._above[self._above[above]]
        return above

    def join(self, first: str, second: str) -> None:
        self._above[self.root(first)] = self.root(second)


def _groups(tokens: Sequence[str], fragments: Iterable[str]) -> Iterator[list[str]]:
    """The tokens by what they have to do with each other: one letter apart, or one a fragment of the other under a wildcard."""
    union = _Union()
    for token in tokens:
        union.root(token)
    by_deletion: dict[str, str] = {}
    for token in tokens:
        if len(token) >= _NEAR_LENGTH - 1:
            for near in _deletions(token):
                union.join(token, by_deletion.setdefault(near, token))
    for fragment, word in _inside(fragments, [*tokens, *_NAMESPACES]):
        union.join(fragment, word)
    groups: dict[str, list[str]] = {}
    for token in sorted({*tokens, *(fragment for fragment in fragments if not fragment.isdigit())}):
        groups.setdefault(union.root(token), []).append(token)
    for group in groups.values():
        yield [*group, *(word for word in _NAMESPACES if union.root(word) == union.root(group[0]))]


def _inside(fragments: Iterable[str], words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every fragment with each word that it is a part of."""
    text = "\n".join(words)
    ends = list(accumulate(len(word) + 1 for word in words))
    for fragment in sorted(fragments):
        at = -1 if fragment.isdigit() else text.find(fragment)
        while at >= 0:
            number = bisect_right(ends, at)
            yield fragment, words[number]
            at = text.find(fragment, ends[number])
