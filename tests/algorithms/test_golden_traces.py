"""The first queries of every strategy on the toy benchmark, kept in tests/golden/."""

from __future__ import annotations

import json
import os
from inspect import signature
from pathlib import Path

import pytest

import nassim
from nassim.registry import algorithm_names

GOLDEN = Path(__file__).parent / "golden"
# Strategies that train a supernet do not run on the toy benchmark: they have tests of their own.
BLACK_BOX = [n for n in algorithm_names() if "supernet" not in signature(nassim.get_algorithm(n).function).parameters]
REGENERATE = "NASSIM_REGENERATE_GOLDEN=1 python -m pytest tests/algorithms/test_golden_traces.py"


def trace(name: str) -> list[str]:
    """The first 30 queries with seed 0: architecture, and epochs where they are not those of a full training."""
    queries = [trial.query for trial in nassim.run(name, "toy/additive", "30q").trials]
    return [str(q.arch) if q.epochs is None else f"{q.arch} {q.epochs} epochs" for q in queries]


@pytest.mark.parametrize("name", BLACK_BOX)
def test_the_first_queries_are_those_of_the_last_version(name: str) -> None:
    file = GOLDEN / f"{name}.json"
    if os.environ.get("NASSIM_REGENERATE_GOLDEN"):
        file.write_text(json.dumps(trace(name), indent=0) + "\n", encoding="utf-8")
    assert file.exists(), f"{name} has no golden trace. Make it with: {REGENERATE}"
    golden = json.loads(file.read_text(encoding="utf-8"))
    assert trace(name) == golden, (
        f"{name} asks for other architectures than before: results of earlier versions are no longer reproduced. "
        f"If that is meant, say so in CHANGELOG.md and run: {REGENERATE}"
    )


def test_no_trace_is_left_of_a_strategy_that_went() -> None:
    assert sorted(file.stem for file in GOLDEN.glob("*.json")) == BLACK_BOX
