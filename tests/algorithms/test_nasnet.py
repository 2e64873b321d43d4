"""NASNet's search: proximal policy optimization, entropy, the last step, and its distance from random search."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import nassim
from nassim import SearchSpace
from nassim.algorithms.parts.controller import Controller
from nassim.algorithms.parts.rewards import clipped
from nassim.algorithms.parts.tokens import tokens_of
from nassim.query import Batch
from nassim.space import Decision
from nassim.testing.problems import Answers

NASNET = nassim.get_algorithm("nasnet")
BANDIT = SearchSpace("bandit", [Decision("arm", tuple("abcde"))])


def test_before_the_first_step_the_ratio_is_one_and_the_gradient_is_that_of_reinforce() -> None:
    space = nassim.get_space("nasnet13")
    controller = Controller(space, tokens_of(space), random.Random(0), units=10, layers=1, scale=0.1)
    archs = controller.children(20)
    before, said = controller.say(archs).log_probability, controller.say(archs)
    ratio = np.exp(said.log_probability - before)
    assert (ratio == 1.0).all()
    gains = np.random.default_rng(0).normal(size=20)
    assert (clipped(ratio, gains, 0.2) == gains).all()
    ppo = controller.gradient(said, clipped(ratio, gains, 0.2), 0.0)
    np.testing.assert_array_equal(ppo, controller.gradient(said, gains, 0.0))


def test_clipped_weights_are_the_gradient_of_the_clipped_objective() -> None:
    rng = np.random.default_rng(1)
    logs, gains, clip, step = rng.normal(0, 0.4, 200), rng.normal(size=200), 0.2, 1e-6

    def objective(x: Any) -> Any:
        ratio = np.exp(x)
        return np.minimum(ratio * gains, np.clip(ratio, 1 - clip, 1 + clip) * gains)

    away = np.abs(np.abs(np.exp(logs) - 1) - clip) > 1e-3  # the kink has no gradient
    slope = (objective(logs + step) - objective(logs - step)) / (2 * step)
    np.testing.assert_allclose(clipped(np.exp(logs), gains, clip)[away], slope[away], atol=1e-7)
    assert 20 < (clipped(np.exp(logs), gains, clip) == 0).sum() < 180


def test_a_batch_is_learned_from_as_often_as_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, float]] = []
    gradient = Controller.gradient

    def counted(self: Controller, said: Any, weights: Any, entropy: float, *rest: Any) -> Any:
        calls.append((len(weights), entropy))
        return gradient(self, said, weights, entropy, *rest)

    monkeypatch.setattr(Controller, "gradient", counted)
    nassim.run(NASNET.configured(children=10, repetitions=3, entropy_weight=0.5), "toy/additive", "41q")
    assert calls == [(10, 0.5)] * 9, "the first batch sets the baseline, the fifth is not complete"


@pytest.mark.slow
def test_the_entropy_bonus_keeps_the_policy_wide() -> None:
    arms = Answers("bandit", BANDIT, lambda arch: 0.5 + 0.1 * arch.choices[0])
    spread = []
    for weight in (0.0, 0.5):
        algorithm = NASNET.configured(entropy_weight=weight, learning_rate=0.01)
        last = nassim.run(algorithm, arms, "800q").trials[-200:]
        spread.append(len({trial.arch.choices[0] for trial in last}))
    assert spread[0] <= 2 and spread[1] == 5


@pytest.mark.parametrize("best", [0, 3])
def test_converges_to_the_best_arm_of_a_bandit(best: int) -> None:
    arms = Answers("bandit", BANDIT, lambda arch: 0.9 if arch.choices[0] == best else 0.5 + 0.05 * arch.choices[0])
    last = nassim.run(NASNET.configured(learning_rate=0.01), arms, "800q").trials[-100:]
    assert sum(trial.arch.choices[0] == best for trial in last) >= 90


def test_two_cells_are_fifty_decisions_of_one_row() -> None:
    """Both cells of a child are said in one row, the reduction cell with the normal one in memory."""
    space = nassim.get_space("nasnet13")
    tokens = tokens_of(space)
    assert [token.decision for token in tokens] == list(range(50))  # type: ignore[union-attr]
    batch = NASNET.begin(space, random.Random(0), horizon=200).ask()
    assert isinstance(batch, Batch) and len(batch.queries) == 20
    assert all(space.is_valid(query.arch) and query.epochs is None for query in batch.queries)


def test_the_best_go_on_to_the_end_where_a_benchmark_can_continue() -> None:
    algorithm = NASNET.configured(children=8, epochs=1, finalists=3)
    run = nassim.run(algorithm, "nasbench201/digits", "40q")
    last = run.trials[37:]
    assert [trial.query.epochs for trial in run.trials[:37]] == [1] * 37
    assert all(trial.query.origin and trial.result.paid == 3 for trial in last) and run.restarted == 0
    begun = {trial.arch: trial.value for trial in run.trials[:37]}
    assert sorted(begun.values())[-3:] == sorted(begun[trial.arch] for trial in last)
    again = nassim.run(algorithm, "nasbench201/digits", "80ep", plan=20)
    ended = [i for i, trial in enumerate(again.trials) if trial.query.origin]
    assert ended[:6] == [17, 18, 19, 37, 38, 39], "and again after as many more"


def test_what_follows_from_the_budget() -> None:
    space = nassim.get_space("toy")
    paper = NASNET.hyperparameters(space)
    assert (paper["children"], paper["learning_rate"], paper["finalists"]) == (20, 3.5e-4, 250)
    few = NASNET.hyperparameters(space, horizon=150)
    assert (few["children"], few["learning_rate"], few["finalists"]) == (20, 0.01, 1)
    assert NASNET.hyperparameters(space, horizon=40)["children"] == 8


def test_a_space_and_a_strategy_share_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    from nassim.cli.main import main

    with pytest.raises(SystemExit) as left:
        main(["show", "nasnet"])
    out = capsys.readouterr().out
    assert not left.value.code and "proximal policy optimization" in out and "search space of the same name" in out
    assert "Cells of 1 to" in out


@pytest.mark.slow
def test_random_search_is_behind_but_not_far_on_the_surrogate_of_darts() -> None:
    """The paper's remark: random search is only slightly worse. Of predictions, in points; 20 seeds."""
    benchmark = nassim.get_benchmark("darts/cifar10")
    ours, chance = (
        np.array([100 * nassim.run(name, benchmark, "300q", seed=seed).best.valid for seed in range(20)])
        for name in ("nasnet", "random_search")
    )
    error = np.sqrt(ours.var() / 20 + chance.var() / 20)
    gap = ours.mean() - chance.mean()
    assert 3 * error < gap < 1.0, (gap, error)
