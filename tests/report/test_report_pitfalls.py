"""Methodological warnings: each appears when the study has what it warns of, and only then."""

from __future__ import annotations

import random
import re
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from nassim import Search, SearchSpace, evaluate, strategy
from nassim.registry import get_algorithm
from nassim.report import pitfalls as module
from nassim.report.analysis import Analysis
from nassim.report.pitfalls import FEW, SOURCES, pitfalls, training_noise
from nassim.report.write import write_report
from nassim.study import Study, compare

MANY = range(FEW + 1)


def kinds(study: Study) -> list[str]:
    return [each.kind for each in pitfalls(Analysis(study))]


def healthy(hand: Any, **more: Any) -> list[Any]:
    """Two strategies of six runs each that end far apart; ``more`` is of the second."""
    first = [hand.steady("random_search", seed, 0.70 + 0.001 * seed) for seed in MANY]
    return [*first, *(hand.steady("ant", seed, 0.85, **more) for seed in MANY)]


def test_a_healthy_study_has_none(hand: Any) -> None:
    assert kinds(hand.study(healthy(hand))) == []


def test_a_study_without_a_run_has_none(hand: Any) -> None:
    assert kinds(hand.study([], planned=4)) == []


def test_every_kind_has_a_source_that_names_who_and_when() -> None:
    for source in SOURCES.values():
        assert re.fullmatch(r'[^"]+, "[^"]+", .* (19|20)\d\d', source), source


def test_the_initial_phase_that_was_never_left() -> None:
    big = get_algorithm("re").configured(population_size=100)
    found, *_ = pitfalls(Analysis(compare([big], ["toy/additive"], "60q", seeds=6)))
    assert found.kind == "initial phase" and "population_size=100" in found.text and "Give a budget" in found.text
    small = get_algorithm("re").configured(population_size=10)
    assert "initial phase" not in kinds(compare([small], ["toy/additive"], "60q", seeds=6))


@strategy(family="test", year=2020)
def one_at_a_time(space: SearchSpace, rng: random.Random) -> Search:
    while True:
        yield from evaluate(space.sample(rng))


def test_idle_workers() -> None:
    study = compare([one_at_a_time], ["toy/additive"], "40q", seeds=6, workers=8)
    [found] = [each for each in pitfalls(Analysis(study)) if each.kind == "idle workers"]
    assert "one_at_a_time" in found.text and "fewer workers" in found.text
    assert "idle workers" not in kinds(compare([one_at_a_time], ["toy/additive"], "40q", seeds=6))


def test_unequal_budgets(hand: Any) -> None:
    """One of them ended by itself after half of the queries."""
    study = hand.study(healthy(hand, trials=10, stopped="finished"))
    [found] = pitfalls(Analysis(study))
    assert found.kind == "unequal budgets" and "random_search 20 queries" in found.text and "ant" in found.text
    assert "equal simulated time" in found.advice


def test_search_on_test(hand: Any) -> None:
    name = "toy/additive:search_on=test"
    runs = [run._replace(benchmark=name) for run in healthy(hand)]
    [found] = pitfalls(Analysis(hand.study(runs, about=[hand.facts(name)])))
    assert found.kind == "search on test" and name in found.text and "validation" in found.advice


@pytest.mark.parametrize(("seeds", "warned"), [(1, True), (FEW - 1, True), (FEW, False)])
def test_few_seeds(hand: Any, seeds: int, warned: bool) -> None:
    runs = [run for run in healthy(hand) if run.seed < seeds]
    found = pitfalls(Analysis(hand.study(runs)))
    assert [each.kind for each in found] == ["few seeds"] * warned
    assert all(f"random_search {seeds} and ant {seeds}" in each.text for each in found)


def test_few_seeds_of_one_strategy_alone(hand: Any) -> None:
    """Recorded searches are fewer: it alone is named. Where nothing is compared nothing is said."""
    runs = [run for run in healthy(hand) if run.strategy == "random_search" or run.seed < 2]
    [found] = pitfalls(Analysis(hand.study(runs)))
    assert found.kind == "few seeds" and "(ant 2)" in found.text
    alone = [run for run in runs if run.strategy == "ant"]
    assert kinds(hand.study(alone, folder="alone")) == []


def noisy(monkeypatch: pytest.MonkeyPatch, study: Study, apart: list[float]) -> None:
    """What the searches saw of their answers differs from the means by these."""
    runs = []
    for i, run in enumerate(study.runs):
        end = run.curve[-1]
        assert end.valid is not None
        runs.append(run._replace(curve=[*run.curve[:-1], end._replace(observed=end.valid + apart[i % len(apart)])]))
    monkeypatch.setattr(study, "runs", runs)
    monkeypatch.setattr(study, "of", lambda b, s: [r for r in runs if (r.benchmark, r.strategy) == (b, s)])


def test_differences_below_noise(hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The means are 14.75 points apart, and the noise is 20 points or 2."""
    for size, warned in ((0.2, True), (0.02, False)):
        study = hand.study(healthy(hand), folder=f"noise-{size}")
        noisy(monkeypatch, study, [size, -size])
        analysis = Analysis(study)
        expected = stdev([size, -size] * len(MANY))
        assert training_noise(analysis.parts[0]) == pytest.approx(expected)
        found = pitfalls(analysis)
        assert [each.kind for each in found] == ["below noise"] * warned
        for each in found:
            gap = 100 * (0.85 - fmean(0.70 + 0.001 * seed for seed in MANY))
            assert f"random_search and ant end closer to each other in validation ({gap:.2f})" in each.text
            assert f"standard deviation {100 * expected:.2f} percentage points" in each.text


def test_noise_is_unknown_where_nothing_repeats_or_epochs_are_fewer(hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    study = hand.study(healthy(hand))
    assert training_noise(Analysis(study).parts[0]) is None  # what was seen are the means
    noisy(monkeypatch, study, [0.2, -0.2])
    part = Analysis(study).parts[0]
    assert training_noise(part) is not None
    part.runs = {s: [run._replace(epochs=run.epochs - 1) for run in runs] for s, runs in part.runs.items()}
    assert training_noise(part) is None


@pytest.mark.parametrize(
    ("modes", "warned"),
    [
        (("black-box", "proxy"), "random_search, which asked for them"),
        (("recorded", "proxy"), "random_search, which learned them"),
        (("proxy", "proxy"), ""),
        (("black-box", "recorded"), ""),
        (("live", "recorded"), ""),
    ],
)
def test_proxy_curves_beside_others(hand: Any, modes: tuple[str, str], warned: str) -> None:
    mode = dict(zip(("random_search", "ant"), modes, strict=True))
    runs = [run._replace(mode=mode[run.strategy]) for run in healthy(hand)]
    found = pitfalls(Analysis(hand.study(runs)))
    assert [each.kind for each in found] == ["proxy beside others"] * bool(warned)
    assert all(warned in each.text and "--live" in each.advice for each in found)


@pytest.mark.slow
def test_they_stand_in_the_report_with_source_and_advice(hand: Any, tmp_path: Path) -> None:
    study = hand.study([run for run in healthy(hand) if run.seed < 2])
    write_report(study, tmp_path, figures=False)
    text, page = ((tmp_path / name).read_text(encoding="utf-8") for name in ("report.md", "report.html"))
    section = text.partition("## Methodological warnings\n")[2].partition("\n## ")[0]
    assert section.count("\n- ") == 1
    for part in ("fewer than 5 runs", "Give more --seeds", "Agarwal et al.", "NeurIPS 2021"):
        assert part in section and part in page
    assert "<h2>Methodological warnings</h2>" in page
    write_report(hand.study(healthy(hand), folder="healthy"), tmp_path / "healthy", figures=False)
    assert "Methodological warnings" not in (tmp_path / "healthy" / "report.md").read_text(encoding="utf-8")
    assert "Methodological warnings" not in (tmp_path / "healthy" / "report.html").read_text(encoding="utf-8")


def test_the_order_is_that_of_the_sources(monkeypatch: pytest.MonkeyPatch, hand: Any) -> None:
    runs = [run for run in healthy(hand, trials=10, stopped="finished", mode="proxy") if run.seed < 2]
    assert kinds(hand.study(runs)) == ["unequal budgets", "few seeds", "proxy beside others"]
    monkeypatch.setattr(module, "FEW", 2)
    assert "few seeds" not in kinds(hand.study(runs, folder="again"))
