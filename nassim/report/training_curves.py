"""How trainings that a validation made went: losses and learning rate by epoch, as a figure of the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from statistics import fmean
from typing import Any, NamedTuple

MOST = 100  # epochs that are drawn
CLASSES = 8  # colors of the style sheet
WIDTH, HEIGHT, LEFT, TOP, BOTTOM, LINE = 420, 220, 64, 24, 40, 16  # of a panel, its margins, and a line of the legend
LONGEST = 70  # letters of an architecture

Curves = Sequence[Sequence[float]]


class Curve(NamedTuple):
    """Means over an architecture's trainings at some epochs; empty where none of them kept its losses."""

    epochs: tuple[int, ...] = ()
    train_loss: tuple[float, ...] = ()
    valid_loss: tuple[float, ...] = ()
    rate: tuple[float, ...] = ()


def mean_curve(train_loss: Curves, valid_loss: Curves, rate: Curves) -> Curve:
    """The mean of several trainings' curves at up to `MOST` epochs, the first and the last among them.

    An epoch's means are over the trainings that reached it with losses; where one of the means is not finite the
    epoch is left out.
    """
    usable = [three for three in zip(train_loss, valid_loss, rate, strict=True) if len(set(map(len, three))) == 1]
    last = max((len(three[0]) for three in usable), default=0)
    at = sorted({round(k * (last - 1) / (MOST - 1)) for k in range(MOST)}) if last > 1 else list(range(last))
    rows = [(e + 1, *(fmean(three[i][e] for three in usable if len(three[0]) > e) for i in range(3))) for e in at]
    columns = list(zip(*(row for row in rows if all(map(math.isfinite, row))), strict=True))
    if not columns:
        return Curve()
    return Curve(tuple(map(int, columns[0])), *(tuple(float(f"{x:.6g}") for x in column) for column in columns[1:]))


def read_curve(value: Any) -> Curve:
    """A curve as it was written to JSON; `ValueError` or `TypeError` for anything else."""
    columns = [list(column) for column in value]
    if not columns:
        return Curve()
    if len(columns) != len(Curve._fields) or len({len(column) for column in columns}) != 1 or len(columns[0]) > MOST:
        raise ValueError("not a curve")
    for x in (x for column in columns for x in column):
        if isinstance(x, bool) or not isinstance(x, int | float) or not 0 <= x < 1e30:
            raise ValueError("not a loss or a rate")
    return Curve(tuple(map(int, columns[0])), *(tuple(map(float, column)) for column in columns[1:]))


def curves_svg(found: Sequence[tuple[str, Curve]]) -> str:
    """Losses above (training dashed, validation solid), learning rates below, a color an architecture; "" for none."""
    found = [(arch, curve) for arch, curve in found if curve.epochs]
    if not found:
        return ""
    losses = [
        (position, values, dashed)
        for position, (_, curve) in enumerate(found)
        for values, dashed in (((curve.epochs, curve.train_loss), True), ((curve.epochs, curve.valid_loss), False))
    ]
    rates = [(position, (curve.epochs, curve.rate), False) for position, (_, curve) in enumerate(found)]
    height = 2 * HEIGHT + LINE * len(found) + 8
    parts = [panel(losses, 0, "loss"), panel(rates, HEIGHT, "learning rate")]
    for position, (arch, _) in enumerate(found):
        y = 2 * HEIGHT + LINE * (position + 1) - 4
        name = arch if len(arch) <= LONGEST else arch[: LONGEST - 3] + "..."
        parts.append(
            f'<path class="edge o{position % CLASSES}" d="M{LEFT} {y - 4}h22"/>'
            f'<text x="{LEFT + 30}" y="{y}" style="text-anchor:start">{escape(name)}</text>'
        )
    said = "; ".join(
        f"{arch}: training loss {curve.train_loss[-1]:.4g}, validation loss {curve.valid_loss[-1]:.4g} after "
        f"{curve.epochs[-1]} epochs"
        for arch, curve in found
    )
    size = f'viewBox="0 0 {WIDTH} {height}" style="max-width:{WIDTH}px"'
    return f'<svg class="cell" {size} role="img" aria-label="{escape(said, quote=True)}">{"".join(parts)}</svg>'


Line = tuple[int, tuple[Sequence[int], Sequence[float]], bool]


def panel(lines: Sequence[Line], top: int, title: str) -> str:
    """Curves over epochs, from 0 to the largest value."""
    first = min(epochs[0] for _, (epochs, _), _ in lines)
    last = max(epochs[-1] for _, (epochs, _), _ in lines)
    high = max(max(values) for _, (_, values), _ in lines) or 1.0
    floor = top + HEIGHT - BOTTOM

    def point(epoch: int, value: float) -> str:
        x = LEFT + (epoch - first) / max(1, last - first) * (WIDTH - LEFT - 10)
        return f"{x:.1f},{floor - value / high * (HEIGHT - BOTTOM - TOP):.1f}"

    parts = [f'<path class="line" d="M{LEFT} {top + TOP}V{floor}H{WIDTH - 10}"/>']
    for position, (epochs, values), dashed in lines:
        points = " ".join(point(epoch, value) for epoch, value in zip(epochs, values, strict=True))
        dashes = ' stroke-dasharray="4 3"' if dashed else ""
        parts.append(f'<polyline class="edge o{position % CLASSES}" fill="none"{dashes} points="{points}"/>')
    for text, x, y, side in (
        (title, LEFT, top + TOP - 8, "start"),
        (f"{high:.3g}", LEFT - 6, top + TOP + 4, "end"),
        ("0", LEFT - 6, floor + 4, "end"),
        (f"epoch {first}", LEFT, floor + 16, "start"),
        (str(last), WIDTH - 10, floor + 16, "end"),
    ):
        parts.append(f'<text x="{x}" y="{y}" style="text-anchor:{side}">{text}</text>')
    return "".join(parts)
