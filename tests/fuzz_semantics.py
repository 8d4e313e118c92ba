# Long: one table, a semantic a row with what it is held against
"""Documents drawn anew for every semantic, each held against something that was written apart from it."""

import functools
import json
import random
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irsa_doctor import api
from irsa_doctor.answers.why.message_wrappers import WRAPPERS
from irsa_doctor.answers.why.symptoms import symptoms_in
from irsa_doctor.authorisation import AccessRequest
from irsa_doctor.issuers import EKS, OTHER
from irsa_doctor.model import FederatedCredential, Hole, Place, Text
from irsa_doctor.rulebook.cause_files import causes_folder
from irsa_doctor.rulebook.message_files import MessageFile, read_messages
from irsa_doctor.trust.clouds import cel
from irsa_doctor.trust.clouds.credentials import match_of
from irsa_doctor.trust.clouds.flexible import read_expression
from irsa_doctor.trust.clouds.members import PodPrincipal, member_match, parse_member
from tests import fuzz_inputs as inputs
from tests.answers.fix.test_fixes_against_reference import is_safe
from tests.answers.intents import drawing as intents
from tests.answers.intents.test_round_trips import is_inferred_again, is_written_as_it_is_meant
from tests.authorisation import worlds
from tests.authorisation.test_requests import are_decided_as_written_apart
from tests.remedies.test_against_reference import finds_no_harm, is_proved, slipped
from tests.trust import drawing
from tests.trust.clouds.test_cel import CLAIMS, is_read_as_by_the_reference
from tests.trust.test_admitted_against_decide import (
    PAIRS,
    has_disjoint_cells,
    has_the_reach_of_those_allowed,
    is_admitted_where_allowed,
)
from tests.trust.test_against_reference import READINGS, is_decided_as_by_the_reference

_BYTES = 4096
"""what a strategy draws from"""
_TRIES = 20


def sampled(strategy: st.SearchStrategy[Any]) -> Callable[[random.Random], Any]:
    """What draws values of a strategy of Hypothesis."""
    values: list[Any] = []

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def keep(value: Any) -> None:
        values.append(value)

    # https://hypothesis.readthedocs.io/en/latest/how-to/external-fuzzers.html
    fuzz_one: Callable[[bytes], Any] = vars(keep)["hypothesis"].fuzz_one_input

    def draw_one(draw: random.Random) -> Any:
        for _ in range(_TRIES):
            fuzz_one(draw.randbytes(_BYTES))
            if values:
                return values.pop()
        raise RuntimeError("the strategy gave no value")

    return draw_one


# ---- what trust policies mean

_anything = sampled(drawing.policies(drawing.ANYTHING))
_plain = sampled(drawing.policies(drawing.CLAIMS, plain=True, statements=4))
_call = sampled(drawing.calls)
_around = sampled(drawing.surroundings)
_slipped = sampled(slipped)


def a_decision(draw: random.Random) -> dict[str, Any]:
    """A policy and calls."""
    calls = [_call(draw) for _ in range(4)]
    return {"policy": _anything(draw), "calls": [{"context": context, "multi": sorted(multi)} for context, multi in calls]}


def is_decided_alike(document: dict[str, Any]) -> None:
    """`decide` is the reference evaluator, in every reading."""
    for call in document["calls"]:
        context = {key: tuple(values) for key, values in call["context"].items()}
        for reading in READINGS:
            is_decided_as_by_the_reference(document["policy"], context, frozenset(call["multi"]), reading)


def a_reach(draw: random.Random) -> dict[str, Any]:
    """A policy, plain or not, and pairs of subject and audience."""
    plain = draw.random() < 0.4
    return {
        "plain": plain,
        "policy": (_plain if plain else _anything)(draw),
        "pairs": draw.sample(PAIRS, 8),
        "around": _around(draw),
        "audience": draw.choice(drawing.AUDIENCES),
    }


def is_admitted_alike(document: dict[str, Any]) -> None:
    """`admitted` says of all requests what `decide` says of each."""
    around = {key: tuple(values) for key, values in document["around"].items()}
    for profile in (EKS, OTHER):
        is_admitted_where_allowed(document["policy"], document["pairs"], around, profile)
    if document["plain"]:
        has_the_reach_of_those_allowed(document["policy"], document["audience"])
        has_disjoint_cells(document["policy"])


# ---- fixes


def a_role(draw: random.Random) -> dict[str, Any]:
    """A policy that is wrong somehow, and who names its role."""
    return {
        "policy": (_slipped if draw.random() < 0.7 else _anything)(draw),
        "users": draw.sample(drawing.SUBJECTS, draw.randint(0, 4)),
        "subject": draw.choice(drawing.SUBJECTS),
        "around": _around(draw),
        "complete": draw.random() < 0.5,
    }


def is_mended_well(document: dict[str, Any]) -> None:
    """What is written changes nothing a second time, and the plain evaluator sees no harm in what is written or offered."""
    policy, users, complete = (document[key] for key in ("policy", "users", "complete"))
    around = {key: tuple(values) for key, values in document["around"].items()}
    is_safe(policy, users, around, complete)
    is_proved(policy, users, document["subject"], around, complete=complete)
    finds_no_harm(policy, users, around, complete=complete)


# ---- RBAC


def a_cluster(draw: random.Random) -> dict[str, Any]:
    """RBAC of one namespace, and requests."""
    space = f"w{draw.randrange(1000)}"
    requests = [worlds.request(draw, space) for _ in range(60)]
    return {"space": space, "objects": worlds.world(draw, space), "requests": msgspec.to_builtins(requests)}


def is_authorised_alike(document: dict[str, Any]) -> None:
    """Requests are decided as RBAC that is read word by word decides them."""
    requests = msgspec.convert(document["requests"], list[AccessRequest])
    are_decided_as_written_apart(document["objects"], document["space"], requests)


# ---- why


@functools.cache
def messages() -> MessageFile:
    """The messages that are known, with their examples."""
    return read_messages(causes_folder())


_LINES = (
    *("", "starting up", "INFO 200 GET /healthz", "retrying in 5s", "2026-11-28T09:14:02Z worker 3 is ready", "{}", "---"),
    *(
        "\x1b[32mok\x1b[0m",
        '{"level":"info","msg":"listening","port":8080}',
        "goroutine 1 [running]:",
        "\u00e9\u4e16\u754c",
        "\t at",
    ),
)


def a_complaint(draw: random.Random) -> dict[str, Any]:
    """An error among lines of a log, or a token, or an event, broken or not."""
    kind = draw.randrange(4)
    if kind == 0:
        claims = inputs.with_values({"header": {"alg": "RS256"}, "payload": inputs.CLAIMS}, draw)
        return {"token": claims}
    if kind == 1:
        return {"event": {"Records": [inputs.with_values(inputs.EVENT, draw)]}}
    message = draw.choice(messages().messages)
    example = draw.choice(messages().examples[message.id])
    shape = draw.choice([*messages().wrappers.values()]) if example.code else "{text}"
    text = shape.replace("{code}", example.code or "").replace("{text}", example.text)
    text = draw.choice([*WRAPPERS.values(), str])(text)
    lines = [draw.choice(_LINES) for _ in range(draw.randrange(5))]
    lines.insert(draw.randint(0, len(lines)), text)
    if kind == 2:
        return {"error": "\n".join(lines), "means": message.id}
    cut = "\n".join(lines)
    start, end = sorted(draw.randrange(len(cut) + 1) for _ in range(2))
    return {"error": cut[:start] + draw.choice(("", "\x00", "\n", '"', "\\", "\u202e", inputs.SECRET)) + cut[end:]}


def is_understood(document: dict[str, Any]) -> None:
    """The message in a log is recognised, and whatever is given is answered: in its schema, twice alike, without secrets."""
    if "means" in document:
        assert [symptom.id for symptom in symptoms_in(document["error"])][:1] == [document["means"]]
    with tempfile.TemporaryDirectory() as folder:
        answers = [_answered(document, Path(folder)) for _ in range(2)]
    assert answers[0] == answers[1]
    report, text = answers[0]
    assert inputs.SECRET.rpartition(".")[2] not in report + text
    if report:
        _why_schema().validate(json.loads(report))


def _answered(document: dict[str, Any], folder: Path) -> tuple[str, str]:
    """The answer of `why` as JSON and as text, or what it refuses."""
    files = {}
    for name in ("token", "event", "error"):
        if name in document:
            path = folder / name
            content = document[name] if isinstance(document[name], str) else json.dumps(document[name])
            path.write_bytes(content.encode(errors="surrogatepass"))
            files[name] = f"@{path}" if name == "error" else str(path)
    try:
        diagnosis = api.why("a/b", (), symptoms=api.read_symptoms(**files), now=1_750_000_000.0)
        return api.render_why(diagnosis, "json", api.Style()), api.render_why(diagnosis, "text", api.Style())
    except inputs.Expected as error:
        return "", api.masked(str(error))


@functools.cache
def _why_schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(api.schema("why")))


# ---- conditions of other clouds

_CEL_VALUES = ("acme", "evil", "7", "refs/heads/main", "x", "", "a b", "refs/", "&&", "in", "]")


def a_condition(draw: random.Random) -> dict[str, Any]:
    """A condition in CEL; now and then with a piece of its text gone, doubled or replaced."""
    text = _cel(draw, draw.randrange(4))
    if draw.random() < 0.4:
        pieces = re.findall(r"\w+|\s+|&&|\|\||[!=]=|.", text)
        for _ in range(draw.randint(1, 3)):
            at = draw.randrange(len(pieces))
            pieces[at] = draw.choice(("", pieces[at] * 2, draw.choice(pieces), "!", "(", ")", "null", "1", "'", '"', " "))
        text = "".join(pieces)
    return {"condition": text}


def _cel(draw: random.Random, depth: int) -> str:
    if depth and draw.random() < 0.8:
        first, second = _cel(draw, depth - 1), _cel(draw, depth - 1)
        return draw.choice(
            (f"{first} && {second}", f"{first} || {second}", f"({first} || {second})", f"!({first})", f"({first})", f"!{first}")
        )
    claim = draw.choice(("assertion.owner", "assertion.ref", "assertion['owner']", 'assertion["ref"]', "assertion . owner"))
    literal = draw.choice(("'{}'", '"{}"')).format(draw.choice(_CEL_VALUES))
    literal = draw.choice((literal, literal, literal, literal, "7", "true", "1.5", "null"))
    quoted = "'" + draw.choice(_CEL_VALUES) + "'"
    return draw.choice(
        (
            f"{claim} == {literal}",
            f"{claim}!={literal}",
            f"{literal} == {claim}",
            f"{claim} in [{literal}, {quoted}]",
            f"{claim}.startsWith({quoted})",
            f"{claim}.endsWith({quoted})",
            f"{claim}.contains({quoted})",
        )
    )


def is_a_condition_alike(document: dict[str, Any]) -> None:
    """What is read of a condition means what cel-python makes of it, wherever that can read it: it takes `1.ref`, a member of a
    number in the grammar of CEL, for a broken number."""
    from celpy.celparser import CELParseError

    condition = cel.read_condition(document["condition"])
    if condition is None:
        return
    comparisons = list(cel.claim_comparisons(condition))
    if all(item.claim.of == "assertion" and item.claim.name in CLAIMS for item in comparisons):
        with suppress(CELParseError):
            is_read_as_by_the_reference(document["condition"])


_CLOUD_ISSUER = "https://westeurope.oic.prod-aks.azure.com/t/c/"
_POOL = "acme.svc.id.goog"
_PATH = "/locations/global/workloadIdentityPools/"
_HOLE = "${x}"


def an_identity(draw: random.Random) -> dict[str, Any]:
    """A federated credential, an expression and members, near what a token has."""
    subject = draw.choice(drawing.SUBJECTS)
    namespace, name = subject.removeprefix(drawing.PREFIX).split(":")
    near = (
        subject,
        draw.choice(drawing.SUBJECTS),
        subject.upper(),
        drawing.PREFIX + _HOLE,
        f"{subject}{_HOLE}",
        _HOLE,
        subject + " ",
    )
    claims = [
        [draw.choice(("sub", "ref", "a b")), draw.choice(("eq", "matches")), draw.choice((subject, "a*", "and", ""))]
        for _ in "xy"
    ]
    prefix = (
        draw.choice(("principal", "principalSet")) + "://iam.googleapis.com/projects/" + draw.choice(("42", "acme", "4 2", ""))
    )
    pool = draw.choice((_POOL, _POOL, "other.svc.id.goog", "pool"))
    endings = (
        f"subject/ns/{namespace}/sa/{name}",
        f"namespace/{namespace}",
        "*",
        "*/",
        "kubernetes.serviceaccount.uid/u-1",
        "subject/x",
    )
    member = draw.choice(
        (
            f"serviceAccount:{pool}[{namespace}/{name}]",
            f"serviceAccount:{pool}[{namespace}/{name}/]",
            "allUsers",
            "user:a@example.com",
            *[f"{prefix}{_PATH}{pool}/{draw.choice(endings)}"] * 4,
        )
    )
    return {
        "subject": subject,
        "issuers": [
            draw.choice((_CLOUD_ISSUER, _CLOUD_ISSUER, _CLOUD_ISSUER[:-1], _HOLE, f"https://{_HOLE}/t/c/")),
            _CLOUD_ISSUER,
        ],
        "written": draw.choice(near),
        "audiences": draw.sample(("x", "api://AzureADTokenExchange", "API://x", _HOLE), draw.randint(0, 3)),
        "claims": claims[: draw.randint(1, 2)],
        "space": draw.choice((" ", "  ", "\t")),
        "member": member,
    }


def _text(written: str) -> str | Text:
    if _HOLE not in written:
        return written
    first, _, last = written.partition(_HOLE)
    return Text(tuple(part for part in (first, Hole(_HOLE), last) if part))


def _may_be(written: str, value: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, written.split(_HOLE))), value) is not None


def is_matched_alike(document: dict[str, Any]) -> None:
    """Credentials, expressions and members mean what their texts say, letter by letter."""
    _is_a_credential_alike(document)
    joined = f"{document['space']}and ".join(
        f"claims['{claim}']{document['space']}{operator} '{value}'" for claim, operator, value in document["claims"]
    )
    conditions = read_expression(joined)
    assert conditions is not None
    assert [[c.claim, "matches" if c.wildcards else "eq", c.value] for c in conditions] == document["claims"]
    _, _, namespace, name = document["subject"].split(":")
    pod = PodPrincipal(pool=_POOL, namespace=namespace, name=name, uid="u-1")
    assert (member_match(parse_member(document["member"]), pod) == "matches") == _means(document["member"], namespace, name)


def _is_a_credential_alike(document: dict[str, Any]) -> None:
    (issuer, of_token), subject, audience = document["issuers"], document["subject"], "api://AzureADTokenExchange"
    credential = FederatedCredential(
        name="c",
        place=Place("c.json"),
        issuer=_text(issuer),
        subject=_text(document["written"]),
        audiences=tuple(map(_text, document["audiences"])),
    )
    match = match_of(credential, of_token, subject, audience)
    pairs = [(issuer, of_token), (document["written"], subject)]
    is_exact = all(written == value for written, value in pairs) and audience in document["audiences"]
    may_be = all(_may_be(*pair) for pair in pairs) and any(_may_be(each, audience) for each in document["audiences"])
    assert (match == "matches") == is_exact
    assert match in ("matches", "open") or not may_be


def _means(member: str, namespace: str, name: str) -> bool:
    single = {f"subject/ns/{namespace}/sa/{name}", "kubernetes.serviceaccount.uid/u-1"}
    whole = {f"namespace/{namespace}", "*"}
    in_pool = re.fullmatch(rf"(principal|principalSet)://iam.googleapis.com/projects/[0-9]+{_PATH}{_POOL}/(.+)", member)
    if in_pool:
        return in_pool[2] in (single if in_pool[1] == "principal" else whole)
    return member in ("allUsers", "allAuthenticatedUsers", f"serviceAccount:{_POOL}[{namespace}/{name}]")


# ---- intents

_whole = sampled(intents.intents())
_single = sampled(intents.intents(whole_namespaces=False))


def an_intent(draw: random.Random) -> dict[str, Any]:
    """An intent, with whole namespaces or without."""
    is_whole = draw.random() < 0.6
    return {"whole": is_whole, "intent": (_whole if is_whole else _single)(draw)}


def is_meant_alike(document: dict[str, Any]) -> None:
    """What is generated is read back as it is meant, and an estate tells the intent that it follows."""
    is_written_as_it_is_meant(document["intent"])
    if not document["whole"]:
        is_inferred_again(document["intent"])
