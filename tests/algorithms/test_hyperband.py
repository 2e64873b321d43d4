"""Hyperband, followed bracket by bracket."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

import nassim
from nassim.testing.problems import Answers

HB = nassim.get_algorithm("hb")


@pytest.mark.parametrize(
    ("sizes", "brackets"),
    [
        ("paper", [[(1, 9), (3, 3), (9, 1)], [(3, 5), (9, 1)], [(9, 3)]]),
        ("hpbandster", [[(1, 9), (3, 3), (9, 1)], [(3, 3), (9, 1)], [(9, 3)]]),
    ],
)
def test_on_one_worker_one_bracket_follows_another(sizes: str, brackets: list[list[tuple[int, int]]]) -> None:
    queries = sum(size for bracket in brackets for _, size in bracket)
    trials = nassim.run(HB.configured(sizes=sizes), "toy/additive", f"{2 * queries}q").trials
    asked = [trial.result.epochs for trial in trials]
    expected = [epochs for bracket in brackets for epochs, size in bracket for _ in range(size)]
    assert asked == 2 * expected
    place = 0
    for bracket in 2 * brackets:
        below: list[nassim.Trial] = []
        for _, size in bracket:
            group, place = trials[place : place + size], place + size
            best = sorted(below, key=lambda trial: -trial.value)[:size]
            assert [trial.query.origin for trial in group] == ([t.result.training for t in best] or [""] * size)
            below = group


def test_new_architectures_are_random() -> None:
    trials = nassim.run(HB, "toy/additive", "100q", seed=5).trials
    fresh = [trial.arch for trial in trials if not trial.query.origin]
    assert fresh == [t.arch for t in nassim.run("rs", "toy/additive", f"{len(fresh)}q", seed=5).trials]


def test_on_nasbench201s_two_schedules_brackets_have_two_rungs() -> None:
    """12 and 200 epochs, eta 3: nominally 22, 67 and 200."""
    benchmark = Answers("two", nassim.get_space("nasbench201"), lambda arch: sum(arch.choices) / 24)
    benchmark.fidelities, benchmark.epochs = (12, 200), 200
    run = nassim.run(HB, benchmark, "19q")
    assert [trial.result.epochs for trial in run.trials] == [12] * 9 + [200] + [12] * 5 + [200] + [200] * 3
    assert run.restarted == 2 and run.epochs == 14 * 12 + 5 * 200


@pytest.mark.parametrize("workers", [2, 7, 30])
def test_the_next_bracket_begins_where_all_wait(workers: int) -> None:
    trials = nassim.run(HB, "toy/additive", "200q", workers=workers).trials
    last = max(trial.started for trial in trials)
    for worker in range(workers):
        own = sorted((t.started, t.finished) for t in trials if t.worker == worker)
        assert own[0][0] == 0.0 and own[-1][1] >= last
        assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(own))
    assert len(trials) == 200


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_any_number_of_workers_trains_brackets_of_the_same_sizes(workers: int) -> None:
    trials = nassim.run(HB, "toy/additive", "1100q", workers=workers).trials
    counts = Counter(trial.result.epochs for trial in trials)
    assert [counts[1] / 50, counts[3] / 50, counts[9] / 50] == pytest.approx([9, 8, 5], rel=0.05)
