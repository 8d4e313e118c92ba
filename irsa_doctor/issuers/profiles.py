"""What is known of an issuer and of its tokens: its profile.

A profile is the file `irsa_doctor/issuers/<id>.yaml`; `python -m tools.generate` gathers all of them in `index.json`, so that
start-up does not parse YAML.
"""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from irsa_doctor.model.once import once

_INDEX = Path(__file__).parent / "index.json"
SubjectGrammar = Literal["service-account", "text"]
"""of subjects: `system:serviceaccount:NAMESPACE:NAME` in the letters that Kubernetes allows, or any text"""


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pattern over an issuer without scheme; `own`: such an issuer belongs to one tenant."""

    issuer: str
    own: bool = False


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a subject: what it names, the characters that it can hold, who chooses it."""

    level: str
    charset: str
    kind: Literal["id", "name"]
    chosen_by: str


class SubjectTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form of subjects: literal text with `{segments}` in it."""

    form: str
    segments: dict[str, Segment]


class Audience(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audiences that tokens have where nobody asks for another, and who chooses another."""

    default: tuple[str, ...]
    chosen_by: str
    names_tenant: bool = False


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a page says, and the day on which it was read."""

    says: str
    url: str
    read: str


class Profile(msgspec.Struct, frozen=True, kw_only=True, eq=False, dict=True, forbid_unknown_fields=True):
    """What is known of an issuer. There is one record an id, so they are compared by identity.

    `keys` are the claims beside sub and aud that become condition keys, "any" where that is not known.
    """

    id: str
    title: str
    docs: str
    match: tuple[Match, ...]
    members: Literal["customers", "tenant", "sign-up"]
    subject: tuple[SubjectTemplate, ...]
    subject_custom: Literal["no", "admin", "author"]
    audience: Audience
    keys: tuple[str, ...] | Literal["any"]
    facts: tuple[Fact, ...]

    @once
    def grammar(self) -> SubjectGrammar:
        """The grammar of its subjects."""
        return "service-account" if any(form.form.startswith("system:serviceaccount:") for form in self.subject) else "text"

    @once
    def is_cluster(self) -> bool:
        """Whether its tokens are those of service accounts."""
        return self.grammar == "service-account"

    def has_key(self, claim: str) -> bool:
        """Whether a claim (in lower case) may become a condition key."""
        return self.keys == "any" or claim in ("sub", "aud") or claim in self.keys


def _pattern(match: Match) -> re.Pattern[str]:
    """The issuers of a pattern: `<name>` stands for one label of the host or one segment of the path, and for all labels that
    are left where it ends the host."""
    parts = re.split(r"(<[a-z_]+>\.?)", match.issuer)
    return re.compile("".join(_part(part) for part in parts))


def _part(part: str) -> str:
    if not part.startswith("<"):
        return re.escape(part)
    return r"[^./]+\." if part.endswith(".") else "[^/]+"


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Profile], ...]:
    return tuple((_pattern(match), entry) for entry in profiles().values() for match in entry.match)


@lru_cache(maxsize=65536)
def profile_of(issuer: str) -> Profile | None:
    """The profile of an issuer (without scheme) by its name, None where no name tells."""
    return next((entry for pattern, entry in _patterns() if pattern.fullmatch(issuer)), None)


def cluster_profile(issuer: str) -> Profile:
    """The profile of an issuer (without scheme) that is a cluster."""
    return profile_of(issuer) or KUBERNETES


@cache
def profiles() -> dict[str, Profile]:
    """Every profile by its id."""
    listed = msgspec.json.decode(_INDEX.read_bytes(), type=tuple[Profile, ...])
    return {entry.id: entry for entry in listed}


def profile(ident: str) -> Profile:
    """The profile of an id; raises KeyError."""
    return profiles()[ident]


EKS, KUBERNETES, OTHER = (profile(ident) for ident in ("eks", "kubernetes", "other"))
