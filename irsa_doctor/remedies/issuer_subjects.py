"""The subjects that a statement for an issuer of many tenants names, and those that could stand in their place."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.facts.grants.ownership import declared_tenants
from irsa_doctor.facts.grants.reach import Grounds, grounds_of
from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.issuers import Profile, tenant_of
from irsa_doctor.issuers.forms import FormPart, charset_of, form_parts
from irsa_doctor.issuers.profiles import Segment, SubjectTemplate
from irsa_doctor.model.once import once
from irsa_doctor.model.regex import regex
from irsa_doctor.trust.languages import Language, Like, difference
from irsa_doctor.trust.patterns import glob_of, pieces_of, widest
from irsa_doctor.trust.policy import Condition
from irsa_doctor.trust.ring import segments_of_keys
from irsa_doctor.trust.segments import SegmentValue, Token, laid_beside, tokens_of
from irsa_doctor.trust.subjects import is_empty

_HOLE = regex(r"<([a-z_]+)>")
_LONGEST = 256
"""characters of a subject for which a near form is looked for"""
SegmentTexts = Mapping[str, str]
"""segment -> its value"""


class WrittenSubject(msgspec.Struct, frozen=True):
    """A value that a statement requires of sub, in the form that it has; no form where it has none."""

    text: str
    template: SubjectTemplate | None = None
    values: tuple[SegmentValue, ...] = ()

    @property
    def known(self) -> SegmentTexts:
        """The segments that it names."""
        return {value.name: value.value for value in self.values if value.value is not None}


class IssuerStatement(msgspec.Struct, frozen=True, dict=True):
    """A statement for an issuer that is no cluster, as it is read."""

    read: GrantReading

    @property
    def index(self) -> int:
        """The number of the statement."""
        return self.read.statement.index

    @property
    def issuer(self) -> str:
        """The issuer without scheme."""
        return self.read.issuer

    @property
    def profile(self) -> Profile:
        """What is known of its tokens."""
        return self.read.profile

    @once
    def grounds(self) -> Grounds:
        """How far it reaches."""
        return grounds_of(self.read)

    @once
    def declared(self) -> Sequence[str]:
        """The tenants that settings declare as one's own."""
        return declared_tenants(self.profile, self.read.lookups.owner)

    @once
    def on_subject(self) -> Sequence[Condition]:
        """Its conditions on the subject."""
        key = f"{self.issuer.lower()}:sub"
        return [condition for condition in self.read.statement.conditions if condition.key == key]

    @once
    def written(self) -> Sequence[WrittenSubject]:
        """The values that it requires of sub; one that is open where it names none."""
        plain = [condition for condition in self.on_subject if not condition.use.operator.negated]
        texts = dict.fromkeys(str(value) for condition in plain for value in condition.values)
        return [_read(text, self.profile) for text in texts] or [WrittenSubject("*")]

    @once
    def by_keys(self) -> SegmentTexts:
        """The segments that its condition keys fix."""
        boxes = self.grounds.boxes
        keyed = segments_of_keys(boxes[0], self.profile) if boxes else ()
        return {value.name: value.value for value in keyed if value.value is not None}

    def of_tenants(self, name: str | None) -> Sequence[SegmentTexts]:
        """The segments of tenants that are declared, or that the issuer names: of one tenant where a name is given."""
        if self.profile.own:
            tenant = tenant_of(self.issuer, self.profile)
            return [dict.fromkeys(tenant_segments(self.profile), tenant)] if tenant else []
        entries = [entry.rpartition("@") if "@" in entry else (entry, "", "") for entry in self.declared]
        own = [(label, ident) for label, _, ident in entries if name is None or label.lower() == name.lower()]
        kinds = tenant_segments(self.profile)
        return [
            {segment: (ident if kinds[segment] else label) for segment in kinds if ident or not kinds[segment]}
            for label, ident in own
        ]

    def holds(self, subject: str) -> bool:
        """Whether it admits every subject that fits a pattern."""
        return is_within(subject, self.read.subjects)


def is_within(pattern: str, subjects: Language) -> bool:
    """Whether all that fits a pattern is surely in a language."""
    glob = Like(glob_of(widest(pieces_of(pattern, wildcards=True, variables=True))))
    return is_empty(difference(glob, subjects), "text") is True


def _read(text: str, profile: Profile) -> WrittenSubject:
    tokens = _tokens(text)
    for template in profile.subject:
        if values := laid_beside(tokens, template):
            return WrittenSubject(text, template, values)
    return WrittenSubject(text)


def _tokens(text: str) -> tuple[Token, ...]:
    return tokens_of(widest(pieces_of(text, wildcards=True, variables=True)), ())


def tenant_segments(profile: Profile) -> Mapping[str, bool]:
    """The segments that name tenants, and whether by an id."""
    named = [(name, part) for form in profile.subject for name, part in form.segments.items()]
    return {name: part.kind == "id" for name, part in named if part.level == "tenant"}


def with_segments(text: str, values: SegmentTexts) -> str:
    """A text with its holes filled in, as far as their values are known."""
    return _HOLE.sub(lambda hole: values.get(hole[1], hole[0]), text)


def has_no_hole(text: str) -> bool:
    """Whether a text has no hole."""
    return not _HOLE.search(text)


# ---- what could stand there


def right_subjects(of: IssuerStatement) -> Sequence[str]:
    """The vendor's right subjects with what the statement and the settings name, all of them admitted today; none where one
    of the subjects that the statement names cannot be filled in."""
    right = next((claims["sub"] for claims in of.profile.right.values() if "sub" in claims), "")
    if not right:
        return ()
    subjects: list[str] = []
    for written in of.written:
        made = [text for values in _options(of, written) for text in _right_of(of, right, values) if of.holds(text)]
        if not made:
            return ()
        subjects += made
    return tuple(dict.fromkeys(subjects))


def known_segments(of: IssuerStatement) -> SegmentTexts:
    """What is known of segments where each has one value."""
    options = [values for written in of.written for values in _options(of, written)]
    first = options[0] if options else {}
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in options)}


def _options(of: IssuerStatement, written: WrittenSubject) -> list[SegmentTexts]:
    """What a subject names, and what each of the tenants that it may mean adds."""
    known = {**of.by_keys, **written.known}
    kinds = tenant_segments(of.profile)
    name = next((known[segment] for segment, by_id in kinds.items() if not by_id and segment in known), None)
    return [{**tenant, **known} for tenant in of.of_tenants(name) or [{}]]


def _right_of(of: IssuerStatement, right: str, known: SegmentTexts) -> Iterator[str]:
    """The vendor's right subject, and the same in forms that have other ids."""
    for template in of.profile.subject:
        if (base := _base_of(right, template)) is not None:
            for form in (template, *_kin(template, of.profile)):
                if (text := in_form(form, {**base, **known})) is not None:
                    yield text
            return
    if has_no_hole(text := with_segments(right, known)):
        yield text


def _base_of(right: str, template: SubjectTemplate) -> SegmentTexts | None:
    """What a right subject of a form says of its segments beside its holes, a star of those that are open; None where it has
    another form."""
    names = {part.name: part.segment for part in form_parts(template) if part.segment}
    holes = set(_HOLE.findall(right))
    if not holes <= names.keys():
        return None
    laid = laid_beside(_tokens(with_segments(right, {name: _sample(names[name]) for name in holes})), template)
    return {value.name: value.value or "*" for value in laid if value.name not in holes} if laid else None


def _sample(segment: Segment) -> str:
    return segment.sample or next(iter(segment.values), "") or charset_of(segment.charset).chars[:1]


def _kin(template: SubjectTemplate, profile: Profile) -> Iterator[SubjectTemplate]:
    """The forms that have the same names, and other ids."""
    names = _names(template)
    return (form for form in profile.subject if form is not template and _names(form) == names)


def _names(template: SubjectTemplate) -> list[str]:
    return [part.name for part in form_parts(template) if part.segment and part.segment.kind == "name"]


def in_form(template: SubjectTemplate, values: SegmentTexts) -> str | None:
    """The subject of a form with these values, None where one is missing."""
    texts = [part.text if part.segment is None else values.get(part.name) for part in form_parts(template)]
    known = [text for text in texts if text is not None]
    return "".join(known) if len(known) == len(texts) else None


def closed_subjects(of: IssuerStatement) -> Sequence[str]:
    """The subjects that a statement names, with the separator behind the name in which a star stands; none where there is no
    such name."""
    texts = [_closed(written) or written.text for written in of.written]
    return tuple(dict.fromkeys(texts)) if texts != [written.text for written in of.written] else ()


def _closed(written: WrittenSubject) -> str:
    """A pattern whose open name is closed, "" where its beginning does not end in a part of a name."""
    opened = next((value for value in written.values if value.value is None and value.level != "run"), None)
    begin = written.text.partition("*")[0].partition("?")[0]
    if written.template is None or opened is None or not opened.part or opened.level not in ("tenant", "group", "repository"):
        return ""
    parts = form_parts(written.template)
    behind = next(number for number, part in enumerate(parts) if part.name == opened.name) + 1
    if not begin.endswith(opened.part) or behind >= len(parts):
        return ""
    return f"{begin}{parts[behind].text[:1]}*"


def own_subjects(of: IssuerStatement) -> Sequence[str]:
    """Patterns of everything in the tenants that are declared, as far as the statement admits it today."""
    patterns = [text for values in of.of_tenants(None) for form in of.profile.subject for text in _tenant_prefix(form, values)]
    return tuple(pattern for pattern in dict.fromkeys(patterns) if of.holds(pattern))


def _tenant_prefix(form: SubjectTemplate, values: SegmentTexts) -> Iterator[str]:
    """The beginning of a form up to the end of the tenant, and a star."""
    parts = form_parts(form)
    last = max((n for n, part in enumerate(parts) if _is_tenant(part)), default=-1)
    texts = [part.text or values.get(part.name, "") for part in parts[: last + 1]]
    if last >= 0 and all(texts) and last + 1 < len(parts):
        yield "".join(texts) + parts[last + 1].text[:1] + "*"


def _is_tenant(part: FormPart) -> bool:
    return part.segment is not None and part.segment.level == "tenant"


def with_ids(of: IssuerStatement, written: WrittenSubject) -> str | None:
    """A subject that has names alone in the form that has ids too, with the id that is declared for the tenant and a star for
    all others; None where that is not known."""
    form = next(_kin(written.template, of.profile), None) if written.template else None
    texts = {value.name: value.value if value.value is not None else f"{value.part}*" for value in written.values}
    if form is None or written.template is None or in_form(written.template, texts) != written.text:
        return None
    name = next((texts[v.name] for v in written.values if v.level == "tenant"), None)
    ids = next((values for values in of.of_tenants(name) if any(tenant_segments(of.profile)[s] for s in values)), None)
    stars = {part.name: "*" for part in form_parts(form) if part.segment and part.segment.kind == "id"}
    return in_form(form, {**stars, **ids, **texts}) if ids and name else None


def tenant_ids(of: IssuerStatement, names: Iterable[str]) -> Sequence[str]:
    """The ids that are declared for tenants, none where one of them has none."""
    by_name = {name.lower(): ident for name, at, ident in (entry.rpartition("@") for entry in of.declared) if at}
    known = [by_name.get(name.lower(), "") for name in names]
    return tuple(dict.fromkeys(known)) if known and all(known) else ()


# ---- put right


def for_later_runs(written: WrittenSubject) -> str:
    """A subject with a star in the place of what is new for every run."""
    if written.template is None:
        return written.text
    texts = {v.name: v.value if v.value is not None else f"{v.part}*" for v in written.values}
    if in_form(written.template, texts) != written.text:
        return written.text
    new = {v.name: "*" for v in written.values if v.level == "run" and v.segment.chosen_by == "run" and not v.segment.values}
    return in_form(written.template, {**texts, **new}) or written.text


def nearest_subject(text: str, profile: Profile) -> str:
    """The subject in a form of the issuer that a text becomes when a word that is missing is put in; "" where there are none,
    or several of which as much is written."""
    made = {right: kept for form in profile.subject for kept, right in _with_word(text, form)} if len(text) <= _LONGEST else {}
    most = max(made.values(), default=0)
    nearest = [right for right, kept in made.items() if kept == most]
    return nearest[0] if len(nearest) == 1 else ""


def _with_word(text: str, form: SubjectTemplate) -> Iterator[tuple[int, str]]:
    """The texts with a word more that have a form, each with how much of the form is written."""
    parts = form_parts(form)
    for number, part in enumerate(parts):
        for shorter in _without_words(part.text) if part.segment is None else ():
            texts = [shorter if n == number else p.text for n, p in enumerate(parts)]
            pattern = "".join("([^:]+?)" if p.segment else re.escape(t) for p, t in zip(parts, texts, strict=True))
            if fit := re.fullmatch(pattern, text):
                names = [p.name for p in parts if p.segment]
                right = in_form(form, dict(zip(names, fit.groups(), strict=True)))
                if right and laid_beside(_tokens(right), form):
                    yield len("".join(texts)), right


def _without_words(literal: str) -> Iterator[str]:
    """A literal part of a form without some of its words."""
    words = re.findall(r"[:/]|[^:/]+", literal)
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            yield "".join(words[:start] + words[end:])


def ref_keys(of: IssuerStatement) -> Sequence[tuple[str, str]]:
    """The one condition key that has the refs of all subjects that the statement names, with their values; none where there is
    no such key."""
    keyed = [pair for written in of.written for pair in _ref_keys(of.profile, written)]
    is_one = len({key for key, _ in keyed}) == 1 and len(keyed) == len(of.written)
    return tuple(dict.fromkeys(keyed)) if is_one else ()


def _ref_keys(profile: Profile, written: WrittenSubject) -> Iterator[tuple[str, str]]:
    known = {value.name: value.value for value in written.values if value.level == "ref" and value.value is not None}
    for key in profile.key_by_claim.values() if known else ():
        if key.level == "ref":
            texts = [in_form(form, known) for form in key.within] or [known.get(key.key)]
            yield from ((key.key, text) for text in texts if text is not None)
