"""What a run passes to a strategy that asks for it, and how strategies with settings are called."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import pytest

import nassim
from nassim.errors import InvalidSetting
from nassim.objectives import Constraint, Objective
from nassim.registry import get_algorithm, get_algorithms
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, evaluate, strategy

told: dict[str, object] = {}


@strategy(family="test", year=2026)
def curious(
    space: SearchSpace,
    rng: random.Random,
    *,
    measure: Callable[[Architecture], Mapping[str, float]],
    objectives: tuple[Objective, ...],
    constraint: Constraint | None,
    horizon: int | None = None,
    size: int = 3,
) -> Search:
    told.update(objectives=objectives, constraint=constraint, horizon=horizon, measured=measure(space.at(5)))
    trial = yield from evaluate(space.at(5))
    assert dict(trial.result.extras) == measure(space.at(5))
    for _ in range(size):
        yield from evaluate(space.sample(rng))


def test_what_is_searched_for_is_passed_to_who_asks() -> None:
    run = nassim.run(
        curious, "toy/additive", "20q", objectives="valid_accuracy,parameters", constraint="parameters<=3k"
    )
    assert told["objectives"] == (Objective("valid_accuracy", "", False), Objective("parameters", "", True))
    assert told["constraint"] == Constraint("parameters", "<=", 3000.0, "") and told["horizon"] == 20
    assert told["measured"] == {"parameters": 3000.0}
    assert run.hyperparameters == {"size": 3}  # what is passed is none
    assert (run.objectives, run.constraint) == (("valid_accuracy", "parameters"), "parameters<=3000")
    nassim.run(curious, "toy/additive", "20q")
    assert told["objectives"] == () and told["constraint"] is None


def test_an_incumbent_that_keeps_to_the_constraint_goes_before_one_that_does_not() -> None:
    free = nassim.run("rs", "toy/additive", "60q", seed=5)
    bound = nassim.run("rs", "toy/additive", "60q", seed=5, constraint="parameters<=4k")
    assert [t.arch for t in free.trials] == [t.arch for t in bound.trials]

    def small(arch: Architecture) -> bool:
        return sum(arch.choices) <= 4

    best = max((t for t in bound.trials if small(t.arch)), key=lambda trial: trial.value)
    assert bound.best.arch == best.arch and not small(free.best.arch)
    feasible = [small(incumbent.arch) for incumbent in bound.incumbents]
    assert feasible == sorted(feasible)  # once there is a feasible one, it stays so


def test_a_constraint_that_nothing_meets_leaves_the_best_of_all() -> None:
    free = nassim.run("rs", "toy/additive", "60q", seed=5)
    assert nassim.run("rs", "toy/additive", "60q", seed=5, constraint="parameters<=0").best.arch == free.best.arch


def test_a_strategy_with_settings_is_called_after_them() -> None:
    found = get_algorithm("re[sample_size=10, population_size=20]")
    assert found.title == "re[sample_size=10,population_size=20]" and found.name == "regularized_evolution"
    assert found.settings == {"sample_size": 10, "population_size": 20}
    assert [a.title for a in get_algorithms("re[sample_size=3|10]")] == ["re[sample_size=3]", "re[sample_size=10]"]
    assert get_algorithm("re").title == "regularized_evolution"
    assert nassim.run("re[sample_size=10]", "toy/additive", "5q").strategy == "re[sample_size=10]"
    assert nassim.run("re[sample_size=10]", "toy/additive", "5q").hyperparameters["sample_size"] == 10


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("re[sample_size=ten]", "'ten' is not a whole number"),
        ("re[sample_sise=10]", "no hyperparameter 'sample_sise'"),
        ("re[sample_size=3|10]", "means 2 strategies"),
        ("nobody[a=1]", "'nobody' is not an algorithm"),
    ],
)
def test_wrong_settings_are_one_line(name: str, said: str) -> None:
    with pytest.raises((InvalidSetting, LookupError)) as caught:
        get_algorithm(name)
    assert said in str(caught.value) and "\n" not in str(caught.value)
