"""Two objectives at the width of a column: true front, what was visited, what half of the runs attain, answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nassim.objectives import keys_of, limit_of
from nassim.paper.choice import Choice
from nassim.paper.looks import LOOKS, POINT, TEXT, add_legend, bare, wrapped
from nassim.paper.panels import columns_of, panels_of
from nassim.paper.scales import set_linear, set_log
from nassim.report.analysis import Analysis
from nassim.report.fronts import Fronts, all_fronts
from nassim.report.visits import Visits
from nassim.stats.samples import Floats
from nassim.study import Study

PANEL = 2.4  # inches that a panel needs
ANSWERS = 12  # of a strategy that are drawn
TRUE: Any = {"color": "#9C9C9C", "lw": 2.6, "solid_capstyle": "butt"}
VISITED: Any = {"ls": "none", "marker": ".", "ms": 2.4, "mew": 0, "color": "#B4B4B4"}
LIMIT: Any = {"color": "#555555", "lw": 0.8, "ls": (0, (1, 1.5))}


def fronts_of(study: Study) -> list[Fronts]:
    """The fronts of the study's own objectives, two each; none where it has neither objectives nor a constraint."""
    wanted = keys_of(study.settings.get("objectives", ""))
    if wanted is None and not study.settings.get("constraint"):
        return []
    analysis = Analysis(study)
    found = all_fronts(analysis, Visits(analysis), wanted)
    return [one for each in found.values() if not isinstance(each, str) for one in each if len(one.objectives) == 2]


def front_paper(fronts: Sequence[Fronts], choice: Choice) -> Figure:
    """A panel for each front: cost to the right, error upwards, both logarithmic where nothing is negative.

    Broad grey line: the table's true front; dots: architectures that any run trained; lines: what half of a strategy's
    runs attain; marks: final answers, of many those of evenly spread cost; dotted: the constraint's limit.
    """
    columns = columns_of(len(fronts), choice.width, PANEL)
    tall = min(2.3, 0.72 * choice.width / columns)
    figure, panels, wide = panels_of([front.benchmark for front in fronts], choice.width, columns, tall, 0.1)
    for axes, front in zip(panels, fronts, strict=True):
        _draw(axes, front, choice, wide, tall * POINT - 30)
    more = [(Line2D([], [], **TRUE), "true front")] if any(len(front.true_front) for front in fronts) else []
    more.append((Line2D([], [], **{**VISITED, "ms": 5.0}), "trained by any"))
    if any(_limit(front) is not None for front in fronts):
        more.append((Line2D([], [], **LIMIT), "limit"))
    add_legend(figure, list(choice.names.values()), more)
    return figure


def _draw(axes: Axes, front: Fronts, choice: Choice, wide: float, tall: float) -> None:
    bare(axes)
    rate = front.labels[1].startswith("minus ")
    side = -1.0 if rate else 1.0
    shown = [front.true_front]
    for i, strategy in enumerate(choice.names):
        found = front.strategies.get(strategy)
        if found is not None:
            axes.plot(side * found.attained[:, 1], found.attained[:, 0], zorder=3, **_steps(LOOKS[i].line()))
            answers = _spread(found.answers)
            axes.plot(side * answers[:, 1], answers[:, 0], ls="none", zorder=4 + i / 100, **LOOKS[i].mark())
            shown += [found.attained, found.answers]
    axes.plot(side * front.visited[:, 1], front.visited[:, 0], zorder=1, rasterized=True, **VISITED)
    true = front.true_front[np.lexsort(front.true_front.T[::-1])]
    axes.plot(side * true[:, 1], true[:, 0], zorder=2, **_steps(TRUE))
    limit = _limit(front)
    if limit is not None:
        axes.axvline(limit, zorder=2.5, **LIMIT)
    points = np.concatenate([each for each in shown if len(each)] or [front.visited])
    most = {"x": max(2, min(6, int(wide / (3.2 * TEXT)))), "y": max(2, min(6, int(tall / (2.2 * TEXT))))}
    for which, values in (("x", side * points[:, 1]), ("y", points[:, 0])):
        if values.min() > 0:
            set_log(axes, which, values.tolist(), most[which])
        else:
            set_linear(axes, which, float(values.min()), float(values.max()), most[which])
    axes.set_xlabel(wrapped(front.labels[1].removeprefix("minus "), wide))
    axes.set_ylabel(wrapped(front.labels[0], tall))


def _steps(look: dict[str, Any]) -> dict[str, Any]:
    """To the right and down, in the order of the first objective's rising values: the cost falls first."""
    return {**look, "drawstyle": "steps-pre"}


def _spread(answers: Floats) -> Floats:
    """At most `ANSWERS` of them, evenly spread by their cost."""
    ordered = answers[np.argsort(answers[:, 1], kind="stable")]
    places = np.unique(np.linspace(0, len(ordered) - 1, min(len(ordered), ANSWERS)).round().astype(int))
    return np.asarray(ordered[places])


def _limit(front: Fronts) -> float | None:
    """Where a constraint on what is drawn to the right ends."""
    if not front.constraint:
        return None
    name, limit = limit_of(front.constraint)
    return limit if name == front.objectives[1] else None
