"""In how many clusters a policy trusts one and the same service account."""

from collections import Counter

from irsa_doctor.trust import Admitted
from irsa_doctor.trust.languages import Finite, Language, intersection
from irsa_doctor.trust.subjects import reach_of


def clusters_with_same_account(by_provider: dict[str, Admitted]) -> int:
    """Returns the number of clusters with a service account of one name that is admitted from another cluster too; 1 where
    there is none."""
    if len(by_provider) < 2:
        return 1
    subjects = [a.subjects for a in by_provider.values() if a.profile.is_cluster and a.reach.scope not in ("nobody", None)]
    if len(subjects) < 2:
        return 1
    named = Counter(value for language in subjects if isinstance(language, Finite) for value in language.values)
    patterns = [(n, language) for n, language in enumerate(subjects) if not isinstance(language, Finite)]
    if len(patterns) > _COMPARED:
        return len(subjects)
    shared = {
        n
        for n, language in enumerate(subjects)
        if isinstance(language, Finite) and any(named[value] > 1 for value in language.values)
    }
    for n, pattern in patterns:
        if same := {m for m, other in enumerate(subjects) if m != n and _have_common(pattern, other)}:
            shared |= same | {n}
    return max(len(shared), 1)


_COMPARED = 16
"""patterns of one role that are compared with everything else it admits; where there are more, they are taken to overlap"""


def _have_common(language: Language, other: Language) -> bool:
    return language == other or reach_of(intersection((language, other)), "service-account").scope != "nobody"
