"""A typical run of each strategy, for the replay: what it tried and why, and the cells that it held to be the best."""

from __future__ import annotations

from typing import Any

import numpy as np

from nassim.benchmark import Benchmark
from nassim.report.analysis import Analysis
from nassim.report.cells import Drawer
from nassim.report.pack import Block
from nassim.report.reasons import MOST_SAMPLE, NONE, Chances, Lineage, Why
from nassim.report.runs import AXES, Part
from nassim.report.visits import Visits, typical_runs
from nassim.report.why import why
from nassim.space import SearchSpace
from nassim.stats import Finding
from nassim.summary import accuracy

WHY_NUMBERS = 300_000  # of all strategies on all benchmarks; of longer runs fewer moments are shown


def race_data(analysis: Analysis, part: Part, visits: Visits, block: Block, draw: Drawer) -> dict[str, Any]:
    """strategy -> its typical run: incumbents with the place of their drawing, and trials, as they are printed."""
    drawings: dict[str, int] = {}
    archs: dict[str, int] = {}
    strategies = {}
    opened = analysis.benchmark(part.name)
    space = opened.space if isinstance(opened, Benchmark) else draw.space
    most = WHY_NUMBERS // max(1, sum(len(p.strategies) for p in analysis.parts))
    for strategy, run in typical_runs(part).items():
        trials = visits.trials.get((part.name, strategy), [])
        rows = visits.rows.get((part.name, strategy), [])
        data: dict[str, Any] = {
            "seed": run.seed,
            "trials": run.trials,
            "cells": [point.architecture for point in run.curve],
            "drawings": [drawings.setdefault(point.architecture, len(drawings)) for point in run.curve],
            "tried": block.add([part.metric.shown(trial.value) for trial in trials]),
            "tried_archs": block.add([archs.setdefault(t.architecture, len(archs)) for t in trials], "u4"),
            "why": _why_data(why(analysis, part, run, rows, space, most), block),
        }
        for axis in AXES:
            data[axis] = block.add([getattr(point, axis) for point in run.curve])
            data[f"tried_{axis}"] = block.add([getattr(trial, axis) for trial in trials])
        for split, reference in part.references.items():
            values = np.array([p.test if split == "test" else p.valid for p in run.curve], dtype=np.float64)
            data[split] = block.add(part.metric.regret_factor * (reference.value - values))
        strategies[strategy] = data
    return {
        "strategies": strategies,
        "drawings": [draw(name) for name in drawings],
        "why": draw.why,
        "archs": list(archs),
        "decisions": _decisions(space),
        "best": _best(part),
        "all_trials": sum(run.trials for runs in part.runs.values() for run in runs),
    }


def _decisions(space: SearchSpace | None) -> list[list[Any]]:
    """The name of every decision with its options; empty where the space is not known."""
    return [] if space is None else [[d.name, list(d.options)] for d in space.decisions]


def _best(part: Part) -> dict[str, Any] | None:
    """The best answer that any run of the study had, and whether the space has none better."""
    points = [point for runs in part.runs.values() for run in runs for point in run.curve]
    known = [(value, p.architecture) for p in points if (value := accuracy(p, part.split)) is not None]
    if not known:
        return None
    value, architecture = max(known, key=lambda found: found[0])
    reference = part.references[part.split]
    return {"architecture": architecture, "optimal": reference.known and value >= reference.value - 1e-9}


def _why_data(found: Finding[Why], block: Block) -> dict[str, Any]:
    """What the page draws of a run's reasons: by kind, or why there is nothing to draw."""
    if found.value is None:
        return {"none": found.reason}
    if isinstance(found.value, Lineage):
        lineage = found.value
        padded = [[*sample, *[NONE] * (MOST_SAMPLE - len(sample))] for sample in lineage.sample]
        width = max(map(len, lineage.sample), default=0)
        return {
            "kind": "lineage",
            **{name: block.add(getattr(lineage, name), "u2") for name in ("parent", "oldest", "alive", "dies")},
            "sample": block.add([row[:width] for row in padded], "u2"),
            "width": width,
        }
    at = block.add(found.value.at, "u4")
    if isinstance(found.value, Chances):
        rows = 65535 * np.array(found.value.rows, dtype=np.float64)
        return {"kind": "chances", "at": at, "rows": block.add(np.round(rows), "u2")}
    names = ("mean", "deviation", "score")
    return {
        "kind": "promise",
        "at": at,
        **{name: block.add(getattr(found.value, name)) for name in names},
        "called": found.value.called,
    }
