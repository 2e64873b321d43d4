"""Strategies under a constraint: what is known to break it is not trained, or comes last."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from scipy.stats import chisquare

import nassim
from nassim.algorithms.lemonade import cheap, front_of
from nassim.algorithms.parts.dominance import points_of
from nassim.algorithms.parts.limits import Rewards, kept
from nassim.objectives import Constraint, Objective
from nassim.query import Query, Result, Trial
from nassim.space import Architecture

TOY = nassim.get_space("toy")
LIMIT = Constraint("parameters", "<=", 3000.0, "")
SMALL = [arch for arch in TOY.architectures() if sum(arch.choices) <= 3]


def measure(arch: Architecture) -> dict[str, float]:
    return {"parameters": 1000.0 * sum(arch.choices)}


def trial(arch: Architecture, value: float) -> Trial:
    return Trial(Query(arch), Result(value, 1, 1.0, measure(arch)), 0.0, 1.0, 0)


def test_rejection_is_uniform_among_what_keeps_to_the_limit() -> None:
    rng = random.Random(1)
    found = Counter(kept(lambda: TOY.sample(rng), LIMIT, measure) for _ in range(6000))
    assert set(found) == set(SMALL)
    assert chisquare(list(found.values())).pvalue > 1e-3


def test_where_nothing_keeps_to_it_the_nearest_draw_is_taken_and_without_a_limit_the_first() -> None:
    rng = random.Random(1)
    nothing = Constraint("parameters", "<=", -1.0, "")
    assert kept(lambda: TOY.sample(rng), Constraint("latency", "<=", 1.0, "ms"), measure) in set(TOY.architectures())
    draws = [TOY.at(i) for i in (80, 40, 13, 44)] * 300
    least = Constraint("parameters", "<=", 0.5, "")
    assert kept(iter(draws).__next__, least, measure) == min(draws, key=lambda arch: sum(arch.choices))
    assert kept(iter(draws).__next__, None, measure) == draws[0]
    assert kept(iter(draws).__next__, nothing, measure) in draws


@pytest.mark.parametrize("name", ["random_search", "regularized_evolution", "lemonade", "gp_bo"])
def test_what_is_known_to_break_it_is_never_trained(name: str) -> None:
    run = nassim.run(name, "toy/additive", "40q" if name != "gp_bo" else f"{len(SMALL)}q", constraint="parameters<=3k")
    assert run.feasible == len(run.trials) and run.answered
    assert all(sum(t.arch.choices) <= 3 for t in run.trials)


@pytest.mark.parametrize("name", ["random_search", "regularized_evolution", "nsga2", "lemonade"])
def test_a_limit_that_everything_keeps_changes_nothing(name: str) -> None:
    free, bound = (nassim.run(name, "toy/additive", "40q", constraint=c) for c in ("", "parameters<=1M"))
    assert [t.arch for t in free.trials] == [t.arch for t in bound.trials]
    assert (free.feasible, bound.feasible) == (0, 40)


def test_evolution_with_a_penalty_trains_what_breaks_it_and_prefers_what_does_not() -> None:
    free = nassim.run("re", "toy/additive", "300q", seed=1)
    soft = nassim.run("re[limit=penalize]", "toy/additive", "300q", seed=1, constraint="parameters<=3k")
    kept_by_chance = sum(sum(t.arch.choices) <= 3 for t in free.trials)
    assert kept_by_chance < soft.feasible < 300


def test_a_penalty_is_a_tenth_for_every_tenth_beyond() -> None:
    reward = Rewards(measure, LIMIT, None, 0.9)
    within, beyond = TOY.parse("toy:1-1-1-0"), TOY.parse("toy:2-1-1-0")
    assert reward.of(trial(within, 0.5)) == 0.5
    assert reward.of(trial(beyond, 0.5)) == pytest.approx(0.5 * 0.9 ** (10 / 3))
    assert Rewards(measure, None, None, 0.9).of(trial(beyond, 0.5)) == 0.5


def test_the_front_of_lemonade_holds_what_keeps_to_it_while_anything_does() -> None:
    small, large = trial(TOY.parse("toy:1-0-0-0"), 0.2), trial(TOY.parse("toy:2-2-2-2"), 0.9)
    size = (Objective("valid_accuracy", "", False), Objective("parameters", "", True))
    assert {t.value for t in front_of([small, large], size, None, measure)} == {0.2, 0.9}
    assert front_of([small, large], size, LIMIT, measure) == [small]
    assert front_of([large], size, LIMIT, measure) == [large]


def test_of_a_rate_more_is_better() -> None:
    slow, fast = trial(TOY.at(1), 0.5), trial(TOY.at(2), 0.5)
    speeds = {slow.arch: {"speed": 10.0}, fast.arch: {"speed": 40.0}}
    rate = Objective("speed", "", True, rate=True)
    assert (
        rate.cost({"speed": 4.0}) == 0.25
        and rate.cost({}) != rate.cost({})
        and rate.cost({"speed": 0.0}) == float("inf")
    )
    told = [t._replace(result=t.result._replace(extras=speeds[t.arch])) for t in (slow, fast)]
    points = points_of(told, (Objective("valid_accuracy", "", False), rate), lambda arch: speeds[arch])
    assert points[0, 1] > points[1, 1]
    assert cheap([slow.arch, fast.arch], [rate], lambda arch: speeds[arch]).ravel().tolist() == [0.1, 0.025]
