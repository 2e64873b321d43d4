"""GP-BO: its choices against a brute-force maximization, its limits, and better than chance."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

import nassim
from nassim import Architecture, Benchmark, Run, SearchSpace
from nassim.errors import Unsupported
from nassim.registry import get_algorithm
from nassim.space import Decision
from nassim.strategy import Algorithm
from nassim.surrogates.gaussian_process import NOISES, SCALES, Kernel, distances_of, most_likely
from nassim.testing.problems import Answers, ThreePoints

GP_BO = get_algorithm("gp_bo")
GAINS = np.random.default_rng(0).normal(0, 0.02, (10, 6))


def additive(arch: Architecture) -> float:
    return float(0.7 + sum(GAINS[i, c] for i, c in enumerate(arch.choices)))


SMALL = Answers("small", SearchSpace("small", [Decision(f"d{i}", tuple("abcd")) for i in range(5)]), additive)
LARGE = Answers("large", SearchSpace("large", [Decision(f"d{i}", tuple("abcdef")) for i in range(10)]), additive)


@pytest.fixture(scope="module")
def cifar10(nasbench201_table: Path) -> Benchmark:
    return nassim.get_benchmark("nasbench201/cifar10")


def scores_by_brute_force(run: Run, benchmark: Benchmark, asked: int) -> np.ndarray:
    """The acquisition of every architecture before query ``asked``, in double precision from the formulas."""
    space = benchmark.space
    among = distances_of(space, ("one_hot",))
    kernels = [Kernel((1.0,), (scale,), noise) for noise in NOISES for scale in SCALES]
    doubled = 10
    while 2 * doubled <= asked:
        doubled *= 2
    places = [space.index(trial.arch) for trial in run.trials[:asked]]
    values = np.array([trial.value for trial in run.trials[:asked]])
    values = (values - values[:doubled].mean()) / values[:doubled].std()
    fit = most_likely(among, places[:doubled], values[:doubled].tolist(), kernels)
    cross = np.stack([among.table(fit.kernel)[among.row(place)] for place in places])
    noisy = cross[:, places] + fit.kernel.noise * np.eye(asked)
    mean = cross.T @ np.linalg.solve(noisy, values)
    deviation = np.sqrt(fit.amplitude * (1 - (cross * np.linalg.solve(noisy, cross)).sum(axis=0)))
    if run.hyperparameters["acquisition"] == "ucb":
        scores = mean + run.hyperparameters["beta"] * deviation
    else:
        z = (mean - mean[places].max()) / deviation
        scores = deviation * (z * norm.cdf(z) + norm.pdf(z))
    scores[places] = -np.inf
    return np.asarray(scores)


@pytest.mark.parametrize("settings", [{}, {"acquisition": "ucb"}, {"acquisition": "ucb", "beta": 0.0}])
def test_each_query_is_the_exact_maximizer_over_the_whole_space(
    settings: dict[str, object], cifar10: Benchmark
) -> None:
    for benchmark, length in ((SMALL, 90), (cifar10, 45)):
        run = nassim.run(GP_BO.configured(**settings), benchmark, f"{length}q", seed=5)
        for asked in (10, 11, 19, 20, 39, length - 1):
            scores = scores_by_brute_force(run, benchmark, asked)
            chosen = scores[benchmark.space.index(run.trials[asked].arch)]
            assert chosen == pytest.approx(scores.max(), rel=2e-3, abs=1e-6)


def test_nothing_is_trained_twice_and_the_search_ends_when_all_are_trained() -> None:
    for benchmark in (nassim.get_benchmark("toy/deceptive"), Answers("three", ThreePoints(), lambda _: 0.5)):
        run = nassim.run(GP_BO, benchmark, "200q")
        assert run.stopped == "finished"
        assert len({trial.arch for trial in run.trials}) == len(run.trials) == benchmark.space.size


def test_workers_never_train_the_same_architecture() -> None:
    run = nassim.run(GP_BO, SMALL, "80q", workers=15)  # more workers than random architectures at the start
    assert len({trial.arch for trial in run.trials}) == len(run.trials) == 80
    assert {trial.worker for trial in run.trials} == set(range(15))
    assert run.best.valid == max(map(additive, SMALL.space.architectures()))


def test_paths_need_a_graph() -> None:
    with pytest.raises(Unsupported, match="graph"):
        nassim.run(GP_BO.configured(kernel="path"), SMALL, "20q")


def test_the_number_of_random_architectures_can_be_set() -> None:
    one = nassim.run(GP_BO.configured(n_init=1), SMALL, "40q")
    assert one.trials[0] == nassim.run(GP_BO, SMALL, "1q").trials[0]
    assert nassim.run(GP_BO.configured(n_init=40), SMALL, "40q").trials[:1] == one.trials[:1]


def final(strategy: str | Algorithm, benchmark: Benchmark, budget: str, seeds: int) -> list[float]:
    return [nassim.run(strategy, benchmark, budget, seed=seed).best.valid for seed in range(seeds)]


@pytest.fixture(scope="module")
def chance(cifar10: Benchmark) -> list[float]:
    return final("random_search", cifar10, "60q", 100)


@pytest.mark.slow
def test_it_beats_random_search_where_the_space_cannot_be_listed() -> None:
    assert not LARGE.space.enumerable
    found = final(GP_BO.configured(pool_size=200), LARGE, "40q", 6)
    assert mannwhitneyu(found, final("random_search", LARGE, "40q", 6), alternative="greater").pvalue < 0.005


@pytest.mark.slow
def test_forty_queries_are_worth_a_hundred_random_ones(cifar10: Benchmark) -> None:
    """Reaches in 40 queries the regret that random search has after 100 (medians)."""
    assert cifar10.optimum() is not None
    found = final(GP_BO, cifar10, "40q", 20)
    assert np.median(found) > np.median(final("random_search", cifar10, "100q", 100))


@pytest.mark.parametrize(
    ("kernel", "acquisition", "seeds"),
    [
        pytest.param("hamming", "ei", 12, marks=pytest.mark.slow),
        ("hamming", "ucb", 12),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in (("path", "ei", 24), ("hamming+path", "ucb", 24))),
    ],
)
def test_it_beats_random_search_on_nasbench201(
    kernel: str, acquisition: str, seeds: int, cifar10: Benchmark, chance: list[float]
) -> None:
    found = final(GP_BO.configured(kernel=kernel, acquisition=acquisition), cifar10, "60q", seeds)
    assert mannwhitneyu(found, chance, alternative="greater").pvalue < 0.01


@pytest.mark.slow
def test_results_do_not_depend_on_the_threads_of_the_linear_algebra(cifar10: Benchmark) -> None:
    code = "import nassim; print(nassim.run('gp_bo', 'nasbench201/cifar10', '60q').trials)"
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
    assert traces[0] == traces[1] == f"{nassim.run(GP_BO, cifar10, '60q').trials}\n"
