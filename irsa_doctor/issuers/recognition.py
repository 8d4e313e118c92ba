"""Which profile an issuer has, by its name alone, by the subjects of its tokens, or by what settings declare."""

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

import msgspec

from irsa_doctor.issuers.profiles import KUBERNETES, Match, Profile, profile, profiles
from irsa_doctor.model import Text
from irsa_doctor.model.regex import regex

_HOLE = regex(r"(<[a-z_]+>\.?)")


@lru_cache(maxsize=1024)
def pattern_of_match(match: Match) -> re.Pattern[str]:
    """The issuers of a pattern: `<name>` stands for one label of the host or one segment of the path, and for all labels that
    are left where it ends the host. A slash at the end belongs to the form of the URL, not to the name."""
    return re.compile("".join(_part(part) for part in _HOLE.split(match.issuer)) + "/?")


def _part(part: str) -> str:
    if not part.startswith("<"):
        return re.escape(part)
    name = part.strip("<>.")
    group = f"(?P<{name}>" if name == "tenant" else "(?:"
    return group + (r"[^./]+)\." if part.endswith(".") else "[^/]+)")


def specificity(match: Match) -> int:
    """The number of literal characters of a pattern: of several that match, the most literal one counts."""
    return len("".join(_HOLE.split(match.issuer)[::2]))


@cache
def _of_match(ident: str, number: int) -> Profile:
    """The profile of an id as one of its patterns has it; the record of the file where all its patterns are alike."""
    base = profile(ident)
    match = base.match[number]
    if len({(m.own, m.built_in, m.keys, m.ids, m.slash, m.never) for m in base.match}) == 1:
        return base
    keys = base.keys if match.keys else ()
    return msgspec.structs.replace(base, match=(match,), keys=keys)


@cache
def _patterns() -> tuple[tuple[str, Match, Profile], ...]:
    """Patterns, the most literal one first, each behind its longest literal part: most are compiled for no issuer."""
    rows = [
        (max(_HOLE.split(match.issuer)[::2], key=len), match, _of_match(entry.id, number))
        for entry in profiles().values()
        for number, match in enumerate(entry.match)
        if not match.declared
    ]
    rows.sort(key=lambda row: -specificity(row[1]))
    return tuple(rows)


@lru_cache(maxsize=65536)
def profile_of(issuer: str) -> Profile | None:
    """The profile of an issuer (without scheme) by its name, None where no name tells. A vendor's host may have capitals:
    it is the vendor's, and in tokens it has none (`right_name`)."""
    rows = ((match, entry) for part, match, entry in _patterns() if part in issuer)
    known = next((entry for match, entry in rows if pattern_of_match(match).fullmatch(issuer)), None)
    if known is None and (small := _with_small_host(issuer)) != issuer:
        meant = profile_of(small)
        return None if meant is None or meant.is_cluster else meant
    return known and _for_tenant(known, issuer)


def _with_small_host(issuer: str) -> str:
    host, slash, path = issuer.partition("/")
    return f"{host.lower()}{slash}{path}"


def _for_tenant(entry: Profile, issuer: str) -> Profile:
    """A profile whose subjects name the tenant of an issuer, where those of its tokens have to."""
    if not any(segment.of_issuer for form in entry.subject for segment in form.segments.values()):
        return entry
    tenant = tenant_of(issuer, entry)
    replaced = msgspec.structs.replace
    forms = tuple(
        replaced(form, segments={k: replaced(s, values=(tenant,)) if s.of_issuer else s for k, s in form.segments.items()})
        for form in entry.subject
    )
    return replaced(entry, subject=forms) if tenant else entry


def profile_of_template(issuer: Text) -> Profile | None:
    """The profile of an issuer of which a template fills in a tenant (`oidc.circleci.com/org/${org}`), None where what is
    written does not tell; never that of a cluster, of which the keys of the statement tell more."""
    entry = profile_of("".join(part if isinstance(part, str) else "x" for part in issuer.parts))
    return entry if entry and not entry.is_cluster else None


@lru_cache(maxsize=65536)
def pattern_fitting(issuer: str, entry: Profile) -> Match | None:
    """The pattern of a profile that an issuer fits, else the one under which settings declare it; None where it has none."""
    fitting = [match for match in entry.match if pattern_of_match(match).fullmatch(issuer)]
    by_name = [match for match in fitting if not match.declared]
    return next(iter((*by_name, *fitting)), None)


def cluster_profile(issuer: str) -> Profile:
    """The profile of an issuer (without scheme) that is a cluster."""
    known = profile_of(issuer)
    return known if known and known.is_cluster else KUBERNETES


def declared_profile(ident: str, issuer: str) -> Profile:
    """The profile of an id for an issuer whose name shows nothing, as settings declare it; raises KeyError."""
    base = profile(ident)
    numbers = [number for number, match in enumerate(base.match) if match.declared]
    known = profile_of(issuer)
    if known is not None and known.id == ident:
        return known
    return _of_match(ident, numbers[0]) if numbers else base


@cache
def _signs() -> tuple[tuple[re.Pattern[str], Profile], ...]:
    return tuple(
        (re.compile("".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", sign))), _of_match(ident, n))
        for ident, entry in profiles().items()
        for n, match in enumerate(entry.match)
        for sign in match.signs
    )


def profile_by_subjects(subjects: Iterable[str]) -> Profile | None:
    """The profile of an issuer whose name shows nothing, by what its subjects begin with; None where that shows nothing."""
    named = {_by_subject(subject) for subject in subjects}
    return named.pop() if len(named) == 1 else None


@lru_cache(maxsize=4096)
def _by_subject(subject: str) -> Profile | None:
    return next((entry for pattern, entry in _signs() if pattern.match(subject)), None)


@lru_cache(maxsize=65536)
def tenant_of(issuer: str, entry: Profile) -> str:
    """The tenant that an issuer's name holds, "" where it holds none."""
    match = pattern_fitting(issuer, entry)
    if match is None or not match.own:
        return ""
    fit = pattern_of_match(match).fullmatch(issuer)
    return (fit.groupdict().get("tenant") or issuer.partition("/")[0]) if fit else ""


@lru_cache(maxsize=65536)
def right_name(issuer: str, entry: Profile) -> str:
    """The issuer as its tokens name it: its host in small letters, with or without a slash at its end; "" where no token names
    it at all."""
    match = pattern_fitting(issuer, entry)
    if match is None:
        small = _with_small_host(issuer)
        return right_name(small, entry) if small != issuer and pattern_fitting(small, entry) else issuer
    if tenant_of(issuer, entry) in match.never:
        return ""
    return issuer.rstrip("/") + ("/" if match.slash == "required" else "")


@cache
def built_in_issuers() -> Mapping[str, Profile]:
    """The issuers whose principal is their bare host, each with its profile."""
    rows = ((match.issuer, entry) for entry in profiles().values() for match in entry.match if match.built_in)
    return {issuer: profile_of(issuer) or entry for issuer, entry in rows}
