"""SMBO: what it chooses against an oracle, its acquisitions and predictors, its limits, and better than chance."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, norm

import nassim
from nassim import Architecture, Benchmark, SearchSpace
from nassim.algorithms.parts.acquisition import probability_of_improvement, ranked, score
from nassim.errors import InvalidSetting, Unsupported
from nassim.registry import get_algorithm
from nassim.space import Decision
from nassim.surrogates.predictors import Prediction
from nassim.testing import check_strategy
from nassim.testing.problems import Answers

SMBO = get_algorithm("smbo")
GAINS = np.random.default_rng(0).normal(0, 0.02, (10, 6))


def additive(arch: Architecture) -> float:
    return float(0.7 + sum(GAINS[i, c] for i, c in enumerate(arch.choices)))


SMALL = Answers("small", SearchSpace("small", [Decision(f"d{i}", tuple("abcd")) for i in range(5)]), additive)
LARGE = Answers("large", SearchSpace("large", [Decision(f"d{i}", tuple("abcdef")) for i in range(10)]), additive)


def prediction(mean: Sequence[float], deviation: Sequence[float]) -> Prediction:
    means = np.array(mean, np.float64)
    return Prediction(means, np.array(deviation, np.float64), lambda: means[::-1])


def scored(acquisition: str, found: Prediction, scale: float = 1.0) -> list[float]:
    return score(acquisition, found, 0.6, np.random.default_rng(0), beta=0.5, scale=scale).tolist()


def test_acquisitions_are_their_definitions() -> None:
    found = prediction([0.5, 0.7], [0.1, 0.2])
    z = np.array([-1, 0.5])
    ei = np.array([0.1, 0.2]) * (z * norm.cdf(z) + norm.pdf(z))
    assert scored("ei", found) == pytest.approx(ei)
    assert scored("pi", found) == pytest.approx(norm.cdf(z))
    assert scored("ucb", found) == pytest.approx([0.55, 0.8])
    assert scored("ts", found) == pytest.approx([0.7, 0.5])  # the function that is drawn
    noise = np.random.default_rng(0).standard_normal(2)
    assert scored("its", found) == pytest.approx([0.5 + 0.1 * noise[0], 0.7 + 0.2 * noise[1]])


def test_std_scale_is_a_factor_on_the_deviations() -> None:
    found, fifth = prediction([0.5, 0.7], [0.1, 0.2]), prediction([0.5, 0.7], [0.02, 0.04])
    for acquisition in ("ei", "pi", "ucb", "its"):
        assert scored(acquisition, found, 0.2) == pytest.approx(scored(acquisition, fifth))
    assert scored("ts", found, 0.0) == pytest.approx([0.5, 0.7])


def test_probability_of_improvement_without_uncertainty_is_certain() -> None:
    assert probability_of_improvement(np.array([0.5, 0.6, 0.7]), np.zeros(3), 0.6).tolist() == [0, 0.5, 1]


def test_scores_are_ranked_from_the_highest_and_equal_ones_by_lot() -> None:
    scores = np.array([0.1, 0.5, 0.5, -1.0, 0.9])
    orders = {tuple(ranked(scores, np.random.default_rng(seed))) for seed in range(20)}
    assert orders == {(4, 1, 2, 0, 3), (4, 2, 1, 0, 3)}


def oracle(
    _name: str, _known: object, _values: object, candidates: NDArray[np.uint8], _generator: object
) -> Prediction:
    """Knows the additive function (of one-hot rows of ``SMALL``) and is certain."""
    mean = 0.7 + (candidates.reshape(len(candidates), 5, 4) * GAINS[:5, :4]).sum(axis=(1, 2))
    return Prediction(mean, np.zeros(len(mean)), lambda: mean)


@pytest.mark.parametrize("acquisition", ["ucb", "ts", "its"])
def test_the_k_best_of_all_are_trained(acquisition: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a predictor that knows everything: the best that are not trained, by value and not by error."""
    monkeypatch.setitem(SMBO.function.__globals__, "predict", oracle)
    chosen = SMBO.configured(acquisition=acquisition, candidates="all", batch_size=7)
    run = nassim.run(chosen, SMALL, "24q", seed=3)
    trained = {trial.arch for trial in run.trials[:10]}
    left = sorted((arch for arch in SMALL.space.architectures() if arch not in trained), key=additive)
    assert [trial.arch for trial in run.trials[10:]] == left[:-15:-1]


def test_the_predictor_sees_what_was_trained_and_only_that(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, list[float]]] = []

    def spying(name: str, known: object, values: list[float], candidates: NDArray[np.uint8], rng: object) -> Prediction:
        seen.append((len(known), values))  # type: ignore[arg-type]
        return oracle(name, known, values, candidates, rng)

    monkeypatch.setitem(SMBO.function.__globals__, "predict", spying)
    run = nassim.run(SMBO.configured(n_init=4, batch_size=3), SMALL, "13q")
    assert [count for count, _ in seen] == [4, 7, 10]
    for count, values in seen:
        assert max(values) == max(trial.value for trial in run.trials[:count])


@pytest.mark.parametrize("candidates", ["near", "random", "mutations", "all"])
def test_nothing_is_trained_twice_and_it_ends_when_all_are_trained(candidates: str) -> None:
    toy = nassim.get_benchmark("toy/deceptive")
    run = nassim.run(SMBO.configured(candidates=candidates), toy, "200q")
    assert run.stopped == "finished"
    assert len({trial.arch for trial in run.trials}) == len(run.trials)
    if candidates != "mutations":  # the best five have no more untrained neighbors long before
        assert len(run.trials) == toy.space.size


@pytest.mark.parametrize("settings", [{"predictor": "gp"}, {"acquisition": "its"}])
def test_other_predictors_keep_the_contract(settings: dict[str, object]) -> None:
    check_strategy(SMBO.configured(**settings), queries=15)


@pytest.mark.parametrize(
    ("settings", "benchmark", "error", "message"),
    [
        ({"n_init": 1}, SMALL, InvalidSetting, "n_init=1.*2 trials"),
        ({"candidates": "all"}, LARGE, Unsupported, "large has 60,466,176 architectures, too many for candidates=all"),
        ({"encoding": "path"}, LARGE, Unsupported, "graph"),
        ({"encoding": "adjacency"}, LARGE, Unsupported, "graph"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    settings: dict[str, object], benchmark: Benchmark, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        nassim.run(SMBO.configured(**settings), benchmark, "20q")
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_it_finds_the_best_where_chance_does_not() -> None:
    assert not LARGE.space.enumerable
    found = [nassim.run(SMBO, LARGE, "100q", seed=seed).best.valid for seed in range(8)]
    chance = [nassim.run("random_search", LARGE, "100q", seed=seed).best.valid for seed in range(8)]
    assert mannwhitneyu(found, chance, alternative="greater").pvalue < 0.01


def test_random_ones_of_a_small_space_are_all_of_it() -> None:
    from nassim.algorithms.parts.candidates import random_ones

    toy = nassim.get_space("toy")
    assert set(random_ones(toy, set(), random.Random(0), 100)) == set(toy.architectures())


@pytest.fixture(scope="module")
def cifar10(nasbench201_table: Path) -> Benchmark:
    return nassim.get_benchmark("nasbench201/cifar10")


@pytest.mark.slow
def test_the_default_beats_random_search_on_nasbench201(cifar10: Benchmark) -> None:
    found = [nassim.run(SMBO, cifar10, "150q", seed=seed).best.valid for seed in range(50)]
    chance = [nassim.run("random_search", cifar10, "150q", seed=seed).best.valid for seed in range(50)]
    assert mannwhitneyu(found, chance, alternative="greater").pvalue < 1e-6


@pytest.mark.slow
def test_forty_queries_of_a_process_with_ei_are_worth_a_hundred_random_ones(cifar10: Benchmark) -> None:
    """The textbook loop, one at a time, one-hot with a Hamming kernel: medians of 50 runs."""
    textbook = SMBO.configured(predictor="gp", batch_size=1, candidates="near")
    found = [nassim.run(textbook, cifar10, "40q", seed=seed).best.valid for seed in range(50)]
    chance = [nassim.run("random_search", cifar10, "100q", seed=seed).best.valid for seed in range(50)]
    assert np.median(found) >= np.median(chance)
