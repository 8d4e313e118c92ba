"""Reads the roles that configuration files of programs make them assume: profiles of AWS, and what single programs call it.

Profiles: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html. Only names of roles and
profiles are kept: these files may hold keys, and programs to run.
"""

import re
from collections.abc import Iterator, Mapping

import msgspec

from irsa_doctor.model import is_role_arn
from irsa_doctor.model.regex import regex

LONGEST_FILE = 65_536
"""characters of a file that is read"""
_LOOPS = 8
"""profiles that one chain passes"""
_MOST = 64
"""roles of one file"""
_ARN = r"[\"']?(?P<role>arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,560})"


class _Form(msgspec.Struct, frozen=True):
    """How a program writes down a role that it assumes: `words` are all in its file, whatever their letter case."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]


def _form(words: tuple[str, ...], pattern: str) -> _Form:
    return _Form(words, regex(pattern + _ARN, re.IGNORECASE | re.MULTILINE))


_FORMS = (
    # the name says it: Grafana (assumeRoleArn), Karpenter before v1 (aws.assumeRoleARN), Vector (assume_role), Fluentd
    _form((), r"\bassume[_-]?role(?:[_-]?arn)?[\"']?[ \t]*[:=][ \t]*"),
    # Prometheus, Alertmanager, the collector of OpenTelemetry: https://prometheus.io/docs/prometheus/latest/configuration/
    _form(("sigv4",), r"^[ \t-]*role_arn[\"']?[ \t]*:[ \t]*"),
    # https://docs.fluentbit.io/manual/data-pipeline/outputs/cloudwatch
    _form(("[output]",), r"^[ \t]*(?:aws_|sts_)?role_arn[ \t]+"),
    # the same as YAML
    _form(("pipeline:", "outputs:"), r"^[ \t-]*(?:aws_|sts_)?role_arn[ \t]*:[ \t]*"),
    # https://github.com/prometheus-community/yet-another-cloudwatch-exporter/blob/main/docs/configuration.md
    _form(("rolearn", "discovery:"), r"^[ \t-]*roleArn[ \t]*:[ \t]*"),
    # https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md
    _form(("[global]",), r"^[ \t]*rolearn[ \t]*=[ \t]*"),
)


class ProfileChain(msgspec.Struct, frozen=True, kw_only=True):
    """The roles that a profile assumes one after the other; `first` is the one that it gets by web identity, "" where the
    environment gives it."""

    name: str
    first: str
    roles: tuple[str, ...]
    external_id: str


def roles_in_file(text: str) -> Iterator[str]:
    """The roles that a file makes its program assume, each once."""
    lowered, known = text.lower(), set[str]()
    for form in _FORMS:
        for match in form.pattern.finditer(text) if all(word in lowered for word in form.words) else ():
            role = match["role"]
            if role not in known and len(known) < _MOST:
                known.add(role)
                yield role


def profiles_in_file(text: str) -> Iterator[ProfileChain]:
    """The profiles that begin with a web identity or with what the environment has, and go on to another role."""
    import configparser

    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    profiles = {name.removeprefix("profile ").strip(): dict(parser[name]) for name in parser.sections()}
    for name, members in profiles.items():
        first, roles = _followed(profiles, name)
        if roles:
            yield ProfileChain(name=name, first=first, roles=roles, external_id=members.get("external_id", ""))


def _followed(profiles: Mapping[str, Mapping[str, str]], name: str) -> tuple[str, tuple[str, ...]]:
    """(the role that a profile gets by web identity, the roles after it); none where its source is something else."""
    chain: list[str] = []
    for _ in range(_LOOPS):
        profile = profiles.get(name, {})
        role, source = profile.get("role_arn", ""), profile.get("source_profile", "")
        if "web_identity_token_file" in profile:
            return role if is_role_arn(role) else "", tuple(reversed(chain))
        if profile.get("credential_source") == "EcsContainer":
            return "", tuple(reversed([*chain, role] if is_role_arn(role) else chain))
        if not is_role_arn(role) or not source or source == name:
            return "", ()
        chain.append(role)
        name = source
    return "", ()
