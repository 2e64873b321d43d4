"""The experiment of docs/why-ageing.md: its noise is what it says, and what the page claims is seen in a small one."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, wilcoxon

import nassim
from nassim.query import Query

TOOL = Path(__file__).parents[2] / "tools" / "why_ageing.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("why_ageing", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("factor", [0.0, 1.0, 5.0])
def test_answers_lie_so_many_times_as_far_from_their_mean(tool: ModuleType, factor: float) -> None:
    inner = nassim.get_benchmark("toy/additive")
    inflated = tool.Inflated(inner, factor)
    for arch in list(inner.space.architectures())[::7]:
        mean = inner.mean_accuracy(arch)
        for seed in range(5):
            plain, noisy = (b.query(Query(arch), random.Random(seed)).value for b in (inner, inflated))
            assert noisy - mean == pytest.approx(factor * (plain - mean), abs=1e-12)
        assert inflated.mean_accuracy(arch) == mean


def test_where_a_table_has_one_value_the_noise_is_that_of_its_own_trainings(
    tool: ModuleType, genuine_data: Path
) -> None:
    inner = nassim.get_benchmark("nasbench_macro/cifar10")
    sigma = tool.spread_of_trainings(inner)
    assert 0.0005 < sigma < 0.005
    inflated, rng = tool.Inflated(inner, 5.0), random.Random(0)
    arch = inner.space.at(4321)
    drawn = [inflated.query(Query(arch), rng).value - inner.mean_accuracy(arch) for _ in range(2_000)]
    assert np.std(drawn) == pytest.approx(5 * sigma, rel=0.1) and abs(np.mean(drawn)) < sigma


def test_the_table_has_a_row_for_each_noise_and_budget(tool: ModuleType) -> None:
    written: list[str] = []
    tool.table("toy/additive", [0.0, 5.0], [20, 40], 3, written.append)
    rows = [line for line in "".join(written).splitlines() if line.startswith("| x ")]
    assert [row.split("|")[1:3] for row in rows] == [
        [" x 0 ", " 20 "],
        [" x 0 ", " 40 "],
        [" x 5 ", " 20 "],
        [" x 5 ", " 40 "],
    ]
    assert all(len(row.split("|")) == 10 for row in rows)


@pytest.mark.slow
def test_without_noise_the_lowest_should_die_and_much_noise_takes_that_away(tool: ModuleType) -> None:
    """100 trainings, 100 seeds, NAS-Bench-201 on cifar100: what the page says of short searches."""
    inner = nassim.get_benchmark("nasbench201/cifar100")
    lead = {}
    for factor in (0.0, 5.0):
        noisy = tool.Inflated(inner, factor)
        aged, lowest = (tool.measured(noisy, inner.optimum(), name, 100, 100)[:, 0] for name in ("re", "evolution"))
        lead[factor] = aged - lowest  # percentage points of regret by which the lowest-dies search is ahead
    assert wilcoxon(lead[0.0], alternative="greater").pvalue < 1e-4
    assert mannwhitneyu(lead[5.0], lead[0.0], alternative="less").pvalue < 0.01
