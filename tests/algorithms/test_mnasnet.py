"""MnasNet: its reward, that the soft one does not depend on the target, and where it runs."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nassim
from nassim.algorithms.parts.latency_reward import LatencyReward
from nassim.errors import InvalidSetting
from nassim.objectives import Constraint
from nassim.page import page
from nassim.registry import recipe_module
from nassim.space import Architecture
from nassim.tabular_data.recipe import Recipe
from nassim.testing import check_strategy
from nassim.testing.problems import Answers

ROOT = Path(__file__).parents[2]
MACRO = nassim.get_space("nasbench_macro")


@pytest.mark.slow
def test_contract() -> None:
    check_strategy(nassim.get_algorithm("mnasnet"))


def reward(target: float, weights: tuple[float, float], measure: Any = None) -> LatencyReward:
    bound = Constraint("latency", "<=", target, "ms")
    return LatencyReward("mnasnet", MACRO, measure or (lambda arch: {"latency": 40.0}), (), bound, weights)


def test_the_reward_is_accuracy_times_a_power_of_the_latency() -> None:
    arch = MACRO.at(0)
    assert reward(80.0, (-0.07, -0.07))(arch, 0.75) == pytest.approx(0.75 * 0.5**-0.07)
    assert reward(20.0, (-0.07, -0.07))(arch, 0.75) == pytest.approx(0.75 * 2.0**-0.07)
    assert reward(40.0, (0.0, -1.0))(arch, 0.75) == reward(80.0, (0.0, -1.0))(arch, 0.75) == 0.75
    assert reward(20.0, (0.0, -1.0))(arch, 0.75) == 0.375
    # 5 % of the accuracy is worth twice the latency, by which the paper chose the exponent
    assert reward(40.0, (-0.07, -0.07))(arch, 0.75) == pytest.approx(
        reward(40.0, (-0.07, -0.07), lambda _: {"latency": 80.0})(arch, 0.75 * 1.05), rel=0.001
    )


def test_a_value_below_zero_is_worth_less_where_a_network_is_slower() -> None:
    fast, slow = (
        reward(40.0, (-0.07,) * 2, lambda _, ms=ms: {"latency": ms})(MACRO.at(0), -1.0) for ms in (20.0, 80.0)
    )
    assert slow < -1.0 < fast < 0.0


@pytest.fixture(scope="module")
def macro(genuine: Callable[[str], Path]) -> tuple[Any, Any]:
    """Accuracies (fractions, mean of three trainings) and millions of multiply-adds of all 6,561 networks."""
    release = json.loads(genuine("xiusu/NAS-Bench-Macro/*/data/nas-bench-macro_cifar10.json").read_text())
    rows = [release[MACRO.format(MACRO.at(i))] for i in range(MACRO.size)]
    return np.array([row["mean_acc"] / 100 for row in rows]), np.array([row["flops"] / 1e6 for row in rows])


def best(macro: tuple[Any, Any], target: float, weights: tuple[float, float]) -> int:
    accuracy, flops = macro
    R = reward(target, weights, lambda arch: {"latency": float(flops[MACRO.index(arch)])})
    values = [R(MACRO.at(i), float(accuracy[i])) for i in range(len(flops))]
    return int(np.argmax(values))


def test_the_soft_rewards_arg_max_does_not_depend_on_the_target(macro: tuple[Any, Any]) -> None:
    found = {best(macro, target, (-0.07, -0.07)) for target in (20.0, 40.0, 80.0, 100.0)}
    assert len(found) == 1
    (row,) = found
    assert macro[1][row] == pytest.approx(33.6, abs=0.05)  # systems.md 2.4


def test_the_hard_rewards_arg_max_follows_the_target(macro: tuple[Any, Any]) -> None:
    found = [round(float(macro[1][best(macro, t, (0.0, -1.0))]), 1) for t in (20.0, 30.0, 40.0, 60.0, 80.0, 100.0)]
    assert found == [20.7, 27.2, 38.9, 57.1, 79.3, 85.2]  # systems.md 2.4


def test_another_exponent_moves_the_soft_rewards_arg_max(macro: tuple[Any, Any]) -> None:
    found = [round(float(macro[1][best(macro, 50.0, (-w, -w))]), 1) for w in (0.01, 0.03, 0.07, 0.15, 0.3)]
    assert found == [71.0, 40.3, 33.6, 25.7, 16.3]  # systems.md 2.4


def test_show_says_that_the_target_is_cosmetic() -> None:
    text = " ".join(page(nassim.get_algorithm("mnasnet")).sections["Departures"].split())
    assert "With the soft reward (alpha = beta) T is a common factor" in text and "does not depend on T" in text


class Slow(Answers):
    """Milliseconds grow with the blocks; where the first is the largest they are missing, as tables write it."""

    def measure(self, arch: Architecture) -> dict[str, float]:
        return {"latency": -1.0 if arch.choices[0] == 2 else 1.0 + sum(arch.choices)}


def test_a_network_without_a_latency_has_no_reward() -> None:
    R = reward(5.0, (-0.07, -0.07), Slow("slow", MACRO, lambda arch: 0.5).measure)
    assert R(MACRO.parse("20000000"), 0.9) == 0.0 < R(MACRO.parse("00000000"), 0.1)


@pytest.mark.parametrize(("sign", "limit"), [("<=", 0.0), ("<=", -1.0), (">=", 5.0)])
def test_a_target_that_is_none_is_one_line(sign: str, limit: float) -> None:
    bound = Constraint("latency", sign, limit, "ms")
    with pytest.raises(InvalidSetting, match="its target T is the limit of the constraint"):
        LatencyReward("mnasnet", MACRO, lambda arch: {"latency": 1.0}, (), bound, (-0.07, -0.07))


def test_without_any_latency_the_reward_is_the_accuracy_and_it_says_so() -> None:
    run = nassim.run("mnasnet", Answers("plain", MACRO, lambda arch: 0.5), "5q")
    assert run.note == "reward: the accuracy alone, as nothing else is measured here"


@pytest.mark.slow
def test_it_learns_to_be_small_where_latency_alone_counts() -> None:
    """Accuracies are equal: the last batches are faster than the first, and than random ones."""

    class Even(Answers):
        def measure(self, arch: Architecture) -> dict[str, float]:
            return {"flops": 1.0 + sum(arch.choices)}

    algorithm = nassim.get_algorithm("mnasnet").configured(w=1.0)
    trials = nassim.run(algorithm, Even("even", MACRO, lambda arch: 0.5), "1000q", seed=1).trials
    sizes = [sum(trial.arch.choices) for trial in trials]
    assert np.mean(sizes[-100:]) < np.mean(sizes[:100]) - 2.0


def test_finalists_are_trained_to_the_end_by_reward() -> None:
    algorithm = nassim.get_algorithm("mnasnet").configured(epochs=1, finalists=2, children=4)
    trials = nassim.run(algorithm, "toy/additive", "14q", seed=0).trials
    assert [trial.query.epochs for trial in trials[:14]] == [1] * 12 + [None] * 2


@pytest.mark.slow
def test_the_soft_reward_visits_no_wider_front_though_the_paper_finds_one(
    tmp_path: Path, genuine: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/mobile.md has the numbers of more and longer runs (`tools/reward_fronts.py`)."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    root = genuine("xiusu/NAS-Bench-Macro/*/data/nas-bench-macro_cifar10.json").parents[4]
    Recipe.of(recipe_module("nasbench_macro")).get(mirror=str(root))
    spec = importlib.util.spec_from_file_location("reward_fronts", ROOT / "tools" / "reward_fronts.py")
    assert spec is not None and spec.loader is not None
    spec.loader.exec_module(tool := importlib.util.module_from_spec(spec))
    soft, hard = ([tool.width(reward, seed, 150, "40M") for seed in range(4)] for reward in tool.REWARDS)
    assert 1.0 < np.mean(soft) < np.mean(hard) < 2.5
