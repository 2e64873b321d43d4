"""What the page draws: curves with their bands, distributions, ranks over time and single runs, as compact arrays.

Regret is packed as it is; the page turns it into what was measured with the part's reference. Times are the same for
all strategies of a chart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nassim.report.pack import Block
from nassim.report.runs import AXES, Part
from nassim.stats import (
    Curve,
    band_at,
    bootstrap_band,
    ecdf,
    first_hits,
    log_targets,
    log_times,
    mean_band,
    ranks_over_time,
    rises,
    spent_of,
)
from nassim.stats.samples import Floats

Data = dict[str, Any]
BEYOND = 10  # the distributions of running times go on to so many budgets, by simulated restarts
BAND_RESAMPLES = 200


def curves_data(part: Part, block: Block, points: int) -> Data:
    """axis -> split -> {at, strategies: {name: end, center and band of every kind}}, each with ``points`` times."""
    return {
        axis: {split: _bands(part.curves(axis, split), axis, block, points) for split in part.references}
        for axis in AXES
    }


def _times(curves: Mapping[str, list[Curve]], axis: str, points: int, end: float | None = None) -> Floats:
    """When curves are read: of queries and epochs there are whole numbers only."""
    at = log_times([curve for group in curves.values() for curve in group], points, end)
    return at if axis == "seconds" else np.unique(np.round(at))


def _bands(curves: Mapping[str, list[Curve]], axis: str, block: Block, points: int) -> Data:
    at = _times(curves, axis, points)
    if not at.size:
        return {"why": "No run has an answer on this axis.", "strategies": {}}
    return {"at": block.add(at), "strategies": {name: _band(group, at, block) for name, group in curves.items()}}


def _band(group: Sequence[Curve], at: Floats, block: Block) -> Data:
    quartiles, means = band_at(group, at), mean_band(group, at)
    found = bootstrap_band(group, at, resamples=BAND_RESAMPLES)
    centers = {
        "median": quartiles.median,
        "mean": means.mean,
        "iqm": None if found.value is None else found.value.value,
    }
    data = {
        "worse": [kind for kind, center in centers.items() if center is not None and rises(center)],
        "end": max(curve.spent for curve in group),
        "reached": block.add(quartiles.reached),
        "median": [block.add(x) for x in (quartiles.median, quartiles.q25, quartiles.q75)],
        "mean": [block.add(x) for x in (means.mean, means.mean - means.std, means.mean + means.std)],
    }
    if found.value is None:
        return {**data, "iqm": None, "why": found.reason}
    return {**data, "iqm": [block.add(x) for x in (found.value.value, found.value.low, found.value.high)]}


def runs_data(part: Part, block: Block, most: int) -> Data:
    """strategy -> the incumbents of its first runs: lengths, times on every axis, regret on every split.

    ``most`` bounds the runs of each strategy; ``left_out`` says how many are not there.
    """
    strategies = {}
    for strategy, runs in part.runs.items():
        kept = runs[:most]
        points = [point for run in kept for point in run.curve]
        data: Data = {
            "lengths": block.add([len(run.curve) for run in kept], "u2"),
            "seeds": block.add([run.seed for run in kept], "u4"),
            "seconds": block.add([p.seconds for p in points]),
            "queries": block.add([p.queries for p in points], "u4"),
            "epochs": block.add([p.epochs for p in points], "u4"),
            "left_out": len(runs) - len(kept),
        }
        for split, reference in part.references.items():
            values = np.array([p.test if split == "test" else p.valid for p in points], dtype=np.float64)
            data[split] = block.add(part.metric.regret_factor * (reference.value - values))
        strategies[strategy] = data
    return strategies


def distribution_data(part: Part, block: Block, points: int) -> Data:
    """axis -> the share of (run, target) pairs solved by each time, with simulated restarts; or why there is none."""
    return {axis: _distribution(part.curves(axis, part.split), axis, part.floor, block, points) for axis in AXES}


def _distribution(curves: Mapping[str, list[Curve]], axis: str, floor: float, block: Block, points: int) -> Data:
    groups = list(curves.values())
    targets = log_targets(groups, floor=floor)
    every = [curve for group in groups for curve in group]
    if targets.value is None:
        return {"why": targets.reason}
    end = BEYOND * max(curve.spent for curve in every)
    at = _times(curves, axis, points, end)
    if not at.size:
        return {"why": "no run has an answer on this axis."}
    strategies = {}
    for name, group in curves.items():
        found = ecdf(first_hits(group, targets.value), spent_of(group), at, draws=500)
        strategies[name] = None if found.value is None else block.add(found.value)
    hardest, easiest = float(targets.value.min()), float(targets.value.max())
    return {
        "at": block.add(at),
        "budget": end / BEYOND,
        "targets": [len(targets.value), easiest, hardest],
        "strategies": strategies,
    }


def ranks_data(part: Part, block: Block, points: int) -> Data:
    """axis -> mean rank of every strategy over time, seeds as blocks; or why there is none."""
    return {axis: {**_ranks(of, axis, block, points), "note": note} for axis, (of, note) in _blocks(part).items()}


def _blocks(part: Part) -> dict[str, tuple[dict[str, list[Curve]], str]]:
    return {axis: part.blocks(axis, part.split) for axis in AXES}


def _ranks(curves: Mapping[str, list[Curve]], axis: str, block: Block, points: int) -> Data:
    if len(curves) < 2:
        return {"why": "ranks compare two strategies or more."}
    at = _times(curves, axis, points)
    found = ranks_over_time(list(curves.values()), at)
    if found.value is None:
        return {"why": found.reason}
    if not at.size:
        return {"why": "no run has an answer on this axis."}
    ranks = dict(zip(curves, found.value, strict=True))
    return {"at": block.add(at), "strategies": {name: block.add(values) for name, values in ranks.items()}}
