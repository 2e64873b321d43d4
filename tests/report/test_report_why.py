"""Why a run tried what it tried: the states that a replay brings back, against the algorithms' own definitions."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from nassim.query import Trial
from nassim.registry import get_algorithm, get_benchmark, get_space
from nassim.report import visits as visits_module
from nassim.report import why as why_module
from nassim.report.analysis import Analysis
from nassim.report.cells import drawer_of
from nassim.report.pack import Block, unpack
from nassim.report.race import race_data
from nassim.report.reasons import NONE, Chances, Lineage, Promise
from nassim.report.visits import Visits, typical_runs
from nassim.report.why import why
from nassim.space import Decision, SearchSpace
from nassim.stats import Finding
from nassim.store import RunEnd
from nassim.strategy import evaluate, strategy
from nassim.study import Study, compare
from nassim.testing.problems import Answers


def _found(study: Study, strategy: str, most: int = 100_000) -> tuple[Finding[Any], RunEnd, list[Any]]:
    analysis = Analysis(study)
    visits, part = Visits(analysis), analysis.parts[0]
    benchmark = analysis.benchmark(part.name)
    assert not isinstance(benchmark, str)
    run, rows = typical_runs(part)[strategy], visits.rows.get((part.name, strategy), [])
    return why(analysis, part, run, rows, benchmark.space, most), run, rows


def _choices(rows: list[Any]) -> list[tuple[int, ...]]:
    return [tuple(map(int, row.architecture.partition(":")[2].split("-"))) for row in rows]


def test_the_lineage_of_evolution() -> None:
    """Algorithm 1 of Real et al.: the best of a sample of the last P, one decision changed, the oldest dies."""
    small = get_algorithm("re").configured(population_size=6, sample_size=3)
    found, _, rows = _found(compare([small], ["toy/deceptive"], "40q", seeds=3), "regularized_evolution")
    lineage, choices = found.value, _choices(rows)
    assert isinstance(lineage, Lineage) and len(lineage.parent) == 40
    assert lineage.parent[:6] == [NONE] * 6 and lineage.dies[:6] == [NONE] * 6
    for i in range(6, 40):
        alive = range(lineage.oldest[i], lineage.oldest[i] + lineage.alive[i])
        assert list(alive) == list(range(i - 6, i)) and lineage.dies[i] == i - 6
        assert lineage.parent[i] in lineage.sample[i] and set(lineage.sample[i]) <= set(alive)
        assert len(lineage.sample[i]) == 3
        assert rows[lineage.parent[i]].value == max(rows[k].value for k in lineage.sample[i])
        assert sum(a != b for a, b in zip(choices[i], choices[lineage.parent[i]], strict=True)) == 1


def test_what_local_search_goes_out_from() -> None:
    found, _, rows = _found(compare(["ls"], ["toy/deceptive"], "40q", seeds=3), "local_search")
    lineage, choices = found.value, _choices(rows)
    assert isinstance(lineage, Lineage)
    children = [i for i, parent in enumerate(lineage.parent) if parent != NONE]
    assert len(children) > 10 and not any(lineage.alive)
    for i in children:
        assert sum(a != b for a, b in zip(choices[i], choices[lineage.parent[i]], strict=True)) == 1


def test_the_probabilities_of_reinforce() -> None:
    """Williams' update with Adam, computed here from the trials alone, but for the first logits (about 0)."""
    found, _, rows = _found(compare(["rl"], ["toy/additive"], "30q", seeds=3), "reinforce")
    chances = found.value
    assert isinstance(chances, Chances) and chances.at == list(range(30))
    logits, mean, square = np.log(np.array(chances.rows[0]).reshape(4, 3)), np.zeros((4, 3)), np.zeros((4, 3))
    total = weight = 0.0
    for i, (row, chosen) in enumerate(zip(rows, _choices(rows), strict=True)):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        assert np.array(chances.rows[i]).reshape(4, 3) == pytest.approx(p, abs=1e-9)
        total, weight = 0.9 * total + 0.1 * 100 * row.value, 0.9 * weight + 0.1
        slope = (100 * row.value - total / weight) * (np.eye(3)[list(chosen)] - p)
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        step = mean / (1 - 0.9 ** (i + 1)) / (np.sqrt(square / (1 - 0.999 ** (i + 1))) + 1e-8)
        logits = logits + 0.1 * step


def test_the_acquisition_of_the_gaussian_process() -> None:
    study = compare(["bo"], ["toy/deceptive"], "30q", seeds=3)
    found, _, rows = _found(study, "gp_bo")
    promise, choices = found.value, _choices(rows)
    assert isinstance(promise, Promise) and promise.at == list(range(10, 30))
    assert promise.called == "expected improvement"
    trained = 0
    for mean, deviation, score, i in zip(promise.mean, promise.deviation, promise.score, promise.at, strict=True):
        assert len(mean) == 12 and np.isfinite(mean).all()
        lines = [(*choices[i][:d], o, *choices[i][d + 1 :]) for d in range(4) for o in range(3)]
        asked = [k for k, line in enumerate(lines) if line == choices[i]]
        assert len(asked) == 4 and len({score[k] for k in asked}) == 1
        assert score[asked[0]] >= np.nanmax(score) - 1e-5 * abs(np.nanmax(score)), "the highest of all"
        for k, line in enumerate(lines):
            assert math.isnan(score[k]) == (line in choices[:i]), "no acquisition of what was asked before"
            trained += line in choices[:i]
        # expected improvement by its definition, over a best that all of them share
        j, *others = [k for k in range(12) if not math.isnan(score[k])]
        best = _best_of(mean[j], deviation[j], score[j])
        for k in others:
            assert score[k] == pytest.approx(_improvement(mean[k], deviation[k], best), rel=1e-3, abs=2e-5)
    assert trained > 20


def _improvement(mean: float, deviation: float, best: float) -> float:
    z = (mean - best) / deviation
    gauss = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return (mean - best) * 0.5 * (1 + math.erf(z / math.sqrt(2))) + deviation * gauss


def _best_of(mean: float, deviation: float, score: float) -> float:
    """What improvement is over, found by halving: it falls with the best."""
    low, high = mean - 20, mean + 20
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _improvement(mean, deviation, middle) > score else (low, middle)
    return low


def test_where_a_space_is_not_listed_only_candidates_are_promising() -> None:
    space = SearchSpace("wide", [Decision(f"d{i}", tuple("abcdef")) for i in range(7)])
    assert not space.enumerable
    benchmark = Answers("wide/sums", space, lambda arch: sum(arch.choices) / 100)
    study = compare([get_algorithm("bo").configured(pool_size=50)], [benchmark], "16q", seeds=1)
    analysis = Analysis(study)
    part, rows = analysis.parts[0], Visits(analysis).rows["wide/sums", "gp_bo"]
    promise = why(analysis, part, typical_runs(part)["gp_bo"], rows, space, 100_000).value
    assert isinstance(promise, Promise) and promise.at == list(range(10, 16))
    for mean, score, i in zip(promise.mean, promise.score, promise.at, strict=True):
        asked = [6 * d + c for d, c in enumerate(_choices(rows)[i])]
        assert np.isfinite([score[k] for k in asked]).all() and np.isnan(mean).any(), "no candidate, no promise"


def test_long_states_are_thinned() -> None:
    study = compare(["rl"], ["toy/additive"], "30q", seeds=1)
    found, _, _ = _found(study, "reinforce", most=120)
    assert isinstance(found.value, Chances) and found.value.at == [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]
    assert found.value.rows == [_found(study, "reinforce")[0].value.rows[i] for i in found.value.at]


def test_what_cannot_be_brought_back_says_why(hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def reason(study: Study, strategy: str) -> str:
        found, *_ = _found(study, strategy)
        assert found.value is None
        return found.reason

    study = compare(["re"], ["toy/additive"], "12q", seeds=1)
    assert "no parent, policy or acquisition" in reason(study, "random_search")
    assert "on one worker only" in reason(
        compare(["re"], ["toy/additive"], "12q", seeds=1, workers=2), "regularized_evolution"
    )
    invented = hand.study([hand.steady("reinforce", 0, 0.8)], folder="invented")
    assert "the search asks for" in reason(invented, "reinforce"), "trials that the strategy did not ask for"
    unknown = hand.study([hand.steady("somebody's", 0, 0.8)], folder="unknown")
    assert "cannot be brought back" in reason(unknown, "somebody's")
    shared = hand.study([hand.steady("darts", 0, 0.8, trials=0, mode="recorded")], folder="shared")
    assert "shares weights" in reason(shared, "darts")
    monkeypatch.setattr(why_module, "MOST_STEPS", 11)
    assert "12 queries" in reason(study, "regularized_evolution")


def test_a_replay_that_thinks_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [0]

    @strategy(family="test", year=2026)
    def slow(space: Any, rng: Any) -> Any:
        policy: Trial | None = None
        calls[0] += 1
        while True:
            while calls[0] > 3:
                pass
            policy = yield from evaluate(space.sample(rng))
            assert policy

    study = compare([slow], ["toy/additive"], "5q", seeds=1)
    monkeypatch.setattr(why_module, "get_algorithm", lambda name: slow)
    monkeypatch.setattr(why_module, "SECONDS", 0.2)
    calls[0] = 3
    assert "not brought back within 0.2 s" in _found(study, "slow")[0].reason


def test_what_the_page_is_given() -> None:
    study = compare(["re", "rl", "bo"], ["toy/additive"], "30q", seeds=1)
    analysis, block = Analysis(study), Block()
    (part,) = analysis.parts
    data = race_data(analysis, part, Visits(analysis), block, drawer_of(part))
    assert json.dumps(data, allow_nan=False)
    found, text = data["strategies"], block.text()
    kinds = {name: run["why"].get("kind", "none") for name, run in found.items()}
    assert list(kinds.values()) == ["none", "lineage", "chances", "promise"]
    rows = unpack(text, found["reinforce"]["why"]["rows"]).reshape(30, 12) / 65535
    assert rows.reshape(30, 4, 3).sum(axis=2) == pytest.approx(1, abs=1e-4)
    for run in found.values():
        tried = [data["archs"][i] for i in unpack(text, run["tried_archs"])]
        assert len(tried) == 30 == run["trials"] and set(run["cells"]) <= set(tried)
    assert [len(options) for _, options in data["decisions"]] == [3, 3, 3, 3] and data["all_trials"] == 120
    best = get_benchmark("toy/additive", "mean").test_accuracy(get_space("toy").parse(data["best"]["architecture"]))
    assert data["best"]["optimal"] == (best == pytest.approx(part.references["test"].value))


def test_typical_runs_are_thinned_to_a_share_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits_module, "FEWEST_TRIALS", 5)
    monkeypatch.setattr(visits_module, "TRIAL_BYTES", 1200)
    study = compare(["re"], ["toy/additive"], "30q", seeds=1)
    trials = Visits(Analysis(study)).trials["toy/additive", "regularized_evolution"]
    assert [trial.queries for trial in trials] == list(range(1, 31, 3)), "10 of 2 x 51 bytes each"
