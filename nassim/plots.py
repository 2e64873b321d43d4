"""Figures (matplotlib): anytime curves of a study, drawings of cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch
from matplotlib.path import Path as Curve
from matplotlib.ticker import LogFormatterSciNotation, LogLocator
from numpy.typing import ArrayLike, NDArray

from nassim.errors import InvalidSetting
from nassim.facts import Facts
from nassim.files import file_name, put_in_place
from nassim.metric import ACCURACY, Metric
from nassim.space import Architecture, SearchSpace
from nassim.stats import band
from nassim.study import Study
from nassim.summary import regret_band, regret_floor

# Okabe & Ito's colors, told apart without color vision; in grey print the dashes and markers do it.
COLORS = ("#555555", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ((), (5, 1.5), (1.5, 1.2), (6, 1.5, 1.5, 1.5), (3, 1), (8, 2), (2, 2, 6, 2), (1, 3))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
BESIDE = 9  # strategies from which on a legend stands beside the curves: it would cover them
DAY = 86400.0
NODE = 0.15  # radius of a drawn node; neighbors are 1 apart


def look(i: int) -> dict[str, Any]:
    """Color, dashes and marker of the i-th strategy: where colors begin anew, dashes and markers do not."""
    again, k = divmod(i, len(COLORS))
    dashes = DASHES[(k + again) % len(DASHES)]
    return {"color": COLORS[k], "dashes": dashes or (None, None), "marker": MARKERS[(k + 3 * again) % len(MARKERS)]}


def anytime_figure(study: Study, benchmark: str) -> Figure:
    """Regret against simulated seconds, both axes logarithmic: medians with interquartile bands.

    Regret below a floor (0.01 percentage points of accuracy), zero included, is drawn on it.
    Where no best is known, as of a surrogate or of trainings, values take the place of regret.
    Right-continuous steps, never interpolated. Regret is taken on the test split where the benchmark has
    one, else on the validation split; the axis says which. Strategies that share weights are labeled with their
    mode; their curves end where their searches end.
    """
    figure = Figure(figsize=(7.2 + _beside(study), 4.6), layout="constrained")
    _draw(figure.subplots(), study, benchmark)
    return figure


def panels_figure(study: Study) -> Figure:
    """The `anytime_figure` of every benchmark side by side, at most three in a row."""
    names = study.benchmarks
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    figure = Figure(figsize=((6.6 + _beside(study)) * columns, 4.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        _draw(axes, study, name)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    return figure


def _draw(axes: Axes, study: Study, benchmark: str) -> None:
    facts = study.facts[benchmark]
    answers = [point.valid for run in study.runs if run.benchmark == benchmark for point in run.curve]
    if facts.best(facts.regret_split) is None and any(value is not None for value in answers):
        _draw_values(axes, study, facts)
        return
    strategies = study.strategies
    lowest, first = np.inf, np.inf
    floor = regret_floor(facts, [run for strategy in strategies for run in study.of(benchmark, strategy)])
    for i, strategy in enumerate(strategies):
        runs = study.of(benchmark, strategy)
        curve = regret_band(facts, runs, facts.regret_split) if runs else None
        if curve is None:
            continue
        shown = np.isfinite(curve.q75)  # from when three quarters of the runs have an answer
        seen_as = look(i)
        color = seen_as["color"]
        if not shown.any():
            axes.plot([], [], color=color, label=f"{strategy}: most runs have an answer too late or none")
            continue
        at, median = curve.at[shown], np.maximum(curve.median[shown], floor)
        upper = np.maximum(curve.q75[shown], floor)
        axes.fill_between(at, np.maximum(curve.q25[shown], floor), upper, step="post", color=color, alpha=0.15, lw=0)
        axes.step(
            *(at, median),
            where="post",
            **seen_as,
            lw=1.8,
            markevery=_spread(at, offset=i / len(strategies)),
            ms=5,
            label=f"{strategy} ({len(runs)} seeds{_mode(runs[0].mode)})",
        )
        lowest, first = min(lowest, float(curve.q25[shown].min())), min(first, float(at[0]))
    _dress(axes, study, facts, floor, lowest, first)


def _draw_values(axes: Axes, study: Study, facts: Facts) -> None:
    """Where no best is known: the incumbents' values; a surrogate's with where what it was fitted to ends."""
    metric = facts.metric
    for i, strategy in enumerate(study.strategies):
        runs = study.of(facts.name, strategy)
        valued = [[(p.seconds, p.valid) for p in run.curve if p.valid is not None] for run in runs]  # others: untrained
        curves = [([at for at, _ in run], [-metric.shown(value) for _, value in run]) for run in valued]
        found = band(curves, end=max((run.seconds for run in runs), default=0.0))  # of negatives: less is better there
        shown = np.isfinite(found.q75)
        if not shown.any():
            continue
        seen_as, at = look(i), found.at[shown]  # the marker shows an answer at the very end
        low, high = -found.q75[shown], -found.q25[shown]
        axes.fill_between(at, low, high, step="post", color=seen_as["color"], alpha=0.15, lw=0)
        label = f"{strategy} ({len(runs)} seeds{_mode(runs[0].mode)})"
        seen_as |= {"markevery": [len(at) - 1], "ms": 5}
        axes.step(at, -found.median[shown], where="post", **seen_as, lw=1.8, label=label)
    if facts.learned_best is not None:
        axes.axhline(metric.shown(facts.learned_best), color="#444444", lw=0.8, ls=":")
        text = "above: more than all that the surrogate was fitted to"
        axes.annotate(text, (0.99, metric.shown(facts.learned_best)), (0, 3), ("axes fraction", "data"),
                      "offset points", ha="right", fontsize=8, color="#444444")  # fmt: skip
    axes.set_xscale("log")
    time = f"{'declared' if facts.surrogate else 'simulated'} time [s]"
    time = time if facts.cost_unit == "seconds" else f"declared cost [{facts.cost_unit}]"
    axes.set_xlabel(f"{time}, {study.settings['workers']} worker{'s' if study.settings['workers'] != 1 else ''}")
    axes.set_ylabel(f"{'predicted ' if facts.surrogate else ''}{metric.titled('valid')}")
    below = f"surrogate ({facts.surrogate})" if facts.surrogate else "the best is not known, hence no regret"
    axes.set_title(f"{facts.name}: median and interquartile range\n{below}", loc="left", fontsize=9)
    axes.grid(True, color="#dddddd", lw=0.7)
    axes.set_axisbelow(True)
    if axes.get_legend_handles_labels()[0]:
        _legend(axes, "lower right" if metric.more_is_better else "best")


def _dress(axes: Axes, study: Study, facts: Facts, floor: float, lowest: float, first: float) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):  # between powers of ten only 2 and 5 are labeled, so that none overlap
        axis.set_minor_locator(LogLocator(subs=(2, 5)))
        axis.set_minor_formatter(LogFormatterSciNotation(labelOnlyBase=False, minor_thresholds=(4, 4)))
    split = {"valid": "validation", "test": "test"}[facts.regret_split]
    metric = facts.metric
    below = f"\n(regret below {floor} is drawn at {floor})" if lowest <= floor else ""
    workers = study.settings["workers"]
    time = facts.time_axis
    axes.set_xlabel(f"{time}, {workers} worker{'s' if workers != 1 else ''}")
    unit = f" [{metric.regret_words}]" if metric.regret_words else ""
    axes.set_ylabel(f"{split} {metric.regret_name}{unit}{below}")
    axes.set_title(
        f"{facts.name}{facts.surrogate and ' (surrogate)'}: median and interquartile range", loc="left", fontsize=11
    )
    best = facts.best(facts.regret_split)
    if best is not None:
        note = f"best mean {metric.title(facts.regret_split)} after {facts.epochs} epochs{facts.among}: "
        note += metric.read(best)
        if facts.synthetic:
            note += " (synthetic)"
        axes.text(0.99, 0.98, note, transform=axes.transAxes, ha="right", va="top", fontsize=8, color="#444444")
    if np.isfinite(first):
        axes.set_xlim(left=first * 0.9)
    else:  # nothing is drawn: logarithmic axes find no limits by themselves
        axes.set(xlim=(1, 10), ylim=(floor, 1e4 * floor))
    if facts.cost_unit == "seconds" and axes.get_xlim()[1] > 0.1 * DAY:
        days = axes.secondary_xaxis("top", functions=(_days, _seconds))
        days.set_xlabel("simulated days", fontsize=8)
        days.tick_params(labelsize=8)
    axes.grid(True, which="major", color="#dddddd", lw=0.7)
    axes.grid(True, which="minor", axis="y", color="#eeeeee", lw=0.4)
    axes.set_axisbelow(True)
    if axes.get_legend_handles_labels()[0]:
        _legend(axes, "lower left")
    else:
        axes.text(0.5, 0.5, f"no regret: the best {metric.name} is not known", transform=axes.transAxes, ha="center")


def _legend(axes: Axes, corner: str) -> None:
    """In a corner, or beside the axes where it names many."""
    many = len(axes.get_legend_handles_labels()[0]) >= BESIDE
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)} if many else {"loc": corner}
    axes.legend(**place, fontsize=8, frameon=True, framealpha=0.9, handlelength=3.5)


def _beside(study: Study) -> float:
    """Inches for a legend beside the curves."""
    return 0.0 if len(study.strategies) < BESIDE else 0.9 + 0.065 * max(map(len, study.strategies)) + 0.5


def _days(seconds: ArrayLike) -> ArrayLike:
    return np.asarray(seconds, dtype=np.float64) / DAY


def _seconds(days: ArrayLike) -> ArrayLike:
    return np.asarray(days, dtype=np.float64) * DAY


def _mode(mode: str) -> str:
    return "" if mode == "black-box" else f", {mode}"


def _spread(at: NDArray[np.float64], offset: float) -> list[int]:
    """Indices of points that lie evenly on the logarithmic axis, shifted so that markers do not meet."""
    if len(at) < 2:
        return list(range(len(at)))
    position = np.log(at / at[0]) / np.log(at[-1] / at[0])
    return sorted({int(np.searchsorted(position, (j + offset) / 6)) for j in range(6)} - {len(at)})


def validation_figure(points: Sequence[tuple[float, float, float]], *, title: str, metric: Metric = ACCURACY) -> Figure:
    """Measured against tabulated values on validation: points of (tabulated, measured, standard error)."""
    figure = Figure(figsize=(5.2, 4.8), layout="constrained")
    axes = figure.subplots()
    found = np.array(points)
    tabulated, measured = np.vectorize(metric.shown, otypes=[float])(found[:, :2]).T
    error = metric.regret_factor * found[:, 2]
    axes.errorbar(tabulated, measured, yerr=np.nan_to_num(error), fmt="o", color=COLORS[1], ecolor="#888888", capsize=3)
    ends = [min(tabulated.min(), measured.min()), max(tabulated.max(), measured.max())]
    axes.plot(ends, ends, color="#555555", lw=1, dashes=(5, 3), label="measured = tabulated")
    axes.set_xlabel(f"tabulated {metric.titled('valid')}")
    axes.set_ylabel(f"measured {metric.titled('valid')}, mean and standard error")
    axes.set_title(title, loc="left", fontsize=10)
    axes.grid(True, color="#dddddd", lw=0.7)
    axes.set_axisbelow(True)
    axes.legend(loc="best", fontsize=8)
    return figure


def cell_figure(space: SearchSpace, arch: Architecture) -> Figure:
    """A drawing of an architecture's graph: nodes in a row, operations on the edges; "none" is dashed."""
    graph = space.graph(arch)
    last = len(graph.nodes) - 1
    figure = Figure(figsize=(2.4 * max(last, 1) + 1.4, 1.6 + 0.75 * max(last, 1)), layout="constrained")
    axes = figure.subplots()
    for source, target, operation in graph.edges:
        side = 1 if source % 2 == 0 else -1  # arcs from even nodes pass above, from odd ones below
        height = 0.0 if target - source == 1 else side * 0.3 * (target - source - 0.3)
        t = np.linspace(0.0, 1.0, 201)
        x, y = source + (target - source) * t, 4 * height * t * (1 - t)  # a parabola from node to node
        free = (np.hypot(x - source, y) > NODE) & (np.hypot(x - target, y) > NODE)
        arrow = FancyArrowPatch(
            path=Curve(np.column_stack([x[free], y[free]])),
            arrowstyle="-|>",
            mutation_scale=12,
            color="#bbbbbb" if operation == "none" else "#444444",
            linestyle="--" if operation == "none" else "-",
        )
        axes.add_patch(arrow)
        axes.text((source + target) / 2, height, operation, ha="center", va="center", fontsize=8, bbox=_PAPER)
    for i, name in enumerate(graph.nodes):
        axes.add_patch(Circle((i, 0.0), NODE, fc="#cfe3f5", ec="#0072B2", zorder=3))
        axes.text(i, 0.0, name, ha="center", va="center", fontsize=8, zorder=4)
    axes.set_xlim(-0.3, last + 0.3)
    axes.set_ylim(-0.35 * last + 0.1, 0.35 * last + 0.1)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(space.format(arch), fontsize=8)
    return figure


_PAPER = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "#bbbbbb", "lw": 0.5}


def save(figure: Figure, path: Path, formats: Sequence[str] = ("png", "pdf"), *, dpi: int = 160) -> list[Path]:
    """Write a figure in several formats, each as ``path`` with the format as suffix."""
    return [save_as(figure, path.with_name(f"{path.name}.{suffix}"), dpi=dpi) for suffix in formats]


def save_as(figure: Figure, path: Path, *, dpi: int = 160) -> Path:
    """Write a figure in the format of the path's suffix; the same figure gives the same bytes.

    ``dpi``: pixels an inch, where it is made of pixels.
    """
    suffix = path.suffix.removeprefix(".").lower()
    if suffix not in ("png", "pdf", "svg"):
        raise InvalidSetting(f"{path}: figures are written as .png, .pdf or .svg.")
    metadata = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}[suffix]
    with put_in_place(path) as file, rc_context({"svg.hashsalt": "nassim"}):
        figure.savefig(file, format=suffix, dpi=dpi, metadata=metadata)
    return path


def plot_study(study: Study, folder: Path) -> list[Path]:
    """The anytime figure of every benchmark, and of several together, as PNG and PDF in ``folder/figures``."""
    written = []
    for name in study.benchmarks:
        target = folder / "figures" / f"anytime-{file_name(name)}"
        written += save(anytime_figure(study, name), target)
    if len(study.benchmarks) > 1:
        written += save(panels_figure(study), folder / "figures" / "anytime")
    return written
