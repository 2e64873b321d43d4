"""Runs that say less than they seem to: within the initial phase, idle workers, twins, nothing trained."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import nassim
from nassim import Search, SearchSpace, evaluate, strategy
from nassim.registry import get_algorithm
from nassim.study import Study, compare

pytestmark = pytest.mark.usefixtures("undrawn")


@strategy(family="test", year=2020)
def one_at_a_time(space: SearchSpace, rng: random.Random) -> Search:
    while True:
        yield from evaluate(space.sample(rng))


@strategy(family="test", year=2020)
def twin(space: SearchSpace, rng: random.Random) -> Search:
    while True:
        yield from evaluate(space.sample(rng))


def kinds(study: Study) -> set[tuple[str, str]]:
    from nassim.cautions import of_study

    return {(caution.strategy, caution.kind) for caution in of_study(study)}


def test_a_healthy_study_has_none() -> None:
    assert kinds(compare(["re", "ls", "bo"], ["toy/additive", "toy/deceptive"], "60q", seeds=3)) == set()
    assert kinds(compare(["re", "ls"], ["nasbench201/cifar10"], "150q", seeds=3, workers=8)) == set()


def test_a_run_within_its_initial_phase_is_named_with_what_to_change() -> None:
    from nassim.cautions import of_run, of_study

    big = get_algorithm("re").configured(population_size=100)
    study = compare([big], ["toy/additive"], "60q", seeds=3)
    found = {caution.kind: caution for caution in of_study(study)}
    assert found.keys() == {"initial phase", "twins"}
    text = found["initial phase"].text
    assert "population_size=100" in text
    assert "3 of 3 runs of regularized_evolution on toy/additive" in text
    assert "--set re.population_size=12" in text
    [alone] = of_run(nassim.run(big, "toy/additive", "60q"))
    assert alone.kind == "initial phase"
    assert "--set population_size=12" in alone.text
    assert of_run(nassim.run(big, "toy/additive", "101q")) == []
    assert [c.kind for c in of_run(nassim.run("bo", "toy/additive", "10q"))] == ["initial phase"]


def test_a_search_that_ended_by_itself_in_its_initial_phase_is_not_blamed() -> None:
    from nassim.cautions import of_run

    everything = nassim.run(get_algorithm("ls").configured(n_init=100), "toy/additive", "200q")
    assert everything.stopped == "finished"
    assert of_run(everything) == []


def test_idle_workers_are_named_with_what_to_change() -> None:
    from nassim.cautions import of_run

    study = compare([one_at_a_time], ["toy/additive"], "40q", seeds=2, workers=8)
    assert kinds(study) == {("one_at_a_time", "idle workers")}
    [caution] = of_run(nassim.run(one_at_a_time, "toy/additive", "40q", workers=8))
    assert "7 of 8 workers" in caution.text
    assert "start(arch)" in caution.text
    assert of_run(nassim.run(one_at_a_time, "toy/additive", "40q")) == []
    assert of_run(nassim.run("rs", "toy/additive", "40q", workers=8)) == []
    few = of_run(nassim.run("rs", "toy/additive", "3q", workers=8))
    assert "fewer workers" in few[0].text


def test_workers_that_are_cut_off_by_a_limit_on_time_are_not_called_idle() -> None:
    from nassim.cautions import of_run

    for seconds in (150, 300, 1000, 5000):
        for seed in range(10):
            run = nassim.run("rs", "toy/additive", f"{seconds}s", seed=seed, workers=8)
            assert [c.kind for c in of_run(run)] in ([], ["no answer"])
    [caution] = of_run(nassim.run(one_at_a_time, "toy/additive", "5000s", workers=8))
    assert caution.kind == "idle workers"


def test_twins_are_told_from_runs_that_only_look_alike() -> None:
    from nassim.cautions import of_study

    study = compare([one_at_a_time, twin, "re"], ["toy/additive"], "40q", seeds=3)
    found = [caution for caution in of_study(study) if caution.kind == "twins"]
    assert {caution.strategy for caution in found} == {"one_at_a_time", "twin"}  # each equals random search too
    assert all("random_search" in caution.text and "3 of 3" in caution.text for caution in found)


def test_twins_on_constant_costs_are_compared_trial_by_trial() -> None:
    """All costs and the best answer are equal, the way there is not."""

    def order(numbers: tuple[int, ...], name: str) -> nassim.Algorithm:
        def search(space: SearchSpace, rng: random.Random) -> Search:
            for number in numbers:
                yield from evaluate(space.at(number))

        search.__name__ = name
        return strategy(family="test", year=2020)(search)

    from nassim.testing.problems import Answers

    bench = Answers("flat", nassim.get_space("toy"), lambda arch: 0.5 + 0.1 * (arch.choices == (0, 0, 0, 0)))
    study = compare(
        [order((0, 1, 2), "up"), order((0, 2, 1), "down"), order((0, 1, 2), "up_again")], [bench], "3q", seeds=1
    )
    assert kinds(study) == {("up_again", "twins")}


def test_runs_without_any_answer_are_named() -> None:
    study = compare(["rs"], ["toy/additive"], "110s", seeds=40)
    none = sum(not run.curve for run in study.runs)
    assert 0 < none < 40
    assert kinds(study) == {("random_search", "no answer")}


@strategy(family="test", year=2026)
def halves(space: SearchSpace, rng: random.Random) -> Search:
    first = yield from evaluate(space.sample(rng), 1)
    yield from evaluate(first.arch, 9, origin=first)


def test_trainings_that_could_not_go_on_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from nassim.cautions import of_run, of_study
    from nassim.registry import get_benchmark

    run = nassim.run(halves, "toy/additive", "20q")
    assert run.restarted == 0 and not of_run(run)
    benchmark = get_benchmark("toy/additive")
    monkeypatch.setattr(benchmark, "continues", False, raising=False)
    run = nassim.run(halves, benchmark, "20q")
    assert run.restarted == 1
    (caution,) = of_run(run)
    assert caution.kind == "restarted" and "restarted 1 trainings that were to go on" in caution.text
    study = compare([halves], [benchmark], "20q", seeds=2)
    assert "restarted" in {caution.kind for caution in of_study(study)}


@pytest.mark.slow
def test_cautions_stand_in_output_checklist_and_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from nassim.cli.main import main
    from nassim.report.analysis import Analysis
    from nassim.report.checklist import NO, YES, checklist

    def output(*arguments: str) -> str:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert not left.value.code
        return capsys.readouterr().out

    command = ("compare", "--algos", "re", "--benchmark", "toy/additive", "--budget", "60q", "--seeds", "2")
    command += ("--jobs", "1", "--set", "re.population_size=100", "--out", str(tmp_path))
    text = output(*command)
    assert "caution: 2 of 2 runs of regularized_evolution on toy/additive" in text
    assert len(json.loads(output(*command, "--json"))["cautions"]) == 2
    assert "2 of 2 runs of regularized_evolution" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "2 of 2 runs of regularized_evolution" in (tmp_path / "report.html").read_text(encoding="utf-8")
    study = Study.open(tmp_path)
    [item] = [item for item in checklist(Analysis(study)) if "initial phase" in item.question]
    assert item.answer == NO
    assert "--set re.population_size=12" in item.because
    study.close()
    [item] = [i for i in checklist(Analysis(compare(["re"], ["toy/additive"], "60q"))) if "initial phase" in i.question]
    assert item.answer == YES
    alone = ("run", "re", "toy/additive", "--budget", "60q", "--set", "population_size=100")
    assert "caution: " in output(*alone)
    assert len(json.loads(output(*alone, "--json"))["cautions"]) == 1


def test_compare_says_what_followed_from_the_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from nassim.cli.main import main

    command = [
        "compare",
        "--algos",
        "re",
        "--benchmark",
        "toy/additive",
        "--budget",
        "100q",
        "--seeds",
        "2",
        "--jobs",
        "1",
    ]
    with pytest.raises(SystemExit):
        main([*command, "--no-report", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert "regularized_evolution on toy/additive: population_size=20 and sample_size=5 follow from the budget" in text
