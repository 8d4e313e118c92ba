"""The trend over runs and the bars of populations as inline SVG, without scripts and style attributes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from irsa_doctor.answers.audit.evidence import AuditEvidence, RunGap
from irsa_doctor.answers.audit.items import ITEM_RESULTS, ItemResult
from irsa_doctor.model.audited import RunTrend
from irsa_doctor.model.findings import SEVERITIES
from irsa_doctor.model.moments import moment_of
from irsa_doctor.reports.escape import for_xml

_WIDTH, _HEIGHT = 720, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 30
_WIDEST_BAR = 44
_LABEL = 112
"""the room of a date on a narrow page"""
_HATCH = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" class="hatch-ground"/><rect width="2" height="6" class="hatch-line"/></pattern></defs>'
)


def trend_svg(evidence: AuditEvidence) -> str:
    """Returns open findings by severity, a bar a run placed by its time; what could not be checked is hatched, and a time
    without runs is grey."""
    points = evidence.trend
    top = _nice(max([_height_of(point) for point in points] or [1]))
    scale = Scale(points, evidence.period.gaps, top)
    said = f"Open findings over {len(points)} runs; the last has {_words(points[-1])}." if points else "No runs."
    body = [
        f'<svg class="trend" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="trend-title">',
        f'<title id="trend-title">{for_xml(said)}</title>',
        _HATCH,
        *_grid(top),
        *map(scale.gap, evidence.period.gaps),
        *(scale.bar(point) for point in points),
        *scale.labels(points),
        "</svg>",
    ]
    return "\n".join(body)


def legend() -> str:
    """Returns what the colours of the trend mean."""
    keys = "".join(f'<li><span class="key {severity}"></span>{severity}</li>' for severity in SEVERITIES)
    return f'<ul class="legend">{keys}<li><span class="key unseen"></span>open before, not checked in this run</li></ul>'


def _height_of(point: RunTrend) -> int:
    return sum(point.open.values()) + point.unseen


def _words(point: RunTrend) -> str:
    parts = [f"{point.open[severity]} {severity}" for severity in SEVERITIES if point.open.get(severity)]
    unseen = [f"{point.unseen} not checked"] if point.unseen else []
    return ", ".join([*parts, *unseen]) or "none"


def _nice(number: int) -> int:
    """The next number above that divides well."""
    step = 1
    while True:
        for factor in (1, 2, 4, 5, 10):
            if number <= factor * step:
                return factor * step
        step *= 10


def _grid(top: int) -> Iterator[str]:
    for share in (0, 0.5, 1):
        value = top * share
        if value == int(value):
            y = _y(value, top)
            yield f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>'
            yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{int(value):,}</text>'


def _y(value: float, top: int) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / top


class Scale:
    """Where the runs of a trend are on its picture."""

    def __init__(self, points: Sequence[RunTrend], gaps: Sequence[RunGap], top: int) -> None:
        moments = [_time(point.as_of) for point in points]
        moments += [_time(end) for gap in gaps for end in (gap.start, gap.end)]
        self._first, self._last, self._top = min(moments, default=0.0), max(moments, default=0.0), top
        self._bar: float = _WIDEST_BAR
        places = sorted(self.x(point.as_of) for point in points)
        room = min((after - before for before, after in pairwise(places)), default=_WIDTH)
        self._bar = min(_WIDEST_BAR, max(1.5, room * 0.7))

    def x(self, text: str) -> float:
        """The middle of what stands at a time."""
        left, right = _LEFT + self._bar, _WIDTH - _RIGHT - self._bar
        span = self._last - self._first
        return (left + right) / 2 if not span else left + (right - left) * (_time(text) - self._first) / span

    def gap(self, gap: RunGap) -> str:
        """A time without runs."""
        start, end = self.x(gap.start) + self._bar / 2, self.x(gap.end) - self._bar / 2
        says = for_xml(f"No run between {gap.start[:10]} and {gap.end[:10]}")
        width = max(end - start, 1)
        height = _HEIGHT - _TOP - _BOTTOM
        return (
            f'<rect class="gap" x="{start:.1f}" y="{_TOP}" width="{width:.1f}" height="{height}"><title>{says}</title></rect>'
        )

    def bar(self, point: RunTrend) -> str:
        """The bar of a run, the worst severity at its foot."""
        x, below, parts = self.x(point.as_of) - self._bar / 2, 0, []
        heights = [(severity, point.open.get(severity, 0)) for severity in SEVERITIES] + [("unseen", point.unseen)]
        for name, number in heights:
            if number:
                y, foot = _y(below + number, self._top), _y(below, self._top)
                size = f'width="{self._bar:.1f}" height="{foot - y:.1f}"'
                parts.append(f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" {size}/>')
                below += number
        says = for_xml(f"Run {point.run}, {point.as_of[:10]}: {_words(point)}")
        return f"<g><title>{says}</title>{''.join(parts)}</g>"

    def labels(self, points: Sequence[RunTrend]) -> Iterator[str]:
        """The dates of the last run and of those before it that have room."""
        limit = float(_WIDTH)
        for point in reversed(points):
            x, day = self.x(point.as_of), for_xml(point.as_of[:10])
            if x + _LABEL / 2 <= limit + 1 or limit == _WIDTH:
                yield f'<text x="{x:.1f}" y="{_HEIGHT - 10}" text-anchor="middle">{day}</text>'
                limit = x - _LABEL / 2


def _time(text: str) -> float:
    moment: datetime | None = moment_of(text)
    return moment.timestamp() if moment else 0.0


def population_svg(counts: Mapping[ItemResult, int], says: str) -> str:
    """Returns a bar of the items of a control by result."""
    total = sum(counts.values())
    left, parts = 0.0, []
    for result in ITEM_RESULTS:
        width = 400 * counts.get(result, 0) / total if total else 0
        if width:
            parts.append(f'<rect class="{result}" x="{left:.2f}" y="0" width="{max(width, 0.8):.2f}" height="12"/>')
            left += width
    title = f"<title>{for_xml(says)}</title>"
    return f'<svg class="population" viewBox="0 0 400 12" preserveAspectRatio="none" role="img">{title}{"".join(parts)}</svg>'
