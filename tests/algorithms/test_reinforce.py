"""REINFORCE: gradient, Adam, baseline, bandit, and better than chance."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

import nassim
from nassim import SearchSpace
from nassim.algorithms.parts.policy import Policy
from nassim.errors import InvalidSetting
from nassim.query import Batch
from nassim.space import Decision
from nassim.testing.problems import Answers

BANDIT = SearchSpace("bandit", [Decision("arm", tuple("abcde"))])


def log_probability(logits: list[list[float]], choices: tuple[int, ...]) -> float:
    return sum(row[c] - math.log(sum(map(math.exp, row))) for row, c in zip(logits, choices, strict=True))


@given(st.lists(st.lists(st.floats(-3, 3), min_size=1, max_size=5), min_size=1, max_size=4), st.randoms())
def test_gradient_is_the_finite_difference_of_the_log_probability(
    logits: list[list[float]], rng: random.Random
) -> None:
    policy = Policy([len(row) for row in logits], random.Random(0), 0.0)
    policy.logits = [list(row) for row in logits]
    choices = tuple(rng.randrange(len(row)) for row in logits)
    policy.ascend(choices, 0.0)  # no step; the probabilities follow the logits
    step = 1e-5
    for i, row in enumerate(policy.gradient(choices)):
        for k, slope in enumerate(row):
            up, down = ([list(r) for r in logits] for _ in range(2))
            up[i][k] += step
            down[i][k] -= step
            difference = (log_probability(up, choices) - log_probability(down, choices)) / (2 * step)
            assert slope == pytest.approx(difference, abs=1e-6)


def test_adam_is_the_formula_of_its_paper() -> None:
    """Kingma & Ba 2015, Algorithm 1 with its defaults, on flat arrays."""
    rng = random.Random(4)
    policy = Policy([3, 5], rng, 0.05)
    theta = np.concatenate(policy.logits)
    m = v = np.zeros(8)
    for t in range(1, 60):
        choices, advantage = (rng.randrange(3), rng.randrange(5)), rng.uniform(-20, 20)
        chosen = np.zeros(8)
        chosen[[choices[0], 3 + choices[1]]] = 1
        softmax = np.concatenate([np.exp(part) / np.exp(part).sum() for part in (theta[:3], theta[3:])])
        g = -advantage * (chosen - softmax)  # of the loss, which Adam descends
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta - 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        policy.ascend(choices, advantage)
        np.testing.assert_allclose(np.concatenate(policy.logits), theta, rtol=0, atol=1e-12)


def test_samples_follow_the_probabilities() -> None:
    policy = Policy([4], random.Random(0), 0.1)
    for _ in range(20):
        policy.ascend((2,), 1.0)
    [probabilities] = policy.probabilities
    rng = random.Random(1)
    counts = np.bincount([policy.sample(rng)[0] for _ in range(20_000)], minlength=4)
    expected = 20_000 * np.array(probabilities)
    assert 0.5 < probabilities[2] < 0.99
    assert ((counts - expected) ** 2 / expected).sum() < 16.3  # chi-square, three degrees, 0.1 %


def test_starts_uniform() -> None:
    policy = Policy([5] * 2000, random.Random(0), 0.1)
    logits = np.array(policy.logits)
    assert abs(logits.mean()) < 1e-4
    assert logits.std() == pytest.approx(1e-3, rel=0.05)
    assert np.array(policy.probabilities) == pytest.approx(0.2, abs=2e-3)


def test_baseline_is_the_corrected_average_of_percent_rewards(monkeypatch: pytest.MonkeyPatch) -> None:
    advantages: list[float] = []
    monkeypatch.setattr(Policy, "ascend", lambda self, choices, advantage: advantages.append(advantage))
    trials = nassim.run("rl", "toy/additive", "40q").trials
    rewards = np.array([100 * trial.value for trial in trials])
    for t in range(1, len(advantages) + 1):
        weights = 0.9 ** np.arange(t)[::-1]  # the present reward weighs most
        assert advantages[t - 1] == pytest.approx(rewards[t - 1] - np.average(rewards[:t], weights=weights))
    assert len(advantages) >= 39  # the run need not ask once more after its last query
    assert advantages[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("best", range(5))
def test_converges_to_the_best_arm_of_a_bandit(best: int) -> None:
    arms = Answers("bandit", BANDIT, lambda arch: 0.9 if arch.choices[0] == best else 0.5 + 0.05 * arch.choices[0])
    algorithm = nassim.get_algorithm("rl").configured(learning_rate=0.05)
    for seed in range(5):
        last = nassim.run(algorithm, arms, "600q", seed=seed).trials[-100:]
        assert sum(trial.arch.choices[0] == best for trial in last) >= 95


def test_several_workers_learn_from_each_trial_once(monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[tuple[int, ...]] = []
    monkeypatch.setattr(Policy, "ascend", lambda self, choices, advantage: learned.append(choices))
    trials = nassim.run("rl", "toy/additive", "50q", workers=4).trials
    assert len(learned) >= 45
    assert learned == [trial.arch.choices for trial in trials[: len(learned)]]


def test_the_average_must_forget() -> None:
    search = nassim.get_algorithm("rl").configured(baseline_decay=1.0)
    with pytest.raises(InvalidSetting, match="below 1"):
        nassim.run(search, "toy/additive", "5q")


def test_no_learning_is_random_search_in_distribution() -> None:
    """With learning rate 0 the samples stay uniform: the mean accuracy of many is the space's."""
    bench = nassim.get_benchmark("toy/additive", "mean")
    space_mean = np.mean([bench.mean_accuracy(arch) for arch in bench.space.architectures()])
    trials = nassim.run(nassim.get_algorithm("rl").configured(learning_rate=0.0), bench, "2000q").trials
    values = np.array([trial.value for trial in trials])
    assert abs(values.mean() - space_mean) < 4 * values.std() / math.sqrt(2000)


@pytest.mark.slow
def test_better_than_random_search_on_nasbench201() -> None:
    benchmark = nassim.get_benchmark("nasbench201/cifar10")
    ours, chance = (
        np.array([nassim.run(name, benchmark, "150q", seed=seed).best.valid for seed in range(100)])
        for name in ("reinforce", "random_search")
    )
    assert mannwhitneyu(ours, chance, alternative="greater").pvalue < 1e-4


def test_asks_one_at_a_time() -> None:
    search = nassim.get_algorithm("rl").begin(BANDIT, random.Random(0))
    message = search.ask()
    assert isinstance(message, Batch)
    assert len(message.queries) == 1
