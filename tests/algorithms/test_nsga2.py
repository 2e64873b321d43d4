"""NSGA-II: fronts, crowding, constraints, and what it searches for where nobody says it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wilcoxon

import nassim
from nassim import Architecture, Trial
from nassim.algorithms.nsga2 import different, tournament
from nassim.algorithms.parts.dominance import by_rank_and_crowding, points_of, ranks, violations_of
from nassim.benchmark import About, Benchmark
from nassim.cautions import of_run, of_study
from nassim.errors import InvalidSetting
from nassim.objectives import Constraint, Objective
from nassim.pareto import crowding, hypervolume_steps, scale_of
from nassim.query import Query, Result
from nassim.study import compare
from nassim.testing import check_strategy

TOY = nassim.get_space("toy")
ACCURACY = Objective("valid_accuracy", "", False)
PARAMETERS = Objective("parameters", "", True)


def trial(value: float, **extras: float) -> Trial:
    return Trial(Query(TOY.at(0)), Result(value, 1, 1.0, extras), 0.0, 1.0, 0)


class Measured(Benchmark):
    """Noiseless accuracies and extras that are functions of the architecture."""

    space = TOY
    epochs = 1
    fidelities = (1,)

    def __init__(self, accuracy: Callable[[Architecture], float], **extras: Callable[[Architecture], float]) -> None:
        self.name = "measured"
        names = dict.fromkeys(extras, "a number")
        self.about = About("measured", "none", "computed", "MIT", "none", extras=names, synthetic=True)
        self._accuracy, self._extras = accuracy, extras

    def query(self, query: Query, rng: random.Random) -> Result:
        return Result(self._accuracy(query.arch), 1, 1.0, self.measure(query.arch))

    def measure(self, arch: Architecture) -> dict[str, float]:
        return {name: function(arch) for name, function in self._extras.items()}

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        return self._accuracy(arch)


def score(arch: Architecture) -> float:
    """All 81 differ."""
    return sum(c * 3**i for i, c in enumerate(arch.choices)) / 100


def table() -> list[Architecture]:
    return list(nassim.get_space("nasbench201").architectures())


def archs(name: str, benchmark: str | Benchmark, budget: str, **options: object) -> list[Architecture]:
    return [t.arch for t in nassim.run(name, benchmark, budget, **options).trials]  # type: ignore[arg-type]


# -- the checks of the specification ------------------------------------------------------------------------------

clouds = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=12)


@given(clouds)
def test_sorting_under_a_constraint_by_definition(rows: list[tuple[int, int, int]]) -> None:
    """The third number is what is violated: front by front, what no other of those that are left dominates."""

    def dominates(a: tuple[int, int, int], b: tuple[int, int, int]) -> bool:
        if a[2] or b[2]:
            return a[2] < b[2]
        return a[0] <= b[0] and a[1] <= b[1] and a != b

    left, expected, level = list(range(len(rows))), [0] * len(rows), 0
    while left:
        front = [i for i in left if not any(dominates(rows[j], rows[i]) for j in left)]
        for i in front:
            expected[i] = level
        left, level = [i for i in left if i not in front], level + 1
    table = np.array(rows, float)
    assert ranks(table[:, :2], table[:, 2]).tolist() == expected


@given(clouds)
def test_survivors_are_filled_by_rank_and_the_last_front_by_crowding(rows: list[tuple[int, int, int]]) -> None:
    table = np.array(rows, float)
    order = by_rank_and_crowding(table[:, :2], table[:, 2])
    rank = ranks(table[:, :2], table[:, 2])
    assert sorted(order) == list(range(len(rows)))
    assert rank[order].tolist() == sorted(rank.tolist())
    for front in set(rank.tolist()):
        members = np.flatnonzero(rank == front)
        distance = dict(zip(members.tolist(), crowding(table[members, :2]).tolist(), strict=True))
        inside = [distance[i] for i in order if i in distance]
        assert inside == sorted(inside, reverse=True)


@pytest.mark.parametrize("settings", ["[steady=true]", "[population_size=5,crossover=0.5,mutation=0.7]"])
def test_it_keeps_the_contract_and_the_same_seed_gives_the_same_trace(settings: str) -> None:
    check_strategy(nassim.get_algorithm(f"nsga2{settings}"))


def test_the_hypervolume_of_all_trials_never_falls() -> None:
    benchmark = nassim.get_benchmark("nasbench201_3ops/fashion14", "mean")
    trials = nassim.run("nsga2", benchmark, "200q").trials
    points = np.array([[1 - t.value, math.log(t.result.extras["parameters"])] for t in trials])
    steps = hypervolume_steps(points, scale_of(points))
    assert (np.diff(steps) >= 0).all() and steps[19] < steps[-1]


def test_with_identical_objectives_it_is_a_plain_genetic_algorithm() -> None:
    """One objective, and the same twice, make the same trials; survivors are the best P of all that were alive."""
    alone = Measured(score)
    twice = Measured(score, error=lambda arch: -score(arch))
    one = archs("nsga2", alone, "200q")
    assert one == archs("nsga2", twice, "200q", objectives="valid_accuracy,error")
    rng, trials = random.Random(0), [trial(i / 7 % 1) for i in range(30)]
    rng.shuffle(trials)
    order = by_rank_and_crowding(points_of(trials, (), lambda arch: {}), np.zeros(30))
    assert [trials[i].value for i in order] == sorted((t.value for t in trials), reverse=True)


def test_every_child_is_valid_and_differs_from_its_parents_by_crossover_and_mutation() -> None:
    space = nassim.get_space("nasbench101")
    problem = Measured(lambda arch: sum(arch.choices) / 40, parameters=lambda arch: 1.0 + sum(arch.choices[21:]))
    problem.space = space
    for name in ("nsga2", "nsga2[mutation=1,population_size=5]"):
        assert all(map(space.is_valid, archs(name, problem, "50q" if name == "nsga2" else "10q")))
    without = archs("nsga2[crossover=0,mutation=0]", Measured(score), "40q")
    for child in without[20:]:  # one decision, as nothing else changes
        assert any(sum(a != b for a, b in zip(child.choices, p.choices, strict=True)) == 1 for p in without[:20])


@pytest.mark.slow
def test_hypervolume_above_random_search_on_nasbench201(genuine_data: Path) -> None:
    """Validation accuracy and multiply-adds at 200 trainings: paired, 50 seeds, one-sided."""
    benchmark = nassim.get_benchmark("nasbench201/cifar10")
    every = [(100 * (1 - benchmark.mean_accuracy(a)), benchmark.measure(a)["flops"]) for a in table()]
    points = np.log(np.array(every))
    index = {arch: i for i, arch in enumerate(table())}
    scale = scale_of(points[np.array(every)[:, 0] < 80])
    volumes = {
        name: np.array(
            [
                hypervolume_steps(points[[index[a] for a in archs(name, benchmark, "200q", **options)]], scale)[-1]
                for options in ({"seed": seed, "objectives": "valid_accuracy,flops"} for seed in range(50))
            ]
        )
        for name in ("nsga2", "rs")
    }
    assert wilcoxon(volumes["nsga2"], volumes["rs"], alternative="greater").pvalue < 1e-4


# -- the steps ----------------------------------------------------------------------------------------------------


def test_the_first_population_has_no_two_equivalent_members_while_there_are_others() -> None:
    space = nassim.get_space("nasbench201")
    first = different(space, random.Random(0), 200)
    assert len({space.canonical(arch) for arch in first}) == len(first) == 200
    assert len(set(different(TOY, random.Random(0), 70))) == 70
    assert len(different(TOY, random.Random(0), 100)) == 100  # 19 at least are there twice
    assert len(set(archs("nsga2", "toy/additive", "20q"))) == 20


def test_a_tournament_is_won_by_the_better_of_two() -> None:
    rng = random.Random(0)
    population = [Trial(Query(TOY.at(i)), Result(0.5, 1, 1.0, {}), 0.0, 1.0, 0) for i in range(4)]
    won = [TOY.index(tournament(population, rng)) for _ in range(16_000)]
    for place, share in enumerate((7 / 16, 5 / 16, 3 / 16, 1 / 16)):
        assert abs(won.count(place) - 16_000 * share) < 5 * (16_000 * share) ** 0.5


def test_steady_never_leaves_a_worker_idle() -> None:
    for workers in (1, 4, 30):
        result = nassim.run("nsga2[steady=true]", "toy/additive", "2000s", workers=workers)
        starts: dict[int, list[tuple[float, float]]] = {}
        for t in sorted(result.trials, key=lambda t: t.started):
            starts.setdefault(t.worker, []).append((t.started, t.finished))
        assert len(starts) == workers
        for spans in starts.values():
            assert all(a[1] == b[0] for a, b in pairwise(spans))


def test_points_are_minimized_costs_by_their_logarithm_and_missing_values_last() -> None:
    trials = [
        trial(0.9, parameters=100.0, ms=1.0),
        trial(0.8, parameters=10.0, ms=math.nan),
        trial(0.7, parameters=1.0),
    ]
    nothing: Callable[[Architecture], dict[str, float]] = lambda arch: {}  # noqa: E731
    assert points_of(trials, (ACCURACY, PARAMETERS), nothing) == pytest.approx(
        np.array([[-0.9, math.log(100)], [-0.8, math.log(10)], [-0.7, 0.0]])
    )
    assert points_of(trials, (), nothing).tolist() == points_of(trials, (ACCURACY, PARAMETERS), nothing).tolist()
    latency = points_of(trials, (Objective("ms", "ms", True), ACCURACY), nothing)
    assert latency.tolist() == [[1.0, -0.9], [math.inf, -0.8], [math.inf, -0.7]]
    zero = [trial(0.9, parameters=0.0), trial(0.8, parameters=10.0)]  # no logarithm: as it is
    assert points_of(zero, (), nothing).tolist() == [[-0.9, 0.0], [-0.8, 10.0]]
    assert points_of([trial(0.9)], (), nothing).tolist() == [[-0.9]]
    assert points_of([trial(0.9)], (), lambda arch: {"parameters": math.e}).tolist() == [[-0.9, 1.0]]


def test_what_is_violated_is_the_distance_to_the_limit() -> None:
    trials = [trial(0.5, ms=value) for value in (4.0, 5.0, 7.5, math.nan)] + [trial(0.5)]
    below, above = Constraint("ms", "<=", 5.0, "ms"), Constraint("ms", ">=", 5.0, "ms")
    assert violations_of(trials, below, lambda arch: {}).tolist() == [0.0, 0.0, 2.5, math.inf, math.inf]
    assert violations_of(trials, above, lambda arch: {}).tolist() == [1.0, 0.0, 0.0, math.inf, math.inf]
    assert violations_of(trials, None, lambda arch: {}).tolist() == [0.0] * 5


def test_a_constraint_draws_the_search_into_what_keeps_to_it() -> None:
    problem = Measured(score, parameters=lambda arch: 1000.0 * (1 + sum(arch.choices)))
    free = nassim.run("nsga2", problem, "100q", objectives="valid_accuracy,parameters").trials[60:]
    bound = nassim.run(
        "nsga2", problem, "100q", objectives="valid_accuracy,parameters", constraint="parameters<=4k"
    ).trials[60:]
    within = [np.mean([t.result.extras["parameters"] <= 4000 for t in trials]) for trials in (free, bound)]
    assert within[1] > within[0] + 0.15


def test_objectives_decide_what_it_searches_for() -> None:
    problem = Measured(lambda arch: 0.5, a=lambda arch: 1.0 + arch.choices[0], b=lambda arch: 1.0 + arch.choices[1])
    trials = nassim.run("nsga2", problem, "200q", objectives="a,b").trials
    assert np.mean([t.arch.choices[0] for t in trials[100:]]) < 0.7 < np.mean([t.arch.choices[2] for t in trials[100:]])


# -- what the user is told, and what cannot be ---------------------------------------------------------------------


def test_what_it_searched_for_without_objectives_is_said() -> None:
    both = of_run(nassim.run("nsga2", "toy/additive", "60q"))
    assert [caution.kind for caution in both] == ["objectives"]
    assert "searched for its value and the parameters" in both[0].text and "--objectives" in both[0].text
    [alone] = of_run(nassim.run("nsga2", Measured(score), "60q"))
    assert "searched for its value alone, as parameters are not measured there" in alone.text
    assert of_run(nassim.run("nsga2", "toy/additive", "60q", objectives="valid_accuracy,parameters")) == []
    assert of_run(nassim.run("re", "toy/additive", "60q")) == []


def test_a_study_says_it_too() -> None:
    study = compare(["nsga2", "nsga2[steady=true]", "re"], ["toy/additive"], "60q", seeds=2)
    found = {(c.strategy, c.kind) for c in of_study(study)}
    assert found == {("nsga2", "objectives"), ("nsga2[steady=True]", "objectives")}
    study = compare(["nsga2", "re"], ["toy/additive"], "60q", seeds=2, objectives="valid_accuracy,parameters")
    assert of_study(study) == []


@pytest.mark.parametrize(
    ("settings", "options", "said"),
    [
        ("population_size=1000", {}, "population_size=1000 is too many: toy has 81 architectures"),
        ("crossover=1.1", {}, "nsga2.crossover=1.1 is a probability"),
        ("mutation=2", {}, "nsga2.mutation=2 is a probability"),
        ("population_size=20", {"objectives": "valid_accuracy,watts"}, "has no 'watts'"),
        ("population_size=20", {"objectives": "parameters"}, "two to 4 different ones are needed"),
    ],
)
def test_what_cannot_be_is_one_line(settings: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidSetting, match=said) as caught:
        nassim.run(f"nsga2[{settings}]", "toy/additive", "40q", **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
