"""One typical run of each strategy, for the replay: what it tried, and the cells that it held to be the best."""

from __future__ import annotations

from typing import Any

import numpy as np

from nassim.report.cells import Drawer
from nassim.report.pack import Block
from nassim.report.runs import AXES, Part
from nassim.report.visits import Visits, typical_run


def race_data(part: Part, visits: Visits, block: Block, draw: Drawer) -> dict[str, Any]:
    """strategy -> its typical run: incumbents with the place of their drawing, and trials, as they are printed."""
    drawings: dict[str, int] = {}
    strategies = {}
    for strategy in part.strategies:
        run = typical_run(part, strategy)
        trials = visits.trials.get((part.name, strategy), [])
        data: dict[str, Any] = {
            "seed": run.seed,
            "cells": [point.architecture for point in run.curve],
            "drawings": [drawings.setdefault(point.architecture, len(drawings)) for point in run.curve],
            "tried": block.add([part.metric.shown(trial.value) for trial in trials]),
        }
        for axis in AXES:
            data[axis] = block.add([getattr(point, axis) for point in run.curve])
            data[f"tried_{axis}"] = block.add([getattr(trial, axis) for trial in trials])
        for split, reference in part.references.items():
            values = np.array([p.test if split == "test" else p.valid for p in run.curve], dtype=np.float64)
            data[split] = block.add(part.metric.regret_factor * (reference.value - values))
        strategies[strategy] = data
    return {"strategies": strategies, "drawings": [draw(name) for name in drawings], "why": draw.why}
