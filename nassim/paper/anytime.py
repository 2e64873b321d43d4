"""Regret over time at the width of a column: a panel a benchmark, medians as steps, quartiles as bars at the marks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nassim.paper.choice import Choice
from nassim.paper.looks import LOOKS, POINT, TEXT, add_legend, bare, wrapped
from nassim.paper.panels import columns_of, panels_of
from nassim.paper.scales import Bottom, set_log
from nassim.report.runs import Part
from nassim.stats import Band, band, step_values

PANEL = 1.6  # inches that a panel needs with its labels
BETWEEN = 4.5  # points between the marks of two strategies


def anytime_paper(parts: Sequence[Part], choice: Choice) -> Figure:
    """Median regret against simulated time, both logarithmic, with quartiles at the marks.

    Regret that counts as none is drawn just below the least that does not, and labeled so. A strategy is drawn from
    when half of its runs have an answer; a bar is there where three quarters have one.
    """
    columns = columns_of(len(parts), choice.width, PANEL)
    tall = min(1.9, max(1.4, 0.6 * choice.width / columns))
    figure, panels, wide = panels_of([part.name for part in parts], choice.width, columns, tall, 0.2)
    for axes, part in zip(panels, parts, strict=True):
        _draw(axes, part, choice, wide, tall * POINT - 30)
    _label(figure, panels, parts, columns)
    add_legend(figure, list(choice.names.values()))
    return figure


def _label(figure: Figure, panels: Sequence[Axes], parts: Sequence[Part], columns: int) -> None:
    """Labels of the axes: once where all panels share them."""
    times = [part.clock.title for part in parts]
    regrets = [regret_label(part) for part in parts]
    if len(panels) > 1 and len(set(times)) == 1:
        figure.supxlabel(times[0])
    else:
        for axes, text in zip(panels, times, strict=True):
            axes.set_xlabel(text)
    shared = len(set(regrets)) == 1
    for i, (axes, text) in enumerate(zip(panels, regrets, strict=True)):
        if not shared or i % columns == 0:  # beside the first of a row
            axes.set_ylabel(text)


def regret_label(part: Part) -> str:
    """What stands at an axis of regret: ``test regret [pp]``."""
    unit = part.metric.regret_unit
    return f"{part.regret_name} [{unit}]" if unit else part.regret_name


def _draw(axes: Axes, part: Part, choice: Choice, wide: float, tall: float) -> None:
    bands: dict[int, Band] = {}
    for i, strategy in enumerate(choice.names):
        curves = part.curves("seconds", part.split).get(strategy, [])
        if any(len(curve.value) for curve in curves):
            bands[i] = band([(c.at, c.value) for c in curves])
    ends = {i: max(run.seconds for run in part.runs[s]) for i, s in enumerate(choice.names) if i in bands}
    drawn = {i: b for i, b in bands.items() if np.isfinite(b.median).any()}
    bare(axes)
    if not drawn:
        axes.set(xticks=[], yticks=[])
        why = part.lacking.get(part.split, "no strategy has an answer in half of its runs")
        axes.text(0.5, 0.5, wrapped(why, wide - 10), transform=axes.transAxes, ha="center", va="center")
        return
    starts = [float(b.at[(b.at > 0) & np.isfinite(b.median)].min(initial=math.inf)) for b in drawn.values()]
    end = max(ends[i] for i in drawn)
    start = min(starts) if min(starts) < end else end / 10
    latest = min(max(start, *starts), (start * end**2) ** (1 / 3))  # from where marks stand on most curves
    marks = {i: _marks(i, len(choice.names), latest, end, wide) for i in drawn}
    bars = {i: _bars(b, marks[i][marks[i] <= ends[i]], start) for i, b in drawn.items()}
    finite = [np.concatenate([b.median[b.at >= start], bars[i][1:].ravel()]) for i, b in drawn.items()]
    values = np.concatenate(finite)
    bottom = Bottom(values, part.floor)
    for i, b in drawn.items():
        shown = np.isfinite(b.median) & (b.at > 0)
        at = np.append(b.at[shown], ends[i])
        median = bottom(np.append(b.median[shown], b.median[shown][-1]))
        axes.plot(at, median, drawstyle="steps-post", zorder=3, **LOOKS[i].line())
        x, center, low, high = bars[i]
        y, low, high = bottom(center), bottom(low), bottom(high)
        whole = np.isfinite(high)
        axes.errorbar(x, y, yerr=np.where(whole, [y - low, high - y], 0.0), zorder=4, **LOOKS[i].bars())
    labels = max(2, min(6, int(wide / (3 * TEXT))))
    set_log(axes, "x", [start, end], labels, begins=True)
    y = bottom(values[np.isfinite(values)])
    set_log(axes, "y", [float(y.min()), float(y.max())], max(2, min(6, int(tall / (2.2 * TEXT)))), bottom)


def _marks(i: int, count: int, start: float, end: float, wide: float) -> NDArray[np.float64]:
    """Times of a strategy's marks, evenly on the logarithmic axis and never where another's are."""
    each = max(1, min(5, int(wide / (count * BETWEEN))))
    places = (np.arange(each) + (i + 0.5) / count) / each
    found: NDArray[np.float64] = start * (end / start) ** places
    return found


def _bars(b: Band, at: NDArray[np.float64], start: float) -> NDArray[np.float64]:
    """Times, medians and quartiles at the marks where there is a median, shape (4, marks)."""
    rows = [step_values(b.at, values, at, np.inf) for values in (b.median, b.q25, b.q75)]
    return np.stack([at, *rows])[:, np.isfinite(rows[0])]
