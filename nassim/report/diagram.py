"""The critical-difference diagram: where its parts lie, and its drawing as SVG for the page.

Demšar, JMLR 7, 2006: strategies on a line of mean ranks, the best on the left; bars join those that cannot be told
apart. Thick bars: pairwise tests with Holm's correction, as in the tables; thin bars: Nemenyi's test.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from nassim.stats import Comparison, Finding

MIDDLE, LINE, LETTER = 400, 22, 7.8  # widths of the axis and of a letter, height of a line of names


class Label(NamedTuple):
    """A strategy: its mean rank, and its name's line (from 0) on the left or the right side."""

    name: str
    rank: float
    line: int
    left: bool


class Bar(NamedTuple):
    """A bar from one mean rank to another, in a row (from 0) of its kind."""

    start: float
    end: float
    row: int


class Diagram(NamedTuple):
    """What a critical-difference diagram shows; ``critical`` is Nemenyi's difference, None where there is none."""

    worst: int
    labels: list[Label]
    holm: list[Bar]
    nemenyi: list[Bar]
    critical: float | None
    blocks: str

    @property
    def lines(self) -> int:
        """Lines of names on the longer side."""
        return max(label.line for label in self.labels) + 1


def diagram_of(comparison: Comparison) -> Finding[Diagram]:
    """The diagram of a comparison, or why there is none."""
    ranking, names = comparison.ranking, comparison.entrants.strategies
    mean = ranking.mean_ranks.value
    if mean is None:
        return Finding(None, ranking.mean_ranks.reason)
    if len(names) < 2:
        return Finding(None, "ranks compare two strategies or more.")
    order = np.argsort(mean, kind="stable").tolist()
    half = (len(order) + 1) // 2
    labels = [
        Label(names[k], float(mean[k]), i if i < half else len(order) - 1 - i, i < half) for i, k in enumerate(order)
    ]

    def bars(groups: Sequence[tuple[int, ...]]) -> list[Bar]:
        return [Bar(float(mean[group[0]]), float(mean[group[-1]]), i) for i, group in enumerate(groups)]

    blocks = f"{ranking.number_of_blocks:,} {ranking.blocks}"
    holm, nemenyi = bars(ranking.holm_bars), bars(ranking.nemenyi_bars)
    return Finding(Diagram(len(names), labels, holm, nemenyi, ranking.critical_difference.value, blocks))


def diagram_svg(diagram: Diagram) -> str:
    """The diagram, in the colors of the page."""
    top = 44 if diagram.critical is not None else 20
    axis = top + 14
    bars = axis + 14
    names = bars + 9 * (len(diagram.holm) + len(diagram.nemenyi)) + 16
    height = names + LINE * diagram.lines

    side = 30 + LETTER * max(len(label.name) + 5 for label in diagram.labels)
    width = MIDDLE + 2 * side

    def x(rank: float) -> float:
        return side + (rank - 1) / max(1, diagram.worst - 1) * MIDDLE

    parts = [f'<path class="line" d="M{x(1):.1f} {axis}H{x(diagram.worst):.1f}"/>']
    for rank in range(1, diagram.worst + 1):
        parts.append(f'<path class="line" d="M{x(rank):.1f} {axis}v-6"/>')
        parts.append(f'<text x="{x(rank):.1f}" y="{axis - 10}" class="tick">{rank}</text>')
    if diagram.critical is not None:
        end = x(1 + diagram.critical)
        parts.append(f'<path class="line" d="M{x(1):.1f} 14v8m0 -4H{end:.1f}m0 -4v8"/>')
        parts.append(f'<text x="{end + 6:.1f}" y="22">critical difference {diagram.critical:.2f}</text>')
    for i, bar in enumerate([*diagram.holm, *diagram.nemenyi]):
        kind = "thick" if i < len(diagram.holm) else "thin"
        parts.append(f'<path class="{kind}" d="M{x(bar.start) - 4:.1f} {bars + 9 * i}H{x(bar.end) + 4:.1f}"/>')
    for label in diagram.labels:
        y, edge = names + LINE * label.line, side - 16 if label.left else width - side + 16
        parts.append(f'<path class="lead" d="M{x(label.rank):.1f} {axis}V{y}H{edge:.1f}"/>')
        text, anchor = f"{label.name} {label.rank:.2f}", "end" if label.left else "start"
        place = f'x="{edge + (-5 if label.left else 5):.1f}" y="{y + 4}"'
        parts.append(f'<text {place} style="text-anchor:{anchor}">{escape(text)}</text>')
    said = ", ".join(f"{label.name} {label.rank:.2f}" for label in sorted(diagram.labels, key=lambda x: x.rank))
    size = f'viewBox="0 0 {width:.0f} {height}" style="max-width:{width:.0f}px"'
    return f'<svg class="diagram" {size} role="img" aria-label="Mean ranks: {escape(said)}">{"".join(parts)}</svg>'
