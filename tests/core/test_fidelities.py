"""Which epochs a strategy is told of, and what is said of searches that ask for fewer than all of them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import nassim
from nassim import rungs
from nassim.cautions import of_run, of_study
from nassim.cli.main import main
from nassim.errors import Unsupported
from nassim.outlook import fidelities
from nassim.registry import get_algorithm, get_benchmark
from nassim.space import SearchSpace
from nassim.strategy import Search, evaluate, evaluate_all, start, strategy
from nassim.study import compare
from nassim.testing.problems import Answers

told: list[tuple[int, ...]] = []


@strategy(family="test", year=2026)
def asks(space: SearchSpace, rng: random.Random, *, fidelities: tuple[int, ...], size: int = 3) -> Search:
    told.append(fidelities)
    first = yield from evaluate_all([space.sample(rng) for _ in range(size)], fidelities[0])
    yield from evaluate(first[0].arch, origin=first[0])


@strategy(family="test", year=2026)
def needs_two(space: SearchSpace, rng: random.Random, *, fidelities: tuple[int, ...]) -> Search:
    if len(fidelities) < 2:
        raise Unsupported("needs_two needs two.")
    while True:
        yield from start(space.sample(rng), fidelities[0])


def single() -> Answers:
    benchmark = Answers("single", nassim.get_space("toy"), lambda arch: 0.5 + 0.1 * (arch.choices[0] > 0))
    benchmark.fidelities, benchmark.epochs_source = (9,), "More: get them."
    return benchmark


def test_a_strategy_is_told_which_epochs_there_are() -> None:
    run = nassim.run(asks, "toy/additive", "20q")
    assert told.pop() == (1, 3, 9)
    assert run.hyperparameters == {"size": 3}  # it is no hyperparameter
    assert asks.chooses_epochs and not get_algorithm("re").chooses_epochs
    assert get_algorithm("asha").chooses_epochs
    assert asks.begin(nassim.get_space("toy"), random.Random(0), fidelities=(2, 9)).ask() is not None
    assert told.pop() == (2, 9)


def test_under_a_protocol_none_is_longer_than_what_searches_see() -> None:
    assert fidelities(get_benchmark("toy/additive", search_epochs=3)) == (1, 3)
    assert fidelities(get_benchmark("toy/additive", search_epochs=1)) == (1,)
    assert fidelities(get_benchmark("nasbench201/digits")) == (1, 2, 3, 4)


def test_trainings_are_counted_by_their_epochs() -> None:
    run = nassim.run(asks, "toy/additive", "20q")
    first, last = rungs.of_run(run)
    assert (first.epochs, first.trainings, first.paid_epochs) == (1, 3, 3)
    assert (last.epochs, last.trainings, last.paid_epochs) == (9, 1, 8)
    assert first.cost + last.cost == pytest.approx(run.worker_seconds)
    text = "3 trainings of 1 epoch, 1 of 9; 11 epochs were paid, whole trainings would be 12"
    assert rungs.words([first, last]) == text
    assert rungs.mean([[first, last], [first]]) == [first, (9, 0.5, 4.0, last.cost / 2)]
    again = nassim.run(asks, Answers("new", nassim.get_space("toy"), lambda arch: 0.5), "20q")
    assert again.restarted == 1
    assert rungs.words(rungs.of_run(again)) == "3 trainings of 1 epoch, 1 of 9; 12 epochs were paid"


def test_a_study_counts_only_where_there_are_shorter_trainings() -> None:
    study = compare([asks, "re"], ["toy/additive"], "20q", seeds=2)
    found = rungs.of_study(study)
    assert list(found) == [("toy/additive", "asks")]
    assert [[rung[:3] for rung in run] for run in found["toy/additive", "asks"]] == [[(1, 3, 3), (9, 1, 8)]] * 2


@pytest.mark.usefixtures("undrawn")
def test_run_and_compare_print_what_was_charged(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def printed(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        assert not ended.value.code
        return capsys.readouterr().out

    text = printed("run", "sh", "toy/additive", "--budget", "13q")
    assert "eta=3" in text
    assert "by their epochs: 9 trainings of 1 epoch, 3 of 3, 1 of 9; 21 epochs were paid, whole" in text
    assert "after the epochs of its training" in text
    answer = json.loads(printed("run", "sh", "toy/additive", "--budget", "13q", "--json"))
    found = [(rung["epochs"], rung["trainings"], rung["paid_epochs"]) for rung in answer["rungs"]]
    assert found == [(1, 9, 9), (3, 3, 6), (9, 1, 6)]
    assert [trial["paid_epochs"] for trial in answer["trials"]][-4:] == [2, 2, 2, 6]
    assert "by their epochs" not in printed("run", "re", "toy/additive", "--budget", "13q")
    compared = ("compare", "--algos", "sh", "--benchmark", "toy/additive", "--budget", "13q", "--seeds", "2")
    text = printed(*compared, "--jobs", "1", "--no-report", "--out", str(tmp_path / "study"))
    assert "successive_halving, a run in the mean: 9 trainings of 1 epoch, 3 of 3, 1 of 9; 21 epochs were paid" in text


def test_a_search_that_never_left_its_first_rung_is_named() -> None:
    (caution,) = of_run(nassim.run("sh", "toy/additive", "8q"))
    assert caution.kind == "first rung"
    assert "never left the first rung: all trainings (8) were of 1 epoch, none went on. Give a larger" in caution.text
    assert not of_run(nassim.run("sh", "toy/additive", "10q"))
    assert not of_run(nassim.run("rs", "toy/additive", "8q"))
    study = compare(["sh", "re"], ["toy/additive"], "8q", seeds=3)
    named = [caution for caution in of_study(study) if caution.kind == "first rung"]
    assert [caution.strategy for caution in named] == ["successive_halving"]
    assert named[0].text.startswith("3 of 3 runs of successive_halving on toy/additive never left")


def test_where_further_epochs_come_from_is_said() -> None:
    with pytest.raises(Unsupported, match=r"^needs_two needs two\. More: get them\.$"):
        nassim.run(needs_two, single(), "5q")


def test_what_cannot_run_is_left_out_of_a_comparison_with_one_line() -> None:
    study = compare([needs_two, "re"], [single(), "toy/additive"], "12q", seeds=1)
    assert study.settings["left_out"] == {"needs_two on single": "needs_two needs two. More: get them."}
    assert {(run.benchmark, run.strategy) for run in study.runs} == {
        ("single", "random_search"),
        ("single", "regularized_evolution"),
        *(("toy/additive", name) for name in ("random_search", "needs_two", "regularized_evolution")),
    }
    with pytest.raises(Unsupported, match="Name another strategy beside it"):
        compare([needs_two], [single()], "12q", seeds=1)
