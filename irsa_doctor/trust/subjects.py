"""Which subjects can exist: the grammar of service account subjects, the free one, and the scope of a language over them.

Kubernetes names: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ (length limits set aside).
"""

import re
from functools import lru_cache
from typing import Literal

import msgspec

from irsa_doctor.issuers import SubjectGrammar
from irsa_doctor.model.regex import regex
from irsa_doctor.trust.audiences import without_invisible
from irsa_doctor.trust.automaton import BUDGET, UNLIMITED, Shape, Spent, TooComplex, shape_of
from irsa_doctor.trust.languages import EVERYTHING, All, Any, Finite, Language, Like, Not
from irsa_doctor.trust.patterns import Plain, Wild, glob_of, pieces_of, widest
from irsa_doctor.trust.work import Allowance, allowance

PREFIX = "system:serviceaccount:"
_NAMES = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
SUBJECT = regex(PREFIX + _NAMES)
"""what a cluster can mint"""
QUOTED_SUBJECT = regex(b'"(%s)"' % SUBJECT.pattern.encode())
"""the same in a policy as JSON"""
NAMES_OF_SUBJECT = regex(_NAMES.encode())
"""what of it stands behind the prefix, as bytes"""


def is_subject(text: str) -> bool:
    """Whether a cluster can mint this subject."""
    return SUBJECT.fullmatch(text) is not None


SubjectForm = Literal["", "wildcard", "case", "invisible", "shape"]
_PREFIXES = regex(r"(system[:/.])?(serviceaccounts?|sa)[:/]", re.IGNORECASE)


def subject_form(value: str, *, wildcards: bool = False, ignoring_case: bool = False) -> tuple[SubjectForm, str]:
    """(why no service account has a subject that a value requires, the value that was meant or ""); `wildcards`: the operator
    has some. A literal wildcard was meant as one."""
    # what is too complex here is a loss to every policy that has it, so it is asked each time
    form = _form_of_pattern if "*" in value or "?" in value else _form_of_literal
    return form(value, wildcards, ignoring_case)


def _form_of_pattern(value: str, wildcards: bool, ignoring_case: bool) -> tuple[SubjectForm, str]:
    if is_subject(value):
        return "", value
    if not wildcards and ("*" in value or "?" in value):
        return "wildcard", value if _is_mintable(value, wildcards=True) else _mended(value, wildcards=True)
    if _is_mintable(value, wildcards=wildcards):
        return "", value
    if _is_mintable(value.lower(), wildcards=wildcards):
        return ("" if ignoring_case else "case"), value.lower()
    seen = without_invisible(value)
    if seen != value and _is_mintable(seen.lower(), wildcards=wildcards):
        return "invisible", seen.lower()
    return "shape", _mended(seen, wildcards=wildcards)


_form_of_literal = lru_cache(maxsize=16384)(_form_of_pattern)


def _mended(value: str, *, wildcards: bool) -> str:
    """A subject written without its prefix, with a mistyped one, or with slashes; "" where none can be made of it, as of other
    users and groups of Kubernetes, which begin with `system:` too."""
    if value.lower().startswith("system:") and not _PREFIXES.match(value):
        return ""
    rest = _PREFIXES.sub("", value, count=1)
    meant = PREFIX + rest.replace("/", ":", 1)
    return next((text for text in (meant, meant.lower()) if _is_mintable(text, wildcards=wildcards)), "")


def _is_mintable(value: str, *, wildcards: bool) -> bool:
    """Whether some service account can have a subject that a value matches."""
    if not wildcards or ("*" not in value and "?" not in value):
        return is_subject(value)
    pattern = Like(glob_of(pattern_of(value)))
    return reach_of(pattern, "service-account").scope != "nobody"


def matches_subject(value: str, subject: str) -> bool:
    """Whether a subject matches a value read as StringLike reads it."""
    return glob_of(pattern_of(value)).matches(subject)


def pattern_of(value: str) -> tuple[Plain, ...]:
    """A value read as StringLike reads it, variables set aside."""
    return widest(pieces_of(value, wildcards=True, variables=False))


Scope = Literal["nobody", "one", "several", "namespace", "namespaces", "cluster", "pattern", "anyone"]

_ALNUM = "abcdefghijklmnopqrstuvwxyz0123456789"


class ServiceAccountSubjects:
    """`system:serviceaccount:<DNS-1123 label>:<DNS-1123 subdomain>` as an automaton."""

    start = 0
    _N = len(PREFIX)
    _LABEL, _DASH, _NAME0, _NAME, _NAME_DASH = _N + 1, _N + 2, _N + 3, _N + 4, _N + 5

    def accepts(self, state: int) -> bool:
        """After at least one character of the name that is not a dash or a dot."""
        return state == self._NAME

    def classes(self, state: int) -> tuple[tuple[int, str], ...]:
        """See `Grammar.classes`."""
        return _CLASSES[state]

    def is_third_colon(self, state: int, target: int) -> bool:
        """The step from namespace to name."""
        return target == self._NAME0 and state == self._LABEL


def _classes() -> tuple[tuple[tuple[int, str], ...], ...]:
    g = ServiceAccountSubjects
    rows: list[tuple[tuple[int, str], ...]] = [((n + 1, char),) for n, char in enumerate(PREFIX)]
    rows.append(((g._LABEL, _ALNUM),))
    rows.append(((g._LABEL, _ALNUM), (g._DASH, "-"), (g._NAME0, ":")))
    rows.append(((g._LABEL, _ALNUM), (g._DASH, "-")))
    rows.append(((g._NAME, _ALNUM),))
    rows.append(((g._NAME, _ALNUM), (g._NAME_DASH, "-"), (g._NAME0, ".")))
    rows.append(((g._NAME, _ALNUM), (g._NAME_DASH, "-")))
    return tuple(rows)


_CLASSES = _classes()


class AnyText:
    """Every string."""

    start = 0

    def accepts(self, state: int) -> bool:
        """Always."""
        return True

    def classes(self, state: int) -> tuple[tuple[int, str], ...]:
        """One class, without end."""
        return ((0, _ALNUM + "-:/" + UNLIMITED),)

    def is_third_colon(self, state: int, target: int) -> bool:
        """Never: free text has no namespaces."""
        return False


class Reach(msgspec.Struct, frozen=True):
    """How far a language reaches. `scope` is None where it is too complex to compute."""

    scope: Scope | None
    witness: str | None


_SERVICE_ACCOUNTS, _ANY_TEXT = ServiceAccountSubjects(), AnyText()


def _finite_reach(values: frozenset[str], grammar: SubjectGrammar) -> Reach:
    words = [value for value in values if SUBJECT.fullmatch(value)] if grammar != "text" else list(values)
    if len(words) > 1:
        return Reach("several", min(words, key=lambda word: (len(word), word)))
    return Reach("one", words[0]) if words else Reach("nobody", None)


_SHORTEST = PREFIX + "a:a"
_NAMESPACE = regex(PREFIX + r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?:")


def _common_reach(language: Language) -> Reach | None:
    """The reach of the usual forms, read from the form: no automaton is built for each of thousands of policies.

    `PREFIX namespace : begin *`, `PREFIX * : name`, several of these and of names, all but names; None for everything
    else.
    """
    if isinstance(language, Finite):
        return _finite_reach(language.values, "service-account")
    if isinstance(language, Not) and isinstance(language.inner, Finite):
        scope: Scope = "namespaces" if any(map(is_subject, language.inner.values)) else "cluster"
        return Reach(scope, _SHORTEST) if _SHORTEST not in language.inner.values else None
    if isinstance(language, Any):
        return _reach_of_several(language)
    if not isinstance(language, Like) or language.glob.arn or language.glob.ignore_case:
        return None
    pieces = language.glob.pieces
    if len(pieces) == 2 and isinstance(pieces[0], str) and pieces[1] is Wild.MANY:
        begin = pieces[0]
        witness = begin if is_subject(begin) else begin + "a"
        return Reach("namespace", witness) if _NAMESPACE.match(begin) and is_subject(witness) else None
    if len(pieces) == 3 and pieces[0] == PREFIX and pieces[1] is Wild.MANY and isinstance(pieces[2], str):
        witness = PREFIX + "a" + pieces[2]
        return Reach("namespaces", witness) if pieces[2].startswith(":") and is_subject(witness) else None
    return None


def _reach_of_several(language: Any) -> Reach | None:
    """The union of common forms, one of them a pattern; None where they do not tell which witness is the shortest."""
    reaches = [_common_reach(part) for part in language.parts]
    if None in reaches or any(isinstance(part, Not | Any) for part in language.parts):
        return None
    witnesses = sorted((reach.witness for reach in reaches if reach and reach.witness), key=len)
    if len(witnesses) > 1 and len(witnesses[0]) == len(witnesses[1]):
        return None
    named = [word for part in language.parts if isinstance(part, Finite) for word in part.values if is_subject(word)]
    namespaces = {word.split(":")[2] for word in (*named, *witnesses)}
    wide = len(namespaces) > 1 or any(reach and reach.scope == "namespaces" for reach in reaches)
    return Reach("namespaces" if wide else "namespace", witnesses[0])


_TOO_COMPLEX = Reach(None, None)


def reach_of(language: Language, grammar: SubjectGrammar, budget: int = BUDGET) -> Reach:
    """The scope of a language and a shortest witness of it; over service account subjects, or over all text.

    Of service accounts: nobody, one, several (finitely many), namespace (infinitely many in exactly one namespace),
    namespaces, cluster (all). Of other text: nobody, one, several, pattern, anyone. With a smaller budget no answer is no
    loss to the policy.
    """
    purse = allowance()
    reach = _reach_of(language, grammar, budget) if purse is None else _charged(language, grammar, budget, purse)
    if reach.scope is None and purse and budget == BUDGET:
        purse.losses += 1
    return reach


def _charged(language: Language, grammar: SubjectGrammar, budget: int, purse: Allowance) -> Reach:
    """The reach as far as the policy may still cost something."""
    question = (language, grammar, budget)
    if purse.given_up and question in purse.given_up:
        return _TOO_COMPLEX
    try:
        return _reach_of(language, grammar, budget)
    except Spent:
        purse.given_up.add(question)
        return _TOO_COMPLEX


@lru_cache(maxsize=1024)
def _reach_of(language: Language, grammar: SubjectGrammar, budget: int) -> Reach:
    """See `reach_of`; raises Spent, so that what one run has no steps for is not remembered for another."""
    if isinstance(language, Finite) and grammar == "text":
        return _finite_reach(language.values, grammar)
    if grammar != "text" and (common := _common_reach(language)):
        return common
    try:
        shape = shape_of(language, _ANY_TEXT if grammar == "text" else _SERVICE_ACCOUNTS, budget)
    except Spent:
        raise
    except TooComplex:
        return _TOO_COMPLEX
    return Reach(_scope(shape, grammar), shape.witness)


_COUNTED: tuple[Scope, ...] = ("nobody", "one", "several")


def _scope(shape: Shape, grammar: SubjectGrammar) -> Scope:
    if shape.count is not None:
        return _COUNTED[shape.count]
    if grammar == "text":
        return "anyone" if shape.everything else "pattern"
    if shape.everything:
        return "cluster"
    return "namespace" if shape.one_namespace else "namespaces"


_INFINITE: frozenset[Scope] = frozenset({"namespace", "namespaces", "cluster", "pattern", "anyone"})


def is_empty(language: Language, grammar: SubjectGrammar) -> bool | None:
    """Whether a language has no text of a grammar, None where it is too complex to compute.

    An infinite language without finitely many texts is never empty: no automaton is built for each of these.
    """
    parts = language.parts if isinstance(language, All) else (language,)
    bounding = [part for part in parts if not (isinstance(part, Not) and isinstance(part.inner, Finite))]
    if len(bounding) < len(parts) and len(bounding) < 2 and reach_of((*bounding, EVERYTHING)[0], grammar).scope in _INFINITE:
        return False
    scope = reach_of(language, grammar).scope
    return None if scope is None else scope == "nobody"
