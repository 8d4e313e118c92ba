"""What libraries and the system refuse is told in our own words, with file, line and cause; their wording decides nothing."""

import errno
import gzip
import re
import socket
import ssl
import subprocess
from itertools import pairwise

import pytest
from botocore import exceptions as botocore

from irsa_doctor.answers.simulate import Unanswered, simulate_line
from irsa_doctor.governance.baseline import BaselineError, read_baseline
from irsa_doctor.governance.revision import NoRevision, files_at, top_of
from irsa_doctor.governance.settings import SettingsError, read_settings
from irsa_doctor.rulebook.patterns import Unsafe, check_pattern
from irsa_doctor.sources.files.evidence import NoEvidence, chunks
from irsa_doctor.sources.live.aws_errors import call_error
from irsa_doctor.sources.live.kubeconfig import connections
from irsa_doctor.sources.live.network_errors import network_reason
from irsa_doctor.text.errors import LiveError
from irsa_doctor.text.os_errors import os_error_reason
from irsa_doctor.text.toml_errors import TOML_REASONS, toml_error

WORDS = "WORDS OF A LIBRARY"
PACKED = gzip.compress(b"a log that is packed" * 99, mtime=0)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \n", 2),
        ("a = 1\na = 2\n", 2),
        ("[a]\n[a]\n", 2),
        ("a = '''\n\n", 3),
        ("\nexpires = 2026-02-30", 2),
        ("a = [1 2]", 1),
        ("a = {b = 1\n", 1),
        ("a\n", 1),
        ('a = "\\q"\n', 1),
        ("a = 1" + "0" * 5000, 1),
    ],
)
def test_a_settings_file_that_is_not_toml_is_refused_with_a_reason_of_ours_and_a_line(tmp_path, text, line):
    (tmp_path / "irsa-doctor.toml").write_text(text)
    with pytest.raises(SettingsError, match=r".") as caught:
        read_settings(str(tmp_path / "irsa-doctor.toml"))
    assert caught.value.line == line
    assert caught.value.message.removeprefix("is not valid TOML: ") in TOML_REASONS


def test_a_parser_of_toml_with_other_words_gives_a_reason_of_ours():
    assert toml_error(ValueError(WORDS), "a\nb").why in TOML_REASONS
    assert toml_error(ValueError(WORDS), "a\nb").line == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{\n"schema":', "b.json:2: not a baseline: "),
        (b"", "b.json:1: not a baseline: "),
        (b"{'a': 1}", "b.json:1: not a baseline: "),
        (b'{"a": "\xff"}', "b.json:1: not a baseline: not valid UTF-8"),
        (b"[" * 100_000, "b.json:1: not a baseline: more than"),
        (b"[]", "b.json: not a baseline: expected a mapping, found a list"),
        (b"{}", "b.json: not a baseline: schema is missing"),
        (b'{"schema": 5, "findings": []}', "b.json: not a baseline: expected text, found a number: quote it (schema)"),
        (b'{"schema": "x", "findings": [{}]}', "b.json: not a baseline: rule is missing"),
        (b'{"schema": "x", "findings": []}', 'b.json: not a baseline: schema is "x", expected "irsa-doctor.baseline/1"'),
    ],
)
def test_a_file_that_is_not_a_baseline_is_refused_with_file_line_and_cause(tmp_path, text, says):
    (tmp_path / "b.json").write_bytes(text)
    with pytest.raises(BaselineError, match=r".") as caught:
        read_baseline(str(tmp_path / "b.json"))
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(says)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{", "not valid JSON: "),
        (b'{"id": 1,}', "not valid JSON: "),
        (b'{"id": tru}', "not valid JSON: "),
        (b"{'id': 1}", "not valid JSON: a member's name in double quotes was expected, not `'id'`, column 2"),
        (b'{"id": "\xff"}', "not valid JSON: not valid UTF-8: byte 0xff, column 9"),
        (b'{"id": ' + b"[" * 100_000, "not valid JSON: more than 100 levels deep, column "),
        (b'{"policy": {}, "request": 5}', "request is missing or no object"),
    ],
)
def test_a_line_that_is_not_a_request_is_answered_with_its_cause(line, says):
    answer = simulate_line(line)
    assert isinstance(answer, Unanswered)
    assert answer.error.startswith(says)


@pytest.mark.parametrize(
    "pattern", ["(a", "a)", "[a", "*", "(?P<a", "(?P<a>b)(?P<a>c)", "\\", "a{9999999999999}", "(?i", "[z-a]"]
)
def test_a_pattern_that_is_not_valid_is_refused_without_the_words_of_the_parser(pattern):
    with pytest.raises(Unsafe, match=r"^not a valid regular expression of Python(, character \d+|: it exceeds the limits)?$"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "damaged",
    [PACKED[:-12], PACKED[:12] + b"\xff" * 9, PACKED[:5], PACKED[:-8] + b"\0" * 8],
    ids=["cut off", "damaged", "a head", "a wrong sum"],
)
def test_a_log_whose_gzip_is_damaged_is_refused_with_its_name(tmp_path, damaged):
    path = tmp_path / "log.json.gz"
    path.write_bytes(damaged)
    with pytest.raises(NoEvidence, match=r"log\.json\.gz: the gzip data is damaged or cut off$"):
        b"".join(chunks(str(path)))


def test_a_path_that_cannot_be_opened_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    paths = {"gone": "no such file or folder", "": "it is a folder", "file/below": "a part of the path is a file"}
    for path, says in paths.items():
        with pytest.raises(NoEvidence, match=says):
            b"".join(chunks(f"{tmp_path}/{path}"))


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.ENOSPC, errno.ENAMETOOLONG, 9999, None])
def test_an_error_of_the_system_is_never_told_in_its_own_words(code):
    assert WORDS not in os_error_reason(OSError(code, WORDS))
    assert os_error_reason(OSError(code, WORDS))


@pytest.fixture
def repository(tmp_path):
    def git(*arguments):
        subprocess.run(["git", "-C", tmp_path, *arguments], check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "a").write_text("a")
    git("add", "a")
    git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "a")
    return tmp_path


def test_what_git_refuses_does_not_depend_on_the_language_of_git(repository, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "de")
    outside = tmp_path_factory.mktemp("outside")
    with pytest.raises(NoRevision, match=r"outside\d*: not in a git repository with a work tree$"):
        top_of(str(outside))
    for revision in ("gone", "HEAD~9", "HEAD:a", "a b", "\N{SNOWMAN}"):
        words = rf"^{re.escape(revision)}: no such revision in this repository(\. Did you mean .HEAD.\?)?$"
        with pytest.raises(NoRevision, match=words):
            files_at(revision, ["."], str(repository))
    with pytest.raises(NoRevision, match="not a valid path"):
        files_at("HEAD\0", ["."], str(repository))


def test_a_repository_that_git_cannot_read_is_named_with_the_command_that_shows_why(repository):
    (repository / ".git" / "HEAD").write_text("nonsense")
    with pytest.raises(NoRevision, match=r"git rev-parse failed \(exit 128\): git -C \S+ status shows why$"):
        files_at("HEAD", ["."], str(repository))


def chained(*errors):
    """The first error, raised for the second, and so on."""
    for outer, inner in pairwise(errors):
        outer.__cause__ = inner
    return errors[0]


def untrusted(code):
    error = ssl.SSLCertVerificationError(1, WORDS)
    error.verify_code = code
    error.verify_message = WORDS
    return error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (untrusted(10), "its certificate is not trusted: it has expired"),
        (untrusted(62), "its certificate is not trusted: it is for another host name"),
        (untrusted(77), "its certificate is not trusted: OpenSSL refuses it (code 77)"),
        (ssl.SSLError(1, WORDS), "it does not answer in TLS"),
        (socket.gaierror(-2, WORDS), "its name has no address"),
        (ConnectionRefusedError(errno.ECONNREFUSED, WORDS), "it refuses the connection"),
        (ConnectionResetError(errno.ECONNRESET, WORDS), "it closed the connection"),
        (OSError(errno.ENETUNREACH, WORDS), "no route leads to it"),
        (TimeoutError(WORDS), "no answer in time"),
        (ValueError(WORDS), "the connection ended in an answer, or the answer is not HTTP"),
    ],
)
def test_why_a_server_gives_no_answer_is_read_from_the_error_of_the_system_that_libraries_wrap(error, says):
    assert network_reason(error) == says
    assert network_reason(chained(RuntimeError(WORDS), ValueError(WORDS), error)) == says
    assert network_reason(RuntimeError(RuntimeError(error))) == says


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (botocore.NoCredentialsError(), "credentials", "no credentials were found"),
        (botocore.ProfileNotFound(profile="gone"), "credentials", "no profile gone in the configuration of AWS"),
        (botocore.ConfigParseError(path="/x/config", error=WORDS), "credentials", "the configuration /x/config cannot be read"),
        (
            botocore.CredentialRetrievalError(provider="process", error_msg=WORDS),
            "credentials",
            "no credentials can be had from process: sign in again",
        ),
        (botocore.SSOTokenLoadError(error_msg=WORDS), "credentials", "no credentials can be had: sign in again"),
        (
            botocore.EndpointConnectionError(endpoint_url="https://iam.test/", error=ConnectionRefusedError(111, WORDS)),
            "unreachable",
            "iam:ListRoles: https://iam.test/ cannot be reached: ",
        ),
        (
            botocore.ReadTimeoutError(endpoint_url="https://iam.test/", error=WORDS),
            "unreachable",
            "iam:ListRoles: no answer in time from https://iam.test/",
        ),
        (
            botocore.SSLError(endpoint_url="https://iam.test/", error=untrusted(10)),
            "unreachable",
            "iam:ListRoles: the certificate of https://iam.test/ is not trusted: it has expired",
        ),
        (botocore.NoRegionError(), "other", "iam:ListRoles: botocore makes no call of it (NoRegionError)"),
        (KeyError(WORDS), "other", "iam:ListRoles: the answer is not one of AWS (KeyError)"),
    ],
)
def test_an_error_of_botocore_is_told_by_its_kind_and_its_values(error, kind, says):
    fault = call_error(error, "iam:ListRoles")
    assert fault.kind == kind
    assert fault.says.startswith(says)
    assert WORDS not in fault.says


CONTEXT = "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("clusters: [{name: k, cluster: {server: 5}}]", r"cluster k is not valid: a value is missing or of the wrong kind$"),
        ("users: [{name: u, user: {exec: {command: 5}}}]", r"user u is not valid: a value is missing or of the wrong kind$"),
        ("users: [{name: u, user: {token: [a]}}]", r"user u is not valid: a value is missing or of the wrong kind$"),
        ("clusters: {a: [}", r"config: not valid YAML: "),
    ],
)
def test_an_entry_of_a_kubeconfig_that_is_not_valid_is_named(tmp_path, rest, says):
    (tmp_path / "config").write_text(CONTEXT + rest)
    with pytest.raises(LiveError, match=says):
        connections((), str(tmp_path / "config"))


@pytest.mark.parametrize(
    ("cluster", "user", "says"),
    [
        ("certificate-authority: gone.pem", "", r"gone\.pem: no such file or folder$"),
        ("certificate-authority: config", "", r"a certificate or key of context c is not valid$"),
        ("certificate-authority-data: '%%%'", "", r"a certificate or key of context c is not valid$"),
        ("", "client-certificate: gone.pem, client-key: gone.key", r"gone\.pem: no such file or folder$"),
        ("", "client-certificate: config, client-key: config", r"a certificate or key of context c is not valid$"),
        ("", "client-certificate: config", r"a certificate or key of context c is not valid$"),
        ("", "auth-provider: {name: gcp}", r"has an auth-provider, which is not supported: use exec or a token$"),
        ("server: 'https://[::1'", "", r"https://\[::1 is not a valid URL of an API server$"),
    ],
)
def test_a_connection_that_cannot_be_made_is_one_sentence(tmp_path, cluster, user, says):
    from irsa_doctor.sources.live.kubeconfig import ConfigFault

    text = CONTEXT + f"clusters: [{{name: k, cluster: {{{cluster}}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
    (tmp_path / "config").write_text(text)
    (connection,) = connections((), str(tmp_path / "config"))
    with pytest.raises(ConfigFault, match=says):
        connection.client(1.0)
