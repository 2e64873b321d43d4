"""Population and sample of regularized evolution follow from the budget where nobody published them."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest

import nassim
from nassim.cli.repeat import repeated
from nassim.registry import algorithm_names
from nassim.report.analysis import Analysis
from nassim.report.settings import changed_hyperparameters, hyperparameters_table
from nassim.study import Study, compare

RE = nassim.get_algorithm("re")


def sizes(space: str, horizon: int | None, **settings: object) -> tuple[object, object]:
    found = RE.configured(**settings).hyperparameters(nassim.get_space(space), horizon=horizon)
    return found["population_size"], found["sample_size"]


def test_sizes_follow_from_the_budget() -> None:
    wanted = {1: (10, 3), 30: (10, 3), 54: (10, 3), 55: (11, 3), 100: (20, 5), 150: (30, 7), 499: (99, 24)}
    wanted |= {500: (100, 25), 10_000: (100, 25), None: (100, 25)}
    assert {horizon: sizes("toy", horizon) for horizon in wanted} == wanted


def test_published_sizes_stay() -> None:
    assert {sizes("nasbench201", horizon) for horizon in (1, 150, 500, None)} == {(10, 3)}
    assert [sizes("nasbench101", horizon) for horizon in (150, 499, 500, None)] == [(30, 7), (99, 24), *[(100, 10)] * 2]


def test_what_the_user_says_goes_before_and_the_sample_follows_the_population() -> None:
    assert sizes("toy", 150, population_size=64) == (64, 16)
    assert sizes("toy", 150, population_size=64, sample_size=2) == (64, 2)
    assert sizes("toy", 150, sample_size=2) == (30, 2)
    assert sizes("nasbench201", 150, population_size=50) == (50, 3)
    assert sizes("toy", 150, population_size=None) == (30, 7)


@pytest.mark.parametrize("budget", ["30q", "100q", "270ep"])
def test_a_run_within_the_papers_population_is_no_longer_random_search(budget: str) -> None:
    evolved, chance = (nassim.run(name, "toy/additive", budget) for name in ("re", "rs"))
    assert [t.arch for t in evolved.trials] != [t.arch for t in chance.trials]
    first = evolved.hyperparameters["population_size"]
    assert isinstance(first, int)
    assert first < len(evolved.trials)
    assert [t.arch for t in evolved.trials[:first]] == [t.arch for t in chance.trials[:first]]


def test_a_run_and_a_study_record_what_was_resolved(tmp_path: Path) -> None:
    wanted = {"population_size": 20, "sample_size": 5, "limit": "reject"}
    assert nassim.run("re", "toy/additive", "100q").hyperparameters == wanted
    compare(["re"], ["toy/additive"], "100q", seeds=2, out=tmp_path).close()
    study = Study.open(tmp_path)
    assert study.settings["strategies"]["regularized_evolution"] == {"toy/additive": wanted}
    assert [run.hyperparameters for run in study.of("toy/additive", "regularized_evolution")] == [wanted] * 2
    analysis = Analysis(study)
    assert changed_hyperparameters(analysis) == []
    origins = {line[1].text: line[4].text for line in hyperparameters_table(analysis).rows}
    assert origins.pop("limit") == "default"
    assert origins == {"population_size": "by the budget", "sample_size": "by the budget"}
    assert [a.settings for a in repeated(tmp_path).strategies()] == [{}, {}]  # nothing was set by hand
    study.close()


def test_what_was_set_by_hand_is_told_from_what_was_resolved(tmp_path: Path) -> None:
    compare([RE.configured(population_size=40)], ["toy/additive"], "100q", seeds=1, out=tmp_path).close()
    assert [a.settings for a in repeated(tmp_path).strategies()] == [{}, {"population_size": 40}]
    study = Study.open(tmp_path)
    assert changed_hyperparameters(Analysis(study)) == ["regularized_evolution.population_size=40"]
    study.close()


def test_show_and_run_say_what_was_resolved(capsys: pytest.CaptureFixture[str]) -> None:
    from nassim.cli.main import main

    def output(*arguments: str) -> str:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert not left.value.code
        return capsys.readouterr().out

    shown = output("show", "re")
    assert "by the budget" in shown
    shown_settings = json.loads(output("show", "re", "--json"))["hyperparameters"]
    for row in (row for row in shown_settings if row["name"] != "limit"):
        assert row["default"] is None
        assert (row["with 150 trainings"], row["with 500 trainings"]) in ((30, 100), (7, 25))
    run = output("run", "re", "toy/additive", "--budget", "100q")
    assert "population_size=20, sample_size=5" in run
    assert "population_size and sample_size follow from the budget" in run
    assert json.loads(output("run", "re", "toy/additive", "--budget", "100q", "--json"))["by_the_budget"] == [
        "population_size",
        "sample_size",
    ]
    assert "follow from the budget" not in output("run", "re", "nasbench201/cifar10", "--budget", "9q")


def test_initial_phases_are_hyperparameters() -> None:
    initial = {name: nassim.get_algorithm(name).initial for name in algorithm_names()}
    assert {name: parameter for name, parameter in initial.items() if parameter} == {
        "amoeba": "population_size",
        "evolution": "population_size",
        "genetic_cnn": "population_size",
        "bananas": "n_init",
        "gp_bo": "n_init",
        "autokeras": "initial",
        "codeepneat": "networks",
        "hierarchical": "population_size",
        "large_scale_evolution": "population_size",
        "lemonade": "initial",
        "local_search": "n_init",
        "mnasnet": "children",
        "nasnet": "children",
        "nasrl": "children",
        "neural_architect": "initial",
        "nsga2": "population_size",
        "regularized_evolution": "population_size",
        "smbo": "n_init",
    }
    for name, parameter in initial.items():
        assert not parameter or parameter in nassim.get_algorithm(name).parameters


def test_a_search_begun_by_hand_is_told_of_its_horizon() -> None:
    space, rng = nassim.get_space("toy"), random.Random(0)
    search = RE.begin(space, rng, horizon=50)
    assert search.search.gi_frame.f_locals["population_size"] == 10  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("benchmark", "budget", "settings", "digests"),
    [
        ("nasbench201/cifar10", "150q", {}, ("d45324ffa4b1764d", "8dab8e6c3c5ff2ed")),
        ("toy/additive", "600q", {}, ("070db3126d28a949", "205167394231608a")),
        ("toy/additive", "40q", {"population_size": 12, "sample_size": 4}, ("ac2bc9a19050569d", "91b2e63720199755")),
    ],
)
def test_where_nothing_is_resolved_differently_traces_stay(
    benchmark: str, budget: str, settings: dict[str, int], digests: tuple[str, str]
) -> None:
    """Digests of the architectures, of the version in which the sizes were fixed."""
    assert RE.parameters["population_size"].default is None
    for seed, (workers, digest) in enumerate(zip((1, 3), digests, strict=True)):
        trials = nassim.run(RE.configured(**settings), benchmark, budget, seed=seed, workers=workers).trials
        text = " ".join(str(trial.arch) for trial in trials)
        assert hashlib.sha256(text.encode()).hexdigest()[:16] == digest
