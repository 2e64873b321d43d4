"""The figures of a report for papers (matplotlib): PDF and SVG, in colors and dashes that survive grey print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nassim.files import file_name
from nassim.plots import anytime_figure, look, save
from nassim.report.content import Content, PartContent
from nassim.report.diagram import Diagram
from nassim.report.escape import no_formula
from nassim.report.fronts import Fronts
from nassim.report.pairs import chance, pair_of, pairs_of
from nassim.stats import ecdf, first_hits, log_targets, log_times, ranks_over_time, spent_of
from nassim.stats.samples import Floats

FORMATS = ("pdf", "svg")
POINTS = 300


def write_figures(content: Content, folder: Path) -> list[Path]:
    """Write all figures that can be drawn; what cannot is said in the page."""
    order = content.analysis.strategies
    written: list[Path] = []

    def keep(figure: Figure | None, name: str) -> None:
        if figure is not None:
            written.extend(save(figure, folder / name, FORMATS))

    for name, found in content.parts.items():
        slug = file_name(name)
        keep(anytime_figure(content.analysis.study, name), f"anytime-{slug}")
        keep(distribution_figure(found, order), f"running-times-{slug}")
        keep(ranks_figure(found, order), f"ranks-{slug}")
        keep(wins_figure(content, found), f"win-rates-{slug}")
        for fronts in [] if isinstance(found.fronts, str) else found.fronts:
            keep(fronts_figure(fronts, order), f"front-{file_name('-'.join(fronts.objectives))}-{slug}")
    if content.diagram.value is not None:
        keep(diagram_figure(content.diagram.value), "critical-difference")
    return written


def distribution_figure(found: PartContent, order: Sequence[str]) -> Figure | None:
    """The share of (run, target) pairs solved over simulated seconds, to ten budgets by simulated restarts."""
    curves = found.part.curves("seconds", found.part.split)
    every = [curve for group in curves.values() for curve in group]
    targets = log_targets(list(curves.values()), floor=found.part.floor).value
    if targets is None:
        return None
    budget = max(curve.spent for curve in every)
    at = log_times(every, POINTS, 10 * budget)
    values = {s: ecdf(first_hits(g, targets), spent_of(g), at, draws=500).value for s, g in curves.items()}
    drawn = {strategy: y for strategy, y in values.items() if y is not None}
    if not at.size or not drawn:
        return None
    figure, axes = _over_time(at, drawn, order, "share of (run, target) pairs solved", found)
    axes.axvline(budget, color="#888888", lw=0.8, ls=":")
    axes.set_ylim(0, 1.02)
    return figure


def ranks_figure(found: PartContent, order: Sequence[str]) -> Figure | None:
    """Mean ranks over simulated seconds."""
    curves, note = found.part.blocks("seconds", found.part.split)
    at = log_times([curve for group in curves.values() for curve in group], POINTS)
    ranks = ranks_over_time(list(curves.values()), at).value
    if len(curves) < 2 or ranks is None or not at.size:
        return None
    drawn = dict(zip(curves, ranks, strict=True))
    figure, axes = _over_time(at, drawn, order, "mean rank (1 is best)", found)
    axes.invert_yaxis()
    if note:
        axes.set_xlabel(f"{axes.get_xlabel()}\n{no_formula(note)}")
    return figure


def _over_time(
    at: Floats, values: Mapping[str, Floats], order: Sequence[str], label: str, found: PartContent
) -> tuple[Figure, Axes]:
    figure, axes = _empty()
    for strategy, y in values.items():
        mode = found.part.mode(strategy)
        labeled = no_formula(strategy if mode == "black-box" else f"{strategy} ({mode})")
        axes.step(at, y, where="post", label=labeled, **_look(order.index(strategy), len(at)))
    axes.set_xscale("log")
    axes.set_xlabel(found.part.clock.title)
    axes.set_ylabel(label)
    axes.set_title(no_formula(found.part.name), loc="left", fontsize=10)
    axes.legend(fontsize=8)
    return figure, axes


def wins_figure(content: Content, found: PartContent) -> Figure | None:
    """The win rates as a heat map."""
    names = found.part.strategies
    if len(names) < 2:
        return None
    pairs = pairs_of(content.analysis, found.part)
    shares = np.full((len(names), len(names)), np.nan)
    figure = Figure(figsize=(1.6 + 0.75 * len(names), 1.2 + 0.6 * len(names)), layout="constrained")
    axes = figure.subplots()
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            pair = pair_of(pairs, one, other) if i != j else None
            wins = None if pair is None else chance(pair, one)
            if pair is None or wins is None:
                continue
            shares[i, j] = wins.value
            mark = "*" if pair.better is not None else ""
            axes.text(j, i, f"{100 * wins.value:.0f}{mark}", ha="center", va="center", fontsize=8)
    axes.imshow(shares, cmap="PuOr", vmin=-0.25, vmax=1.25)
    shown = [no_formula(name) for name in names]
    axes.set_xticks(range(len(names)), shown, rotation=35, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), shown, fontsize=8)
    axes.set_title("row ends better than column [%]", fontsize=9)
    return figure


def fronts_figure(fronts: Fronts, order: Sequence[str]) -> Figure | None:
    """What half of the runs of each strategy attain, and their answers, against the true front; two objectives."""
    attained = any(len(found.attained) for found in fronts.strategies.values())
    if len(fronts.objectives) != 2 or not (attained or len(fronts.true_front)):
        return None
    figure, axes = _empty()
    true = fronts.true_front[np.lexsort(fronts.true_front.T[::-1])]
    if len(true):
        axes.step(true[::-1, 1], true[::-1, 0], where="post", color="#bbbbbb", lw=4, label="true front")
    limits = axes.get_xlim(), axes.get_ylim()
    axes.plot(fronts.visited[:, 1], fronts.visited[:, 0], ".", color="#c4c4c4", ms=2, zorder=0, label="trained by any")
    for strategy, found in fronts.strategies.items():
        if len(found.attained):
            y, x = found.attained[::-1].T
            seen_as = _look(order.index(strategy), len(x))
            axes.step(x, y, where="post", label=no_formula(strategy), **{**seen_as, "marker": None})
            y, x = found.answers.T
            axes.plot(x, y, ls="none", color=seen_as["color"], marker=seen_as["marker"], ms=4.5, mec="white", mew=0.5)
    if len(true):
        axes.set(xlim=limits[0], ylim=limits[1])
    if not len(true) or true[:, 0].min() > 0:  # the other way round of what is better may be negative
        axes.set_yscale("log")
    axes.set_ylabel(fronts.labels[0])
    axes.set_xlabel(fronts.labels[1])
    axes.set_title(
        f"{no_formula(fronts.benchmark)}: lines: attained by half of the runs; marks: answers", loc="left", fontsize=9
    )
    axes.legend(fontsize=8)
    return figure


def diagram_figure(diagram: Diagram) -> Figure:
    """The critical-difference diagram."""
    rows = len(diagram.holm) + len(diagram.nemenyi)
    names = -0.35 - 0.12 * rows
    top, bottom = 0.75, names - 0.26 * diagram.lines
    side = 0.3 + 0.08 * max(len(label.name) + 5 for label in diagram.labels)  # inches; the line of ranks has four
    figure = Figure(figsize=(4 + 2 * side, 1.1 * (top - bottom)))
    axes = figure.add_axes((0, 0, 1, 1))
    rank_per_inch = (diagram.worst - 1) / 4
    axes.set_xlim(1 - side * rank_per_inch, diagram.worst + side * rank_per_inch)
    axes.set_ylim(bottom, top)
    axes.set_axis_off()
    axes.plot([1, diagram.worst], [0, 0], color="black", lw=1)
    for rank in range(1, diagram.worst + 1):
        axes.plot([rank, rank], [0, 0.07], color="black", lw=1)
        axes.text(rank, 0.11, str(rank), ha="center", va="bottom", fontsize=8)
    if diagram.critical is not None:
        axes.plot([1, 1 + diagram.critical], [0.5, 0.5], color="black", lw=1, marker="|")
        axes.text(1 + diagram.critical, 0.5, f"  critical difference {diagram.critical:.2f}", va="center", fontsize=8)
    for i, bar in enumerate([*diagram.holm, *diagram.nemenyi]):
        thick = i < len(diagram.holm)
        look: dict[str, Any] = {"color": "black", "lw": 3.5} if thick else {"color": "#777777", "lw": 1.5}
        axes.plot([bar.start - 0.03, bar.end + 0.03], [-0.15 - 0.12 * i] * 2, solid_capstyle="round", **look)
    edges = {True: 1 - 0.2 * rank_per_inch, False: diagram.worst + 0.2 * rank_per_inch}
    for label in diagram.labels:
        height, edge = names - 0.26 * label.line, edges[label.left]
        axes.plot([label.rank, label.rank, edge], [0, height, height], color="#555555", lw=0.8)
        text, align = f" {no_formula(label.name)} {label.rank:.2f} ", "right" if label.left else "left"
        axes.text(edge, height, text, ha=align, va="center", fontsize=8)
    return figure


def _empty() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.0, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.grid(True, color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _look(i: int, points: int) -> dict[str, Any]:
    every = max(1, points // 6)
    return {**look(i), "markevery": (i * every // 8 % every, every), "ms": 4.5}
