"""PNAS: its levels and beams, its predictor on real accuracies, and better than chance."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, spearmanr, wilcoxon

import nassim
from nassim import Architecture, Benchmark, Run, SearchSpace
from nassim.errors import Unsupported
from nassim.query import Trial
from nassim.registry import get_algorithm
from nassim.space import Decision
from nassim.surrogates.mlp_ensemble import MLPEnsemble
from nassim.testing.problems import Answers

PNAS = get_algorithm("pnas")
NB201 = nassim.get_space("nasbench201")
SEEDS = 16


@pytest.fixture(scope="module")
def cifar10(nasbench201_table: Path) -> Benchmark:
    return nassim.get_benchmark("nasbench201/cifar10")


@pytest.fixture(scope="module")
def runs(cifar10: Benchmark) -> list[Run]:
    return [nassim.run(PNAS, cifar10, "150q", seed=seed) for seed in range(SEEDS)]


def by_level(run: Run, space: SearchSpace) -> dict[int, list[Trial]]:
    levels = defaultdict(list)
    for trial in run.trials:
        levels[space.complexity(trial.arch)].append(trial)
    return dict(sorted(levels.items()))


def candidates(run: Run, space: SearchSpace, level: int) -> set[Architecture]:
    """The architectures of a level that are smallest or extend a trained one, by definition."""
    grown = {arch for trial in run.trials for arch in space.grow(trial.arch)}
    return {arch for arch in grown | set(space.smallest()) if space.complexity(arch) == level}


def test_the_budget_is_shared_by_the_levels_and_used_up(runs: list[Run]) -> None:
    for run in runs:
        sizes = {level: len(trials) for level, trials in by_level(run, NB201).items()}
        assert sizes == {1: 4, 2: 29, 3: 29, 4: 29, 5: 29, 6: 30}  # 4 cells are a single edge; (150 - 4) / 5


def test_levels_follow_each_other_and_nothing_is_trained_twice(runs: list[Run]) -> None:
    for run in runs:
        levels = [NB201.complexity(trial.arch) for trial in run.trials]
        assert levels == sorted(levels)
        assert len({trial.arch for trial in run.trials}) == len(run.trials)


def test_every_architecture_extends_a_trained_one_or_is_smallest(runs: list[Run]) -> None:
    for run in runs[:3]:
        for level, trials in by_level(run, NB201).items():
            assert {trial.arch for trial in trials} <= candidates(run, NB201, level)


@pytest.mark.parametrize("horizon", ["6q", "20q", "77q", "300q"])
def test_it_never_needs_more_trainings_than_the_budget_allows(horizon: str, cifar10: Benchmark) -> None:
    plenty = PNAS.begin(NB201, random.Random(0), horizon=int(horizon[:-1]))
    rng, count = random.Random(1), 0
    while (message := plenty.ask()) is not None:
        trials = [Trial(query, cifar10.query(query, rng), 0.0, 0.0, 0) for query in message.queries]
        plenty.tell(trials)
        count += len(trials)
    assert 0.95 * int(horizon[:-1]) <= count <= int(horizon[:-1])


def test_what_a_level_cannot_use_flows_to_the_later_ones() -> None:
    toy = nassim.get_benchmark("toy/additive")
    sizes = Counter(toy.space.complexity(trial.arch) for trial in nassim.run(PNAS, toy, "33q").trials)
    assert sizes == {0: 1, 1: 8, 2: 8, 3: 8, 4: 8}  # level 0 has one architecture, its other five are shared


def test_it_ends_after_the_last_level() -> None:
    toy = nassim.get_benchmark("toy/additive")
    run = nassim.run(PNAS, toy, "500q")
    assert run.stopped == "finished"
    assert {trial.arch for trial in run.trials} == set(toy.space.architectures())  # the beam held all


@pytest.mark.parametrize("beam_size", [1, 7, 40])
def test_a_given_beam_size_is_kept(beam_size: int, cifar10: Benchmark) -> None:
    run = nassim.run(PNAS.configured(beam_size=beam_size), cifar10, "1000q")
    levels = by_level(run, NB201)
    assert run.stopped == "finished"
    assert {level: len(trials) for level, trials in levels.items()} == {
        level: min(beam_size, len(candidates(run, NB201, level))) for level in range(1, 7)
    }


def test_without_a_budget_the_beam_is_the_papers() -> None:
    search = PNAS.begin(NB201, random.Random(0))
    rng, sizes = random.Random(1), []
    while len(sizes) < 4 and (message := search.ask()) is not None:
        sizes.append(len(message.queries))
        search.tell([Trial(q, nassim.Result(rng.random(), 200, 1.0, {}), 0.0, 0.0, 0) for q in message.queries])
    assert sizes == [4, 32, 192, 256]  # the first three levels have fewer


def test_a_space_that_does_not_grow_is_refused() -> None:
    flat = SearchSpace("flat", [Decision("a", ("x", "y")), Decision("b", ("x", "y"))])
    with pytest.raises(Unsupported, match="growth operator"):
        nassim.run(PNAS, Answers("flat", flat, lambda _: 0.5), "10q")


@pytest.mark.slow
def test_the_chosen_are_better_than_random_candidates(runs: list[Run], cifar10: Benchmark) -> None:
    """In true mean accuracy, level by level; the first two levels are trained (almost) whole."""
    rng = random.Random(0)
    for level in (3, 4, 5, 6):
        chosen, chance = [], []
        for run in runs:
            beam = [trial.arch for trial in by_level(run, NB201)[level]]
            drawn = rng.sample(sorted(candidates(run, NB201, level)), len(beam))
            chosen.append(np.mean([cifar10.mean_accuracy(arch) for arch in beam]))
            chance.append(np.mean([cifar10.mean_accuracy(arch) for arch in drawn]))
        assert wilcoxon(chosen, chance, alternative="greater").pvalue < 0.01


@pytest.mark.slow
def test_the_predictor_ranks_the_next_level_and_fine_tuning_improves_it(cifar10: Benchmark) -> None:
    """Random cells of growing complexity, so that no beam narrows what is ranked."""
    levels = defaultdict(list)
    for place in random.Random(1).sample(range(NB201.size), 4000):
        arch = NB201.at(place)
        if sum(choice > 0 for choice in arch.choices) == NB201.complexity(arch) > 0:  # no edge leads nowhere
            levels[NB201.complexity(arch)].append(arch)
    before, after = [], []
    for seed in range(6):
        rng = random.Random(seed)
        ensemble = MLPEnsemble(NB201.radices, rng)
        known: list[Architecture] = NB201.smallest()[:36]  # all of levels 1 and 2
        for rate, steps, level in ((0.01, 100, 3), (0.002, 50, 4), (0.002, 50, 5), (0.002, 50, 6)):
            ensemble.fit(
                np.array([a.choices for a in known]), accuracies(cifar10, known), learning_rate=rate, steps=steps
            )
            news = rng.sample(levels[level], min(30, len(levels[level]) // 2))
            held_out = [arch for arch in levels[level] if arch not in news]
            truth = [cifar10.mean_accuracy(arch) for arch in held_out]
            rows = np.array([arch.choices for arch in held_out])
            before.append(spearmanr(ensemble.predict(rows), truth).statistic)
            known = known + news
            ensemble.fit(
                np.array([a.choices for a in known]), accuracies(cifar10, known), learning_rate=0.002, steps=50
            )
            after.append(spearmanr(ensemble.predict(rows), truth).statistic)
    assert min(before) > 0
    assert wilcoxon(after, before, alternative="greater").pvalue < 0.01


def accuracies(benchmark: Benchmark, archs: list[Architecture]) -> list[float]:
    return [benchmark.mean_accuracy(arch) for arch in archs]


def test_it_beats_random_search_on_nasbench201(runs: list[Run], cifar10: Benchmark) -> None:
    chance = [nassim.run("random_search", cifar10, "150q", seed=seed).best.valid for seed in range(60)]
    assert mannwhitneyu([run.best.valid for run in runs], chance, alternative="greater").pvalue < 1e-4


def test_workers_share_each_level(cifar10: Benchmark) -> None:
    run = nassim.run(PNAS, cifar10, "60q", workers=4)
    one = nassim.run(PNAS, cifar10, "60q")
    assert {trial.worker for trial in run.trials} == {0, 1, 2, 3}
    assert len(run.trials) == len(one.trials) == 60
    assert run.seconds < 0.5 * one.seconds


@pytest.mark.slow
def test_results_do_not_depend_on_the_threads_of_the_linear_algebra(cifar10: Benchmark, runs: list[Run]) -> None:
    code = "import nassim; print(nassim.run('pnas', 'nasbench201/cifar10', '150q').trials)"
    traces = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "4")
    ]
    assert traces[0] == traces[1] == f"{runs[0].trials}\n"
