"""What one policy admits that another does not, proved on the languages."""

import msgspec

from irsa_doctor.issuers import SubjectGrammar
from irsa_doctor.trust.admitted import Admitted
from irsa_doctor.trust.languages import Language, difference, intersection, union
from irsa_doctor.trust.subjects import Reach, is_empty, reach_of


class Beyond(msgspec.Struct, frozen=True):
    """Pairs of one set that are not in another, as cells with disjoint audiences; not `certain` where it is too complex."""

    cells: tuple[tuple[Language, Language], ...]
    grammar: SubjectGrammar
    certain: bool = True

    @property
    def subjects(self) -> Language:
        """Every subject that comes in with some audience."""
        return union(subjects for _, subjects in self.cells)

    @property
    def reach(self) -> Reach:
        """Scope and witness of these subjects."""
        return reach_of(self.subjects, self.grammar)


def beyond(new: Admitted, old: Admitted) -> Beyond:
    """Pairs (audience, subject) of `new` without those of `old`; both of one issuer."""
    cells: list[tuple[Language, Language]] = []
    certain = not (new.too_complex or old.too_complex)
    for audiences, subjects in new.cells:
        rest = audiences
        for other_audiences, other_subjects in old.cells:
            cells.append((intersection((audiences, other_audiences)), difference(subjects, other_subjects)))
            rest = difference(rest, other_audiences)
        cells.append((rest, subjects))
    kept: list[tuple[Language, Language]] = []
    for audiences, subjects in cells:
        empty = is_empty(audiences, "text"), is_empty(subjects, new.profile.grammar)
        if True in empty:
            continue
        certain &= None not in empty
        kept.append((audiences, subjects))
    return Beyond(tuple(kept), new.profile.grammar, certain)
