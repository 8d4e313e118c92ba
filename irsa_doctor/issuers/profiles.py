"""What is known of an issuer and of its tokens: its profile.

A profile is the file `irsa_doctor/issuers/<id>.yaml`; `python -m tools.generate` gathers all of them in `index.json`, so that
start-up does not parse YAML.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from irsa_doctor.model.once import once

_INDEX = Path(__file__).parent / "index.json"
SubjectGrammar = Literal["service-account", "text"]
"""of subjects: `system:serviceaccount:NAMESPACE:NAME` in the letters that Kubernetes allows, or any text"""
Level = Literal["tenant", "group", "repository", "ref", "workload", "run", "caller"]
"""What a part of a subject or a key narrows down, widest first. `repository` is the unit of code of the vendor, `ref` what
of it runs, `run` is new for every run, `caller` is who started it or what it called: it names no tenant."""
Slash = Literal["required", "forbidden"]


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pattern over an issuer without scheme: `<name>` stands for a label of its host or a segment of its path.

    `own`: such an issuer belongs to one tenant, which `<tenant>` names. `built_in`: its principal is the bare host. `declared`:
    its name alone shows nothing, so settings have to say whose it is, or its `signs` do: patterns of subjects that no other
    issuer has. `slash`: whether its URL ends with one; `never` are tenants that no token names. `keys` and `ids`: whether AWS
    takes its claims as keys, and whether its tokens have ids.
    """

    issuer: str
    own: bool = False
    built_in: bool = False
    declared: bool = False
    signs: tuple[str, ...] = ()
    slash: Slash = "forbidden"
    never: tuple[str, ...] = ()
    keys: bool = True
    ids: bool = True


class Segment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a subject: what it names, the characters that it can hold or its `values`, who chooses it.

    `kind` is id (never used again) or name. `unreviewed` are values that code which nobody reviewed gets, a star all of them;
    `workload` are those that only one workload gets. `sample` is a value as tokens have it, where a letter is none. `begins` is
    what every value of a kind begins with, so that a pattern which ends there leaves it open. `shape` is a regular expression
    that every value fits as a whole, so that nothing follows a value of that shape. `of_issuer`: its one value is the tenant
    that the issuer's name holds.
    """

    level: Level
    charset: str = ""
    values: tuple[str, ...] = ()
    kind: Literal["id", "name"] = "name"
    chosen_by: Literal["vendor", "tenant-admin", "author", "run"] = "tenant-admin"
    unreviewed: tuple[str, ...] = ()
    workload: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    shape: str = ""
    of_issuer: bool = False
    sample: str = ""

    def runs_unreviewed(self, value: str | None) -> bool:
        """Whether code that nobody reviewed gets a value."""
        return value is not None and (value in self.unreviewed or "*" in self.unreviewed)


class SubjectTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form of subjects: literal text with `{segments}` in it, and a subject of this form."""

    form: str
    segments: dict[str, Segment]
    example: str = ""


class CustomClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim that a tenant may put into subjects as `name:value`.

    `within`: the forms of its value, where that has parts. `usual`: the default form has it too. `unreviewed`: code that nobody
    reviewed gets it, and it stands without a value. `never_first`: no subject may begin with it.
    """

    level: Level
    kind: Literal["id", "name"] = "name"
    within: tuple[SubjectTemplate, ...] = ()
    usual: bool = False
    unreviewed: bool = False
    never_first: bool = False


class Audience(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audiences that tokens have where nobody asks for another, and who chooses another."""

    default: tuple[str, ...]
    chosen_by: Literal["vendor", "tenant-admin", "author"]
    names_tenant: bool = False

    @property
    def pins_tenant(self) -> bool:
        """Whether a required audience limits whose tokens are admitted: it names a tenant, and no author can ask for it."""
        return self.names_tenant and self.chosen_by != "author"


class ConditionKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim that AWS takes as condition key: the level that it pins, and since when.

    `presence`: whether every token has it. `within`: the forms of its value, where that has parts. `is_audience`: it has an
    audience of the token, which `aud` need not have.
    """

    key: str
    level: Level | Literal["none"]
    type: Literal["string", "numeric", "bool", "strings"] = "string"
    kind: Literal["id", "name"] = "name"
    presence: Literal["always", "sometimes"] = "always"
    since: str = ""
    within: tuple[SubjectTemplate, ...] = ()
    is_audience: bool = False


class Guests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The claim that tells guests, whom nobody knows, from users that signed in, and its values for both."""

    claim: str
    guest: str
    user: str


class Save(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The claims of which IAM requires a condition on one when a policy is saved."""

    any_of: tuple[str, ...]


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a page says, and the day on which it was read."""

    says: str
    url: str
    read: str


class Profile(msgspec.Struct, frozen=True, kw_only=True, eq=False, dict=True, forbid_unknown_fields=True):
    """What is known of an issuer. There is one record an id and way of matching, so they are compared by identity.

    `members` are those who get tokens: customers of the vendor, whom a tenant lets in, or perhaps anybody who signs up. `keys`
    are the claims beside sub and aud that become condition keys, "any" where that is not known. `custom` are the claims that
    subjects are made of where a tenant or the author of a workload replaces their form, a name with a star at its end all that
    a tenant names itself; `claims` are further ones, which clouds other than AWS can ask for. `narrowest` is the ring beyond
    which nobody can narrow a policy of this issuer, where its use lies in that ring. `right` is the policy to write, with
    holes. `owned_as` is what settings call its tenants, where that is not its id.
    """

    id: str
    title: str
    docs: str
    match: tuple[Match, ...]
    members: Literal["customers", "tenant", "sign-up"]
    subject: tuple[SubjectTemplate, ...]
    subject_custom: Literal["no", "admin", "author"]
    audience: Audience
    keys: tuple[ConditionKey, ...] | Literal["any"]
    facts: tuple[Fact, ...]
    custom: dict[str, CustomClaim] = {}
    claims: dict[str, CustomClaim] = {}
    session_tags: bool = False
    guests: Guests | None = None
    save: Save = Save(())
    right: dict[str, dict[str, str]] = {}
    narrowest: Literal["", "organisation"] = ""
    owned_as: str = ""

    @once
    def grammar(self) -> SubjectGrammar:
        """The grammar of its subjects."""
        return "service-account" if any(form.form.startswith("system:serviceaccount:") for form in self.subject) else "text"

    @once
    def is_cluster(self) -> bool:
        """Whether its tokens are those of service accounts."""
        return self.grammar == "service-account"

    @once
    def own(self) -> bool:
        """Whether every issuer of this record belongs to one tenant."""
        return bool(self.match) and all(match.own for match in self.match)

    @once
    def key_by_claim(self) -> Mapping[str, ConditionKey]:
        """Its condition keys by claim, in lower case."""
        return {} if self.keys == "any" else {key.key.lower(): key for key in self.keys}

    @once
    def has_ids(self) -> bool:
        """Whether subjects of its tokens have ids, where a form has them."""
        return len(self.match) != 1 or self.match[0].ids

    def custom_claim(self, name: str) -> CustomClaim | None:
        """The claim that a subject may have under a name; an entry with a star at its end is for all names that begin so."""
        if name in self.custom:
            return self.custom[name]
        return next(
            (self.custom[f"{begin}*"] for begin in self.custom_families if name.startswith(begin) and name != begin), None
        )

    @once
    def custom_families(self) -> tuple[str, ...]:
        """What the names of claims begin with that tenants name themselves."""
        return tuple(name[:-1] for name in self.custom if name.endswith("*"))

    def has_key(self, claim: str) -> bool:
        """Whether a claim (in lower case) may become a condition key."""
        return self.keys == "any" or claim in ("sub", "aud") or claim in self.key_by_claim


@cache
def profiles() -> dict[str, Profile]:
    """Every profile by its id."""
    listed = msgspec.json.decode(_INDEX.read_bytes(), type=tuple[Profile, ...])
    return {entry.id: entry for entry in listed}


def profile(ident: str) -> Profile:
    """The profile of an id; raises KeyError."""
    return profiles()[ident]


EKS, KUBERNETES, OTHER = (profile(ident) for ident in ("eks", "kubernetes", "other"))
