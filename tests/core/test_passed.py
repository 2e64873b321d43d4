"""What a run passes to a strategy that asks for it, and how strategies with settings are called."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import pytest

import nassim
from nassim.cautions import of_study
from nassim.errors import InvalidSetting
from nassim.objectives import Constraint, Objective
from nassim.registry import get_algorithm, get_algorithms
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, evaluate, report, strategy
from nassim.study import compare
from nassim.summary import summary_rows

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


@strategy(family="test", year=2026)
def indifferent(space: SearchSpace, rng: random.Random) -> Search:
    """Random search that knows no constraint."""
    while True:
        yield from evaluate(space.sample(rng))


def small(arch: Architecture) -> bool:
    return sum(arch.choices) <= 4


def test_an_incumbent_that_keeps_to_the_constraint_goes_before_one_that_does_not() -> None:
    """A strategy that does not use it runs unchanged, and is counted by what is feasible."""
    free = nassim.run(indifferent, "toy/additive", "60q", seed=5)
    bound = nassim.run(indifferent, "toy/additive", "60q", seed=5, constraint="parameters<=4k")
    assert [t.arch for t in free.trials] == [t.arch for t in bound.trials]
    best = max((t for t in bound.trials if small(t.arch)), key=lambda trial: trial.value)
    assert bound.best.arch == best.arch and not small(free.best.arch)
    feasible = [incumbent.feasible for incumbent in bound.incumbents]
    assert feasible == [small(incumbent.arch) for incumbent in bound.incumbents] == sorted(feasible)
    assert bound.feasible == sum(small(t.arch) for t in bound.trials) and bound.answered


def test_without_anything_feasible_there_is_no_answer() -> None:
    free = nassim.run(indifferent, "toy/additive", "10q", seed=5)
    bound = nassim.run(indifferent, "toy/additive", "10q", seed=5, constraint="parameters<=0")
    assert bound.best.arch == free.best.arch and not bound.best.feasible
    assert (bound.feasible, bound.answered, free.answered) == (0, False, True)
    study = compare([indifferent], ["toy/additive"], "10q", seeds=[5], constraint="parameters<=0")
    (run,) = study.of("toy/additive", "indifferent")
    assert run.curve == [] and run.trials == 10
    (caution,) = (c for c in of_study(study) if c.strategy == "indifferent")
    assert "This run of indifferent on toy/additive ended without an answer: no training kept to" in caution.text


@strategy(family="test", year=2026)
def reporter(space: SearchSpace, rng: random.Random) -> Search:
    """Answers without a query: within a limit, beyond it, within again, but worse."""
    for text in ("2-2-2-2", "1-1-0-0", "2-2-2-1", "0-0-0-0"):
        yield from report(space.parse(f"toy:{text}"), 1.0)


def test_a_reported_answer_that_breaks_the_constraint_replaces_none_that_keeps_it() -> None:
    run = nassim.run(reporter, "toy/additive", "100s", constraint="parameters<=4k")
    assert [(sum(x.arch.choices), x.feasible) for x in run.incumbents] == [(8, False), (2, True), (0, True)]


def test_regret_is_from_the_best_that_keeps_to_the_constraint() -> None:
    """By listing the space; and the study keeps the share of what is feasible."""
    study = compare([indifferent, "re"], ["toy/additive"], "30q", seeds=3, constraint="parameters<=4k")
    benchmark = nassim.get_benchmark("toy/additive")
    facts = study.facts["toy/additive"]
    best = max(benchmark.mean_accuracy(a) for a in benchmark.space.architectures() if small(a))
    assert facts.best_valid == best < benchmark.optimum() and facts.constraint == "parameters<=4000"
    rows = {row["strategy"]: row for row in summary_rows(study)}
    assert all(row["final_valid_regret_mean_pp"] >= 0 for row in rows.values())
    for name in ("indifferent", "regularized_evolution"):
        shares = [small(benchmark.space.parse(t.row.architecture)) for t in study.trials() if t.strategy == name]
        assert rows[name]["feasible_trials_fraction"] == sum(shares) / len(shares)
    assert rows["regularized_evolution"]["feasible_trials_fraction"] == 1.0


def test_what_nobody_meets_is_one_line_with_the_table_s_end() -> None:
    message = (
        r"none of the 81 architectures of toy/additive keeps to parameters>=20000: the largest parameters is 8000\."
    )
    with pytest.raises(InvalidSetting, match=message):
        nassim.run("re", "toy/additive", "5q", constraint="parameters>=20k")
    with pytest.raises(InvalidSetting, match=message):
        compare(["re"], ["toy/additive"], "5q", seeds=1, constraint="parameters>=20k")


def test_a_benchmark_without_what_is_searched_for_is_left_out_while_another_has_it() -> None:
    study = compare(["re"], ["toy/additive", "nasbench201/digits"], "5q", seeds=1, constraint="flops<=20M")
    assert study.benchmarks == ["nasbench201/digits"]
    assert study.settings["left_out"] == {
        "toy/additive": "toy/additive has no 'flops' to search by. It has parameters."
    }
    with pytest.raises(InvalidSetting, match="has no 'watts' to search by"):
        compare(["re"], ["toy/additive", "nasbench201/digits"], "5q", seeds=1, constraint="watts<=1")


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
