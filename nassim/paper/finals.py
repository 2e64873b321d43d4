"""Where runs end: rliable's panel of intervals and its performance profiles, of regret, which is to be minimized.

Agarwal, Schwarzer, Castro, Courville & Bellemare, "Deep Reinforcement Learning at the Edge of the Statistical
Precipice", NeurIPS 2021. On one benchmark regret has its own unit; over several it is divided by the mean regret of
random search on each, as they must be on one scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nassim.paper.anytime import regret_label
from nassim.paper.choice import Choice
from nassim.paper.looks import LOOKS, POINT, TEXT, add_legend, bare, width_of, wrapped
from nassim.paper.panels import columns_of
from nassim.paper.scales import Bottom, set_linear, set_log
from nassim.report.runs import Part
from nassim.stats import Finding, Interval, bootstrap_interval, iqm, profile_band
from nassim.stats.bootstrap import Statistic
from nassim.stats.samples import Floats

BASELINE = "random_search"
TARGET = 0.5  # of random search's mean regret: what the optimality gap is measured to
RESAMPLES = 2000
SPREAD = 20.0  # from this ratio of the highest estimate to the least on, a panel's axis is logarithmic
MARKS = 4  # of a profile


class Finals(NamedTuple):
    """Final regrets on one scale.

    ``runs``: strategy -> an array of runs per benchmark, infinite without an answer. ``label`` says what they are;
    ``target`` is the regret that is good enough; ``floor`` counts as none; ``left_out``: benchmark -> why.
    """

    runs: dict[str, list[Floats]]
    benchmarks: tuple[str, ...]
    label: str
    target: float
    floor: float
    left_out: dict[str, str]


def finals_of(parts: Sequence[Part], choice: Choice) -> Finding[Finals]:
    """The final regrets of the chosen strategies, on the benchmarks that all of them ran on."""
    left_out: dict[str, str] = {}
    found: dict[str, list[Floats]] = {strategy: [] for strategy in choice.names}
    kept: list[tuple[Part, float]] = []
    for part in parts:
        regrets = {s: np.array(list(of.values()), dtype=np.float64) for s, of in part.final_regrets().items()}
        absent = [name for strategy, name in choice.names.items() if strategy not in regrets]
        unit = float(regrets[BASELINE].mean()) if BASELINE in regrets else math.nan
        if absent:
            left_out[part.name] = f"{', '.join(absent)} did not run on it"
        elif part.split not in part.references:
            left_out[part.name] = "no run has an answer"
        elif len(parts) > 1 and not 0 < unit < math.inf:
            left_out[part.name] = "random search has no finite regret above zero there, which others are divided by"
        else:
            kept.append((part, unit))
            for strategy in choice.names:
                found[strategy].append(regrets[strategy] if len(parts) == 1 else regrets[strategy] / unit)
    if not kept:
        return Finding(None, "; ".join(f"{name}: {why}" for name, why in left_out.items()) + ".")
    names = tuple(part.name for part, _ in kept)
    if len(parts) > 1:
        floor = _rounded_up(min(part.floor / unit for part, unit in kept))
        return Finding(Finals(found, names, "regret / that of random search", TARGET, floor, left_out))
    part, unit = kept[0]
    target = TARGET * unit if 0 < unit < math.inf else math.nan
    return Finding(Finals(found, names, regret_label(part), target, part.floor, left_out))


def _rounded_up(value: float) -> float:
    """To one digit."""
    power = 10.0 ** math.floor(math.log10(value))
    return float(f"{math.ceil(value / power - 1e-9) * power:.1g}")


def aggregates(finals: Finals) -> dict[str, dict[str, Finding[Interval]]]:
    """Mean, median, interquartile mean and optimality gap of each strategy, with stratified bootstrap intervals.

    The optimality gap is how far regret lies above the target on average, where it does: less is better in all four.
    Without a finite regret of random search there is no target and no gap.
    """
    statistics: dict[str, Statistic] = {
        "mean": lambda x: x.mean(axis=-1),
        "median": lambda x: np.median(x, axis=-1),
        "IQM": iqm,
    }
    if not math.isnan(finals.target):
        statistics["optimality gap"] = lambda x: np.maximum(x - finals.target, 0).mean(axis=-1)
    return {name: {s: _interval(runs, f) for s, runs in finals.runs.items()} for name, f in statistics.items()}


def _interval(strata: Sequence[Floats], statistic: Statistic) -> Finding[Interval]:
    """A statistic with its interval; limits are NaN where a single run a benchmark shows no spread."""
    if max(map(len, strata)) > 1:
        with np.errstate(invalid="ignore"):
            return bootstrap_interval(strata, statistic, resamples=RESAMPLES)
    return Finding(Interval(float(statistic(np.concatenate(strata))), math.nan, math.nan))


def intervals_paper(finals: Finals, choice: Choice) -> Figure:
    """A panel a statistic, a row a strategy: the estimate with its 95 % interval; ∞ where runs have no answer."""
    found = aggregates(finals)
    names = [wrapped(name, choice.width * POINT * 0.33) for name in choice.names.values()]
    side = max(width_of(line) for name in names for line in name.split("\n")) + 6
    columns = columns_of(len(found), choice.width - side / POINT, 0.95)
    rows = -(-len(found) // columns)
    lines = [name.count("\n") + 1 for name in names]
    line = 1.2 * TEXT / POINT
    each = line * max((a + b) / 2 for a, b in zip(lines, lines[1:] or lines, strict=False)) + 0.04
    figure = Figure(figsize=(choice.width, rows * (each * len(names) + 0.42) + 0.2), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.04, hspace=0.04)  # type: ignore[union-attr, call-arg]
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    wide = (choice.width * POINT - side) / columns - 8
    for axes, (title, of) in zip(panels, found.items(), strict=False):
        _rows(axes, list(of.values()), wide, finals.floor)
        axes.set_title(title, loc="center")
    for axes in panels[len(found) :]:
        axes.set_axis_off()
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    figure.supxlabel(wrapped(finals.label, choice.width * POINT - 8))
    return figure


def _rows(axes: Axes, intervals: Sequence[Finding[Interval]], wide: float, floor: float) -> None:
    bare(axes)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    known = [found.value for found in intervals if found.value is not None]
    finite = np.array([x for interval in known for x in interval[:3] if math.isfinite(x)] or [0.0, 1.0])
    bottom = Bottom(finite, floor)
    estimates = bottom(np.array([interval.value for interval in known if math.isfinite(interval.value)] or [1.0]))
    most = max(2, min(5, int(wide / (3 * TEXT))))
    if estimates.max() > SPREAD * estimates.min():
        finite = bottom(finite)
        set_log(axes, "x", [float(finite.min()), float(finite.max())], most, bottom)
    else:
        bottom = Bottom(finite, -math.inf)
        set_linear(axes, "x", float(finite.min()), float(finite.max()), most)
    right = axes.get_xlim()[1]
    for i, found in enumerate(intervals):
        value, low, high = bottom(np.array(found.value[:3] if found.value is not None else (math.nan,) * 3)).tolist()
        if not math.isfinite(value):
            axes.text(right, i, "–" if math.isnan(value) else "∞", ha="right", va="center")
            continue
        if not math.isnan(low):
            axes.plot([low, min(high, right)], [i, i], color=LOOKS[i].color, lw=2.4, alpha=0.45, solid_capstyle="butt")
        axes.plot([value], [i], **LOOKS[i].mark())


def profiles_paper(finals: Finals, choice: Choice) -> Figure:
    """The share of runs that end at or below each regret, with 95 % intervals at the marks."""
    every = np.concatenate([x for runs in finals.runs.values() for x in runs])
    finite = every[np.isfinite(every)]
    figure = Figure(figsize=(choice.width, min(2.4, max(1.4, 0.5 * choice.width))), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)  # type: ignore[union-attr, call-arg]
    axes = figure.subplots()
    bare(axes)
    bottom = Bottom(every, finals.floor)
    ends = bottom(np.array([finite.min(), finite.max()]))
    low, high = float(ends[0]), float(max(ends[1], ends[0] * 1.5))
    targets = np.unique(np.concatenate([[finals.floor], finite[finite > finals.floor], [high]]))
    wide = choice.width * POINT - 40
    for i, runs in enumerate(finals.runs.values()):
        at = low * (high / low) ** ((np.arange(MARKS) + (i + 0.5) / len(finals.runs)) / MARKS)
        curve = profile_band(runs, targets, resamples=2).value
        marks = profile_band(runs, np.where(at < finals.floor, finals.floor, at), resamples=RESAMPLES).value
        if curve is None or marks is None:
            continue
        x = np.append(bottom(targets), high)
        axes.plot(x, np.append(curve.value, curve.value[-1]), drawstyle="steps-post", zorder=3, **LOOKS[i].line())
        bars = np.nan_to_num(np.abs([marks.value - marks.low, marks.high - marks.value]))
        axes.errorbar(at, marks.value, yerr=bars, zorder=4, **LOOKS[i].bars())
    set_log(axes, "x", [low, high], max(2, min(7, int(wide / (3 * TEXT)))), bottom)
    set_linear(axes, "y", 0.0, 1.0, 6)
    axes.set_xlabel(wrapped(f"final {finals.label}", wide))
    axes.set_ylabel("share of runs at or below")
    add_legend(figure, list(choice.names.values()))
    return figure
