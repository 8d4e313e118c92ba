"""One subject that an issuer mints, is admitted, and shows the ring: of `repo:acme*` another organisation than `acme`."""

from collections.abc import Iterator, Sequence

from irsa_doctor.issuers.forms import form_parts
from irsa_doctor.issuers.profiles import Profile, SubjectTemplate
from irsa_doctor.trust.claim_forms import by_claims
from irsa_doctor.trust.claim_sets import Box
from irsa_doctor.trust.languages import Language, Like, contains, difference, literal, union
from irsa_doctor.trust.minted import has_form, minted_shape
from irsa_doctor.trust.openings import Opening
from irsa_doctor.trust.patterns import Wild, glob_of, pieces_of, widest
from irsa_doctor.trust.ring import segments_of_keys
from irsa_doctor.trust.segments import SegmentValue, laid_beside, tokens_of
from irsa_doctor.trust.subjects import reach_of


def witness_of(subjects: Language, opening: Opening, profile: Profile, box: Box | None = None) -> str | None:
    """A subject of a language that shows an opening, None where it has none; never an empty text. It has the values that the
    condition keys of a `box` fix, as far as it has these segments."""
    keyed = list(segments_of_keys(box, profile)) if box else []
    if opening.by == "crossing" and (subject := next(_of_another(subjects, opening, profile), None)):
        return subject
    narrower = union(_as_meant(opening, profile)) if opening.segment is not None and opening.segment.part else None
    for language in (difference(subjects, narrower), subjects) if narrower else (subjects,):
        if subject := next(_minted(language, opening, profile, keyed), None):
            return subject
    if opening.template is None and (subject := next(_of_claims(subjects, opening, profile), None)):
        return subject
    if opening.pattern and not _is_wild(opening.pattern) and contains(subjects, opening.pattern):
        return opening.pattern
    shortest = reach_of(subjects, "text").witness
    return shortest or next((text for text in (*_begun(opening), "x") if contains(subjects, text)), None)


def _minted(language: Language, opening: Opening, profile: Profile, keyed: Sequence[SegmentValue]) -> Iterator[str]:
    """Subjects of a language in each form of the issuer: those that have most of what keys fix, then that of the opening."""
    first = [opening.template] if opening.template else []
    templates = [*first, *(other for other in profile.subject if other is not opening.template)]
    for template in sorted(templates, key=lambda form: -_shown(form, keyed)):
        shape = minted_shape(language, template)
        if shape and shape.witness:
            yield _readable(shape.witness, template, language, keyed)


def _shown(template: SubjectTemplate, keyed: Sequence[SegmentValue]) -> int:
    """How much of what keys fix a form shows."""
    own = [part.segment for part in form_parts(template) if part.segment]
    kinds = {(segment.level, segment.kind == "id") for segment in own}
    return sum((value.level, value.is_id) in kinds for value in keyed if value.fixed and value.level != "run")


def _sample(value: SegmentValue, keyed: Sequence[SegmentValue]) -> str:
    """What keys require of a segment, by its name or by what it narrows down; "" where they do not."""
    same = [other for other in keyed if other.name == value.name]
    same += [other for other in keyed if (other.level, other.is_id) == (value.level, value.is_id)]
    other = next(iter(same), None)
    if other is None or other.level in ("run", "caller"):
        return ""
    return other.value if other.value is not None else f"{other.part}x" if other.part else ""


def _readable(subject: str, template: SubjectTemplate, language: Language, keyed: Sequence[SegmentValue]) -> str:
    """A subject with values as tokens have them, as far as it stays one of the language."""
    values = laid_beside(tuple(subject), template) or ()
    for value in values:
        samples = (_sample(value, keyed), value.segment.sample, *value.segment.values)
        for sample in filter(None, samples):
            changed = _with(subject, template, value.name, sample)
            if changed and contains(language, changed) and has_form(changed, template):
                subject = changed
                break
    return subject


def _with(subject: str, template: SubjectTemplate, name: str, text: str) -> str:
    """A subject with another value of one segment."""
    values = {value.name: value.value or "" for value in laid_beside(tuple(subject), template) or ()}
    values[name] = text
    return "".join(part.text or values.get(part.name, "") for part in form_parts(template))


def _of_claims(subjects: Language, opening: Opening, profile: Profile) -> Iterator[str]:
    """Subjects of a language in a form of claims: its pattern with a value, or whole claims, for wildcards."""
    pieces = widest(pieces_of(opening.pattern, wildcards=True, variables=True))
    texts = [text for form in profile.subject for text in _beginnings(form.example)]
    callers = [f"{name}:x" for name, claim in profile.custom.items() if claim.level == "caller"][:1]
    for first in ("x", *((*texts, *callers) if pieces[:1] == (Wild.MANY,) else (*callers, *texts))):
        fillings = iter((first, *("x" for _ in pieces)))
        subject = "".join(piece if isinstance(piece, str) else next(fillings) for piece in pieces)
        if contains(subjects, subject) and _is_of_claims(subject, profile):
            yield subject


def _of_another(subjects: Language, opening: Opening, profile: Profile) -> Iterator[str]:
    """Subjects of another tenant than the one that a pattern names behind its first wildcard: there it is the value of a claim
    that whoever gets the token chooses."""
    pieces = ("", *widest(pieces_of(opening.pattern, wildcards=True, variables=True)))
    first = next((number for number, piece in enumerate(pieces) if not isinstance(piece, str)), len(pieces))
    begin, behind = "".join(map(str, pieces[:first])), pieces[first + 1 :]
    ending, colon, value = behind[0].partition(":") if behind and isinstance(behind[0], str) else ("", "", "")
    if not colon or not profile.subject:
        return
    example = profile.subject[0].example
    *_, head = _beginnings(example)
    begun = f"{value}{''.join(piece if isinstance(piece, str) else 'x' for piece in behind[1:-1])}"
    end = behind[-1] if isinstance(behind[-1], str) else example[len(head) :] if begun.endswith(":") else "x"
    chosen = [name for name, claim in profile.custom.items() if claim.level == "caller" and name.endswith(ending)]
    for name in (*chosen, *(f"{family}{ending}" for family in profile.custom_families if ending)):
        subject = f"{head}{name}:{begun}{end if len(behind) > 1 else ''}"
        if head.startswith(begin) and contains(subjects, subject) and _is_of_claims(subject, profile):
            yield subject


def _beginnings(example: str) -> Iterator[str]:
    """The first value of a subject, by itself and with its name."""
    name, _, rest = example.partition(":")
    value = rest.partition(":")[0]
    yield from (value, f"{name}:{value}", f"{name}:{value}:")


def _is_of_claims(subject: str, profile: Profile) -> bool:
    """Whether a text is a subject in a form of claims, each there once, with a value that has the parts of this claim."""
    names = subject.split(":")[::2]
    values = by_claims(tuple(subject), profile) or () if len(set(names)) == len(names) else ()
    whole = [profile.custom_claim(value.name) for value in values if value.segment.charset == "^"]
    return bool(values) and all(value.value for value in values) and not any(claim and claim.within for claim in whole)


def _as_meant(opening: Opening, profile: Profile) -> Iterator[Language]:
    """The subjects that have just the text of the open segment, which is what its author had in mind."""
    pieces = widest(pieces_of(opening.pattern, wildcards=True, variables=True))
    begin = pieces[0] if pieces and isinstance(pieces[0], str) else ""
    yield literal(begin)
    if opening.by == "crossing" and Wild.MANY in pieces:
        # with nothing for the first star it is what was written
        first = pieces.index(Wild.MANY)
        yield Like(glob_of(pieces[:first] + pieces[first + 1 :]))
    for end in sorted({end for template in profile.subject for end in _ends(template)}):
        yield Like(glob_of((begin + end, Wild.MANY)))


def _ends(template: SubjectTemplate) -> Iterator[str]:
    """The characters that end segments."""
    yield from (part.text[0] for part in form_parts(template)[1:] if part.text)


def _begun(opening: Opening) -> Sequence[str]:
    pieces = widest(pieces_of(opening.pattern, wildcards=True, variables=True))
    return ["".join(piece if isinstance(piece, str) else "x" for piece in pieces)] if pieces else []


def _is_wild(pattern: str) -> bool:
    return any(
        not isinstance(token, str) for token in tokens_of(widest(pieces_of(pattern, wildcards=True, variables=True)), ())
    )
