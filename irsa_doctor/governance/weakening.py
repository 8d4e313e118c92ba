"""What a change takes away of the settings, waivers, rules and baseline by which changes are judged."""

from collections.abc import Iterator, Sequence

from irsa_doctor.facts import Evidence, Judged, SettingsFacts
from irsa_doctor.governance.governing import Governing
from irsa_doctor.governance.settings import Settings
from irsa_doctor.governance.weaker_settings import Weakening, comparisons, enumeration
from irsa_doctor.model import Place


def weakenings(before: Governing, after: Governing) -> list[Weakening]:
    """Everything for which `after` requires less than `before`."""
    file = Place(after.settings.file or before.settings.file)
    told = (weaker for compare in comparisons() for weaker in compare(before, after))
    return [Weakening(weaker, file) if isinstance(weaker, str) else weaker for weaker in told]


def judged_change(
    compared: Sequence[tuple[Governing, Governing]], revision: str, *, goes_before: Settings | None = None
) -> Judged:
    """The settings file of a change as a subject.

    `compared` are pairs of what held at the revision and what would hold. `goes_before` are the settings that were in force and
    still are there, where the change puts a nearer file before theirs.
    """
    before, after = compared[0]
    weaker = {weaker.says: weaker for pair in compared for weaker in (*_new_file(after, goes_before), *weakenings(*pair))}
    name = after.settings.file or before.settings.file
    names = {"settings": name, "revision": revision, "weakenings": enumeration(list(weaker), "; ")}
    places = {"settings": next(iter(weaker.values())).place if weaker else Place(name)}
    return Judged("document", name, name, SettingsFacts(bool(weaker)), lambda: Evidence(names, places))


def _new_file(after: Governing, goes_before: Settings | None) -> Iterator[Weakening]:
    if goes_before is not None:
        file = after.settings.file
        yield Weakening(f"{file} goes before {goes_before.file}, which no longer counts", Place(file))
