"""Benchmarks that train: what is asked of them, and when."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

import nassim
from nassim.benchmark import Noise
from nassim.benchmarks.toy import Toy
from nassim.query import Query, Result
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.study import Study, compare


class Training(Toy):
    """Counts its trainings; knows the mean of what was trained and nothing else."""

    trains = True
    typical_cost = math.nan  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__("additive", Noise("repeat", 1))
        self.name = "toy/additive:counted"
        self.trained: list[Query] = []
        self.devices: set[str] = set()

    def query(self, query: Query, rng: random.Random) -> Result:
        self.trained.append(query)
        self.devices.add(self.device)
        return super().query(query, rng)

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        known = any(q.arch == arch and q.epochs in (None, self.epochs) for q in self.trained)
        return super().mean_accuracy(arch, metric) if known else math.nan

    def optimum(self, metric: str = "valid_accuracy") -> None:  # type: ignore[override]
        return None


@strategy(family="test", year=2026)
def reporter(space: SearchSpace, rng: random.Random) -> Search:
    for _ in range(5):
        yield from report(space.sample(rng), 10.0)


def test_a_comparison_trains_what_its_runs_ask_for_and_nothing_else() -> None:
    bench = Training()
    study = compare(["re", "ls"], [bench], "7q", seeds=2)
    assert len(bench.trained) == sum(run.trials for run in study.runs) == 3 * 2 * 7


def test_looking_up_trains_nothing() -> None:
    bench = Training()
    run = nassim.run("rs", bench, "12q", seed=1)
    assert len(bench.trained) == 12 and run.final_seconds == 0
    assert {incumbent.source for incumbent in run.incumbents} == {"mean"}


def test_the_last_answer_of_a_search_that_only_reports_is_trained_once() -> None:
    bench = Training()
    run = nassim.run(reporter, bench, "1000s", seed=3)
    assert [q.arch for q in bench.trained] == [run.best.arch]
    assert [x.source for x in run.incumbents] == ["mean"] * 4 + ["final training"]
    assert all(math.isnan(x.valid) for x in run.incumbents[:-1])
    assert run.best.valid == Toy("additive", Noise("repeat", 1)).query(bench.trained[0], random.Random(0)).value
    assert run.final_seconds == 9 * (10.0 + sum(run.best.arch.choices))
    assert run.seconds == run.worker_seconds == 50.0  # charged separately


def test_the_device_reaches_every_training() -> None:
    bench = Training()
    nassim.run("rs", bench, "3q", device="cpu")
    assert bench.devices == {"cpu"}


def test_what_was_measured_when_a_study_began_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Measured(Training):
        typical_cost = 100.0  # type: ignore[assignment]

    first = compare(["re"], [Measured()], "1500s", seeds=1, out=tmp_path)
    hyperparameters = first.runs[1].hyperparameters
    settings = first.settings
    first.close()
    monkeypatch.setattr(Measured, "typical_cost", 3.0)  # more has been trained meanwhile
    again = compare(["re"], [Measured()], "1500s", seeds=1, out=tmp_path)
    assert again.complete and again.settings == settings
    assert again.runs[1].hyperparameters == hyperparameters
    again.close()
    assert Study.open(tmp_path).facts["toy/additive:counted"].typical_seconds == 100.0
