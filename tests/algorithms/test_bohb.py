"""BOHB: when its model answers and when the prior does."""

from __future__ import annotations

import random

import pytest

import nassim
from nassim.query import Query, Result
from nassim.testing.problems import Answers

BOHB = nassim.get_algorithm("bohb")
PUBLISHED = {"random_fraction": 0.0, "samples": 4, "min_bandwidth": 0.3}


def twelve(name: str = "twelve") -> Answers:
    """NAS-Bench-201's cells after 1 to 12 epochs, each a training of its own."""
    benchmark = Answers(name, nassim.get_space("nasbench201"), lambda arch: arch.choices.count(3) / 6)
    benchmark.fidelities, benchmark.epochs = tuple(range(1, 13)), 12
    return benchmark


def fresh(run: nassim.Run) -> list[nassim.Architecture]:
    return [trial.arch for trial in run.trials if not trial.query.origin]


@pytest.mark.parametrize("kde", ["categorical", "hpbandster"])
def test_every_architecture_before_the_fourteenth_result_of_some_epochs_is_a_prior_draw(kde: str) -> None:
    """HpBandSter's sizes, 1 to 12 epochs: the model answers from the 21st architecture on."""
    algorithm = BOHB.configured(sizes="hpbandster", kde=kde, random_fraction=0.0)
    run = nassim.run(algorithm, twelve(), "80q", seed=4)
    prior = [trial.arch for trial in nassim.run("rs", twelve(), "40q", seed=4).trials]
    assert fresh(run)[:20] == prior[:20]
    assert fresh(run)[20] != prior[20]
    first = next(i for i, trial in enumerate(run.trials) if trial.arch == fresh(run)[20])
    ended = [trial.result.epochs for trial in run.trials[:first]]
    assert max(ended.count(epochs) for epochs in (1, 4, 12)) == 14


def test_a_third_of_the_architectures_stay_random_by_default() -> None:
    from nassim.algorithms.parts import kde

    asked = []

    class Counting(kde.GoodAndBad):
        def propose(self) -> nassim.Architecture:
            asked.append(len(asked))
            return super().propose()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nassim.algorithms.bohb.GoodAndBad", Counting)
        plain = BOHB.configured(random_fraction=1 / 3)
        run = nassim.run(plain, twelve(), "1500q")
        assert len(asked) / len(fresh(run)) == pytest.approx(2 / 3, abs=0.05)
        asked.clear()
        nassim.run(BOHB.configured(random_fraction=1.0), twelve(), "200q")
        assert not asked


def test_settings_of_nasbench201s_authors_are_applied_there() -> None:
    assert {
        k: v for k, v in BOHB.hyperparameters(nassim.get_space("nasbench201")).items() if k in PUBLISHED
    } == PUBLISHED
    paper = BOHB.hyperparameters(nassim.get_space("toy"))
    assert (paper["random_fraction"], paper["samples"], paper["min_bandwidth"]) == (1 / 3, 64, 0.001)


def test_charge_says_whether_a_training_goes_on_or_begins_anew() -> None:
    goes_on = nassim.run(BOHB, "toy/additive", "40q")
    anew = nassim.run(BOHB.configured(charge="restart"), "toy/additive", "40q")
    assert goes_on.epochs == sum(trial.result.paid for trial in goes_on.trials) < anew.epochs
    assert anew.epochs == sum(trial.result.epochs for trial in anew.trials)
    assert goes_on.restarted == anew.restarted == 0
    assert not any(trial.query.origin for trial in anew.trials)


def test_epochs_of_a_round_are_those_of_hpbandster() -> None:
    """Three brackets, eta 3, 1 to 12 epochs: 93 where each training begins anew (22 trainings)."""
    algorithm = BOHB.configured(sizes="hpbandster", charge="restart")
    run = nassim.run(algorithm, twelve(), "20q")
    assert [t.result.epochs for t in run.trials] == [1] * 9 + [4] * 3 + [12] + [4] * 3 + [12] + [12] * 3
    assert run.epochs == 33 + 24 + 36


def test_it_learns_on_several_workers_from_what_has_ended_only() -> None:
    class Late(Answers):
        """Other answers from the hundredth on."""

        def __init__(self, after: float) -> None:
            super().__init__("late", nassim.get_space("nasbench201"), lambda arch: arch.choices.count(3) / 6)
            self.fidelities, self.epochs, self.after, self.asked = (1, 4, 12), 12, after, 0

        def query(self, query: Query, rng: random.Random) -> Result:
            self.asked += 1
            result = super().query(query, rng)
            return result._replace(value=0.0) if self.asked > self.after else result

    one, other = (nassim.run(BOHB, Late(after), "150q", workers=6) for after in (1000, 100))
    by_start = [sorted(run.trials, key=lambda t: (t.started, t.worker)) for run in (one, other)]
    same = [a.query == b.query for a, b in zip(*by_start, strict=True)]
    assert all(same[:101]) and not all(same)


@pytest.mark.slow
def test_the_model_pays() -> None:
    """Better in the end than Hyperband, of which it is a form, where the model can see something."""
    best = {
        name: sum(nassim.run(name, twelve(), "1500ep", seed=seed).best.valid for seed in range(10))
        for name in ("hyperband", "bohb")
    }
    assert best["bohb"] > best["hyperband"] + 0.5
